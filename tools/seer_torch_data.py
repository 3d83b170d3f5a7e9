"""seer_torch_data.py — recipes, samples and training steps for tools/seer_torch.py.

Mirrors src/train/{recipe,samples,feed,augment}.c and src/text/bpe*.c: the same recipe keys, the
same pictures, texts and random choices for a step (they follow from the recipe's seed and the
step's number), so that a step here is a step there. Two things differ: a picture is kept as a
square of at most --store pixels, and crops are taken from that; and a source is one piece, not
many micro-batches.

A pack is a folder that a machine without the data can train from: index.json.gz (the recipe, and
of each picture its size, labels and texts as token ids) and contact sheets of the squares,
<set>-<number>.webp. Reading one needs PIL or torchvision, and no PyYAML.

In reading order: random numbers, tokenizer, recipe, samples, pictures, packs, plans of steps,
augmentation. Needs numpy and torch; PyYAML for recipes, PIL for pictures.
"""

import concurrent.futures
import functools
import gzip
import io
import json
import math
import os
import tarfile
import unicodedata

import numpy as np
import torch

TASKS = ("caption", "contrast", "ask", "statement", "labels")
CAPTION, CONTRAST, ASK, STATEMENT, LABELS = range(5)


class Problem(Exception):
    """Something the user can mend; shown as it is."""


# ---- random numbers: splitmix64 (Steele, Lea and Flood 2014), as arrays

GOLDEN, MIX1, MIX2 = (np.uint64(x) for x in
                      (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def random_bits(state, count):
    """The next `count` numbers of each state: uint64 [..., count]."""
    z = np.asarray(state, np.uint64)[..., None] + GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * MIX1
    z = (z ^ (z >> np.uint64(27))) * MIX2
    return z ^ (z >> np.uint64(31))


def random_uniform(state, count):
    """In [0,1)."""
    return (random_bits(state, count) >> np.uint64(11)).astype(np.float64) / 9007199254740992.0


def seed_of(seed, a, b, c):
    """feed.c's seed of a choice; `b` may be an array."""
    a, b, c, seed = (np.asarray(x, np.uint64) for x in (a, b, c, seed))
    three, five, seven = np.uint64(3), np.uint64(5), np.uint64(7)
    one, two = np.uint64(1), np.uint64(2)
    state = np.atleast_1d(seed ^ random_bits(np.atleast_1d(a * three + one), 1)[..., 0])
    state = state ^ random_bits(state + np.atleast_1d(b) * five + two, 1)[..., 0]
    return random_bits(state + c * seven + three, 1)[..., 0]


# ---- tokenizer (src/text/bpe.c, bpe_words.c)

LETTER, DIGIT, OTHER, SPACE, MARK = range(5)
WORD_BYTES = 64
WHITE = set("\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in
                                                                   range(0x2000, 0x200B)}


@functools.lru_cache(maxsize=None)
def kind_of(c):
    if c < "\x80":
        if c.isalpha():
            return LETTER
        return DIGIT if c.isdigit() else SPACE if c in " \t\n\v\f\r" else OTHER
    if c in "\u200c\u200d":
        return MARK
    category = unicodedata.category(c)
    if category[0] in "ML":
        return MARK if category[0] == "M" else LETTER
    if category == "Nd":
        return DIGIT
    return SPACE if c in WHITE else OTHER


def space_end(text, sizes, at):
    """End of the white space from `at`, less a last U+0020 that the next word takes."""
    start, used, kinds_end = at, 0, len(text)
    while at < kinds_end and kind_of(text[at]) == SPACE:
        if used + sizes[at] > WORD_BYTES:
            return at
        used += sizes[at]
        at += 1
    gives = at < kinds_end and at - 1 > start and text[at - 1] == " "
    return at - 1 if gives else at


def word_end(text, sizes, start):
    """Where the word that begins at `start` ends; both in characters."""
    at = start + (text[start] == " ")
    if at == len(text):
        return at
    first = kind_of(text[at])
    if first == SPACE:
        return space_end(text, sizes, start)
    first = LETTER if first == MARK else first
    used, digits, cut = at - start, 0, start
    cut_bytes = 0
    kind = first
    while kind in (first, MARK):
        if kind != MARK:
            if kind == DIGIT:
                digits += 1
                if digits > 3:
                    break
            cut, cut_bytes = at, used
        if used + sizes[at] > WORD_BYTES:
            return cut if cut_bytes > 1 else at
        used += sizes[at]
        at += 1
        if at == len(text):
            break
        kind = kind_of(text[at])
    return at


class Tokenizer:
    """A vislang-bpe file. Text is valid Unicode here (bytes that are no UTF-8 are C's alone)."""

    def __init__(self, path):
        with open(path, encoding="ascii", newline="\n") as file:
            lines = file.read().split("\n")
        if lines[0] != "vislang-bpe 1":
            raise Problem(f"{path}: not a tokenizer file")
        count = int(lines[1].split()[1])
        names = lines[2:2 + count]
        merges = int(lines[2 + count].split()[1])
        self.specials = {name: i for i, name in enumerate(names)}
        self.first = count
        self.pairs = {}
        for i, line in enumerate(lines[3 + count:3 + count + merges]):
            left, right = line.split()
            self.pairs[int(left), int(right)] = count + 256 + i
        self.size = count + 256 + merges
        self.words = {}

    def encode_word(self, word):
        ids = [self.first + b for b in word]
        none = self.size
        while len(ids) > 1:
            made = [self.pairs.get(pair, none) for pair in zip(ids, ids[1:])]
            best = min(made)
            if best == none:
                break
            at = made.index(best)
            ids[at:at + 2] = [best]
        return ids

    def encode(self, text):
        sizes = [len(c.encode("utf-8", "surrogatepass")) for c in text]
        ids, at = [], 0
        while at < len(text):
            end = word_end(text, sizes, at)
            word = text[at:end]
            if word not in self.words:
                self.words[word] = self.encode_word(word.encode("utf-8", "surrogatepass"))
            ids += self.words[word]
            at = end
        return ids


# ---- recipe (src/train/recipe.c)

ARCHITECTURE = {"picture": 192, "widths": [64, 128, 256], "blocks": [2, 2], "kernel": 5,
                "layers": 6, "heads": 4, "grid": 12, "vocabulary": 8192, "max_text": 64,
                "text_layers": 2, "mixed_layers": 3, "text_heads": 4, "vector": 256}
SOURCE = {"name": "", "path": "", "batch": 16, "picture": 192, "captions": 1, "questions": 1,
          "statements": 1, "derived": False, "flip": False, "crop": 1.0, "colour": 0.0,
          "erase": 0.0, "caption": 0.0, "contrast": 0.0, "ask": 0.0, "statement": 0.0,
          "labels": 0.0}
TRAINING = {"steps": 1000, "warmup": 100, "rate": 1e-3, "final_rate": 1e-5, "decay": 0.05,
            "beta1": 0.9, "beta2": 0.98, "clip": 1.0, "smoothing": 0.0, "dropout": 0.0,
            "drop_path": 0.0, "word_dropout": 0.0, "ema": 0.999, "bf16": False, "lanes": 2,
            "micro_batch": 8, "checkpoint_minutes": 10.0, "log_every": 20, "evaluate_every": 0,
            "patience": 0, "max_broken": 0.01}


def value_like(default, text, name):
    try:
        if isinstance(default, list):
            if len(text) != len(default):
                raise ValueError
            return [int(item) for item in text]
        if isinstance(default, bool):
            return {"true": True, "false": False}[text]
        if isinstance(default, str):
            return text
        number = float(text)
        return number if isinstance(default, float) else int(number)
    except (ValueError, KeyError, TypeError):
        raise Problem(f"recipe: {name}: '{text}' cannot be") from None


def filled(defaults, given, where):
    unknown = set(given) - set(defaults)
    if unknown:
        raise Problem(f"recipe: {where}: unknown key '{sorted(unknown)[0]}'")
    return {key: value_like(default, given[key], key) if key in given else default
            for key, default in defaults.items()}


class Recipe:
    """What a recipe says. `text`: as written; `tree`: its mappings and lists of strings."""

    def __init__(self, text, tree):
        if not isinstance(tree, dict):
            raise Problem("not a recipe (a YAML mapping)")
        known = {"model", "seed", "tokenizer", "init", "architecture", "labels", "sources",
                 "held_out", "training"}
        if set(tree) - known:
            raise Problem(f"recipe: unknown key '{sorted(set(tree) - known)[0]}'")
        if tree.get("model", "seer") != "seer":
            raise Problem("recipe: model: only 'seer' can be trained so")
        self.text, self.tree = text, tree
        self.seed = int(tree.get("seed", 1))
        self.tokenizer = tree.get("tokenizer", "")
        self.init = tree.get("init", "")
        self.architecture = filled(ARCHITECTURE, tree.get("architecture", {}), "architecture")
        self.heads = tree.get("labels", {})
        self.sources = [filled(SOURCE, s, "sources") for s in tree.get("sources", [])]
        self.held = [filled(SOURCE, s, "held_out") for s in tree.get("held_out", [])]
        self.training = filled(TRAINING, tree.get("training", {}), "training")

    def scaled(self, scale):
        """The recipe with all batches multiplied."""
        for source in self.sources:
            source["batch"] *= scale
        return self


def recipe_parse(text):
    """Every scalar stays the text it is, as in recipe.c: the label "no" is not false."""
    try:
        import yaml
    except ImportError:
        raise Problem("recipes need PyYAML, which is not here; a pack needs none") from None
    try:
        return Recipe(text, yaml.load(text, Loader=yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise Problem(f"not YAML: {error}") from None


def recipe_open(path):
    with open(path, encoding="utf-8") as file:
        return recipe_parse(file.read())


# ---- samples (src/train/samples.c)

SIDES = ("left", "right", "gauche", "droite", "links", "rechts")


def join_answer(answer):
    """Answers of several parts are written "book, tape, scissors"; None: too long, or no text."""
    if isinstance(answer, str):
        return answer
    joined = b""
    for part in answer if isinstance(answer, list) else []:
        if not isinstance(part, str) or len(joined) + len(part.encode()) + 3 > 512:
            return None
        joined += (b", " if joined else b"") + part.encode()
    return joined.decode() or None


def read_entry(entry, encode):
    """One picture's metadata, texts as ids: what a plan needs and a pack keeps."""
    captions, texts = [], []
    for language, list_ in (entry.get("captions") or {}).items():
        for text in list_ if isinstance(list_, list) else []:
            if isinstance(text, str):
                captions.append([language, encode(text)])
                texts.append(text)

    def questions(key):
        pairs = [(q.get("question"), join_answer(q.get("answer"))) for q in entry.get(key) or []]
        return [[encode(q), encode(a)] for q, a in pairs if isinstance(q, str) and a is not None]

    def statements(key):
        return [[encode(s["statement"]), s.get("true") is True] for s in entry.get(key) or []
                if isinstance(s.get("statement"), str)]

    labels = []
    for name, label in (entry.get("labels") or {}).items():
        if isinstance(label, (int, float)) and not isinstance(label, bool):
            label = "%g" % label
        if isinstance(label, str) and len(labels) < 16:
            labels.append([name, label])
    return {"captions": captions, "questions": questions("qa"), "statements":
            statements("statements"), "derived_questions": questions("derived_qa"),
            "derived_statements": statements("derived_statements"), "labels": labels,
            "sided": any(side in text for text in texts for side in SIDES)}


def read_folder(folder, encode):
    """Samples of an imagefolder, and a function that reads a picture's bytes by its number."""
    samples, names = [], []
    with open(os.path.join(folder, "metadata.jsonl"), encoding="utf-8") as file:
        for line in file:
            if not line.strip("\n"):
                continue
            entry = json.loads(line)
            path = os.path.join(folder, entry["file_name"])
            if os.path.isfile(path):
                samples.append(read_entry(entry, encode))
                names.append(path)

    def read(i):
        with open(names[i], "rb") as picture:
            return picture.read()
    return samples, read


def read_tars(paths, encode):
    """As read_folder, of WebDataset shards. Pictures stay in the tars, found by offset."""
    samples, places = [], []
    for path in paths:
        key, entry, place = None, None, None

        def finish():
            if place:
                samples.append(read_entry(entry or {}, encode))
                places.append((path, *place))
        with tarfile.open(path) as tar:
            for member in tar:
                base, dot, ending = member.name.rpartition(".")
                if not member.isreg() or not dot or "/" in ending:
                    continue
                if base != key:
                    finish()
                    key, entry, place = base, None, None
                if ending == "json":
                    entry = json.load(tar.extractfile(member))
                elif ending in ("jpg", "jpeg", "png", "webp"):
                    place = member.offset_data, member.size
            finish()

    def read(i):
        path, offset, size = places[i]
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size)
    return samples, read


def open_set(path, encode):
    if not os.path.exists(path):
        raise Problem(f"{path}: not there")
    if os.path.isfile(path):
        return read_tars([path], encode)
    tars = sorted(name for name in os.listdir(path) if name.endswith(".tar"))
    if tars:
        return read_tars([os.path.join(path, name) for name in tars], encode)
    return read_folder(path, encode)


# ---- pictures


class Set:
    """A set of samples with their pictures as squares: `squares` uint8 [N,S,S,3], `sizes` [N,2]
    (width and height they had), `broken` those that could not be decoded."""

    def __init__(self, samples, squares, sizes, broken):
        self.samples, self.squares, self.sizes = samples, squares, sizes
        self.broken = set(broken)


def upright(data):
    from PIL import Image, ImageOps
    picture = Image.open(io.BytesIO(data))
    return ImageOps.exif_transpose(picture).convert("RGB")


def upright_size(data):
    """Of the header alone; (0, 0) where there is none."""
    from PIL import Image
    try:
        picture = Image.open(io.BytesIO(data))
        turned = picture.getexif().get(0x0112, 1) >= 5
        return picture.size[::-1] if turned else picture.size
    except Exception:  # PIL has no common error for broken files
        return 0, 0


def to_square(picture, side):
    from PIL import Image
    if picture.size == (side, side):
        return np.asarray(picture)
    shrinks = picture.size[0] >= side and picture.size[1] >= side
    return np.asarray(picture.resize((side, side), Image.BOX if shrinks else Image.BILINEAR))


def decode_set(samples, read, store, max_broken, name):
    """All pictures of a set. Their side is that of the largest, a multiple of 16 up to `store`."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise Problem("pictures need PIL, which is not here; a pack needs it or torchvision") \
            from None

    with concurrent.futures.ThreadPoolExecutor() as pool:
        sizes = list(pool.map(lambda i: upright_size(read(i)), range(len(samples))))
        side = min(store, (max(map(max, sizes)) + 15) // 16 * 16)
        squares = np.zeros((len(samples), side, side, 3), np.uint8)

        def fill(i):
            try:
                squares[i] = to_square(upright(read(i)), side)
                return None
            except Exception as error:
                print(f"{name}: picture {i} cannot be decoded: {error}")
                return i
        broken = [i for i in pool.map(fill, range(len(samples))) if i is not None]
    if len(broken) > max_broken * len(samples):
        raise Problem(f"{name}: {len(broken)} of {len(samples)} pictures are broken")
    return Set(samples, squares, np.array(sizes, np.int64), broken)


def set_paths(recipe):
    return sorted({source["path"] for source in recipe.sources + recipe.held})


def load_sets(recipe, data, tokenizer, store=192):
    """Every set that the recipe names, by path."""
    sets = {}
    for path in set_paths(recipe):
        samples, read = open_set(os.path.join(data, path), tokenizer.encode)
        if not samples:
            raise Problem(f"{path}: no picture in it")
        sets[path] = decode_set(samples, read, store, recipe.training["max_broken"], path)
        print(f"{path}: {len(samples)} pictures of {sets[path].squares.shape[1]} pixels")
    return sets


# ---- packs

SHEET = 1024  # pixels a side, at most; squares are whole blocks of 16 pixels, as WebP's are


def pack_write(recipe, sets, tokenizer, folder, quality):
    from PIL import Image
    os.makedirs(folder, exist_ok=True)
    index = {"format": "vislang seer pack 1", "recipe": recipe.text, "tree": recipe.tree,
             "specials": tokenizer.specials, "size": tokenizer.size, "sets": {}}
    total = 0
    for path, set_ in sets.items():
        side = set_.squares.shape[1]
        across = max(1, SHEET // side)
        name = path.replace("/", "-").removesuffix(".tar")
        for number, first in enumerate(range(0, len(set_.squares), across * across)):
            tiles = set_.squares[first:first + across * across]
            sheet = np.zeros((across * across, side, side, 3), np.uint8)
            sheet[:len(tiles)] = tiles
            sheet = sheet.reshape(across, across, side, side, 3).swapaxes(1, 2)
            sheet = sheet.reshape(across * side, across * side, 3)
            out = os.path.join(folder, f"{name}-{number:03}.webp")
            Image.fromarray(sheet).save(out, quality=quality, method=4)
            total += os.path.getsize(out)
        index["sets"][path] = {"name": name, "side": side, "sizes": set_.sizes.tolist(),
                               "broken": sorted(set_.broken), "samples": set_.samples}
    out = os.path.join(folder, "index.json.gz")
    with gzip.open(out, "wt", encoding="utf-8") as file:
        json.dump(index, file, ensure_ascii=False, separators=(",", ":"))
    return total + os.path.getsize(out)


def is_pack(folder):
    return os.path.isfile(os.path.join(folder, "index.json.gz"))


def read_sheet(path):
    try:
        from PIL import Image
    except ImportError:
        try:
            from torchvision.io import ImageReadMode, decode_image
        except ImportError:
            raise Problem("a pack needs PIL or torchvision, and neither is here") from None
        return decode_image(path, ImageReadMode.RGB).permute(1, 2, 0).numpy()
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


class PackedTokens:
    """What a plan asks of a tokenizer, from a pack's index."""

    def __init__(self, index):
        self.specials, self.size = index["specials"], index["size"]


def pack_open(folder, recipe=None):
    """recipe (the pack's own, when none is given), sets, tokens."""
    with gzip.open(os.path.join(folder, "index.json.gz"), "rt", encoding="utf-8") as file:
        index = json.load(file)
    if index.get("format") != "vislang seer pack 1":
        raise Problem(f"{folder}: not a pack that this version reads")
    recipe = recipe or Recipe(index["recipe"], index["tree"])
    sets = {}
    for path in set_paths(recipe):
        if path not in index["sets"]:
            raise Problem(f"{folder}: the recipe's set {path} is not in this pack")
        entry = index["sets"][path]
        side, count = entry["side"], len(entry["samples"])
        across = max(1, SHEET // side)
        squares = np.empty((count, side, side, 3), np.uint8)
        firsts = range(0, count, across * across)

        def fill(number):
            sheet = read_sheet(os.path.join(folder, f"{entry['name']}-{number:03}.webp"))
            tiles = sheet.reshape(across, side, across, side, 3).swapaxes(1, 2)
            tiles = tiles.reshape(-1, side, side, 3)
            at = number * across * across
            squares[at:at + len(tiles)] = tiles[:count - at]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(fill, range(len(firsts))))
        sets[path] = Set(entry["samples"], squares, np.array(entry["sizes"], np.int64),
                         entry["broken"])
        print(f"{path}: {count} pictures of {side} pixels")
    return recipe, sets, PackedTokens(index)


# ---- plans: what a step holds (src/train/feed.c, augment.c)

MAX_TOKENS, TRIES = 512, 8


class Rows:
    """The texts of one source in one step (piece in feed.h)."""

    def __init__(self):
        self.ids, self.owner = [], []
        self.row, self.place, self.target, self.task = [], [], [], []  # one entry a target
        self.vectors = []  # rows that are matched, at their last token

    def add(self, ids, picture, first, task, predicted, matched):
        """Those from `first` on are to be predicted."""
        row = len(self.ids)
        self.ids.append(ids)
        self.owner.append(picture)
        if predicted:
            self.row += [row] * (len(ids) - first)
            self.place += range(first - 1, len(ids) - 1)
            self.target += ids[first:]
            self.task += [task] * (len(ids) - first)
        if matched:
            self.vectors.append(row)


class Planner:
    """Plans the steps of a recipe's sources, or of its held-out ones. A plan is a list with a
    dict of arrays for each source that has pictures in the step."""

    def __init__(self, recipe, sets, tokens, held, pad_rows=False):
        self.recipe, self.held, self.pad_rows = recipe, held, pad_rows
        self.sources = recipe.held if held else recipe.sources
        # A plan is made in other processes; pictures stay out of them.
        self.samples = [sets[s["path"]].samples for s in self.sources]
        self.sizes = [sets[s["path"]].sizes for s in self.sources]
        self.broken = [sets[s["path"]].broken for s in self.sources]
        self.special = tokens.specials
        for name in ("<caption>", "<ask>", "<answer>", "<statement>", "<eos>", "<yes>", "<no>",
                     "<xx>", "<pad>", "<s0>"):
            if name not in self.special:
                raise Problem(f"the tokenizer has no token {name}")
        if tokens.size > recipe.architecture["vocabulary"]:
            raise Problem(f"the tokenizer has {tokens.size} tokens, the network a vocabulary of "
                          f"{recipe.architecture['vocabulary']}")
        self.labels = [self.number_labels(i) for i in range(len(self.sources))]
        self.orders = {}

    def number_labels(self, s):
        """[heads, samples]: the label's number in each head, or -1."""
        names = list(self.recipe.heads)
        out = np.full((len(names), len(self.samples[s])), -1, np.int64)
        for i, sample in enumerate(self.samples[s]):
            for name, label in sample["labels"]:
                if name not in names:
                    continue
                if label not in self.recipe.heads[name]:
                    raise Problem(f"{self.sources[s]['path']}: label '{label}' is not in the "
                                  f"recipe's list '{name}'")
                out[names.index(name), i] = self.recipe.heads[name].index(label)
        return out

    def steps(self):
        """That make one pass over held sources."""
        return max(-(-len(samples) // source["batch"])
                   for samples, source in zip(self.samples, self.sources))

    def order(self, s, pass_):
        """Fisher–Yates."""
        if (s, pass_) not in self.orders:
            self.orders = {k: v for k, v in self.orders.items() if k[0] != s or k[1] == pass_ - 1}
            count = len(self.samples[s])
            order = list(range(count))
            draws = random_uniform(seed_of(self.recipe.seed, s, pass_, 11), count)[0].tolist()
            for i, draw in zip(range(count, 1, -1), draws):
                j = int(draw * i)
                order[i - 1], order[j] = order[j], order[i - 1]
            self.orders[s, pass_] = order
        return self.orders[s, pass_]

    def sample_at(self, s, place):
        count = len(self.samples[s])
        if self.held:
            return place % count
        index = self.order(s, place // count)[place % count]
        for attempt in range(TRIES):
            if index not in self.broken[s]:
                return index
            index = int(seed_of(self.recipe.seed, s, place, attempt)[0]) % count
        raise Problem(f"{self.sources[s]['path']}: {TRIES} broken pictures in a row")

    def plan(self, step):
        return [plan for plan in (self.plan_source(s, step) for s in range(len(self.sources)))
                if plan]

    def plan_source(self, s, step):
        source = self.sources[s]
        first, batch = step * source["batch"], source["batch"]
        if self.held:
            batch = min(batch, len(self.samples[s]) - first)
        if batch <= 0:
            return None
        places = range(first, first + batch)
        texts = source["captions"] + source["questions"] + source["statements"]
        draws = random_uniform(seed_of(self.recipe.seed, s, np.array(places, np.uint64), 5),
                               16 + texts * (4 + self.recipe.architecture["max_text"])).tolist()
        rows = Rows()
        plan = {"source": s, "side": source["picture"], "index": [], "crop": [], "flip": [],
                "tint": [], "erase": []}
        for picture, place in enumerate(places):
            index = self.sample_at(s, place)
            plan["index"].append(index)
            draw = iter(draws[picture]).__next__
            self.plan_picture(s, index, draw, plan)
            self.plan_texts(source, self.samples[s][index], draw, rows, picture)
        plan["index"] = np.array(plan["index"], np.int64)
        plan["labels"] = self.labels[s][:, plan["index"]] if source["labels"] > 0 else \
            np.full((len(self.labels[s]), batch), -1, np.int64)
        for key in ("crop", "flip", "tint", "erase"):
            plan[key] = np.array(plan[key], np.float32)
        return {**plan, **self.collate(rows, batch * texts)}

    def plan_picture(self, s, index, draw, plan):
        """Draws in the order of add_picture and augment_picture."""
        source, sample, held = self.sources[s], self.samples[s][index], self.held
        width, height = (int(x) for x in self.sizes[s][index])
        side = source["picture"]
        flip = not held and source["flip"] and draw() < 0.5 and not sample["sided"]
        erase = not held and draw() < source["erase"]
        x = y = 0
        w, h = width, height
        if not held and source["crop"] < 1:
            area = source["crop"] + (1 - source["crop"]) * draw()
            aspect = math.exp((2 * draw() - 1) * math.log(4 / 3))
            w = max(1, int(min(math.sqrt(area * aspect), 1) * width))
            h = max(1, int(min(math.sqrt(area / aspect), 1) * height))
            x, y = int(draw() * (width - w + 1)), int(draw() * (height - h + 1))
        gain, offset, saturation = 1, 0, 1
        if not held and source["colour"] > 0:
            strength = source["colour"]
            gain = 1 + strength * (2 * draw() - 1)
            offset = strength * (2 * draw() - 1)
            saturation = 1 + strength * (2 * draw() - 1)
        box = (0, 0, 0, 0)
        if erase:
            high, wide = (side // 8 + int(draw() * (side // 3)) for _ in range(2))
            top, left = int(draw() * (side - high)), int(draw() * (side - wide))
            box = (left, top, left + wide, top + high)
        plan["crop"].append((x / width, y / height, w / width, h / height))
        plan["flip"].append(flip)
        plan["tint"].append((gain, offset, saturation))
        plan["erase"].append(box)

    def plan_texts(self, source, sample, draw, rows, picture):
        if source["caption"] > 0 or source["contrast"] > 0:
            self.plan_captions(source, sample["captions"], draw, rows, picture)
        if source["ask"] > 0:
            for text in self.some(source, sample, "questions", draw):
                self.add_question(text, rows, picture)
        if source["statement"] > 0:
            for text in self.some(source, sample, "statements", draw):
                self.add_statement(text, rows, picture)

    def plan_captions(self, source, captions, draw, rows, picture):
        if not captions:
            return
        first = next((i for i, c in enumerate(captions) if c[0] != captions[0][0]), len(captions))
        for i in range(source["captions"]):
            if self.held:
                at = i % len(captions)
            elif i == 0 or first == len(captions):
                at = int(draw() * first)
            else:
                at = first + int(draw() * (len(captions) - first))
            self.add_caption(source, captions[at], draw, rows, picture)

    def cut(self, ids, most):
        """As feed.c's encode: a text past all measure becomes an empty one."""
        return [] if len(ids) > MAX_TOKENS else ids[:most]

    def add_caption(self, source, caption, draw, rows, picture):
        special, length = self.special, self.recipe.architecture["max_text"]
        said = self.held or draw() >= 0.25
        language = special.get(f"<{caption[0]}>", special["<xx>"])
        ids = [special["<caption>"], language if said else special["<xx>"],
               *self.cut(caption[1], length - 3), special["<eos>"]]
        rows.add(ids, picture, 2, CAPTION, said and source["caption"] > 0, source["contrast"] > 0)
        share = 0 if self.held else self.recipe.training["word_dropout"]
        if share > 0:
            for i in range(2, len(ids) - 1):
                if draw() < share:
                    ids[i] = special["<s0>"]

    def some(self, source, sample, kind, draw):
        """Half of them from the derived ones where both are there."""
        human, derived = sample[kind], sample["derived_" + kind]
        for i in range(source[kind]):
            use = source["derived"] and derived and (not human or draw() < 0.5)
            texts = derived if use else human
            if not texts:
                return
            at = i if self.held else int(draw() * len(texts))
            if at < len(texts):
                yield texts[at]

    def add_question(self, text, rows, picture):
        special, length = self.special, self.recipe.architecture["max_text"]
        ids = [special["<ask>"], *self.cut(text[0], length - 10), special["<answer>"]]
        first = len(ids)
        ids += [*self.cut(text[1], length - first - 1), special["<eos>"]]
        rows.add(ids, picture, first, ASK, True, False)

    def add_statement(self, text, rows, picture):
        special, length = self.special, self.recipe.architecture["max_text"]
        ids = [special["<statement>"], *self.cut(text[0], length - 3), special["<answer>"],
               special["<yes>" if text[1] else "<no>"]]
        rows.add(ids, picture, len(ids) - 1, STATEMENT, True, False)

    def collate(self, rows, most):
        """Rows padded to the longest; with pad_rows, as many rows as there can be and rounded
        lengths, so that a compiled network sees few shapes. Padding weighs nothing."""
        count, length = len(rows.ids), max(map(len, rows.ids), default=1)
        if self.pad_rows and count:
            count, length = most, -(-length // 8) * 8
            length = min(length, self.recipe.architecture["max_text"])
        ids = np.full((count, length), self.special["<pad>"], np.int64)
        for row, row_ids in enumerate(rows.ids):
            ids[row, :len(row_ids)] = row_ids
        owner = np.zeros(count, np.int64)
        owner[:len(rows.owner)] = rows.owner
        at = np.array(rows.row, np.int64) * length + np.array(rows.place, np.int64)
        target, task = np.array(rows.target, np.int64), np.array(rows.task, np.int64)
        vectors = np.array(rows.vectors, np.int64)
        ends = np.array([len(rows.ids[row]) - 1 for row in rows.vectors], np.int64)
        return {"ids": ids, "owner": owner, "at": at, "target": target, "task": task,
                "vector_at": vectors * length + ends, "vector_owner": owner[vectors]}


_planner = None  # of a worker process


def _start_worker(planner):
    global _planner
    _planner = planner


def _plan(step):
    return _planner.plan(step)


class Plans:
    """Plans in order from `first` on, made ahead by `workers` processes (0: when asked for)."""

    def __init__(self, planner, first, workers):
        self.planner, self.next, self.ahead, self.pool = planner, first, [], None
        if workers:
            import multiprocessing
            self.pool = concurrent.futures.ProcessPoolExecutor(
                workers, multiprocessing.get_context("fork"), _start_worker, (planner,))
        self.depth = 2 * workers

    def take(self):
        if not self.pool:
            self.next += 1
            return self.planner.plan(self.next - 1)
        while len(self.ahead) <= self.depth:
            self.ahead.append(self.pool.submit(_plan, self.next))
            self.next += 1
        return self.ahead.pop(0).result()

    def close(self):
        if self.pool:
            self.pool.shutdown(cancel_futures=True)


# ---- augmentation, a batch at a time on the device (augment.c, vl_image_resize)


def taps(start, size, store, side):
    """[B,side,store]: shares of the stored pixels of a row in those of the crop start … start +
    size, resized: box filter when smaller, bilinear when larger."""
    out = torch.arange(side, device=start.device, dtype=torch.float32)
    pixel = torch.arange(store, device=start.device, dtype=torch.float32)
    start, size = start[:, None], size[:, None]
    ratio = size / side
    low = (start + out * ratio)[:, :, None]
    high = low + ratio[:, :, None]
    box = (torch.minimum(high, pixel + 1) - torch.maximum(low, pixel)).clamp(min=0)
    centre = ((out + 0.5) * ratio - 0.5).clamp(min=0)
    centre = start + torch.minimum(centre, (size - 1).clamp(min=0))
    line = (1 - (centre[:, :, None] - pixel).abs()).clamp(min=0)
    return torch.where((size > side)[:, :, None], box / ratio[:, :, None], line)


def augment(squares, crop, flip, tint, erase, side):
    """squares uint8 [B,S,S,3] → [B,side,side,3], (value/255 − 0.5)/0.25, cropped to the shares
    `crop` (x, y, width, height), resized, mirrored, recoloured, a rectangle greyed out."""
    count, store = squares.shape[:2]
    at = crop * store
    rows = taps(at[:, 1], at[:, 3], store, side)
    columns = taps(at[:, 0], at[:, 2], store, side)
    x = rows @ squares.float().reshape(count, store, store * 3)
    x = x.reshape(count, side, store, 3).permute(0, 1, 3, 2).reshape(count, side * 3, store)
    x = (x @ columns.transpose(1, 2)).reshape(count, side, 3, side).permute(0, 1, 3, 2)
    x = ((x + 0.5).floor() / 255 - 0.5) / 0.25
    x = torch.where(flip[:, None, None, None] > 0, x.flip(2), x)
    grey = (x * x.new_tensor([0.299, 0.587, 0.114])).sum(-1, keepdim=True)
    gain, offset, saturation = (tint[:, i, None, None, None] for i in range(3))
    x = (grey + (x - grey) * saturation) * gain + offset
    place = torch.arange(side, device=x.device)
    across = (place >= erase[:, 0, None]) & (place < erase[:, 2, None])
    down = (place >= erase[:, 1, None]) & (place < erase[:, 3, None])
    return x * ~(down[:, :, None, None] & across[:, None, :, None])
