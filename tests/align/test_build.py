"""`vislang align build` as a person meets it: vectors and lists of words in, a space out.

usage: test_build.py VISLANG"""
import gzip
import json
import random
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VISLANG = sys.argv.pop(1)
# English and an invented language that puts "-oni" behind nouns and "ma" before verbs.
NOUNS = {"river": "gobi", "cloud": "zulota", "stone": "tepoka", "market": "kadumi", "window": "miwela", "candle": "folanu",
         "soldier": "nujiro", "garden": "xebata", "ladder": "pogulu", "pepper": "wiyoka", "finger": "lishano", "butter": "rumbate"}
VERBS = {"see": "tandika", "find": "gurusha", "carry": "vemboza", "want": "shupali", "break": "dhokira", "clean": "yafutwe"}


def run(*arguments):
    return subprocess.run([VISLANG, "align", *map(str, arguments)], capture_output=True, text=True)


def sentences(dice, nouns, verbs, inflect):
    for _ in range(3000):
        a, b = dice.sample(nouns, 2)
        yield f"{inflect(a, dice)} {dice.choice(verbs)} {inflect(b, dice)}\n"


def read_space(path):
    """The file as src/align/space.h writes it down: {language: {word: [(unit, weight), …]}}, card."""
    data = path.read_bytes()
    magic, version, languages, units, dim, card_bytes, name_bytes, _ = struct.unpack_from("<8s6I16s", data)
    assert (magic, version) == (b"VLSPACE\0", 1)
    at = 48
    card = json.loads(data[at:at + card_bytes])
    at += card_bytes + units * (4 + dim)
    names = data[at:at + name_bytes].decode().split("\0")[:-1]
    at += name_bytes + units
    space = {}
    for _ in range(languages):
        code, count, bytes_ = struct.unpack_from("<16s2I", data, at)
        at += 24
        words = data[at:at + bytes_].decode().split("\0")[:-1]
        at += bytes_
        assert len(words) == count and words == sorted(words, key=str.encode)
        codes = {}
        for word in words:
            *pairs, _ = struct.unpack_from("<4H5B", data, at)
            codes[word] = [(names[unit], weight) for unit, weight in zip(pairs[:4], pairs[4:]) if weight]
            at += 13
        space[code.rstrip(b"\0").decode()] = codes
    assert at == len(data)
    return space, card


class Build(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.home = Path(cls.folder.name)
        for name in ("vectors", "lexicons"):
            (cls.home / name).mkdir()
        dice = random.Random(1)
        texts = {"en": sentences(dice, list(NOUNS), list(VERBS), lambda noun, d: noun + d.choice(("", "s"))),
                 "so": sentences(dice, list(NOUNS.values()), list(VERBS.values()), lambda noun, d: noun + d.choice(("", "oni")))}
        for language, lines in texts.items():
            text = cls.home / f"{language}.txt"
            text.write_text("".join(lines), encoding="utf-8")
            made = run("embed", text, "--out", cls.home / "vectors" / f"{language}.bin", "--dim", 16, "--buckets", 2000, "--epochs", 3,
                       "--threads", 1)
            assert made.returncode == 0, made.stderr
        listed = list(NOUNS.items()) + list(VERBS.items())
        lines = "".join(f"{hub}\t{word}\t1\n" for hub, word in listed) + "small house\ttirondo\t0.5\n"
        (cls.home / "lexicons" / "so.tsv").write_text(lines, encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def build(self, out, *languages, vectors=None, lexicons=None, options=()):
        return run("build", *languages, "--vectors", vectors or self.home / "vectors", "--lexicons", lexicons or self.home / "lexicons",
                   "--out", out, "--quiet", *options)

    def test_a_space(self):
        out = self.home / "space.bin"
        made = self.build(out, "so")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        space, card = read_space(out)
        self.assertEqual(list(space), ["eng", "som"])
        for hub, word in NOUNS.items():
            listed = space["som"][word]
            self.assertEqual([weight for _, weight in listed], [255])
            self.assertEqual(listed, space["eng"][hub])
            self.assertEqual(space["eng"][hub], space["eng"][hub + "s"])  # one stem
            inflected = space["som"][word + "oni"]  # that no list has
            self.assertEqual(inflected[0][0], listed[0][0])
            self.assertLess(sum(weight for _, weight in inflected), 258)
        self.assertEqual(sorted(weight for _, weight in space["som"]["tirondo"]), [128, 128])  # of no text
        self.assertEqual(card["languages"]["so"]["listed_pairs"], len(NOUNS) + len(VERBS) + 1)
        again = self.home / "again.bin"
        self.build(again, "so")
        self.assertEqual(out.read_bytes(), again.read_bytes())
        packed = self.home / "packed"
        packed.mkdir()
        long = b"x" * 4095 + b"river\tgobi" + b" y" * 9000 + b"cloud\tgobi\n"  # no piece of it is a line of its own
        (packed / "so.tsv").write_bytes(gzip.compress(long + (self.home / "lexicons" / "so.tsv").read_bytes()))
        self.build(again, "so", lexicons=packed)
        self.assertEqual(out.read_bytes(), again.read_bytes())

    def test_few_words(self):
        out = self.home / "few.bin"
        self.assertEqual(self.build(out, "so", options=("--words", 5, "--hub-words", 6)).returncode, 0)
        space, _ = read_space(out)
        self.assertEqual((len(space["eng"]), len(space["som"])), (6, 5))

    def test_refused(self):
        (self.home / "empty").mkdir()
        damaged = self.home / "damaged"
        damaged.mkdir()
        (damaged / "so.tsv").write_bytes(gzip.compress(random.Random(2).randbytes(9000))[:4000])
        out = self.home / "none.bin"
        for languages, folders, says in (
                ((), {}, "what from?"),
                (("so",), {"vectors": self.home / "empty"}, "en.bin"),
                (("so",), {"lexicons": self.home / "empty"}, "so.tsv"),
                (("so",), {"lexicons": damaged}, "so.tsv"),
                (("sw",), {}, "sw.bin"),
                (("so", "som"), {}, "'som' is in the space once already"),
                (("so", "en"), {}, "'en' is in the space once already"),
                (("so",), {"options": ("--hub", "xx")}, "xx.bin"),
                (("en",), {"options": ("--hub", "so")}, "no Snowball stemmer for 'so'"),
                (("so",), {"options": ("--relatives", "so")}, "LANG=RELATIVE"),
                (("so",), {"options": ("--relatives", "so=om")}, "om.tsv"),
                (("so",), {"options": ("--words", "0")}, "words")):
            with self.subTest(says=says):
                made = self.build(out, *languages, **folders)
                self.assertNotEqual(made.returncode, 0)
                self.assertIn(says, made.stderr)
                self.assertFalse(out.exists())
        self.assertEqual([path.name for path in self.home.iterdir() if path.name.startswith("none")], [])
        made = self.build(self.home / "nowhere" / "space.bin", "so")
        self.assertNotEqual(made.returncode, 0)
        self.assertIn("nowhere", made.stderr)


unittest.main(argv=sys.argv[:1])
