"""`vislang dataset check` against `datasets`: what is found to be good is loaded, with every row; what
`datasets` refuses has an error.

usage: test_check.py VISLANG; the packages come from .venv or the environment that VISLANG_PEERS names
(scripts/deps.sh --peers). Exit status 77: skipped."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts")]
import peers  # noqa: E402

HOME = os.environ.setdefault("VISLANG_CHECK_HOME", tempfile.mkdtemp(prefix="vislang-check-peers-"))
os.environ.update(HF_HOME=f"{HOME}/hf", HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")
try:
    import datasets
    from PIL import Image
except ImportError:
    shutil.rmtree(HOME)
    os.environ.pop("VISLANG_CHECK_HOME")
    peers.become("datasets", "PIL")

VISLANG = sys.argv[1]
A, B = '{"file_name":"a.png","text":"a"}\n', '{"file_name":"b.png","text":"b"}\n'
PICTURES = {"train/a.png": 1, "test/b.png": 2}


def rows(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


def folder(train, test, **more):
    return {**PICTURES, "train/metadata.jsonl": train, "test/metadata.jsonl": test, **more}


# name: (builder, files, rows that there are; None: broken)
CASES = {
    "good pictures": ("imagefolder", folder(A, B), 2),
    "train has a column more": ("imagefolder", folder('{"file_name":"a.png","text":"a","n":1}\n', B), None),
    "test has a column more": ("imagefolder", folder(A, '{"file_name":"b.png","text":"b","n":1}\n'), None),
    "a row without its picture's name": ("imagefolder", folder(A + '{"text":"a"}\n', B), None),
    "a picture that is not there": ("imagefolder", folder(A + '{"file_name":"c.png","text":"c"}\n', B), None),
    "a picture without a row": ("imagefolder", folder(A, B, **{"train/c.png": 3}), None),
    "no metadata": ("imagefolder", {"train/x/a.png": 1, "train/y/b.png": 2}, 2),
    "good lines": ("json", {"train.jsonl": rows({"a": "x"}, {"a": "y"}), "test.jsonl": rows({"a": "z"})}, 3),
    "lists and objects": ("json", {"train.jsonl": rows({"a": [{"b": 1}], "c": {"d": None}},
                                                       {"a": [], "c": {"d": "e"}})}, 2),
    "a key that some rows lack": ("json", {"train.jsonl": rows({"a": "x"}, {"a": "x", "b": 1})}, 2),
    "train lacks a column": ("json", {"train.jsonl": rows({"a": "x"}), "test.jsonl": rows({"a": "y", "b": 1})}, None),
    "test lacks a column": ("json", {"train.jsonl": rows({"a": "x", "b": 1}), "test.jsonl": rows({"a": "y"})}, None),
    "shards with other columns": ("json", {"train-0.jsonl": rows({"a": "x"}),
                                           "train-1.jsonl": rows({"a": "y", "b": 1})}, None),
    "objects with other keys": ("json", {"train.jsonl": rows({"a": {"x": 1}}),
                                         "test.jsonl": rows({"a": {"y": 1}})}, None),
    "string, then number": ("json", {"train.jsonl": rows({"a": "x"}, {"a": 1})}, None),
    "number, then object": ("json", {"train.jsonl": rows({"a": 1}, {"a": {}})}, None),
    "list, then string": ("json", {"train.jsonl": rows({"a": ["x"]}, {"a": "x"})}, None),
    "elements of two types": ("json", {"train.jsonl": rows({"a": ["x"]}, {"a": [1]})}, None),
    "nulls, then strings": ("json", {"train.jsonl": rows({"a": None}), "test.jsonl": rows({"a": "x"})}, None),
    "strings, then nulls": ("json", {"train.jsonl": rows({"a": "x"}), "test.jsonl": rows({"a": None})}, 2),
    "empty lists, then others": ("json", {"train.jsonl": rows({"a": []}), "test.jsonl": rows({"a": ["x"]})}, None),
    "lists, then empty ones": ("json", {"train.jsonl": rows({"a": ["x"]}), "test.jsonl": rows({"a": []})}, 2),
    "times, then words": ("json", {"train.jsonl": rows({"a": "2025-01-31"}), "test.jsonl": rows({"a": "x"})}, None),
    "words, then times": ("json", {"train.jsonl": rows({"a": "x"}), "test.jsonl": rows({"a": "2025-01-31"})}, 2),
    "times and words": ("json", {"train.jsonl": rows({"a": "2025-01-31"}, {"a": "x"})}, 2),
    "nulls after 10 MB": ("json", {"train.jsonl": rows(*({"a": "x" * 1000, "b": "y"} for _ in range(11000)),
                                                       {"a": "x", "b": None})}, 11001),
    "strings after 10 MB of nulls": ("json", {"train.jsonl": rows(*({"a": "x" * 1000, "b": None} for _ in range(11000)),
                                                                  {"a": "x", "b": "y"})}, None),
    "a column after 10 MB": ("json", {"train.jsonl": rows(*({"a": "x" * 1000} for _ in range(11000)),
                                                          {"a": "x", "b": "y"})}, None),
    "metadata with nulls": ("imagefolder", folder(A, '{"file_name":"b.png","text":null}\n'), None),
    "metadata with times": ("imagefolder", folder(A, '{"file_name":"b.png","text":"2025-01-31"}\n'), None),
    "key twice": ("json", {"train.jsonl": '{"a":"x","a":"y"}\n'}, None),
    "cut off": ("json", {"train.jsonl": '{"a":"x"}\n{"a":"y'}, None),
    "no JSON": ("json", {"train.jsonl": '{"a":"x"}\nbroken\n'}, None),
    "no object": ("json", {"train.jsonl": '{"a":"x"}\n[1]\n'}, None),
    "leading zero": ("json", {"train.jsonl": '{"a":"x","b":01}\n'}, None),
    "half a surrogate": ("json", {"train.jsonl": '{"a":"\\ud800"}\n'}, None),
}


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        datasets.disable_progress_bars()
        cls.addClassCleanup(shutil.rmtree, HOME)

    def write(self, files):
        place = Path(tempfile.mkdtemp(dir=HOME))
        for name, content in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, int):
                picture = Image.new("RGB", (64, 48))
                picture.putdata([(x * content % 251, x // 64, content) for x in range(64 * 48)])
                picture.save(place / name)
            else:
                (place / name).write_text(content, encoding="utf-8")
        return place

    def load(self, builder, place):
        """How many rows; None: refused."""
        try:
            loaded = datasets.load_dataset(builder, data_dir=str(place), cache_dir=tempfile.mkdtemp(dir=HOME))
            return sum(len(list(split)) for split in loaded.values())
        except Exception:  # whatever it is: who wants to train has nothing
            return None

    def test_good_is_loaded_and_refused_is_found(self):
        refused = 0
        for name, (builder, files, count) in CASES.items():
            with self.subTest(name):
                place = self.write(files)
                done = subprocess.run([VISLANG, "dataset", "check", place, "--json"], capture_output=True, text=True)
                report, loaded = json.loads(done.stdout), self.load(builder, place)
                refused += loaded is None
                self.assertEqual(done.returncode, 3 if report["errors"] else 0)
                self.assertEqual(report["errors"] > 0, count is None, report["findings"])
                if count is None:
                    continue
                self.assertEqual(loaded, count)
                self.assertEqual(report["rows"], count)
        self.assertGreater(refused, 12)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
