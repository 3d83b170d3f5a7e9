#!/usr/bin/env python3
"""The text and the seed dictionaries that the bundled vectors of many languages are trained from (docs/align-data.md).

    make_align_data.py packages                      names of the Debian packages that are read
    make_align_data.py lexicon --data DIR --packages DIR --out OUT [LANGUAGE…]
    make_align_data.py text    --data DIR --packages DIR --out OUT [--without SOURCE] [LANGUAGE…]
    make_align_data.py sources --packages DIR --out OUT      OUT/SOURCES.md from what the two wrote

DIR of --packages holds each package unpacked under its own name (models/recipes/align-data.sh does that); DIR of
--data holds text/{mono,lexicon,parallel,udhr,verses} and photos/flickr8k. Written are OUT/text/LANGUAGE.txt.gz (a line
a sentence or short paragraph, in the order of hashes), OUT/lexicon/LANGUAGE.tsv (English, word, weight, source) and
OUT/facts/*.json. A file that is there is not made again. The same data and packages give the same bytes.

No pair of sentences is read as a pair: of a table of pairs one column at a time, as text of its language.
"""

import argparse
import json
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import align_lexicon as lexicon
import align_text as text
from align_formats import Broken


@dataclass(frozen=True)
class Language:
    """Where a language's text lies: names of files in the data, and what its locales are called."""

    code: str
    iso3: str
    mono: tuple = ()
    udhr: tuple = ()
    verses: str = ""
    pairs: tuple = ()  # (file in parallel/lafand, column)
    locales: tuple = ()
    regions: tuple = ()  # as WordPress, the Debian handbook and Chromium call them
    extra: tuple = field(default=())  # files in parallel/gamayun whose other side is not there


LANGUAGES = [
    Language("en", "eng", ("eng",), ("eng",), "", (("en-hau", 0), ("en-ibo", 0), ("en-yor", 0), ("en-zul", 0)),
             ("C", "en"), ("en-US",)),
    Language("fr", "fra", ("fra",), ("fra",), "", (("fr-ewe", 0), ("fr-wol", 0)), ("fr",), ("fr_FR", "fr-FR")),
    Language("ar", "ara", (), ("arb",), "", (), ("ar",), ("ar-MA",)),
    Language("am", "amh", ("amh",), ("amh",), "", (), ("am",)),
    Language("so", "som", ("som", "som-wiki"), ("som",), "", (), ("so",)),
    Language("ti", "tir", ("tir",), ("tir",), "", (), ("ti",)),
    Language("om", "orm", ("orm",), ("gax",), "", (), ("om",)),
    Language("ha", "hau", ("hau",), ("hau_NG", "hau_NE", "hau_3"), "", (("en-hau", 1),), ("ha",)),
    Language("sw", "swa", ("swa",), ("swh",), "swh", (), ("sw",), (), ("gamayun_kit5k-v1_eng-swa_SWA",)),
    Language("ps", "pus", ("pus",), ("pbu",), "", (), ("ps",)),
    Language("fa", "fas", (), ("pes_1", "pes_2"), "", (), ("fa",), ("fa_IR", "fa-IR")),
    Language("ln", "lin", ("lin",), ("lin", "lin_tones"), "", (), ("ln",)),
    Language("es", "spa", (), ("spa",), "", (), ("es",), ("es_ES", "es-ES")),
    Language("pt", "por", (), ("por_BR", "por_PT"), "", (), ("pt", "pt_BR"), ("pt_BR", "pt-BR", "pt_PT", "pt-PT")),
    Language("yo", "yor", ("yor",), ("yor",), "", (("en-yor", 1),), ("yo",)),
    Language("ig", "ibo", ("ibo",), ("ibo",), "", (("en-ibo", 1),), ("ig",)),
    Language("rw", "kin", (), ("kin",), "", (), ("rw",)),
    Language("zu", "zul", (), ("zul",), "zul", (("en-zul", 1),), ("zu",)),
    Language("ur", "urd", (), ("urd", "urd_2"), "", (), ("ur",)),
    Language("hi", "hin", (), ("hin",), "", (), ("hi",), ("hi_IN", "hi-IN")),
    Language("bn", "ben", (), ("ben",), "", (), ("bn", "bn_IN", "bn_BD"), ("bn_BD",)),
    Language("my", "mya", (), ("mya",), "", (), ("my",), ("my_MM",)),
    Language("uk", "ukr", (), ("ukr",), "ukr", (), ("uk",)),
    Language("de", "deu", (), ("deu_1996",), "", (), ("de",), ("de_DE", "de-DE")),
    Language("rn", "run", ("run",), ("run",)),
    Language("lg", "lug", ("lug",), ("lug",), "", (), ("lg",)),
    Language("xh", "xho", ("xho",), ("xho",), "", (), ("xh",)),
    Language("sn", "sna", ("sna",), ("sna",), "", (), ("sn",)),
]
BY_CODE = {language.code: language for language in LANGUAGES}

# Two-letter codes of the dictionaries of FreeDict.
FREEDICT = {"sw": "swh", "fr": "fra", "ar": "ara", "hi": "hin", "es": "spa", "pt": "por", "de": "deu"}

LEXICON_PACKAGES = (
    "unicode-cldr-core iso-codes mediawiki chromium-l10n "
    "dict-freedict-eng-swh dict-freedict-swh-eng dict-freedict-eng-fra dict-freedict-fra-eng dict-freedict-eng-ara "
    "dict-freedict-ara-eng dict-freedict-eng-hin dict-freedict-eng-spa dict-freedict-spa-eng dict-freedict-eng-por "
    "dict-freedict-por-eng dict-freedict-eng-deu"
).split()
CATALOGUE_PACKAGES = (
    "libreoffice-l10n-am libreoffice-l10n-ar libreoffice-l10n-bn libreoffice-l10n-es libreoffice-l10n-fa "
    "libreoffice-l10n-hi libreoffice-l10n-om libreoffice-l10n-pt libreoffice-l10n-rw libreoffice-l10n-uk "
    "libreoffice-l10n-xh libreoffice-l10n-zu wordpress-l10n vlc-l10n josm-l10n krita-l10n nextcloud-desktop-l10n "
    "gnome-control-center-data gnome-settings-daemon-common gnome-shell-common libgtk2.0-common libgtk-3-common "
    "libgtk-4-common libglib2.0-data nautilus-data gedit-common evolution-common evolution-data-server-common "
    "epiphany-browser-data totem-common evince-common metacity-common gimp-data inkscape pidgin-data gnumeric-common "
    "abiword-common audacity-data dia-common digikam-data freeciv-data gramps iso-codes kstars-data marble-data "
    "phpmyadmin python3-jarabe shared-mime-info sugar-browse-activity sugar-write-activity synaptic tuxpaint-data "
    "wesnoth-1.16-data xkb-data xiphos-data bibletime-data bleachbit gnucash-common cinnamon-l10n caja-common "
    "mate-panel-common mate-control-center-common mate-applets-common marco-common pluma-common atril-common "
    "engrampa-common eom-common gconf2-common gnome-panel-data gnome-terminal-data gnome-session-common "
    "gnome-desktop3-data gnome-disk-utility gnome-software-common gvfs-common brasero-common rhythmbox-data "
    "libgweather-4-common file-roller eog seahorse gthumb-data aisleriot thunar-data lxpanel-data libfm-data pcmanfm "
    "minetest-data coreutils kio kig kmail kgeography-data dolphin plasma-workspace-data plasma-desktop-data"
).split()
PAGE_PACKAGES = (
    "debian-handbook debian-reference-de debian-reference-es debian-reference-fr debian-reference-pt "
    "debian-reference-pt-br debian-reference-en installation-guide-amd64 gnome-user-docs libreoffice-help-om "
    "libreoffice-help-hi libreoffice-help-es libreoffice-help-pt libreoffice-help-pt-br libreoffice-help-fr "
    "libreoffice-help-de libreoffice-help-en-us"
).split()
OTHER_PACKAGES = (
    "firefox-esr-l10n-ar firefox-esr-l10n-bn firefox-esr-l10n-de firefox-esr-l10n-es-es firefox-esr-l10n-fa "
    "firefox-esr-l10n-fr firefox-esr-l10n-hi-in firefox-esr-l10n-my firefox-esr-l10n-pt-br firefox-esr-l10n-pt-pt "
    "firefox-esr-l10n-uk firefox-esr-l10n-ur firefox-esr-l10n-xh manpages-de manpages-es manpages-fr manpages-pt-br "
    "manpages-uk anarchism wordnet-base dict-gcide fortunes fortunes-es bible-kjv-text"
).split()
PACKAGES = sorted({*LEXICON_PACKAGES, *CATALOGUE_PACKAGES, *PAGE_PACKAGES, *OTHER_PACKAGES})

# Most words that one kind of technical text gives: more of the same teaches nothing.
TECHNICAL = 1_500_000


class Missing(Exception):
    """Data or a package that is not there."""


def fail(message):
    sys.exit(f"make_align_data.py: {message}")


def need(path, what):
    path = Path(path)
    if not path.exists():
        raise Missing(f"{path} is missing: {what}")
    return path


def catalogues_of(packages, names, locales):
    found = []
    for name in names:
        for locale in locales:
            found += sorted((packages / name).rglob(f"{locale}/LC_MESSAGES/*.mo"))
    return found


# --- lexicon -----------------------------------------------------------------------------------------------------


def dictionaries(language, data, packages):
    code = language.code
    if code in FREEDICT:
        for name, reverse in ((f"eng-{FREEDICT[code]}", False), (f"{FREEDICT[code]}-eng", True)):
            if f"dict-freedict-{name}" in PACKAGES:
                index = packages / f"dict-freedict-{name}/usr/share/dictd/freedict-{name}.index"
                yield "freedict", lexicon.from_dictd(need(index, "see align-data.sh"), reverse)
    for kind, weight in (("gatitos", 0.95), ("muse", 0.9)):
        path = data / f"text/lexicon/{kind}/en-{code}.tsv.gz"
        if path.exists():
            yield kind, lexicon.from_pairs(path, weight)
    if code == "fa":
        yield "gatitos", lexicon.from_pairs(data / "text/lexicon/gatitos/en-fa-AF.tsv.gz", 0.8)


def glosses(language, data, packages):
    paths = [data / f"text/mono/{name}.txt.gz" for name in language.mono]
    known = lexicon.formats.wordnet_terms(packages / "wordnet-base/usr/share/wordnet")
    own = text.frequent((line for path in paths for line in text.plain(path)), 3000) if paths else set()
    for path in paths:
        yield from lexicon.from_glosses(text.plain(path), known, own)


def make_lexicon(language, data, packages):
    """{(English, word, source): weight}."""
    code = language.code
    cldr = need(packages / "unicode-cldr-core/usr/share/unicode/cldr/common", "package unicode-cldr-core")
    chromium = packages / "chromium-l10n/usr/lib/chromium/locales"
    named = [
        ("cldr", lexicon.from_cldr(cldr, code)),
        ("numbers", lexicon.from_numbers(cldr, code)),
        ("subdivisions", lexicon.from_subdivisions(cldr, code)),
        ("iso-codes", lexicon.from_iso_codes(packages / "iso-codes/usr/share/locale", code)),
        ("mediawiki", lexicon.from_messages(packages / "mediawiki/usr/share/mediawiki", code, 0.7)),
        ("chromium", lexicon.from_paks(chromium, code, 0.7)),
        ("catalogues", lexicon.from_catalogues(
            catalogues_of(packages, [n for n in CATALOGUE_PACKAGES if n != "iso-codes"], language.locales), 0.6)),
        ("emoji-names", lexicon.from_emoji_names(cldr, code)),
    ]
    named = [(name, list(pairs)) for name, pairs in named]
    pool = [(a, b) for _, pairs in named for a, b, _ in pairs]
    found = lexicon.gather([*dictionaries(language, data, packages), *named,
                            ("glosses", glosses(language, data, packages)),
                            ("emoji", lexicon.from_emoji_words(cldr, code)), ("names", lexicon.from_names(pool))], code)
    return lexicon.divide(found)


def write_lexicon(language, data, packages, out):
    found = make_lexicon(language, data, packages)
    rows = sorted((a, b, source, weight) for (a, b, source), weight in found.items())
    part = out / f"lexicon/{language.code}.tsv.part"
    part.write_text("".join(f"{a}\t{b}\t{weight:.3f}\t{source}\n" for a, b, source, weight in rows), "utf-8")
    part.rename(out / f"lexicon/{language.code}.tsv")
    count = {}
    for _, _, source, _ in rows:
        count[source] = count.get(source, 0) + 1
    return {"pairs": len({(a, b) for a, b, _, _ in rows}), "rows": len(rows), "sources": count}


# --- text --------------------------------------------------------------------------------------------------------


def given(language, data):
    """What lies in the data: (source, lines)."""
    base = data / "text"
    for name in language.mono:
        yield f"mono/{name}", text.plain(need(base / f"mono/{name}.txt.gz", "data"))
    for name, number in language.pairs:
        yield f"lafand/{name}.train, column {number + 1}", text.column(
            need(base / f"parallel/lafand/{name}.train.tsv.gz", "data"), number)
    for name in language.udhr:
        yield f"udhr/{name}", text.plain(need(base / f"udhr/{name}.txt.gz", "data"))
    if language.verses:
        yield f"verses/{language.verses}", text.column(need(base / f"verses/{language.verses}.tsv.gz", "data"), 1)
    for name in language.extra:
        yield f"gamayun/{name}", text.column(need(base / f"parallel/gamayun/{name}.txt.gz", "data"), 0)
    if language.code in ("en", "ar", "hi", "fr", "de"):
        yield "flickr8k/train captions", text.captions(
            need(data / "photos/flickr8k/train/metadata.jsonl", "data"), language.code)


def pages_of(packages, language):
    names = [*language.locales, *language.regions]
    wanted = {n.lower().replace("_", "-") for n in names} | ({"en-us"} if language.code == "en" else set())
    found = []
    for package in PAGE_PACKAGES:
        root = packages / package
        for path in sorted([*root.rglob("*.html"), *root.rglob("*.page")]):
            parts = {part.lower().replace("_", "-") for part in path.relative_to(root).parts}
            own = package.startswith("debian-reference") and path.name.split(".")[-2].lower() in wanted
            if parts & wanted or own:
                found.append(path)
    return found


def written(language, packages):
    """What lies in packages: (source, lines, limit)."""
    code = language.code
    if code == "en":
        yield from english(packages)
        return
    locale = packages / "chromium-l10n/usr/lib/chromium/locales"
    for name in sorted({code, *(n.replace("_", "-") for n in language.regions)}):
        if (locale / f"{name}.pak").exists():
            yield f"chromium-l10n/{name}", lexicon.formats.pak(locale / f"{name}.pak").values(), None
    for name in language.locales:
        paths = sorted((packages / "mediawiki").rglob(f"i18n/**/{name.lower().replace('_', '-')}.json"))
        yield f"mediawiki/{name}", text.of_messages(paths), None
    for package in sorted(packages.glob(f"firefox-esr-l10n-{code}*")):
        if package.name in PACKAGES:
            for path in sorted(package.rglob("*.xpi")):
                yield package.name, lexicon.formats.language_pack(path), None
    yield "pages", text.of_pages(pages_of(packages, language)), TECHNICAL
    paths = [path for region in (*language.locales, *language.regions)
             for path in sorted((packages / "wordpress-l10n").rglob(f"*{region}.mo"))
             if path.stem.split("-")[-1] == region]
    paths += catalogues_of(packages, CATALOGUE_PACKAGES, language.locales)
    yield "catalogues", text.of_catalogues(paths), TECHNICAL
    for package in sorted(packages.glob("manpages-*")):
        if package.name in PACKAGES and package.name.split("-")[1] == code:
            yield package.name, text.of_manuals(sorted(package.rglob("man[1-8]/*.gz"))), TECHNICAL
    if code == "es":
        yield "fortunes-es", text.of_fortunes(packages / "fortunes-es"), None


def english(packages):
    yield "wordnet-base", text.of_wordnet(sorted(packages.glob("wordnet-base/usr/share/wordnet/data.*"))), None
    yield "dict-gcide", text.of_dictionary(sorted((packages / "dict-gcide").rglob("*.dict.dz"))), 2_000_000
    yield "anarchism", text.of_pages(sorted((packages / "anarchism").rglob("*.html"))), None
    yield "fortunes", text.of_fortunes(packages / "fortunes"), None
    locale = packages / "chromium-l10n/usr/lib/chromium/locales/en-GB.pak"
    yield "chromium-l10n/en-GB", lexicon.formats.pak(locale).values(), None
    yield "mediawiki/en", text.of_messages(sorted((packages / "mediawiki").rglob("i18n/**/en.json"))), None
    yield "pages", text.of_pages(pages_of(packages, BY_CODE["en"])), 1_000_000
    yield "catalogues", text.english_of_catalogues(
        catalogues_of(packages, CATALOGUE_PACKAGES, ("es", "fr", "uk"))), 1_000_000


def evaluated(language, data):
    """The files that vectors are measured on: a sentence of theirs is no text to train from, wherever it stands."""
    base = data / "text/parallel"
    found = [*base.glob("tico19-dev/*.gz"), *base.glob("tatoeba/*.gz"), *base.glob("vecalign-dev/dev.??.gz"),
             *base.glob("lafand/*.dev.tsv.gz"), *base.glob("gamayun/*.gz")]
    return sorted(path for path in found if path.name.split(".")[0] not in language.extra)


def english_words(language, data):
    """Frequent English words that are not frequent in the language: what tells an untranslated line. Where English
    is a near relative in words, its function words alone have to tell it."""
    if language.code in text.SCRIPT or language.code in ("en", "fr", "es", "pt", "de"):
        return frozenset()
    names = [data / f"text/mono/{name}.txt.gz" for name in language.mono if name != "som-wiki"]
    own = text.frequent((line for path in names for line in text.plain(path)), 2000) if names else set()
    return frozenset(text.frequent(text.plain(need(data / "text/mono/eng.txt.gz", "data")), 4000) - own)


def write_text(language, data, packages, out, without=()):
    def wanted(source):
        return not source.startswith(tuple(without))

    collected = text.Text(language.code, english_words(language, data), text.held_lines(evaluated(language, data)))
    for source, lines in given(language, data):
        if wanted(source):
            collected.add(source, lines)
    for source, lines, limit in written(language, packages):
        if wanted(source):
            collected.add(source, lines, limit)
    lines, words, types = collected.write(out / f"text/{language.code}.txt.gz")
    return {"lines": lines, "words": words, "types": types,
            "sources": [{"name": name, "lines": n, "words": w} for name, n, w in collected.sources]}


# --- sources -----------------------------------------------------------------------------------------------------

LICENCES = [
    ("mono, lafand, udhr, verses, gamayun, flickr8k, gatitos, muse", "as the data's own README says; MasakhaNEWS and "
     "LAFAND-MT for research, GATITOS CC BY 4.0, MUSE CC BY-NC 4.0, Flickr8k captions for research"),
    ("cldr, numbers, subdivisions, emoji, emoji-names", "Unicode-DFS-2016 (unicode-cldr-core)"),
    ("iso-codes", "LGPL-2.1+"),
    ("mediawiki", "GPL-2+"),
    ("chromium", "BSD-3-Clause"),
    ("firefox", "MPL-2.0"),
    ("freedict", "GPL-2+ and as each dictionary's copyright file says"),
    ("wordnet, gcide, anarchism, fortunes", "WordNet 3.0 licence; GPL-3+; GFDL or GPL-2+; BSD and public domain"),
    ("catalogues, pages, manpages", "GPL-2+, LGPL, GFDL, MPL-2.0: /usr/share/doc/NAME/copyright of each package"),
    ("names", "derived from the other names of the language"),
]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines) + "\n"


def write_sources(out, packages):
    """SOURCES.md: what each language's text and dictionary came from."""
    parts = ["# Where the text and the seed dictionaries came from\n\nMade by tools/make_align_data.py. No pair of "
             "sentences was read as a pair. No line of TICO-19, Tatoeba, the development halves of LAFAND and the sides "
             "of Gamayun that have a counterpart is in it.\n\n"]
    for language in LANGUAGES:
        facts = {kind: out / f"facts/{kind}-{language.code}.json" for kind in ("text", "lexicon")}
        found = {kind: json.loads(path.read_text("utf-8")) for kind, path in facts.items() if path.exists()}
        if not found:
            continue
        parts.append(f"## {language.code}\n\n")
        if "text" in found:
            whole = found["text"]
            parts.append(f"Text: {whole['words']:,} words, {whole['types']:,} types, {whole['lines']:,} lines.\n\n")
            parts.append(table(["source", "lines", "words"],
                               [(s["name"], s["lines"], s["words"]) for s in whole["sources"]]))
        if "lexicon" in found:
            whole = found["lexicon"]
            parts.append(f"Pairs: {whole['pairs']:,}.\n\n")
            parts.append(table(["source", "pairs"], sorted(whole["sources"].items())))
    parts += ["## Licences\n\n", table(["sources", "licence"], LICENCES)]
    versions = packages / "versions.tsv"
    if versions.exists():
        rows = sorted(line.split("\t") for line in versions.read_text("utf-8").splitlines())
        parts += ["## Packages\n\n", table(["package", "version"], rows)]
    (out / "SOURCES.md").write_text("".join(parts), "utf-8")


# --- commands ----------------------------------------------------------------------------------------------------


def run(kind, suffix, make, arguments):
    data, packages, out = Path(arguments.data), Path(arguments.packages), Path(arguments.out)
    need(data / "text/mono", "--data is a folder with text/mono, text/lexicon, …")
    lacking = [name for name in PACKAGES if not (packages / name).is_dir()]
    if lacking:
        raise Missing(f"packages not unpacked in {packages}: {' '.join(lacking)} (models/recipes/align-data.sh)")
    for folder in (kind, "facts"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for code in arguments.languages or BY_CODE:
        if code not in BY_CODE:
            raise Missing(f"no such language here: {code} (there are {' '.join(BY_CODE)})")
        facts = out / f"facts/{kind}-{code}.json"
        if (out / f"{kind}/{code}{suffix}").exists() and facts.exists():
            continue
        found = make(BY_CODE[code], data, packages, out)
        facts.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(code, json.dumps({key: value for key, value in found.items() if key != "sources"}), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("packages")
    for name in ("lexicon", "text"):
        command = commands.add_parser(name)
        command.add_argument("--data", required=True)
        command.add_argument("--packages", required=True)
        command.add_argument("--out", required=True)
        if name == "text":
            command.add_argument("--without", action="append", default=[], metavar="SOURCE",
                                 help="leave out sources whose name begins so (more than once)")
        command.add_argument("languages", nargs="*", metavar="LANGUAGE")
    command = commands.add_parser("sources")
    command.add_argument("--packages", required=True)
    command.add_argument("--out", required=True)
    return parser.parse_args()


def main():
    arguments = parse()
    try:
        if arguments.command == "packages":
            print("\n".join(PACKAGES))
        elif arguments.command == "lexicon":
            run("lexicon", ".tsv", write_lexicon, arguments)
        elif arguments.command == "text":
            run("text", ".txt.gz", partial(write_text, without=arguments.without), arguments)
        else:
            write_sources(Path(arguments.out), Path(arguments.packages))
    except (Missing, Broken, OSError) as wrong:
        fail(wrong)


if __name__ == "__main__":
    main()
