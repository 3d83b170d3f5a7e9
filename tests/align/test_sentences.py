"""`vislang align sentences` and `align words` as a person meets them: formats, pages, exit codes.

usage: test_sentences.py VISLANG"""
import html.parser
import json
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

VISLANG = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
PLACES = "Mopti Gao Timbuktu Kidal Segou Kayes Sikasso Bamako Koutiala Djenne Bandiagara Douentza Niono Nioro Kita Bougouni".split()
EN = [f"On {2 + i} March 2021 the flood destroyed {340 + 17 * i} houses in {place}." if i % 2 else
      f"The road from {place} to the camp is closed since {2 + i} May." for i, place in enumerate(PLACES)]
FR = [f"Le {2 + i} mars 2021, l’inondation a détruit {340 + 17 * i} maisons à {place}." if i % 2 else
      f"La route de {place} au camp est fermée depuis le {2 + i} mai." for i, place in enumerate(PLACES)]
FR[4:6] = [FR[4] + " " + FR[5]]  # two sentences in one line
FR.insert(10, "Une phrase que la rédaction a ajoutée ici, et qui n’a pas d’original dans le premier rapport.")


def run(*arguments, **options):
    return subprocess.run([VISLANG, "align", *map(str, arguments)], capture_output=True, text=True, **options)


class Page(html.parser.HTMLParser):
    """Tags, and the text outside of style and script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.inside = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside not in ("style", "script"):
            self.texts.append(data)


class Sentences(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.en, self.fr = self.file("en.txt", EN), self.file("fr.txt", FR)

    def file(self, name, lines):
        path = self.home / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def beads(self, *arguments):
        done = run("sentences", *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check_whole(self, report):
        """Every sentence of both is in one bead, in order."""
        for side in ("source", "target"):
            numbers = [n for bead in report["beads"] for n in bead[side]]
            self.assertEqual(numbers, list(range(report[side]["sentences"])))
        for bead in report["beads"]:
            self.assertTrue(0 <= bead["confidence"] <= 1)

    def test_two_versions(self):
        report = self.beads(self.en, self.fr, "--lines")
        self.check_whole(report)
        found = [(bead["source"], bead["target"]) for bead in report["beads"]]
        for bead in [([0], [0]), ([1], [1]), ([4, 5], [4]), ([6], [5]), ([], [10]), ([15], [15])]:
            self.assertIn(bead, found)
        self.assertEqual((report["source"]["language"], report["target"]["language"]), ("en", "fr"))
        self.assertEqual(report["beads"][0]["source_texts"], [EN[0]])

    def test_plain_text_is_cut_into_sentences(self):
        report = self.beads(self.en, self.fr)
        self.assertEqual((report["source"]["sentences"], report["target"]["sentences"]), (16, 17))
        wrapped = self.file("wrapped.txt", ["The water rose in the night and the people of the lower",
                                            "town left their houses and went to the school on the",
                                            "hill, where they slept. In the morning it had fallen."])
        self.assertEqual(self.beads(wrapped, self.fr)["source"]["sentences"], 2)

    def test_tsv_and_table(self):
        lines = run("sentences", self.en, self.fr, "--lines", "--tsv").stdout.splitlines()
        self.assertTrue(all(line.count("\t") == 4 for line in lines))
        self.assertEqual(lines[0].split("\t")[:2], ["0", "0"])
        shown = run("sentences", self.en, self.fr, "--lines").stdout
        self.assertIn("16 sentences (English) and 16 (French)", shown)
        self.assertIn("1 : 1", shown)

    def test_languages_are_said_or_found(self):
        report = self.beads(self.en, self.fr, "--src", "eng", "--tgt", "ln")
        self.assertEqual((report["source"]["language"], report["target"]["language"]), ("en", "ln"))

    def test_page(self):
        arabic = self.file("ar.txt", ["تقرير 12 مارس 2021 عن موبتي وغاو.", "دمر الفيضان 340 منزلا <b>&amp;</b>."])
        hostile = self.file("<img src=x>.txt", ['"><script>alert(1)</script> 12 2021', "340 </td> & 'more'"])
        page = self.home / "page.html"
        done = run("sentences", hostile, arabic, "--lines", "--html", page)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = page.read_text(encoding="utf-8")
        parsed = Page(text)
        names = [tag for tag, _ in parsed.tags]
        self.assertEqual(names.count("script"), 1)
        self.assertNotIn("img", names)
        self.assertNotIn("http", text)  # needs nothing from elsewhere
        cells = [attributes for tag, attributes in parsed.tags if tag == "td" and "dir" in attributes]
        self.assertEqual({(cell["dir"], cell["lang"]) for cell in cells[1::2]}, {("rtl", "ar")})
        self.assertIn("alert(1)", "".join(parsed.texts))
        self.assertIn("&amp;amp;", text)
        marked = [attributes["data-w"] for tag, attributes in parsed.tags if tag == "b"]
        self.assertTrue(marked and all(marked.count(number) % 2 == 0 for number in set(marked)))

    def test_other_documents(self):
        page = self.home / "a.html"
        page.write_text("<html lang=en><body><nav>Home</nav><main>" + "".join(f"<p>{line}</p>" for line in EN)
                        + "</main></body></html>", encoding="utf-8")
        text = "".join(f'<w:p><w:r><w:t>{line}</w:t></w:r></w:p>' for line in FR)
        document = self.home / "b.docx"
        with zipfile.ZipFile(document, "w") as archive:
            archive.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                             '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
            archive.writestr("_rels/.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                             '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>')
            archive.writestr("word/document.xml", '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
                             f"<w:body>{text}</w:body></w:document>")
        report = self.beads(page, document)
        self.check_whole(report)
        self.assertEqual((report["source"]["sentences"], report["target"]["sentences"]), (16, 17))

    def test_vectors(self):
        one, two = self.home / "en.vec", self.home / "fr.vec"
        one.write_text("2 3\nwater 1 0 0\nhouses 0 1 0\n")
        two.write_text("2 3\neau 1 0 0.1\nmaisons 0 1 0.1\n")
        report = self.beads(self.en, self.fr, "--src-vectors", one, "--tgt-vectors", two)
        self.check_whole(report)
        self.assertTrue(report["source"]["vectors"])
        other, broken = self.home / "4.vec", self.home / "nan.vec"
        other.write_text("1 4\neau 1 0 0 1\n")
        broken.write_text("1 3\neau 1 nan 0\n")
        for target, said in ((other, "dimensions"), (broken, "nan.vec")):
            done = run("sentences", self.en, self.fr, "--src-vectors", one, "--tgt-vectors", target)
            self.assertEqual(done.returncode, 3)
            self.assertIn(said, done.stderr)
        self.assertEqual(run("sentences", self.en, self.fr, "--src-vectors", one).returncode, 2)

    def test_what_people_give_by_mistake(self):
        empty, same = self.file("empty.txt", [""]), self.file("same.txt", ["again"] * 30)
        long = self.home / "long.txt"
        long.write_text("neno la pili " * 80000, encoding="utf-8")
        invalid = self.home / "invalid.txt"
        invalid.write_bytes(b"Mopti \xff\xfe 340.\nGao \xe1\x88\n")
        for one in (empty, same, long, invalid, self.en):
            for other in (empty, same, self.fr):
                self.check_whole(self.beads(one, other))
        self.assertEqual(self.beads(empty, empty)["beads"], [])
        self.assertIn(f"no text was found in {empty}", run("sentences", self.en, empty).stderr)

    def test_what_is_read_is_not_written_over(self):
        before, link = self.fr.read_bytes(), self.home / "link.html"
        link.symlink_to(self.fr)
        for page in (self.fr, link):
            done = run("sentences", self.en, self.fr, "--html", page)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("would write over", done.stderr)
        self.assertEqual(self.fr.read_bytes(), before)

    def test_wrong_use(self):
        rows = [(("sentences", self.en), 2, "A B"), (("sentences", self.en, self.home / "none.txt"), 3, "none.txt"),
                (("sentences", "-", "-"), 2, "standard input"), (("sentences", self.en, self.fr, "--json", "--tsv"), 2, "not both"),
                (("sentences", self.en, self.fr, "--hub", "x"), 2, "--hub"), (("words", self.en, self.fr, "--html", "x"), 2, "--html"),
                (("words", self.en, self.file("short.txt", FR[:2])), 3, "lines")]
        for arguments, code, said in rows:
            done = run(*arguments)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.returncode, code, done.stderr)

    def test_words(self):
        one = self.file("one.txt", ["the house is red", "", "the car is red", "the house is big", "a big car"])
        two = self.file("two.txt", ["nyumba ni nyekundu", "", "gari ni nyekundu", "nyumba ni kubwa", "gari kubwa"])
        lines = run("words", one, two).stdout.splitlines()
        self.assertEqual(len(lines), 5)
        self.assertEqual(lines[1], "")
        self.assertIn("house=nyumba", lines[3].split("\t"))
        link = json.loads(run("words", one, two, "--json").stdout.splitlines()[3])["links"][0]
        self.assertEqual((link["source"], link["target"]),
                         ({"word": "house", "from": 4, "to": 9}, {"word": "nyumba", "from": 0, "to": 6}))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
