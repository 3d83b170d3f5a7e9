#!/usr/bin/env python3
"""Parts a tar of lines (vislang dataset scan-lines) in two by a hash of where each was cut from, so that lines
of one item (with --by document: of one document) stay together: split_lines.py ALL.tar TRAIN.tar HOLD.tar
[--hold 15] [--by document]. `hold` percent are held."""
import argparse
import hashlib
import io
import json
import tarfile


def add(out, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    out.addfile(member, io.BytesIO(data))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("all")
    parser.add_argument("train")
    parser.add_argument("hold")
    parser.add_argument("--hold", dest="percent", type=int, default=15)
    parser.add_argument("--by", choices=["source", "document"], default="source")
    args = parser.parse_args()
    counts = [0, 0]
    with tarfile.open(args.all) as lines, tarfile.open(args.train, "w") as train, tarfile.open(args.hold, "w") as hold:
        picture = None
        for member in lines:
            data = lines.extractfile(member).read()
            if member.name.endswith(".png"):
                picture = data
                continue
            part = json.loads(data)[args.by]
            held = int(hashlib.sha256(part.encode()).hexdigest(), 16) % 100 < args.percent
            name = f"{counts[held]:06d}"
            counts[held] += 1
            add(hold if held else train, name + ".png", picture)
            add(hold if held else train, name + ".json", data)
    print(f"{counts[0]} lines to train on, {counts[1]} held")


if __name__ == "__main__":
    main()
