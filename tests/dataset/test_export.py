"""Exports of datasets by what Python itself has: that each layout says what the dataset says, that
the same is exported as the same bytes, and what is left after a kill or a full disk.

usage: test_export.py VISLANG WRITE_DATASET"""
import collections
import fcntl
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

from exports import FORMATS, ROOT, SPLITS, Tools, items, lines, words, written

TOOLS = Tools(*sys.argv[1:3])
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Path(tempfile.mkdtemp(prefix="vislang-export-"))
        cls.addClassCleanup(shutil.rmtree, cls.home)
        for what in ("whole", "hostile", "texts", "unsplit", "empty"):
            TOOLS.make(cls.home / what, what)

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.home))

    def export(self, what, layout, *more):
        out = self.folder / f"{what}-{layout}-{len(os.listdir(self.folder))}"
        return out, TOOLS.export(self.home / what, layout, out, *more)

    def is_picture(self, data):
        self.assertTrue(data.startswith((PNG, JPEG)), data[:8])

    def check_row(self, row, item):
        """A row in our columns against the item it is of."""
        source = item["source"]
        for key in ("id", "kind", "split"):
            self.assertEqual(row[key], item[key])
        self.assertEqual(row["text"], written(item["text"]))
        self.assertEqual(row["language"], item["language"])
        self.assertEqual(row["page"], source["page"] + 1)
        self.assertEqual(row["box"], source.get("box", [0] * 4))
        self.assertEqual(row["document"], source["document"])
        self.assertEqual(row["title"], written(source["title"]))
        for key in ("url", "licence", "publisher"):
            self.assertEqual(row[key], source.get(key, ""))
        self.assertEqual(row["published"], "2025-01-31T00:00:00.000Z")
        self.assertEqual(row["fetched"], "2025-02-03T04:05:06.000Z")
        self.assertEqual(row["quality"], item["quality"])
        self.assertEqual(row["personal"]["phone"], item["personal"].get("phone", 0))
        self.assertEqual(row["picture_sha256"], Path(item["picture"]).stem)

    def check_examples(self, row, examples):
        self.assertEqual(row["example_count"], len(examples))
        if not examples:
            self.assertEqual(len(row["examples"]), 1)
            self.assertEqual({value for value in row["examples"][0].values() if isinstance(value, str)}, {""})
        for got, example in zip(row["examples"], examples):
            self.assertEqual(got["id"], example["id"])
            self.assertEqual(got["instruction"], written(example["instruction"]))
            self.assertEqual(got["text"], written(example["text"]))
            self.assertEqual(got["region"], example.get("region", [0] * 4))

    def check_types(self, rows):
        """Every column has one type, and no value is null or a list that is empty."""
        def kinds(value, at, out):
            out[at].add(type(value).__name__)
            if isinstance(value, dict):
                for key, inner in value.items():
                    kinds(inner, f"{at}.{key}", out)
            elif isinstance(value, list):
                self.assertTrue(value, at)
                for inner in value:
                    kinds(inner, f"{at}[]", out)
        seen = collections.defaultdict(set)
        for row in rows:
            kinds(row, "", seen)
        self.assertEqual({at: types for at, types in seen.items() if len(types) != 1 or "NoneType" in types}, {})
        self.assertEqual(len({tuple(row) for row in rows}), 1 if rows else 0)

    # ---- the layouts ----

    def test_imagefolder(self):
        for what in ("whole", "hostile", "unsplit", "texts"):
            out, report = self.export(what, "imagefolder")
            groups = items(self.home / what)
            rows = {split: lines(out / split / "metadata.jsonl") if (out / split).exists() else [] for split in SPLITS}
            texts = lines(out / "text.jsonl") if (out / "text.jsonl").exists() else []
            self.check_types(sum(rows.values(), []))
            self.check_types(texts)
            self.assertEqual({split: len(rows[split]) for split in SPLITS}, report["rows"])
            self.assertEqual(len(texts), report["text_rows"])
            by_id = {row["id"]: row for row in sum(rows.values(), texts)}
            self.assertEqual(list(by_id), [row["id"] for row in sum(rows.values(), texts)])
            self.assertEqual(set(by_id), {base["id"] for base, _ in groups})
            for base, examples in groups:
                row = by_id[base["id"]]
                self.check_row(row, base)
                self.check_examples(row, examples)
                self.assertEqual("file_name" in row, bool(base["picture"]))
                if base["picture"]:
                    picture = (out / base["split"] / row["file_name"]).read_bytes()
                    self.is_picture(picture)
                    self.assertEqual(hashlib.sha256(picture).hexdigest(), row["picture_sha256"])

    def test_jsonl(self):
        for what in ("whole", "hostile", "texts"):
            out, report = self.export(what, "jsonl")
            expected = [one for base, examples in items(self.home / what) for one in (base, *examples)]
            rows = [row for split in SPLITS if (out / f"{split}.jsonl").exists() for row in lines(out / f"{split}.jsonl")]
            self.check_types(rows)
            self.assertEqual(len(rows), report["items"])
            by_id = {row["id"]: row for row in rows}
            self.assertEqual(set(by_id), {item["id"] for item in expected})
            for item in expected:
                row = by_id[item["id"]]
                self.check_row(row, item)
                self.assertEqual((row["base"], row["picture"]), (item["base"], item["picture"]))
                self.assertEqual(row["instruction"], written(item["instruction"]))
                if item["picture"]:
                    self.is_picture((out / row["picture"]).read_bytes())

    def samples(self, folder):
        found = {}
        for shard in sorted(folder.glob("*.tar")):
            with tarfile.open(shard) as tar:
                for member in tar:
                    key, ending = member.name.split(".", 1)
                    self.assertEqual((member.uid, member.mtime, member.mode), (0, 0, 0o644))
                    found.setdefault(key, {})[ending] = tar.extractfile(member).read()
        return found

    def test_webdataset(self):
        for what in ("whole", "hostile", "texts"):
            out, report = self.export(what, "webdataset")
            samples = {split: self.samples(out / split) for split in (*SPLITS, "text")}
            self.assertEqual({split: len(samples[split]) for split in SPLITS}, report["rows"])
            self.assertEqual(len(samples["text"]), report["text_rows"])
            for base, examples in items(self.home / what):
                sample = samples[base["split"] if base["picture"] else "text"][base["id"]]
                said = json.loads(sample.pop("json"))
                self.check_row(said, base)
                self.check_examples(said, examples)
                self.assertEqual(sample.pop("txt").decode(), base["text"])
                self.assertEqual(len(sample), 1 if base["picture"] else 0)
                for picture in sample.values():
                    self.is_picture(picture)

    def test_what_training_reads(self):
        out, _ = self.export("whole", "webdataset")
        base, examples = items(self.home / "whole")[0]
        said = json.loads(self.samples(out / "train")[base["id"]]["json"])
        by_kind = {example["kind"]: example for example in examples}
        self.assertEqual(said["captions"], {"sw": [base["text"]], "en": ["People displaced by floods, January 2025"]})
        self.assertEqual(list(said["captions"]), ["sw", "en"])
        self.assertEqual(said["qa"], [{"question": by_kind[kind]["instruction"], "answer": [by_kind[kind]["text"]]}
                                      for kind in ("question", "language", "crisis")])
        self.assertEqual([one["question"] for one in said["derived_qa"]], ["Grafu hii inaonyesha nini?"])
        self.assertEqual(said["labels"], {"picture_kind": "chart"})

    def test_train_takes_it(self):
        out, _ = self.export("whole", "webdataset")
        recipe = self.folder / "recipe.yaml"
        recipe.write_text("""model: seer
tokenizer: models/seer-tokenizer.bpe
architecture: {picture: 32, widths: [16, 32, 64], blocks: [1, 1], kernel: 3, layers: 1, heads: 2, grid: 2,
  vocabulary: 8192, max_text: 16, text_layers: 1, mixed_layers: 1, text_heads: 2, vector: 16}
labels: {picture_kind: [chart, page]}
sources:
  - {name: export, path: train, batch: 4, picture: 32, derived: true, caption: 1, contrast: 1, ask: 1, labels: 1}
training: {steps: 2, warmup: 1, lanes: 1, micro_batch: 2, log_every: 1, max_broken: 0}
""")
        done = subprocess.run([TOOLS.vislang, "train", "--recipe", recipe, "--data", out, "--out", self.folder / "run"],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        steps = lines(self.folder / "run" / "log.jsonl")
        self.assertEqual(len(steps), 2)
        for task in ("caption", "ask", "labels"):
            self.assertGreater(steps[0][task], 0, steps)

    def test_coco(self):
        for what in ("whole", "hostile"):
            out, report = self.export(what, "coco")
            groups, seen = items(self.home / what), set()
            for split in SPLITS:
                wanted = {base["id"]: (base, examples) for base, examples in groups
                          if base["split"] == split and base["picture"]}
                captions = json.loads((out / f"captions_{split}.json").read_text()) if wanted else None
                if not wanted:
                    self.assertFalse((out / f"captions_{split}.json").exists())
                    continue
                images = {image["id"]: image for image in captions["images"]}
                self.assertEqual(len(images), report["rows"][split])
                self.assertFalse(seen & set(images))
                seen |= set(images)
                licences = {licence["id"]: licence["name"] for licence in captions["licenses"]}
                for image in images.values():
                    self.check_row(image["item"], wanted[image["item"]["id"]][0])
                    self.is_picture((out / image["file_name"]).read_bytes())
                    self.assertEqual(licences[image["license"]], image["item"]["licence"] or "not stated")
                said = {(images[one["image_id"]]["item"]["id"], one["caption"]) for one in captions["annotations"]}
                self.assertEqual(said, {(base["id"], written(one["text"])) for base, examples in wanted.values()
                                        for one in (base, *examples) if one["kind"] in ("pair", "describe")})
                self.assertEqual(captions["info"]["date_created"], "2025-02-03")
                self.check_vqa(out, split, images, wanted)
            self.assertEqual(report["no_place"], sum(1 + len(e) for b, e in groups if not b["picture"]))

    def test_coco_has_a_caption_once(self):
        def repeat(folder, rows):
            for row in rows:
                if row["kind"] == "describe" and row["base"] == rows[0]["id"]:
                    row["text"] = rows[0]["text"]
        out = self.folder / "out"
        TOOLS.export(self.broken(repeat), "coco", out)
        captions = json.loads((out / "captions_train.json").read_text())
        (image,) = [image["id"] for image in captions["images"]
                    if image["item"]["id"] == items(self.home / "whole")[0][0]["id"]]
        self.assertEqual(len([one for one in captions["annotations"] if one["image_id"] == image]), 1)

    def check_vqa(self, out, split, images, wanted):
        asked = {one["id"]: one for _, examples in wanted.values() for one in examples if one["kind"] != "describe"}
        if not asked:
            return self.assertFalse((out / f"vqa_questions_{split}.json").exists())
        questions = json.loads((out / f"vqa_questions_{split}.json").read_text())
        answers = json.loads((out / f"vqa_annotations_{split}.json").read_text())
        self.assertEqual({"info", "task_type", "data_type", "license", "data_subtype", "questions"}, set(questions))
        self.assertEqual({"info", "data_type", "license", "data_subtype", "annotations"}, set(answers))
        self.assertEqual(len(questions["questions"]), len(asked))
        for question, answer in zip(questions["questions"], answers["annotations"], strict=True):
            item = asked[question["item"]]
            self.assertEqual(question["question_id"], answer["question_id"])
            self.assertEqual(question["image_id"], answer["image_id"])
            self.assertEqual(images[question["image_id"]]["item"]["id"], item["base"])
            region = " [0.10, 0.05, 0.60, 0.30]" if "region" in item and item["width"] == 160 else ""
            if "region" not in item or region:
                self.assertEqual(question["question"], written(item["instruction"] + region))
            self.assertEqual(answer["multiple_choice_answer"], written(item["text"]))
            self.assertEqual(answer["question_type"], item["kind"])
            self.assertEqual([one["answer_id"] for one in answer["answers"]], list(range(1, 11)))
            self.assertEqual({one["answer"] for one in answer["answers"]}, {written(item["text"])})

    def test_llava(self):
        for what in ("whole", "hostile", "texts"):
            out, report = self.export(what, "llava")
            groups = items(self.home / what)
            for split in SPLITS:
                wanted = {base["id"]: (base, examples) for base, examples in groups if base["split"] == split and examples}
                path = out / f"llava_{split}.json"
                talks = json.loads(path.read_text()) if path.exists() else []
                self.assertEqual([talk["id"] for talk in talks], list(wanted))
                for talk in talks:
                    base, examples = wanted[talk["id"]]
                    self.check_row(talk["item"], base)
                    self.assertEqual("image" in talk, bool(base["picture"]))
                    turns = talk["conversations"]
                    self.assertEqual([turn["from"] for turn in turns], ["human", "gpt"] * len(examples))
                    head = "<image>\n" if base["picture"] else ""
                    self.assertTrue(turns[0]["value"].startswith(head))
                    self.assertEqual(sum(turn["value"].count("<image>") for turn in turns), bool(base["picture"]))
                    for i, example in enumerate(examples):
                        asked = (head if i == 0 else "") + words(example["instruction"])
                        self.assertEqual(turns[2 * i]["value"].split(" [0.")[0].rstrip(" "), asked.rstrip(" "))
                        self.assertEqual(turns[2 * i + 1]["value"], written(words(example["text"])))
                    if base["picture"]:
                        self.is_picture((out / talk["image"]).read_bytes())
            self.assertEqual(report["no_place"], sum(not examples for _, examples in groups))

    # ---- beside the rows ----

    def test_croissant_and_card(self):
        for layout in FORMATS:
            out, report = self.export("whole", layout)
            croissant = json.loads((out / "croissant.json").read_text())
            files = [one for one in croissant["distribution"] if one["@type"] == "cr:FileObject"]
            self.assertEqual(len(files), report["files"])
            for one in files:
                data = (out / one["contentUrl"]).read_bytes()
                self.assertEqual(one["sha256"], hashlib.sha256(data).hexdigest())
                self.assertEqual(one["contentSize"], f"{len(data)} B")
            known = {one["@id"] for one in croissant["distribution"]}
            for field in (field for one in croissant["recordSet"] for field in one["field"]):
                source = field["source"]
                self.assertIn(source.get("fileObject", source.get("fileSet"))["@id"], known)
            card = (out / "README.md").read_text()
            self.assertTrue(card.startswith("---\nlanguage:\n- \"sw\"\n"), card[:40])
            self.assertIn("license: cc-by-4.0\n", card)
            self.assertIn("````yaml\nname: Notices # ```\nseed: 1\n````\n", card)
            self.assertIn("| swa | Swahili | ", card)
            self.assertIn(f"{report['rejected']} that reviewers rejected", card)
            self.assertIn("| https://creativecommons.org/licenses/by/4.0/ |", (out / "LICENSES.md").read_text())

    def test_what_a_recipe_says_of_its_dataset(self):
        out, _ = self.export("hostile", "jsonl")
        croissant = json.loads((out / "croissant.json").read_text())
        self.assertEqual(croissant["name"], 'A "title": # {\u0628}')
        self.assertEqual(croissant["license"], "ours: ask")
        self.assertEqual(croissant["creator"], [])  # nobody is named
        self.assertIn('title = {A "title": # {\u0628}}', croissant["citeAs"])
        card = (out / "README.md").read_text()
        self.assertIn('license: other\nlicense_name: "ours: ask"\nlicense_link: LICENSES.md\n', card)
        self.assertIn('pretty_name: "A \\"title\\": # {\u0628}"\n', card)
        self.assertIn('# A "title": # {\u0628}\n\nTwo\nlines\n\n', card)
        self.assertIn('| All \\| rights "reserved" &lt;b> by us | ', card)
        self.assertIn("The dataset: ours: ask.", (out / "LICENSES.md").read_text())

    # ---- what is asked for ----

    def test_choices(self):
        groups = items(self.home / "whole")
        every = [one for base, examples in groups for one in (base, *examples)]
        cases = [
            (("--splits", "test"), lambda one: one["split"] == "test"),
            (("--splits", "test,validation"), lambda one: one["split"] != "train"),
            (("--kinds", "question,describe"), lambda one: one["kind"] in ("question", "describe")),
            (("--languages", "sw,am"), lambda one: one["language"] in ("swa", "amh")),
            (("--languages", "sw, am"), lambda one: one["language"] in ("swa", "amh")),
            (("--languages", "swh"), lambda one: one["language"] == "swa"),
            (("--min-quality-score", "0.5"), lambda one: one["score"] >= 0.5),
            (("--kinds", "pair", "--splits", "train"), lambda one: one["kind"] == "pair" and one["split"] == "train"),
        ]
        for options, keep in cases:
            out, report = self.export("whole", "jsonl", *options)
            rows = [row["id"] for split in SPLITS if (out / f"{split}.jsonl").exists()
                    for row in lines(out / f"{split}.jsonl")]
            expected = {one["id"] for one in every if keep(one)}
            self.assertEqual(set(rows), expected, options)
            self.assertEqual((report["items"], report["not_asked"]), (len(expected), len(every) - len(expected)))
        out, _ = self.export("whole", "imagefolder", "--kinds", "question")  # the base item comes along
        (row,) = lines(out / "train" / "metadata.jsonl")
        self.assertEqual([one["kind"] for one in row["examples"]], ["question"])

    def test_shards(self):
        TOOLS.make(self.folder / "many", 60)
        out = self.folder / "sharded"
        TOOLS.export(self.folder / "many", "webdataset", out, "--shard-bytes", "100k")
        shards = sorted((out / "train").iterdir())
        self.assertGreater(len(shards), 2)
        self.assertEqual([shard.name for shard in shards], [f"train-{i:06}.tar" for i in range(len(shards))])
        for shard in shards:
            self.assertLessEqual(shard.stat().st_size, 100 * 1024 + 1024)
        self.assertEqual(list(self.samples(out / "train")),
                         [base["id"] for base, _ in items(self.folder / "many") if base["split"] == "train"])
        TOOLS.export(self.folder / "many", "webdataset", self.folder / "tiny", "--shard-bytes", "1")
        self.assertEqual(len(list((self.folder / "tiny" / "train").iterdir())), 54)

    def test_refusals(self):
        (self.folder / "full").mkdir()
        (self.folder / "full" / "x").write_text("")
        cases = [
            ("whole", "imagefolder", self.folder / "full", (), 2, "holds something already"),
            ("whole", "imagefolder", self.folder / "full" / "x", (), 2, "Not a directory"),
            ("whole", "jsonlines", self.folder / "o", (), 2, "did you mean 'jsonl'"),
            ("whole", "jsonl", self.folder / "o", ("--splits", "dev"), 2, "no split 'dev'; there are train,"),
            ("whole", "jsonl", self.folder / "o", ("--kinds", "pear"), 2, "no kind of items 'pear'"),
            ("whole", "jsonl", self.folder / "o", ("--min-quality-score", "2"), 2, "from 0 to 1"),
            ("whole", "jsonl", self.folder / "o", ("--shard-bytes", "2"), 2, "webdataset"),
            ("whole", "jsonl", self.folder / "o", ("--seed", "2"), 2, "synth-lines"),
            ("empty", "jsonl", self.folder / "o", (), 3, "nothing to export"),
            ("whole", "jsonl", self.folder / "o", ("--languages", "zul"), 3, "18 items are not asked for, 2 were"),
            ("texts", "coco", self.folder / "o", (), 3, "for 2 the layout has no place"),
            ("none", "jsonl", self.folder / "o", (), 3, "no dataset"),
        ]
        for what, layout, out, more, code, says in cases:
            done = TOOLS.run(self.home / what, layout, out, *more)
            self.assertEqual(done.returncode, code, (says, done))
            self.assertIn(says, done.stderr)
            self.assertEqual(sorted(os.listdir(self.folder)), ["full"], says)

    def broken(self, change):
        """A dataset whose lines of items were changed."""
        folder = self.folder / f"broken-{len(os.listdir(self.folder))}"
        shutil.copytree(self.home / "whole", folder)
        path = folder / "items-00000.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        change(folder, rows)
        path.write_text("".join(json.dumps(row).replace("Infinity", "1e999") + "\n" for row in rows))
        return folder

    def test_broken_datasets(self):
        def set_key(index, key, value):
            return lambda folder, rows: rows[index].update({key: value})
        cases = [
            (set_key(0, "id", "../../../etc/x"), "16 hexadecimal digits"),
            (set_key(0, "picture", "../whole/dataset.json"), "leaves the dataset's folder"),
            (set_key(0, "picture", "pictures/../../x.png"), "leaves the dataset's folder"),
            (set_key(0, "picture", "/etc/hostname"), "leaves the dataset's folder"),
            (set_key(0, "score", float("1e308") * 10), "is infinite"),
            (set_key(1, "base", "0000000000000000"), "does not follow its base item"),
            (set_key(1, "picture", "pictures/00/x.png"), "another picture than its base item"),
            (lambda folder, rows: rows.append(rows[0]), "there twice"),
            (lambda folder, rows: (folder / rows[0]["picture"]).unlink(), "is missing"),
            (lambda folder, rows: (folder / "dataset.json").unlink(), "not finished"),
        ]
        for change, says in cases:
            done = TOOLS.run(self.broken(change), "imagefolder", self.folder / "out")
            self.assertEqual(done.returncode, 3, (says, done))
            self.assertIn(says, done.stderr)
            self.assertFalse((self.folder / "out").exists())
            self.assertFalse((self.folder / ".out.vislang-export").exists())

    def test_nothing_from_elsewhere_is_exported(self):
        """A dataset may be from anybody: what its pictures are links to is on the machine that exports it."""
        secret = self.folder / "secret"
        secret.mkdir()

        def to_link(folder, rows):
            path = folder / rows[0]["picture"]
            path.rename(secret / path.name)
            path.symlink_to(secret / path.name)

        def folder_to_link(folder, rows):
            (folder / "pictures").rename(secret / folder.name)
            (folder / "pictures").symlink_to(secret / folder.name)

        def to_text(folder, rows):
            path = folder / rows[0]["picture"]
            path.unlink()
            path.write_text("root:x:0:0:root:/root:/bin/sh\n")

        def to_another(folder, rows):
            path = folder / rows[0]["picture"]
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data + b"x")

        def to_pipe(folder, rows):
            path = folder / rows[0]["picture"]
            path.unlink()
            os.mkfifo(path)

        def named_otherwise(folder, rows):
            for row in rows:
                if row.get("picture") == rows[0]["picture"] and row is not rows[0]:
                    row["picture"] = "documents.jsonl"
            rows[0]["picture"] = "documents.jsonl"

        cases = [(to_link, "is a link, or behind one"), (folder_to_link, "is a link, or behind one"),
                 (to_text, "is no PNG, JPEG or WebP"), (to_pipe, "is no regular file"),
                 (to_another, "is not the picture of its name"), (named_otherwise, "is not named by the SHA-256")]
        for change, says in cases:
            place = self.broken(change)
            for layout in FORMATS:
                if change == to_another and layout != "webdataset":
                    continue  # a link of the file system reads nothing; `check` does
                done = TOOLS.run(place, layout, self.folder / "out")
                self.assertEqual(done.returncode, 3, (says, layout, done))
                self.assertIn(says, done.stderr)
                self.assertFalse((self.folder / "out").exists())
                self.assertFalse((self.folder / ".out.vislang-export").exists())

    def test_a_copy_is_held_to_its_name(self):
        memory = Path("/dev/shm")
        if not memory.is_dir() or memory.stat().st_dev == self.home.stat().st_dev or not os.access(memory, os.W_OK):
            self.skipTest("no second file system")

        def change(folder, rows):
            path = folder / rows[0]["picture"]
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data + b"x")
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            done = TOOLS.run(self.broken(change), "imagefolder", f"{folder}/out")
            self.assertEqual(done.returncode, 3, done)
            self.assertIn("is not the picture of its name", done.stderr)
            self.assertEqual(os.listdir(folder), [])

    # ---- the same, whole, or nothing ----

    def test_who_is_asked_to_stop_stops_in_order(self):
        """The folder of its work appears; whoever is asked to stop then clears it away, unless it was done before."""
        TOOLS.make(self.folder / "many", 3000)
        out, work = self.folder / "out", self.folder / ".out.vislang-export"
        stopped = 0
        for what in (signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen([TOOLS.vislang, "dataset", "export", self.folder / "many", "--format",
                                        "webdataset", "--out", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True)
            while process.poll() is None and not work.exists():
                pass
            process.send_signal(what)
            _, said = process.communicate(timeout=60)
            self.assertFalse(work.exists())
            if process.returncode:
                stopped += 1
                self.assertGreater(process.returncode, 0, "it died of the signal")
                self.assertIn("stopped", said)
                self.assertFalse(out.exists())
            else:
                shutil.rmtree(out)
        self.assertGreater(stopped, 0)

    def test_same_bytes(self):
        for layout in FORMATS:
            first, _ = self.export("whole", layout)
            second, _ = self.export("whole", layout)
            self.assertEqual(tree(first), tree(second))

    def test_into_an_empty_folder_and_other_file_systems(self):
        out = self.folder / "there" / "already"
        out.mkdir(parents=True)
        TOOLS.export(self.home / "whole", "imagefolder", f"{out}///")
        self.assertEqual(len(list(out.rglob("*.png"))), 4)
        memory = Path("/dev/shm")
        if memory.is_dir() and memory.stat().st_dev != self.home.stat().st_dev and os.access(memory, os.W_OK):
            with tempfile.TemporaryDirectory(dir=memory) as folder:  # no links from one to the other
                TOOLS.export(self.home / "whole", "imagefolder", f"{folder}/out")
                self.assertEqual(tree(Path(folder, "out")), tree(out))

    def test_kills(self):
        """Whenever it dies there is no export or the whole one; the next run makes it whole."""
        TOOLS.make(self.folder / "many", 1500)
        chance = random.Random("export")
        out, work = self.folder / "out", self.folder / ".out.vislang-export"
        for layout in ("imagefolder", "webdataset"):
            expected = self.folder / f"expected-{layout}"
            begun = time.monotonic()
            TOOLS.export(self.folder / "many", layout, expected)
            longest, killed = time.monotonic() - begun, 0
            for _ in range(6):
                process = subprocess.Popen([TOOLS.vislang, "dataset", "export", self.folder / "many", "--format", layout,
                                            "--out", out], stdout=subprocess.DEVNULL)
                try:
                    process.wait(timeout=chance.uniform(0, longest))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    killed += 1
                process.wait()
                if out.exists():
                    self.assertEqual(tree(out), tree(expected))
                    shutil.rmtree(out)
            TOOLS.export(self.folder / "many", layout, out)
            self.assertEqual(tree(out), tree(expected))
            self.assertFalse(work.exists())
            shutil.rmtree(out)
            print(f"{layout}: killed {killed} of 6")

    def test_full_disk(self):
        TOOLS.make(self.folder / "many", 500)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        for layout in FORMATS:
            done = TOOLS.run(self.folder / "many", layout, self.folder / "out", preexec_fn=small_files)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("File too large", done.stderr)
            self.assertEqual(os.listdir(self.folder), ["many"])

    def test_two_at_once(self):
        work = self.folder / ".out.vislang-export"
        work.mkdir()
        fd = os.open(work, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        done = TOOLS.run(self.home / "whole", "jsonl", self.folder / "out")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("another process is exporting", done.stderr)
        os.close(fd)
        TOOLS.export(self.home / "whole", "jsonl", self.folder / "out")

    @unittest.skipIf(os.environ.get("VISLANG_SANITIZED"), "memory of a sanitizer is not ours")
    def test_memory_does_not_grow(self):
        """Sixteen times the items; what grows is what was not freed, or gathered."""
        peaks = {}
        for count in (500, 8000):
            TOOLS.make(self.folder / str(count), count)
            for layout in FORMATS:
                process = subprocess.Popen([TOOLS.vislang, "dataset", "export", self.folder / str(count), "--format",
                                            layout, "--out", self.folder / f"{layout}-{count}"],
                                           stdout=subprocess.DEVNULL)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(process.returncode, 0)
                peaks[layout, count] = usage.ru_maxrss
                shutil.rmtree(self.folder / f"{layout}-{count}")
        for layout in FORMATS:
            self.assertLess(peaks[layout, 8000], peaks[layout, 500] + 8192, peaks)


if __name__ == "__main__":
    os.chdir(ROOT)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
