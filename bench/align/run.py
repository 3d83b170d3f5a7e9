#!/usr/bin/env python3
"""Every development set of ../shared/data/text through `vislang eval align`: sentences and words
found in another language, and documents side by side, beside what needs no vectors.

usage: bench/align/run.py [--space FILE] [--data DIR] [--only LIST] [--limit N] [--out NAME]

--only takes names of the tables (tico19,lafand,tatoeba,gamayun,verses,lexicon,document);
--out NAME writes NAME.md and NAME.json. Languages that the space does not have are left out and
named. Galechurch and NLTK stand beside documents where scripts/deps.sh --peers put them."""

import argparse
import contextlib
import gzip
import io
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "scripts")]
import peers  # noqa: E402
from common import machine, table  # noqa: E402

TABLES = ("tico19", "lafand", "tatoeba", "gamayun", "verses", "lexicon", "document")


def language(name):
    """Without its country: es-LA, ti_ER."""
    return re.split("[-_]", name)[0].lower()


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.absent, self.results = {}, []

    def eval(self, of, name, src, tgt, files, *more):
        """One measurement; None where the space lacks a language, which is then known."""
        for code in (src, tgt):
            if "document" not in more and code in self.absent:
                self.absent[code].add(of)
                return None
        argv = [self.options.program, "eval", "align", "--json", "--src", src, "--tgt", tgt, *more, *files]
        argv += ["--space", self.options.space] if self.options.space else []
        argv += ["--limit", str(self.options.limit)] if self.options.limit and "document" not in more else []
        run = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
        report = json.loads(run.stdout) if run.stdout else {}
        if run.returncode == 4 and report.get("missing"):
            for code in report["missing"]:
                self.absent.setdefault(code, set()).add(of)
            return None
        if run.returncode:
            print(f"{of} {name}: {run.stderr.strip()}", file=sys.stderr)
            return None
        self.results.append({"set": of, "name": name, **report})
        return report

    # ---- sets

    def tico19(self, data):
        for path in sorted(data.glob("parallel/tico19-dev/en-*.tsv.gz")):
            name = path.name.split(".")[0]
            yield name, "en", language(name[3:]), [path], []

    def lafand(self, data):
        for path in sorted(data.glob("parallel/lafand/*.dev.tsv.gz")):
            name = path.name.split(".")[0]
            yield name, *name.split("-"), [path], []

    def tatoeba(self, data):
        for path in sorted(data.glob("parallel/tatoeba/*-eng.eng.gz")):
            other = path.name.split(".")[1].split("-")[0]
            yield f"eng-{other}", "eng", other, [path, path.with_name(f"tatoeba.{other}-eng.{other}.gz")], []

    def gamayun(self, data):
        codes = {"tig": "tir"}  # the kit is Tigrinya's
        for path in sorted(data.glob("parallel/gamayun/*.txt.gz")):
            src, tgt = re.search("_([a-z]{3})-([a-z]{3})_", path.name).groups()
            other = path.with_name(path.name.replace(f"_{src.upper()}.", f"_{tgt.upper()}."))
            if path.name.endswith(f"_{src.upper()}.txt.gz") and other.exists():
                yield f"{src}-{tgt}", src, codes.get(tgt, tgt), [path, other], []

    def verses(self, data):
        sides = {}
        for path in sorted(data.glob("verses/*.tsv.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                sides[path.name.split(".")[0]] = dict(line.rstrip("\n").split("\t", 1) for line in lines if "\t" in line)
        for a, b in itertools.combinations(sides, 2):
            joined = self.folder / f"{a}-{b}.tsv"
            joined.write_text("".join(f"{verse}\t{text}\t{sides[b][verse]}\n" for verse, text in sides[a].items()
                                      if verse in sides[b]), encoding="utf-8")
            yield f"{a}-{b}", a, b, [joined], []

    def lexicon(self, data):
        for path in sorted(data.glob("lexicon/*/en-*.tsv.gz")):
            name = path.name.split(".")[0]
            yield f"{path.parent.name} {name}", "en", language(name[3:]), [path], ["--task", "lexicon"]

    def document(self, data):
        files = [data / "parallel" / "vecalign-dev" / f"dev.{end}.gz" for end in ("de", "fr", "defr")]
        if not files[0].exists():
            return
        texts = []
        for path in files[:2]:
            texts.append(self.folder / path.stem)
            texts[-1].write_bytes(gzip.decompress(path.read_bytes()))
        others = []
        for peer in ("galechurch", "nltk"):
            run = subprocess.run([sys.executable, ROOT / "bench" / "align" / "gale_church.py", peer, *texts],
                                 capture_output=True, text=True, env={**os.environ, "VISLANG_PEERS": str(peers.FOLDER)})
            if run.returncode:
                print(f"{peer}: {(run.stdout + run.stderr).strip()}", file=sys.stderr)
                continue
            others.append(self.folder / peer)
            others[-1].write_text(run.stdout)
        yield "Vecalign's development document, de-fr", "de", "fr", files + others, ["--task", "document"]


def figure(value):
    return "–" if value is None else f"{value:.3f}"


def ranking_rows(results):
    for r in results:
        strings, length = r["baselines"]["identical_strings"], r["baselines"]["length"]
        yield [r["name"], r["pairs"], f"{figure(r['accuracy'])} ({r['accuracy_low']:.2f}–{r['accuracy_high']:.2f})",
               figure(r["accuracy_reverse"]), figure(r["accuracy_at_5"]), figure(r["mean_reciprocal_rank"]),
               figure(r["methods"]["cosine"]["accuracy"]), figure(strings["accuracy"]),
               figure(strings["accuracy_reverse"]), figure(length["accuracy"]), f"{r['chance']:.4f}"]


def lexicon_rows(results):
    for r in results:
        base = r["baselines"]
        yield [r["name"], r["headwords"], figure(r["coverage"]),
               f"{figure(r['accuracy'])} ({r['accuracy_low']:.2f}–{r['accuracy_high']:.2f})",
               figure(r["accuracy_at_5"]), figure(r["accuracy_reverse"]), figure(r["methods"]["cosine"]["accuracy"]),
               figure(r["methods"]["cosine"]["accuracy_at_5"]), figure(base["identical_strings"]["accuracy"]),
               figure(base["edit_distance"]["accuracy"]), f"{r['chance']:.5f}"]


def document_rows(results):
    for r in results:
        kinds = [{"ours: " + r["method"]: r}, *(r.get(k) or {} for k in ("methods", "baselines", "others"))]
        for name, one in (pair for kind in kinds for pair in kind.items()):
            yield [Path(name).name, *(figure(one[k][v]) for k in ("strict", "lax") for v in ("precision", "recall", "f1"))]


RANKING = ["pair", "n", "found first → (95 %)", "←", "in 5 →", "MRR →", "by cosine →", "identical strings →", "←",
           "length →", "chance"]
LEXICON = ["dictionary", "headwords", "coverage", "P@1 (95 %)", "P@5", "P@1 ←", "nearest P@1", "nearest P@5",
           "identical strings", "edit distance", "chance"]
DOCUMENT = ["", "strict precision", "recall", "F1", "lax precision", "recall", "F1"]


def write_up(bench, took):
    """The tables, as Markdown."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print(f"{date.today()}, {machine()}, `{' '.join(sys.argv)}`, {took:.0f} s\n")
        for of in bench.options.only:
            results = [r for r in bench.results if r["set"] == of]
            if results:
                print(f"### {of}\n")
                headings, rows = {"lexicon": (LEXICON, lexicon_rows), "document": (DOCUMENT, document_rows)}.get(
                    of, (RANKING, ranking_rows))
                table(headings, list(rows(results)))
                print()
                if of == "lexicon":
                    print("The bundled space was made from these very dictionaries, among others "
                          "(tools/make_align_data.py): of it, these are not held-out figures.\n")
        left_out = [r for r in bench.results if r.get("left_out", {}).get("lines")]
        for r in left_out:
            print(f"{r['set']} {r['name']}: {r['left_out']['lines']} lines left out, the first: "
                  f"{Path(r['left_out']['first']).name}")
        for r in bench.results:
            if r.get("adjacent", 0) > 0.05:
                print(f"{r['set']} {r['name']}: for {100 * r['adjacent']:.0f} % of the pairs the translation of the line "
                      "before or after came first: lines of the file are shifted.")
        if bench.absent:
            print("The space does not have " + ", ".join(sorted(bench.absent)) + ".")
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "build" / "vislang")
    parser.add_argument("--space")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "text")
    parser.add_argument("--only", type=lambda names: names.split(","), default=TABLES)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out")
    options = parser.parse_args()
    if not (options.data / "parallel").is_dir():
        sys.exit(f"SKIPPED: {options.data} has no parallel/ (--data names the folder)")
    unknown = set(options.only) - set(TABLES)
    if unknown:
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        for of in options.only:
            for name, src, tgt, files, more in getattr(bench, of)(options.data):
                bench.eval(of, name, src, tgt, files, *more)
    text = write_up(bench, time.perf_counter() - start)
    print(text)
    if options.out:
        Path(options.out + ".md").write_text(text, encoding="utf-8")
        Path(options.out + ".json").write_text(json.dumps(bench.results, ensure_ascii=False, indent=1) + "\n",
                                               encoding="utf-8")


main()
