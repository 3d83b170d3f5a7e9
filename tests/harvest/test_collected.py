"""`vislang harvest` of the sources of figures, whole: into a collection, killed, and again."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import statistics_case
import test_unhcr
import test_unhcr_portal
import test_unicef
import test_wfp
from statistics_case import Answer

QUERIES = {
    test_unhcr.Unhcr: ["--theme", "population,solutions", "--country", "ken", "--since", "2023-05-01"],
    test_unhcr_portal.Portal: [],
    test_unicef.Unicef: ["--country", "ken,cze"],
    test_wfp.Wfp: ["--country", "bgd,ssd", "--since", "2023-05-01"],
}


class Collected(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.out = Path(home.name) / "collection"
        self.program = Path(statistics_case.PAGES).resolve().parents[1] / "vislang"

    def serve(self, kind):
        """The server of another test, for as long as this one lasts."""
        server = kind()
        server.setUp()
        self.addCleanup(server.tearDown)
        return server

    def start(self, server, *options):
        argv = [self.program, "harvest", "--source", server.source, "--out", self.out, "--json",
                "--quiet", "--set", "harvest_networks=127.0.0.0/8", "--set", "harvest_interval=0"]
        for name, value in server.settings.items():
            argv += ["--set", f"{name}={value.replace('BASE', server.base)}"]
        return subprocess.Popen([*map(str, argv), *options], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True,
                                env={"PATH": os.environ["PATH"], "HOME": str(self.out)})

    def harvest(self, server, *options, code=0):
        process = self.start(server, *options)
        out, error = process.communicate(timeout=100)
        self.assertEqual(process.returncode, code, (out, error))
        self.assertNotIn("eyJ4NXQi", out + error)
        return json.loads(out) if code == 0 else error

    def kept(self):
        with sqlite3.connect(self.out / "collection.db") as db:
            rows = db.execute("SELECT r.key, r.title, r.url, d.sha256, d.type, d.licence FROM records r "
                              "JOIN files f ON f.record_id = r.id JOIN documents d "
                              "ON d.id = f.document_id ORDER BY r.key").fetchall()
        for row in rows:
            content = (self.out / "objects" / row[3][:2] / row[3]).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), row[3])
        return rows

    def everything(self):
        return b"".join(p.read_bytes() for p in self.out.rglob("*") if p.is_file())

    def test_a_second_harvest_keeps_nothing_new(self):
        for kind, query in QUERIES.items():
            with self.subTest(kind.source):
                server = self.serve(kind)
                self.out = self.out.with_name(kind.source)
                first = self.harvest(server, *query, "--formats", "data")
                kept = self.kept()
                self.assertEqual(first["records_new"], len(kept))
                self.assertGreater(len(kept), 1)
                for key, title, url, _, kind_of_content, licence in kept:
                    self.assertTrue(title and url.startswith(server.base), key)
                    self.assertEqual(kind_of_content, "text/csv")
                    self.assertEqual(licence, {"unhcr": "CC-BY-4.0", "wfp": "CC-BY-3.0-IGO"}.get(
                        server.source))
                second = self.harvest(server, *query, "--formats", "data")
                self.assertEqual((second["records_new"], second["records_changed"]), (0, 0))
                self.assertEqual(self.kept(), kept)
                for secret in (b"eyJ4NXQi", test_wfp.SECRET.encode()):
                    self.assertNotIn(secret, self.everything())

    def test_a_harvest_that_is_killed_goes_on(self):
        for kind, query in QUERIES.items():
            with self.subTest(kind.source):
                server = self.serve(kind)
                self.out = self.out.with_name(kind.source + "-whole")
                self.harvest(server, *query)
                whole, pages = self.kept(), len(server.asked)
                self.out = self.out.with_name(kind.source + "-killed")
                killed = 0
                while killed < 40:
                    server.server.asked.clear()
                    process = self.start(server, *query)
                    while process.poll() is None and len(server.asked) < 2:
                        time.sleep(0.001)
                    if process.poll() is None:
                        process.send_signal(signal.SIGKILL)
                        killed += 1
                    process.communicate()
                    if process.returncode == 0:
                        break
                self.harvest(server, *query)
                self.assertEqual(self.kept(), whole)
                self.assertGreater(killed, 0)
                self.assertLess(killed, pages + 1)

    def test_blocked_is_recorded(self):
        server = self.serve(test_unhcr_portal.Portal)
        server.troubles = [Answer(test_unhcr_portal.CHALLENGE, 404, "text/html")]
        self.assertIn("blocked", self.harvest(server, code=1))
        self.assertEqual(self.kept(), [])


if __name__ == "__main__":
    statistics_case.main()
