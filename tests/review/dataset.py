"""A finished dataset as `vislang dataset build` leaves it (docs/dataset.md), small, of the bundled samples:
python3 dataset.py FOLDER [COUNT]"""
import hashlib
import json
import os
import shutil
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = [  # picture, language, script, a line of it, where it stands
    ("notice-swh.jpg", "swa", "Latn", "TANGAZO", [225, 78, 810, 66]),
    ("notice-ara.jpg", "ara", "Arab", "مدينة حلب", [200, 120, 400, 60]),
    ("notice-spa.png", "spa", "Latn", "AVISO", [90, 70, 280, 60]),
]


def size_of(path):
    """Width and height of a JPEG or PNG."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return struct.unpack(">II", data[16:24])
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    height, width = struct.unpack(">HH", data[at + 5:at + 9])
    return width, height


def add_picture(folder, path):
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    name = f"pictures/{digest[:2]}/{digest}{os.path.splitext(path)[1]}"
    os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
    shutil.copy(path, f"{folder}/{name}")
    return name


def item(number, page, picture, size, kind="text", base=None):
    name, language, script, text, box = page
    made = {
        "kind": kind, "split": "train", "id": f"{number:016x}", "picture": picture,
        "width": size[0], "height": size[1], "picture_kind": "page", "text": f"{text} {number}",
        "language": language, "script": script, "origin": "document", "score": 0.3 + number % 5 / 10,
        "region": box,
        "source": {"document": "ab" * 32, "record": f"dir/{name}", "url": f"https://example.org/{name}",
                   "title": name, "licence": "CC BY 4.0", "publisher": "Example", "published": "2025-01-02",
                   "page": 0, "part": 1, "text_part": 1, "dpi": 150, "ocr": True},
        "quality": {"ocr": 0.9, "alignment": 1, "language": 0.8, "length": 0.7, "duplicates": 1,
                    "readability": 0.2 * (number % 5)},
        "personal": {},
    }
    if base:
        made |= {"base": f"{base:016x}", "instruction": "What is written in this region?",
                 "instruction_language": "eng", "phrase": "eng.read.natural.1"}
    return made


def make(folder, count=12):
    """`count` passages, each with one example made of it."""
    os.makedirs(folder, exist_ok=True)
    pictures = [(page, add_picture(folder, f"{ROOT}/samples/{page[0]}"), size_of(f"{ROOT}/samples/{page[0]}"))
                for page in PAGES]
    with open(f"{folder}/items-00000.jsonl", "w", encoding="utf-8") as lines:
        for i in range(count):
            page, picture, size = pictures[i % len(pictures)]
            base = 0x100 * (i + 1)
            for one in (item(base, page, picture, size), item(base + 1, page, picture, size, "read", base)):
                lines.write(json.dumps(one, ensure_ascii=False) + "\n")
    with open(f"{folder}/documents.jsonl", "w", encoding="utf-8"):
        pass
    with open(f"{folder}/dataset.json", "w", encoding="utf-8") as about:
        about.write("{}\n")


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 12)
