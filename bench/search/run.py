#!/usr/bin/env python3
"""Exact search among random unit vectors: ours beside NumPy's in float32, the same vectors and
queries, one thread each, in turn. Times are the thread's processor time.

usage: bench/search/run.py [--count N] [--size N] [--queries N] [--top K] [--rounds N]

Ratios are NumPy's time over ours: above 1 we are faster. Hits are compared too."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"
try:
    import numpy
except ImportError:
    sys.exit("bench/search needs NumPy: apt-get install python3-numpy, or a wheel from pip")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from common import machine, percentile, table  # noqa: E402

PROGRAM = ROOT / "build" / "bench" / "bench_search"


def peer(folder, options):
    """(milliseconds of each query, hits) of a product and a partial sort."""
    vectors = numpy.fromfile(folder / "vectors.f32", numpy.float32).reshape(-1, options.size)
    queries = numpy.fromfile(folder / "queries.f32", numpy.float32).reshape(-1, options.size)
    times, hits = [], []
    for query in queries:
        start = time.thread_time()
        scores = vectors @ query
        top = numpy.argpartition(scores, -options.top)[-options.top:]
        top = top[numpy.argsort(-scores[top], kind="stable")]
        times.append((time.thread_time() - start) * 1e3)
        hits.append(top)
    return times, numpy.array(hits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(options.rounds):
            output = subprocess.run(
                [PROGRAM, folder, *map(str, (options.count, options.size, options.queries,
                                             options.top))], check=True, stdout=subprocess.PIPE)
            ours.append(json.loads(output.stdout))
            times, hits = peer(folder, options)
            theirs.append((percentile(times, .5), percentile(times, .95)))
        found = numpy.fromfile(folder / "hits.u32", numpy.uint32).reshape(hits.shape)
    middle = lambda values: statistics.median(values)
    mine, other = middle(run["p50_ms"] for run in ours), middle(run[0] for run in theirs)
    print(f"{machine()}; {options.count} vectors of {options.size}, {options.queries} queries, "
          f"top {options.top}, one thread, median of {options.rounds} rounds\n")
    table(["search", "ms a query p50 / p95", "queries/s"],
          [[f"vislang ({ours[0]['kernels']})",
            f"{mine:.2f} / {middle(run['p95_ms'] for run in ours):.2f}", f"{1e3 / mine:.0f}"],
           [f"NumPy {numpy.__version__}, float32",
            f"{other:.2f} / {middle(run[1] for run in theirs):.2f}", f"{1e3 / other:.0f}"]])
    print(f"\nratio {other / mine:.2f}; opening {middle(run['open_ms'] for run in ours):.1f} ms "
          f"(checksum included), writing {middle(run['write_ms'] for run in ours):.0f} ms, "
          f"{ours[0]['bytes'] / 1e6:.1f} MB (float32: {options.count * options.size * 4 / 1e6:.1f})")
    print(f"same first hit: {(found[:, 0] == hits[:, 0]).mean():.2%}; same {options.top} in the "
          f"same order: {(found == hits).all(axis=1).mean():.2%}")


if __name__ == "__main__":
    main()
