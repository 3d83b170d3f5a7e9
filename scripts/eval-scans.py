#!/usr/bin/env python3
"""Runs `vislang ocr` over every picture of a folder of real scans and prints the error rates.

usage: scripts/eval-scans.py [DIR] [--sets A,B] [--limit N] [--given | --both] [--json]

DIR (default $VISLANG_SHARED_DATA/ocr-scans, else ../shared/data/ocr-scans) holds MANIFEST.tsv (set,
id, image, doc, tesseract_lang, …) and X.gt.txt beside each picture. The language is detected
unless --given, which takes the manifest's. Character error rate (CER): edits over
the reference's length, after NFC and collapsing white space; Arabic vowel marks are stripped, receipts and signs are
case-folded, as the sets' references ask for."""

import argparse
import csv
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("VISLANG_BUILD", ROOT / "build"))
CASE_BLIND = {"sroie-receipts", "hin-mar-signs"}
VOWEL_MARKS = re.compile("[\u064b-\u0652\u0670\u0640]")


class EditCount(ctypes.Structure):
    _fields_ = [("edits", ctypes.c_uint64), ("length", ctypes.c_uint64)]


library = ctypes.CDLL(str(BUILD / "libvislang.so"))


def cer(hypothesis, reference, name):
    if name == "ara-print-lines":
        hypothesis, reference = (VOWEL_MARKS.sub("", text) for text in (hypothesis, reference))
    if name in CASE_BLIND:
        hypothesis, reference = hypothesis.casefold(), reference.casefold()
    count = EditCount()
    if library.vl_text_cer(hypothesis.encode(), reference.encode(), ctypes.byref(count), None):
        sys.exit("the error rate could not be computed")
    return count.edits, count.length


def read_all(pictures, languages, out):
    """`vislang ocr` on many pictures at once; returns ({picture: text}, failures, seconds)."""
    argv = [BUILD / "vislang", "ocr", *pictures, "--full-names", "-o", out, "-f", "text", "-q"]
    if languages:
        argv += ["-l", languages]
    start = time.monotonic()
    result = subprocess.run(argv, capture_output=True, text=True)
    if result.returncode < 0 or result.returncode not in (0, 3):
        sys.exit(f"vislang ocr ended with {result.returncode}:\n{result.stderr}")
    texts = {}
    for picture in pictures:
        text = Path(out, picture.name + ".txt")
        if text.exists():
            texts[picture] = text.read_text(encoding="utf-8")
    return texts, result.stderr, time.monotonic() - start


def evaluate(rows, folder, given):
    """CER, count, failures and seconds an item, per set."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["set"], row["tesseract_lang"] if given else None].append(row)
    totals = defaultdict(lambda: [0, 0, 0, 0, 0.0])
    for (name, languages), members in groups.items():
        pictures = [folder / row["image"] for row in members]
        with tempfile.TemporaryDirectory() as out:
            texts, complaints, seconds = read_all(pictures, languages, out)
        if complaints.strip():
            print(complaints.strip(), file=sys.stderr)
        total = totals[name]
        for picture in pictures:
            reference = picture.with_suffix("").with_suffix(".gt.txt")
            if not reference.exists():
                reference = Path(str(picture)[: -len(picture.suffix)] + ".gt.txt")
            edits, length = cer(texts.get(picture, ""), reference.read_text(encoding="utf-8"), name)
            total[0] += edits
            total[1] += length
            total[3] += picture not in texts
        total[2] += len(pictures)
        total[4] += seconds
    return totals


def main():
    shared = Path(os.environ.get("VISLANG_SHARED_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=shared / "ocr-scans")
    parser.add_argument("--sets")
    parser.add_argument("--limit", type=int, help="at most N pictures of each set")
    parser.add_argument("--given", action="store_true")
    parser.add_argument("--both", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    manifest = options.folder / "MANIFEST.tsv"
    if not manifest.exists():
        print(f"SKIPPED: no scans at {options.folder}")
        return
    with open(manifest, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wanted = options.sets.split(",") if options.sets else None
    seen = defaultdict(int)
    chosen = []
    for row in rows:
        if wanted and row["set"] not in wanted:
            continue
        seen[row["set"]] += 1
        if not options.limit or seen[row["set"]] <= options.limit:
            chosen.append(row)
    modes = ["detected", "given"] if options.both else ["given" if options.given else "detected"]
    results = {mode: evaluate(chosen, options.folder, mode == "given") for mode in modes}
    if options.json:
        print(json.dumps({mode: {name: {"cer": t[0] / max(1, t[1]), "n": t[2], "failed": t[3],
                                        "seconds_per_item": t[4] / t[2]}
                                 for name, t in totals.items()}
                          for mode, totals in results.items()}, indent=1))
        return
    print(f"{'set':24}{'n':>5}" + "".join(f"{mode + ' CER':>16}{'failed':>8}{'s/item':>8}"
                                           for mode in modes))
    for name in dict.fromkeys(row["set"] for row in chosen):
        line = f"{name:24}{results[modes[0]][name][2]:5}"
        for mode in modes:
            t = results[mode][name]
            line += f"{100 * t[0] / max(1, t[1]):15.1f}%{t[3]:8}{t[4] / t[2]:8.2f}"
        print(line)


if __name__ == "__main__":
    main()
