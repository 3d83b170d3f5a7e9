"""`vislang dataset check` and `stats` of our own datasets and of what `dataset export` makes of them: nothing is
found but what is there, and they hold what the dataset says.

usage: test_check.py VISLANG WRITE_DATASET"""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from exports import FORMATS, Tools, items

TOOLS = Tools(*sys.argv[1:3])
# The datasets of write_dataset have one document in all of their splits; and hostile ones hostile texts.
THERE = {"whole": {"leak_document"}, "hostile": {"leak_document", "text_empty", "control_character"}, "unsplit": set()}


def run(what, *args):
    done = subprocess.run([TOOLS.vislang, "dataset", what, *map(str, args), "--json"], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Path(tempfile.mkdtemp(prefix="vislang-check-"))
        cls.addClassCleanup(shutil.rmtree, cls.home)
        for what in THERE:
            TOOLS.make(cls.home / what, what)
            for layout in FORMATS:
                TOOLS.export(cls.home / what, layout, cls.home / f"{what}-{layout}")

    def kinds(self, place):
        report = run("check", self.home / place)
        return {count["kind"] for count in report["counts"]}, report

    def test_nothing_is_found_in_exports_that_is_not_there(self):
        for what, there in THERE.items():
            for layout in ("", *(f"-{layout}" for layout in FORMATS)):
                with self.subTest(what + layout):
                    found, report = self.kinds(what + layout)
                    self.assertLessEqual(found, there, report["findings"])
                    self.assertGreater(report["rows"], 0)
                    self.assertEqual(report["layout"], layout[1:] or "dataset")

    def test_what_is_damaged_is_found(self):
        def cut(path):
            path.write_bytes(path.read_bytes()[:-30])

        damages = [("whole-imagefolder", "train/metadata.jsonl", "json"), ("whole-jsonl", "train.jsonl", "json"),
                   ("whole-coco", "captions_train.json", "json"), ("whole-llava", "llava_train.json", "json"),
                   ("whole-webdataset", "train/train-000000.tar", None), ("whole", "items-00000.jsonl", "line_cut")]
        for what, name, kind in damages:
            with self.subTest(what):
                place = self.home / f"{what}-damaged"
                shutil.copytree(self.home / what, place)
                cut(place / name)
                found, _ = self.kinds(place.name)
                if kind:
                    self.assertIn(kind, found)
                picture = next(path for path in sorted(place.rglob("*.png")) + [None])
                if picture:
                    picture.write_bytes(picture.read_bytes()[:200])
                    self.assertIn("picture_unreadable", self.kinds(place.name)[0])
                    picture.unlink()
                    self.assertIn("picture_missing", self.kinds(place.name)[0])

    def test_stats_are_those_of_the_items(self):
        groups = [(base, examples) for base, examples in items(self.home / "whole")]
        stats, exported = run("stats", self.home / "whole"), run("stats", self.home / "whole-jsonl")
        kept = [row for base, examples in groups for row in (base, *examples)]
        kinds = {}
        for row in kept:
            kinds[row["kind"]] = kinds.get(row["kind"], 0) + 1
        self.assertEqual(exported["rows"], len(kept))
        self.assertEqual(exported["kinds"], kinds)
        self.assertEqual({one["language"] for one in exported["languages"]}, {row["language"] for row in kept})
        self.assertEqual(stats["rows"], sum(stats["splits"].values()))
        self.assertEqual(stats["documents"], 1)
        self.assertEqual(sum(stats["quality"]["score"]["histogram"]), stats["base_items"])

    def test_what_is_not_finished_or_of_another_format_is_not_taken(self):
        future, begun, rubbish = (self.home / name for name in ("future", "begun", "rubbish"))
        for place in (future, rubbish):
            shutil.copytree(self.home / "whole", place)
        about = json.loads((future / "dataset.json").read_text())
        (future / "dataset.json").write_text(json.dumps({**about, "format": "vislang dataset 9"}))
        (rubbish / "reviews.db").write_text("rubbish" * 1000)
        (begun / ".vislang-build").mkdir(parents=True)
        (begun / ".vislang-build" / "plan.jsonl").write_text('{"record": "dir/a.html"}\n')
        cases = [(future, "format_unknown", "its format is 'vislang dataset 9'"),
                 (begun, "not_finished", "not finished"), (rubbish, "reviews_unreadable", "reviews.db")]
        for place, kind, says in cases:
            with self.subTest(kind):
                self.assertIn(kind, self.kinds(place.name)[0])
                for done in (TOOLS.run(place, "jsonl", self.home / "out"),
                             subprocess.run([TOOLS.vislang, "dataset", "stats", place], capture_output=True, text=True,
                                            timeout=120)):
                    self.assertNotEqual(done.returncode, 0, done)
                    self.assertIn(says, done.stderr)
                self.assertFalse((self.home / "out").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
