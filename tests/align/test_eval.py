"""`vislang eval align` as a person meets it, on vectors and pairs that are made here: each
figure is one that was put in, or is worked out again in plain loops."""

import gzip
import json
import math
import os
import random
import struct
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


def write_space(path, units, languages):
    """A space as src/align/space.h says: units with their rows, words that mean one unit each."""
    card = json.dumps({"languages": {code: {"note": f"made for {code}"} for code in languages}}).encode()
    names = b"".join(name.encode() + b"\0" for name, _ in units)
    out = [struct.pack("<8s6I16s", b"VLSPACE", 1, len(languages), len(units), len(units[0][1]), len(card), len(names),
                       b"eng"), card]
    for _, row in units:
        scale = max(map(abs, row)) / 127
        out.append(struct.pack(f"<f{len(row)}b", scale, *(round(x / scale) for x in row)))
    out += [names, bytes([90] * len(units))]
    for code, words in languages.items():
        words = sorted((word.encode(), unit) for word, unit in words.items())
        text = b"".join(word + b"\0" for word, _ in words)
        out += [struct.pack("<16sII", code.encode(), len(words), len(text)), text]
        out += [struct.pack("<4H4BB", unit, 0, 0, 0, 255, 0, 0, 0, 90) for _, unit in words]
    path.write_bytes(b"".join(out))


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, above = [i], row
        for k, y in enumerate(b, 1):
            row.append(min(above[k] + 1, row[-1] + 1, above[k - 1] + (x != y)))
    return row[-1]


def agreement(gold, found):
    """Strict and lax precision, recall and F1 as Vecalign's own score.py defines them."""
    def right(beads, others):
        partners = {}
        for src, tgt in others:
            for i in src:
                partners.setdefault(i, set()).update(tgt)
        strict = sum(bead in others for bead in beads)
        lax = sum(bead in others or any(set(bead[1]) & partners.get(i, set()) for i in bead[0]) for bead in beads)
        return [strict / len(beads), lax / len(beads)] if beads else [0, 0]

    whole = [[bead for bead in beads if bead[0] and bead[1]] for beads in (gold, found)]
    precision, recall = right(found, gold), right(*whole)
    return {kind: {"precision": p, "recall": r, "f1": 2 * p * r / (p + r) if p + r else 0}
            for kind, p, r in zip(("strict", "lax"), precision, recall)}


def random_beads(dice, src, tgt):
    """All sentences of both sides in their order, in beads of any shape."""
    beads, i, k = [], 0, 0
    while i < src or k < tgt:
        m, n = dice.choice([(1, 1), (1, 1), (1, 1), (2, 1), (1, 2), (0, 1), (1, 0), (2, 2), (1, 3)])
        m, n = min(m, src - i), min(n, tgt - k)
        if m or n:
            beads.append((tuple(range(i, i + m)), tuple(range(k, k + n))))
        i, k = i + m, k + n
    return beads


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
        write_space(cls.at / "space.bin", list(zip(cls.src, rows)),
                    {"eng": {w: i for i, w in enumerate(cls.src)}, "swa": {w: i for i, w in enumerate(cls.tgt)},
                     "lin": {w: (i + 1) % WORDS for i, w in enumerate(cls.tgt)}})
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
        # without vectors of its own it has none: no space is bundled here
        env = os.environ if vectors else {**os.environ, "VISLANG_DATA": str(self.at)}
        result = subprocess.run([PROGRAM, "eval", "align", "--src", "sw", "--tgt", "fr", *map(str, args),
                                 *map(str, given)], capture_output=True, timeout=120, env=env, **options)
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

    def test_details_and_lines_that_are_shifted(self):
        shifted = list(zip(self.src[:50], self.tgt[:10] + self.tgt[11:51]))
        path, details = self.table("shifted.tsv", shifted), self.at / "details.jsonl"
        scores = self.scores(path, "--details", details)
        self.assertEqual([scores["accuracy"], scores["adjacent"]], [0.2, 39 / 50])
        lines = [json.loads(line) for line in details.read_text().splitlines()]
        self.assertEqual([(l["line"], l["src"], l["tgt"]) for l in lines], [(i, *p) for i, p in enumerate(shifted, 1)])
        self.assertEqual([l["found"] for l in lines[:10] + lines[11:]], self.tgt[:10] + self.tgt[11:50])
        self.assertEqual([l["place"] for l in lines[:10]], [1] * 10)
        self.assertGreater(lines[20]["place"], 1)
        self.assertIn("--details", self.call(path, "--task", "lexicon", "--details", details, code=2).stderr.decode())
        before = path.read_bytes()
        self.assertIn("would write over", self.call(path, "--details", path, code=2).stderr.decode())
        self.assertEqual(path.read_bytes(), before)

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

    # ---- document

    def documents(self):
        """Translations that share a number and nothing else; some pairs are one sentence on the other side, and one
        sentence has no counterpart."""
        dice, src, tgt, gold = random.Random(8), [], [], []
        for i in range(40):
            picks = dice.choices(range(WORDS), k=dice.randint(4, 14))
            a, b = (" ".join(words[k] for k in picks) for words in (self.src, self.tgt))
            at = (len(src), len(tgt))
            if i == 20:
                src += [f"{a} {7000 + i}"]
                gold.append(((at[0],), ()))
            elif i % 9 == 5:
                src += [f"{a} {5000 + i}", f"{6000 + i} {a}"]
                tgt += [f"{b} {5000 + i} {6000 + i}"]
                gold.append(((at[0], at[0] + 1), (at[1],)))
            else:
                src, tgt = src + [f"{a} {1000 + i}"], tgt + [f"{1000 + i}: {b}"]
                gold.append(((at[0],), (at[1],)))
        return self.put("a.sw", "\n".join(src) + "\n"), self.put("a.fr.gz", "\n".join(tgt)), gold, len(src), len(tgt)

    def beads(self, name, beads):
        return self.put(name, "".join(f"{list(a)}:{list(b)}\n" for a, b in beads))

    def test_documents(self):
        src, tgt, gold, sources, targets = self.documents()
        scores = self.scores("--task", "document", src, tgt, self.beads("gold", gold))
        self.assertEqual([scores[k] for k in ("task", "beads", "sentences", "sentences_reverse")],
                         ["document", len(gold), sources, targets])
        self.assertEqual(scores["baselines"]["identical_strings"]["strict"], {"precision": 1, "recall": 1, "f1": 1})
        self.assertGreaterEqual(scores["strict"]["f1"], 0.8)
        self.assertLessEqual(scores["baselines"]["gale_church"]["strict"]["f1"], scores["strict"]["f1"])
        self.assertIn("vectors", scores["methods"])
        bleu = scores["baselines"]["bleualign_like"]
        self.assertTrue(bleu["translated"])  # by the vectors, which are equal for a word and its translation
        self.assertEqual(bleu["strict"], {"precision": 1, "recall": 1, "f1": 1})
        without = self.scores("--task", "document", src, tgt, self.at / "gold", vectors=None)
        self.assertEqual([without["methods"], without["space"]], [{}, None])
        self.assertFalse(without["baselines"]["bleualign_like"]["translated"])
        text = self.call("--task", "document", src, tgt, self.at / "gold").stdout.decode()
        self.assertRegex(text, r"(?m)^  identical_strings +1\.000 +1\.000 +1\.000 +1\.000")

    def test_what_align_sentences_writes_is_scored(self):
        src, tgt, gold, *_ = self.documents()
        plain = self.put("a.fr", gzip.decompress(tgt.read_bytes()))
        found = subprocess.run([PROGRAM, "align", "sentences", src, plain, "--lines", "--tsv"], capture_output=True,
                               check=True).stdout
        scores = self.scores("--task", "document", src, tgt, self.beads("gold", gold), self.put("ours.tsv", found),
                             vectors=None)
        self.assertEqual(scores["others"][str(self.at / "ours.tsv")]["strict"], scores["strict"])

    def test_agreement_with_gold(self):
        src, tgt, _, sources, targets = self.documents()
        for seed in range(4):
            dice = random.Random(seed)
            gold, *found = [random_beads(dice, sources, targets) for _ in range(3)]
            found.append(found[0][:7] + found[0][9:])  # some sentences are in no bead
            paths = [self.beads(f"found{i}", beads) for i, beads in enumerate(found)]
            scores = self.scores("--task", "document", src, tgt, self.beads("gold", gold), *paths, vectors=None)
            for path, beads in zip(paths, found):
                wanted = agreement(gold, beads)
                for kind in ("strict", "lax"):
                    for key, value in wanted[kind].items():
                        self.assertAlmostEqual(scores["others"][str(path)][kind][key], value, 9)

    def test_bad_documents(self):
        src, tgt, gold, *_ = self.documents()
        empty = self.put("empty", "")
        self.beads("gold", gold)
        for args, says in (
                ([src, tgt, self.put("b1", "[0]:[0]\n[1][1]\n")], "line 2 is no bead"),
                ([src, tgt, self.put("b2", "[0]:[0]\n[0]:[1]\n")], "line 2: sentence 0 of the first text is in two"),
                ([src, tgt, self.put("b3", "[0]:[0]\n[1]:[999]\n")], "names sentence 999 of"),
                ([empty, tgt, self.at / "gold"], "which has 0"), ([src, tgt, empty], "holds no beads"),
                ([src, tgt, self.at / "gold", empty], "holds no beads"), ([src, tgt, self.at / "none"], "none")):
            self.assertIn(says, self.call("--task", "document", *args, code=3).stderr.decode(), args)
        self.assertIn("takes two texts", self.call("--task", "document", src, tgt, code=2).stderr.decode())
        wild = self.put("wild", b"\xff\xfe \x80\n\n" + b"word " * 200000 + b"\n\0\n")
        self.scores("--task", "document", wild, wild, self.put("b4", "0\t0\n1\t1\n2\t2\n3\t-\n"))
        self.scores("--task", "document", src, wild, self.put("b5", "[0]:[]\n"), vectors=None)

    # ---- a space

    def space(self, *args, src="en", tgt="sw", code=0):
        result = subprocess.run([PROGRAM, "eval", "align", "--src", src, "--tgt", tgt, "--json", "--space",
                                 self.at / "space.bin", *args], capture_output=True, timeout=120)
        self.assertEqual(result.returncode, code, result.stderr.decode())
        return json.loads(result.stdout) if result.stdout else result.stderr.decode()

    def test_a_space(self):
        pairs = self.table("pairs.tsv", self.pairs)
        scores = self.space(pairs)
        self.assertEqual(set(scores["methods"]), {"cosine", "csls", "margin", "self_learned"})
        for method in scores["methods"].values():
            self.assertGreater(method["accuracy"], 0.99)
        self.assertEqual(scores["accuracy"], scores["methods"][scores["method"]]["accuracy"])
        self.assertLess(scores["baselines"]["looks"]["accuracy"], 0.5)
        self.assertEqual([scores["space"]["src"], scores["space"]["tgt"], scores["space"]["languages"]],
                         [{"note": "made for eng"}, {"note": "made for swa"}, 3])
        self.assertEqual(self.space(pairs, src="eng", tgt="swh")["accuracy"], scores["accuracy"])

    def test_a_space_that_is_wrong(self):
        """Words that mean what their neighbours do find no translations but by how they look."""
        scores = self.space(self.table("words.tsv", self.words), tgt="ln")
        self.assertLess(scores["methods"]["cosine"]["accuracy"], 0.2)

    def test_lexicon_and_documents_of_a_space(self):
        words = self.table("words.tsv", self.words)
        scores = self.space("--task", "lexicon", words)
        self.assertEqual([scores["asked"], scores["accuracy"], scores["accuracy_reverse"]], [WORDS, 1, 1])
        self.assertEqual(self.space("--task", "lexicon", words, tgt="ln")["accuracy"], 0)
        src, tgt, gold, *_ = self.documents()
        scores = self.space("--task", "document", src, tgt, self.beads("gold", gold))
        self.assertEqual(scores["methods"], {})  # a space knows words; sentences have no vectors
        self.assertGreater(scores["strict"]["f1"], 0.8)

    def test_languages_that_are_not_there(self):
        pairs = self.table("pairs.tsv", self.pairs)
        for src, tgt, missing in (("en", "fr", ["fr"]), ("yo", "sw", ["yo"]), ("de", "fr", ["de", "fr"])):
            said = self.space(pairs, src=src, tgt=tgt, code=4)
            self.assertEqual([said["error"], said["missing"], said["languages"]], ["missing", missing, ["en", "sw", "ln"]])
            self.assertIn(f"no '{missing[0]}'", said["message"])
        said = self.space("--task", "lexicon", pairs, tgt="fr", code=4)
        self.assertEqual(said["missing"], ["fr"])
        (self.at / "cut.bin").write_bytes((self.at / "space.bin").read_bytes()[:3000])
        for name, code in (("cut.bin", 3), ("pairs.tsv", 3)):
            said = self.call(pairs, "--space", self.at / name, vectors=None, code=code).stderr.decode()
            self.assertIn(name, said)

    # ---- what is not there

    def test_lexicon_without_a_word_that_is_there(self):
        path = self.table("absent.tsv", [("a", "b")])
        self.call("--task", "lexicon", path, code=3)
        failed = json.loads(self.call("--task", "lexicon", path, "--json", code=3).stdout)
        self.assertEqual(failed["error"], "bad_input")
        self.assertIn("no word", failed["message"])


if __name__ == "__main__":
    unittest.main()
