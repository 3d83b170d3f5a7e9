"""Personal data: taken out of answers, kept only when asked, given out and erased.

usage: test_privacy.py PROGRAM [unittest options]"""
import base64
import hashlib
import hmac
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, png, wait_until
from test_engines import Misbehaving

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


KEY = base64.b64encode(bytes(range(32))).decode()
SECRET = "a secret of the tests, long enough"
CONSENT = "Amina Yusuf agreed on 2 March 2026 that this form is kept for her case"


class Subjects(Case):
    def setUp(self):
        self.server = self.serve(admin=True, encryption_key=KEY, secret_key=SECRET)

    def keep(self, subject="case-7", server=None, **fields):
        parts = [("file", png(30, 30), "a.png"), ("format", "text")]
        fields = {"keep": "true", "subject": subject, "consent": CONSENT, **fields}
        return (server or self.server).post("/api/v1/ocr", parts + list(fields.items()))

    def objects(self):
        root = os.path.join(self.server.state.name, "objects")
        return [os.path.join(folder, name) for folder, _, names in os.walk(root)
                for name in names if name != "erasures.jsonl"]

    def audit(self):
        return [json.loads(line) for line in self.server.admin("audit", "list").splitlines()]

    def test_nothing_is_kept_unasked(self):
        response = self.server.post("/api/v1/ocr", [("file", png(30, 30), "a.png")])
        self.assertEqual(response.status, 200)
        self.assertNotIn("x-object-id", response.headers)
        self.assertEqual(self.objects(), [])

    def test_kept_encrypted_with_consent(self):
        response = self.keep()
        self.assertEqual(response.status, 200, response)
        kept = response.headers["x-object-id"]
        self.assertNotIn("x-cache", response.headers)
        self.assertEqual(len(self.objects()), 1)
        with open(self.objects()[0], "rb") as file:
            self.assertNotIn(b"PNG", file.read())
        again = self.keep()  # no cache stands between
        self.assertNotEqual(again.headers["x-object-id"], kept)
        archive = self.server.get("/admin/subjects/case-7")
        self.assertEqual((archive.status, archive.headers["content-type"]), (200, "application/zip"))
        with zipfile.ZipFile(io.BytesIO(archive.body)) as files:
            self.assertIsNone(files.testzip())
            data = json.loads(files.read("data.json"))
            self.assertEqual(data["subject"], "case-7")
            self.assertEqual([o["id"] for o in data["objects"]],
                             [kept, again.headers["x-object-id"]])
            for o in data["objects"]:
                content = files.read(o["file"])
                self.assertEqual(content, png(30, 30))
                self.assertEqual(hashlib.sha256(content).hexdigest(), o["sha256"])
                self.assertTrue(o["expires"] > o["created"])
            consents = json.loads(files.read("consents.json"))
            self.assertEqual([c["wording"] for c in consents], [CONSENT, CONSENT])
            self.assertEqual(consents[0]["request_id"], response.headers["x-request-id"])
            entries = json.loads(files.read("audit.json"))
            self.assertEqual([e["action"] for e in entries], ["upload.keep", "upload.keep"])
            self.assertEqual(entries[0]["actor"][:4], "key:")

    def test_no_room(self):
        """The vault cannot be written: nothing is kept, and it is said without where the vault is."""
        folder = os.path.join(self.server.state.name, "objects")
        os.rename(folder, folder + "-away")
        with open(folder, "w"):  # where a folder is to be made
            pass
        refused = [self.keep(), self.server.post("/api/v1/batch", [("task", "ocr"), ("file", png(30, 30), "a.png")])]
        os.unlink(folder)
        os.rename(folder + "-away", folder)
        for response in refused:
            self.check_problem(response, 503, "try again later")
            self.assertIn("retry-after", response.headers)
            self.assertNotIn(folder, response.body.decode())
        self.assertEqual(self.server.get("/admin/subjects/case-7").status, 404)
        self.assertEqual([e["action"] for e in self.audit() if e["action"] == "upload.keep"], [])
        self.assertEqual(self.keep().status, 200)

    def test_half_a_wish_is_none(self):
        for fields, status in (({"keep": "true"}, 422), ({"keep": "true", "subject": "a"}, 422),
                               ({"keep": "true", "consent": "yes"}, 422), ({"subject": "a"}, 422),
                               ({"consent": "yes"}, 422),
                               ({"keep": "perhaps", "subject": "a", "consent": "yes"}, 400),
                               ({"keep": "true", "subject": "a b", "consent": "yes"}, 400),
                               ({"keep": "true", "subject": "x" * 128, "consent": "yes"}, 400)):
            response = self.server.post("/predict", [("file", png(30, 30), "a.png"), *fields.items()])
            self.check_problem(response, status)
        self.assertEqual(self.objects(), [])

    def test_without_keys(self):
        bare = self.serve(admin=True)
        self.check_problem(self.keep(server=bare), 409, "encryption_key")
        self.check_problem(bare.get("/admin/subjects/case-7", method="DELETE"), 409, "secret_key")

    def test_erased_with_a_receipt(self):
        self.keep()
        self.keep("case-8")
        answer = self.server.get("/admin/subjects/case-7", method="DELETE")
        self.assertEqual(answer.status, 200, answer)
        signed = answer.json()
        receipt = json.loads(signed["receipt"])
        mark = "subject:" + hashlib.sha256(b"case-7").hexdigest()
        self.assertEqual((receipt["subject"], receipt["objects"], receipt["consents"]), (mark, 1, 1))
        self.assertEqual(receipt["request_id"], answer.headers["x-request-id"])
        text = b"vislang erasure receipt\n" + signed["receipt"].encode()
        self.assertEqual(hmac.new(SECRET.encode(), text, "sha256").hexdigest(), signed["signature"])
        self.check_problem(self.server.get("/admin/subjects/case-7"), 404)
        self.assertEqual(self.server.get("/admin/subjects/case-8").status, 200)
        self.assertEqual(len(self.objects()), 1)
        last = [e for e in self.audit() if e["action"] == "subject.erase"][-1]
        detail = last["detail"] if isinstance(last["detail"], dict) else json.loads(last["detail"])
        self.assertEqual((last["subject"], detail), (mark, signed))
        self.assertNotIn("case-7", json.dumps(self.audit()))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(answer.body.decode())
            file.flush()
            self.assertIn("signed here", self.server.admin("subject", "verify", file.name))
            file.seek(0)
            file.write(answer.body.decode().replace('objects\\":1', 'objects\\":2'))
            file.flush()
            with self.assertRaises(subprocess.CalledProcessError):
                self.server.admin("subject", "verify", file.name)

    def test_a_copy_does_not_bring_it_back(self):
        self.keep()
        self.keep("case-8")
        copy = os.path.join(self.server.state.name, "before.vldb")
        self.db("backup", copy)
        self.assertEqual(self.server.get("/admin/subjects/case-7", method="DELETE").status, 200)
        self.db("restore", copy, "--replace")
        self.check_problem(self.server.get("/admin/subjects/case-7"), 404)
        self.assertEqual(self.server.get("/admin/subjects/case-8").status, 200)
        # The database is lost with its tombstone; the file beside the objects has it.
        fresh = f"sqlite://{self.server.state.name}/fresh.db"
        self.db("restore", copy, "--set", f"database_url={fresh}")
        argv = [PROGRAM, "admin", "subject", "export", "case-7", *self.server.flags,
                "--set", f"database_url={fresh}", "--output", copy + ".zip"]
        done = subprocess.run(argv, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nothing is kept", done.stderr)
        argv[4] = "case-8"
        self.assertEqual(subprocess.run(argv).returncode, 0)

    def db(self, *words):
        subprocess.run([PROGRAM, "db", words[0], words[1], *self.server.flags, *words[2:]],
                       check=True, capture_output=True)

    def batch(self, server, items, **more):
        r = server.call("POST", "/api/v1/batch", {"task": "ocr", "languages": "eng", "items": items, **more})
        self.assertEqual(r.status, 202, r)
        return r.json()["status_url"]

    def test_jobs_about_somebody(self):
        encoded = base64.b64encode(FORM).decode()
        job = self.batch(self.server, [{"image_base64": encoded, "name": "form.jpg"},
                                       {"image_base64": encoded, "subject": "case-8"}], subject="case-7")
        self.assertTrue(wait_until(lambda: self.server.get(job).json()["state"] == "done", 60))
        with zipfile.ZipFile(io.BytesIO(self.server.get("/admin/subjects/case-7").body)) as files:
            item, = json.loads(files.read("jobs.json"))
            self.assertEqual((item["state"], item["task"], item["input"]["name"]), ("done", "ocr", "form.jpg"))
            self.assertIn("Achol", files.read(item["result"]).decode())
        same = self.server.post("/api/v1/ocr", [("file", FORM, "form.jpg"), ("languages", b"eng")])
        self.assertEqual(same.headers["x-cache"], "miss")  # no cache holds what is about somebody
        receipt = json.loads(self.server.get("/admin/subjects/case-7", method="DELETE").json()["receipt"])
        self.assertEqual(receipt["job_items"], 1)
        self.check_problem(self.server.get("/admin/subjects/case-7"), 404)
        left = self.server.get(job).json()
        self.assertEqual((left["total"], left["done"], [i["number"] for i in left["items"]]), (1, 1, [1]))
        self.assertEqual(self.server.get("/admin/subjects/case-8", method="DELETE").status, 200)
        self.check_problem(self.server.get(job), 404)
        self.check_problem(self.server.call("POST", "/api/v1/batch", {
            "task": "ocr", "items": [{"image_base64": encoded, "subject": "a b"}]}), 422)

    def check_erased_in_work(self, **settings):
        with Misbehaving(None) as service:
            server = self.serve(admin=True, secret_key=SECRET, workers=1, ocr_engine_timeout=80,
                                ocr_engines=f"slow=http://127.0.0.1:{service.port}", **settings)
            waiting = [{"image_base64": base64.b64encode(FORM).decode()}] * 2
            job = self.batch(server, waiting, subject="case-7")
            self.assertTrue(wait_until(lambda: service.requests, 60))
            folder = os.path.join(server.state.name, "objects" if settings else "jobs")
            kept = lambda: [n for _, _, names in os.walk(folder) for n in names if n != "erasures.jsonl"]
            self.assertEqual(len(kept()), 2)
            receipt = json.loads(server.get("/admin/subjects/case-7", method="DELETE").json()["receipt"])
            self.assertEqual(receipt["job_items"], 2)
            lost = lambda: 'items_total{outcome="lost"} 1' in server.get("/metrics").body.decode()
            self.assertTrue(wait_until(lost, 30), server.lines[-5:])  # the worker has let go
            self.check_problem(server.get(job), 404)
            self.check_problem(server.get("/admin/subjects/case-7"), 404)
            self.assertEqual(kept(), [])

    def test_erased_while_in_work(self):
        self.check_erased_in_work(encryption_key=KEY)

    def test_erased_while_in_work_without_a_vault(self):
        self.check_erased_in_work()

    def test_who_may(self):
        viewer = self.server.admin("apikey", "create", "root", "viewer", role="operator")
        for method in ("GET", "DELETE"):
            self.assertEqual(self.server.get("/admin/subjects/a", "X-API-Key: " + viewer,
                                             method=method).status, 403)
        self.check_problem(self.server.get("/admin/subjects/nobody"), 404)
        self.check_problem(self.server.get("/admin/subjects/a%20b"), 400)
        self.assertEqual(self.server.get("/admin/subjects/" + "x" * 300).status, 404)

    def test_past_its_time(self):
        short = self.serve(admin=True, encryption_key=KEY, secret_key=SECRET,
                           retention_days_upload="0.000001", retention_interval="0.2")
        self.server = short
        self.assertEqual(self.keep().status, 200)
        self.assertTrue(wait_until(lambda: not self.objects()))
        self.assertTrue(wait_until(
            lambda: any(e["action"] == "retention.sweep" for e in self.audit())))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
