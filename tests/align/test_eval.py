"""`vislang eval align` as a person meets it, on vectors and pairs that are made here: each
figure is one that was put in, or is worked out again in plain loops."""

import gzip
import json
import math
import os
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
WORDS, DIM = 300, 24


def write_vectors(path, words, rows):
    with open(path, "w") as out:
        print(len(words), len(rows[0]), file=out)
        for word, row in zip(words, rows):
            print(word, *("%.5f" % x for x in row), file=out)


def wilson(share, n, z=1.959963984540054):
    centre, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [(centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)]


def random_rows(seed, count, dim=DIM):
    dice = random.Random(seed)
    return [[round(dice.gauss(0, 1), 5) for _ in range(dim)] for _ in range(count)]


def similarities(rows, others):
    """Cosines, and CSLS with ten neighbours (Conneau et al. 2018)."""
    rows, others = ([[x / math.hypot(*row) for x in row] for row in m] for m in (rows, others))
    cosines = [[sum(map(float.__mul__, a, b)) for b in others] for a in rows]
    near, far = ([sum(sorted(row)[-10:]) / 10 for row in m] for m in (cosines, zip(*cosines)))
    return cosines, [[2 * c - near[i] - far[k] for k, c in enumerate(row)] for i, row in enumerate(cosines)]


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, above = [i], row
        for k, y in enumerate(b, 1):
            row.append(min(above[k] + 1, row[-1] + 1, above[k - 1] + (x != y)))
    return row[-1]


class EvalAlign(unittest.TestCase):
    """Words of the two languages have equal vectors, but for the last 60, which are another's."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = Path(cls.folder.name)
        rows = random_rows(1, WORDS)
        cls.src = [f"swali{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(WORDS)]
        cls.tgt = [f"mot{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(WORDS)]
        wrong = rows[:240] + [rows[240 + (i + 1) % 60] for i in range(60)]
        write_vectors(cls.at / "src.vec", cls.src, rows)
        write_vectors(cls.at / "tgt.vec", cls.tgt, rows)
        write_vectors(cls.at / "wrong.vec", cls.tgt, wrong)
        write_vectors(cls.at / "narrow.vec", cls.tgt, [row[:8] for row in rows])
        dice = random.Random(5)
        # ten words a sentence, the i-th always in it, so that no two sentences are equal
        picks = [[i] + [dice.randrange(WORDS) for _ in range(9)] for i in range(WORDS)]
        cls.pairs = [(" ".join(cls.src[k] for k in p), " ".join(cls.tgt[k] for k in p)) for p in picks]
        cls.words = list(zip(cls.src, cls.tgt))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def put(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        (self.at / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return self.at / name

    def table(self, name, pairs):
        return self.put(name, "".join(f"{a}\t{b}\n" for a, b in pairs))

    def call(self, *args, code=0, vectors="tgt.vec", **options):
        given = ["--src-vectors", self.at / "src.vec", "--tgt-vectors", self.at / vectors] if vectors else []
        result = subprocess.run([PROGRAM, "eval", "align", "--src", "sw", "--tgt", "fr", *map(str, args),
                                 *map(str, given)], capture_output=True, timeout=120, **options)
        self.assertEqual(result.returncode, code, (args, result.stderr.decode()))
        return result

    def scores(self, *args, **options):
        return json.loads(self.call(*args, "--json", **options).stdout)

    # ---- retrieval

    def test_translations_are_found(self):
        scores = self.scores(self.table("pairs.tsv", self.pairs))
        self.assertEqual([scores[k] for k in ("task", "src", "tgt", "pairs", "candidates", "candidates_reverse")],
                         ["retrieval", "sw", "fr", WORDS, WORDS, WORDS])
        for method in ("cosine", "csls", "margin"):
            self.assertEqual({v for k, v in scores["methods"][method].items()
                              if k.startswith(("accuracy", "mean")) and "low" not in k}, {1})
        self.assertEqual(scores["accuracy"], scores["methods"][scores["method"]]["accuracy"])
        self.assertAlmostEqual(scores["accuracy_low"], wilson(1, WORDS)[0], 9)
        self.assertAlmostEqual(scores["chance"], 1 / WORDS, 12)
        self.assertAlmostEqual(scores["baselines"]["chance"]["accuracy_at_5"], 5 / WORDS, 9)
        self.assertAlmostEqual(scores["baselines"]["chance"]["mean_reciprocal_rank"],
                               sum(1 / i for i in range(1, WORDS + 1)) / WORDS, 9)
        self.assertAlmostEqual(scores["baselines"]["identical_strings"]["accuracy"], 1 / WORDS, 9)
        self.assertEqual(scores["known"], {"src": 1, "tgt": 1})
        self.assertEqual(scores["space"]["width"], DIM)

    def test_wrong_vectors_find_wrong_ones(self):
        """A word alone is a sentence: those whose vectors were exchanged find each other."""
        scores = self.scores(self.table("words.tsv", self.words), vectors="wrong.vec")
        for way in ("", "_reverse"):
            self.assertAlmostEqual(scores["accuracy" + way], 0.8, 9)
            low, high = wilson(0.8, WORDS)
            self.assertAlmostEqual(scores["accuracy_low" + way], low, 9)
            self.assertAlmostEqual(scores["accuracy_high" + way], high, 9)

    def test_the_order_of_lines_says_nothing(self):
        shuffled = self.pairs[:]
        random.Random(3).shuffle(shuffled)
        a, b = (self.scores(self.table(n, p), vectors="wrong.vec")
                for n, p in (("a.tsv", self.pairs), ("b.tsv", shuffled)))
        for key in ("accuracy", "accuracy_reverse", "mean_reciprocal_rank", "accuracy_at_5"):
            self.assertAlmostEqual(a[key], b[key], 6)
        self.assertEqual(a["baselines"], b["baselines"])

    def test_what_is_not_known_is_worth_chance(self):
        scores = self.scores(self.table("un.tsv", [(f"nothing{i}", f"rien{i}") for i in range(50)]))
        self.assertEqual(scores["known"], {"src": 0, "tgt": 0})
        for method in scores["methods"].values():
            self.assertAlmostEqual(method["accuracy"], 0.02, 9)
            self.assertAlmostEqual(method["accuracy_at_5"], 0.1, 9)
        self.assertEqual(scores["pairs"], 50)

    def test_duplicates(self):
        """Sentences that are there twice are one candidate, and any of their translations is right."""
        a, b = self.words[:2]
        pairs = self.words[:40] + [a, a, (a[0], b[1]), (b[0], a[1])]
        scores = self.scores(self.table("twice.tsv", pairs))
        self.assertEqual([scores["pairs"], scores["candidates"]], [44, 40])
        self.assertEqual([scores["accuracy"], scores["accuracy_reverse"]], [1, 1])
        # 38 have one right candidate; two, which 4 and 2 lines ask for, have two
        self.assertAlmostEqual(scores["chance"], (38 / 40 + 6 * 2 / 40) / 44, 9)

    def test_shared_words_and_lengths(self):
        pairs = [(f"alpha {1900 + i}" + "x" * i, f"beta {1900 + i}" + "y" * i) for i in range(20)]
        by_number = self.scores(self.table("numbers.tsv", [(a.split("x")[0], b.split("y")[0]) for a, b in pairs]))
        self.assertEqual(by_number["baselines"]["identical_strings"]["accuracy"], 1)
        self.assertAlmostEqual(by_number["baselines"]["length"]["accuracy"], 1 / 20, 9)
        by_length = self.scores(self.table("lengths.tsv", [("a" * i, "bb" * i) for i in range(1, 21)]))
        self.assertEqual(by_length["baselines"]["length"]["accuracy"], 1)
        self.assertAlmostEqual(by_length["baselines"]["identical_strings"]["accuracy"], 1 / 20, 9)

    def test_every_form_of_table(self):
        rows = [f"{a}\t{b}" for a, b in self.pairs]
        with_ids = [f"{i}:x\t{row}" for i, row in enumerate(rows)]
        wanted = self.scores(self.table("pairs.tsv", self.pairs))
        for name, text in (
                ("f.gz", "\n".join(rows)), ("f.tsv.gz", "\n".join(with_ids) + "\n"),
                ("noend.tsv", "\n".join(rows)), ("crlf.tsv", "\r\n".join(rows) + "\r\n"),
                ("bom.tsv", "\ufeff" + "\n".join(rows)), ("blank.tsv", "\n\n".join(rows) + "\n \n"),
                ("head.tsv", "\n".join(["source\ttarget"] + rows)),
                ("langs.tsv", "\n".join(["id\tsw\tfr"] + with_ids)),
                ("names.tsv", "\n".join(["Swahili\tFrench"] + rows)),
                ("third.tsv", "\t\n".join(rows) + "\t\n"),
                ("spaces.tsv", "\n".join(f" {a} \t {b} \t\t" for a, b in self.pairs))):
            scores = self.scores(self.put(name, text))
            for key in ("pairs", "candidates", "accuracy", "accuracy_reverse", "baselines"):
                self.assertEqual(scores[key], wanted[key], name)
            self.assertEqual(scores["left_out"]["lines"], 0, name)
        sides = [self.put(f"side.{i}", "\n".join(p[i] for p in self.pairs) + "\n") for i in (0, 1)]
        scores = self.scores(*sides)
        self.assertEqual(scores["baselines"], wanted["baselines"])
        with open(self.at / "pairs.tsv", "rb") as stdin:
            self.assertEqual(self.scores("-", stdin=stdin)["baselines"], wanted["baselines"])
        self.assertEqual(self.scores(self.at / "pairs.tsv", "--limit", 10)["pairs"], 10)

    def test_lines_that_are_no_pairs(self):
        rows = [f"{a}\t{b}".encode() for a, b in self.words[:20]]
        bad = rows[:6] + [b"one column", b"\tno first", b"no second\t", b"a\tb\tc\td", b"\xff\xfe\tx"] + rows[6:]
        path = self.put("bad.tsv", b"\n".join(bad))
        scores = self.scores(path)
        self.assertEqual([scores["pairs"], scores["left_out"]],
                         [20, {"lines": 5, "columns": 2, "empty": 2, "utf8": 1,
                               "first": f"{path}: line 7: 1 column where two are expected"}])
        said = self.call(path).stderr.decode()
        self.assertIn("left out: 5 lines", said)
        self.assertIn("line 7: 1 column", self.call(path, "--strict", code=3).stderr.decode())

    def test_bad_input(self):
        pairs = self.table("pairs.tsv", self.pairs)
        long = self.put("long.tsv", "a " * 600000 + "\tb\n" + "c\td\n")
        self.assertEqual(self.scores(long)["pairs"], 2)
        for args, options, code, says in (
                ([self.put("none.tsv", "")], {}, 3, "holds no pairs"),
                ([self.put("one.tsv", "a\nb\nc\n")], {}, 3, "line 1: 1 column"),
                ([self.put("nul.tsv", "a\0\tb\n")], {}, 3, "not UTF-8"),
                ([self.put("wide.tsv", "a\tb\n".encode("utf-16"))], {}, 3, "UTF-16"),
                ([self.put("cut", gzip.compress(os.urandom(999))[:500])], {}, 3, "cut"),
                ([self.put("left", "a\nb\n"), self.put("right", "a\n")], {}, 3, "has 1 lines"),
                ([self.at / "not there"], {}, 3, "not there"), ([self.at], {}, 3, str(self.at)),
                ([pairs], {"vectors": "narrow.vec"}, 3, "in no common space"),
                ([pairs], {"vectors": "not.vec"}, 3, "not.vec"),
                ([pairs, "--task", "retrieval,lexicon"], {}, 2, "the task is"),
                ([pairs, "--task", "lexicom"], {}, 2, "did you mean 'lexicon'"),
                ([pairs, pairs, pairs], {}, 2, "takes a table of pairs"),
                ([pairs, "--space", "x"], {}, 2, "--space"), ([], {}, 2, "takes a table of pairs"),
                ([pairs, "--tgt-vectors", "x"], {"vectors": None}, 2, "belong together"),
                ([pairs, "--model", "x"], {}, 2, "--model"), ([pairs, "--engine", "x"], {}, 2, "eval ocr"),
                ([pairs, "--limit", "0"], {}, 2, "--limit"), ([pairs, "--src", ""], {}, 2, "--src")):
            self.assertIn(says, self.call(*args, code=code, **options).stderr.decode(), args)

    def test_vectors_that_are_no_numbers(self):
        pairs = self.table("pairs.tsv", self.pairs)
        for i, text in enumerate(("2 3\na 1 2 3\nb nan 0 0\n", "2 3\na 1 2 3\nb inf 0 0\n", "2 3\na 1 2 3\n",
                                  "", "2 3\na 1 2\nb 1 2 3\n")):
            path = self.put(f"bad{i}.vec", text)
            self.call(pairs, vectors=path.name, code=3)
        zero = self.put("zero.vec", f"{WORDS} {DIM}\n" + "".join(f"{w} " + "0 " * DIM + "\n" for w in self.tgt))
        self.assertAlmostEqual(self.scores(pairs, vectors=zero.name)["accuracy"], 1 / WORDS, 9)

    def test_the_table(self):
        text = self.call(self.table("pairs.tsv", self.pairs)).stdout.decode()
        self.assertIn(f"retrieval, sw and fr: {WORDS} pairs, {WORDS} candidates", text)
        for name in ("cosine", "csls", "margin", "chance", "identical_strings", "length"):
            self.assertRegex(text, rf"(?m)^  {name} +[01]\.\d{{4}}")

    # ---- lexicon

    def test_lexicon_against_plain_loops(self):
        rows, noise = random_rows(4, WORDS), random_rows(6, WORDS)
        noisy = [[round(x + 0.9 * y, 5) for x, y in zip(*both)] for both in zip(rows, noise)]
        write_vectors(self.at / "clean.vec", self.src, rows)
        write_vectors(self.at / "noisy.vec", self.tgt, noisy)
        gold = {i: {i, (7 * i) % WORDS} for i in range(0, WORDS, 2)}
        lines = [(self.src[i], self.tgt[k]) for i, all_of in gold.items() for k in sorted(all_of)]
        lines += [("two words", self.tgt[0]), (self.src[1], "absent")]
        result = subprocess.run([PROGRAM, "eval", "align", "--task", "lexicon", "--src", "sw", "--tgt", "fr", "--json",
                                 "--src-vectors", self.at / "clean.vec", "--tgt-vectors", self.at / "noisy.vec",
                                 self.table("lexicon.tsv", lines)], capture_output=True, check=True)
        scores = json.loads(result.stdout)
        self.assertEqual([scores["headwords"], scores["asked"]], [152, 150])
        self.assertAlmostEqual(scores["coverage"], 150 / 152, 9)
        for method, matrix in zip(("cosine", "csls"), similarities(rows, noisy)):
            best = {i: sorted(range(WORDS), key=lambda k: -matrix[i][k])[:5] for i in gold}
            self.assertAlmostEqual(scores["methods"][method]["accuracy"],
                                   sum(best[i][0] in gold[i] for i in gold) / 150, 9)
            self.assertAlmostEqual(scores["methods"][method]["accuracy_at_5"],
                                   sum(bool(gold[i] & set(best[i])) for i in gold) / 150, 9)
        self.assertEqual(scores["accuracy"], scores["methods"]["csls"]["accuracy"])
        self.assertEqual(scores["baselines"]["identical_strings"]["accuracy"], 0)

    def test_lexicon_by_letters(self):
        src = ["hospitali", "daktari", "kitabu", "ኪታብ"]
        tgt = ["hôpital", "docteur", "hospital", "livre", "daktar", "ክታብ"]
        rows = random_rows(2, 10, 4)
        write_vectors(self.at / "k.src", src, rows[:4])
        write_vectors(self.at / "k.tgt", tgt, rows[4:])
        gold = {"hospitali": "hospital", "daktari": "docteur", "kitabu": "livre", "ኪታብ": "ክታብ"}
        result = subprocess.run([PROGRAM, "eval", "align", "--task", "lexicon", "--src", "sw", "--tgt", "fr", "--json",
                                 "--src-vectors", self.at / "k.src", "--tgt-vectors", self.at / "k.tgt",
                                 self.table("k.tsv", gold.items())], capture_output=True, check=True)
        baselines = json.loads(result.stdout)["baselines"]
        for way, table in (("", gold), ("_reverse", {b: a for a, b in gold.items()})):
            right = 0
            for word, translation in table.items():
                near = {w: edits(word, w) / max(len(word), len(w)) for w in (src if way else tgt)}
                best = [w for w, d in near.items() if d == min(near.values())]
                right += (translation in best) / len(best) / 4
            self.assertAlmostEqual(baselines["edit_distance"]["accuracy" + way], right, 9)
        self.assertAlmostEqual(baselines["chance"]["accuracy"], 1 / 6, 9)
        self.assertAlmostEqual(baselines["chance"]["accuracy_reverse"], 1 / 4, 9)

    def test_lexicon_without_a_word_that_is_there(self):
        path = self.table("absent.tsv", [("a", "b")])
        self.call("--task", "lexicon", path, code=3)
        failed = json.loads(self.call("--task", "lexicon", path, "--json", code=3).stdout)
        self.assertEqual(failed["error"], "bad_input")
        self.assertIn("no word", failed["message"])


if __name__ == "__main__":
    unittest.main()
