#!/usr/bin/env python3
"""Language identification: ours beside Debian's CLD2 and libexttextcat, the same texts in one run.

usage: bench/langid/run.py --data DIR [--model FILE] [--recipe FILE] [--every N] [--noise]
                           [--json FILE] [--languages]
       bench/langid/run.py --texts FILE.tsv …

DIR holds the text that the recipe names; what is scored are the lines of it that were held out
from training (`vislang train langid --held-out`), cut to about 20, 50, 100 and 400 characters.
FILE.tsv has texts of one's own instead: code, source, length, text. Macro: the mean over
languages; micro: over texts. A detector knows a language if it names at least one of its longest
texts rightly. CLD2 answers twice: by itself, and with the best guess that it has."""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from common import machine, table  # noqa: E402

# ISO 639 has one code for these and another for the whole or a part of them; either will do.
SAME = {"hrv": {"bos", "srp", "cnr"}, "fuv": {"ful"}, "ful": {"fuv"}, "aka": {"twi", "fat"}, "kau": {"knc"},
        "din": {"dip"}, "nor": {"nno"}, "msa": {"zlm"}}
PAIRS = {"sw/rw": ("swa", "kin"), "rw/rn": ("kin", "run"), "zu/xh": ("zul", "xho"), "am/ti": ("amh", "tir"),
         "ur/fa/ps": ("urd", "fas", "pus"), "hi/ne/mr": ("hin", "nep", "mar"), "id/ms": ("ind", "msa")}
FIRST = ("aar swa hau som amh tir orm pus ara fas urd eng fra spa por yor ibo kin zul hin ben mya ukr lin").split()


def right(truth, said):
    return said == truth or said in SAME.get(truth, ())


def ask(program, texts, model):
    """(what it printed, rows of (code, source, length, answers, probability))."""
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.tsv"
        argv = [program, texts, answers] + ([model] if model else [])
        facts = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)
        rows = []
        for line in answers.read_text(encoding="utf-8").splitlines():
            code, source, length, *said, probability = line.split("\t")
            rows.append((code, source, int(length), said, float(probability)))
    return facts, rows


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None


class Scores:
    """right[detector][length][code] = [right, said "und", all]; confusions by pairs of codes."""

    def __init__(self, detectors, rows):
        self.detectors, self.rows = detectors, rows
        self.lengths = sorted({row[2] for row in rows})
        self.known_rows = [row for row in rows if row[0] != "und"]
        self.codes = list(dict.fromkeys(row[0] for row in self.known_rows))
        self.counts = {name: {length: defaultdict(lambda: [0, 0, 0]) for length in self.lengths} for name in detectors}
        self.confused = {name: Counter() for name in detectors}
        for code, _, length, said, _ in self.known_rows:
            for name, word in zip(detectors, said):
                count = self.counts[name][length][code]
                count[0] += right(code, word)
                count[1] += word == "und"
                count[2] += 1
                self.confused[name][length, code, word] += 1
        longest = self.lengths[-1]
        self.knows = {name: {code for code in self.codes if self.counts[name][longest][code][0]} for name in detectors}
        # A peer's best guess has the same languages as its own answers.
        for name in detectors:
            best = f"{name} best effort"
            if best in self.knows:
                self.knows[name] = self.knows[best] = self.knows[name] | self.knows[best]
        self.common = set.intersection(*self.knows.values())

    def accuracy(self, name, length, codes, micro=False):
        counts = [self.counts[name][length][code] for code in codes if self.counts[name][length][code][2]]
        if micro:
            return sum(c[0] for c in counts) / sum(c[2] for c in counts) if counts else None
        return mean(c[0] / c[2] for c in counts)

    def unsure(self, name, length):
        return mean(c[1] / c[2] for c in self.counts[name][length].values() if c[2])

    def unknown(self, name, length):
        """(share of texts in languages it does not know that it calls "und", how many languages)."""
        place, longest = self.detectors.index(name), self.lengths[-1]
        named, told, languages = set(), [], set()
        for code, source, size, said, _ in self.rows:
            found = re.match(r"[a-z]{3}", Path(source).name)
            if code == "und" and size == longest and found and said[place] == found[0]:
                named.add(source)
        for code, source, size, said, _ in self.rows:
            if code == "und" and size == length and source not in named:
                told.append(said[place] == "und")
                languages.add(source)
        return mean(told), len(languages)

    def by_source(self, name, length, wanted):
        place = self.detectors.index(name)
        return [right(row[0], row[3][place]) for row in self.known_rows if row[2] == length and wanted(row[1])]


def percent(value):
    return "–" if value is None else f"{100 * value:.1f}"


def kind(source):
    """The folder that a text is from."""
    return source.rsplit("/", 1)[0] if "/" in source else source


def mistaken(text, dice):
    """One character in twelve dropped, doubled or followed by a stray mark."""
    kinds = [lambda c: "", lambda c: c + c, lambda c: c + dice.choice(".,'il1-")]
    return "".join(c if dice.randrange(12) else dice.choice(kinds)(c) for c in text)


def rewrite(texts, out, every, noise):
    """Every so many-th text of each language and length, with mistakes or as it is."""
    dice, seen = random.Random(7), Counter()
    with open(texts, encoding="utf-8") as lines, open(out, "w", encoding="utf-8") as chosen:
        for line in lines:
            code, source, length, text = line.rstrip("\n").split("\t")
            if seen[code, length] % every == 0:
                chosen.write("\t".join([code, source, length, mistaken(text, dice) if noise else text]) + "\n")
            seen[code, length] += 1


def held_whole(recipe):
    return set(re.findall(r"held ([^\s\",\]]+)", recipe.read_text(encoding="utf-8")))


def calibration(scores):
    """Expected calibration error of ours over ten bins, by length, over all texts."""
    errors = {}
    for length in scores.lengths:
        bins = defaultdict(list)
        for code, _, size, said, probability in scores.rows:
            if size == length:
                bins[min(9, int(probability * 10))].append((probability, right(code, said[0])))
        count = sum(map(len, bins.values()))
        errors[length] = sum(abs(sum(p - r for p, r in values)) for values in bins.values()) / count
    return errors


def report(facts, scores, recipe):
    """Everything that is printed, as one object."""
    per_length = lambda of: {str(length): of(length) for length in scores.lengths}
    first = [code for code in FIRST if code in scores.codes]
    held = held_whole(recipe)
    out = {"machine": machine(), "versions": facts["versions"], "texts": len(scores.rows), "languages": len(scores.codes),
           "common": len(scores.common), "calibration_error": per_length(lambda n: calibration(scores)[n]), "detectors": {}}
    for name in scores.detectors:
        groups = {"all": scores.codes, "its_own": scores.knows[name], "common": scores.common, "first": first}
        one = {group: {"languages": len(codes),
                       "macro": per_length(lambda n: scores.accuracy(name, n, codes)),
                       "micro": per_length(lambda n: scores.accuracy(name, n, codes, micro=True))}
               for group, codes in groups.items()}
        one["said_und_of_languages_here"] = per_length(lambda n: scores.unsure(name, n))
        one["und_of_never_seen"] = {"languages": scores.unknown(name, scores.lengths[-1])[1],
                                    **per_length(lambda n: scores.unknown(name, n)[0])}
        one["by_language"] = {code: per_length(lambda n: scores.accuracy(name, n, [code])) for code in scores.codes}
        one["sources_never_trained_on"] = per_length(lambda n: mean(scores.by_source(name, n, held.__contains__)))
        one["by_source"] = {k: per_length(lambda n: mean(scores.by_source(name, n, lambda s: kind(s) == k)))
                            for k in sorted({kind(row[1]) for row in scores.known_rows})}
        one["close"] = {}
        for title, codes in PAIRS.items():
            said = {}
            for a in codes:
                for b in codes:
                    if a != b:
                        of = {n: scores.counts[name][n][a][2] for n in scores.lengths}
                        said[f"{a} as {b}"] = per_length(lambda n: scores.confused[name][n, a, b] / of[n] if of[n] else None)
            one["close"][title] = {"accuracy": per_length(lambda n: scores.accuracy(name, n, codes)), **said}
        one["characters_per_s"] = facts["characters_per_s"][name]
        out["detectors"][name] = one
    return out


def print_tables(all_of_it, with_languages):
    names = list(all_of_it["detectors"])
    lengths = list(all_of_it["calibration_error"])
    of = all_of_it["detectors"]
    print(f"{all_of_it['machine']}; {all_of_it['texts']} texts, {all_of_it['languages']} languages; "
          f"CLD2 {all_of_it['versions']['cld2']} (full tables), libexttextcat {all_of_it['versions']['textcat']}\n")
    titles = [("all", "all languages"), ("its_own", "those it knows"), ("common", "those that all three know"),
              ("first", "those that matter most")]
    for average in ("macro", "micro"):
        rows = [[title, name, of[name][group]["languages"]] + [percent(of[name][group][average][n]) for n in lengths]
                for group, title in titles for name in names]
        table([f"{average} accuracy, %", "detector", "languages"] + lengths, rows)
        print()
    table(["", "detector"] + lengths,
          [['"und" of languages here, %', name] + [percent(of[name]["said_und_of_languages_here"][n]) for n in lengths]
           for name in names] +
          [[f'"und" of languages never seen, % ({of[name]["und_of_never_seen"]["languages"]})', name] +
           [percent(of[name]["und_of_never_seen"][n]) for n in lengths] for name in names] +
          [["sources never trained on, %", name] + [percent(of[name]["sources_never_trained_on"][n]) for n in lengths]
           for name in names] +
          [["million characters/s", name] + [f"{of[name]['characters_per_s'][n] / 1e6:.2f}" for n in lengths] for name in names])
    print("\nour expected calibration error:", ", ".join(f"{n}: {all_of_it['calibration_error'][n]:.3f}" for n in lengths), "\n")
    for title, _ in PAIRS.items():
        table([title + ", %", "detector"] + lengths,
              [[what, name] + [percent(value[n]) for n in lengths]
               for name in names for what, value in of[name]["close"][title].items()])
        print()
    table(["source, 50 characters, %" if "50" in lengths else "source, %"] + names,
          [[k] + [percent(of[name]["by_source"][k]["50" if "50" in lengths else lengths[0]]) for name in names]
           for k in of[names[0]]["by_source"]])
    if with_languages:
        print()
        table(["language"] + [f"{name} {n}" for name in names for n in lengths],
              [[code] + [percent(of[name]["by_language"][code][n]) for name in names for n in lengths]
               for code in of[names[0]]["by_language"]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder that the recipe's files lie in")
    parser.add_argument("--texts", type=Path, help="texts of one's own: code, source, length, text")
    parser.add_argument("--model", type=Path, help="default: the bundled one")
    parser.add_argument("--recipe", type=Path, default=ROOT / "models" / "recipes" / "langid.yaml")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th text of each language")
    parser.add_argument("--noise", action="store_true", help="with mistakes like those of reading: one character in twelve")
    parser.add_argument("--json", type=Path, help="write everything there, too")
    parser.add_argument("--languages", action="store_true", help="print a table of all languages, too")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    options = parser.parse_args()
    if bool(options.data) == bool(options.texts):
        parser.error("one of --data and --texts is needed")
    program = options.build / "bench" / "bench_langid"
    if not program.exists():
        print(f"SKIPPED, nothing was compared: {program} was not built, which takes libcld2-dev, libexttextcat-dev "
              "and libexttextcat-data (scripts/deps.sh)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        texts = options.texts
        if not texts:
            texts = Path(folder) / "held.tsv"
            subprocess.run([options.build / "vislang", "train", "langid", "--recipe", options.recipe, "--data", options.data,
                            "--held-out", texts], check=True)
        if options.noise or options.every > 1:
            rewrite(texts, Path(folder) / "chosen.tsv", options.every, options.noise)
            texts = Path(folder) / "chosen.tsv"
        facts, rows = ask(program, texts, options.model)
    all_of_it = report(facts, Scores(facts["detectors"], rows), options.recipe)
    if options.json:
        options.json.write_text(json.dumps(all_of_it, indent=1) + "\n")
    print_tables(all_of_it, options.languages)


if __name__ == "__main__":
    main()
