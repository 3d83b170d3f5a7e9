"""bench/langid/run.py on lines.tsv: sentences in 33 languages and one that nobody here knows, whole
and cut to 50 characters, all written for the tests of this project.

usage: test_bench.py BUILD"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUN = HERE.parents[1] / "bench" / "langid" / "run.py"
BUILD = sys.argv.pop(1)
SKIPPED = 77


def bench(texts, folder, *more):
    out = Path(folder) / "all.json"
    done = subprocess.run([sys.executable, "-B", RUN, "--build", BUILD, "--texts", texts, "--json", out, "--languages", *more],
                          capture_output=True, text=True)
    if done.returncode == SKIPPED:
        print(done.stdout)
        sys.exit(SKIPPED)
    return done, json.loads(out.read_text()) if out.exists() else None


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.done, cls.all = bench(HERE / "lines.tsv", folder)
        if cls.done.returncode:
            raise AssertionError(cls.done.stderr)
        cls.lines = [line.split("\t") for line in (HERE / "lines.tsv").read_text(encoding="utf-8").splitlines()]

    def test_everything_is_counted(self):
        self.assertEqual(self.all["texts"], len(self.lines))
        self.assertEqual(self.all["languages"], len({line[0] for line in self.lines} - {"und"}))
        self.assertEqual(list(self.all["detectors"]), ["vislang", "cld2", "cld2 best effort", "textcat"])
        for name, one in self.all["detectors"].items():
            self.assertEqual(one["all"]["languages"], self.all["languages"])
            self.assertLessEqual(self.all["common"], one["its_own"]["languages"])
            for length in ("50", "400"):
                self.assertGreater(one["characters_per_s"][length], 0)
                # One text a language: both means are the same one, and that of the languages.
                by_language = [accuracy[length] for accuracy in one["by_language"].values()]
                self.assertEqual(set(by_language) - {0.0, 1.0}, set())
                self.assertAlmostEqual(one["all"]["macro"][length], sum(by_language) / len(by_language))
                self.assertAlmostEqual(one["all"]["macro"][length], one["all"]["micro"][length])
            self.assertEqual(one["its_own"]["macro"]["400"], 1.0, name)

    def test_who_says_what(self):
        ours, cld2, best, textcat = self.all["detectors"].values()
        self.assertEqual(ours["all"]["macro"]["400"], 1.0)
        self.assertEqual(ours["und_of_never_seen"], {"languages": 1, "50": 1.0, "400": 1.0})
        # Whole sentences of large languages are easy: a peer that misses them is asked wrongly.
        for code in ("eng", "fra", "spa", "por", "deu", "tur", "rus", "hin", "ell", "kat", "tam", "swa"):
            for peer in (cld2, best, textcat):
                self.assertEqual(peer["by_language"][code]["400"], 1.0, code)
        # Hausa and Igbo are in its larger tables only.
        self.assertEqual([best["by_language"][code]["400"] for code in ("hau", "ibo")], [1.0, 1.0])

    def test_tables_say_the_same(self):
        printed = self.done.stdout
        self.assertIn(self.all["versions"]["textcat"], printed)
        for title, of in self.all["detectors"]["cld2"]["close"].items():
            self.assertIn(f"| {title}, %", printed)
            self.assertIn("accuracy", of)
        self.assertRegex(printed, r"\| all languages +\| vislang +\| 33 +\| [\d.]+ +\| 100\.0 +\|")

    def test_some_and_with_mistakes(self):
        with tempfile.TemporaryDirectory() as folder:
            twice = Path(folder) / "twice.tsv"
            twice.write_text(2 * (HERE / "lines.tsv").read_text(encoding="utf-8"), encoding="utf-8")
            _, some = bench(twice, folder, "--every", "2")
            _, noisy = bench(twice, folder, "--every", "2", "--noise")
        self.assertEqual([some["texts"], noisy["texts"]], [len(self.lines)] * 2)
        ours = [one["detectors"]["vislang"]["all"]["macro"]["400"] for one in (some, noisy)]
        self.assertEqual(ours[0], 1.0)
        self.assertGreater(ours[1], 0.9)

    def test_texts_that_are_none(self):
        with tempfile.TemporaryDirectory() as folder:
            broken = Path(folder) / "broken.tsv"
            broken.write_text("eng\tonly three\t50\n")
            done, nothing = bench(broken, folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIsNone(nothing)
        self.assertIn("a line has no four fields", done.stderr)


if __name__ == "__main__":
    unittest.main()
