#!/usr/bin/python3
"""make_seer_data.py — lays out pictures and what is known of them for `vislang train`.

  tools/make_seer_data.py --photos DIR [--pages DIR] --out DIR [--seed N] [--only SET,…]

Reads the photo sets (flickr8k, daquar, crisis, tiny-imagenet-32) and the pages that make_pages
rendered; writes directories in the imagefolder convention (pictures + metadata.jsonl) and, for
the thumbnails, WebDataset tar shards (<key>.png and <key>.json side by side). docs/seer-data.md
says what each set holds, how it was split, and what each metadata key means.

Same input, same seed: the same bytes. Pictures are hard links where the file system allows it.
Needs Debian's python3-pil and python3-numpy, hence the interpreter above.

In reading order: perceptual hashes and clusters, splits, writers, one function per set, main.
"""

import argparse
import hashlib
import io
import json
import math
import os
import re
import shutil
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import caption_consensus
import caption_statements
import numpy
from PIL import Image

TILE = 32  # pixels a side, of a thumbnail in a contact sheet
SHEET_COLUMNS = 16
FLICKR_HELD_OUT = 200
NEAR_DUPLICATE = 6  # Hamming distance of two 64-bit hashes of one photo
SAME_ROOM = 10
SAME_SCENE = 12
ROOM_NEIGHBOURS = 3  # frames of one room stand at most so many numbers apart …
ROOM_COLOURS = 0.5  # … and share at least so much of their colour histograms
BAND_DEGREES = 0.01  # width of a longitude band, about one kilometre
BAND_MARGIN = 0.001  # training tiles nearer than this to a development band are left out

# Crisis labels → (name in the taxonomy, taken from the air). The web photos of forests with and
# without fire are mostly taken from the ground; their source does not say which are from drones.
CRISIS_LABELS = {
    "fire": ("fire", False),
    "forest_no_fire": ("ordinary", False),
    "flood": ("flood", True),
    "storm_damage_satellite": ("storm_damage", True),
    "no_damage_satellite": ("ordinary", True),
}


# ---- perceptual hashes and clusters


def _dct_matrix(size):
    k = numpy.arange(size)
    return numpy.cos(math.pi * (2 * k[None, :] + 1) * k[:, None] / (2 * size))


_DCT = _dct_matrix(32)


def perceptual_hash(picture):
    """64-bit DCT hash: the 8 × 8 lowest frequencies of the picture at 32 × 32 grey, each
    compared with their median (the constant one left out of the median). Returns a uint64."""
    grey = numpy.asarray(picture.convert("L").resize((32, 32), Image.BOX), dtype=float)
    low = (_DCT @ grey @ _DCT.T)[:8, :8].ravel()
    bits = low > numpy.median(low[1:])
    return numpy.packbits(bits).view(">u8")[0].astype(numpy.uint64)


def mirrored(code):
    """The hash of the same picture seen in a mirror: odd horizontal frequencies change sign."""
    return numpy.uint64(int(code) ^ 0x5555555555555555)


def colour_histogram(picture):
    """Shares of 8 × 8 × 8 colours, summing to 1."""
    pixels = numpy.asarray(picture.convert("RGB").resize((96, 96), Image.BOX)).astype(int) >> 5
    index = pixels[..., 0] * 64 + pixels[..., 1] * 8 + pixels[..., 2]
    return numpy.bincount(index.ravel(), minlength=512) / index.size


def hamming(a, b):
    """Distances [len(a), len(b)] between two vectors of uint64 hashes."""
    ones = numpy.array([bin(i).count("1") for i in range(1 << 16)], dtype=numpy.uint8)
    distance = numpy.zeros((len(a), len(b)), dtype=numpy.uint8)
    for shift in (0, 16, 32, 48):
        part = lambda v: ((v >> numpy.uint64(shift)) & numpy.uint64(0xFFFF)).astype(
            numpy.uint16
        )
        distance += ones[part(a)[:, None] ^ part(b)[None, :]]
    return distance


def clusters(count, pairs):
    """Union-find: the list of member lists when every pair is joined, in order of first member."""
    parent = list(range(count))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in pairs:
        a, b = root(i), root(j)
        parent[max(a, b)] = min(a, b)
    members = {}
    for i in range(count):
        members.setdefault(root(i), []).append(i)
    return list(members.values())


def near_pairs(codes, limit):
    """Pairs (i, j) whose hashes, or the hash of one and of the other's mirror image, differ in at
    most `limit` bits."""
    flipped = numpy.array([mirrored(c) for c in codes], dtype=numpy.uint64)
    pairs = []
    for start in range(0, len(codes), 500):
        rows = codes[start : start + 500]
        near = (hamming(rows, codes) <= limit) | (hamming(rows, flipped) <= limit)
        pairs += [(start + i, j) for i, j in numpy.argwhere(near) if start + i < j]
    return pairs


def hashes(paths):
    codes = []
    for path in paths:
        with Image.open(path) as picture:
            codes.append(perceptual_hash(picture))
    return numpy.array(codes, dtype=numpy.uint64)


# ---- splits


def draw(seed, *what):
    """A number in [0, 1) that depends on the seed and the names alone."""
    text = ":".join([str(seed), *map(str, what)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def hold_out(groups, wanted, seed, what):
    """Whole groups of indices, in drawn order, until `wanted` members are held; returns a set.
    A group that would overshoot by more than a tenth is passed over."""
    held = set()
    for group in sorted(groups, key=lambda g: draw(seed, what, g[0])):
        if len(held) >= wanted:
            break
        if len(held) + len(group) <= wanted * 1.1:
            held.update(group)
    return held


def longitude(row):
    match = re.search(r"/(-?\d+(?:\.\d+)?)_(-?\d+(?:\.\d+)?)\.", row["original"])
    if not match:
        raise ValueError(f"no coordinates in {row['original']!r}")
    return float(match.group(1))


def split_by_longitude(rows, share, seed):
    """{index: "train" | "dev" | None} for satellite tiles. Bands are drawn until each label has
    its share in dev; None stands for training tiles that touch a development band."""
    where = [longitude(row) for row in rows]
    bands = {}
    for i, degrees in enumerate(where):
        bands.setdefault(math.floor(degrees / BAND_DEGREES), []).append(i)
    total = Counter(row["label"] for row in rows)
    held, in_dev = set(), Counter()
    for band in sorted(bands, key=lambda b: draw(seed, "band", b)):
        labels = Counter(rows[i]["label"] for i in bands[band])
        if all(in_dev[k] + n <= 1.1 * share * total[k] for k, n in labels.items()):
            held.add(band)
            in_dev += labels
    split = {}
    for i, degrees in enumerate(where):
        band = math.floor(degrees / BAND_DEGREES)
        touching = {
            math.floor((degrees + d) / BAND_DEGREES) for d in (-BAND_MARGIN, BAND_MARGIN)
        }
        split[i] = "dev" if band in held else None if touching & held else "train"
    return split


# ---- writers


def read_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def link(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system, or a source we may not link to
        shutil.copyfile(source, target)


class Report:
    """Counts per set, printed as one table at the end."""

    def __init__(self):
        self.sets = {}

    def add(self, name, rows, note=""):
        counts = Counter()
        for row in rows:
            counts["pictures"] += 1
            for language, captions in row.get("captions", {}).items():
                counts[f"captions.{language}"] += len(captions)
            counts["qa"] += len(row.get("qa", []))
            for one in row.get("derived_qa", []):
                counts[f"derived_qa.{one['kind']}"] += 1
            for key in ("statements", "derived_statements"):
                for one in row.get(key, []):
                    kind = f".{one['kind']}" if "kind" in one else ""
                    counts[f"{key}{kind}.{'true' if one['true'] else 'false'}"] += 1
            for group, label in row.get("labels", {}).items():
                if group != "tiny":
                    counts[f"{group}={label}"] += 1
            if "aerial" in row:
                counts["aerial"] += row["aerial"]
        classes = {row["labels"]["tiny"] for row in rows if "tiny" in row.get("labels", {})}
        counts["tiny classes"] += len(classes)
        self.sets[name] = ({k: n for k, n in counts.items() if n}, note)

    def print(self):
        for name, (counts, note) in self.sets.items():
            print(f"{name:<16}{note}")
            for key, count in sorted(counts.items()):
                print(f"    {key:<28}{count:>8}")


def write_folder(out, name, rows, report, note=""):
    """`rows`: metadata with "_source", the picture's path, which is not written."""
    folder = out / name
    folder.mkdir(parents=True)
    with open(folder / "metadata.jsonl", "w", encoding="utf-8") as lines:
        for row in rows:
            target = folder / row["file_name"]
            target.parent.mkdir(parents=True, exist_ok=True)
            link(row["_source"], target)
            plain = {k: v for k, v in row.items() if k != "_source"}
            lines.write(json.dumps(plain, ensure_ascii=False) + "\n")
    report.add(name, rows, note)


class Shard:
    """A WebDataset tar: members of one sample share a key and stand side by side."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)

    def _add(self, name, payload):
        info = tarfile.TarInfo(name)
        info.size = len(payload)
        info.mode = 0o644
        self.tar.addfile(info, io.BytesIO(payload))

    def add(self, key, picture, metadata):
        png = io.BytesIO()
        picture.save(png, "PNG")
        self._add(f"{key}.png", png.getvalue())
        self._add(f"{key}.json", json.dumps(metadata, ensure_ascii=False).encode())

    def close(self):
        self.tar.close()


# ---- the sets


def tiles(sheet, count):
    """The first `count` tiles of a contact sheet, row by row."""
    for k in range(count):
        x, y = k % SHEET_COLUMNS * TILE, k // SHEET_COLUMNS * TILE
        yield sheet.crop((x, y, x + TILE, y + TILE))


def make_thumbs(photos, out, seed, report):
    """One in twenty thumbnails goes to dev, by a hash of its name. The order is shuffled, because
    a tar is read from its start and one class after the other would teach nothing."""
    jobs = []
    for path in sorted((photos / "tiny-imagenet-32").glob("*.jpg")):
        label, _, count = path.stem.rsplit("_", 2)
        jobs += [(draw(seed, "tile", path.stem, k), path, label, k) for k in range(int(count))]
    sheets = {}
    for path in {job[1] for job in jobs}:
        with Image.open(path) as sheet:
            rgb = sheet.convert("RGB")
        sheets[path] = list(tiles(rgb, int(path.stem.rsplit("_", 1)[1])))
    shards = {split: Shard(out / f"thumbs-{split}.tar") for split in ("train", "dev")}
    rows = {"train": [], "dev": []}
    for where, path, label, k in sorted(jobs, key=lambda job: job[0]):
        split = "dev" if draw(seed, "tile split", path.stem, k) < 0.05 else "train"
        row = {"labels": {"tiny": label}}
        shards[split].add(f"{path.stem}_{k:03d}", sheets[path][k], row)
        rows[split].append(row)
    for split in shards:
        shards[split].close()
        report.add(f"thumbs-{split}.tar", rows[split])


def read_flickr(photos, split, seed):
    folder = photos / "flickr8k" / split
    rows = read_jsonl(folder / "metadata.jsonl")
    for row in rows:
        row["_source"] = folder / row["file_name"]
        row["labels"] = {"scene": "ordinary"}
    return rows


def join_statements(rows, statements, split):
    """Statements go to pictures of their own split; returns how many lines found no picture."""
    by_name = {row["file_name"]: row for row in rows}
    lost = 0
    for line in statements:
        if line["split"] != split:
            continue
        row = by_name.get(line["file_name"])
        if row is None:
            lost += 1
        else:
            row.setdefault("statements", []).extend(line["statements"])
    return lost


def rank_captions(rows):
    """Puts the captions of each language in the order of their consensus."""
    for language in sorted({language for row in rows for language in row["captions"]}):
        mine = [row for row in rows if language in row["captions"]]
        ranked = caption_consensus.ranked([row["captions"][language] for row in mine])
        for row, captions in zip(mine, ranked):
            row["captions"][language] = captions


def make_flickr(photos, out, seed, report):
    train, dev = (read_flickr(photos, split, seed) for split in ("train", "dev"))
    statements = read_jsonl(photos / "flickr8k" / "statements.jsonl")
    codes = hashes([row["_source"] for row in train])
    dev_codes = hashes([row["_source"] for row in dev])
    flipped = numpy.array([mirrored(c) for c in dev_codes], dtype=numpy.uint64)
    near = numpy.minimum(hamming(codes, dev_codes), hamming(codes, flipped)).min(axis=1)
    kept = [i for i in range(len(train)) if near[i] > NEAR_DUPLICATE]
    notes = {"train": f"{len(train) - len(kept)} near a dev photo left out"}
    train, kept_codes = [train[i] for i in kept], codes[kept]
    groups = clusters(len(train), near_pairs(kept_codes, NEAR_DUPLICATE))
    held = hold_out(groups, FLICKR_HELD_OUT, seed, "flickr")
    lost = join_statements(train, statements, "train") + join_statements(dev, statements, "dev")
    parts = {
        "train": [row for i, row in enumerate(train) if i not in held],
        "dev": dev,
        "hold": [row for i, row in enumerate(train) if i in held],
    }
    notes["dev"] = f"{lost} statement lines without a picture"
    notes["hold"] = f"{len(groups)} clusters in train and hold"
    for split, rows in parts.items():
        derived = caption_statements.derive([row["captions"]["en"] for row in rows], seed)
        for row, (asked, told) in zip(rows, derived):
            row["derived_qa"], row["derived_statements"] = asked, told
        if split == "train":
            rank_captions(rows)
        write_folder(out, f"flickr-{split}", rows, report, notes[split])


def make_daquar(photos, out, seed, report):
    """Rooms are never on both sides: frames are numbered room by room, so near numbers with like
    colours are one room, and so are near hashes."""
    folder = photos / "daquar" / "train"
    rows = read_jsonl(folder / "metadata.jsonl")
    for row in rows:
        row["_source"] = folder / row["file_name"]
    number = [int(re.search(r"\d+", row["file_name"]).group()) for row in rows]
    colours = []
    for row in rows:
        with Image.open(row["_source"]) as picture:
            colours.append(colour_histogram(picture))
    pairs = near_pairs(hashes([row["_source"] for row in rows]), SAME_ROOM)
    at = {n: i for i, n in enumerate(number)}
    for i, n in enumerate(number):
        for step in range(1, ROOM_NEIGHBOURS + 1):
            j = at.get(n + step)
            if j is not None and numpy.minimum(colours[i], colours[j]).sum() >= ROOM_COLOURS:
                pairs.append((i, j))
    groups = clusters(len(rows), pairs)
    held = hold_out(groups, 0.15 * len(rows), seed, "daquar")
    for split, keep in (("train", False), ("dev", True)):
        part = [row for i, row in enumerate(rows) if (i in held) == keep]
        write_folder(out, f"daquar-{split}", part, report, f"{len(groups)} rooms in all")


def make_crisis(photos, out, seed, report):
    rows = read_jsonl(photos / "crisis" / "metadata.jsonl")
    ground = [row for row in rows if not row["label"].endswith("_satellite")]
    above = [row for row in rows if row["label"].endswith("_satellite")]
    for row in rows:
        row["_source"] = photos / "crisis" / row["file_name"]
    groups = clusters(
        len(ground), near_pairs(hashes([r["_source"] for r in ground]), SAME_SCENE)
    )
    held = set()
    for label in sorted({row["label"] for row in ground}):
        own = [g for g in groups if ground[g[0]]["label"] == label]
        held |= hold_out(own, 0.15 * sum(map(len, own)), seed, label)
    bands = split_by_longitude(above, 0.15, seed)
    parts = {"train": [], "dev": []}
    for i, row in enumerate(ground):
        parts["dev" if i in held else "train"].append(row)
    for i, row in enumerate(above):
        if bands[i]:
            parts[bands[i]].append(row)
    for row in rows:
        scene, aerial = CRISIS_LABELS[row["label"]]
        row["labels"] = {"scene": scene}
        row["aerial"] = aerial
        row["origin_label"] = row.pop("label")
    dropped = sum(1 for split in bands.values() if split is None)
    for split, part in parts.items():
        write_folder(
            out, f"crisis-{split}", part, report, f"{dropped} tiles at bands' edges left out"
        )


def make_pages(pages, out, report):
    """What make_pages rendered is split by text file already; it is only linked."""
    for split in ("train", "dev"):
        rows = read_jsonl(pages / split / "metadata.jsonl")
        for row in rows:
            row["_source"] = pages / split / row["file_name"]
        write_folder(out, f"pages-{split}", rows, report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photo sets")
    parser.add_argument("--pages", type=Path, help="what make_pages wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="some of thumbs,flickr,daquar,crisis,pages")
    args = parser.parse_args()
    makers = {
        "thumbs": make_thumbs,
        "flickr": make_flickr,
        "daquar": make_daquar,
        "crisis": make_crisis,
    }
    every = [*makers, "pages"] if args.pages else [*makers]
    wanted = [name for name in args.only.split(",") if name] or every
    unknown = [name for name in wanted if name not in makers and name != "pages"]
    if unknown or ("pages" in wanted and not args.pages):
        parser.error(
            f"no such set: {', '.join(unknown)}" if unknown else "pages need --pages DIR"
        )
    targets = [p for name in wanted for p in args.out.glob(f"{name}-*")]
    if targets:
        parser.error(f"{targets[0]} exists; name an empty --out")
    args.out.mkdir(parents=True, exist_ok=True)
    report = Report()
    for name in wanted:
        start = time.monotonic()
        if name == "pages":
            make_pages(args.pages, args.out, report)
        else:
            makers[name](args.photos, args.out, args.seed, report)
        print(f"{name}: {time.monotonic() - start:.1f} s", file=sys.stderr)
    report.print()


if __name__ == "__main__":
    main()
