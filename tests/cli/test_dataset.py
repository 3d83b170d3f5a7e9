"""`vislang dataset check` and `dataset stats` as a person meets them: exit codes, what is printed, and the
report that a browser shows."""

import gzip
import html.parser
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
PICTURE = ROOT / "tests" / "pages" / "hebrew.png"
SWAHILI = "Watu waliohamishwa na mafuriko katika kaunti ya Tana River wanahitaji maji safi na dawa"


def dataset(*args):
    return subprocess.run([PROGRAM, "dataset", *map(str, args)], capture_output=True, text=True, timeout=120)


class Folder(unittest.TestCase):
    def setUp(self):
        self.home = Path(tempfile.mkdtemp(prefix="vislang-cli-dataset-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.folder = self.home / "data"
        self.folder.mkdir()

    def put(self, name, *rows):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")

    def picture(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PICTURE, path)


class Check(Folder):
    def test_what_is_good_is_0(self):
        self.picture("train/a.png")
        self.put("train/metadata.jsonl", {"file_name": "a.png", "text": SWAHILI, "language": "swa"})
        done = dataset("check", self.folder)
        self.assertEqual((done.returncode, done.stdout),
                         (0, "layout imagefolder: 1 rows, 1 pictures: nothing is wrong\n"))

    def test_warnings_alone_are_0(self):
        self.put("a.jsonl", {"text": ""})
        done = dataset("check", self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning text_empty: 1", done.stdout)
        self.assertIn("a.jsonl:1:", done.stdout)

    def test_errors_are_3_and_listed_to_the_limit(self):
        self.put("a.jsonl", *({"id": 1, "text": "a"} for _ in range(30)))
        done = dataset("check", self.folder, "--limit", 2)
        self.assertEqual(done.returncode, 3)
        self.assertIn("error id_twice: 29", done.stdout)
        self.assertEqual(done.stdout.count("a.jsonl:"), 4)  # two findings, each with the first one's place
        self.assertIn("… and 27 more", done.stdout)

    def test_json(self):
        self.put("a.jsonl", {"text": 1}, {"text": "a"})
        done = dataset("check", self.folder, "--json")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 3)
        self.assertEqual((report["layout"], report["rows"], report["errors"]), ("jsonl", 2, 1))
        self.assertEqual(report["counts"][0]["kind"], "schema_drift")
        self.assertEqual(report["findings"][0]["place"], "a.jsonl:2")
        self.assertEqual(report["findings"][0]["severity"], "error")

    def test_one_file(self):
        self.put("a.jsonl", {"text": "a"})
        self.put("b.jsonl", {"text": 1})
        self.assertEqual(dataset("check", self.folder / "a.jsonl").returncode, 0)
        self.assertEqual(dataset("check", self.folder).returncode, 3)

    def test_wrong_usage(self):
        cases = [(["check"], 2, "which dataset?"), (["check", self.folder], 3, "looks like a dataset"),
                 (["check", self.folder / "none"], 3, "there is no such file"),
                 (["check", self.folder, "--layout", "image"], 2, "no layout 'image'"),
                 (["check", self.folder, "--layout", "cocos"], 2, "did you mean 'coco'"),
                 (["check", self.folder, "--limit", "-1"], 2, "from 0 to"),
                 (["check", self.folder, "--html", "a"], 2, "belongs to 'vislang dataset stats'"),
                 (["stats"], 2, "which dataset?")]
        for args, code, says in cases:
            done = dataset(*args)
            self.assertEqual(done.returncode, code, args)
            self.assertIn(says, done.stderr)

    def test_cut_archives(self):
        for ending, packed in (("tar", False), ("tar.gz", True)):
            path = self.folder / f"s.{ending}"
            with tarfile.open(path, "w:gz" if packed else "w") as tar:
                tar.add(PICTURE, "a.png")
            self.assertEqual(dataset("check", path).returncode, 0, ending)
            path.write_bytes(path.read_bytes()[:900])
            done = dataset("check", path)
            self.assertEqual(done.returncode, 3)
            self.assertIn("archive_broken", done.stdout)
        whole = gzip.compress(b'{"text":"a"}\n' * 1000)
        (self.folder / "l.jsonl.gz").write_bytes(whole[:-20])
        self.assertIn("it is cut off", dataset("check", self.folder / "l.jsonl.gz").stdout)

    def test_a_bomb_ends_soon(self):
        """300 MB of spaces in 300 KB: one finding, and what comes after is not read."""
        with gzip.open(self.folder / "a.jsonl.gz", "wb", compresslevel=6) as file:
            for _ in range(300):
                file.write(b" " * (1 << 20))
        report = json.loads(dataset("check", self.folder, "--json").stdout)
        self.assertIn("archive_bomb", {one["kind"] for one in report["counts"]})

    def rows(self, count):
        """So many rows, half of them with the id of another; what is found, and the megabytes it took."""
        with open(self.folder / "a.jsonl", "w", encoding="utf-8") as file:
            for i in range(count):
                file.write('{"id":%d,"text":"","language":"swa"}\n' % (i // 2))
        with open(self.home / "out", "w+", encoding="utf-8") as out:
            child = subprocess.Popen([PROGRAM, "dataset", "check", self.folder, "--json"], stdout=out)
            _, code, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(code)
            out.seek(0)
            report = json.load(out)
        return {one["kind"]: one["count"] for one in report["counts"]}, usage.ru_maxrss / 1024

    def test_memory_is_that_of_few_rows(self):
        few, first = self.rows(20000)
        many, last = self.rows(200000)
        self.assertEqual(few, {"id_twice": 10000, "text_empty": 20000})
        self.assertEqual(many, {"id_twice": 100000, "text_empty": 200000})
        if os.environ.get("VISLANG_SANITIZED") != "1":
            self.assertLess(last - first, 24)


class Page(html.parser.HTMLParser):
    """What a browser would make of a report: the elements that are open, links and charts."""
    VOID = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.seen = [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes another element")


class Stats(Folder):
    def setUp(self):
        super().setUp()
        self.picture("train/a b.png")
        self.put("train/metadata.jsonl",
                 {"file_name": "a b.png", "text": SWAHILI, "language": "sw", "publisher": "<i>UNHCR</i>", "width": 64},
                 {"file_name": "a b.png", "text": "مياه نظيفة", "language": "ar", "publisher": "مفوضية", "width": 64})

    def test_text_fits_a_terminal(self):
        done = dataset("stats", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("layout imagefolder: 2 rows, 0 documents, 1 pictures", done.stdout)
        self.assertRegex(done.stdout, r"swa Swahili +1 +1 +14\.0")
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)

    def test_json(self):
        report = json.loads(dataset("stats", self.folder, "--json").stdout)
        self.assertEqual(report["scripts"], {"Latn": 1, "Arab": 1})
        self.assertEqual([one["language"] for one in report["languages"]], ["ara", "swa"])
        self.assertEqual(report["languages"][1]["vocabulary"]["types"], 13)

    def test_report_is_a_page_of_its_own(self):
        for place, link in ((self.folder / "r.html", "./train/a%20b.png"),
                            (self.home / "r.html", "data/train/a%20b.png")):
            done = dataset("stats", self.folder, "--html", place)
            self.assertEqual(done.returncode, 0, done.stderr)
            page = Page(place.read_text(encoding="utf-8"))
            self.assertEqual(page.open, [])
            self.assertEqual(set(page.links), {link})
            self.assertTrue((place.parent / link.replace("%20", " ")).exists())
            self.assertGreater(page.seen["svg"], 5)
            self.assertGreaterEqual(page.seen["table"], 5)
            self.assertNotIn("script", page.seen)
            self.assertNotIn("i", page.seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
