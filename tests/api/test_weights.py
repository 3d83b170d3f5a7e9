"""The engines' track record in the store of a service: shown, forgotten, learned by several
processes at once, and a database that goes away meanwhile.

usage: test_weights.py PROGRAM [unittest options]"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, clean_environment, wait_until

PROGRAM = None
PREFIX = "VISLANG_TEST_"
POSTGRES, CONTROL = (os.environ.get(PREFIX + name) for name in ("POSTGRES", "PG_CTL"))
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NOTICE = (SAMPLES / "notice-eng.jpg").read_bytes()
ENGINES = {"ocr_engines": "tesseract,ocrad", "confidence_threshold": 1, "ocr_record": "store",
           "ocr_engine_timeout": 200, "ocr_timeout": 250, "request_timeout": 250}


def characters(record, voice):
    """That the engine's row over everything counts."""
    return sum(row["right"] + row["wrong"] for row in record["rows"]
               if row["voice"] == voice and "script" not in row)


class Case(unittest.TestCase):
    def serve(self, **settings):
        server = Server(PROGRAM, admin=True, **{**ENGINES, **settings})
        self.addCleanup(server.stop)
        return server

    def read(self, server, name="a.jpg"):
        """The first page; another name is another answer of the cache."""
        r = server.post("/api/v1/ocr", [("file", NOTICE, name), ("languages", b"eng"),
                                        ("explain", b"true")])
        self.assertEqual(r.status, 200, r)
        return r.json()["pages"][0]

    def weights(self, server):
        r = server.get("/admin/ocr/weights")
        self.assertEqual(r.status, 200, r)
        return r.json()

    def command(self, server_or_url, *argv, code=0):
        """`vislang ocr …` on the same database."""
        url = server_or_url
        if isinstance(url, Server):
            url = next(flag for flag in url.flags if flag.startswith("database_url="))[13:]
        result = subprocess.run([PROGRAM, "ocr", *map(str, argv), "--set", f"database_url={url}"],
                                capture_output=True, text=True, timeout=60, env=clean_environment())
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stdout

    def check_problem(self, response, status, *words):
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.headers["content-type"], "application/problem+json")
        for word in words:
            self.assertIn(word, response.json()["detail"])

    def empty_postgres(self):
        subprocess.run(["psql", "-q", POSTGRES, "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public"],
                       check=True, capture_output=True)
        return POSTGRES


class Shown(Case):
    def test_shown_and_forgotten(self):
        server = self.serve()
        self.assertEqual(self.weights(server)["rows"], [])
        self.read(server)
        known = self.weights(server)
        self.assertEqual(known["format"], "vislang-record")
        self.assertEqual({row["voice"] for row in known["rows"]}, {"tesseract", "ocrad"})
        self.assertIn({"script": "Latn", "language": "eng", "degradation": "photo"},
                      [{k: row[k] for k in ("script", "language", "degradation") if k in row}
                       for row in known["rows"]])
        self.assertEqual(server.post("/api/v1/ocr", [("file", NOTICE, "a.jpg"), ("languages", b"eng"),
                                                     ("explain", b"true")]).headers["x-cache"], "hit")
        operator = f"X-API-Key: {server.admin('apikey', 'create', 'root', 'op', role='operator')}"
        viewer = f"X-API-Key: {server.admin('apikey', 'create', 'root', 'view', role='viewer')}"
        self.assertEqual(server.get("/admin/ocr/weights", operator).status, 200)
        self.check_problem(server.get("/admin/ocr/weights", viewer), 403)
        self.check_problem(server.call("DELETE", "/admin/ocr/weights", None, operator), 403)
        for query, status in (("engine=nobody", 404), ("engine=", 400), ("engine=a%09b", 400),
                              ("engine=" + "x" * 64, 400), ("engine=%ff", 400)):
            self.check_problem(server.call("DELETE", "/admin/ocr/weights?" + query), status)
        self.assertEqual(self.weights(server), known)
        r = server.call("DELETE", "/admin/ocr/weights?engine=ocrad")
        rows = sum(row["voice"] == "ocrad" for row in known["rows"])
        self.assertEqual((r.status, r.json()), (200, {"engine": "ocrad", "rows": rows}))
        self.assertEqual({row["voice"] for row in self.weights(server)["rows"]}, {"tesseract"})
        self.assertEqual(server.post("/api/v1/ocr", [("file", NOTICE, "a.jpg"), ("languages", b"eng"),
                                                     ("explain", b"true")]).headers["x-cache"], "miss")
        r = server.call("DELETE", "/admin/ocr/weights")
        self.assertIsNone(r.json()["engine"])
        self.assertGreater(r.json()["rows"], 0)
        self.assertEqual(self.weights(server)["rows"], [])
        entries = [e for e in server.get("/admin/audit").json()["entries"] if e["action"] == "ocr.reset"]
        details = [e["detail"] if isinstance(e["detail"], dict) else json.loads(e["detail"]) for e in entries]
        self.assertEqual([d["engine"] for d in details], ["ocrad", None])
        self.assertEqual(details[0]["rows"], rows)
        self.assertEqual(json.loads(self.command(server, "--record", "export"))["rows"], [])

    def test_without_a_record(self):
        server = self.serve(ocr_record="none")
        self.read(server)
        for method in ("GET", "DELETE"):
            self.check_problem(server.call(method, "/admin/ocr/weights"), 503, "ocr_record")

    def test_no_file(self):
        with self.assertRaisesRegex(RuntimeError, "--record import /srv/old.json"):
            Server(PROGRAM, ocr_record="/srv/old.json")

    def test_what_commands_change_is_seen(self):
        """Without a restart, and with nothing but a page asked of the service."""
        server = self.serve()

        def weight(name):
            for block in self.read(server, name)["blocks"]:
                for said in block["lines"][0]["words"][0]["hypotheses"]:
                    if said["engine"] == "tesseract":
                        return said["probability"]
        before = weight("a.jpg")
        with tempfile.TemporaryDirectory() as folder:
            record = Path(folder, "record.json")
            key, rows = {"voice": "tesseract"}, []
            for name, value in ((None, ""), ("script", "Latn"), ("language", "eng"), ("degradation", "photo")):
                key = {**key, name: value} if name else key
                rows.append({**key, "right": 100, "wrong": 9900, "human": 10000})
            record.write_text(json.dumps({"format": "vislang-record", "version": 1, "calibrations": [],
                                          "rows": rows}))
            self.command(server, "--record", "import", record)
        names = (f"{i}.jpg" for i in range(100))
        self.assertTrue(wait_until(lambda: weight(next(names)) < before, 30))


@unittest.skipUnless(POSTGRES, "needs a PostgreSQL (tests/store/with-postgres.sh)")
class Shared(Case):
    def test_replicas_learn_into_one(self):
        url = self.empty_postgres()
        replicas = [self.serve(database_url=url) for _ in range(2)]
        self.read(replicas[0])
        alone = characters(self.weights(replicas[0]), "tesseract")
        self.assertGreater(alone, 100)
        self.read(replicas[1])
        self.read(replicas[1], "b.jpg")
        for replica in replicas:
            self.assertEqual(replica.stop(), 0)
        known = json.loads(self.command(url, "--record", "export"))
        for voice in ("tesseract", "ocrad"):  # less what faded
            self.assertAlmostEqual(characters(known, voice) / characters(known, "tesseract"), 1, delta=0.1)
        self.assertAlmostEqual(characters(known, "tesseract") / alone, 3, delta=0.1)

    def test_database_away(self):
        """Pages are read as before, and what they taught is written when it is back."""
        url = self.empty_postgres()
        server = self.serve(database_url=url)
        page = self.read(server)
        once = characters(self.weights(server), "tesseract")
        subprocess.run([CONTROL, "stop"], check=True)
        try:
            self.assertTrue(wait_until(lambda: any("waits in memory for the database" in line
                                                   for line in server.lines), 20))
            self.read(server, "b.jpg")
            for line in (line for block in page["blocks"] for line in block["lines"]):
                line["corrected"] = line["text"]
            r = server.call("POST", "/api/v1/ocr/corrections", {"pages": [page]})
            self.check_problem(r, 503)  # nothing is said to be learned that may be lost
            self.check_problem(server.call("DELETE", "/admin/ocr/weights"), 503)
            self.read(server, "c.jpg")
        finally:
            subprocess.run([CONTROL, "start"], check=True)
        self.assertTrue(wait_until(lambda: any("is in the database" in line for line in server.lines), 30))
        known = json.loads(self.command(url, "--record", "export"))
        self.assertAlmostEqual(characters(known, "tesseract") / once, 3, delta=0.1)
        self.assertEqual(sum(row["human"] for row in known["rows"]), 0)
        self.assertEqual(server.call("POST", "/api/v1/ocr/corrections", {"pages": [page]}).status, 200)
        self.assertEqual(sum("waits in memory" in line for line in server.lines), 1)
        self.assertEqual(server.stop(), 0)
        known = json.loads(self.command(url, "--record", "export"))
        self.assertGreater(characters(known, "tesseract") / once, 8)  # a correction weighs ten
        self.assertGreater(sum(row["human"] for row in known["rows"]), once)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"weights tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
