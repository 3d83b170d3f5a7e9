"""Monolingual text out of many files (tools/make_align_data.py): what a line must be to be kept, and how each kind of
source gives its lines. Every line stands alone: a text is written in the order of its lines' hashes, so that the order
of lines says nothing about what a line was translated from.
"""

import gzip
import hashlib
import html
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import align_formats as formats

# Letters and marks of a language's script; Latin where none is named.
LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u036f\u1e00-\u1eff"
ETHIOPIC = "\u1200-\u1360\u1380-\u139f\u2d80-\u2ddf\uab00-\uab2f"
ARABIC = ("\u0600-\u065f\u066e-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff"
          "\ufe70-\ufefc")
SCRIPT = {"am": ETHIOPIC, "ti": ETHIOPIC, "ar": ARABIC, "fa": ARABIC, "ps": ARABIC, "ur": ARABIC,
          "hi": "\u0900-\u0963\u0970-\u097f", "bn": "\u0980-\u09e5\u09f0-\u09fe",
          "my": "\u1000-\u103f\u1050-\u109f\uaa60-\uaa7f", "uk": "\u0400-\u052f"}
LONGEST_LINE = 1200  # characters
FEWEST_WORDS = 3

ENGLISH = frozenset("the of and to is in for that with this are be not you it as on by from an or if can will your "
                    "which when has have was all but at its their these no into".split())
JUNK = re.compile(r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|<[^<>]{1,80}>|\$\{[^}]*\}|\{\{[^}]*\}\}|\{\d*\}|"
                  r"%(?:\d+\$)?[-+#0]*\d*(?:\.\d+)?(?:l|ll|h|z)?[diouxXeEfgGcsSp@](?![^\W\d_])|\$\d+|\[\[|\]\]|'{2,}|&[a-z]+;|\(\)")


def counters(language):
    """Patterns of one letter of the language's script, and of one letter of any."""
    script = SCRIPT.get(language, LATIN)
    return re.compile(f"[{script}]"), re.compile(rf"[^\W\d_]|[{script}]")


def is_english(line, vocabulary=frozenset()):
    """Do the function words of English make a fifth of a line, or the vocabulary six tenths of it?"""
    found = re.findall(r"[^\W\d_]+", line.lower())
    if len(found) >= 4 and sum(word in ENGLISH for word in found) * 5 >= len(found):
        return True
    return bool(vocabulary) and sum(word in vocabulary for word in found) * 10 >= 6 * len(found)


def frequent(lines, most):
    """The most frequent words of a text."""
    count = Counter()
    for line in lines:
        count.update(re.findall(r"[^\W\d_]+", line.lower()))
    return {word for word, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))[:most]}


UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\uf8ff]")


def tidy(line):
    """NFC, one space between words (that of Ethiopic too), no addresses, placeholders and marks of markup."""
    line = UNSHOWN.sub(" ", line.replace("\u00ad", "").replace("\ufeff", "").replace("\u1361", " "))
    return " ".join(JUNK.sub(" ", unicodedata.normalize("NFC", line)).split()).strip("\"|*=#_~&-<> ")


def pieces(line):
    """A long line cut at the ends of sentences."""
    if len(line) <= LONGEST_LINE:
        return [line]
    found, piece = [], ""
    for sentence in re.split(r"(?<=[.!?።፧۔؟।။])\s+", line):
        if piece and len(piece) + len(sentence) > LONGEST_LINE:
            found.append(piece)
            piece = ""
        piece = f"{piece} {sentence}".strip()
    return [part for part in [*found, piece] if len(part) <= 20 * LONGEST_LINE]


def fold(line):
    """What two lines share that say the same: letters alone, digits as one."""
    return re.sub(r"[\W_]+", "", re.sub(r"\d+", "0", line.lower()))


def digest(text):
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()


class Text:
    """The lines of one language, each once, with what each source gave."""

    def __init__(self, language, vocabulary=frozenset(), held=frozenset()):
        """`held`: digests of the lines that are not to be taken (`held_lines`)."""
        self.language, self.vocabulary = language, vocabulary
        self.own, self.any = counters(language)
        self.seen, self.lines, self.sources = set(held), [], []

    def keeps(self, line):
        """Is a tidy line a text in this language? Burmese has few spaces: its lines are counted in characters."""
        if len(line.split()) < FEWEST_WORDS and not (self.language == "my" and len(line) >= 12):
            return False
        own, letters = len(self.own.findall(line)), len(self.any.findall(line))
        if own < 8 or own < 0.7 * letters or letters < 0.6 * len(line.replace(" ", "")):
            return False
        return self.language == "en" or self.language in SCRIPT or not is_english(line, self.vocabulary)

    def add(self, source, lines, limit=None):
        """Takes lines until `limit` words came from this source."""
        words = count = 0
        for line in lines:
            for piece in pieces(tidy(line)):
                if limit and words >= limit:
                    break
                if not self.keeps(piece):
                    continue
                key = digest(fold(piece))
                if key not in self.seen:
                    self.seen.add(key)
                    self.lines.append(piece)
                    words += len(piece.split())
                    count += 1
        if count:
            self.sources.append((source, count, words))

    def write(self, path):
        """Sorted by hash: (lines, words, types)."""
        self.lines.sort(key=lambda line: (digest(line), line))
        types = {word for line in self.lines for word in line.lower().split()}
        part = Path(str(path) + ".part")
        with open(part, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
            for line in self.lines:
                file.write((line + "\n").encode())
        part.rename(path)
        return len(self.lines), sum(len(line.split()) for line in self.lines), len(types)


def held_lines(paths):
    """Digests of what stands in files that vectors are measured on, each column by itself."""
    found = set()
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            found |= {digest(fold(tidy(part))) for line in file for part in line.rstrip("\n").split("\t")}
    return found


# --- kinds of sources ------------------------------------------------------------------------------------------


def plain(path):
    """A gzipped text: entities, tags, tables' bars and doubled quotation marks go out."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        for line in file:
            line = re.sub(r"<[^<>]*>", "", html.unescape(line))
            yield re.sub(r"\s\|\s|Template:", " ", line).replace('""', '"')


def column(path, number):
    """One column of a table, in the order of its hashes: what stood beside it is gone."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        found = [parts[number] for parts in (line.rstrip("\n").split("\t") for line in file) if len(parts) > number]
    yield from sorted(found, key=lambda text: (digest(text), text))


def captions(path, language):
    with open(path, encoding="utf-8") as file:
        found = [text for line in file for text in json.loads(line)["captions"].get(language, [])]
    yield from sorted(found, key=lambda text: (digest(text), text))


ACCELERATOR = re.compile(r"(?:_|&(?![a-z]{2,5};))(?=\w)")  # marks the key of a menu's entry: _Open, E&xit


def of_catalogues(paths):
    for path in paths:
        for source, target in sorted(formats.catalogue(path).items()):
            if source != target:
                yield ACCELERATOR.sub("", target)


def english_of_catalogues(paths):
    for path in paths:
        yield from (ACCELERATOR.sub("", source) for source in sorted(formats.catalogue(path)))


def of_messages(paths):
    for path in paths:
        yield from formats.messages(path).values()


def of_pages(paths):
    for path in paths:
        yield from formats.marked_up(Path(path).read_text("utf-8", "replace"))


def of_manuals(paths):
    for path in paths:
        try:
            data = gzip.decompress(Path(path).read_bytes()) if path.suffix == ".gz" else Path(path).read_bytes()
        except (gzip.BadGzipFile, EOFError) as wrong:
            raise formats.Broken(f"{path}: {wrong}") from wrong
        yield from formats.manual(data.decode("utf-8", "replace"))


def of_dictionary(paths):
    """The definitions of a dictionary of one language: entries of dictd as paragraphs."""
    for path in paths:
        text = gzip.decompress(Path(path).read_bytes()).decode("utf-8", "replace")
        for entry in re.split(r"\n(?=\S)|\n\s*\n", text):
            yield re.sub(r"\\[^\\]*\\|\[[^]]*\]|\{|\}", " ", " ".join(entry.split()))


def of_wordnet(paths):
    """The glosses of WordNet: definition and examples."""
    for path in paths:
        for line in Path(path).read_text("utf-8", "replace").splitlines():
            if " | " in line and not line.startswith(" "):
                yield from line.split(" | ", 1)[1].split(";")


def of_fortunes(root):
    """Sayings, parted by lines of a percent sign."""
    for path in sorted(Path(root).rglob("games/fortunes/**/*")):
        if path.is_file() and not path.is_symlink() and path.suffix in ("", ".fortunes"):
            for saying in re.split(r"(?m)^%$", path.read_text("utf-8", "replace")):
                yield " ".join(saying.split())
