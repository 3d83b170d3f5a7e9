#!/usr/bin/env python3
"""Two documents of some ten thousand sentences side by side: ours beside NLTK's Gale-Church
(Python), the same files, one processor each, in one run.

usage: bench/document/run.py SOURCE TARGET [GOLD]

SOURCE and TARGET have a sentence a line; GOLD has beads ([0]:[0, 1]). Times are processor time,
ours without reading the files, NLTK's with its start."""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "scripts")]
import peers  # noqa: E402
from common import machine, run, table  # noqa: E402

PROGRAM = ROOT / "build" / "bench" / "bench_document"


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    source, target = sys.argv[1:3]
    gold = sys.argv[3] if len(sys.argv) > 3 else "-"
    one = {sorted(os.sched_getaffinity(0))[0]}
    rows = []
    for method in ("all", "lengths"):
        argv = [str(PROGRAM), source, target, gold, method]
        cost = run(argv, cpus=one)
        report = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
        rows.append([f"ours, {method}", report["source"], report["target"], f"{cost.cpu:.1f}", f"{cost.peak_mb:.0f}",
                     f"{report['f1']:.3f}" if "f1" in report else ""])
    missing = peers.lacking("nltk")
    if missing:
        print(f"SKIPPED, NLTK: {missing}", file=sys.stderr)
    else:
        cost = run([str(peers.PYTHON), str(ROOT / "bench" / "align" / "gale_church.py"), "nltk", source, target], cpus=one)
        rows.append(["NLTK, lengths", rows[0][1], rows[0][2], f"{cost.cpu:.1f}", f"{cost.peak_mb:.0f}", ""])
    print(machine())
    table(["", "source", "target", "processor s", "peak MB", "strict F1"], rows)


main()
