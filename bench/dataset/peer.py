"""A dataset of text documents in Python, for bench/dataset/run.py: files are read and cut into passages of up to 1,200
characters, each passage's language is told (py3langid), telephone numbers and e-mail addresses are replaced (two regular
expressions), and it is sketched (datasketch: 128 permutations of its shingles of three words). One process then looks each up
in MinHashLSH (threshold 0.8), leaves near-duplicates out, and writes the rest as JSON lines.

usage: peer.py FOLDER OUT PROCESSES"""

import json
import re
import sys
import unicodedata
from multiprocessing import Pool
from pathlib import Path

import py3langid
from datasketch import MinHash, MinHashLSH

WORD = re.compile(r"[^\W_]+")
PHONE = re.compile(r"\+?\d[\d ().-]{7,}\d")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
PASSAGE = 1200  # as recipes have it


def passages(text):
    out = []
    for paragraph in text.split("\n\n"):
        paragraph = " ".join(paragraph.split())
        if out and len(out[-1]) + 1 + len(paragraph) <= PASSAGE:
            out[-1] += "\n" + paragraph
        elif paragraph:
            out.append(paragraph)
    return out


def read(path):
    made = []
    for number, text in enumerate(passages(path.read_text(encoding="utf-8"))):
        text = EMAIL.sub("[email]", PHONE.sub("[phone]", text))
        words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[i:i + 3]).encode() for i in range(max(1, len(words) - 2))])
        made.append((path.name, number, text, py3langid.classify(text)[0], sketch))
    return made


def main():
    folder, out, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    near, kept = MinHashLSH(threshold=0.8, num_perm=128), 0
    with Pool(processes) as pool, open(out, "w", encoding="utf-8") as lines:
        for made in pool.imap(read, sorted(folder.iterdir()), chunksize=50):
            for name, number, text, language, sketch in made:
                if near.query(sketch):
                    continue
                near.insert(kept, sketch)
                kept += 1
                lines.write(json.dumps({"document": name, "part": number, "language": language, "text": text},
                                       ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
