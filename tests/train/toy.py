"""A tiny problem to train on: plain colours and their names, and a network for them."""

import io
import json
import os
import struct
import subprocess
import tarfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
COLOURS = {"red": (220, 20, 20), "green": (20, 180, 30), "blue": (20, 40, 220),
           "yellow": (240, 230, 20), "black": (5, 5, 5), "white": (250, 250, 250),
           "orange": (250, 140, 0), "grey": (128, 128, 128)}

RECIPE = """model: seer
seed: {seed}
tokenizer: models/seer-tokenizer.bpe
{init}architecture: {{picture: 32, widths: [16, 32, 64], blocks: [1, 1], kernel: 3, layers: 1,
  heads: 2, grid: 2, vocabulary: 8192, max_text: 16, text_layers: 1, mixed_layers: 1,
  text_heads: 2, vector: 16}}
labels:
  colour: [red, green, blue, yellow, black, white, orange, grey]
sources:
  - {{name: folder, path: folder, batch: 6, picture: 32, captions: 1, questions: 1, statements: 1,
     flip: true, crop: 0.6, colour: 0.1, erase: 0.2,
     caption: 1, contrast: 1, ask: 0.5, statement: 0.5, labels: 0.5}}
  - {{name: tar, path: shard.tar, batch: 3, picture: 32, captions: 0, labels: 1}}
held_out:
  - {{name: folder, path: folder, batch: 8, picture: 32, captions: 1, caption: 1, contrast: 1}}
training: {{steps: {steps}, warmup: 2, rate: 0.002, smoothing: 0.1, dropout: {dropout}, drop_path: {dropout},
  word_dropout: 0.2, lanes: {lanes}, micro_batch: 2, log_every: {log_every}, evaluate_every: 5,
  checkpoint_minutes: {minutes}, max_broken: {max_broken}}}
"""


def png(rgb, side=32):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + bytes(rgb) * side) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def entries():
    names = list(COLOURS)
    for i, name in enumerate(names):
        yield f"{i}.png", png(COLOURS[name]), {
            "captions": {"en": [name]}, "labels": {"colour": name},
            "qa": [{"question": "which colour?", "answer": [name]}],
            "statements": [{"statement": f"it is {name}", "true": True},
                           {"statement": f"it is {names[(i + 1) % 8]}", "true": False}]}


def make_data(folder):
    """folder/ and shard.tar under `folder`."""
    folder = Path(folder)
    (folder / "folder").mkdir()
    with open(folder / "folder" / "metadata.jsonl", "w") as lines, \
            tarfile.open(folder / "shard.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, picture, facts in entries():
            (folder / "folder" / name).write_bytes(picture)
            lines.write(json.dumps({"file_name": name, **facts}) + "\n")
            for member, content in ((name, picture),
                                    (name.replace("png", "json"), json.dumps(facts).encode())):
                info = tarfile.TarInfo("s" + member)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def write_recipe(path, seed=3, steps=10, lanes=2, dropout=0.1, log_every=1, minutes=1000,
                 max_broken=0, init=None):
    Path(path).write_text(RECIPE.format(
        seed=seed, steps=steps, lanes=lanes, dropout=dropout, log_every=log_every,
        minutes=minutes, max_broken=max_broken, init=f"init: {init}\n" if init else ""))
    return path


def command(recipe, data, out):
    return [PROGRAM, "train", "--recipe", str(recipe), "--data", str(data), "--out", str(out)]


def vislang(*args, **options):
    options.setdefault("timeout", 300)
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, **options)


def read_checkpoint(path):
    """(metadata, {name: bytes}); raises when the file is not whole."""
    content = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__")
    body = content[8 + length:]
    tensors = {name: body[slice(*entry["data_offsets"])] for name, entry in header.items()}
    if sum(map(len, tensors.values())) != len(body):
        raise ValueError("a checkpoint of another length than it says")
    return metadata, tensors


def poison(path, weight):
    """The first number of a weight (and of its average) becomes NaN."""
    content = bytearray(Path(path).read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    for name in (weight, "average/" + weight):
        start = 8 + length + header[name]["data_offsets"][0]
        content[start:start + 4] = struct.pack("<f", float("nan"))
    Path(path).write_bytes(content)


def read_log(out):
    """The lines of a run's log without their speeds, which differ from run to run."""
    lines = [json.loads(line) for line in (Path(out) / "log.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("pictures_per_second", None)
    return lines
