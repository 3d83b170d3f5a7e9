#!/usr/bin/env python3
"""Training of word vectors: ours beside fastText (Python's fasttext-wheel), the same text cut at
spaces, the same options (fastText's defaults), the same number of threads, in turn.

usage: bench/embed/run.py TEXT [--words N] [--dim N] [--epochs N] [--min-count N]
                          [--threads N] [--rounds N]

TEXT is plain or gzipped; the first N words are trained on and what comes next is held out. Speed
is words of training by second of processor time. Ours are the words trained on, over the time of
the whole program, reading and writing included; theirs are all words and line ends of the text
(which they count), over the time of train_unsupervised alone. Ratios above 1: we are faster.

Quality is measured on the held-out text, with one code for both files (fastText opens ours too):
how often a word of the window scores above one drawn by chance, as the vectors predict it, and
the loss of the training on it; of ours the mean of all rounds, each with
another seed, which theirs does not take."""

import argparse
import gzip
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "scripts")]
import peers  # noqa: E402

try:
    import fasttext
    import numpy
except ImportError:
    peers.become("fasttext", "numpy")
from common import machine, table  # noqa: E402

fasttext.FastText.eprint = lambda *arguments: None
PROGRAM = ROOT / "build" / "vislang"
WINDOW, NEGATIVES = 5, 5


def split(path, words, train, held):
    """Writes the two halves; (words, lines) of the first."""
    raw = Path(path).read_bytes()
    lines = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace").splitlines()
    seen = count = 0
    while count < len(lines) and seen < words:
        seen += len(lines[count].split())
        count += 1
    train.write_text("".join(f"{line}\n" for line in lines[:count]), encoding="utf-8")
    rest = lines[count:count + max(20, count // 10)]
    if not rest:
        sys.exit(f"{path} has only {seen} words: a smaller --words leaves some to hold out")
    held.write_text("".join(f"{line}\n" for line in rest), encoding="utf-8")
    return seen, count


def processor_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def ours(text, out, options, seed):
    before = processor_seconds(resource.RUSAGE_CHILDREN)
    run = subprocess.run([PROGRAM, "align", "embed", text, "--out", out, "--tokens", "spaces", "--json", "--threads",
                          str(options.threads), "--dim", str(options.dim), "--epochs", str(options.epochs),
                          "--min-count", str(options.min_count), "--seed", str(seed)],
                         check=True, stdout=subprocess.PIPE)
    seconds = processor_seconds(resource.RUSAGE_CHILDREN) - before
    report = json.loads(run.stdout)
    return report["kept"] * options.epochs / seconds, seconds


def theirs(text, out, options, tokens):
    """In a process of its own, so that neither warms the other's memory."""
    code = ("import fasttext, sys, time\n"
            "start = time.process_time()\n"
            f"model = fasttext.train_unsupervised(sys.argv[1], thread={options.threads}, dim={options.dim}, "
            f"epoch={options.epochs}, minCount={options.min_count}, verbose=0)\n"
            "print(time.process_time() - start)\n"
            "model.save_model(sys.argv[2])\n")
    run = subprocess.run([sys.executable, "-c", code, text, out], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    seconds = float(run.stdout)
    return tokens * options.epochs / seconds, seconds


def quality(path, held, vocabulary):
    """(share of true words above drawn ones, loss) on held-out lines."""
    model = fasttext.load_model(str(path))
    place = {word: i for i, word in enumerate(model.get_words())}
    vectors = numpy.stack([model.get_word_vector(word) for word in vocabulary])
    outputs = model.get_output_matrix()[[place[word] for word in vocabulary]]
    counts = dict(zip(*model.get_words(include_freq=True)))
    chances = numpy.array([counts[word] for word in vocabulary]) ** .5
    dice, index = numpy.random.default_rng(1), {word: i for i, word in enumerate(vocabulary)}
    above, loss, pairs = 0., 0., 0
    for line in held.read_text(encoding="utf-8").splitlines():
        ids = numpy.array([index[word] for word in line.split() if word in index])
        at = numpy.array([(i, j) for i in range(len(ids)) for j in range(i - WINDOW, i + WINDOW + 1)
                          if j != i and 0 <= j < len(ids)]).reshape(-1, 2)
        if not len(at):
            continue
        drawn = dice.choice(len(vocabulary), (len(at), NEGATIVES), p=chances / chances.sum())
        centre = vectors[ids[at[:, 0]]]
        right = (centre * outputs[ids[at[:, 1]]]).sum(1)
        wrong = numpy.einsum("pd,pnd->pn", centre, outputs[drawn])
        above += ((right[:, None] > wrong) + .5 * (right[:, None] == wrong)).mean(1).sum()
        loss += (numpy.logaddexp(0, -right) + numpy.logaddexp(0, wrong).sum(1)).sum() / (1 + NEGATIVES)
        pairs += len(at)
    return above / pairs, loss / pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text")
    parser.add_argument("--words", type=int, default=200000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--min-count", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text, held, out = folder / "train.txt", folder / "held.txt", (folder / "ours.bin", folder / "theirs.bin")
        words, lines = split(options.text, options.words, text, held)
        runs, scores, vocabulary = ([], []), ([], []), None
        for seed in range(1, options.rounds + 1):
            runs[0].append(ours(text, folder / "ours.vec", options, seed))
            runs[1].append(theirs(text, out[1], options, words + lines))
        for seed in range(1, options.rounds + 1):
            ours(text, out[0], options, seed)
            if not vocabulary:
                known = set(fasttext.load_model(str(out[0])).get_words())
                vocabulary = [word for word in fasttext.load_model(str(out[1])).get_words() if word in known]
            scores[0].append(quality(out[0], held, vocabulary))
        scores[1].append(quality(out[1], held, vocabulary))
    speed = [statistics.median(run[0] for run in side) for side in runs]
    mean = lambda what, side: f"{statistics.mean(score[what] for score in scores[side]):.4f}"
    print(f"{machine()}; {words} words in {lines} lines of {Path(options.text).name}, {options.dim} dimensions, "
          f"{options.epochs} epochs, {options.threads} thread{'s' * (options.threads > 1)}, "
          f"median of {options.rounds} rounds\n")
    table(["training", "words/s of processor time", "seconds", "held out: above chance", "loss"],
          [[label, f"{speed[i]:.0f}", f"{statistics.median(run[1] for run in runs[i]):.1f}", mean(0, i), mean(1, i)] for i, label in enumerate(("vislang align embed", "fasttext-wheel 0.9.2"))])
    print(f"\nratio {speed[0] / speed[1]:.2f}; {len(vocabulary)} words in both vocabularies")


if __name__ == "__main__":
    main()
