"""Personal data: taken out of answers, kept only when asked, given out and erased.

usage: test_privacy.py PROGRAM [unittest options]"""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server

PROGRAM = None
SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "samples")
SECRETS = ["Achol Deng", "555 036", "722 555", "Wanjiru"]


def sample(name):
    with open(os.path.join(SAMPLES, name), "rb") as file:
        return file.read()


FORM = sample("form-eng.jpg")


class Case(unittest.TestCase):
    def serve(self, **settings):
        server = Server(PROGRAM, **settings)
        self.addCleanup(lambda: self.assertEqual(server.stop(), 0, server.lines[-20:]))
        return server

    def check_problem(self, response, status, *words):
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.headers["content-type"], "application/problem+json")
        for word in words:
            self.assertIn(word, response.json()["detail"])


class Redaction(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def ocr(self, **fields):
        parts = [("file", FORM, "form.jpg"), ("languages", b"eng")]
        parts += [(name, value) for name, value in fields.items()]
        return self.server.post("/api/v1/ocr", parts)

    def test_text_of_every_format(self):
        for form in ("json", "text", "hocr", "alto", "markdown"):
            text = self.ocr(format=form, redact="true").body.decode().replace("\\]", "]").replace("\\[", "[")
            for secret in SECRETS:
                self.assertNotIn(secret, text, form)
            self.assertIn("[phone]", text)
            self.assertIn("[name]", text)

    def test_the_cache_holds_the_option(self):
        open_ = self.ocr(format="text").body.decode()
        self.assertIn("+254 722 555 036", open_)
        redacted = self.ocr(format="text", redact="true")
        self.assertNotIn("722 555", redacted.body.decode())
        again = self.ocr(format="text", redact="true")
        self.assertEqual(again.headers["x-cache"], "hit")
        self.assertEqual(again.body, redacted.body)
        self.assertEqual(self.ocr(format="text").body.decode(), open_)

    def test_pictures_are_read_again(self):
        for form, kind in (("png", "image/png"), ("pdf", "application/pdf")):
            response = self.ocr(format=form, redact="true")
            self.assertEqual((response.status, response.headers["content-type"]), (200, kind))
            text = self.server.post("/api/v1/ocr", [
                ("file", response.body, "again"), ("languages", b"eng"),
                ("format", b"text")]).body.decode()
            for secret in SECRETS:
                self.assertNotIn(secret, text, form)
            self.assertIn("REGISTRATION", text)

    def test_predict(self):
        for asked in (b"", b"which phone number?"):
            fields = [("file", FORM, "form.jpg"), ("languages", b"eng"),
                      ("redact", b"true")]
            if asked:
                fields.append(("instruction", asked))
            response = self.server.post("/predict", fields)
            self.assertEqual(response.status, 200, response)
            for secret in SECRETS:
                self.assertNotIn(secret, response.body.decode(), asked)

    def test_wrong_values(self):
        self.check_problem(self.ocr(redact="yes"), 400, "redact")
        two_pages = self.server.post("/api/v1/ocr", [
            ("file", sample("letter-fra.tif"), "a.tif"), ("format", b"png"),
            ("languages", b"fra")])
        if two_pages.status != 200:  # it has one page or more
            self.check_problem(two_pages, 415, "one page")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
