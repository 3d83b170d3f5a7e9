"""The routes of the picture model: shapes, refusals, thresholds, cache, many at once.

usage: test_pictures.py PROGRAM MAKE_TINY_SEER [unittest options]

The model has random weights, so that nothing here depends on what a trained one says."""
import itertools
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, form_request, png  # noqa: E402

PROGRAM = None
ROUTES = (("/api/v1/caption", []), ("/api/v1/vqa", [("question", "what is the man doing?")]),
          ("/api/v1/scene", []))


def photograph(seed=0, width=160, height=120):
    """A coloured PNG that looks like a photograph: soft shades and grain, no paper, no ink."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    rows, noise = b"", seed * 7919 + 1
    for y in range(height):
        row = bytearray(b"\0")
        for x in range(width):
            noise = (noise * 1103515245 + 12345) & 0x7FFFFFFF
            grain = (noise >> 16) % 23 - 11
            for c, tone in enumerate((90, 110, 60)):
                wave = 50 * math.sin((x + seed) / (17 + 6 * c)) + 40 * math.cos(y / (23 - 4 * c))
                row.append(max(0, min(255, int(tone + wave + grain))))
        rows += bytes(row)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM, model_path=MODEL, workers=2)

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        assert status == 0, f"exit status {status}\n" + "".join(cls.server.lines[-30:])

    def post(self, path, fields, status=200, server=None):
        r = (server or self.server).post(path, fields)
        self.assertEqual(r.status, status, f"{path} {fields[1:]} {r}")
        if status != 200:
            self.assertEqual(r.headers["content-type"], "application/problem+json")
        return r.json()

    def check_model(self, reply):
        self.assertEqual(reply["model_info"], {"name": "seer", "version": "tiny-1"})
        self.assertGreaterEqual(reply["processing_time_ms"], 0)

    def test_shapes(self):
        file = ("file", photograph(1), "a.png")
        reply = self.post("/api/v1/caption", [file])
        self.check_model(reply)
        self.assertIsInstance(reply["caption"], str)
        self.assertEqual((reply["language"], reply["sure"]), ("en", True))
        self.assertTrue(0 <= reply["confidence"] <= 1)
        self.assertEqual(self.post("/api/v1/caption", [file, ("language", "fr")])["language"], "fr")
        reply = self.post("/api/v1/vqa", [file, ("question", "what colour is it?")])
        self.check_model(reply)
        self.assertEqual(reply["question"], "what colour is it?")
        self.assertIsInstance(reply["answer"], str)
        reply = self.post("/api/v1/vqa", [file, ("statement", "There is a dog.")])
        self.assertIn(reply["answer"], ("true", "false"))
        self.assertEqual(reply["answer"] == "true", reply["probability"] >= 0.5)
        self.assertGreaterEqual(reply["confidence"], 0.5)
        reply = self.post("/api/v1/scene", [file])
        self.check_model(reply)
        self.assertEqual(reply["set"], "scene")
        self.assertEqual({one["label"] for one in reply["labels"]}, {"flood", "fire", "ordinary"})
        shares = [one["probability"] for one in reply["labels"]]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertAlmostEqual(sum(shares), 1, delta=0.001)
        reply = self.post("/api/v1/scene", [file, ("set", "kind")])
        self.assertEqual(len(reply["labels"]), 3)

    def test_refusals(self):
        file = ("file", photograph(2), "a.png")
        cases = (("/api/v1/vqa", [file], 400, "question"),
                 ("/api/v1/vqa", [file, ("question", "  ")], 400, "empty"),
                 ("/api/v1/vqa", [file, ("question", "a"), ("statement", "b")], 400, "exclude"),
                 ("/api/v1/vqa", [file, ("question", b"\xff\xfe")], 400, "UTF-8"),
                 ("/api/v1/vqa", [file, ("question", "a\x07b")], 422, "control"),
                 ("/api/v1/vqa", [file, ("question", "why? " * 300)], 422, "tokens"),
                 ("/api/v1/vqa", [file, ("question", "why? " * 700)], 422, "2000"),
                 ("/api/v1/vqa", [file, ("question", "x" * 5000)], 400, "longer"),
                 ("/api/v1/vqa", [("question", "what is it?")], 400, "file"),
                 ("/api/v1/vqa", [file, ("questoin", "what?")], 400, "did you mean"),
                 ("/api/v1/caption", [file, ("language", "xx")], 400, "en, fr"),
                 ("/api/v1/caption", [file, ("question", "what?")], 400, "question"),
                 ("/api/v1/scene", [file, ("set", "mood")], 400, "scene, kind"),
                 ("/api/v1/scene", [file, ("set", "untaught")], 400, "scene, kind"),
                 ("/api/v1/caption", [("file", b"plain text, no picture at all", "a.png")], 415, "JPEG"),
                 ("/api/v1/caption", [("file", png()[:60], "a.png")], 422, ""),
                 ("/api/v1/caption", [("file", b"", "a.png")], 400, "empty"))
        for path, fields, status, words in cases:
            problem = self.post(path, fields, status)
            self.assertIn(words, problem["detail"])

    def test_json_body(self):
        import base64
        body = json.dumps({"image_base64": base64.b64encode(photograph(3)).decode(),
                           "question": "what is it?"}).encode()
        head = (f"POST /api/v1/vqa HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        r = self.server.send(head + body)
        self.assertEqual(r.status, 200, r)
        self.assertEqual(r.json()["question"], "what is it?")

    def test_cache_tells_questions_apart(self):
        file = ("file", photograph(4), "a.png")
        seen = []
        for path, fields in (("/api/v1/vqa", [("question", "what is it?")]),
                             ("/api/v1/vqa", [("statement", "what is it?")]),
                             ("/api/v1/vqa", [("question", "who is it?")]),
                             ("/api/v1/caption", []), ("/api/v1/caption", [("language", "fr")]),
                             ("/api/v1/scene", []), ("/api/v1/scene", [("set", "kind")])):
            first = self.server.post(path, [file] + fields)
            again = self.server.post(path, [file] + fields)
            self.assertEqual((first.headers["x-cache"], again.headers["x-cache"]), ("miss", "hit"))
            self.assertEqual(first.body, again.body)
            seen.append(first.body)
        self.assertEqual(len(set(seen)), len(seen))

    def test_eight_at_once_are_answered_as_one_by_one(self):
        requests = [form_request(path, [("file", photograph(10 + i), "a.png")] + fields)
                    for i, (path, fields) in enumerate((ROUTES * 3)[:8])]
        bodies = [None] * 8

        def ask(i):
            bodies[i] = self.server.send(requests[i]).json()
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        other = Server(PROGRAM, model_path=MODEL, workers=1, cache_size_mb=0)
        try:
            for i in range(8):
                alone = other.send(requests[i]).json()
                for reply in (alone, bodies[i]):
                    reply.pop("processing_time_ms")
                self.assertEqual(alone, bodies[i])
        finally:
            self.assertEqual(other.stop(), 0)

    def test_metrics_and_models(self):
        self.server.post("/api/v1/caption", [("file", photograph(30), "a.png")])
        text = self.server.get("/metrics").body.decode()
        self.assertRegex(text, r"\nvislang_picture_model_requests_total [1-9]")
        seconds = text.split("\nvislang_picture_model_seconds_total ")[1].split("\n")[0]
        self.assertGreater(float(seconds), 0)
        models = {m["name"]: m for m in self.server.get("/models").json()["models"]}
        self.assertEqual((models["seer"]["version"], models["seer"]["available"]), ("tiny-1", True))

    def test_predict_describes_and_answers_a_photograph(self):
        file = ("file", photograph(31, 320, 240), "a.png")
        answer = self.post("/predict", [file])
        picture = answer["evidence"]["picture"]
        self.assertEqual(answer["document"]["kind"], "photograph")
        self.assertEqual(answer["model_info"], {"name": "seer", "version": "tiny-1"})
        self.assertEqual(picture["model"], {"name": "seer", "version": "tiny-1"})
        self.assertIn("A photograph. It shows: ", answer["response"])
        self.assertIn("Scene: ", answer["response"])
        self.assertAlmostEqual(answer["confidence"], picture["caption_confidence"], places=3)
        self.assertEqual(len(picture["scene"]), 3)
        self.assertNotIn("answer", picture)
        answer = self.post("/predict", [file, ("instruction", "what is the man doing?")])
        picture = answer["evidence"]["picture"]
        self.assertEqual(picture["question"], "what is the man doing?")
        self.assertEqual(answer["response"], picture["answer"])
        self.assertAlmostEqual(answer["confidence"], picture["answer_confidence"], places=3)
        answer = self.post("/predict", [file, ("instruction", "what does it say?")])
        self.assertIn("no text", answer["response"])

    def test_predict_of_a_page_is_as_without_a_model(self):
        other = Server(PROGRAM, model_path="/nonexistent/seer.gguf", workers=1)
        try:
            for fields in ([], [("instruction", "which phone number?")],
                           [("instruction", "what is the man doing?")]):
                fields = [("file", page(), "page.jpg")] + fields
                here, there = (self.post("/predict", fields, server=s) for s in (self.server, other))
                for answer in (here, there):
                    answer.pop("processing_time_ms")
                    for read in answer["evidence"]["ocr"]["pages"]:
                        read.pop("milliseconds")
                self.assertEqual(here, there)
        finally:
            self.assertEqual(other.stop(), 0)


class Unsure(unittest.TestCase):
    """Thresholds above 1: nothing is sure, and it is said."""

    def test_predict_says_what_it_would_have_guessed(self):
        server = Server(PROGRAM, model_path=UNSURE, workers=1)
        try:
            file = ("file", photograph(40, 320, 240), "a.png")
            answer = server.post("/predict", [file]).json()
            self.assertIn("can't tell for certain", answer["response"])
            self.assertIn("my best guess: ", answer["response"])
            self.assertNotIn("Scene: ", answer["response"])
            answer = server.post("/predict", [file, ("instruction", "is there a dog?")]).json()
            self.assertTrue(answer["response"].startswith("I can't tell from this picture."))
            for path, fields in ROUTES:
                reply = server.post(path, [file] + fields).json()
                sure = [one["sure"] for one in reply["labels"]] if "labels" in reply else [reply["sure"]]
                self.assertFalse(any(sure), reply)
        finally:
            self.assertEqual(server.stop(), 0)


class Retrieve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM, model_path=MODEL, retrieve_index=INDEX, workers=2)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def post(self, *fields, status=200):
        r = self.server.post("/api/v1/retrieve", list(fields))
        self.assertEqual(r.status, status, f"{fields} {r}")
        return r.json()

    def test_a_picture_finds_itself_first(self):
        for name in sorted(os.listdir("samples/photos")):
            if not name.endswith(".jpg"):
                continue
            with open(f"samples/photos/{name}", "rb") as file:
                found = self.post(("file", file.read(), "x.jpg"))
            self.assertEqual(found["results"][0]["name"], name)
            self.assertAlmostEqual(found["results"][0]["score"], 1, delta=0.001)
            self.assertEqual(len(found["results"]), found["pictures"])

    def test_a_text_finds_some(self):
        found = self.post(("text", "a cat"), ("language", "en"), ("k", "2"))
        scores = [one["score"] for one in found["results"]]
        self.assertEqual(len(scores), 2)
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertNotEqual(self.post(("text", "a rocket"))["results"], self.post(("text", "a cat"))["results"])

    def test_refusals(self):
        file = ("file", photograph(60), "a.png")
        for fields in ((), (file, ("text", "a cat")), (("text", " "),), (file, ("k", "0")),
                       (file, ("k", "101")), (file, ("k", "two")), (file, ("question", "x"))):
            self.post(*fields, status=400)
        self.post(("file", b"plain text, no picture at all", "a.png"), status=415)

    def test_an_index_of_another_model_is_refused_at_the_start(self):
        for index, words in (("README.md", "README.md"), ("/nonexistent", "/nonexistent"),
                             (OTHER_INDEX, "seer other-2")):
            result = subprocess.run([PROGRAM, "serve", "--port", "0", "--set", f"model_path={MODEL}",
                                     "--set", f"retrieve_index={index}"], capture_output=True,
                                    text=True, timeout=60)
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertIn(words, result.stderr)


    def test_an_index_that_is_replaced_is_searched_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            few, index = folder + "/few", folder + "/index"
            os.mkdir(few)
            shutil.copy("samples/photos/" + sorted(n for n in os.listdir("samples/photos") if n.endswith(".jpg"))[0], few)
            shutil.copy(INDEX, index)
            subprocess.run([MAKER, folder + "/same.gguf", "0", few, folder + "/new"], check=True)
            server = Server(PROGRAM, model_path=MODEL, retrieve_index=index, workers=2)
            try:
                def pictures(text="a cat"):
                    return server.post("/api/v1/retrieve", [("text", text)]).json()["pictures"]
                before = pictures()
                self.assertGreater(before, 1)
                os.replace(folder + "/new", index)
                self.assertEqual(pictures(), 1)
                for unfit in ("README.md", OTHER_INDEX, "/dev/null"):
                    shutil.copyfile(unfit, folder + "/next")
                    os.replace(folder + "/next", index)
                    self.assertEqual((pictures(), pictures()), (1, 1))
                os.unlink(index)
                self.assertEqual(pictures(), 1)
                # Searches go on while the index is replaced again and again.
                seen, stop = set(), threading.Event()
                def ask(name):
                    for i in itertools.count():  # texts that no answer is kept for
                        if stop.is_set():
                            break
                        seen.add(pictures(f"{name} {i}"))
                threads = [threading.Thread(target=ask, args=(name,)) for name in "abc"]
                for thread in threads:
                    thread.start()
                for i in range(20):
                    if i % 2:
                        shutil.copy(INDEX, folder + "/next")
                    else:
                        subprocess.run([MAKER, folder + "/same.gguf", "0", few, folder + "/next"], check=True)
                    os.replace(folder + "/next", index)
                stop.set()
                for thread in threads:
                    thread.join()
                self.assertLessEqual(seen, {1, before})
                self.assertEqual(pictures(), before)
            finally:
                self.assertEqual(server.stop(), 0)
            warned = [json.loads(line) for line in server.lines if "cannot be used" in line]
            self.assertEqual(len(warned), 3, "once for each file that is none")


class Missing(unittest.TestCase):
    def test_without_a_model_pages_are_read_and_pictures_refused(self):
        with tempfile.NamedTemporaryFile(suffix=".gguf") as broken:
            broken.write(b"GGUF\x03\0\0\0")
            broken.flush()
            for path in ("/nonexistent/seer.gguf", broken.name):
                server = Server(PROGRAM, model_path=path, workers=1)
                try:
                    self.assertTrue(any("photographs are not described" in l for l in server.lines))
                    file = ("file", photograph(50, 320, 240), "a.png")
                    for route, fields in ROUTES + (("/api/v1/retrieve", []),):
                        r = server.post(route, [file] + fields)
                        self.assertEqual(r.status, 503, r)
                        self.assertRegex(r.json()["detail"], "no (index|picture model)")
                    answer = server.post("/predict", [file]).json()
                    self.assertIn("No picture model is loaded", answer["response"])
                    self.assertEqual(answer["model_info"]["name"], "vislang-ocr")
                    self.assertNotIn("caption", answer["evidence"]["picture"])
                    models = {m["name"]: m for m in server.get("/models").json()["models"]}
                    self.assertFalse(models["seer"]["available"])
                finally:
                    self.assertEqual(server.stop(), 0)


def page():
    with open("samples/notice-swh.jpg", "rb") as file:
        return file.read()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    MAKER = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        MODEL, UNSURE = folder + "/tiny.gguf", folder + "/unsure.gguf"
        INDEX, OTHER_INDEX = folder + "/index", folder + "/other-index"
        subprocess.run([MAKER, MODEL, "0", "samples/photos", INDEX], check=True)
        subprocess.run([MAKER, UNSURE, "0", "samples/photos", OTHER_INDEX, "seer other-2"], check=True)
        subprocess.run([MAKER, UNSURE, "2"], check=True)
        result = unittest.main(exit=False).result
    print(f"picture api tests: {result.testsRun} run, "
          f"{len(result.failures) + len(result.errors)} failed")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
