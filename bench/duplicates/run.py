#!/usr/bin/env python3
"""Near duplicates: ours beside datasketch (Python), the same texts, one thread each, in one run.

usage: bench/duplicates/run.py [--texts FOLDER] [--most N] [--made N,N,...] [--pictures N,N,...] [--memory MB]

FOLDER has news as <language>.txt.gz, a line an article or headline. Of every second one a copy is
planted, edited in a known way. What is right is counted, not estimated: two texts are near
duplicates from an exact Jaccard similarity of 0.8 of their sets of three words in a row (folded
alike for both programs), whether they were planted or found. Times are processor time, folding
and shingling included. --made measures speed and memory of ours alone, on texts made for it."""

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "scripts")]
import peers  # noqa: E402
from common import machine, table  # noqa: E402

try:
    from datasketch import MinHash, MinHashLSH
    import datasketch
except ImportError:
    peers.become("datasketch")

PROGRAM = ROOT / "build" / "bench" / "bench_duplicates"
LANGUAGES = ("eng", "fra", "swa", "som", "hau", "amh")
THRESHOLD, FUNCTIONS = 0.8, 128
WORD = re.compile(r"[^\W_]+")


def folded(text):
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def shingles(text):
    words = folded(text)
    return {" ".join(words[i:i + 3]) for i in range(max(1, len(words) - 2))} if words else set()


def jaccard(a, b):
    return len(a & b) / len(a | b)


# ---- what is planted ----------------------------------------------------------------------------

def exchanged(one_of):
    def edit(words, dice, other):
        return [dice.choice(other) if dice.random() < 1 / one_of else word for word in words]
    return edit


EDITS = {
    "case and punctuation": lambda words, dice, other: [word.upper() + "," for word in words],
    "1 word of 60 exchanged": exchanged(60),
    "1 word of 30 exchanged": exchanged(30),
    "1 word of 20 exchanged": exchanged(20),
    "1 word of 10 exchanged": exchanged(10),
    "the last tenth cut off": lambda words, dice, other: words[:len(words) - len(words) // 10],
    "a third put in front": lambda words, dice, other: other[:len(words) // 3] + words,
    "halves exchanged": lambda words, dice, other: words[len(words) // 2:] + words[:len(words) // 2],
}


def corpus(folder, most, dice):
    """(texts, {(original, copy): edit})."""
    originals = []
    for language in LANGUAGES:
        with gzip.open(folder / f"{language}.txt.gz", "rt", encoding="utf-8") as file:
            lines = [line.strip() for line in file]
        lines = [line for line in lines if 8 <= len(line.split()) <= 2000]
        dice.shuffle(lines)
        originals += lines[:most // len(LANGUAGES)]
    texts, planted, names = list(originals), {}, list(EDITS)
    for i in range(0, len(originals), 2):
        name = names[i // 2 % len(names)]
        words, other = originals[i].split(), originals[dice.randrange(len(originals))].split()
        planted[(i, len(texts))] = name
        texts.append(" ".join(EDITS[name](words, dice, other)))
    return texts, planted


# ---- who finds ----------------------------------------------------------------------------------

def ours(mode, what, memory, out):
    done = subprocess.run([PROGRAM, mode, str(what), str(memory), out], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def pairs_of_clusters(path):
    clusters = defaultdict(list)
    for line in path.read_text().splitlines():
        item, cluster = map(int, line.split())
        clusters[cluster].append(item)
    return {(a, b) for members in clusters.values() for a in members for b in members if a < b}


def theirs(texts):
    """(pairs that met in a band, those of them whose estimate is high enough, seconds)."""
    start = time.process_time()
    lsh, sketches, met, verified = MinHashLSH(threshold=THRESHOLD, num_perm=FUNCTIONS), [], set(), set()
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=FUNCTIONS)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        for other in lsh.query(sketch):
            met.add((other, number))
            if sketches[other].jaccard(sketch) >= THRESHOLD:
                verified.add((other, number))
        lsh.insert(number, sketch)
        sketches.append(sketch)
    return met, verified, time.process_time() - start


# ---- tables -------------------------------------------------------------------------------------

def compare(options, folder):
    texts, planted = corpus(options.texts, options.most, random.Random(6))
    (folder / "texts").write_text("\n".join(texts) + "\n", encoding="utf-8")
    mine = ours("texts", folder / "texts", 256, folder / "clusters")
    found = pairs_of_clusters(folder / "clusters")
    met, verified, seconds = theirs(texts)
    sets = {}
    asked = set(planted) | found | met
    for number in {number for pair in asked for number in pair}:
        sets[number] = shingles(texts[number])
    similar = {pair: jaccard(sets[pair[0]], sets[pair[1]]) for pair in asked}
    true = {pair for pair in asked if similar[pair] >= THRESHOLD}
    my_seconds = mine["adding_s"] + mine["finishing_s"]
    words = sum(len(text.split()) for text in texts)
    print(f"{machine()}; {len(texts)} texts of {words / len(texts):.0f} words on average, "
          f"{len(planted)} planted pairs; {len(true)} pairs from {THRESHOLD}; datasketch {datasketch.__version__}, "
          f"{FUNCTIONS} functions each, one thread\n")

    def row(name, pairs, cost):
        right = len(pairs & true)
        return [name, f"{len(texts) / cost:.0f}", f"{right / len(true):.4f}", f"{right / max(1, len(pairs)):.4f}"]

    table(["finder", "texts/s", "recall", "precision"],
          [row("vislang", found, my_seconds), row("datasketch, as its index answers", met, seconds),
           row("datasketch, answers checked by the estimate", verified, seconds)])
    print(f"\nratio {seconds / my_seconds:.1f}; adding {mine['adding_s']:.2f} s, finishing {mine['finishing_s']:.2f} s\n")
    rows = []
    for name in EDITS:
        of_kind = [pair for pair, edit in planted.items() if edit == name]
        share = lambda pairs: f"{sum(pair in pairs for pair in of_kind) / len(of_kind):.3f}"
        rows.append([name, share(true), share(found), share(met), share(verified)])
    table(["planted", f"from {THRESHOLD}", "vislang found", "datasketch found", "… checked"], rows)
    near = Counter()
    for pair in true - found:
        near[f"{similar[pair]:.2f}"] += 1
    print("\nmissed by vislang, by similarity:", dict(sorted(near.items())))
    print("found by vislang below 0.8:", dict(sorted(Counter(f"{similar[p]:.2f}" for p in found - true).items())), "\n")


def alone(mode, counts, memory, folder):
    rows = []
    for count in counts:
        run = ours(mode, count, memory, folder / "clusters")
        rows.append([count, f"{count / (run['adding_s'] + run['finishing_s']):.0f}", f"{run['adding_s']:.1f}",
                     f"{run['finishing_s']:.1f}", run["peak_mb"], run["before_mb"], run["spilled_mb"],
                     f"{(count - run['clusters']) / (count // 10):.4f}"])
    table([mode, "a second", "adding s", "finishing s", "peak MB", "of them before", "on disk MB", "planted found"], rows)
    print()


def main():
    numbers = lambda text: [int(part) for part in text.split(",") if part]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=ROOT.parent / "shared" / "data" / "text" / "mono")
    parser.add_argument("--most", type=int, default=6000, help="originals; 0: no comparison")
    parser.add_argument("--made", type=numbers, default=[10000, 100000, 1000000])
    parser.add_argument("--pictures", type=numbers, default=[100000, 1000000])
    parser.add_argument("--memory", type=int, default=256, help="MB, of --made and --pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.most:
            compare(options, Path(name))
        alone("made", options.made, options.memory, Path(name))
        alone("pictures", options.pictures, options.memory, Path(name))


if __name__ == "__main__":
    main()
