#!/usr/bin/env python3
"""`vislang dataset build`: documents a second beside Python, pages a second beside `vislang ocr`, memory by size, and two
processes beside one.

usage: bench/dataset/run.py [--only text,pages,memory,queue] [--rounds N] [--documents N] [--texts FOLDER] [--pages FOLDER]
                            [--items N,N,...] [--jobs N] [--work FOLDER]

FOLDER of --texts has news as <language>.txt.gz, a line an article; of --pages scanned pages (the bundled samples that stand
upright). Harvesting is not measured; collections that --work holds from a run before are used again. Of several rounds, each
in turn, the best counts. Rates are by the clock; the processor's seconds stand beside them, since who shares the machine
shares the clock."""

import argparse
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "scripts")]
import peers  # noqa: E402
from common import Cost, machine, run, table  # noqa: E402

VISLANG = ROOT / "build" / "vislang"
SHORTEST = 200  # characters: what is shorter is a headline


class Bench:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.cpus = set(sorted(os.sched_getaffinity(0))[:options.jobs])

    def folder(self, name, write):
        """A folder that `write` fills, made once, and the collection of it."""
        folder, collection = self.work / name, self.work / f"{name}-collection"
        if not collection.exists():
            for left in self.work.glob(f"{name}*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            folder.mkdir()
            write(folder)
            run([VISLANG, "harvest", folder, "--out", f"{collection}-begun", "--quiet"])
            Path(f"{collection}-begun").rename(collection)
        return folder, collection

    def recipe(self, collection, **keys):
        path = self.work / f"{collection.name}.yaml"
        path.write_text(f"name: bench\ncollections: [{collection}]\n" + "".join(f"{k}: {v}\n" for k, v in keys.items()))
        return path

    def build(self, recipe, jobs, *more, cpus=None):
        """(cost, report) of a new dataset, which is removed."""
        out = self.work / "dataset"
        shutil.rmtree(out, ignore_errors=True)
        cost = run([VISLANG, "dataset", "build", "--recipe", recipe, "--out", out, "--jobs", str(jobs), *more],
                   cpus=cpus or self.cpus)
        report = json.loads((out / "report.json").read_text())
        return cost, report

    def best(self, *runs):
        """The best wall and processor seconds of each of several functions, which are called in turn."""
        costs = [[] for _ in runs]
        for _ in range(self.options.rounds):
            for i, one in enumerate(runs):
                costs[i].append(one())
        return [Cost(*(min(getattr(cost, what) for cost in of) for what in ("wall", "cpu", "peak_mb"))) for of in costs]


# ---- text ---------------------------------------------------------------------------------------

def write_texts(source, folder, most):
    """News articles as files, four sentences a paragraph."""
    articles, rng = [], random.Random(6)
    for path in sorted(source.glob("???.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            articles += [(path.name[:3], line.strip()) for line in file if len(line) > SHORTEST]
    rng.shuffle(articles)
    for number, (language, article) in enumerate(articles[:most]):
        sentences = article.replace(". ", ".\n").split("\n")
        text = "\n\n".join(" ".join(sentences[i:i + 4]) for i in range(0, len(sentences), 4)).encode()
        (folder / f"{number:06}-{language}.txt").write_bytes(text)


def texts(bench):
    most = bench.options.documents
    folder, collection = bench.folder(f"texts-{most}", lambda to: write_texts(bench.options.texts, to, most))
    sizes = [path.stat().st_size for path in folder.iterdir()]
    return folder, bench.recipe(collection), len(sizes), sum(sizes)


def text(bench):
    jobs = bench.options.jobs
    folder, recipe, count, size = texts(bench)
    lacking = peers.lacking("datasketch", "py3langid")
    ours = lambda: bench.build(recipe, jobs)[0]
    theirs = lambda: run([peers.PYTHON, "-B", ROOT / "bench/dataset/peer.py", folder, bench.work / "peer.jsonl", str(jobs)],
                         cpus=bench.cpus)
    costs = bench.best(ours, *([] if lacking else [theirs]))
    print(f"{count} text documents of {size / count:.0f} bytes on average, {jobs} threads or processes on as many processors\n")
    table(["", "documents/s", "wall s", "processor s", "documents a processor second", "peak MB"],
          [[name, f"{count / c.wall:.0f}", f"{c.wall:.2f}", f"{c.cpu:.2f}", f"{count / c.cpu:.0f}", f"{c.peak_mb:.0f}"]
           for name, c in zip(("vislang dataset build", "py3langid + datasketch"), costs)])
    print(f"\nratio {costs[1].wall / costs[0].wall:.1f} by the clock, {costs[1].cpu / costs[0].cpu:.1f} by processor time\n"
          if not lacking else f"\nnot compared: {lacking}\n")


# ---- pages --------------------------------------------------------------------------------------

def copy_pages(source, folder):
    for path in sorted(source.iterdir()):
        if path.suffix in (".jpg", ".png") and not any(word in path.name for word in ("turned", "upside")):
            shutil.copy(path, folder)


def pages(bench):
    folder, collection = bench.folder(f"pages-{bench.options.pages.name}", lambda to: copy_pages(bench.options.pages, to))
    count = len(list(folder.iterdir()))
    recipe, rows = bench.recipe(collection, ocr_engines="tesseract"), []
    for jobs in sorted({1, bench.options.jobs}):
        cpus = set(sorted(bench.cpus)[:jobs])
        read = lambda: run([VISLANG, "ocr", folder, "--jobs", str(jobs), "--format", "text", "--output", bench.work / "read", "-q",
                            "--set", "ocr_engines=tesseract", "--set", "ocr_record=none"], cpus=cpus)
        build = lambda: bench.build(recipe, jobs, cpus=cpus)[0]
        ocr, made = bench.best(read, build)
        recognised = json.loads((bench.work / "dataset" / "report.json").read_text())["pages_ocr"]
        if recognised != count:
            sys.exit(f"{recognised} of {count} pages were read by OCR")
        rows.append([jobs, f"{count / ocr.wall:.2f}", f"{count / made.wall:.2f}", f"{ocr.wall / made.wall:.2f}",
                     f"{ocr.cpu:.1f}", f"{made.cpu:.1f}", f"{ocr.cpu / made.cpu:.2f}", f"{ocr.peak_mb:.0f}", f"{made.peak_mb:.0f}"])
    print(f"{count} scanned pages, Tesseract in both\n")
    table(["jobs", "vislang ocr pages/s", "dataset build pages/s", "ratio", "processor s", "build's", "ratio", "peak MB", "build's"],
          rows)
    print()


# ---- memory -------------------------------------------------------------------------------------

def write_made(folder, items, words):
    """Documents of 250 paragraphs of 24 words in no order, as many as make so many items."""
    rng = random.Random(items)
    for number in range(items // 250):
        (folder / f"{number:06}.txt").write_text("\n\n".join(" ".join(rng.choices(words, k=24)) + "." for _ in range(250)),
                                                 encoding="utf-8")


def vocabulary(source):
    with gzip.open(source / "swa.txt.gz", "rt", encoding="utf-8") as file:
        return sorted({word.strip(".,;:!?\"'()").lower() for line in file for word in line.split() if word.isalpha()})


def memory(bench):
    words, rows = vocabulary(bench.options.texts), []
    for items in bench.options.items:
        _, collection = bench.folder(f"made-{items}", lambda to: write_made(to, items, words))
        recipe = bench.recipe(collection, passage_characters=60, examples_per_item=0, min_quality_score=0)
        cost, report = bench.build(recipe, bench.options.jobs)
        rows.append([f"{report['made']:,}", f"{report['kept']:,}", f"{cost.peak_mb:.0f}", f"{cost.wall:.1f}",
                     f"{report['made'] / cost.wall:.0f}"])
    print("passages of 24 words, all of them base items\n")
    table(["items made", "kept", "peak MB", "s", "items/s"], rows)
    print()


# ---- two processes ------------------------------------------------------------------------------

def queue(bench):
    if "VISLANG_TEST_POSTGRES" not in os.environ:
        done = subprocess.run([ROOT / "tests/store/with-postgres.sh", sys.executable, "-B", *sys.argv, "--only", "queue"])
        sys.exit(done.returncode) if done.returncode else None
        return
    postgres, out = ["--queue", os.environ.pop("VISLANG_TEST_POSTGRES")], bench.work / "dataset"
    os.environ.pop("VISLANG_TEST_PG_CTL")  # vislang refuses settings that it does not know
    _, recipe, count, _ = texts(bench)

    def two():
        shutil.rmtree(out, ignore_errors=True)
        pin = lambda: os.sched_setaffinity(0, bench.cpus)
        start = time.perf_counter()
        both = [subprocess.Popen([VISLANG, "dataset", "build", "--recipe", recipe, "--out", out, "--jobs", "1", *postgres],
                                 stdout=subprocess.DEVNULL, preexec_fn=pin) for _ in range(2)]
        cpu = peak = 0
        for process in both:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit(f"vislang dataset build: exit {process.returncode}")
            cpu, peak = cpu + usage.ru_utime + usage.ru_stime, max(peak, usage.ru_maxrss / 1024)
        return Cost(time.perf_counter() - start, cpu, peak)

    one = lambda: bench.build(recipe, 2)[0]
    one_queue = lambda: bench.build(recipe, 2, *postgres)[0]
    costs = bench.best(one, one_queue, two)
    print(f"{count} text documents, two threads in all\n")
    table(["", "documents/s", "processor s", "of one process alone"],
          [[name, f"{count / c.wall:.0f}", f"{c.cpu:.2f}", f"{costs[0].wall / c.wall:.2f}"] for name, c in
           zip(("one process alone", "one process, PostgreSQL's queue", "two processes, PostgreSQL's queue"), costs)])
    print()


def main():
    numbers = lambda said: [int(part) for part in said.split(",") if part]
    parts = {"text": text, "pages": pages, "memory": memory, "queue": queue}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(parts))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--documents", type=int, default=8000)
    parser.add_argument("--texts", type=Path, default=ROOT.parent / "shared" / "data" / "text" / "mono")
    parser.add_argument("--pages", type=Path, default=ROOT / "samples")
    parser.add_argument("--items", type=numbers, default=[10000, 100000, 1000000])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, help="kept, with the collections of a run before")
    options = parser.parse_args()
    asked = options.only.split(",")
    if not set(asked) <= set(parts):
        parser.error(f"--only: of {', '.join(parts)}")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bench-dataset-") as name:
        work = options.work or Path(name)
        work.mkdir(exist_ok=True)
        print(f"{machine()}; {os.getloadavg()[0]:.1f} processes waited or ran before\n", flush=True)
        for part in asked:
            parts[part](Bench(options, work))


if __name__ == "__main__":
    main()
