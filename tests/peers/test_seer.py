"""The network `seer` and its training against the same in PyTorch (tools/seer_torch.py).

usage: test_seer.py SEER_DUMP [VISLANG]; torch, numpy, PyYAML and PIL come from .venv
or the environment that VISLANG_PEERS names (scripts/deps.sh --peers torch). Without VISLANG
runs are not compared, only the network, its gradients and the tokenizer. Exit status 77: skipped.
"""
import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(ROOT, "tools", "seer_torch.py")
TOKENIZER = os.path.join(ROOT, "models", "seer-tokenizer.bpe")

sys.path.insert(0, os.path.join(ROOT, "scripts"))
import peers  # noqa: E402

try:
    import numpy as np
    import PIL.Image
    import torch
    import yaml  # noqa: F401
except ImportError:
    peers.become("torch", "numpy", "yaml", "PIL")

sys.path.insert(0, os.path.join(ROOT, "tools"))
import seer_torch  # noqa: E402
import seer_torch_data  # noqa: E402

DUMP = sys.argv[1]
VISLANG = sys.argv[2] if len(sys.argv) > 2 else None
torch.set_num_threads(1)
checks = 0


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        sys.exit(f"FAILED: {what}")


def torch_tool(*arguments):
    """seer_torch.py in this process; what it printed."""
    out = io.StringIO()
    sys.argv = [TOOL, *arguments]
    with contextlib.redirect_stdout(out):
        seer_torch.main()
    return out.getvalue()


def run(*arguments, **options):
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, **options).stdout


# ---- the network


def test_gradients(folder):
    checkpoint, dump = os.path.join(folder, "net.safetensors"), os.path.join(folder, "dump")
    for variant in (None, "ref"):
        environment = os.environ | ({"VISLANG_CPU": variant} if variant else {})
        run(DUMP, "net", checkpoint, dump, env=environment)
        out = torch_tool("check", "--checkpoint", checkpoint, "--dump", dump, "--limit", "1e-4")
        check(out.count("gradient ") > 80 and out.count("drawn ") > 80, "every weight compared")
    # The check itself: a gradient that is off by a thousandth of its size is noticed.
    arrays, metadata = seer_torch.safetensors_read(dump)
    wrong = {name: np.array(array) for name, array in arrays.items()}
    wrong["grad/conv1.0.filter.weight"] *= 1.001
    seer_torch.safetensors_write(dump, wrong, metadata)
    try:
        torch_tool("check", "--checkpoint", checkpoint, "--dump", dump)
        check(False, "a wrong gradient is noticed")
    except SystemExit as stop:
        check("relative error" in str(stop), f"a wrong gradient is named: {stop}")


# ---- the tokenizer

ALPHABETS = ((0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700),
             (0x900, 0xA00), (0xE00, 0xE80), (0x1000, 0x10A0), (0x1200, 0x1380), (0x1780, 0x1800),
             (0x2000, 0x2070), (0x3000, 0x3100), (0x4E00, 0x4F00), (0x1F300, 0x1F650))


def random_text(draw):
    letters = []
    for _ in range(draw.randrange(1, 12)):
        low, high = draw.choice(ALPHABETS)
        word = [chr(draw.randrange(low, high)) for _ in range(draw.choice((1, 3, 7, 40)))]
        # Characters newer than one side's Unicode tables are nobody's mistake.
        letters += [c for c in word if unicodedata.category(c) != "Cn"]
        letters += draw.choice((" ", "  ", "\t", "", " 1234 ", "\u00a0", "\u200d"))
    return "".join(letters)


def captions():
    """A thousand of the training data's, where the data is at hand."""
    path = os.path.join(os.environ.get("VISLANG_SEER_DATA", ""), "flickr-dev", "metadata.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    return [text.replace("\n", " ") for entry in entries for texts in entry["captions"].values()
            for text in texts][:1000]


def test_tokenizer(_):
    draw = random.Random(3)
    texts = [random_text(draw) for _ in range(1000)] + captions()
    for folder, _, names in os.walk(os.path.join(ROOT, "samples")):
        for name in sorted(n for n in names if n.endswith(".txt")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts += file.read().split("\n")
    texts += ["", " ", "  ", "   a", "a   ", "x" * 63 + "é" * 3, "1" * 70, " " * 130, "́" * 70,
              "\u200d", " \u0301a", "don't  stop\t\t now", "a\rb"]
    # The lines of a C program end in a line feed, and in nothing else.
    texts = [text.replace("\n", " ").replace("\0", "") for text in texts]
    out = run(DUMP, "ids", TOKENIZER, input="".join(t + "\n" for t in texts).encode())
    lines = out.decode().split("\n")[:-1]
    check(len(lines) == len(texts), "a line of ids for every text")
    tokenizer = seer_torch_data.Tokenizer(TOKENIZER)
    for text, line in zip(texts, lines):
        check(tokenizer.encode(text) == [int(i) for i in line.split()], f"ids of {text!r}")


# ---- runs

RECIPE = """model: seer
seed: 5
tokenizer: {tokenizer}
{init}architecture: {{picture: 32, widths: [16, 32, 64], blocks: [1, 1], kernel: 3, layers: 1, heads: 2,
  grid: 3, vocabulary: 8192, max_text: 24, text_layers: 1, mixed_layers: 1, text_heads: 2, vector: 32}}
labels: {{scene: [flood, fire, ordinary], orientation: ["0", "90"], "tiny": [red, green, blue]}}
sources:
  - {{name: thumbs, path: thumbs.tar, batch: 7, picture: 16, captions: 0, flip: true, crop: 0.3,
     colour: 0.3, erase: 0.5, labels: 1.0}}
  - {{name: photos, path: photos, batch: 8, picture: 32, captions: 2, questions: 0, statements: 1,
     derived: true, flip: true, crop: 0.4, colour: 0.3, erase: 0.5, caption: 1.0, contrast: 1.0,
     statement: 0.3, labels: 0.2}}
  - {{name: rooms, path: rooms, batch: 4, picture: 48, captions: 0, questions: 2, ask: 0.3}}
held_out:
  - {{name: photos, path: photos, batch: 4, picture: 32, captions: 1, questions: 0, statements: 1,
     caption: 1.0, contrast: 1.0, statement: 0.3}}
  - {{name: thumbs, path: thumbs.tar, batch: 5, picture: 16, captions: 0, labels: 0.3}}
  - {{name: rooms, path: rooms, batch: 4, picture: 32, captions: 0, questions: 4, ask: 0.3}}
training: {{steps: {steps}, warmup: {warmup}, rate: 0.002, final_rate: {final_rate}, decay: 0.05,
  clip: 1.0, smoothing: 0.1, word_dropout: 0.2, ema: 0.9, bf16: false, lanes: 2, micro_batch: 3,
  log_every: 1, evaluate_every: 3}}
"""


def picture(draw, side):
    """Smooth colours with a block in them."""
    y, x = np.mgrid[0:side, 0:side] / side
    channels = [draw.random() * 200 + 55 * np.sin(6 * (draw.random() * x + draw.random() * y))
                for _ in range(3)]
    pixels = np.stack(channels, -1).clip(0, 255).astype(np.uint8)
    at, size = draw.randrange(side // 2), side // 3
    pixels[at:at + size, at:at + size] = [draw.randrange(256) for _ in range(3)]
    return PIL.Image.fromarray(pixels)


def make_data(folder):
    """Squares of a side that both read as they are: 16 and 32 pixels, without loss."""
    draw = random.Random(4)
    words = "a red dog runs left over the wet street with 3 boats and an old fire".split()
    texts = {"fr": ["une maison à gauche .", "deux chiens"], "ar": ["كلب أحمر يجري", "بيت"],
             "zz": ["unknown tongue"]}

    def phrase():
        return " ".join(draw.choice(words) for _ in range(draw.randrange(3, 20)))

    def write(name, entries, side):
        os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, name, "metadata.jsonl"), "w", encoding="utf-8") as file:
            for i, entry in enumerate(entries):
                picture(draw, side).save(os.path.join(folder, name, f"{i}.png"))
                file.write(json.dumps({"file_name": f"{i}.png"} | entry) + "\n")
    write("photos", [{
        "captions": {"en": [phrase() for _ in range(1 + i % 3)]} | (texts if i % 2 else {}),
        "statements": [{"statement": phrase(), "true": i % 2 == 0}] if i % 3 else [],
        "derived_statements": [{"statement": phrase(), "true": bool(k % 2)} for k in range(i % 4)],
        "labels": {"scene": ["flood", "fire", "ordinary"][i % 3], "other": "x"} |
                  ({"orientation": 90 * (i % 2)} if i % 4 else {}),
    } for i in range(11)], 32)
    write("rooms", [{
        "qa": [{"question": phrase() + "?", "answer": ["book", "tape"][:1 + k % 2]}
               for k in range(1 + i % 3)],
        "captions": {"en": [phrase()]},
    } for i in range(6)], 32)
    with tarfile.open(os.path.join(folder, "thumbs.tar"), "w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(9):
            png = io.BytesIO()
            picture(draw, 16).save(png, "png")
            label = json.dumps({"labels": {"tiny": ["red", "green", "blue"][i % 3]}}).encode()
            for ending, content in (("png", png.getvalue()), ("json", label)):
                member = tarfile.TarInfo(f"t{i}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def write_recipe(folder, name, steps, constant=False, init=""):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(RECIPE.format(tokenizer=TOKENIZER, steps=steps, warmup=0 if constant else 2,
                                 final_rate=0.002 if constant else 0.0001,
                                 init=f"init: {init}\n" if init else ""))
    return path


def ours(folder, recipe, out):
    run(VISLANG, "train", "seer", "--recipe", recipe, "--data", os.path.join(folder, "data"),
        "--out", out, stderr=subprocess.DEVNULL)


def theirs(folder, recipe, out, *options, data_="data"):
    torch_tool("train", "--recipe", recipe, "--data", os.path.join(folder, data_), "--out", out,
               "--device", "cpu", "--workers", "0", "--store", "32", *options)


def log(out):
    with open(os.path.join(out, "log.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def same_logs(a, b, what, limit=1e-3, lines=None, but=()):
    a, b = log(a)[:lines], log(b)[:lines]
    check(len(a) == len(b), f"{what}: {len(a)} lines, and {len(b)}")
    for x, y in zip(a, b):
        check(set(x) == set(y), f"{what}: {x} and {y}")
        for key in set(x) - {"pictures_per_second", *but}:
            near = abs(x[key] - y[key]) <= limit * max(1, abs(y[key]))
            check(near, f"{what}: {key} is {x[key]} and {y[key]} in {x} and {y}")


def telling(name, array):
    """All but the biases of attention's keys: a softmax does not change with them, so their
    gradients are rounding errors, which Adam makes as long as any other."""
    if not name.endswith("kv.bias"):
        return array.astype(float).ravel()
    parts = np.split(array.astype(float), 3 if name.endswith("qkv.bias") else 2)
    return np.concatenate(parts[:-2] + parts[-1:])


def same_checkpoints(a, b, what):
    (x, at_x), (y, at_y) = (seer_torch.safetensors_read(os.path.join(out, "checkpoint.safetensors"))
                            for out in (a, b))
    check(at_x == at_y, f"{what}: metadata")
    check(set(x) == set(y), f"{what}: names")
    for name in x:
        check(x[name].shape == y[name].shape, f"{what}: shape of {name}")
        length = np.linalg.norm(telling(name, y[name]))
        error = np.linalg.norm(telling(name, x[name]) - telling(name, y[name]))
        check(error <= 0.01 * length + 1e-9,
              f"{what}: {name} is {error / max(length, 1e-30):.3g} of its length off")


def test_runs(folder):
    """The same steps, logs, evaluations and checkpoints; each goes on from the other's."""
    if not VISLANG:
        return
    path = {name: os.path.join(folder, name) for name in
            ("ours", "theirs", "mixed1", "long", "short", "mixed2", "ours-init", "theirs-init")}
    make_data(os.path.join(folder, "data"))
    recipe = write_recipe(folder, "recipe.yaml", 6)
    ours(folder, recipe, path["ours"])
    theirs(folder, recipe, path["theirs"])
    same_logs(path["theirs"], path["ours"], "a run")
    same_checkpoints(path["theirs"], path["ours"], "a run")

    theirs(folder, recipe, path["mixed1"], "--max-steps", "3")
    ours(folder, recipe, path["mixed1"])
    same_logs(path["mixed1"], path["ours"], "begun in PyTorch, ended by vislang")
    same_checkpoints(path["mixed1"], path["ours"], "begun in PyTorch, ended by vislang")

    long = write_recipe(folder, "long.yaml", 6, constant=True)
    ours(folder, long, path["long"])
    ours(folder, write_recipe(folder, "short.yaml", 3, constant=True), path["mixed2"])
    shutil.copy(long, os.path.join(path["mixed2"], "recipe.yaml"))
    theirs(folder, long, path["mixed2"])
    same_logs(path["mixed2"], path["long"], "begun by vislang, ended in PyTorch")
    same_checkpoints(path["mixed2"], path["long"], "begun by vislang, ended in PyTorch")

    weights = os.path.join(folder, "weights.safetensors")
    torch_tool("export", "--checkpoint", os.path.join(path["theirs"], "checkpoint.safetensors"),
               "--out", weights, "--part", "1")
    parts = sorted(name for name in os.listdir(folder) if name.startswith("weights.safetensors."))
    check(len(parts) > 1, "an export in parts")
    with open(weights, "wb") as joined:
        for part in parts:
            with open(os.path.join(folder, part), "rb") as file:
                joined.write(file.read())
    recipe = write_recipe(folder, "init.yaml", 1, init=weights)
    ours(folder, recipe, path["ours-init"])
    theirs(folder, recipe, path["theirs-init"])
    same_logs(path["theirs-init"], path["ours-init"], "begun from exported weights")


def test_pack(folder):
    """A run from a pack, on a machine without PyYAML: WebP's losses and nothing more."""
    if not VISLANG:
        return
    out = os.path.join(folder, "packed")
    torch_tool("pack", "--recipe", os.path.join(folder, "recipe.yaml"), "--data",
               os.path.join(folder, "data"), "--out", os.path.join(folder, "pack"), "--store",
               "32", "--quality", "95")
    block = "import sys, runpy; sys.modules['yaml'] = None; sys.argv = sys.argv[1:]; " \
            "sys.path.insert(0, sys.argv.pop(0)); runpy.run_path(sys.argv[0], run_name='__main__')"
    run(sys.executable, "-B", "-c", block, os.path.join(ROOT, "tools"), TOOL, "train", "--data",
        os.path.join(folder, "pack"), "--out", out, "--device", "cpu", "--max-steps", "1",
        "--workers", "1", "--threads", "1")
    same_logs(out, os.path.join(folder, "theirs"), "a run from a pack", limit=0.03, lines=1,
              but=("norm",))


with tempfile.TemporaryDirectory() as scratch:
    test_gradients(scratch)
    test_tokenizer(scratch)
    test_runs(scratch)
    test_pack(scratch)
print(f"{checks} comparisons with torch {torch.__version__}")
