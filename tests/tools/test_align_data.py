"""The readers, the pairing and the cleaning behind tools/make_align_data.py, and the data it writes from a small folder
of data and packages made here."""

import gzip
import io
import json
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import align_association as A  # noqa: E402
import align_formats as F  # noqa: E402
import align_lexicon as X  # noqa: E402
import align_text as T  # noqa: E402
import make_align_data as M  # noqa: E402

NAMES = """<?xml version="1.0" encoding="UTF-8"?><ldml><localeDisplayNames>
<languages><language type="sw">{sw}</language><language type="zz">↑↑↑</language></languages>
<territories><territory type="KE">{ke}</territory><territory type="KE" alt="short">x</territory></territories>
</localeDisplayNames><dates><calendars><calendar type="gregorian"><months><monthContext type="format">
<monthWidth type="wide"><month type="1">{jan}</month></monthWidth>
<monthWidth type="abbreviated"><month type="1">J</month></monthWidth></monthContext></months></calendar></calendars>
</dates></ldml>"""
SPELLED = """<ldml><rbnf><rulesetGrouping type="SpelloutRules"><ruleset type="spellout-cardinal">
<rbnfrule value="x.x">←← point →→;</rbnfrule><rbnfrule value="2">{two};</rbnfrule>
<rbnfrule value="20">{twenty}[-→→];</rbnfrule><rbnfrule value="100">←← hundred;</rbnfrule>
</ruleset></rulesetGrouping></rbnf></ldml>"""


def emoji(rows):
    items = "".join(f'<annotation cp="{cp}">{words}</annotation><annotation cp="{cp}" type="tts">{name}</annotation>'
                    for cp, words, name in rows)
    return f"<ldml><annotations>{items}</annotations></ldml>"


ENGLISH_EMOJI = [("🐕", "animal | dog", "dog"), ("🐈", "animal | cat", "cat"), ("🐄", "animal | cow | milk", "cow"),
                 ("🥛", "drink | milk", "glass of milk"), ("👋🏽", "skin | wave", "waving hand")]
SWAHILI_EMOJI = [("🐕", "mbwa | mnyama", "mbwa"), ("🐈", "mnyama | paka", "paka"), ("🐄", "maziwa | mnyama", "ng’ombe"),
                 ("🥛", "kinywaji | maziwa", "glasi ya maziwa"), ("👋🏽", "ngozi", "mkono")]


def catalogue(pairs, order="<"):
    """The bytes of a .mo file."""
    pairs = sorted((a.encode(), b.encode()) for a, b in pairs)
    table = 28 + 16 * len(pairs)
    text, rows = b"", ([], [])
    for side in (0, 1):
        for pair in pairs:
            rows[side].append(struct.pack(order + "II", len(pair[side]), table + len(text)))
            text += pair[side] + b"\0"
    head = struct.pack(order + "7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + b"".join(rows[0]) + b"".join(rows[1]) + text


def pak(texts):
    """The bytes of a .pak file, version 5."""
    body, start = b"", 12 + 6 * (len(texts) + 1)
    rows = b""
    for name, text in sorted(texts.items()):
        rows += struct.pack("<HI", name, start + len(body))
        body += text.encode()
    return struct.pack("<IB3xHH", 5, 1, len(texts), 0) + rows + struct.pack("<HI", 0, start + len(body)) + body


def number(value):
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return (number(value // 64) if value >= 64 else "") + digits[value % 64]


def dictionary(folder, name, entries):
    """A dictionary of dictd: folder/name.index and .dict.dz."""
    text, index = b"", ""
    for head, body in entries:
        entry = f"{head}\n{body}".encode()
        index += f"{head.split(' /')[0]}\t{number(len(text))}\t{number(len(entry))}\n"
        text += entry
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.index").write_text(index, "utf-8")
    (folder / f"{name}.dict.dz").write_bytes(gzip.compress(text))


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.at = Path(self.temporary.name)

    def file(self, name, data):
        write(self.at / name, data)
        return self.at / name


class Formats(Folder):
    def test_names_of_cldr(self):
        found = F.ldml(self.file("sw.xml", NAMES.format(sw="Kiswahili", ke="Kenya", jan="Januari")))
        self.assertEqual(found["/localeDisplayNames/languages/language=sw"], "Kiswahili")
        self.assertEqual(found["/localeDisplayNames/territories/territory=KE"], "Kenya")
        self.assertNotIn("/localeDisplayNames/languages/language=zz", found)
        self.assertEqual(len(found), 4)

    def test_emoji(self):
        names, keywords = F.annotations(self.file("en.xml", emoji(ENGLISH_EMOJI)))
        self.assertEqual(names["🥛"], "glass of milk")
        self.assertEqual(keywords["🐄"], ["animal", "cow", "milk"])

    def test_numbers_in_words(self):
        path = self.file("en.xml", SPELLED.format(two="two", twenty="twenty"))
        self.assertEqual(F.spelled(path), {2: "two", 20: "twenty"})
        self.assertEqual(F.spelled(self.at / "none.xml"), {})

    def test_dictionary(self):
        dictionary(self.at, "x", [
            ("00databaseinfo", "about\n"),
            ("house /haʊs/ <n>", "1. nyumba, makazi\n      \"She has a house.\"\n2. jengo (kubwa)\n"),
            ("acha /ˈatʃa/ <v>", "1.\nleave\n2.\nquit, stop doing sth\n"),
        ])
        self.assertEqual(F.dictd(self.at / "x.index"), [
            ("house", ["nyumba", "makazi", "jengo"]), ("acha", ["leave", "quit", "stop doing sth"])])

    def test_catalogue(self):
        pairs = [("", "Language: sw\n"), ("file", "faili"), ("menu\x04Open", "Fungua"), ("%d day\0%d days", "siku\0siku")]
        for order in "<>":
            path = self.file(f"{ord(order)}.mo", catalogue(pairs, order))
            self.assertEqual(F.catalogue(path), {"file": "faili", "Open": "Fungua", "%d day": "siku"})

    def test_messages(self):
        path = self.file("sw.json", json.dumps({"@metadata": {"authors": []}, "edit": "Hariri", "n": 3}))
        self.assertEqual(F.messages(path), {"edit": "Hariri"})

    def test_pak(self):
        path = self.file("sw.pak", pak({7: "Fungua", 9: "Ghairi"}))
        self.assertEqual(F.pak(path), {7: "Fungua", 9: "Ghairi"})

    def test_language_pack(self):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as pack:
            pack.writestr("a/browser.ftl", "# note\nopen = Fungua { $name } sasa\nlong =\n    mstari wa kwanza\n    wa pili\n")
            pack.writestr("b.properties", "close=Funga dirisha\n")
        self.assertEqual(F.language_pack(self.file("x.xpi", data.getvalue())),
                         ["Fungua   sasa", "mstari wa kwanza wa pili", "Funga dirisha"])

    def test_pages(self):
        page = ("<html><head><title>No</title></head><body><p>Habari <b>ya</b>\nleo &amp; kesho</p><pre>code</pre>"
                "<!-- none --><ul><li>moja<li>mbili</ul></body></html>")
        self.assertEqual(F.marked_up(page), ["Habari ya leo & kesho", "moja", "mbili"])
        manual = ".TH X 1\n.SH NAME\nls \\- orodhesha\n.PP\nInaonyesha \\fBfaili\\fR zote\n.I hapa\n.nf\nls -l\n.fi\n"
        self.assertEqual(F.manual(manual), ["ls - orodhesha", "Inaonyesha faili zote hapa"])

    def test_terms_of_wordnet(self):
        self.file("index.noun", "  1 licence text\nswimming_pool n 1\nhouse n 2\n'hood n 1\nx n 1\n")
        self.assertEqual(F.wordnet_terms(self.at), {"swimming pool", "house"})

    def test_broken_files_are_named(self):
        whole = catalogue([("file", "faili")])
        lies = whole[:8] + struct.pack("<I", 1 << 30) + whole[12:]
        outside = whole[:32] + struct.pack("<I", 1 << 30) + whole[36:]
        packs = pak({7: "Fungua"})
        table = [
            (F.catalogue, "short.mo", whole[:20]), (F.catalogue, "not.mo", b"x" * 40),
            (F.catalogue, "lies.mo", lies), (F.catalogue, "outside.mo", outside),
            (F.messages, "a.json", b"{"), (F.messages, "b.json", b"[1]"),
            (F.pak, "old.pak", struct.pack("<IIB", 3, 0, 1)), (F.pak, "cut.pak", packs[:14]), (F.pak, "e.pak", b""),
            (F.ldml, "a.xml", b"<ldml><a></ldml>"), (F.language_pack, "a.xpi", b"PK\x03\x04nothing"),
        ]
        for read, name, data in table:
            with self.subTest(name), self.assertRaises(F.Broken) as caught:
                read(self.file(name, data))
            self.assertIn(name, str(caught.exception))
        self.file("d.index", "a\tA\tB\n")
        self.file("d.dict.dz", b"not gzip")
        with self.assertRaises(F.Broken):
            F.dictd(self.at / "d.index")
        short = packs[:-3]
        self.assertEqual(F.pak(self.file("short.pak", short)), {})


class Pairs(Folder):
    def test_terms(self):
        table = [
            ("  House. ", "house"), ("“Nyumba”", "nyumba"), ("Côte d’Ivoire", "côte d’ivoire"), ("a\u0301b", "áb"),
            ("مـــاء", "ماء"), ("one two three four", None), ("file 3", None), ("%s", None), ("<b>x</b>", None), ("…", None),
            ("copy (of)", None), ("", None),
        ]
        for text, expected in table:
            self.assertEqual(X.clean(text), expected, text)
        self.assertEqual(X.words("d’eau ng’ombe, n'est-ce"), ["d’eau", "ng’ombe", "n'est", "ce"])
        self.assertEqual([X.english(t) for t in ("to go", "the sun", "stop sth", "toad")], ["go", "sun", "stop", "toad"])

    def test_association_finds_what_goes_together(self):
        keys = [({"dog", "animal"}, {"mbwa", "mnyama"}), ({"cat", "animal"}, {"paka", "mnyama"}),
                ({"cow", "animal", "milk"}, {"ng’ombe", "mnyama", "maziwa"}), ({"milk", "drink"}, {"maziwa", "kinywaji"}),
                (set(), {"x"})]
        found = {a: b for a, b, confidence, _ in A.associate(keys, links=1) if confidence > 0}
        self.assertEqual(found, {"dog": "mbwa", "cat": "paka", "cow": "ng’ombe", "animal": "mnyama", "milk": "maziwa",
                                 "drink": "kinywaji"})
        self.assertEqual(A.associate([]), [])

    def test_association_does_not_hang_on_order(self):
        keys = [({"a", "b"}, {"x", "y"}), ({"b"}, {"y"}), ({"a", "c"}, {"x", "z"})]
        self.assertEqual(A.associate(keys), A.associate([(set(sorted(a)), set(sorted(b))) for a, b in keys]))

    def test_what_is_a_seed(self):
        pairs = [("House", "nyumba", 0.6), ("Sun", "Jumapili", 0.6), ("ok", "ok", 0.6), ("d", "ዲ", 0.6), ("sum", "ድምር", 0.6)]
        self.assertEqual(set(X.gather([("catalogues", pairs)], "sw")), {("house", "nyumba", "catalogues")})
        self.assertEqual(set(X.gather([("catalogues", pairs)], "am")), {("sum", "ድምር", "catalogues")})
        names = [("Kenya", "Kenya", 0.9)]
        self.assertEqual(X.gather([("cldr", names), ("names", names)], "sw"), {("kenya", "kenya", "cldr"): 0.9})

    def test_glosses(self):
        known = {"puberty", "swimming pool", "child"}
        table = [
            ("Baaluq (ingiriis: puberty) waa", ("puberty", "Baaluq", 0.75)),
            ("barkadda dabaasha (af-ingiriis: swimming pool) waa", ("swimming pool", "barkadda dabaasha", 0.75)),
            ("Baaluq ( Af Ingiriis : puberty ; Af Carabi : x) waa", ("puberty", "Baaluq", 0.75)),
            ("Baaluq (puberty, iyo kale) waa", None), ("ciyaaryahan ku sugan Trogir (child) oo", None),
            ("waxaa la yiraahdaa barkad dabaal (swimming pools) oo", ("swimming pools", "barkad dabaal", 0.45)),
            ("waa magaalada ugu cusub ee (Puberty)", None), ("tan cusub (nowhere)", None),
            ("waa CHILD (CHILD) oo", None), ("ilmo yar (waa) tan", None),
        ]
        for line, expected in table:
            found = list(X.from_glosses([line], known, set()))
            self.assertEqual(found, [expected] if expected else [], line)
        self.assertEqual(list(X.from_glosses(["waa ilmo (child)"], known, {"child"})), [])

    def test_spellings_without_tones(self):
        table = [("ln", "afríka", ["afríka", "afrika"]), ("ln", "mɔ̌kɔ", ["mɔ̌kɔ", "moko"]),
                 ("yo", "ọjọ́ àìkú", ["ọjọ́ àìkú", "ọjọ aiku"]), ("ig", "ụlọ", ["ụlọ"]), ("fr", "été", ["été"])]
        for language, term, expected in table:
            self.assertEqual(X.spellings(term, language), expected)
        self.assertEqual(X.gather([("cldr", [("Africa", "Afríka", 1.0)])], "ln"), {
            ("africa", "afríka", "cldr"): 1.0, ("africa", "afrika", "cldr"): 0.8})

    def test_a_message_of_many_translations_is_sure_of_none(self):
        found = {("open", "fungua", "mediawiki"): 0.6, ("open", "wazi", "mediawiki"): 0.6, ("open", "a", "freedict"): 0.9}
        divided = X.divide(found)
        self.assertAlmostEqual(divided["open", "wazi", "mediawiki"], 0.6 / 2**0.5)
        self.assertEqual(divided["open", "a", "freedict"], 0.9)


class Lines(unittest.TestCase):
    def keeps(self, line, language, vocabulary=frozenset()):
        return T.Text(language, vocabulary).keeps(T.tidy(line))

    def test_what_is_kept(self):
        table = [
            ("Watoto wanacheza mpira uwanjani", "sw", True),
            ("The children are playing in the field", "sw", False),  # English function words
            ("Fit to page", "om", True),
            ("Watoto wawili", "sw", False),  # too short
            ("12 34 56 78 90 abc def ghij", "sw", False),  # hardly a letter
            ("የ90 ዓመቷ አዛውንት በሁለት ዓይነት ሞቱ", "am", True),
            ("Open the file in አዲስ", "am", False),
            ("سفرنامهٔ ناصر خسرو است", "fa", True),
            ("मैं घर जा रहा हूँ", "hi", True),
            ("မြန်မာနိုင်ငံသည်အရှေ့တောင်အာရှ", "my", True),
            ("Це дуже гарний день", "uk", True),
        ]
        for line, language, expected in table:
            self.assertEqual(self.keeps(line, language), expected, line)
        self.assertFalse(self.keeps("Fit to page", "om", frozenset(("fit", "to", "page"))))

    def test_tidy(self):
        table = [
            ("Angalia https://example.org/x sasa %s leo $1", "Angalia sasa leo"),
            ("a\u0301 \x07b\u00adc", "á bc"),
            ("Asilimia 50 % ya watu %d na %2$s", "Asilimia 50 % ya watu na"),
            ("ሁሉም፡ሰው፡ነጻ", "ሁሉም ሰው ነጻ"),
            ('  "Habari | "', "Habari"),
        ]
        for line, expected in table:
            self.assertEqual(T.tidy(line), expected)

    def test_long_lines_are_cut_at_sentences(self):
        sentence = "neno " * 30 + "mwisho."
        parts = T.pieces(" ".join([sentence] * 20))
        self.assertTrue(all(len(part) <= T.LONGEST_LINE for part in parts))
        self.assertEqual(" ".join(parts), " ".join([sentence] * 20))

    def test_one_line_of_a_megabyte_is_left_out(self):
        self.assertEqual(T.pieces("x" * 1_000_000), [])

    def test_each_line_once_and_no_more_than_asked_for(self):
        text = T.Text("sw")
        text.add("a", ["Watoto wanacheza mpira 12", "watoto wanacheza mpira 99!", "Mama anapika chakula leo"])
        self.assertEqual(text.sources, [("a", 2, 8)])
        text.add("b", ["Mtu mmoja anakuja hapa", "Mtu wa pili anakuja"], limit=3)
        self.assertEqual(text.sources[1], ("b", 1, 4))


class Made(Folder):
    """The whole of it, from data and packages made here."""

    def setUp(self):
        super().setUp()
        self.data, self.packages = self.at / "data", self.at / "packages"
        for name in M.PACKAGES:
            (self.packages / name).mkdir(parents=True)
        cldr = self.packages / "unicode-cldr-core/usr/share/unicode/cldr/common"
        write(cldr / "main/en.xml", NAMES.format(sw="Swahili", ke="Kenya", jan="January"))
        write(cldr / "main/sw.xml", NAMES.format(sw="Kiswahili", ke="Kenya", jan="Januari"))
        write(cldr / "annotations/en.xml", emoji(ENGLISH_EMOJI))
        write(cldr / "annotations/sw.xml", emoji(SWAHILI_EMOJI))
        write(cldr / "rbnf/en.xml", SPELLED.format(two="two", twenty="twenty"))
        write(cldr / "rbnf/sw.xml", SPELLED.format(two="mbili", twenty="ishirini"))
        for name, entries in (("eng-swh", [("house /haʊs/", "nyumba\n")]), ("swh-eng", [("maji /x/", "water\n")])):
            dictionary(self.packages / f"dict-freedict-{name}/usr/share/dictd", f"freedict-{name}", entries)
        self.catalogue = self.packages / "vlc-l10n/usr/share/locale/sw/LC_MESSAGES/vlc.mo"
        write(self.catalogue, catalogue([("Play", "Cheza"), ("The file is not there", "Faili hiyo haipo hapa"),
                                         ("Same text in both", "Same text in both")]))
        text = self.data / "text"
        for path, lines in (("mono/swa", "Habari za leo ni nzuri\nHabari za leo ni nzuri\n"),
                            ("mono/eng", "The news of the day\n"), ("udhr/swh", "Watu wote wamezaliwa huru\n"),
                            ("parallel/gamayun/gamayun_kit5k-v1_eng-swa_SWA", "Mtoto wangu ni mgonjwa\n")):
            write(text / f"{path}.txt.gz", gzip.compress(lines.encode()))
        write(text / "verses/swh.tsv.gz", gzip.compress("b.MAT.1.1\tYesu Kristo alikuwa mzawa wa Daudi\n".encode()))
        write(text / "lexicon/muse/en-sw.tsv.gz", gzip.compress("tree\tmti\n".encode()))

    def run_tool(self, kind, *languages, out="out"):
        return subprocess.run(
            [sys.executable, "-B", str(ROOT / "tools/make_align_data.py"), kind, "--data", str(self.data), "--packages",
             str(self.packages), "--out", str(self.at / out), *languages],
            capture_output=True, text=True, check=False)

    def test_lexicon(self):
        done = self.run_tool("lexicon", "sw")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = {tuple(line.split("\t")) for line in (self.at / "out/lexicon/sw.tsv").read_text("utf-8").splitlines()}
        for row in (("house", "nyumba", "0.950", "freedict"), ("water", "maji", "0.950", "freedict"),
                    ("january", "januari", "0.950", "cldr"), ("tree", "mti", "0.900", "muse"),
                    ("dog", "mbwa", "0.700", "emoji-names"), ("two", "mbili", "0.850", "numbers"),
                    ("play", "cheza", "0.600", "catalogues")):
            self.assertIn(row, rows)
        self.assertIn(("milk", "maziwa"), {row[:2] for row in rows if row[3] == "emoji"})
        self.assertFalse(any(len(row[0].split()) > 3 or len(row[1].split()) > 3 for row in rows))

    def test_text(self):
        self.assertEqual(self.run_tool("text", "sw").returncode, 0)
        with gzip.open(self.at / "out/text/sw.txt.gz", "rt", encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(sorted(lines), [
            "Faili hiyo haipo hapa", "Habari za leo ni nzuri", "Mtoto wangu ni mgonjwa", "Watu wote wamezaliwa huru",
            "Yesu Kristo alikuwa mzawa wa Daudi"])
        self.assertEqual(lines, sorted(lines, key=T.digest))
        facts = json.loads((self.at / "out/facts/text-sw.json").read_text("utf-8"))
        self.assertEqual((facts["lines"], facts["words"]), (5, 23))

    def test_what_is_measured_on_is_not_trained_from(self):
        base = self.data / "text/parallel"
        write(base / "tico19-dev/en-sw.tsv.gz", gzip.compress("1\tThe news is good\tHabari za leo ni nzuri!\n".encode()))
        write(base / "lafand/en-swa.dev.tsv.gz", gzip.compress("All are free\tWatu wote wamezaliwa huru\n".encode()))
        self.assertEqual(self.run_tool("text", "sw").returncode, 0)
        with gzip.open(self.at / "out/text/sw.txt.gz", "rt", encoding="utf-8") as file:
            self.assertEqual(sorted(file.read().splitlines()), [
                "Faili hiyo haipo hapa", "Mtoto wangu ni mgonjwa", "Yesu Kristo alikuwa mzawa wa Daudi"])

    def test_text_without_a_source(self):
        self.assertEqual(self.run_tool("text", "--without", "verses", "--without", "cat", "sw").returncode, 0)
        facts = json.loads((self.at / "out/facts/text-sw.json").read_text("utf-8"))
        self.assertEqual([s["name"] for s in facts["sources"]], [
            "mono/swa", "udhr/swh", "gamayun/gamayun_kit5k-v1_eng-swa_SWA"])

    def test_the_same_bytes_again_and_nothing_made_twice(self):
        for out in ("a", "b"):
            for kind in ("text", "lexicon"):
                self.assertIn("sw ", self.run_tool(kind, "sw", out=out).stdout)
        for name in ("text/sw.txt.gz", "lexicon/sw.tsv"):
            self.assertEqual((self.at / "a" / name).read_bytes(), (self.at / "b" / name).read_bytes())
        self.assertEqual(self.run_tool("text", "sw", out="a").stdout, "")
        done = subprocess.run([sys.executable, "-B", str(ROOT / "tools/make_align_data.py"), "sources", "--packages",
                               str(self.packages), "--out", str(self.at / "a")], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        sources = (self.at / "a/SOURCES.md").read_text("utf-8")
        self.assertIn("Text: 23 words", sources)
        self.assertIn("| freedict | 2 |", sources)

    def test_what_is_missing_is_said(self):
        self.assertIn("no such language here: xx", self.run_tool("text", "xx").stderr)
        (self.data / "text/verses/swh.tsv.gz").unlink()
        failed = self.run_tool("text", "sw")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("verses/swh.tsv.gz is missing", failed.stderr)
        self.assertFalse((self.at / "out/text/sw.txt.gz").exists())
        (self.packages / "vlc-l10n").rename(self.at / "elsewhere")
        failed = self.run_tool("lexicon", "sw")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("packages not unpacked", failed.stderr)
        self.assertIn("vlc-l10n", failed.stderr)

    def test_a_broken_catalogue_is_named(self):
        self.catalogue.write_bytes(b"nothing")
        failed = self.run_tool("lexicon", "sw")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("vlc.mo", failed.stderr)
        self.assertFalse((self.at / "out/lexicon/sw.tsv").exists())


if __name__ == "__main__":
    unittest.main()
