"""`vislang harvest` from sources of others into a collection: what it keeps of files that come whole,
half, from elsewhere or as something else, the next harvest, and harvests that are killed."""
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

import source_server
from source_server import Answer, Source
from test_hapi import Tables
from test_hdx import Exchange, data_set, resource
from test_reliefweb import Reports, report, stamp
from test_who import News, notice

PROGRAM = source_server.PAGES  # the program that the tests are of: vislang
PDF = b"%PDF-1.4\n"


def pdf(words):
    return PDF + words.encode() + b"\n"


class World:
    """An API, and files at other paths of the same server."""

    def __init__(self, api, files):
        self.api, self.files, self.before = api, files, lambda question: None

    def __call__(self, question):
        self.before(question)
        if question.path == "/robots.txt":
            return Answer("User-agent: *\nDisallow: /private/\n", kind="text/plain")
        reply = self.files.get(question.path)
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if reply is not None and question.headers.get("If-None-Match") == reply.headers.get("ETag", ""):
            return Answer("", 304)
        return reply or self.api(question)


class WholeHarvest(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)

    def start(self, source, name, out, *more):
        settings = {"harvest_networks": "127.0.0.0/8", "harvest_interval": 0, f"harvest_{name}_url": source.url,
                    "harvest_reliefweb_appname": "tests", "harvest_contact": "tests@example.org"}
        argv = [PROGRAM, "harvest", "--source", name, "--out", str(self.home / out), "--json", *more]
        for key, value in settings.items():
            argv += ["--set", f"{key}={value}"]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(self.home)})

    def harvest(self, source, name, *more, out="collection"):
        process = self.start(source, name, out, *more)
        said, trouble = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, trouble)
        return json.loads(said)

    def rows(self, sql, out="collection"):
        with sqlite3.connect(self.home / out / "collection.db") as db:
            return db.execute(sql).fetchall()

    def kept(self, out="collection"):
        """(record, name of file) → (type, content)."""
        found = {}
        for key, name, kind, digest in self.rows(
                "SELECT r.key, f.name, d.type, d.sha256 FROM records r JOIN files f ON f.record_id = r.id "
                "JOIN documents d ON d.id = f.document_id", out):
            content = (self.home / out / "objects" / digest[:2] / digest).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), digest)
            found[key, name] = (kind, content)
        return found

    def test_reliefweb(self):
        files = {"/attachments/1/a.pdf": Answer(pdf("one"), kind="application/pdf"),
                 "/attachments/1/b.pdf": Answer("", 302, headers={"Location": "/elsewhere/b.pdf"}),
                 "/elsewhere/b.pdf": Answer(pdf("two"), kind="text/html"),
                 "/attachments/1/c.pdf": [Answer(pdf("three" * 100), cut=20), Answer(pdf("three" * 100))],
                 "/attachments/1/d.pdf": Answer("<!doctype html><title>Gone</title>", 404, "text/html")}
        with Source(World(None, files)) as source:
            attached = [{"url": f"{source.url}/attachments/1/{name}.pdf", "mimetype": "application/pdf",
                         "filename": f"{name}.pdf", "filehash": name} for name in "abcd"]
            reports = [report(1, stamp(1), body="Maji safi kwa wote.", file=attached, source=[
                {"id": 1, "name": "An Office", "disclaimer": "Ask us first."}]), report(2, stamp(2), body="Two.")]
            world = World(Reports(reports), files)
            with Source(world) as api:
                # the files' address is of the first server: the API lies elsewhere, as ReliefWeb's does
                first = self.harvest(api, "reliefweb")
                self.assertEqual((first["records_new"], first["files_fetched"], first["files_failed"]), (2, 5, 1))
                self.assertEqual(self.kept(), {
                    ("1", "body.md"): ("text/plain", b"Maji safi kwa wote."), ("2", "body.md"): ("text/plain", b"Two."),
                    ("1", "a.pdf"): ("application/pdf", pdf("one")), ("1", "b.pdf"): ("application/pdf", pdf("two")),
                    ("1", "c.pdf"): ("application/pdf", pdf("three" * 100))})
                self.assertEqual(set(self.rows("SELECT licence, terms FROM documents WHERE type = 'application/pdf'")),
                                 {("https://reliefweb.int/terms-conditions", "An Office: Ask us first.")})
                self.assertIn((f"{source.url}/elsewhere/b.pdf", "text/html"),
                              self.rows("SELECT final_url, type_said FROM documents"))
                # The next one asks for what changed since, and takes what is new.
                reports[1]["fields"]["body"] = "Two, corrected."
                reports[1]["fields"]["date"]["changed"] = stamp(100)
                asked = len(api.questions)
                second = self.harvest(api, "reliefweb")
                self.assertTrue(second["since"].startswith("2025-02-27T"))
                self.assertEqual((second["records_new"], second["records_changed"], second["files_fetched"]), (0, 1, 1))
                conditions = api.questions[asked].json["filter"]["conditions"]
                self.assertEqual([c["field"] for c in conditions], ["date.changed"])
                self.assertEqual(self.kept()["2", "body.md"][1], b"Two, corrected.")
                self.assertEqual(len(self.rows("SELECT * FROM documents")), 6)  # the old text stays

    def test_who(self):
        page = "/emergencies/disease-outbreak-news/item/2026-DON"
        files = {page + "1": Answer("<!doctype html><p>Page 1</p>", kind="text/html", headers={"ETag": '"1"'}),
                 page + "2": Answer("<!doctype html><p>Page 2</p>", kind="text/html",
                                    headers={"X-Robots-Tag": "noai, noimageai"})}
        with Source(World(News([notice(1, "2026-09-01T00:00:00Z"), notice(2, "2026-09-02T00:00:00Z")]),
                          files)) as source:
            first = self.harvest(source, "who", "--since", "2026-01-01", "--formats", "html")
            self.assertEqual((first["records_new"], first["files_fetched"], first["files_failed"]), (2, 3, 1))
            self.assertEqual({kind for kind, _ in self.kept().values()}, {"text/html"})
            self.assertEqual(self.kept()["guid-1", None][1], b"<!doctype html><p>Page 1</p>")
            self.assertNotIn(("guid-2", None), self.kept())
            again = self.harvest(source, "who", "--since", "2026-01-01", "--formats", "html")
            self.assertEqual((again["records_new"], again["records_changed"], again["files_fetched"]), (0, 0, 0))

    def test_hdx(self):
        def exchange(url):
            return Exchange([data_set(1, 1, notes="# One", resources=[
                resource("open.csv", "CSV", download_url=url + "/open.csv", url=url + "/open.csv"),
                resource("closed.csv", "CSV", download_url=url + "/private/x.csv", url=None),
                resource("people.csv", "CSV", pii=True, download_url=url + "/people.csv")])])
        files = {"/open.csv": Answer("a,b\n1,2\n", kind="text/csv"),
                 "/private/x.csv": Answer("x,y\n3,4\n", kind="text/csv"), "/people.csv": Answer("name\n")}
        world = World(None, files)
        with Source(world) as source:
            world.api = exchange(source.url)
            found = self.harvest(source, "hdx")
            asked = {q.path for q in source.questions}
        self.assertEqual((found["files_fetched"], found["files_failed"]), (2, 1))  # robots.txt closes one
        self.assertEqual({name for _, name in self.kept()}, {"notes.md", "open.csv"})
        self.assertTrue(asked.isdisjoint({"/private/x.csv", "/people.csv"}))
        self.assertEqual(self.rows("SELECT DISTINCT licence FROM documents"), [("CC-BY-3.0-IGO",)])

    def test_hapi(self):
        """Rows that changed are kept anew, though nothing else says so; the same are not."""
        tables = Tables({("climate/rainfall", "KEN"): 3})
        asked = ("--theme", "rainfall", "--country", "ken", "--set",
                 "harvest_hapi_app_identifier=tests:me@example.org")
        with Source(tables) as source:
            first = self.harvest(source, "hapi", *asked)
            same = self.harvest(source, "hapi", *asked)
            tables.rows["climate/rainfall", "KEN"] = 2
            other = self.harvest(source, "hapi", *asked)
            tables.change = "!"
            changed = self.harvest(source, "hapi", *asked)
            self.assertEqual(len(source.questions), 4)
        self.assertEqual([(r["records_new"], r["files_fetched"]) for r in (first, same, other, changed)],
                         [(1, 1), (0, 0), (0, 1), (0, 1)])
        name = ("climate/rainfall KEN 0", "rainfall-KEN-0.csv")
        table = b"location_code,row,admin1_name\r\nKEN,0,!\r\nKEN,1,!\r\n"
        self.assertEqual(self.kept(), {name: ("text/csv", table)})
        self.assertEqual(len(self.rows("SELECT * FROM documents")), 3)

    def test_killed(self):
        """Killed as a page is asked for, and as a file is: the end is that of a harvest in one piece."""
        reports = [report(i, stamp(600 if 600 < i < 1900 else i)) for i in range(2600)]
        world = World(Reports(reports), {})
        with Source(world) as source:
            for i in (5, 1700, 2599):
                world.files[f"/attachments/{i}.pdf"] = Answer(pdf(str(i)), kind="application/pdf")
                reports[i]["fields"]["body"] = f"Text {i}."
                reports[i]["fields"]["file"] = [{"url": f"{source.url}/attachments/{i}.pdf",
                                                 "mimetype": "application/pdf", "filename": "a.pdf"}]
            self.harvest(source, "reliefweb", out="whole")
            pages = [q.json for q in source.questions if q.method == "POST"]
            self.assertEqual(len(pages), 3)
            ends = [lambda q: q.method == "POST" and q.json == pages[1],
                    lambda q: q.method == "POST" and q.json == pages[2],
                    lambda q: q.path == "/attachments/2599.pdf"]  # which the last page names
            begun = len(source.questions)
            for end in ends:
                process = self.start(source, "reliefweb", "killed")

                def kill(question, process=process, end=end):
                    if end(question):
                        process.send_signal(signal.SIGKILL)
                        process.wait()

                world.before = kill
                process.communicate(timeout=120)
                if process.returncode != -signal.SIGKILL:
                    self.fail(f"it ended with {process.returncode} before it was killed")
            world.before = lambda question: None
            last = self.harvest(source, "reliefweb", out="killed")
            again = [q.json for q in source.questions[begun:] if q.method == "POST"]
        self.assertTrue(last["resumed"] and last["complete"])
        self.assertEqual(self.kept("killed"), self.kept("whole"))
        self.assertEqual(len(self.kept("killed")), 6)
        self.assertEqual(len(self.rows("SELECT key FROM records", "killed")), 2600)
        # What was kept is not asked for again: only the pages that a kill cut off.
        self.assertEqual([again.count(page) for page in pages], [1, 2, 2])
        self.assertEqual(len(again), 5)


if __name__ == "__main__":
    unittest.main()
