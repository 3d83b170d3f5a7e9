"""Readers of the files that words and text of many languages are taken from (tools/make_align_data.py).

Each takes a path and gives plain Python values; what a file holds beside that is left out. A file that cannot be
read is the caller's to report: OSError, or Broken with the path and what is wrong.

  ldml         Unicode CLDR, common/main and common/subdivisions: names by the path of their element
  annotations  Unicode CLDR, common/annotations: name and keywords of each emoji
  spelled      Unicode CLDR, common/rbnf: numbers in words
  dictd        a dictionary of dictd (index + .dict.dz): headwords with their translations
  catalogue    a message catalogue of GNU gettext (.mo)
  messages     the messages of a program in JSON (key: text), as MediaWiki keeps them
  pak          a string pack of Chromium; language_pack: one of Mozilla (.xpi)
  marked_up    HTML, DocBook, Mallard; manual: pages of man(7) and mdoc(7)

Formats: Unicode TR35 (LDML); RFC 2229 and dictfmt(1) for dictd; GNU gettext manual, "The Format of GNU MO Files".
"""

import gzip
import html
import json
import re
import struct
import zipfile
import zlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path


class Broken(Exception):
    """A file that is not what its name says."""


def parse_xml(path):
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as wrong:
        raise Broken(f"{path}: {wrong}") from wrong


def ldml(path):
    """{path of the element: text} of a CLDR file. A part of a path is `tag` or `tag=type`; what is marked as a
    variant (alt) or as inherited is left out."""
    found = {}

    def walk(element, above):
        for child in element:
            if child.get("alt"):
                continue
            name = child.get("type") or child.get("count") or child.get("key")
            part = f"{child.tag}={name}" if name else child.tag
            where = f"{above}/{part}"
            if len(child):
                walk(child, where)
            elif child.text and child.text.strip() not in ("", "↑↑↑", "∅∅∅"):
                found.setdefault(where, child.text.strip())

    walk(parse_xml(path), "")
    return found


def annotations(path):
    """({character: name}, {character: [keyword]}) of a CLDR annotation file."""
    names, keywords = {}, {}
    for item in parse_xml(path).iter("annotation"):
        key, text = item.get("cp"), (item.text or "").strip()
        if not key or not text or "↑↑↑" in text:
            continue
        if item.get("type") == "tts":
            names[key] = text
        else:
            keywords[key] = [word.strip() for word in text.split("|") if word.strip()]
    return names, keywords


def spelled(path):
    """{number: word} of the rules of a CLDR file in common/rbnf that spell a cardinal without another rule."""
    found = {}
    if not Path(path).exists():
        return found
    for rules in parse_xml(path).iter("ruleset"):
        if rules.get("type", "").startswith("spellout-cardinal"):
            for rule in rules.iter("rbnfrule"):
                text = (rule.text or "").split("[")[0].strip(" ;'")
                if rule.get("value", "").isdigit() and text and not re.search("[←→=#%>]", text):
                    found.setdefault(int(rule.get("value")), text)
    return found


BASE64 = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}


def dictd_number(digits):
    value = 0
    for digit in digits:
        value = value * 64 + BASE64[digit]
    return value


def dictd_senses(lines):
    """The translations in one entry's lines: examples (indented or in quotation marks) and notes are left out."""
    senses = []
    for line in lines:
        if not line.strip() or line[0] in " \t\"" or line.startswith(("see:", "Synonym", "Note")):
            continue
        line = re.sub(r"^\d+\.\s*", "", line.strip())
        line = re.sub(r"\([^)]*\)|\[[^]]*\]|<[^>]*>|\{[^}]*\}", " ", line)
        senses += [" ".join(part.split()) for part in re.split(r"[,;،؛]", line) if part.strip()]
    return senses


def dictd(index):
    """[(headword, [translation])] of the dictionary whose index this is; the data stand beside it."""
    data = Path(str(index)[: -len(".index")] + ".dict.dz")
    try:
        text = gzip.decompress(data.read_bytes())
        entries = set()
        for line in Path(index).read_text("utf-8").splitlines():
            word, offset, size = line.split("\t")[:3]
            if not word.startswith("00database") and word != "00-database-info":
                entries.add((dictd_number(offset), dictd_number(size)))
    except (ValueError, KeyError, EOFError, gzip.BadGzipFile) as wrong:
        raise Broken(f"{index}: not a dictionary of dictd ({wrong})") from wrong
    found = []
    for offset, size in sorted(entries):
        lines = text[offset : offset + size].decode("utf-8", "replace").splitlines()
        if not lines or lines[0].startswith("00"):
            continue
        heads = re.sub(r"/[^/]*/|<[^>]*>|\([^)]*\)|\[[^]]*\]|\{[^}]*\}", " ", lines[0])
        senses = dictd_senses(lines[1:])
        found += [(" ".join(head.split()), senses) for head in heads.split(",") if head.strip() and senses]
    return found


def catalogue(path):
    """{message: translation} of a .mo file; of a message with a context or a plural, the plain singular."""
    data = Path(path).read_bytes()
    if len(data) < 28:
        raise Broken(f"{path}: too short for a message catalogue")
    order = {0x950412DE: "<", 0xDE120495: ">"}.get(struct.unpack("<I", data[:4])[0])
    if not order:
        raise Broken(f"{path}: not a message catalogue")
    count, sources, targets = struct.unpack(order + "III", data[8:20])
    if max(sources, targets) + 8 * count > len(data):
        raise Broken(f"{path}: cut short")

    def text(table, i):
        size, offset = struct.unpack_from(order + "II", data, table + 8 * i)
        if offset + size > len(data):
            raise Broken(f"{path}: a message lies outside of the file")
        return data[offset : offset + size].decode("utf-8", "replace").split("\0")[0]

    found = {}
    for i in range(count):
        source, target = text(sources, i), text(targets, i)
        source = source.split("\x04")[-1]
        if source and target:
            found[source] = target
    return found


def messages(path):
    """{key: text} of a JSON file of messages; a value that is not text is left out."""
    try:
        value = json.loads(Path(path).read_text("utf-8"))
    except ValueError as wrong:
        raise Broken(f"{path}: {wrong}") from wrong
    if not isinstance(value, dict):
        raise Broken(f"{path}: not an object of messages")
    return {key: text for key, text in value.items() if isinstance(text, str) and not key.startswith("@")}


def pak(path):
    """{resource: text} of a Chromium string pack (.pak version 4 or 5, UTF-8): ui/base/resource/data_pack.cc."""
    data = Path(path).read_bytes()
    try:
        version, encoding = struct.unpack_from("<IB", data)
        if version == 5:
            (count,) = struct.unpack_from("<H", data, 8)
            table = 12
        elif version == 4:
            count, encoding = struct.unpack_from("<IB", data, 4)
            table = 9
        else:
            raise Broken(f"{path}: a pack of version {version}; 4 and 5 are read")
        rows = [struct.unpack_from("<HI", data, table + 6 * i) for i in range(count + 1)]
    except struct.error as wrong:
        raise Broken(f"{path}: cut short") from wrong
    found = {}
    for (name, start), (_, end) in zip(rows, rows[1:]):
        part = data[start:end]
        if start <= end <= len(data) and encoding == 1 and b"\0" not in part:
            found[name] = part.decode("utf-8", "replace")
    return found


def language_pack(path):
    """The texts of a Mozilla language pack (.xpi): Fluent (.ftl) and .properties files."""
    found = []
    try:
        with zipfile.ZipFile(path) as pack:
            for name in sorted(pack.namelist()):
                if name.endswith((".ftl", ".properties")):
                    found += assignments(pack.read(name).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, zlib.error) as wrong:
        raise Broken(f"{path}: {wrong}") from wrong
    return found


def assignments(text):
    """The values of lines `key = value`; a value goes on in the indented lines after it."""
    found, value = [], None
    for line in text.splitlines():
        match = re.match(r"\s*\.?[\w.\-%]+\s*=\s*(.*)$", line)
        if match:
            value = match[1].strip()
            found.append(value)
        elif value is not None and line[:1] in " \t" and line.strip() and not re.match(r"\s*[\[*}.]", line):
            found[-1] = (found[-1] + " " + line.strip()).strip()
        else:
            value = None
    return [re.sub(r"\{[^}]*\}", " ", text) for text in found if text]


def wordnet_terms(folder):
    """The terms of WordNet in lower case: index.noun, index.verb, …"""
    found = set()
    for path in sorted(Path(folder).glob("index.*")):
        for line in path.read_text("utf-8", "replace").splitlines():
            term = line.split(" ")[0]
            if re.fullmatch("[a-z_-]{3,}", term):
                found.add(term.replace("_", " "))
    return found


BLOCKS = ("p|div|li|ul|ol|dl|dt|dd|td|th|tr|table|h[1-6]|title|para|item|section|page|note|desc|pre|br|head|body|"
          "screen|caption|figcaption|blockquote|entry|row|info|link|nav|header|footer|article")
HIDDEN = re.compile(r"<(script|style|pre|code|screen|programlisting|head|license|credit|nav)\b.*?</\1\s*>|<!--.*?-->",
                    re.S | re.I)


def marked_up(text):
    """The paragraphs of HTML, DocBook or Mallard; code and what is not shown is left out."""
    text = HIDDEN.sub("\n", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(rf"</?(?:{BLOCKS})\b[^>]*>", "\n", text, flags=re.I)
    return [html.unescape(line).strip() for line in re.sub(r"<[^>]*>", "", text).split("\n") if line.strip()]


def manual(text):
    """The paragraphs of a manual page (man or mdoc macros): fonts and requests out, examples out."""
    found, paragraph, example = [], [], False

    def end():
        if paragraph:
            found.append(" ".join(paragraph))
            paragraph.clear()

    for line in text.splitlines():
        if line.startswith((".nf", ".EX", ".TS", ".Bd")):
            example = True
        elif line.startswith((".fi", ".EE", ".TE", ".Ed")):
            example = False
        elif line.startswith((".", "'")):
            match = re.match(r"\.(?:B|I|BR|IR|RB|RI|BI|IB)\s+(.*)$", line)
            if match and paragraph:
                paragraph.append(match[1].replace('"', ""))
            elif not match:
                end()
        elif not example:
            if line.strip():
                paragraph.append(line.strip())
            else:
                end()
    end()
    clean = []
    for line in found:
        line = re.sub(r"\\f(?:\[[^]]*\]|\([A-Z]{2}|.)", "", line)
        line = re.sub(r"\\\(aq|\\\[aq\]|\\\[cq\]|\\\(cq", "'", line)
        line = re.sub(r"\\\(..|\\\[[^]]*\]|\\s[-+]?\d+", " ", line)
        clean.append(re.sub(r"\\[-&e/%:~| ]", lambda m: "-" if m[0] == "\\-" else " ", line))
    return clean
