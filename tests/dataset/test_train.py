"""From a folder to a model that learns: documents in three languages are harvested, built into a dataset, exported, and trained
on for a few steps; the loss falls, and what it fell on can be followed back to the page."""

import hashlib
import html
import json
import os
import random
import re
import struct
import subprocess
import tarfile
import tempfile
import unittest
import zlib
from pathlib import Path

import documents

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
LANGUAGES = {"swa": "sw", "fra": "fr", "eng": "en"}
BUILD = """name: villages
seed: 5
collections: [collection]
picture_model: false
min_quality_score: 0
examples_per_item: 4
splits: {train: 8, validation: 1, test: 1}
"""
STEPS, LOGGED = 40, 5
TRAIN = """model: seer
seed: 3
tokenizer: models/seer-tokenizer.bpe
architecture: {picture: 32, widths: [16, 32, 64], blocks: [1, 1], kernel: 3, layers: 1, heads: 2, grid: 2,
  vocabulary: 8192, max_text: 32, text_layers: 1, mixed_layers: 1, text_heads: 2, vector: 16}
labels: {picture_kind: [figure, chart, map, photograph, table, page]}
sources:
  - {name: villages, path: train, batch: 8, picture: 32, captions: 1, questions: 1, derived: true,
     caption: 1, contrast: 1, ask: 1, labels: 1}
training: {steps: %d, warmup: 2, rate: 0.01, lanes: 1, micro_batch: 4, log_every: %d, checkpoint_minutes: 1000, max_broken: 0}
""" % (STEPS, LOGGED)


def pixels(png):
    """(width, height, rows of RGB bytes) of an 8-bit PNG that is not interlaced."""
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, interlaced) == (8, 0) and colour in (0, 2)
            step = 3 if colour == 2 else 1
        data += body if kind == b"IDAT" else b""
        at += length + 12
    raw, before, rows = zlib.decompress(data), bytes(width * step), []
    for y in range(height):
        kind, row = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
        for i in range(len(row)):
            left, up = row[i - step] if i >= step else 0, before[i]
            corner = before[i - step] if i >= step else 0
            p = left + up - corner
            near = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
            row[i] = (row[i] + (0, left, up, (left + up) // 2, near)[kind]) & 255
        before = bytes(row)
        rows.append(before if step == 3 else bytes(value for value in before for _ in range(3)))
    return width, height, rows


class Train(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(shared.cleanup)
        cls.home = Path(shared.name)
        place = cls.home / "place"
        place.mkdir()
        documents.write(place, pages=48, texts=12)
        rng = random.Random(8)
        for lang in LANGUAGES:
            (place / f"report-{lang}.pdf").write_bytes(documents.report(rng, lang))
        (cls.home / "build.yaml").write_text(BUILD)
        (cls.home / "train.yaml").write_text(TRAIN)
        cls.call("harvest", place, "--out", cls.home / "collection")
        cls.call("dataset", "build", "--recipe", cls.home / "build.yaml", "--out", cls.home / "dataset")
        cls.call("dataset", "export", cls.home / "dataset", "--format", "webdataset", "--out", cls.home / "export")
        cls.samples = {}
        for path in sorted((cls.home / "export").rglob("*.tar")):
            with tarfile.open(path) as tar:
                for member in tar:
                    key, ending = member.name.split(".")
                    sample = cls.samples.setdefault(key, {"split": path.parent.name})
                    sample[ending] = tar.extractfile(member).read()

    @classmethod
    def call(cls, *args, **options):
        done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=280, cwd=ROOT,
                              env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(cls.home)}, **options)
        assert done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def rows(self):
        return [(json.loads(sample["json"]), sample) for sample in self.samples.values()]

    def document(self, row):
        """The file in the collection that a row names, which is what it was when it was fetched."""
        path = self.home / "collection" / "objects" / row["document"][:2] / row["document"]
        content = path.read_bytes()
        self.assertEqual(hashlib.sha256(content).hexdigest(), row["document"])
        self.assertEqual(content, (self.home / "place" / Path(row["record"]).name).read_bytes())
        return path, content

    # ---- the loss

    def test_the_loss_falls(self):
        self.call("train", "--recipe", self.home / "train.yaml", "--data", self.home / "export", "--out", self.home / "run")
        log = [json.loads(line) for line in (self.home / "run" / "log.jsonl").read_text().splitlines()]
        self.assertEqual([line["step"] for line in log], list(range(LOGGED, STEPS + 1, LOGGED)))
        for task in ("caption", "labels"):
            self.assertLess(log[-1][task], 0.7 * log[0][task], (task, log))

    def test_what_is_learned_is_in_every_language(self):
        seen = {code: set() for code in LANGUAGES.values()}
        for row, sample in self.rows():
            if sample["split"] == "train":
                for code, captions in row["captions"].items():
                    seen[code].update(captions)
        for code, captions in seen.items():
            self.assertGreaterEqual(len(captions), 8, code)

    # ---- back to the page

    def test_web_pages(self):
        """A picture is one of the page, pixel by pixel, and its caption the bytes behind it."""
        followed = 0
        for row, sample in self.rows():
            if row["kind"] != "pair" or not row["record"].endswith(".html"):
                continue
            _, content = self.document(row)
            said = html.unescape(content.decode())
            begin = said.index("<figcaption>") + len("<figcaption>")
            self.assertEqual(said[begin:begin + len(row["text"])], row["text"])
            self.assertEqual(said.index("</figcaption>"), begin + len(row["text"]))
            self.assertEqual(row["text"], sample["txt"].decode())
            self.assertIn(row["text"], row["captions"][LANGUAGES[row["language"]]])
            shown = re.search(r'<img src="data:image/png;base64,([^"]+)"', said).group(1)
            self.assertEqual(pixels(sample["png"]), pixels(documents.base64.b64decode(shown)))
            followed += 1
        self.assertGreaterEqual(followed, 40)

    def test_pages_of_reports(self):
        """A passage's box holds its words on its page, as another program reads it; a picture's holds none."""
        passages = pictures = 0
        for row, _ in self.rows():
            if not row["record"].endswith(".pdf"):
                continue
            path, _ = self.document(row)
            left, top, width, height = row["box"]
            self.assertGreater(width * height, 0)
            words = subprocess.run(["pdftotext", "-r", str(row["dpi"]), "-f", str(row["page"]), "-l", str(row["page"]), "-x",
                                    str(left), "-y", str(top), "-W", str(width), "-H", str(height), path, "-"],
                                   check=True, capture_output=True, text=True).stdout.split()
            self.assertEqual(words, [] if row["kind"] == "pair" else row["text"].split(), row)
            pictures += row["kind"] == "pair"
            passages += row["kind"] == "text"
        self.assertGreaterEqual(passages, 9)
        self.assertGreaterEqual(pictures, 5)

    def test_parts(self):
        """Part numbers are those of `vislang dataset parts` on the file."""
        known = {}
        for row, _ in self.rows():
            path, _ = self.document(row)
            if path not in known:
                known[path] = json.loads(self.call("dataset", "parts", path, "--json"))["parts"]
            parts = known[path]
            if row["kind"] == "pair":
                self.assertEqual(parts[row["text_part"]]["text"], row["text"])
                self.assertEqual(parts[row["part"]]["kind"], row["picture_kind"])
            else:
                self.assertTrue(row["text"].startswith(parts[row["part"]]["text"]))

    def test_examples_are_of_the_same_page(self):
        """What a model is asked was made of words of the row's own document, or says that it was not."""
        asked = 0
        for row, _ in self.rows():
            _, content = self.document(row)
            for example in row["examples"][:row["example_count"]]:
                self.assertTrue(example["instruction"] and example["text"])
                if example["origin"] == "document" and row["record"].endswith(".txt"):
                    for line in example["text"].split("\n"):
                        self.assertIn(line, content.decode())
                asked += 1
        self.assertGreater(asked, 100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
