"""Every output format of the document that make_outputs.c writes: byte for byte as in expected/
(rewritten with UPDATE_GOLDEN=1), and read back by other programs: xmllint, qpdf, poppler."""

import html
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
    done = subprocess.run([str(a) for a in argv], capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


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
        self.assertEqual([page["page"] for page in self.document["pages"]], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(self.document["pages"][1]["error"]["status"], "bad_input")
        table = self.document["pages"][0]["blocks"][2]["table"]
        self.assertEqual((table["rows"], table["columns"], len(table["cells"])), (2, 2, 4))
        self.assertEqual(self.document["source"], 'scan "1" & <2>.png')

    def test_hocr_holds_the_same_words(self):
        run("xmllint", "--noout", "--nonet", self.folder / "document.hocr")
        root = ElementTree.parse(self.folder / "document.hocr").getroot()
        pages = [div for div in root.iter(XHTML + "div") if div.get("class") == "ocr_page"]
        self.assertEqual(len(pages), 7)
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
        for page in pages:
            self.assertTrue(page.get("title").startswith("image \"scan '1' & <2>.png\"; bbox 0 0 "))
        for line in root.iter(XHTML + "span"):
            if line.get("class") == "ocr_line":
                self.assertTrue(list(line))
        # Tools look for lines in paragraphs, and for paragraphs in <p>.
        paragraphs = [p for p in root.iter(XHTML + "p") if p.get("class") == "ocr_par"]
        self.assertEqual(sum(span.get("class") == "ocr_line" for span in root.iter(XHTML + "span")),
                         sum(span.get("class") == "ocr_line" for p in paragraphs for span in p))

    def test_alto_holds_the_same_words(self):
        run("xmllint", "--noout", "--nonet", self.folder / "document.alto.xml")
        root = ElementTree.parse(self.folder / "document.alto.xml").getroot()
        self.assertEqual([child.tag for child in root], [ALTO + "Description", ALTO + "Tags",
                                                         ALTO + "Layout"])
        pages = list(root.iter(ALTO + "Page"))
        self.assertEqual(pages[1].get("QUALITY_DETAIL"), "not read: broken <page> & more")
        self.assertEqual([child.tag for child in root[0]],
                         [ALTO + "MeasurementUnit", ALTO + "sourceImageInformation",
                          ALTO + "Processing"])
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
            for line in block:  # String, then SP and String as often as there are words
                count = (len(line) + 1) // 2
                self.assertEqual([child.tag for child in line],
                                 ([ALTO + "String", ALTO + "SP"] * count)[:-1])
                self.assertRegex(line.get("BASELINE"), r"^\d+,\d+ \d+,\d+$")
        directions = [line.get("BASEDIRECTION") for line in pages[4].iter(ALTO + "TextLine")]
        self.assertEqual(directions, ["rtl"] * 5)

    def test_pdf_is_sound(self):
        pdf = self.folder / "document.pdf"
        checked = subprocess.run(["qpdf", "--check", pdf], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertNotIn("WARNING", checked.stdout + checked.stderr)
        self.assertIn("Pages:           7", run("pdfinfo", pdf))
        listing = run("qpdf", "--qdf", "--stream-data=uncompress", pdf, "-")
        self.assertIn("/Lang (sw)", listing)
        self.assertNotRegex(listing, r"\b(inf|nan)\b")
        self.assertIn("VisLangInvisible", run("pdffonts", pdf))
        self.assertRegex(run("pdffonts", pdf).splitlines()[2], r"yes\s+\S+\s+yes")  # embedded, uni

    def test_pdf_gives_the_text_back_in_logical_order(self):
        pdf = self.folder / "document.pdf"
        marks = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
        for number in (0, 4, 5, 6):
            text = marks.sub("", run("pdftotext", "-f", number + 1, "-l", number + 1, pdf, "-"))
            expected = [word for word, _ in self.words(number) if word != "\x01"]
            self.assertEqual([word for word in text.split() if word != "\x01"], expected)
        # The last page's columns come one after the other, each as one paragraph.
        self.assertEqual(len(re.split(r"\n\n", text.strip())), 2, text)
        # Where most of a page runs the other way, poppler may turn the order of a line's words.
        text = marks.sub("", run("pdftotext", "-f", 3, "-l", 3, pdf, "-"))
        self.assertEqual(sorted(text.split()), sorted(word for word, _ in self.words(2)))
        first = run("pdftotext", "-f", 1, "-l", 1, pdf, "-")
        self.assertLess(first.index("TANGAZO LA MAJI"), first.index("Tarehe: 14 Machi 2026"))
        self.assertEqual(run("pdftotext", "-f", 4, "-l", 4, pdf, "-").strip(), "")

    def test_pdf_words_lie_on_their_boxes(self):
        pdf = self.folder / "document.pdf"
        # Words that overlap make room for a space between them.
        for number, least, tolerance in ((0, 15, 2), (4, 12, 2), (5, 6, 4)):
            self.hold_boxes(pdf, number, least, tolerance)

    def hold_boxes(self, pdf, number, least, tolerance):
        page = run("pdftotext", "-bbox", "-f", number + 1, "-l", number + 1, pdf, "-")
        found = {}
        for match in re.finditer(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" '
                                 r'yMax="([\d.]+)">(.*?)</word>', page):
            word = html.unescape(match.group(5)).replace("\u200f", "")
            found[word] = [float(v) * 150 / 72 for v in match.groups()[:4]]
        checked = 0
        texts = [word for word, _ in self.words(number)]
        arabic = re.compile("[\u0600-\u06ff]")
        # The listing has words as they lie on the page.
        found = {word[::-1] if arabic.search(word) else word: box for word, box in found.items()}
        for word, (x, y, width, height) in self.words(number):
            if word not in found or texts.count(word) > 1 or not height:
                continue
            x0, y0, x1, y1 = found[word]
            for got, wanted in ((x0, x), (x1, x + width), (y0, y), (y1, y + height)):
                self.assertLess(abs(got - wanted), tolerance, (word, found[word], (x, y, width, height)))
            checked += 1
        self.assertGreaterEqual(checked, least, (texts, list(found)))

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
