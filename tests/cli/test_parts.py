"""`vislang dataset parts` as a person meets it: which formats it reads, what is printed, exit codes."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
SWAHILI = "Mvua kubwa imenyesha katika wilaya tatu za kaskazini kwa siku nne mfululizo na mto umejaa."
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ODF = "urn:oasis:names:tc:opendocument:xmlns:"


class Parts(unittest.TestCase):
    def setUp(self):
        self.home = Path(tempfile.mkdtemp(prefix="vislang-cli-parts-"))
        self.addCleanup(shutil.rmtree, self.home)

    def parts(self, name, *flags):
        return subprocess.run([PROGRAM, "dataset", "parts", self.home / name, *flags], capture_output=True, text=True,
                              timeout=120)

    def pack(self, name, **entries):
        with zipfile.ZipFile(self.home / name, "w") as archive:
            for path, text in entries.items():
                archive.writestr(path, text)

    def docx(self, name, body):
        self.pack(name, **{
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
                           f"<Relationship Id='a' Type='{OFFICE}/officeDocument' Target='word/document.xml'/>"
                           "</Relationships>",
            "word/document.xml": f"<w:document xmlns:w='{W}'><w:body>{body}</w:body></w:document>"})

    def test_formats(self):
        self.docx("a.docx", f"<w:p><w:r><w:t>{SWAHILI}</w:t></w:r></w:p>")
        self.pack("a.odt", mimetype="application/vnd.oasis.opendocument.text", **{
            "content.xml": f"<office:document-content xmlns:office='{ODF}office:1.0' xmlns:text='{ODF}text:1.0'>"
                           f"<office:body><office:text><text:p>{SWAHILI}</text:p></office:text></office:body>"
                           "</office:document-content>"})
        (self.home / "a.txt").write_text(SWAHILI + "\n")
        (self.home / "a.html").write_text(f"<!doctype html><p>{SWAHILI}</p>")
        for name, form in (("a.docx", "docx"), ("a.odt", "odt"), ("a.txt", "text"), ("a.html", "html")):
            with self.subTest(name):
                done = self.parts(name, "--json")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                document = json.loads(done.stdout)
                self.assertEqual(document["format"], form)
                self.assertEqual([(p["kind"], p["language"], p["text"]) for p in document["parts"]],
                                 [("paragraph", "swa", SWAHILI)])
                self.assertIn(SWAHILI, self.parts(name).stdout)

    def test_what_is_not_read_says_what_it_is(self):
        self.docx("cut.docx", "<w:p/>")
        whole = (self.home / "cut.docx").read_bytes()
        (self.home / "cut.docx").write_bytes(whole[:len(whole) // 2])
        self.docx("broken.docx", "<w:p>")
        self.pack("a.zip", **{"a.txt": "text"})
        self.pack("a.ods", mimetype="application/vnd.oasis.opendocument.spreadsheet")
        (self.home / "old.doc").write_bytes(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + bytes(100))
        (self.home / "a.json").write_text('{"a": 1}')
        for name, said in (("cut.docx", "cut short"), ("broken.docx", "well-formed"), ("a.zip", "no document"),
                           ("a.ods", "spreadsheet"), ("old.doc", "an old Word"), ("a.json", "is not taken apart")):
            with self.subTest(name):
                done = self.parts(name)
                self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
