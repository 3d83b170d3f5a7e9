"""`vislang align embed` as a person meets it: files, exit codes, the same bytes, a kill.

usage: test_embed.py VISLANG"""
import gzip
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

VISLANG = sys.argv[1]
TOPICS = ("water well river pump rain bucket".split(), "ትምህርት መምህር ተማሪ መጽሐፍ ፈተና ክፍል".split())


def run(*arguments, **options):
    return subprocess.run([VISLANG, "align", "embed", *map(str, arguments)], capture_output=True, text=True, **options)


class Embed(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        dice = random.Random(1)
        self.lines = "".join(" ".join(dice.choices(TOPICS[i % 2], k=7)) + ".\n" for i in range(1500))
        self.text = self.home / "text.txt"
        self.text.write_text(self.lines, encoding="utf-8")
        self.small = ("--dim", 10, "--buckets", 1000, "--epochs", 2, "--threads", 1)

    def test_vec(self):
        out = self.home / "v.vec"
        made = run(self.text, "--out", out, *self.small, "--json")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        report = json.loads(made.stdout)
        self.assertEqual([report[key] for key in ("vocabulary", "dimensions", "words", "kept", "lines", "damaged")],
                         [12, 10, 10500, 10500, 1500, 0])
        lines = out.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines[0], "12 10")
        self.assertEqual({line.split(" ")[0] for line in lines[1:]}, {word for topic in TOPICS for word in topic})
        self.assertEqual({len(line.split(" ")) for line in lines[1:]}, {11})
        again = self.home / "again.vec"
        run(self.text, "--out", again, *self.small)
        self.assertEqual(out.read_bytes(), again.read_bytes())
        run(self.text, "--out", again, *self.small, "--seed", 2)
        self.assertNotEqual(out.read_bytes(), again.read_bytes())

    def test_gzip_several_and_standard_input(self):
        half = len(self.lines.splitlines()) // 2
        parts = ["".join(part) for part in (self.lines.splitlines(True)[:half], self.lines.splitlines(True)[half:])]
        packed, plain, outs = self.home / "a", self.home / "b.txt", [self.home / f"{i}.vec" for i in range(3)]
        packed.write_bytes(gzip.compress(parts[0].encode()))
        plain.write_text(parts[1], encoding="utf-8")
        run(self.text, "--out", outs[0], *self.small)
        self.assertEqual(run(packed, plain, "--out", outs[1], *self.small).returncode, 0)
        self.assertEqual(run("-", "--out", outs[2], *self.small, input=self.lines).returncode, 0)
        self.assertEqual(outs[0].read_bytes(), outs[1].read_bytes())
        self.assertEqual(outs[0].read_bytes(), outs[2].read_bytes())

    def test_bin(self):
        out = self.home / "v.bin"
        self.assertEqual(run(self.text, "--out", out, *self.small, "--tokens", "spaces").returncode, 0)
        head = struct.unpack("<14i", out.read_bytes()[:56])
        self.assertEqual(head[:3], (793712314, 12, 10))
        self.assertEqual(head[-4:-1], (1000, 3, 6))

    def test_refused(self):
        (self.home / "empty").write_text("")
        (self.home / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        (self.home / "cut.gz").write_bytes(gzip.compress(os.urandom(5000))[:3000])
        out = self.home / "v.vec"
        for code, arguments, says in (
                (2, (), "which text?"),
                (2, (self.text,), "--out is needed"),
                (2, (self.text, "--out", self.home / "v.txt"), "--out is needed"),
                (2, (self.text, "--out", out, "--dim", "0"), "dimensions"),
                (2, (self.text, "--out", out, "--dim", "x"), "--dim is 'x'"),
                (2, (self.text, "--out", out, "--lr", "fast"), "--lr is 'fast'"),
                (2, (self.text, "--out", out, "--tokens", "letters"), "--tokens is words or spaces"),
                (2, (self.text, "--out", out, "--minn", "5", "--maxn", "3"), "n-grams"),
                (3, (self.home / "none", "--out", out), "none"),
                (3, (self.home, "--out", out), "Is a directory"),
                (3, (self.home / "empty", "--out", out), "no words"),
                (3, (self.home / "picture", "--out", out), "NUL bytes"),
                (3, (self.home / "cut.gz", "--out", out), ""),
                (3, (self.text, "--out", out, "--min-count", "100000"), "--min-count"),
                (1, (self.text, "--out", "/nonexistent/v.vec", *self.small), "cannot write"),
        ):
            with self.subTest(arguments=arguments):
                made = run(*arguments)
                self.assertEqual(made.returncode, code, made.stderr)
                self.assertIn(says, made.stderr)
                self.assertFalse(out.exists())

    def test_nowhere_to_keep_words(self):
        made = run(self.text, "--out", self.home / "v.vec", *self.small, env={**os.environ, "TMPDIR": "/nonexistent"})
        self.assertEqual(made.returncode, 1)
        self.assertIn("TMPDIR", made.stderr)

    def test_damaged_text(self):
        self.text.write_bytes(self.lines.encode() + b"caf\xe9 water \xff\xfe\n" * 3 + b"x" * 2000000)
        for tokens in ("words", "spaces"):
            made = run(self.text, "--out", self.home / "v.vec", *self.small, "--json", "--tokens", tokens)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertGreaterEqual(json.loads(made.stdout)["damaged"], 6)
            self.assertIn("no UTF-8", made.stderr)

    def test_stopped_and_killed(self):
        """What was at --out before is there after, whole, and nothing beside it."""
        out, temporary = self.home / "v.vec", self.home / "tmp"
        temporary.mkdir()
        run(self.text, "--out", out, *self.small)
        before = out.read_bytes()
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            child = subprocess.Popen([VISLANG, "align", "embed", self.text, "--out", out, "--epochs", "1000",
                                      "--sample", "0"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                     env={**os.environ, "TMPDIR": str(temporary)})
            time.sleep(0.5)
            child.send_signal(how)
            _, said = child.communicate()
            self.assertEqual(child.returncode, -how if how == signal.SIGKILL else 1, said)
            self.assertEqual(out.read_bytes(), before)
            self.assertEqual(sorted(path.name for path in self.home.iterdir()), ["text.txt", "tmp", "v.vec"])
            self.assertEqual(list(temporary.iterdir()), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
