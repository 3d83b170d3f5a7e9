"""How far reviewers agree, against Python's krippendorff: verdicts that three people give by chance, with many missing, overall and by language.

usage: test_agreement.py VISLANG; the packages come from .venv or the environment that VISLANG_PEERS names
(scripts/deps.sh --peers). Exit status 77: skipped."""
import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, os.path.join(ROOT, "tests", "review"))
import peers  # noqa: E402

try:
    import krippendorff
    import numpy as np
except ImportError:
    peers.become("krippendorff", "numpy")

PROGRAM = sys.argv[1]
os.environ["VISLANG_PROGRAM"] = PROGRAM
import dataset  # noqa: E402
from test_review import Service, decision  # noqa: E402

WHO = ("amina", "jonas", "carla")
ITEMS = 60


def distance(a, b):
    """Levenshtein over the longer one's length."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1] / max(len(a), len(b), 1)


def spoil(text, chance):
    """Some letters exchanged."""
    return "".join(chance.choice("abcdefgh") if letter != " " and chance.random() < 0.3 else letter for letter in text)


def decide(items, chance):
    """Decisions by reviewer, and two tables [reviewer][item] of what they say, NaN where nothing."""
    verdicts, distances = (np.full((len(WHO), len(items)), np.nan) for _ in range(2))
    made = {who: [] for who in WHO}
    for i, item in enumerate(items):
        usual = chance.randrange(3)
        for w, who in enumerate(WHO):
            if chance.random() < 0.3:
                continue
            verdict = usual if chance.random() < 0.7 else chance.randrange(3)
            text = spoil(item["text"], chance)
            if verdict == 1 and text == item["text"]:
                verdict = 0
            verdicts[w, i] = verdict
            if verdict < 2:
                distances[w, i] = distance(item["text"], text) if verdict else 0
            made[who].append(decision(item["id"], ("accepted", "corrected", "rejected")[verdict],
                                      **({"text": text} if verdict == 1 else {"reason": "other"} if verdict == 2 else {})))
    return made, verdicts, distances


def check(ours, table, level, what):
    theirs = krippendorff.alpha(table, level_of_measurement=level)
    if abs(ours["alpha"] - theirs) > 5.1e-5:  # ours is rounded to four places
        sys.exit(f"FAILED: {what}: {ours['alpha']} here, {theirs} there")
    units = int(np.sum(np.sum(~np.isnan(table), axis=0) > 1))
    if ours["units"] != units or not ours["low"] <= ours["alpha"] <= ours["high"]:
        sys.exit(f"FAILED: {what}: {ours}, {units} units")
    print(f"{what}: {theirs:.4f} ({ours['low']:.4f} … {ours['high']:.4f}), {units} units")


def main():
    with tempfile.TemporaryDirectory() as folder:
        dataset.make(folder, ITEMS)
        with open(f"{folder}/items-00000.jsonl", encoding="utf-8") as lines:
            items = [json.loads(line) for line in lines]
        made, verdicts, distances = decide(items, random.Random(7))
        with Service(folder, *(word for who in WHO for word in ("--reviewer", who))) as service:
            for who in WHO:
                if set(service.decide(*made[who], who=who)) != {"stored"}:
                    sys.exit(f"FAILED: not all that {who} decided is stored")
        found = json.loads(subprocess.run([PROGRAM, "dataset", "review", folder, "--agreement", "--json"], check=True,
                                          stdout=subprocess.PIPE, text=True).stdout)
        languages = np.array([item["language"] for item in items])
        groups = [("overall", found["overall"], np.full(len(items), True))]
        groups += [(code, found["languages"][code], languages == code) for code in sorted(set(languages))]
        for name, ours, columns in groups:
            check(ours["verdicts"], verdicts[:, columns], "nominal", f"{name}, verdicts")
            check(ours["texts"], distances[:, columns], "interval", f"{name}, texts")


main()
