#!/usr/bin/env python3
"""Text for `vislang train langid` from Debian's packages, which are fetched and taken apart, not installed.

usage: tools/make_langid_data.py OUT [--packages FOLDER]

OUT gets <kind>-<code>.txt.gz, a line a text, and packages.tsv, which says what they were made from:
  menus     messages of LibreOffice (libreoffice-l10n-*), in 80 languages; many African ones
  help      GNOME's help (gnome-user-docs), in 36
  guide     Debian's installation guide, in 18
  handbook  the Debian Administrator's Handbook, in 22: other authors, translators and years than
            the rest, so it is fit to be held out
What was left in English, placeholders, shortcuts, commands and lines with few words are left out;
a text stands once. FOLDER keeps the packages for another time. Debian's packages are under their
own free licences (MPL-2.0, CC BY-SA 3.0, GPL-2.0)."""

import argparse
import gzip
import html
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# Locale of the package to the code of the recipe, where they differ by more than ISO 639-1 and -3.
CODES = {
    "af": "afr", "am": "amh", "ar": "ara", "as": "asm", "be": "bel", "bg": "bul", "bn": "ben", "bs": "hbs", "ca": "cat",
    "cs": "ces", "cy": "cym", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "eo": "epo", "es": "spa", "et": "est", "eu": "eus",
    "fa": "fas", "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg", "gu": "guj", "he": "heb", "hi": "hin", "hr": "hbs",
    "hu": "hun", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn", "ka": "kat", "kk": "kaz", "km": "khm", "kmr": "kmr",
    "kn": "kan", "ko": "kor", "lt": "lit", "lv": "lav", "mk": "mkd", "ml": "mal", "mn": "khk", "mr": "mar", "nb": "nob",
    "ne": "nep", "nl": "nld", "nn": "nno", "nr": "nbl", "nso": "nso", "om": "orm", "pa": "pan", "pl": "pol",
    "pt": "por", "ro": "ron", "ru": "rus", "rw": "kin", "si": "sin", "sk": "slk", "sl": "slv", "sr": "srp", "ss": "ssw",
    "st": "sot", "sv": "swe", "ta": "tam", "te": "tel", "tg": "tgk", "th": "tha", "tn": "tsn", "tr": "tur", "ts": "tso",
    "ug": "uig", "uk": "ukr", "uz": "uzb", "ve": "ven", "vi": "vie", "xh": "xho", "zh": "zho", "zu": "zul",
}
MENU_PACKAGES = ("af am ar as be bg bn bs ca cs cy da de el eo es et eu fa fi fr ga gl gu he hi hr hu id in is it ja ka kk km "
                 "kmr kn ko lt lv mk ml mn mr nb ne nl nn nr nso om pa-in pl pt pt-br ro ru rw si sk sl sr ss st sv ta te tg th "
                 "tn tr ts ug uk uz ve vi xh zh-cn zh-tw zu").split()
PACKAGES = [f"libreoffice-l10n-{name}" for name in MENU_PACKAGES] + [
    "gnome-user-docs", "installation-guide-amd64", "debian-handbook"]
MOST_LINES = 2000  # of one file; more of one kind of text makes a language no clearer
FEWEST_LETTERS, FEWEST_WORDS = 20, 4
UNSPACED = {"jpn", "zho", "tha", "khm"}
OWN_SCRIPT = {  # languages whose every line is mostly in these letters, so that what is not is English
    "amh": "\u1200-\u137f", "ara": "\u0600-\u06ff", "asm": "\u0980-\u09ff", "bel": "\u0400-\u04ff", "bul": "\u0400-\u04ff",
    "ben": "\u0980-\u09ff", "ell": "\u0370-\u03ff", "fas": "\u0600-\u06ff", "guj": "\u0a80-\u0aff", "heb": "\u0590-\u05ff",
    "hin": "\u0900-\u097f", "jpn": "\u3040-\u30ff\u4e00-\u9fff", "kat": "\u10a0-\u10ff", "kaz": "\u0400-\u04ff",
    "khm": "\u1780-\u17ff", "kan": "\u0c80-\u0cff", "kor": "\uac00-\ud7af", "mkd": "\u0400-\u04ff", "mal": "\u0d00-\u0d7f",
    "khk": "\u0400-\u04ff", "mar": "\u0900-\u097f", "nep": "\u0900-\u097f", "pan": "\u0a00-\u0a7f", "rus": "\u0400-\u04ff",
    "sin": "\u0d80-\u0dff", "srp": "\u0400-\u04ff", "tam": "\u0b80-\u0bff", "tel": "\u0c00-\u0c7f", "tgk": "\u0400-\u04ff",
    "tha": "\u0e00-\u0e7f", "uig": "\u0600-\u06ff", "ukr": "\u0400-\u04ff", "zho": "\u4e00-\u9fff",
}


def code_of(locale):
    """"pt_BR" and "de-DE" as the recipe has them; None for what is written in two ways there."""
    if "@" in locale and locale not in ("kmr@latin", "ca@valencia"):
        return "hbs" if locale == "sr@latin" else None
    return CODES.get(re.split(r"[-_@]", locale)[0])


# ---- cleaning -----------------------------------------------------------------------------------

def letters_of(code, text):
    kind = OWN_SCRIPT.get(code)
    return len(re.findall(f"[{kind}]", text)) if kind else sum(c.isalpha() for c in text)


def cleaned(text):
    text = html.unescape(text)
    text = re.sub(r"<[^>]*>|%[A-Z_]+%?|\$\([A-Za-z0-9]+\)|\$\{?\w+\}?|%\d?\$?[a-z]\b|\{[^}]*\}|\[[^\]]*\]|https?:\S+", " ", text)
    text = re.sub(r"(?<=\w)[~_](?=\w)|[~_](?=\w)|\([A-Z]\)", "", text)
    return re.sub(r"\s+", " ", text).strip()


ENGLISH = re.compile(r"\b(the|and|that|with|this|from|your|you|which)\b", re.IGNORECASE)


def is_text(code, text, small_words=10):
    """Mostly letters of its own, and several words; no English that has stayed: one small word in so many."""
    if code != "eng" and len(ENGLISH.findall(text)) * small_words > len(text.split()):
        return False
    letters, marks = letters_of(code, text), len(re.findall(r"[\u0300-\u036f\u0900-\u0df5\u1000-\u17ff\u0e00-\u0eff]", text))
    if letters < FEWEST_LETTERS or (code not in UNSPACED and len(text.split()) < FEWEST_WORDS):
        return False
    return (letters + marks) / len(text.replace(" ", "")) > 0.75


def write(out, kind, code, texts, english=frozenset(), small_words=10, fewest=50):
    """The texts, cleaned, each once, none that English has too; the longest where there are too many."""
    kept = dict.fromkeys(text for text in map(cleaned, texts) if text not in english and is_text(code, text, small_words))
    some = sorted(kept, key=lambda text: (-len(text), text))[:MOST_LINES]
    some = [text for text in kept if text in set(some)] if len(some) < len(kept) else list(kept)
    if len(some) < fewest:
        return
    with open(out / f"{kind}-{code}.txt.gz", "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        packed.write(("\n".join(some) + "\n").encode())
    print(f"{kind}-{code}: {len(some)} lines, {sum(map(len, some))} characters", file=sys.stderr)


# ---- what the packages hold ---------------------------------------------------------------------

def messages(path):
    """(English, translation) of a GNU message catalogue (little endian)."""
    data = path.read_bytes()
    magic, _, count, ids, strings = struct.unpack("<5I", data[:20])
    if magic != 0x950412DE:
        raise SystemExit(f"{path}: no message catalogue")
    for i in range(count):
        length, at = struct.unpack("<2I", data[ids + 8 * i:ids + 8 * i + 8])
        source = data[at:at + length].split(b"\0")[0].split(b"\x04")[-1]
        length, at = struct.unpack("<2I", data[strings + 8 * i:strings + 8 * i + 8])
        for text in data[at:at + length].split(b"\0"):
            if source and text != source:
                yield source.decode("utf-8", "replace"), text.decode("utf-8", "replace")


def paragraphs(path):
    """Text of the paragraphs and headings of a page of HTML or Mallard, without what is code in them."""
    page = path.read_text(encoding="utf-8", errors="replace")
    page = re.sub(r"(?s)<(pre|code|screen|cmd|script|style|info)\b.*?</\1>", " ", page)
    for found in re.finditer(r'(?s)<(p|title|h[1-6]|dt|dd)\b[^>]*>(.*?)</\1>|<div class="para">(.*?)</div>', page):
        yield found[2] or found[3] or ""


def by_code(folders):
    """{code: folders of it}, of folders that are named by locales."""
    of = {}
    for folder in sorted(folders):
        code = folder.is_dir() and code_of(folder.name)
        if code:
            of.setdefault(code, []).append(folder)
    return of


def write_menus(root, out):
    for code, folders in by_code((root / "usr/lib/libreoffice/program/resource").iterdir()).items():
        pairs = [pair for folder in folders for path in sorted(folder.rglob("*.mo")) for pair in messages(path)]
        english = frozenset(cleaned(source) for source, _ in pairs)
        write(out, "menus", code, (text for _, text in pairs), english)


def write_pages(root, out, kind, folder, pattern, english_name, shortest=0, **how):
    def texts(folders):
        return [text for one in folders for path in sorted(one.rglob(pattern)) for text in paragraphs(path)
                if len(cleaned(text)) >= shortest]
    english = dict.fromkeys(map(cleaned, texts([root / folder / english_name])))
    for code, folders in by_code((root / folder).iterdir()).items():
        if code != "eng":
            write(out, kind, code, texts(folders), english, **how)
    write(out, kind, "eng", english, **how)


def fetch(folder):
    """The packages' files, fetched where they are not there yet."""
    missing = [name for name in PACKAGES if not list(folder.glob(f"{name}_*.deb"))]
    if missing:
        subprocess.run(["apt-get", "-qq", "download", *missing], cwd=folder, check=True)
    return sorted(path for name in PACKAGES for path in folder.glob(f"{name}_*.deb"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--packages", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        kept = options.packages or work / "packages"
        kept.mkdir(parents=True, exist_ok=True)
        root = work / "root"
        packages = fetch(kept.resolve())
        for package in packages:
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        (options.out / "packages.tsv").write_text("".join(
            "\t".join(subprocess.run(["dpkg-deb", "-f", package, field], capture_output=True, text=True, check=True).stdout.strip()
                      for field in ("Package", "Version")) + "\n" for package in packages))
        write_menus(root, options.out)
        write_pages(root, options.out, "help", "usr/share/help", "*.page", "C")
        write_pages(root, options.out, "guide", "usr/share/doc/installation-guide-amd64", "*.html", "en")
        write_pages(root, options.out, "handbook", "usr/share/doc/debian-handbook/html", "*.html", "en-US",
                    shortest=60, small_words=30, fewest=300)  # much of it is still in English


if __name__ == "__main__":
    main()
