"""Datasets and their exports, for tests: what an export is to say, from the dataset itself."""
import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORMATS = ("imagefolder", "jsonl", "webdataset", "coco", "llava")
SPLITS = ("train", "validation", "test")
# What Arrow takes for a time has a space behind it, so that it stays a string.
TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:\d\d){0,2})?(Z|[+-]\d\d(:?\d\d)?)?")


class Tools:
    def __init__(self, vislang, write_dataset):
        self.vislang, self.write_dataset = vislang, write_dataset

    def make(self, folder, what):
        subprocess.run([self.write_dataset, ROOT / "samples", folder, str(what)], check=True)
        return Path(folder)

    def run(self, dataset, layout, out, *more, **options):
        return subprocess.run([self.vislang, "dataset", "export", dataset, "--format", layout, "--out", out,
                               *map(str, more)], capture_output=True, text=True, timeout=300, **options)

    def export(self, dataset, layout, out, *more):
        """The report; the export is at `out`."""
        done = self.run(dataset, layout, out, "--json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def written(text):
    return text + " " if TIME.fullmatch(text) else text


def words(text):
    """As LLaVA's conversations have a text."""
    return text.replace("<image>", "< image>")


def lines(path):
    """Rows, cut at line ends only as every reader cuts them, the most careless too."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def items(dataset):
    """What is to be exported, with strings that are not there empty: [(base, [example])]."""
    groups, rejected = [], set()
    for path in sorted(Path(dataset).glob("items-*.jsonl")):
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                item = json.loads(line)
                for key in ("base", "picture", "text", "instruction", "language", "review", "picture_kind"):
                    item.setdefault(key, "")
                if item["review"] == "rejected" or item["base"] in rejected:
                    rejected.add(item["id"])
                elif item["base"]:
                    groups[-1][1].append(item)
                else:
                    groups.append((item, []))
    return groups
