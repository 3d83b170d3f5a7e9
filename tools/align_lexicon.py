"""Seed dictionaries between English and another language, without one parallel sentence: what people wrote down as
word and translation (dictionaries), names that stand on a common key (countries, languages, months, units, emoji,
subdivisions), and messages of programs of at most two words a side (tools/make_align_data.py writes them).

Each source gives (English, word, weight); `clean` decides what is a term at all. Keys with sets of words go through
align_association.
"""

import gzip
import math
import re
import unicodedata
from collections import defaultdict
from pathlib import Path

import align_association
import align_formats as formats
import align_text

# Longest term on either side, in words: what is longer describes, it does not name.
LONGEST = 3
# Messages of programs with more words than this on a side are phrases.
LONGEST_MESSAGE = 2

PAKS = {"pt": "pt-BR"}

BAD = re.compile(r"[0-9<>{}()\[\]$%&=+*_|\\/@#^~\"]|https?:|\.\w|\.\.\.|…")
EDGES = " \t.,:;!?¡¿()«»“”„…،؛؟።፣፤፡।॥၊။'’‘`´·-–—"


def clean(text):
    """A term as the dictionaries hold it (lower case, NFC, no punctuation at its edges), or None."""
    text = unicodedata.normalize("NFC", text).replace("\u200e", "").replace("\u200f", "").replace("\u00ad", "")
    text = text.replace("\u0640", "").lower().strip(EDGES)
    if not text or len(text) > 60 or BAD.search(text) or len(text.split()) > LONGEST:
        return None
    if not any(unicodedata.category(c)[0] == "L" for c in text):
        return None
    return " ".join(text.split())


def words(text):
    """The words of a term: letters with their marks, and apostrophes inside them."""
    text = unicodedata.normalize("NFC", text).lower()
    found, word = [], ""
    for c in text + " ":
        if unicodedata.category(c)[0] in "LM" or (word and c in "'’ʼ‌"):
            word += c
        else:
            word = word.strip("'’ʼ‌")
            if word:
                found.append(word)
            word = ""
    return found


def english(text):
    """An English gloss without what dictionaries put before and after it."""
    text = re.sub(r"^(to|a|an|the)\s+", "", text.strip(), flags=re.I)
    return re.sub(r"\s+(sth|sb|something|someone|etc)\.?$", "", text, flags=re.I)


# --- CLDR ------------------------------------------------------------------------------------------------------

NAMED = {  # elements of common/main whose text is a name, and how far it is to be trusted
    "/localeDisplayNames/languages/": 0.9,
    "/localeDisplayNames/territories/": 0.95,
    "/localeDisplayNames/scripts/": 0.8,
    "/dates/calendars/calendar=gregorian/months/": 0.95,
    "/dates/calendars/calendar=gregorian/days/": 0.95,
    "/dates/calendars/calendar=gregorian/dayPeriods/": 0.8,
    "/dates/fields/": 0.9,
    "/dates/timeZoneNames/zone": 0.8,
    "/numbers/currencies/": 0.8,
    "/units/unitLength=long/": 0.8,
    "/characterLabels/": 0.8,
}
SKIPPED = ("=narrow", "=abbreviated", "=short", "-short", "-narrow", "/symbol", "Pattern", "/pattern")


def cldr_names(root, language):
    """{path: name} of all that CLDR names in a language."""
    found = {}
    for where, text in formats.ldml(Path(root) / f"main/{language}.xml").items():
        if any(part in where for part in SKIPPED):
            continue
        for start, weight in NAMED.items():
            if where.startswith(start):
                found[where] = (re.sub(r"\{\d\}", " ", text), weight)
    return found


def from_cldr(root, language):
    ours, theirs = cldr_names(root, "en"), cldr_names(root, language)
    for where in sorted(ours.keys() & theirs.keys()):
        yield ours[where][0], theirs[where][0], ours[where][1]


def from_numbers(root, language):
    """Numbers in words, where a rule of CLDR gives the whole word."""
    ours, theirs = (formats.spelled(Path(root) / f"rbnf/{name}.xml") for name in ("en", language))
    for value in sorted(ours.keys() & theirs.keys()):
        yield ours[value], theirs[value], 0.85


def from_subdivisions(root, language):
    """Provinces and districts: names, mostly cognates."""
    path = Path(root) / f"subdivisions/{language}.xml"
    if not path.exists():
        return
    ours, theirs = formats.ldml(Path(root) / "subdivisions/en.xml"), formats.ldml(path)
    for where in sorted(ours.keys() & theirs.keys()):
        yield ours[where], theirs[where], 0.6


def emoji(root, language):
    """{character: [name, keyword…]}; flags, and what differs in the colour of skin alone, are left out."""
    found = {}
    for folder in ("annotations", "annotationsDerived"):
        path = Path(root) / folder / f"{language}.xml"
        if not path.exists():
            continue
        names, keywords = formats.annotations(path)
        for key in names.keys() | keywords.keys():
            if not any(0x1F3FB <= ord(c) <= 0x1F3FF or 0x1F1E6 <= ord(c) <= 0x1F1FF for c in key):
                found.setdefault(key, [names.get(key), *keywords.get(key, [])])
    return found


def from_emoji_names(root, language):
    """The names of the same emoji, where both are one word."""
    ours, theirs = emoji(root, "en"), emoji(root, language)
    for key in sorted(ours.keys() & theirs.keys()):
        a, b = ours[key][0], theirs[key][0]
        if a and b and len(words(a)) == 1 and len(words(b)) == 1:
            yield a, b, 0.7


def word_keys(ours, theirs):
    """[(set of English words, set of words)] of the keys that both sides have."""
    keys = []
    for key in sorted(ours.keys() & theirs.keys()):
        left = {w for text in ours[key] if text for w in words(text)}
        right = {w for text in theirs[key] if text for w in words(text)}
        keys.append((left, right))
    return keys


def from_emoji_words(root, language):
    """The words in names and keywords of emoji, paired by association over all emoji."""
    keys = word_keys(emoji(root, "en"), emoji(root, language))
    for a, b, confidence, _ in align_association.associate(keys, least=0.25):
        yield a, b, confidence


def from_names(pairs):
    """The words inside of names of two or three words (South Africa), by the same association; `pairs` are terms
    of all other sources that have no sentences."""
    keys = []
    for a, b in sorted(set(pairs)):
        left, right = words(a), words(b)
        if 0 < len(left) <= LONGEST and 0 < len(right) <= LONGEST and len(left) + len(right) > 2:
            keys.append((set(left), set(right)))
    alone = [({a}, {b}) for a, b in sorted(set(pairs)) if len(words(a)) == 1 == len(words(b))]
    for a, b, confidence, joint in align_association.associate(keys + alone, least=0.35):
        if joint >= 1.5:
            yield a, b, confidence


# --- dictionaries ----------------------------------------------------------------------------------------------


def from_dictd(index, reverse):
    """A dictionary from English, or (reverse) into English: the first translation is the surest."""
    for head, senses in formats.dictd(index):
        for rank, sense in enumerate(senses[:6]):
            weight = (0.95, 0.85, 0.75, 0.65, 0.55, 0.5)[rank]
            yield (english(sense), head, weight) if reverse else (english(head), sense, weight)


def from_pairs(path, weight):
    """Lines of `English<TAB>translation[, translation]`, gzipped."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            parts = line.rstrip("\n").split("\t")
            if len(parts) >= 2:
                for rank, word in enumerate(parts[1].split(",")[:3]):
                    yield parts[0], word, weight - 0.1 * rank


# --- glosses in a text -----------------------------------------------------------------------------------------

ENGLISH_NAMED = r"(?:af[- ]?)?(?:ingiriis\w*|english|turanci|kiingereza)(?:\s+ahaan)?\s*[:;]?\s+"
GLOSS = re.compile(rf"((?:[^\s()]+\s+){{1,4}})\(\s*({ENGLISH_NAMED})?([A-Za-z][A-Za-z' -]{{2,40}})([;,][^()]*)?\)", re.I)


def from_glosses(lines, known, own):
    """English that a text gives in brackets after its own word: `baaluq (ingiriis: puberty) waa …`. `known` are English
    terms, `own` frequent words of the language. At the head of a line the term is whatever stands before the bracket;
    elsewhere as many words as the English has, which is less sure."""
    for line in lines:
        for match in GLOSS.finditer(line):
            before, said, gloss = match[1].split(), match[2], match[3].strip()
            term, length = gloss.lower(), len(gloss.split())
            head = match.start() == 0 and len(before) <= 2
            if length > 2 or gloss.isupper() or not (said or (gloss == term or head) and not match[4]):
                continue
            if not head and before[-1][0].isupper():
                continue
            if (term in known or term.rstrip("s") in known) and not all(word in own for word in term.split()):
                yield term, " ".join(before if head else before[-length:]), 0.75 if head else 0.45


# --- messages of programs --------------------------------------------------------------------------------------


def short(text):
    return 0 < len(words(text)) <= LONGEST_MESSAGE


def from_catalogues(paths, weight):
    for path in paths:
        for source, target in sorted(formats.catalogue(path).items()):
            source, target = re.sub(r"[_&]", "", source), re.sub(r"[_&]", "", target)
            if short(source) and short(target):
                yield source, target, weight


def from_iso_codes(folder, language):
    """The names of countries, languages, scripts, currencies and subdivisions in iso-codes."""
    for name, weight in (("iso_3166-1", 0.9), ("iso_639-2", 0.8), ("iso_639-3", 0.7), ("iso_15924", 0.7),
                         ("iso_4217", 0.7), ("iso_3166-3", 0.7), ("iso_3166-2", 0.5)):
        path = Path(folder) / language / "LC_MESSAGES" / f"{name}.mo"
        if path.exists():
            for source, target in sorted(formats.catalogue(path).items()):
                yield re.sub(r"\s*\([^)]*\)|;.*", "", source), re.sub(r"\s*\([^)]*\)|;.*", "", target), weight


def from_messages(root, language, weight):
    """MediaWiki's messages: every folder that has en.json and <language>.json."""
    for theirs in sorted(Path(root).rglob(f"i18n/**/{language}.json")):
        ours = theirs.with_name("en.json")
        if not ours.exists():
            continue
        a, b = formats.messages(ours), formats.messages(theirs)
        for key in sorted(a.keys() & b.keys()):
            if short(a[key]) and short(b[key]):
                yield a[key], b[key], weight


def from_paks(folder, language, weight):
    """Chromium's strings: the same number in two languages."""
    ours, theirs = Path(folder) / "en-GB.pak", Path(folder) / f"{PAKS.get(language, language)}.pak"
    if ours.exists() and theirs.exists():
        a, b = formats.pak(ours), formats.pak(theirs)
        for key in sorted(a.keys() & b.keys()):
            if short(a[key]) and short(b[key]):
                yield a[key], b[key], weight


# --- together --------------------------------------------------------------------------------------------------


# Sources in which many a string stays as it is (names of functions, single letters), and stands for many things.
LOOSE = frozenset(("mediawiki", "catalogues", "chromium", "emoji", "names", "glosses"))
SHORTENED = frozenset("sun mon tue wed thu fri sat jan feb mar apr jun jul aug sep sept oct nov dec".split())


def worth(a, b, name):
    """Is a clean pair a seed? From a loose source neither the same string twice nor a letter or a short form is."""
    return name not in LOOSE or (a != b and len(a) > 1 and a not in SHORTENED)


# Languages whose newspapers leave out the tones that dictionaries mark (and, in Lingala, write e and o for ɛ and ɔ).
UNMARKED = {"ln": str.maketrans("ɛɔ", "eo"), "yo": {}, "ig": {}}
TONES = re.compile("[\u0300-\u0302\u0304\u030c]")


def spellings(term, language):
    """A term, and how it is written without the marks of tone."""
    if language not in UNMARKED:
        return [term]
    plain = TONES.sub("", unicodedata.normalize("NFD", term)).translate(UNMARKED[language])
    return list(dict.fromkeys((term, unicodedata.normalize("NFC", plain))))


def gather(sources, language):
    """{(English, word, source): weight} from [(source, iterable of (English, word, weight))]: words in the script of
    their language alone."""
    ours, theirs = written_in("en"), written_in(language)
    found = {}
    for name, pairs in sources:
        for a, b, weight in pairs:
            a, b = clean(a), clean(b)
            if a and b and ours(a) and theirs(b) and worth(a, b, name):
                for spelling in spellings(b, language):
                    key = (a, spelling, name)
                    found[key] = max(found.get(key, 0.0), weight if spelling == b else 0.8 * weight)
    return found


def written_in(language):
    """Whether all letters of a term are of a language's script."""
    own, letters = align_text.counters(language)
    return lambda term: len(own.findall(term)) == len(letters.findall(term))


def divide(found, sources=("mediawiki", "catalogues", "chromium")):
    """A message that is translated in many ways is sure of none: its weight is parted among them."""
    count = defaultdict(lambda: defaultdict(int))
    for a, _, name in found:
        count[name][a] += 1
    return {key: weight / math.sqrt(count[key[2]][key[0]]) if key[2] in sources else weight
            for key, weight in found.items()}
