"""tools/make_langid_data.py: what it takes out of catalogues and pages, and what it leaves there."""

import gzip
import importlib.util
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "make_langid_data.py"
spec = importlib.util.spec_from_file_location("make_langid_data", TOOL)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def catalogue(pairs):
    """A GNU message catalogue (gettext's manual, "The Format of GNU MO Files")."""
    sources, texts = [a.encode() for a, _ in pairs], [b.encode() for _, b in pairs]
    head = 28
    at = head + 16 * len(pairs)
    tables, body = [], b""
    for strings in (sources, texts):
        for string in strings:
            tables.append(struct.pack("<2I", len(string), at + len(body)))
            body += string + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), head, head + 8 * len(pairs), 0, 0) + b"".join(tables) + body


class Data(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vislang-langid-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def lines(self, name):
        return gzip.decompress((self.folder / f"{name}.txt.gz").read_bytes()).decode().splitlines()

    def test_codes(self):
        for locale, code in (("pt_BR", "por"), ("de-DE", "deu"), ("sr", "srp"), ("sr@latin", "hbs"), ("kmr@latin", "kmr"),
                             ("ca@valencia", "cat"), ("zh_CN", "zho"), ("be@latin", None), ("xx", None)):
            self.assertEqual(tool.code_of(locale), code, locale)

    def test_cleaned(self):
        for text, clean in (("~Open the file", "Open the file"), ("Ima_ge %1$s of &lt;b&gt;", "Image of"), ("Save <b>all</b>\n now", "Save all now"),
                            ("%PRODUCTNAME cannot start (S)", "cannot start"), ("see https://example.org/x now", "see now")):
            self.assertEqual(tool.cleaned(text), clean)

    def test_what_is_text(self):
        rows = (("deu", "Die Datei konnte nicht geöffnet werden.", True), ("deu", "Datei öffnen", False), ("deu", "A1 B2 C3 D4 100 200 300 400", False),
                ("deu", "The file could not be opened with this program", False), ("eng", "The file could not be opened with this program", True),
                ("hin", "यह फ़ाइल खोली नहीं जा सकी, फिर से कोशिश करें", True), ("hin", "Yeh file kholi nahi ja saki dobara", False),
                ("jpn", "このファイルを開くことができませんでした。もう一度", True))
        for code, text, is_text in rows:
            self.assertEqual(tool.is_text(code, text), is_text, text)

    def test_catalogues(self):
        path = self.folder / "one.mo"
        path.write_bytes(catalogue([("", "Project-Id: x"), ("menu\x04~File", "~Datei"), ("same", "same"), ("one\0many", "eins\0viele")]))
        self.assertEqual(list(tool.messages(path)), [("~File", "~Datei"), ("one", "eins"), ("one", "viele")])
        path.write_bytes(b"\0" * 40)
        with self.assertRaises(SystemExit):
            list(tool.messages(path))

    def test_pages(self):
        path = self.folder / "one.page"
        path.write_text("<page><info><title>No</title></info><title>A <em>title</em></title><p>One.</p><code><p>No</p></code>"
                        '<div class="para">Two.</div></page>')
        self.assertEqual([tool.cleaned(text) for text in tool.paragraphs(path)], ["A title", "One.", "Two."])

    def test_files(self):
        texts = [f"Dies ist der Satz mit der Nummer {word} von allen" for word in ("eins", "zwei", "drei") * 30] + ["zu kurz"]
        texts += [f"Noch ein ganz anderer Satz über {'a' * n}" for n in range(1, 60)] + ["The one that has stayed with the English"]
        for _ in range(2):
            tool.write(self.folder, "menus", "deu", texts, english={"Dies ist der Satz mit der Nummer zwei von allen"})
            lines = self.lines("menus-deu")
            self.assertEqual(lines[:2], [texts[0], texts[2]])
            self.assertEqual(len(lines), 2 + 59)
        tool.write(self.folder, "menus", "fra", ["Une seule phrase ne suffit pas du tout"])
        self.assertFalse((self.folder / "menus-fra.txt.gz").exists())
        many = [f"Noch ein ganz anderer Satz über {'a' * n}" for n in range(1, tool.MOST_LINES + 60)]
        tool.write(self.folder, "many", "deu", many)
        self.assertEqual(self.lines("many-deu"), many[59:])


if __name__ == "__main__":
    unittest.main()
