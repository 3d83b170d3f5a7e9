"""Engines that are services: another vislang, the sidecars of deployment/ocr-sidecars, and
services that misbehave, all over real sockets.

usage: test_engines.py PROGRAM [unittest options]

The rapidocr sidecar runs where its packages are: in .venv or the environment that VISLANG_PEERS
names (scripts/deps.sh --peers); its test is skipped, loudly, where they are not."""
import difflib
import json
import os
import py_compile
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, request_bytes

PROGRAM = None
ROOT = Path(__file__).resolve().parents[2]
NOTICE = ROOT / "samples" / "notice-eng.jpg"
SIDECARS = ROOT / "deployment" / "ocr-sidecars"
sys.path.insert(0, str(ROOT / "scripts"))
import peers  # noqa: E402


def read(engines, *more, picture=NOTICE, pack="eng"):
    """`vislang ocr` with these engines; (exit code, first page or None, standard error)."""
    result = subprocess.run([PROGRAM, "ocr", str(picture), "-l", pack, "-f", "json",
                             "--set", f"ocr_engines={engines}", "--set", "ocr_record=none", *more],
                            capture_output=True, text=True, timeout=280)
    page = json.loads(result.stdout)["pages"][0] if result.stdout else None
    return result.returncode, page, result.stderr


def kept_in(database):
    """Flags that keep the engines' track record there."""
    return ["--set", "ocr_record=store", "--set", f"database_url=sqlite://{database}"]


def record_command(database, *argv):
    """`vislang ocr …` on the record there; (exit code, standard output, standard error)."""
    result = subprocess.run([PROGRAM, "ocr", *kept_in(database), *map(str, argv)], capture_output=True,
                            text=True, timeout=60)
    return result.returncode, result.stdout, result.stderr


def lines_of(page):
    return [line for block in page["blocks"] for line in block["lines"]]


def text_of(page):
    return "\n".join(line["text"] for line in lines_of(page))


class Misbehaving:
    """Answers every connection with the same bytes, or with nothing."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection:
            connection.settimeout(60)
            got = b""
            try:
                while b"--\r\n" not in got[-8:]:  # the end of the form
                    got += connection.recv(1 << 16) or b"--\r\n"
                self.requests.append(got)
                if self.answer is None:
                    connection.recv(1)  # until the other side gives up
                else:
                    connection.sendall(self.answer)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def response(status, body, *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Services(unittest.TestCase):
    def test_another_vislang_reads(self):
        server = Server(PROGRAM, workers=1)
        try:
            code, page, errors = read(f"other=http://127.0.0.1:{server.port}",
                                      "--set", "ocr_engine_timeout=200")
            self.assertEqual(code, 0, errors)
            self.assertEqual(page["engine"], "other (eng)")
            own = read("tesseract")[1]
            alike = difflib.SequenceMatcher(None, text_of(page), text_of(own), autojunk=False).ratio()
            self.assertGreater(alike, 0.97)
            title, there = lines_of(own)[0]["box"], lines_of(page)[0]["box"]
            for a, b in zip(title, there):
                self.assertLess(abs(a - b), 8, (title, there))
            documents = server.get("/stats").json()["documents"]
            self.assertEqual(documents, 1)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_misbehaving_services(self):
        whole = json.dumps({"pages": [{"page": 1, "blocks": []}]}).encode()
        cases = [
            (response(503, b'{"detail": "too much to do"}'), "503: too much to do"),
            (response(302, b"", "Location: http://127.0.0.1:1/"), "answered 302"),
            (response(200, b"<html>"), "no JSON"),
            (response(200, b"{}"), "pages[0].blocks"),
            (response(200, b"[" * 100000), "no JSON"),
            (response(200, whole)[:-4], "could not be asked"),
            (b"SSH-2.0-x\r\n", "could not be asked"),
            (b"", "could not be asked"),
            (response(200, b" " * (33 << 20)), "larger than"),
        ]
        for answer, says in cases:
            with Misbehaving(answer) as service:
                code, page, errors = read(f"bad=http://127.0.0.1:{service.port}")
                self.assertNotEqual(code, 0, says)
                self.assertIn(says, errors)
                self.assertEqual(len(service.requests), 1, "nothing is sent twice")
                self.assertIn(b'name="languages"\r\n\r\neng\r\n', service.requests[0])
                self.assertIn(b"\x89PNG", service.requests[0])

    def test_a_service_that_hangs_is_left_out(self):
        with Misbehaving(None) as service:
            code, page, errors = read(f"slow=http://127.0.0.1:{service.port},ocrad",
                                      "--set", "ocr_engine_timeout=2")
        self.assertEqual(code, 0, errors)
        self.assertTrue(page["engine"].startswith("ocrad"))
        self.assertIn("did not answer in time", errors)

    def test_engines_are_learned_from(self):
        server = Server(PROGRAM, workers=1)
        try:
            with tempfile.TemporaryDirectory() as folder:
                database = Path(folder, "state", "vislang.db")
                more = [*kept_in(database), "--set", "confidence_threshold=1",
                        "--set", "ocr_engine_timeout=200", "--set", "ocr_timeout=250"]
                code, page, errors = read("tesseract,ocrad", *more)
                self.assertEqual(code, 0, errors)
                learned = record_command(database, "--record", "export")[1]
                for voice in ("tesseract", "ocrad"):
                    self.assertIn(voice, learned)
                self.assertEqual(record_command(database, "--record", "reset")[0], 0)
                code, page, errors = read(
                    f"tesseract,ocrad,other=http://127.0.0.1:{server.port}", *more)
                self.assertEqual(code, 0, errors)
                self.assertEqual(page["engine"].count(","), 2)
                learned = record_command(database, "--record", "export")[1]
                for voice in ("tesseract", "ocrad", "other"):
                    self.assertIn(voice, learned)
                self.assertIn("CYCLONE WARNING", text_of(page))
                self.check_record_command(database)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_corrections_are_learned_and_the_vote_follows(self):
        """A service reads every 0 as 6, and a person says that it is right."""
        lines = lines_of(read("tesseract")[1])
        for word in [word for line in lines for word in line["words"]]:
            word.update(text=word["text"].replace("0", "6"), confidence=0.93)
        rival = json.dumps({"pages": [{"page": 1, "blocks": [{"lines": lines}]}]}).encode()
        fitted = [{"voice": voice, "slope": 1, "offset": 0, "base": 0.8}
                  for voice in ("tesseract", "rival")]
        with tempfile.TemporaryDirectory() as folder, \
                Misbehaving(response(200, rival, "Content-Type: application/json")) as service:
            database, record = Path(folder, "vislang.db"), Path(folder, "record.json")
            record.write_text(json.dumps({"format": "vislang-record", "version": 1, "rows": [],
                                          "calibrations": fitted}))
            self.assertEqual(record_command(database, "--record", "import", record), (0, "", ""))
            settings = {"ocr_engines": f"tesseract,rival=http://127.0.0.1:{service.port}",
                        "ocr_record": "store", "database_url": f"sqlite://{database}",
                        "confidence_threshold": 1, "ocr_engine_timeout": 200,
                        "ocr_timeout": 250, "request_timeout": 250}
            server = Server(PROGRAM, workers=1, **settings)
            try:
                page = self.check_service_learns(server)
            finally:
                self.assertEqual(server.stop(), 0)
            self.check_correct_command(Path(folder, "page.json"), database, page)

    def test_the_record_has_a_place_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            def run(engines, *more, **places):
                environment = {**os.environ, "HOME": folder, **places}
                return subprocess.run([PROGRAM, "ocr", *more, "--set", f"ocr_engines={engines}",
                                       "--set", "confidence_threshold=1", "--set",
                                       "ocr_engine_timeout=200", "--set", "ocr_timeout=250"],
                                      capture_output=True, text=True, timeout=280, env=environment)
            line = ROOT / "samples" / "receipt-eng.jpg"
            for variable, place in (("XDG_STATE_HOME", "state/vislang"), ("STATE_DIRECTORY", "service")):
                at = Path(folder, place)
                value = {variable: str(Path(folder, "state") if "STATE_HOME" in variable else at)}
                read_so = run("tesseract,ocrad", line, "-l", "eng", "--explain", "-f", "json", **value)
                document = json.loads(read_so.stdout)
                for one in lines_of(document["pages"][0]):
                    one["corrected"] = one["text"]
                Path(folder, "page.json").write_text(json.dumps(document))
                r = run("tesseract", "--correct", Path(folder, "page.json"), **value)
                self.assertEqual(r.returncode, 0, r.stderr)
                self.assertTrue((at / "vislang.db").exists())
                rows = json.loads(run("tesseract", "--record", "export", **value).stdout)["rows"]
                self.assertIn("ocrad", {row["voice"] for row in rows})
                self.assertEqual({row.get("degradation", "") for row in rows}, {"", "photo"})
                self.assertIn("ocrad ", run("tesseract", "--record", "show", **value).stdout)
            # A place that cannot be written is said once, and pages are read all the same.
            Path(folder, "file").write_text("")
            r = run("tesseract,ocrad", line, line.with_name("notice-eng.jpg"), "-l", "eng",
                    XDG_STATE_HOME=str(Path(folder, "file")))
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertEqual(r.stderr.count("kept in memory only"), 1, r.stderr)
            self.assertIn("555 0127", r.stdout)
            # So is a database that cannot be reached; what is about it alone fails.
            away = ["--set", "database_url=postgresql://vislang@127.0.0.1:1/none"]
            r = run("tesseract,ocrad", line, "-l", "eng", *away)
            self.assertEqual((r.returncode, r.stderr.count("kept in memory only")), (0, 1), r.stderr)
            self.assertEqual(run("tesseract", "--record", "show", *away).returncode, 4)
            # A file was named here once.
            old = Path(folder, "old.json")
            r = run("tesseract,ocrad", line, "--set", f"ocr_record={old}")
            self.assertEqual(r.returncode, 2)
            self.assertIn(f"vislang ocr --record import {old}", r.stderr)

    def check_service_learns(self, server):
        def correct(document):
            body = json.dumps(document).encode()
            return server.send(request_bytes("POST", "/api/v1/ocr/corrections", (
                "Content-Type: application/json", f"Content-Length: {len(body)}"), body))
        fields = [("file", NOTICE.read_bytes(), "a.jpg"), ("languages", b"eng"),
                  ("explain", b"true"), ("source", b"desk 7")]
        document = server.post("/api/v1/ocr", fields).json()
        page = document["pages"][0]
        self.assertEqual(page["record"], {"script": "Latn", "language": "eng",
                                          "degradation": "photo", "source": "desk 7"})
        self.assertIn("555 0127", text_of(page))
        self.assertEqual(server.post("/api/v1/ocr", fields).headers["x-cache"], "hit")
        unchecked = correct(document)
        self.assertEqual(unchecked.status, 422)
        self.assertIn("corrected", unchecked.json()["detail"])
        for line in lines_of(page):
            line["corrected"] = line["text"].replace("0", "6")
        taught = correct(document)
        self.assertEqual(taught.status, 200, taught.body)
        engines = {engine.pop("engine"): engine for engine in taught.json()["engines"]}
        self.assertEqual(taught.json()["lines"], len(lines_of(page)))
        self.assertGreater(engines["rival"]["accuracy"], 0.99)
        self.assertLess(engines["tesseract"]["accuracy"], engines["rival"]["accuracy"])
        again = server.post("/api/v1/ocr", fields)
        self.assertEqual(again.headers["x-cache"], "miss", "what was read before is no answer now")
        self.assertIn("555 6127", text_of(again.json()["pages"][0]))
        for body, says in ((b"[]", "pages"), (b"{]", "pages"), (b'{"pages":[{"blocks":[{"lines":'
                           b'[{"corrected":"x","words":[]}]}]}]}', "pages[0].blocks[0].lines[0]")):
            r = server.send(request_bytes("POST", "/api/v1/ocr/corrections", (
                "Content-Type: application/json", f"Content-Length: {len(body)}"), body))
            self.assertEqual(r.status, 422, r)
            self.assertIn(says, r.json()["detail"])
        form = server.post("/api/v1/ocr/corrections", [("file", b"x", "a.json")])
        self.assertEqual(form.status, 415)
        return page

    def check_correct_command(self, path, database, page):
        def run(*argv):
            return record_command(database, *argv)
        table = run("--record", "show")[1]
        self.assertRegex(table, r"(?m)^rival +Latn +eng +photo +desk 7 +(99\.[5-9]\d|100\.00)% ")
        path.write_text(json.dumps({"pages": [page]}))
        code, text, errors = run("--correct", path)
        self.assertEqual(code, 0, errors)
        self.assertRegex(text, rf"^{len(lines_of(page))} lines of {path}\n")
        self.assertRegex(text, r"(?m)^  rival +right 99\.\d% → (100\.0|99\.\d)%$")
        report = json.loads(run("--correct", path, "--json")[1])
        self.assertEqual(report["lines"], len(lines_of(page)))
        kept = run("--record", "export")[1]
        path.write_text('{"pages": [{"record": {"source": 7}, "blocks": []}]}')
        code, _, errors = run("--correct", path)
        self.assertEqual(code, 3)
        self.assertIn("pages[0]", errors)
        self.assertEqual(run("--record", "export")[1], kept)
        self.assertEqual(run("--correct")[0], 2)

    def check_record_command(self, database):
        def run(*argv):
            return record_command(database, *argv)

        code, table, errors = run("--record", "show")
        self.assertEqual((code, errors), (0, ""))
        self.assertRegex(table, r"voice +script.*\n(.*\n)*tesseract +Latn +eng")
        code, exported, errors = run("--record", "export")
        self.assertEqual((code, json.loads(exported)["format"]), (0, "vislang-record"))
        copy = database.with_name("copy.json")
        self.assertEqual(run("--record", "export", "-o", copy)[0], 0)
        self.assertEqual(copy.read_text(), exported)
        self.assertEqual(run("--record", "reset", "ocrad")[0], 0)
        table = run("--record", "show")[1]
        self.assertNotIn("ocrad", table)
        self.assertIn("tesseract", table)
        self.assertEqual(run("--record", "reset")[0], 0)
        self.assertEqual(len(run("--record", "show")[1].splitlines()), 1)
        self.assertEqual(run("--record", "import", copy)[0], 0)
        self.assertEqual(run("--record", "export")[1], exported)
        copy.write_text(exported[:-9])
        code, _, errors = run("--record", "import", copy)
        self.assertEqual(code, 3)
        self.assertIn(str(copy), errors)
        self.assertEqual(run("--record", "export")[1], exported)
        self.assertEqual(run("--record", "import")[0], 2)
        self.assertEqual(run("--record", "forget")[0], 2)
        self.assertEqual(run("--record", "show", "page.png")[0], 2)
        code, _, errors = run("--record", "show", "--set", "ocr_record=none")
        self.assertEqual(code, 2)
        self.assertIn("no record is kept", errors)
        with sqlite3.connect(database) as db:
            db.execute("UPDATE ocr_weights SET hits = 'torn'")
        db.close()
        code, _, errors = run("--record", "show")
        self.assertEqual(code, 3)
        self.assertIn("ocr_weights", errors)

    def check_explained(self, page, schema):
        words = [word for line in lines_of(page) for word in line["words"]]
        self.assertGreater(len(words), 80)
        both = 0
        for word in words:
            self.assertLessEqual(set(schema["required"]), set(word))
            self.assertEqual(set(word), set(schema["properties"]))
            hypothesis = schema["properties"]["hypotheses"]["items"]
            for said in word["hypotheses"]:
                self.assertEqual(set(said), set(hypothesis["required"]))
                self.assertIn(said["engine"], ("tesseract", "ocrad"))
                self.assertTrue(0 <= said["probability"] <= 1 and 0 <= said["weight"] <= 1, said)
            self.assertTrue(0 < word["posterior"] <= 1)
            both += len(word["hypotheses"]) == 2
        self.assertGreater(both, 70)

    def test_explained(self):
        server = Server(PROGRAM, ocr_engines="tesseract,ocrad", confidence_threshold=1, workers=1)
        try:
            schema = server.get("/openapi.json").json()["components"]["schemas"]["OcrWord"]
            form = [("file", NOTICE.read_bytes(), "a.jpg"), ("languages", b"eng")]
            r = server.post("/api/v1/ocr", form + [("explain", b"true")])
            self.assertEqual(r.status, 200, r.body[:300])
            self.check_explained(r.json()["pages"][0], schema)
            r = server.post("/api/v1/ocr", form)  # neither from the cache nor explained
            self.assertNotIn(b"hypotheses", r.body)
            r = server.post("/api/v1/ocr", form + [("explain", b"yes")])
            self.assertEqual(r.status, 400)
            self.assertIn("true or false", r.json()["detail"])
        finally:
            self.assertEqual(server.stop(), 0)
        threshold = ("--set", "confidence_threshold=1")
        self.check_explained(read("tesseract,ocrad", "--explain", *threshold)[1], schema)
        text = subprocess.run([PROGRAM, "ocr", str(NOTICE), "-l", "eng", "--explain", *threshold,
                               "--set", "ocr_engines=tesseract,ocrad"],
                              capture_output=True, text=True, timeout=100).stdout
        self.assertIn("CYCLONE WARNING\n    CYCLONE  ", text)
        self.assertRegex(text, r"\n        tesseract +probability 0\.\d+, weight \d\.\d+: CYCLONE\n")
        self.assertRegex(text, r"\n        ocrad +probability ")

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        code, page, errors = read(f"gone=http://127.0.0.1:{port}")
        self.assertEqual(code, 4)
        self.assertIn(f"nobody answers at http://127.0.0.1:{port}", errors)

    def test_a_service_that_is_gone_rests_after_three(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        server = Server(PROGRAM, ocr_engines=f"gone=http://127.0.0.1:{port},ocrad", workers=1)
        try:
            for i in range(5):  # names differ, so that none comes from the cache
                r = server.post("/api/v1/ocr", [("file", NOTICE.read_bytes(), f"{i}.jpg"),
                                                ("languages", b"eng")])
                self.assertEqual(r.status, 200, r.body[:300])
            health = server.get("/health/ocr").json()
            gone, ocrad = health["engines"]
            self.assertEqual((gone["calls"], gone["failures"], gone["timeouts"]), (3, 3, 0))
            self.assertFalse(gone["available"])
            self.assertIn("nobody answers", gone["last_error"])
            self.assertEqual((ocrad["calls"], ocrad["available"]), (5, True))
            self.assertEqual(health["status"], "degraded")
        finally:
            self.assertEqual(server.stop(), 0)


class Sidecars(unittest.TestCase):
    def test_all_are_short_and_compile(self):
        for name in ("easyocr", "paddleocr", "rapidocr"):
            app = SIDECARS / name / "app.py"
            self.assertLessEqual(len(app.read_text().splitlines()), 100)
            self.assertTrue((SIDECARS / name / "Dockerfile").exists())
            self.assertIn(name, (SIDECARS / name / "requirements.txt").read_text())
            with tempfile.TemporaryDirectory() as folder:
                py_compile.compile(str(app), cfile=folder + "/app.pyc", doraise=True)

    def start(self, name):
        process = subprocess.Popen([peers.PYTHON, "-B", str(SIDECARS / name / "app.py"), "--port", "0"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        self.assertTrue(line, f"{name} did not start")
        return json.loads(line)["port"]

    def test_rapidocr(self):
        why = peers.lacking("rapidocr_onnxruntime")
        if why:
            print(f"SKIPPED: {why}")
            self.skipTest(why)
        port = self.start("rapidocr")
        engines = f"rapidocr=http://127.0.0.1:{port}"
        with tempfile.TemporaryDirectory() as folder:
            line = Path(folder, "line.png")
            subprocess.run([peers.PYTHON, "-c", "import sys; from PIL import Image; Image.open(sys.argv[1])"
                            ".crop((380, 70, 860, 140)).save(sys.argv[2])", str(NOTICE), str(line)],
                           check=True)
            code, page, errors = read(engines, "--set", "ocr_engine_timeout=250",
                                      "--set", "ocr_timeout=250", picture=line)
            self.assertEqual(code, 0, errors)
            self.assertEqual("".join(text_of(page).split()), "CYCLONEWARNING")
            words = [w for line in lines_of(page) for w in line["words"]]
            left = min(w["box"][0] for w in words)
            right = max(w["box"][0] + w["box"][2] for w in words)
            self.assertTrue(0 < left < 60 and 400 < right <= 480, (left, right))
            code, page, errors = read(engines + ",tesseract", picture=line, pack="ara")
            self.assertEqual(code, 0, errors)
            self.assertTrue(page["engine"].startswith("tesseract"))
            self.assertNotIn("left out", errors)  # not its language: no failure
            broken = Path(folder, "broken.png")
            broken.write_bytes(b"no picture")
            for argv, status, says in (
                    (["-F", f"file=@{broken}"], 400, "no picture"),
                    (["-F", "languages=eng"], 400, "no part named file"),
                    (["-F", f"file=@{line}", "-F", "languages=tir"], 415, "does not read tir"),
                    (["-d", "x=1"], 415, "multipart/form-data")):
                out = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *argv,
                                      f"http://127.0.0.1:{port}/api/v1/ocr"],
                                     capture_output=True, text=True, timeout=100).stdout
                body, _, code = out.rpartition("\n")
                self.assertEqual(int(code), status)
                self.assertIn(says, json.loads(body)["detail"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"engine tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
