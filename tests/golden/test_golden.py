"""Every output format of the document that make_outputs.c writes: byte for byte as in expected/
(rewritten with UPDATE_GOLDEN=1), and read back by other programs: xmllint, qpdf, poppler."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAKER = sys.argv.pop(1)
XHTML = "{http://www.w3.org/1999/xhtml}"
ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"


def run(*argv):
    return subprocess.run([str(a) for a in argv], capture_output=True, check=True).stdout.decode()


class Golden(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        run(MAKER, cls.folder)
        cls.document = json.loads((cls.folder / "document.json").read_text(encoding="utf-8"))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def words(self, number):
        """(text, box) of a page, from the JSON."""
        page = self.document["pages"][number]
        return [(word["text"], tuple(word["box"])) for block in page["blocks"]
                for line in block["lines"] for word in line["words"]]

    def test_as_expected(self):
        for extension in ("txt", "json", "hocr", "alto.xml", "md"):
            made = (self.folder / f"document.{extension}").read_bytes()
            expected = HERE / "expected" / f"document.{extension}"
            if os.environ.get("UPDATE_GOLDEN"):
                expected.write_bytes(made)
            self.assertEqual(made.decode(), expected.read_text(encoding="utf-8"), extension)

    def test_json(self):
        self.assertEqual([page["page"] for page in self.document["pages"]], [1, 2, 3, 4])
        self.assertEqual(self.document["pages"][1]["error"]["status"], "bad_input")
        table = self.document["pages"][0]["blocks"][2]["table"]
        self.assertEqual((table["rows"], table["columns"], len(table["cells"])), (2, 2, 4))
        self.assertEqual(self.document["source"], 'scan "1" & <2>.png')

    def test_hocr_holds_the_same_words(self):
        run("xmllint", "--noout", "--nonet", self.folder / "document.hocr")
        root = ElementTree.parse(self.folder / "document.hocr").getroot()
        pages = [div for div in root.iter(XHTML + "div") if div.get("class") == "ocr_page"]
        self.assertEqual(len(pages), 4)
        for number, page in enumerate(pages):
            if number == 1:
                continue
            found = []
            for span in page.iter(XHTML + "span"):
                if span.get("class") != "ocrx_word":
                    continue
                x0, y0, x1, y1 = map(int, re.search(r"bbox (\d+) (\d+) (\d+) (\d+)",
                                                    span.get("title")).groups())
                found.append((span.text, (x0, y0, x1 - x0, y1 - y0)))
            expected = [(text.replace("\x01", "") or None, box) for text, box in self.words(number)]
            self.assertEqual(found, expected)
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertTrue(any(span.get("dir") == "rtl" for span in pages[2].iter(XHTML + "span")))

    def test_alto_holds_the_same_words(self):
        run("xmllint", "--noout", "--nonet", self.folder / "document.alto.xml")
        root = ElementTree.parse(self.folder / "document.alto.xml").getroot()
        self.assertEqual([child.tag for child in root], [ALTO + "Description", ALTO + "Tags",
                                                         ALTO + "Layout"])
        pages = list(root.iter(ALTO + "Page"))
        for number, page in enumerate(pages):
            if number == 1:
                continue
            found = [(s.get("CONTENT"), tuple(int(s.get(k)) for k in ("HPOS", "VPOS", "WIDTH",
                                                                      "HEIGHT")))
                     for s in page.iter(ALTO + "String")]
            expected = [(text.replace("\x01", ""), box) for text, box in self.words(number)]
            self.assertEqual(found, expected)
            for string in page.iter(ALTO + "String"):
                self.assertTrue(0 <= float(string.get("WC")) <= 1)
        ids = [element.get("ID") for element in root.iter() if element.get("ID")]
        self.assertEqual(len(ids), len(set(ids)))
        for block in root.iter(ALTO + "TextBlock"):
            if block.get("TAGREFS"):
                self.assertIn(block.get("TAGREFS"), ids)
            self.assertEqual({child.tag for child in block}, {ALTO + "TextLine"})

    def test_pdf_is_sound(self):
        pdf = self.folder / "document.pdf"
        checked = subprocess.run(["qpdf", "--check", pdf], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertNotIn("WARNING", checked.stdout + checked.stderr)
        self.assertIn("Pages:           4", run("pdfinfo", pdf))
        self.assertIn("VisLangInvisible", run("pdffonts", pdf))
        self.assertRegex(run("pdffonts", pdf).splitlines()[2], r"yes\s+\S+\s+yes")  # embedded, uni

    def test_pdf_gives_the_text_back_in_logical_order(self):
        pdf = self.folder / "document.pdf"
        marks = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
        for number in (0, 2):
            text = marks.sub("", run("pdftotext", "-f", number + 1, "-l", number + 1, pdf, "-"))
            for word, _ in self.words(number):
                if word != "\x01":
                    self.assertIn(word, text)
        first = run("pdftotext", "-f", 1, "-l", 1, pdf, "-")
        self.assertLess(first.index("TANGAZO LA MAJI"), first.index("Tarehe: 14 Machi 2026"))
        self.assertEqual(run("pdftotext", "-f", 4, "-l", 4, pdf, "-").strip(), "")

    def test_pdf_words_lie_on_their_boxes(self):
        pdf = self.folder / "document.pdf"
        page = run("pdftotext", "-bbox", "-f", 1, "-l", 1, pdf, "-")
        found = {}
        for match in re.finditer(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" '
                                 r'yMax="([\d.]+)">(.*?)</word>', page):
            found[match.group(5)] = [float(v) * 150 / 72 for v in match.groups()[:4]]
        checked = 0
        for word, (x, y, width, height) in self.words(0):
            if word not in found:
                continue  # escaped in the listing
            x0, y0, x1, y1 = found[word]
            for got, wanted in ((x0, x), (x1, x + width), (y0, y), (y1, y + height)):
                self.assertLess(abs(got - wanted), 2, (word, found[word], (x, y, width, height)))
            checked += 1
        self.assertGreater(checked, 10)

    def test_pdf_shows_the_picture_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            run("pdftoppm", "-r", "150", "-gray", "-f", 1, "-l", 1, self.folder / "document.pdf",
                f"{folder}/page")
            data = next(Path(folder).glob("*.pgm")).read_bytes()
        header = re.match(rb"P5\s+(\d+) (\d+)\s+255\s", data)
        width, height = map(int, header.groups())
        pixels = data[header.end():]
        self.assertLess(abs(width - 1000) + abs(height - 800), 4)
        dark = [i for i, tone in enumerate(pixels) if tone < 200]
        self.assertTrue(80 <= len(dark) <= 400, len(dark))  # the drawn stroke and nothing else
        self.assertTrue(all(396 <= i // width <= 404 for i in dark))


if __name__ == "__main__":
    unittest.main(verbosity=2)
