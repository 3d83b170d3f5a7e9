#!/usr/bin/env python3
"""`vislang dataset check` and `dataset stats`: rows a second and peak memory, by how many rows there are.

usage: bench/check/run.py [--rows N,N,...]

Rows are JSON lines made for it (12 words of 300,000, a language, a split, a document of their own), so that ids
are compared, languages told, and texts compared across splits. Distinct words are counted here, too, and held
against what stats says. Times are processor time."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench")]
from common import machine, run, table  # noqa: E402

PROGRAM = ROOT / "build" / "vislang"
SPLITS = ["train"] * 18 + ["validation", "test"]


def make(path, rows):
    """So many rows; how many distinct words are in them."""
    dice = random.Random(1)
    words = ["".join(dice.choices("abdefghijklmnoprstuwz", k=dice.randint(2, 9))) for _ in range(300000)]
    seen = set()
    with open(path, "w", encoding="utf-8") as file:
        for i in range(rows):
            text = dice.choices(words, k=12)
            seen.update(text)
            file.write(json.dumps({"id": i, "text": " ".join(text), "language": "swa", "split": SPLITS[i % 20],
                                   "document": f"d{i}", "publisher": f"p{i % 50}"}) + "\n")
    return len(seen)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", default="10000,100000,1000000")
    lines = []
    for rows in map(int, asked.parse_args().rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            distinct = make(Path(folder) / "rows.jsonl", rows)
            check = run([PROGRAM, "dataset", "check", folder])
            stats = run([PROGRAM, "dataset", "stats", folder])
            said = json.loads(subprocess.run([PROGRAM, "dataset", "stats", folder, "--json"], capture_output=True,
                                             check=True).stdout)
        words = next(one for one in said["languages"] if one["language"] == "swa")["vocabulary"]
        lines.append([f"{rows:,}", f"{rows / check.cpu:,.0f}", f"{check.peak_mb:.0f}", f"{rows / stats.cpu:,.0f}",
                      f"{stats.peak_mb:.0f}", f"{distinct:,}",
                      f"{words['types']:,.0f}{' (estimated)' if words['estimated'] else ''}"])
    print(machine())
    table(["rows", "check rows/s", "peak MB", "stats rows/s", "peak MB", "distinct words", "stats says"], lines)


if __name__ == "__main__":
    main()
