"""`vislang align map` and `align lexicon` as a person meets them, on spaces that are turned by a known
rotation: files, figures, exit codes, what is refused.

usage: test_map.py VISLANG"""
import gzip
import json
import math
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VISLANG = sys.argv[1]
WORDS, DIM = 300, 12


def run(*arguments):
    return subprocess.run([VISLANG, "align", *map(str, arguments)], capture_output=True, text=True)


def gauss(seed, count, dim=DIM):
    dice = random.Random(seed)
    return [[dice.gauss(0, 1) for _ in range(dim)] for _ in range(count)]


def rotation(seed):
    """Gram and Schmidt."""
    rows = []
    for row in gauss(seed, DIM):
        for other in rows:
            dot = sum(a * b for a, b in zip(row, other))
            row = [a - dot * b for a, b in zip(row, other)]
        length = math.hypot(*row)
        rows.append([a / length for a in row])
    return rows


MEANING = gauss(1, WORDS)


def spell(i, language):
    """A third are names, which every language writes alike."""
    stem = "".join(("ba", "do", "ke", "mi", "ru", "so", "ta")[i // 7**k % 7] for k in range(4))
    return "p" + stem if i % 3 == 0 else f"{language}{stem}{language}"


def write_space(path, language, seed, noise=0.1, meaning=MEANING):
    dice, turn = random.Random(seed), rotation(seed)
    with open(path, "w", encoding="utf-8") as out:
        print(len(meaning), DIM, file=out)
        for i, row in enumerate(meaning):
            row = [a + noise * dice.gauss(0, 1) for a in row]
            row = [sum(a * b for a, b in zip(row, column)) for column in zip(*turn)]
            print(spell(i, language), *("%.5f" % x for x in row), file=out)


def read_space(path):
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return {line.split(" ")[0]: [float(x) for x in line.split(" ")[1:]] for line in lines}


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))


class Maps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = Path(cls.folder.name)
        for seed, language in enumerate("xyz", 2):
            write_space(cls.at / f"{language}.vec", language, seed)
        write_space(cls.at / "n.vec", "n", 9, meaning=gauss(77, WORDS))
        (cls.at / "wide.vec").write_text("2 3\npbadoke 1 2 3\npkekeke 3 2 1\n")
        (cls.at / "dictionaries").mkdir()
        for pair in ("x-y", "y-z"):
            table = "".join(f"{spell(i, pair[0])}\t{spell(i, pair[2])}\n" for i in range(150))
            (cls.at / "dictionaries" / f"{pair}.tsv.gz").write_bytes(gzip.compress(table.encode()))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def assert_close(self, folder, a, b):
        """Every word of the one is near its counterpart in the other."""
        one, other = read_space(folder / f"{a}.vec"), read_space(folder / f"{b}.vec")
        self.assertEqual((len(one), len(other)), (WORDS, WORDS))
        near = [cosine(one[spell(i, a)], other[spell(i, b)]) for i in range(WORDS)]
        self.assertGreater(sum(near) / WORDS, 0.9)

    def test_pair(self):
        for number, seeds in enumerate(([], ["--seeds", "identical"], ["--seeds", "cognates"],
                                        ["--seeds", self.at / "dictionaries" / "x-y.tsv.gz", "--rcsls"],
                                        ["--keep-target", "--no-refine"])):
            out = self.at / f"pair{number}"
            made = run("map", self.at / "x.vec", self.at / "y.vec", "--out", out, "--json", *seeds)
            self.assertEqual((made.returncode, made.stderr), (0, ""), seeds)
            report = json.loads(made.stdout)
            self.assertTrue(report["better_than_chance"])
            self.assertGreaterEqual(report["seeds"], 60)
            best = next(rung for rung in report["rungs"] if rung["rung"] == report["rung"])
            self.assertGreater(best["held_out_at10"] if best["held_out"] else 1, 0.9)
            self.assertGreater(best["criterion"], 0)
            self.assert_close(out, "x", "y")
        said = run("map", self.at / "x.vec", self.at / "y.vec", "--out", out)
        self.assertRegex(said.stdout, r"\* (identical|cognates) +\d+ ")

    def test_hub(self):
        out = self.at / "hub"
        made = run("map", "--hub", self.at / "x.vec", self.at / "y.vec", self.at / "z.vec", self.at / "n.vec",
                   "--seeds", self.at / "dictionaries", "--out", out, "--json")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        report = json.loads(made.stdout)
        self.assertEqual(report["hub"], "x")
        self.assertEqual([(one["language"], one["better_than_chance"]) for one in report["languages"]],
                         [("y", True), ("z", True), ("n", False)])
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["x.vec", "y.vec", "z.vec"])
        self.assert_close(out, "x", "y")
        self.assert_close(out, "z", "y")

    def test_chance(self):
        out = self.at / "chance"
        made = run("map", self.at / "x.vec", self.at / "n.vec", "--out", out, "--json")
        self.assertEqual(made.returncode, 1)
        self.assertIn("no better than chance", made.stderr)
        self.assertFalse(json.loads(made.stdout)["better_than_chance"])
        self.assertFalse(out.exists())

    def test_lexicon(self):
        made = run("lexicon", self.at / "x.vec", self.at / "y.vec", "--top", 2)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        rows = [line.split("\t") for line in made.stdout.splitlines()]
        self.assertEqual(len(rows), 2 * WORDS)
        right = sum(row[:2] == [spell(i, "x"), spell(i, "y")] for i, row in enumerate(rows[::2]))
        self.assertGreater(right, 0.95 * WORDS)
        self.assertEqual({row[3] for row in rows}, {"mutual", "one-way"})
        out = self.at / "before"
        run("map", self.at / "x.vec", self.at / "y.vec", "--out", out)
        sure = json.loads(run("lexicon", out / "x.vec", out / "y.vec", "--mapped", "--min-confidence", 0.5, "--json",
                              "--vocabulary", 100).stdout)
        self.assertIsNone(sure["map"])
        self.assertTrue(sure["pairs"])
        self.assertTrue(all(pair["confidence"] >= 0.5 for pair in sure["pairs"]))
        self.assertLess(len(sure["pairs"]), 101)

    def test_lexicon_of_bundled_languages(self):
        folder = self.at / "languages"
        (folder / "sw").mkdir(parents=True)  # is no file of vectors
        made = subprocess.run([VISLANG, "align", "lexicon", "sw", "en"], capture_output=True, text=True, cwd=folder)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        self.assertIn(["watu", "people"], [line.split("\t")[:2] for line in made.stdout.splitlines()])

    def test_refused(self):
        x, y, out = self.at / "x.vec", self.at / "y.vec", self.at / "refused"
        (self.at / "bad.tsv").write_text("alone\n")
        for code, says, arguments in (
                (2, "--out is needed", ["map", x, y]),
                (2, "which two", ["map", x, "--out", out]),
                (2, "which languages", ["map", "--hub", x, "--out", out]),
                (2, "would write over", ["map", x, y, "--out", self.at]),
                (2, "would both become", ["map", x, x, "--out", out]),
                (2, "--seeds is auto", ["map", x, y, "--out", out, "--seeds", "cognate"]),
                (2, "has no meaning for", ["map", x, y, "--out", out, "--top", 3]),
                (2, "is a folder", ["map", "--hub", x, y, "--out", out, "--seeds", self.at / "dictionaries" / "x-y.tsv.gz"]),
                (2, "--min-confidence", ["lexicon", x, y, "--min-confidence", "much"]),
                (2, "no meaning then", ["lexicon", x, y, "--mapped", "--seeds", "none"]),
                (3, "of 3", ["map", x, self.at / "wide.vec", "--out", out]),
                (3, "of 3", ["lexicon", x, self.at / "wide.vec", "--mapped"]),
                (3, "no better than chance", ["lexicon", x, self.at / "n.vec"]),
                (3, "one word", ["map", x, y, "--out", out, "--seeds", self.at / "bad.tsv"]),
                (3, "missing.vec", ["map", x, self.at / "missing.vec", "--out", out]),
                (3, "cannot read", ["lexicon", self.at / "missing.vec", self.at / "missing-too.vec"]),
                (2, "is for two files", ["lexicon", "sw", "fr", "--seeds", "none"]),
                (4, "no language 'xx', and there is no such file; it has en, fr", ["lexicon", "xx", "fr"])):
            made = run(*arguments)
            self.assertEqual(made.returncode, code, (arguments, made.stderr))
            self.assertIn(says, made.stderr)
            self.assertEqual(made.stdout, "")
            self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
