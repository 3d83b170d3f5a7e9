"""`vislang search` as a person meets it: hits, what is looked at again, wrong usage, broken
pictures, a kill in the middle of indexing.

usage: test_search.py PROGRAM MAKE_TINY_SEER [unittest options]

The model has random weights: what it finds for a text means nothing, and a picture is still
nearest to itself."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"


def png(red, green, blue, side=48):
    """Stripes of a colour, so that no two pictures are alike."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    row = b"\0" + b"".join(bytes((red, green, blue) if x % 7 < 4 else (blue, x * 5 % 256, green))
                           for x in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b""))


class Search(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.pictures = self.folder / "pictures"
        (self.pictures / "deep").mkdir(parents=True)
        for number, name in enumerate(("a.png", "b.png", "deep/c.png", "deep/d.png")):
            (self.pictures / name).write_bytes(png(60 * number, 255 - 70 * number, 30 * number))

    def search(self, *args, model=None, code=0):
        result = subprocess.run([PROGRAM, "search", *map(str, args), "--model", model or MODEL],
                                capture_output=True, timeout=120)
        self.assertEqual(result.returncode, code, (args, result.stderr))
        result.said = result.stderr.decode()
        return result

    def found(self, *args, **options):
        return json.loads(self.search(*args, "--json", **options).stdout)

    def test_text(self):
        reply = self.found(self.pictures, "two dogs", "--top", "3")
        self.assertEqual([hit["rank"] for hit in reply["hits"]], [1, 2, 3])
        scores = [hit["score"] for hit in reply["hits"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertTrue(all(-1.001 <= score <= 1.001 for score in scores))
        for hit in reply["hits"]:
            self.assertEqual(hit["file"], f"{self.pictures}/{hit['name']}")
            self.assertTrue(Path(hit["file"]).exists())
        self.assertEqual(reply["index"]["looked_at"], 4)
        self.assertEqual(reply["text"], "two dogs")
        lines = self.search(self.pictures, "two dogs").stdout.decode().splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual([line.split()[2] for line in lines[:3]],
                         [hit["file"] for hit in reply["hits"]])

    def test_a_picture_is_nearest_to_itself(self):
        for name in ("a.png", "deep/d.png"):
            reply = self.found(self.pictures, "--like", self.pictures / name)
            self.assertEqual(reply["hits"][0]["name"], name)
            self.assertAlmostEqual(reply["hits"][0]["score"], 1, places=4)
        self.assertEqual(self.found(self.pictures, "--like", SAMPLES / "letter-fra-scan.pdf",
                                    "--top", "1")["index"]["kept"], 4)

    def test_only_what_changed_is_looked_at(self):
        self.search(self.pictures, "x")
        counts = lambda reply: tuple(reply["index"][key] for key in
                                     ("looked_at", "known", "kept", "removed"))
        result = self.search(self.pictures, "x")
        self.assertEqual(result.said, "")
        (self.pictures / "a.png").write_bytes(png(9, 9, 200))
        (self.pictures / "b.png").unlink()
        (self.pictures / "new.png").write_bytes(png(200, 9, 9))
        (self.pictures / "deep/c.png").rename(self.pictures / "moved.png")
        self.assertEqual(counts(self.found(self.pictures, "x")), (2, 1, 1, 2))
        self.assertEqual(counts(self.found(self.pictures, "x")), (0, 0, 4, 0))
        self.assertEqual(counts(self.found(self.pictures, "x", "--rebuild")), (4, 0, 0, 0))

    def test_another_model_makes_the_index_again_and_says_so(self):
        self.search(self.pictures, "x")
        result = self.search(self.pictures, "x", model=OTHER)
        self.assertIn("another model (seer tiny-1 q8_0", result.said)
        self.assertIn("4 looked at", result.said)

    def test_index_elsewhere(self):
        index = self.folder / "kept.idx"
        self.search(self.pictures, "x", "--index", index)
        self.assertTrue(index.exists())
        self.assertFalse((self.pictures / ".vislang-index").exists())
        self.assertEqual(self.found(self.pictures, "x", "--index", index)["index"]["kept"], 4)

    def test_broken_pictures_are_named_and_counted(self):
        whole = (SAMPLES / "form-eng.jpg").read_bytes()
        (self.pictures / "cut.jpg").write_bytes(whole[:3000])
        (self.pictures / "tail\x07.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        (self.pictures / os.fsdecode(b"latin\xe9.png")).write_bytes(png(1, 2, 3))
        (self.pictures / ".hidden.png").write_bytes(png(1, 2, 3))
        (self.pictures / "notes.txt").write_text("no picture")
        (self.pictures / "deep/loop").symlink_to("..")
        result = self.search(self.pictures, "x", "--json")
        reply = json.loads(result.stdout.decode())
        self.assertEqual(sorted(Path(one["file"]).name for one in reply["index"]["broken"]),
                         ["cut.jpg", "tail?.png"])
        self.assertIn("cut.jpg: ", result.said)
        self.assertEqual((reply["index"]["pictures"], reply["index"]["left_out"]), (5, 1))
        self.assertIn("latin\ufffd.png", [hit["name"] for hit in reply["hits"]])

    def test_wrong_usage_and_bad_input(self):
        empty = self.folder / "empty"
        empty.mkdir()
        lying = self.folder / "lying.idx"
        self.search(self.pictures, "x", "--index", lying)
        data = bytearray(lying.read_bytes())
        data[300] ^= 1
        lying.write_bytes(data)
        cases = [
            ([], 2, "which folder"),
            ([self.pictures], 2, "--like PICTURE"),
            ([self.pictures, "a", "b"], 2, "in quotes"),
            ([self.pictures, "a", "--like", "b"], 2, "one of them"),
            ([self.pictures, "--like", "b", "--language", "fr"], 2, "--language"),
            ([self.pictures, " "], 2, "empty text"),
            ([self.pictures, b"\xff".decode("latin-1").encode("latin-1")], 3, "UTF-8"),
            ([self.pictures, "a", "--top", "0"], 2, "from 1 to"),
            ([self.pictures, "a", "--jobs", "x"], 2, "whole number"),
            ([self.pictures, "a", "--language", "klingon"], 2, "klingon"),
            ([self.pictures / "a.png", "a"], 3, "no folder"),
            ([self.folder / "none", "a"], 3, "No such file"),
            ([empty, "a"], 3, "no picture in"),
            ([self.pictures, "--like", self.folder / "none.png"], 3, "none.png"),
            ([self.pictures, "a", "--index", self.pictures / "a.png"], 3, "no index"),
            ([self.pictures, "a", "--index", lying], 3, "--rebuild"),
            ([self.pictures, "a", "--index", self.folder / "none/x.idx"], 1, "--index"),
        ]
        for argv, code, words in cases:
            argv = [os.fsdecode(arg) if isinstance(arg, bytes) else arg for arg in argv]
            self.assertIn(words, self.search(*argv, code=code).said, argv)
        self.search(self.pictures, "a", "--index", lying, "--rebuild")
        self.assertTrue((self.pictures / "a.png").read_bytes().startswith(b"\x89PNG"))
        result = self.search(self.pictures, "a", model="/none.gguf", code=4)
        self.assertIn("model", result.said)

    def test_killed_and_stopped_while_indexing(self):
        many = self.folder / "many"
        many.mkdir()
        for number in range(150):
            (many / f"{number:03}.png").write_bytes(png(number, 255 - number, 7 * number % 256, 400))
        command = [PROGRAM, "search", many, "x", "--model", MODEL, "--jobs", "1"]
        for kill in (signal.SIGKILL, signal.SIGTERM):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(0.15)
            process.send_signal(kill)
            process.communicate(timeout=60)
        reply = self.found(many, "x")
        self.assertEqual(reply["index"]["looked_at"] + reply["index"]["kept"], 150)
        self.assertEqual(reply["index"]["pictures"], 150)


if __name__ == "__main__":
    PROGRAM, MAKE = (os.path.abspath(path) for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as models:
        MODEL, OTHER = f"{models}/tiny.gguf", f"{models}/other.gguf"
        subprocess.run([MAKE, MODEL], check=True)
        shutil.copy(MODEL, OTHER)
        data = bytearray(Path(OTHER).read_bytes())
        data[-40000] ^= 0x10  # one weight, somewhere
        Path(OTHER).write_bytes(data)
        unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
