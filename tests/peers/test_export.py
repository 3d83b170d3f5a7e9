"""Exports of datasets, read by the libraries that they are for: `datasets`, `webdataset`,
`pycocotools` and `mlcroissant`. Rows are counted, pictures opened, texts compared with the dataset.

usage: test_export.py VISLANG WRITE_DATASET; the packages come from .venv or the environment that
VISLANG_PEERS names (scripts/deps.sh --peers). Exit status 77: skipped. Holds for `datasets` 2.21
too (an environment with that version)."""
import contextlib
import io
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "dataset")]
import peers  # noqa: E402

HOME = tempfile.mkdtemp(prefix="vislang-export-peers-")
os.environ.update(HF_HOME=f"{HOME}/hf", HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", CROISSANT_CACHE=f"{HOME}/croissant")
try:
    import datasets
    import huggingface_hub
    import mlcroissant
    import webdataset
    from PIL import Image
    from pycocotools.coco import COCO
except ImportError:
    shutil.rmtree(HOME)
    peers.become("datasets", "huggingface_hub", "mlcroissant", "webdataset", "PIL", "pycocotools")

import documents  # noqa: E402
from exports import FORMATS, SPLITS, Tools, items, words, written  # noqa: E402

TOOLS = Tools(*sys.argv[1:3])
COUNT = 6000  # so many rows are several of the pieces that `datasets` reads at once
MADE = ("whole", "hostile", "unsplit", COUNT)
KINDS = (*MADE, "built")
RECIPE = """name: built
collections: [collection]
picture_model: false
min_quality_score: 0
splits: {train: 6, validation: 2, test: 2}
"""


def build(home):
    """A dataset as a person makes one, of documents that the tests write."""
    (home / "place").mkdir()
    documents.write(home / "place", pages=24, texts=12)
    (home / "recipe.yaml").write_text(RECIPE)
    for argv in (["harvest", home / "place", "--out", home / "collection"],
                 ["dataset", "build", "--recipe", home / "recipe.yaml", "--out", home / "built"]):
        subprocess.run([TOOLS.vislang, *argv], check=True, stdout=subprocess.DEVNULL)


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        datasets.disable_progress_bars()
        logging.getLogger("absl").setLevel(logging.ERROR)
        cls.home = Path(HOME)
        cls.addClassCleanup(shutil.rmtree, cls.home)
        for what in (*MADE, "texts"):
            TOOLS.make(cls.home / str(what), what)
        build(cls.home)

    def export(self, what, layout):
        out = self.home / f"{what}-{layout}"
        if not out.exists():
            TOOLS.export(self.home / str(what), layout, out)
        return out

    def groups(self, what, split, pictured=True):
        return {base["id"]: (base, examples) for base, examples in items(self.home / str(what))
                if base["split"] == split and bool(base["picture"]) == pictured}

    def check_image(self, image, item):
        image.load()
        self.assertEqual(image.size, (item["width"], item["height"]))

    # ---- datasets ----

    def check_folder(self, what, loaded):
        splits = [split for split in SPLITS if self.groups(what, split)]
        self.assertEqual(sorted(loaded), sorted(splits))
        for split in splits:
            wanted = self.groups(what, split)
            self.assertEqual(loaded[split].num_rows, len(wanted))
            self.assertEqual(loaded[split].features, loaded[splits[0]].features)
            plain = loaded[split].remove_columns("image") if what == COUNT else loaded[split]
            for row in plain:
                base, examples = wanted.pop(row["id"])
                self.assertEqual(row["text"], written(base["text"]))
                self.assertEqual((row["document"], row["page"]), (base["source"]["document"],
                                                                   base["source"]["page"] + 1))
                self.assertEqual([(one["instruction"], one["text"]) for one in row["examples"][:row["example_count"]]],
                                 [(written(one["instruction"]), written(one["text"])) for one in examples])
                if "image" in row:
                    self.check_image(row["image"], base)

    def test_imagefolder(self):
        for what in KINDS:
            out = self.export(what, "imagefolder")
            self.check_folder(what, datasets.load_dataset("imagefolder", data_dir=str(out)))
            if what == "whole":  # by the card's header
                self.check_folder(what, datasets.load_dataset(str(out)))
        texts = datasets.load_dataset("json", data_files=str(self.export("whole", "imagefolder") / "text.jsonl"))
        wanted = {**self.groups("whole", "train", False), **self.groups("whole", "test", False)}
        by_card = datasets.load_dataset(str(self.export("whole", "imagefolder")), data_files="text.jsonl")
        for loaded in (texts, by_card):
            self.assertEqual({row["id"]: row["text"] for row in loaded["train"]},
                             {key: base["text"] for key, (base, _) in wanted.items()})
        only = datasets.load_dataset(str(self.export("texts", "imagefolder")))  # a card without pictures
        self.assertEqual({row["text"] for row in only["train"]},
                         {base["text"] for base, _ in items(self.home / "texts")})

    def test_jsonl(self):
        for what in (*KINDS, "texts"):
            out = self.export(what, "jsonl")
            expected = {one["id"]: one for base, examples in items(self.home / str(what)) for one in (base, *examples)}
            files = {path.stem: str(path) for path in out.glob("*.jsonl")}
            for loaded in (datasets.load_dataset("json", data_files=files), datasets.load_dataset(str(out))):
                self.assertEqual(set(loaded), set(files))
                self.assertEqual(sum(split.num_rows for split in loaded.values()), len(expected))
                for split, rows in loaded.items():
                    for row in rows:
                        item = expected[row["id"]]
                        self.assertEqual((row["split"], row["kind"]), (split, item["kind"]))
                        self.assertEqual(row["text"], written(item["text"]))
                        self.assertEqual(row["instruction"], written(item["instruction"]))
                        if row["picture"] and what != COUNT:
                            self.check_image(Image.open(out / row["picture"]), item)

    def test_llava(self):
        for what in KINDS:
            out = self.export(what, "llava")
            for path in out.glob("llava_*.json"):
                split = path.stem.split("_")[1]
                wanted = {**self.groups(what, split), **self.groups(what, split, False)}
                talks = datasets.load_dataset("json", data_files=str(path))["train"]
                self.assertEqual(talks.num_rows, sum(1 for _, examples in wanted.values() if examples))
                for talk in talks:
                    base, examples = wanted[talk["id"]]
                    self.assertEqual([turn["value"] for turn in talk["conversations"]][1::2],
                                     [written(words(one["text"])) for one in examples])
                    if talk.get("image") and what != COUNT:
                        self.check_image(Image.open(out / talk["image"]), base)

    # ---- webdataset ----

    def test_webdataset(self):
        for what in KINDS:
            out = self.export(what, "webdataset")
            for folder, splits in (*((split, [split]) for split in SPLITS), ("text", SPLITS)):
                wanted = {key: one for split in splits for key, one in self.groups(what, split, folder != "text").items()}
                shards = sorted(map(str, (out / folder).glob("*.tar"))) if (out / folder).exists() else []
                self.assertEqual(bool(shards), bool(wanted))
                samples = webdataset.WebDataset(shards, shardshuffle=False).decode("pil") if shards else ()
                for sample in samples:
                    base, _ = wanted.pop(sample["__key__"])
                    self.assertEqual(sample["txt"], base["text"])
                    self.assertEqual(sample["json"]["text"], written(base["text"]))
                    for ending in {"png", "jpg"} & set(sample):
                        self.check_image(sample[ending], base)
                self.assertEqual(wanted, {})

    # ---- pycocotools ----

    def test_coco(self):
        for what in KINDS:
            out = self.export(what, "coco")
            for split in SPLITS:
                wanted = self.groups(what, split)
                if not wanted:
                    continue
                coco = COCO(str(out / f"captions_{split}.json"))
                self.assertEqual(len(coco.getImgIds()), len(wanted))
                captions = 0
                for image in coco.loadImgs(coco.getImgIds()):
                    base, examples = wanted[image["item"]["id"]]
                    said = list(dict.fromkeys(written(one["text"]) for one in (base, *examples) if one["kind"] in ("pair", "describe")))
                    self.assertEqual([one["caption"] for one in coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))], said)
                    captions += len(said)
                    if what != COUNT:
                        self.check_image(Image.open(out / image["file_name"]), base)
                self.assertEqual(len(coco.getAnnIds()), captions)
                results = coco.loadRes([{"image_id": i, "caption": "a"} for i in coco.getImgIds()])
                self.assertEqual(len(results.getAnnIds()), len(wanted))

    # ---- mlcroissant, huggingface_hub ----

    def test_croissant(self):
        for what in ("whole", "hostile", "unsplit", "built"):
            for layout in FORMATS:
                shutil.rmtree(f"{HOME}/croissant", ignore_errors=True)  # what it unpacked of a tar of the same name
                out = self.export(what, layout)
                dataset = mlcroissant.Dataset(jsonld=str(out / "croissant.json"))
                issues = dataset.metadata.ctx.issues
                self.assertEqual((issues.errors, issues.warnings), (set(), set()), (what, layout))
                counts = {one.uuid: sum(1 for _ in dataset.records(one.uuid)) for one in dataset.metadata.record_sets}
                self.check_counts(what, layout, counts)
                for record in dataset.records("picture_files"):
                    self.assertGreater(record["picture_files/content"].size[0], 0)

    def check_counts(self, what, layout, counts):
        groups = items(self.home / what)
        pictured = [one for one in groups if one[0]["picture"]]
        expected = {"picture_files": sum(bool(e) for _, e in pictured) if layout == "llava" else len(pictured)}
        if layout == "webdataset":
            expected["samples"] = len(groups)
        for split in SPLITS:
            with_picture = [one for one in pictured if one[0]["split"] == split]
            every = [one for one in groups if one[0]["split"] == split]
            rows = {"imagefolder": {split: len(with_picture)},
                    "jsonl": {split: sum(1 + len(e) for _, e in every)},
                    "llava": {split: sum(bool(e) for _, e in every)},
                    "coco": {f"captions_{split}": sum(o["kind"] in ("pair", "describe") for b, e in with_picture
                                                      for o in (b, *e)),
                             f"vqa_questions_{split}": sum(o["kind"] != "describe" for _, e in with_picture for o in e)},
                    "webdataset": {}}[layout]
            expected.update({name: count for name, count in rows.items() if count})
        if layout == "imagefolder" and len(groups) > len(pictured):
            expected["text"] = len(groups) - len(pictured)
        self.assertEqual(counts, expected, (what, layout))

    def test_rows_of_croissant(self):
        out = self.export("whole", "imagefolder")
        records = mlcroissant.Dataset(jsonld=str(out / "croissant.json")).records("train")
        wanted = self.groups("whole", "train")
        for record in records:
            base, examples = wanted.pop(record["train/id"].decode())
            self.assertEqual(record["train/text"].decode(), written(base["text"]))
            self.assertAlmostEqual(record["train/quality/language"], base["quality"]["language"])
            self.assertEqual(record["train/page"], base["source"]["page"] + 1)
            self.assertEqual(list(record["train/box"]), base["source"]["box"])
            if examples:
                self.assertEqual([one.decode() for one in record["train/examples/text"]],
                                 [one["text"] for one in examples])
        self.assertEqual(wanted, {})

    def test_examples_of_the_docs(self):
        """What cards and docs/dataset.md say how to load it does."""
        manual = (ROOT / "docs" / "dataset.md").read_text().split("\n## Export\n")[1]
        for layout in FORMATS:
            out = self.export("whole", layout)
            section = manual.split(f"\n### {layout}\n")[1].split("\n#")[0]
            for text, name in ((section, "PATH"), ((out / "README.md").read_text(), "FOLDER")):
                code = text.split("```python\n")[1].split("```")[0]
                said = io.StringIO()
                with contextlib.redirect_stdout(said):
                    exec(compile(code.replace(name, str(out)), f"{layout} in {name}", "exec"), {})
                self.assertEqual(bool(said.getvalue()), layout != "jsonl", said.getvalue())

    def test_cards(self):
        for layout in FORMATS:
            card = huggingface_hub.DatasetCard.load(self.export("whole", layout) / "README.md").data.to_dict()
            self.assertEqual(sorted(card["language"]), ["am", "ar", "en", "so", "sw"])
            self.assertEqual(card["license"], "cc-by-4.0")
            self.assertEqual(card["size_categories"], ["n<1K"])
            self.assertLessEqual(set(card["task_categories"]),
                                 {"image-to-text", "visual-question-answering", "question-answering", "text-generation"})
            self.assertEqual("configs" in card, layout in ("imagefolder", "jsonl", "llava"))
            card = huggingface_hub.DatasetCard.load(self.export("hostile", layout) / "README.md").data.to_dict()
            self.assertEqual(card["pretty_name"], 'A "title": # {\u0628}')
            self.assertEqual((card["license"], card["license_name"]), ("other", "ours: ask"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], warnings="ignore")  # `webdataset` leaves files open
