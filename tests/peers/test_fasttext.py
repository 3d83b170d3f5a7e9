"""Files of word vectors against fastText itself (Python's fasttext-wheel): what it writes we read
with the same vectors, also of words that it never saw, and the other way round.

usage: test_fasttext.py VECTORS_PEER [VISLANG]; the packages come from .venv or the environment that
VISLANG_PEERS names (scripts/deps.sh --peers). Exit status 77: skipped."""
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import peers  # noqa: E402

try:
    import fasttext
    import numpy as np
except ImportError:
    peers.become("fasttext", "numpy")

fasttext.FastText.eprint = lambda *arguments: None
PEER = sys.argv[1]
VISLANG = sys.argv[2] if len(sys.argv) > 2 else None
WORDS = "the of and water food camp ሰላም ውሃ ምግብ l'eau été người مياه غذاء chakula maji hospital kliniki 2024".split()
UNSEEN = ["waters", "ውሃዎች", "chakulas", "x", "", "</s>", "ééé", "hospitalities"]


def write_text(path, lines=400):
    dice = random.Random(1)
    path.write_text("".join(" ".join(dice.choices(WORDS, k=9)) + "\n" for _ in range(lines)), encoding="utf-8")


def show(path, words, most=0):
    """(dimensions, words of the file, [(frequency, vector) or None])"""
    lines = subprocess.run([PEER, "show", path, str(most)], input="".join(f"{word}\n" for word in words), check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    rows = [None if line == "-" else (int(line.split()[0]), np.array(line.split()[1:], np.float32))
            for line in lines[1:]]
    return (*map(int, lines[0].split()), rows)


class Files(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.text = self.home / "text.txt"
        write_text(self.text)

    def same(self, ours, vector, word):
        if ours is None:
            self.assertFalse(np.any(vector), word)
        else:
            np.testing.assert_allclose(ours[1], vector, rtol=0, atol=2e-6 * max(1, np.abs(vector).max()), err_msg=word)

    def train(self, **options):
        return fasttext.train_unsupervised(str(self.text), **{
            "dim": 20, "minCount": 1, "epoch": 2, "bucket": 5000, "thread": 1, "verbose": 0, **options})

    def test_we_read_theirs(self):
        for options in ({}, {"model": "cbow"}, {"minn": 1, "maxn": 2}, {"minn": 0, "maxn": 0}, {"dim": 1},
                        {"bucket": 7}):
            with self.subTest(**options):
                model, path = self.train(**options), self.home / "theirs.anything"
                model.save_model(str(path))
                words, counts = model.get_words(include_freq=True)
                dim, count, rows = show(path, words + UNSEEN)
                self.assertEqual((dim, count), (model.get_dimension(), len(words)))
                self.assertEqual([row[0] for row in rows[:count]], list(counts))
                for word, row in zip(words + UNSEEN, rows):
                    self.same(row, model.get_word_vector(word), word)
                self.assertEqual(show(path, [], 3)[1], 3)

    def test_they_read_ours(self):
        for options in ({}, {"minn": 0, "maxn": 0}):
            with self.subTest(**options):
                model, theirs, ours = self.train(**options), self.home / "theirs.bin", self.home / "ours.bin"
                model.save_model(str(theirs))
                subprocess.run([PEER, "bin", theirs, ours], check=True)
                back = fasttext.load_model(str(ours))
                self.assertEqual(back.get_words(include_freq=True)[0], model.get_words(include_freq=True)[0])
                for word in back.get_words() + UNSEEN:
                    np.testing.assert_allclose(back.get_word_vector(word), model.get_word_vector(word), atol=1e-5)
                    self.assertEqual(back.get_subwords(word)[0], model.get_subwords(word)[0])

    def test_vec(self):
        """Their text of vectors, as their program prints it, and ours as pretrained vectors of theirs."""
        model, theirs, ours = self.train(), self.home / "theirs.vec", self.home / "ours.vec"
        words = model.get_words()
        with theirs.open("w", encoding="utf-8") as out:
            print(len(words), model.get_dimension(), file=out)
            for word in words:
                print(word, "".join(f"{number:.5g} " for number in model.get_word_vector(word)), file=out)
        dim, count, rows = show(theirs, words)
        self.assertEqual((dim, count), (20, len(words)))
        for word, row in zip(words, rows):
            np.testing.assert_allclose(row[1], model.get_word_vector(word), rtol=1e-4)
        subprocess.run([PEER, "vec", theirs, ours], check=True)
        labelled = self.home / "labelled.txt"
        labelled.write_text("".join(f"__label__a {word}\n" for word in words if word != "</s>"), encoding="utf-8")
        classifier = fasttext.train_supervised(str(labelled), dim=20, epoch=1, lr=0, thread=1, verbose=0,
                                               pretrainedVectors=str(ours))
        for word in words:
            if word != "</s>":
                np.testing.assert_allclose(classifier.get_word_vector(word), model.get_word_vector(word), rtol=1e-4)

    @unittest.skipUnless(VISLANG, "the program was not named")
    def test_they_read_what_we_trained(self):
        for maxn in (0, 6):
            with self.subTest(maxn=maxn):
                path = self.home / "trained.bin"
                subprocess.run([VISLANG, "align", "embed", self.text, "--out", path, "--tokens", "spaces", "--dim", "20",
                                "--maxn", str(maxn), "--buckets", "5000", "--sample", "0", "--quiet"], check=True,
                               stdout=subprocess.DEVNULL)
                model, peer = fasttext.load_model(str(path)), self.train(epoch=1)
                counts = lambda one: {word: count for word, count in zip(*one.get_words(include_freq=True))
                                      if word != "</s>"}
                self.assertEqual(counts(model), counts(peer))
                dim, count, rows = show(path, WORDS + UNSEEN)
                self.assertEqual((dim, count), (20, len(WORDS)))
                for word, row in zip(WORDS + UNSEEN, rows):
                    self.same(row, model.get_word_vector(word), word)
                self.assertEqual(model.get_output_matrix().shape, (len(WORDS), 20))
                self.assertTrue(np.any(model.get_output_matrix()))

    def test_refused(self):
        labelled, path = self.home / "labelled.txt", self.home / "classifier.bin"
        labelled.write_text("__label__a water\n__label__b food\n" * 20)
        model = fasttext.train_supervised(str(labelled), dim=4, epoch=1, thread=1, verbose=0)
        model.save_model(str(path))
        run = subprocess.run([PEER, "show", path, "0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("classifier", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
