"""Harvesting over real sockets into a collection: what is kept, what a second run asks for, what goes wrong, and
`kill -9` at a hundred and more points of a run.

    test_engine.py HARVEST_ENGINE
"""

import collections
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ENGINE = sys.argv.pop(1) if len(sys.argv) > 1 else "build/tests/harvest_engine"
PDF = b"%PDF-1.4 "
JPEG, PNG = b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


class Site:
    """Pages of records at 127.0.0.1 and files at 127.0.0.x; what was asked for, and how much at once."""

    def __init__(self):
        self.pages = {"": {"records": []}}
        self.files = {}  # path → bytes, or a function of the handler
        self.robots = {}  # host → text
        self.asked = []  # (host, path)
        self.headers = {}  # path → of the last request
        self.at_once = collections.Counter()
        self.most_at_once = collections.Counter()
        self.all_at_once = self.most_in_all = 0
        self.lock = threading.Lock()
        self.delay = 0
        self.trap = None  # called with the count of requests and the phase
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.host = self.connection.getsockname()[0]
                with site.lock:
                    site.asked.append((self.host, self.path))
                    site.headers[self.path] = dict(self.headers)
                    site.at_once[self.host] += 1
                    site.all_at_once += 1
                    site.most_at_once[self.host] = max(site.most_at_once[self.host], site.at_once[self.host])
                    site.most_in_all = max(site.most_in_all, site.all_at_once)
                try:
                    time.sleep(site.delay)
                    site.spring("before")
                    self.answer()
                    site.spring("after")
                finally:
                    with site.lock:
                        site.at_once[self.host] -= 1
                        site.all_at_once -= 1

            def answer(self):
                url = urlsplit(self.path)
                if url.path == "/robots.txt":
                    text = site.robots.get(self.host)
                    return self.send(200 if text else 404, (text or "").encode(), {"Content-Type": "text/plain"})
                if url.path == "/page":
                    page = site.pages[parse_qs(url.query, keep_blank_values=True)["cursor"][0]]
                    return page(self) if callable(page) else self.send(200, json.dumps(page).encode(),
                                                                       {"Content-Type": "application/json"})
                content = site.files.get(self.path)
                if content is None:
                    return self.send(404, b"nothing here")
                return content(self) if callable(content) else self.send_tagged(content)

            def send_tagged(self, content, **headers):
                tag = '"' + hashlib.md5(content).hexdigest() + '"'
                if self.headers.get("If-None-Match") == tag:
                    return self.send(304, b"", {"ETag": tag})
                return self.send(200, content, {"ETag": tag, "Content-Type": "application/pdf", "X-Other": "no",
                                                "Content-Language": "sw", **headers})

            def send(self, status, content, headers=None, length=None):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(content) if length is None else length))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                site.spring("half")
                self.wfile.write(content[len(content) // 2:])

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the other side was killed

        self.server = Server(("", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spring(self, phase):
        if self.trap:
            self.trap(phase)

    def url(self, path, host=1):
        return f"http://127.0.0.{host}:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Engine(unittest.TestCase):
    def setUp(self):
        self.home = Path(tempfile.mkdtemp(prefix="vl-engine-"))
        self.addCleanup(shutil.rmtree, self.home, True)
        self.out = self.home / "out"
        self.site = Site()
        self.addCleanup(self.site.close)

    def command(self, *args):
        return [ENGINE, "run", str(self.out), self.site.url(""), *args]

    def run_it(self, *args, code=0, preexec_fn=None):
        done = subprocess.run(self.command(*args), capture_output=True, text=True, timeout=120, preexec_fn=preexec_fn)
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        self.said = done.stderr
        return json.loads(done.stdout)

    def rows(self, sql):
        with sqlite3.connect(self.out / "collection.db") as db:
            return db.execute(sql).fetchall()

    def list(self, *args):
        done = subprocess.run([ENGINE, "list", str(self.out), *args], capture_output=True, text=True, timeout=60,
                              check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def state(self):
        """All that is kept, without ids and times; objects are held against their names."""
        objects = set()
        for path in (self.out / "objects").rglob("*"):
            if path.is_file():
                self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
                objects.add(path.name)
        files = self.rows("SELECT r.key, r.title, r.changed, r.licence, f.place, f.state, f.gone, f.tries, f.reason, "
                          "f.http, f.version, d.sha256, d.bytes, d.type, d.type_said, d.final_url, d.etag "
                          "FROM records r LEFT JOIN files f ON f.record_id = r.id "
                          "LEFT JOIN documents d ON d.id = f.document_id ORDER BY 1, 5")
        return {"files": files, "objects": objects, "documents": self.rows(
            "SELECT f.place, d.sha256 FROM documents d JOIN files f ON f.id = d.file_id ORDER BY 1, 2")}

    def asked(self, path):
        return sum(1 for _, asked in self.site.asked if asked == path)

    def one_page(self, *files, **record):
        self.site.pages = {"": {"records": [{"key": "1", "title": "One", "files": list(files), **record}]}}

    # ---- what is kept ------------------------------------------------------------------

    def test_provenance(self):
        self.site.files = {"/a.pdf": PDF + b"a", "/to": lambda h: h.send(302, b"", {"Location": "/a.pdf"}),
                           "/page.pdf": lambda h: h.send(200, b"<!doctype html>not a PDF", {
                               "Content-Type": "application/pdf", "Last-Modified": "Sat, 01 Nov 2025 10:00:00 GMT"})}
        self.one_page({"url": self.site.url("/a.pdf", 2), "type": "application/pdf"}, {"url": self.site.url("/to", 3)},
                      {"url": self.site.url("/page.pdf")}, {"name": "summary", "body": "Maji", "type": "text/plain"},
                      language="sw", licence="CC-BY-4.0", changed="2025-10-01T00:00:00Z")
        report = self.run_it()
        self.assertEqual((report["records_new"], report["files_fetched"], report["complete"]), (1, 4, True))
        found = {row["url"] or "body": row for row in self.list()}
        a, to = found[self.site.url("/a.pdf", 2)], found[self.site.url("/to", 3)]
        self.assertEqual(a["sha256"], hashlib.sha256(PDF + b"a").hexdigest())
        self.assertEqual(a["sha256"], to["sha256"], "one content, two provenances")
        self.assertEqual(to["final_url"], self.site.url("/a.pdf", 3))
        self.assertEqual((a["status"], a["licence"], a["language"], a["type"], a["etag"][0]),
                         (200, "CC-BY-4.0", "sw", "application/pdf", '"'))
        self.assertIn("content-language: sw\n", a["headers"])
        self.assertNotIn("x-other", a["headers"])
        self.assertRegex(a["fetched"], r"^20\d\d-\d\d-\d\dT.*Z$")
        self.assertEqual(json.loads(a["raw"])["title"], "One")
        odd = found[self.site.url("/page.pdf")]
        self.assertEqual((odd["type"], odd["type_said"]), ("text/html", "application/pdf"))
        self.assertEqual(odd["last_modified"], "Sat, 01 Nov 2025 10:00:00 GMT")
        self.assertEqual((found["body"]["status"], found["body"]["bytes"]), (0, 4))
        self.assertEqual(len(self.state()["objects"]), 3)

    def test_listing_goes_on_and_filters(self):
        self.site.pages = {"": {"records": [{"key": str(n), "files": [{"name": "t", "body": f"text {n}"}]}
                                            for n in range(300)]}}
        self.run_it()
        rows = self.list()
        self.assertEqual(len(rows), 300)
        self.assertEqual([row["id"] for row in rows], sorted(row["id"] for row in rows))
        self.assertEqual([row["key"] for row in self.list(f"after={rows[149]['id']}")], [r["key"] for r in rows[150:]])
        self.assertEqual(self.list("formats=pdf"), [])
        self.assertEqual(len(self.list("formats=text,pdf")), 300)

    # ---- second runs -------------------------------------------------------------------

    def test_listing_by_record(self):
        def record(key, *bodies):
            return {"key": key, "files": [{"name": str(i), "body": body} for i, body in enumerate(bodies)]}

        keys = ["b", "a", "a/1", "Z", "10", "9", "é", "with 'quotes'"]
        self.site.pages = {"": {"records": [record(key, "one of " + key, "two of " + key) for key in keys] +
                                [record("many", *(f"content {i}" for i in range(300)))]}}
        self.run_it()
        self.site.pages[""]["records"][0] = record("b", "one of b", "another two of b")
        self.run_it()
        rows = self.list("records=0", "old=1")
        order = [(row["key"].encode(), row["id"]) for row in rows]
        self.assertEqual(order, sorted(order))
        self.assertEqual(sorted(row["id"] for row in rows), [row["id"] for row in self.list("old=1")])
        self.assertEqual(len([row for row in rows if row["key"] == "many"]), 300)
        self.assertEqual(len([row for row in rows if row["key"] == "b"]), 3)
        self.assertEqual(len([row for row in self.list("records=0") if row["key"] == "b"]), 2)
        # In pieces of so many records it is the same.
        for size in 1, 3, 100:
            pieces, behind = [], []
            while piece := self.list(f"records={size}", "old=1", *behind):
                self.assertLessEqual(len({row["key"] for row in piece}), size)
                pieces += piece
                behind = [f"behind={piece[-1]['key']}"]
            self.assertEqual([row["id"] for row in pieces], [row["id"] for row in rows])
        some = rows[5]["id"]
        self.assertEqual([row["id"] for row in self.list("records=0", "old=1", f"after={some}")],
                         [row["id"] for row in rows if row["id"] > some])
        self.assertEqual(self.list("records=2", "formats=pdf"), [])

    def test_only_what_changed_is_fetched(self):
        url = self.site.url
        self.site.files = {path: PDF + path.encode() for path in ("/tagged", "/versioned", "/other")}
        self.one_page({"url": url("/tagged")}, {"url": url("/versioned"), "version": "1"})
        self.assertEqual(self.run_it()["files_fetched"], 2)
        report = self.run_it()
        self.assertEqual((report["records_same"], report["files_fetched"], report["files_unchanged"], report["bytes"]),
                         (1, 0, 1, 0))
        self.assertEqual((self.asked("/tagged"), self.asked("/versioned")), (2, 1))
        self.assertIn("If-None-Match", self.site.headers["/tagged"])
        self.site.files["/tagged"] = PDF + b"new"
        self.site.files["/versioned"] = PDF + b"newer"
        self.one_page({"url": url("/tagged")}, {"url": url("/versioned"), "version": "2"}, {"url": url("/other")})
        report = self.run_it()
        self.assertEqual((report["records_changed"], report["files_fetched"]), (1, 3))
        self.assertEqual(len(self.list()), 3)
        self.assertEqual(len(self.list("old=1")), 5, "what they were before is kept")
        # a record that tells when it changed, and did not, has no files to ask for
        self.one_page({"url": url("/tagged")}, changed="2025-01-01")
        self.run_it()
        asked = self.asked("/tagged")
        self.run_it()
        self.assertEqual(self.asked("/tagged"), asked)
        self.assertEqual([row[0] for row in self.rows("SELECT place FROM files WHERE gone = 1 ORDER BY 1")],
                         [url("/other"), url("/versioned")])

    def test_since_the_newest_record(self):
        self.site.pages = {"": {"next": "2", "records": [{"key": "a", "changed": "2025-03-10T12:00:00Z"}]},
                           "2": {"records": [{"key": "b", "changed": "2025-02-01"}, {"key": "c", "changed": "2999-01-01"}]}}
        self.assertIsNone(self.run_it()["since"])
        self.site.pages["2"]["records"].pop()
        self.out = self.home / "other"
        self.run_it()
        report = self.run_it()
        self.assertEqual(report["since"], "2025-03-08T12:00:00Z", "the newest, less two days")
        self.assertEqual(self.asked("/page?cursor=&since=2025-03-08T12:00:00Z"), 1)
        self.assertEqual(self.run_it("since=1970-01-01")["since"], "1970-01-01")
        self.assertIsNone(self.run_it("formats=pdf")["since"], "another query is another harvest")

    def test_limit_and_formats(self):
        url = self.site.url
        self.site.pages = {str(n) if n else "": {"next": str(n + 1), "records": [
            {"key": f"{n}.{m}", "changed": "2025-01-01", "files": [{"url": url(f"/{n}.{m}")}, {"url": url("/x.html")}]}
            for m in range(10)]} for n in range(9)}
        self.site.pages["9"] = {"records": []}
        self.site.files = {f"/{n}.{m}": (PDF if m % 2 else b"text ") + bytes([n, m + 65]) for n in range(9)
                           for m in range(10)}
        report = self.run_it("limit=25", "formats=pdf")
        self.assertEqual((report["records_new"], report["complete"], report["files_fetched"]), (25, False, 12))
        self.assertEqual(report["files_left"], 13 + 25)
        self.assertEqual(self.asked("/x.html"), 0)
        asked = len(self.site.asked)
        report = self.run_it("limit=25", "formats=pdf")
        self.assertEqual((report["records_same"], report["since"]), (25, None))
        self.assertEqual(len([1 for _, path in self.site.asked[asked:] if "page" not in path and "robots" not in path]), 0)
        report = self.run_it("formats=pdf")
        self.assertEqual((report["records_new"], report["records_same"], report["complete"]), (65, 25, True))

    # ---- being polite ------------------------------------------------------------------

    def test_several_hosts_at_once_one_request_each(self):
        self.site.delay = 0.02
        paths = [f"/{n}.pdf" for n in range(10)]
        self.site.files = {path: PDF + path.encode() for path in paths}
        self.one_page(*[{"url": self.site.url(path, host)} for host in (2, 3, 4, 5) for path in paths])
        self.assertEqual(self.run_it()["files_fetched"], 40)
        self.assertEqual({host: most for host, most in self.site.most_at_once.items() if most > 1}, {})
        self.assertGreaterEqual(self.site.most_in_all, 3)

    def test_robots_and_hosts_that_want_to_wait(self):
        url = self.site.url
        self.site.robots["127.0.0.2"] = "User-agent: *\nDisallow: /private\n"
        self.site.files = {"/private/a": PDF, "/public": PDF + b"1",
                           "/later": lambda h: h.send(429, b"", {"Retry-After": "99999"})}
        self.one_page({"url": url("/private/a", 2)}, {"url": url("/public", 2)}, {"url": url("/later", 3)},
                      {"url": url("/public", 3)})
        report = self.run_it()
        self.assertEqual((report["files_fetched"], report["files_failed"], report["files_waiting"]), (1, 1, 2))
        self.assertEqual(report["failures"][0]["reason"], "denied")
        self.assertEqual(self.asked("/private/a"), 0)
        self.site.files["/later"] = PDF + b"2"
        report = self.run_it()
        self.assertEqual((report["files_fetched"], report["files_waiting"]), (2, 0))

    def test_what_waits_for_one_harvest_is_kept_by_another(self):
        self.site.files = {"/a": lambda h: h.send(429, b"", {"Retry-After": "99999"})}
        self.one_page({"url": self.site.url("/a")}, changed="2025-01-01")
        self.assertEqual(self.run_it()["files_waiting"], 1)
        self.site.files["/a"] = b"<!doctype html>"
        self.assertEqual(self.run_it("formats=pdf")["files_fetched"], 1)
        self.assertEqual(len(self.list()), 1)

    # ---- what goes wrong ---------------------------------------------------------------

    def test_failures_are_counted_and_tried_again(self):
        def cut(h):
            h.close_connection = True
            h.send(200, PDF * 100, length=5000)

        url = self.site.url
        self.site.files = {"/503": lambda h: h.send(503, b"busy"), "/403": lambda h: h.send(403, b"no"),
                           "/empty": b"", "/cut": cut,
                           "/big": b"x" * 20000, "/loop": lambda h: h.send(302, b"", {"Location": "/loop"}),
                           "/good": PDF}
        self.one_page(*[{"url": url(path), "version": "1"} for path in ("/404", *self.site.files)],
                      {"url": "nonsense"}, {"url": "ftp://example.org/x"}, {"url": "http://192.168.0.1/x"},
                      {"url": url("/" + "x" * 3000)})
        report = self.run_it("harvest_max_file=10KB", "harvest_timeout=5")
        self.assertEqual((report["files_fetched"], report["files_failed"], report["complete"]), (1, 11, True))
        reasons = {row["reason"]: row["files"] for row in report["failures"]}
        self.assertEqual((reasons["http 404"], reasons["http 403"], reasons["denied"]), (1, 1, 1), reasons)
        self.assertEqual(sum(reasons.values()), 11)
        for _ in range(5):
            self.run_it("harvest_max_file=10KB", "harvest_timeout=5")
        self.assertEqual(self.asked("/404"), 4, "three times more, and no more")
        self.assertEqual(self.rows("SELECT tries, reason FROM files WHERE place = '%s'" % url("/404")),
                         [(4, "http 404")])
        self.site.files["/404"] = PDF + b"now"
        self.one_page({"url": url("/404"), "version": "2"})
        self.assertEqual(self.run_it()["files_fetched"], 1, "another version is another file")

    def test_a_file_that_is_gone_keeps_its_content(self):
        self.site.files = {"/a": PDF}
        self.one_page({"url": self.site.url("/a")})
        self.run_it()
        del self.site.files["/a"]
        self.assertEqual(self.run_it()["files_failed"], 1)
        self.assertEqual(self.list()[0]["sha256"], hashlib.sha256(PDF).hexdigest())

    def test_pages_that_are_nonsense(self):
        good = {"next": "2", "records": [{"key": "a", "files": [{"url": self.site.url("/a")}]}]}
        self.site.files = {"/a": PDF}
        for bad in (lambda h: h.send(200, b"{\"records\": ["), lambda h: h.send(200, b"<!doctype html>blocked",
                                                                               {"Content-Type": "text/html"}),
                    {"next": "2", "records": []}):
            self.out = self.home / str(len(os.listdir(self.home)))
            self.site.pages = {"": good, "2": bad}
            done = subprocess.run(self.command(), capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertEqual(len(self.list()), 1, "what came before is kept, and its files")
            self.site.pages["2"] = {"records": [{"key": "b"}]}
            report = self.run_it()
            self.assertTrue(report["complete"])
            self.assertEqual(self.rows("SELECT count(*) FROM records"), [(2,)])

    def test_a_quota_is_gone_on_with_later(self):
        self.site.pages = {"": {"next": "2", "records": [{"key": "a", "changed": "2025-05-01"}]},
                           "2": lambda h: h.send(429, b"", {"Retry-After": "86400"})}
        report = self.run_it(code=1)
        self.assertEqual((report["records_new"], report["complete"]), (1, False))
        self.site.pages["2"] = {"records": [{"key": "b", "changed": "2025-04-01"}]}
        first = self.asked("/page?cursor=&since=")
        report = self.run_it()
        self.assertEqual((report["resumed"], report["records_new"], report["complete"]), (True, 2, True))
        self.assertEqual(self.asked("/page?cursor=&since="), first, "the first page is not asked for again")

    def test_a_disk_that_takes_no_more(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))

        self.site.files = {"/small": PDF, "/large": PDF + b"x" * 900000, "/later": PDF + b"y"}
        self.one_page(*[{"url": self.site.url(path)} for path in self.site.files])
        report = self.run_it(code=1, preexec_fn=small_files)
        self.assertIn("cannot write", self.said)
        self.assertEqual((report["files_fetched"], report["files_failed"], report["files_waiting"]), (1, 0, 2))
        self.assertEqual(list((self.out / "tmp").iterdir()), [])
        report = self.run_it()
        self.assertEqual((report["resumed"], report["files_fetched"], report["complete"]), (True, 3, True))
        self.assertEqual(self.asked("/small"), 1)

    # ---- pictures of pages -------------------------------------------------------------

    WORDS = "<p>Words of an article, enough of them to be what the page is about.</p>"

    def page_of(self, *images, words=WORDS):
        return ("<!doctype html><html><body><nav><img src='/menu.jpg'></nav><main>" + words +
                "".join(f"<img {image}>" for image in images) + "</main></body></html>").encode()

    def picture(self, page, address, code=0):
        done = subprocess.run([ENGINE, "picture", str(self.out), str(page), address], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.strip()

    def a_site_with_pictures(self):
        html = {"Content-Type": "text/html; charset=utf-8"}
        self.page = self.page_of("src='small.jpg' srcset='small.jpg 300w, /img/large.jpg 1200w'", "src='icon.svg'",
                                 f"src='{self.site.url('/other.png', 2)}'", "src='/error.jpg'", "src='/page.jpg'",
                                 "src='/private/a.jpg'", "src='x.jpg' width=1 height=1")
        self.site.files = {
            "/news/1": lambda h: h.send_tagged(self.page, **html), "/menu.jpg": JPEG + b"menu",
            "/news/small.jpg": JPEG + b"small", "/img/large.jpg": JPEG + b"large", "/other.png": PNG + b"other",
            "/page.jpg": lambda h: h.send(200, self.page, html), "/private/a.jpg": JPEG + b"private",
            "/a.pdf": PDF}
        self.site.robots["127.0.0.1"] = "User-agent: *\nDisallow: /private/\n"
        self.one_page({"url": self.site.url("/news/1")}, {"url": self.site.url("/a.pdf")}, title="One")

    def test_pictures_of_pages(self):
        self.a_site_with_pictures()
        report = self.run_it()
        self.assertEqual((report["files_fetched"], report["files_failed"], report["files_left"], report["complete"]),
                         (4, 2, 1, True))
        asked = {path for _, path in self.site.asked}
        self.assertLessEqual({"/img/large.jpg", "/other.png", "/error.jpg", "/page.jpg"}, asked)
        self.assertFalse({"/menu.jpg", "/news/small.jpg", "/news/icon.svg", "/private/a.jpg", "/news/x.jpg"} & asked)
        rows = {urlsplit(row["url"]).path: row for row in self.list()}
        self.assertEqual({path: row["shown"] for path, row in rows.items()},
                         {"/news/1": False, "/a.pdf": False, "/img/large.jpg": True, "/other.png": True})
        page, large = rows["/news/1"]["id"], hashlib.sha256(JPEG + b"large").hexdigest()
        for address in ("small.jpg", "/img/large.jpg", " small.jpg", self.site.url("/img/large.jpg"),
                        "../img/large.jpg"):
            self.assertEqual(self.picture(page, address), large, address)
        self.assertEqual(self.picture(page, self.site.url("/other.png", 2)), hashlib.sha256(PNG + b"other").hexdigest())
        for address in "/error.jpg", "/page.jpg", "/menu.jpg", "", "../../..", "/a.pdf", "data:image/png;base64,AA":
            self.picture(page, address, code=4)
        self.picture(rows["/a.pdf"]["id"], "small.jpg", code=4)
        self.picture(12345, "small.jpg", code=4)
        # The same again asks for what failed, and for nothing else of the page.
        self.site.asked.clear()
        report = self.run_it()
        self.assertEqual({path for _, path in self.site.asked if "page?" not in path},
                         {"/robots.txt", "/error.jpg", "/news/1", "/a.pdf"})
        self.assertEqual((report["files_unchanged"], report["files_failed"]), (2, 2))

    def test_pictures_of_a_page_that_changes(self):
        self.a_site_with_pictures()
        self.run_it()
        page = next(row["id"] for row in self.list() if row["url"].endswith("/news/1"))
        self.page = self.page_of("src='/img/large.jpg'", "src='/img/new.jpg'", words=self.WORDS + "<p>More</p>")
        self.site.files["/img/new.jpg"] = JPEG + b"new"
        self.site.asked.clear()
        report = self.run_it()
        self.assertEqual((report["files_fetched"], report["files_unchanged"]), (2, 2))
        self.assertEqual(self.asked("/other.png"), 0, "not on the page any more")
        self.assertIn("If-None-Match", self.site.headers["/img/large.jpg"])
        now = next(row["id"] for row in self.list() if row["url"].endswith("/news/1"))
        self.assertNotEqual(now, page)
        for id in now, page:
            self.assertEqual(self.picture(id, "/img/large.jpg"), hashlib.sha256(JPEG + b"large").hexdigest())
        self.assertEqual(self.picture(now, "/img/new.jpg"), hashlib.sha256(JPEG + b"new").hexdigest())
        self.assertEqual(self.picture(page, "small.jpg"), hashlib.sha256(JPEG + b"large").hexdigest())
        self.site.asked.clear()
        self.run_it()
        self.assertEqual(self.asked("/error.jpg"), 0, "what is shown no more is not tried again")

    def test_pictures_only_where_they_are_wanted(self):
        self.a_site_with_pictures()
        for formats in "html,pdf", "picture,pdf":
            self.out = self.home / formats
            self.run_it("formats=" + formats)
        self.assertEqual(self.asked("/img/large.jpg"), 0)
        # What is here already is read when they are wanted later on.
        self.out = self.home / "html,pdf"
        self.site.asked.clear()
        report = self.run_it("formats=html,picture")
        self.assertEqual((report["files_fetched"], report["files_unchanged"], self.asked("/a.pdf")), (2, 1, 0))
        self.assertEqual(len(self.list("formats=picture")), 2)

    def test_a_collection_of_the_version_before(self):
        self.a_site_with_pictures()
        self.run_it("formats=html,pdf")
        with sqlite3.connect(self.out / "collection.db") as db:
            db.executescript("DROP TABLE shown; DROP INDEX files_unread; DROP INDEX files_page; ALTER TABLE files "
                             "DROP COLUMN page_id; ALTER TABLE files DROP COLUMN unread; "
                             "DELETE FROM schema_steps WHERE number = 2")
        self.run_it("formats=html,picture")
        self.assertEqual(len(self.list("formats=picture")), 2)

    def test_a_picture_that_the_record_names(self):
        self.a_site_with_pictures()
        self.one_page({"url": self.site.url("/news/1")}, {"url": self.site.url("/img/large.jpg")}, title="One")
        self.run_it()
        rows = {urlsplit(row["url"]).path: row for row in self.list()}
        self.assertFalse(rows["/img/large.jpg"]["shown"])
        self.assertEqual(self.picture(rows["/news/1"]["id"], "small.jpg"), rows["/img/large.jpg"]["sha256"])
        self.assertEqual(self.asked("/img/large.jpg"), 1)

    def test_pages_that_come_with_the_record(self):
        self.site.files = {"/img/a.jpg": JPEG + b"a"}
        self.one_page({"name": "page", "type": "text/html", "body": self.page_of("src='/img/a.jpg'").decode()})
        self.run_it()
        self.assertEqual(self.site.asked, [("127.0.0.1", "/page?cursor=&since=")], "relative to nothing")
        self.one_page({"name": "page", "type": "text/html",
                       "body": self.page_of(f"src='{self.site.url('/img/a.jpg')}'").decode()}, url=self.site.url("/x/"))
        self.run_it()
        page = next(row["id"] for row in self.list("formats=html"))
        self.assertEqual(self.picture(page, self.site.url("/img/a.jpg")), hashlib.sha256(JPEG + b"a").hexdigest())
        self.assertEqual(self.picture(page, "../img/a.jpg"), hashlib.sha256(JPEG + b"a").hexdigest())

    # ---- being stopped -----------------------------------------------------------------

    def a_large_site(self):
        """12 pages of 8 records with files on four hosts, some of which fail, repeat or move."""
        def moved(h):
            h.send(301, b"", {"Location": "/0/0/0"})

        pages, files = {}, {}
        for page in range(12):
            records = []
            for number in range(8):
                wanted = []
                for file in range(1 + number % 3):
                    path = f"/{page}/{number}/{file}"
                    files[path] = moved if (number, file) == (5, 1) else PDF + (
                        b"the same" if number == 2 else os.urandom(3000 * number)) if number else PDF + path.encode()
                    wanted.append({"url": self.site.url(path, 2 + (page + number + file) % 4), "version": "1"})
                if number == 7:
                    wanted.append({"url": self.site.url(f"/{page}/missing", 2)})
                if number == 3:
                    wanted.append({"name": "summary", "body": f"A text of page {page}"})
                if number == 4:
                    shown = [f"/{page}/shown/{picture}.jpg" for picture in range(3)]
                    files[f"/{page}/html"] = self.page_of(*(f"src='{self.site.url(url, 2 + i)}'"
                                                            for i, url in enumerate(shown)))
                    files.update({url: JPEG + url.encode() for url in shown})
                    wanted.append({"url": self.site.url(f"/{page}/html", 3)})
                records.append({"key": f"{page}-{number}", "title": f"Report {number}", "licence": "CC0-1.0",
                                "changed": f"2025-{page + 1:02}-{number + 1:02}T00:00:00Z", "files": wanted})
            pages[str(page) if page else ""] = {"records": records, **({"next": str(page + 1)} if page < 11 else {})}
        self.site.pages, self.site.files = pages, files

    def test_killed_at_many_points(self):
        self.a_large_site()
        whole = self.run_it()
        self.assertTrue(whole["complete"])
        self.assertGreater(whole["files_fetched"], 150)
        self.assertEqual(whole["files_failed"], 12)
        wanted, base = self.state(), len(self.site.asked)
        asked = collections.Counter(asked for asked in self.site.asked if asked[1] != "/0/0/0")
        self.assertEqual(max(asked.values()), 1, "nothing is asked for twice but where others lead")
        counted = ("records_new", "records_changed", "records_same", "files_fetched", "files_unchanged",
                   "files_failed", "files_left", "bytes", "pages", "complete", "failures")
        chance = random.Random(6)
        kills, most = 0, 0
        phases = collections.Counter()
        for round_number in range(40):
            if kills >= 120:
                break
            self.out = self.home / f"killed-{round_number}"
            self.site.asked.clear()
            for attempt in range(400):
                process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                phase = chance.choice(["before", "half", "after", "after", "clock"])
                self.arm(process, phase, chance.randint(2, 14), chance.random() * 0.02)
                output, said = process.communicate(timeout=60)
                self.site.trap = None
                if process.returncode != -signal.SIGKILL:
                    break
                kills += 1
                phases[phase] += 1
            self.assertEqual(process.returncode, 0, said)
            report = json.loads(output)
            self.assertEqual(self.state(), wanted)
            self.assertEqual({name: report[name] for name in counted}, {name: whole[name] for name in counted})
            self.assertEqual(list((self.out / "tmp").iterdir()), [])
            # Each kill throws away at most a page and a file of each host, and asks for robots.txt anew.
            again = collections.Counter(asked for asked in self.site.asked if asked[1] != "/robots.txt")
            self.assertLessEqual(sum(again.values()) - (base - 4), (attempt + 1) * 6)
            most = max(most, attempt)
        self.assertGreaterEqual(kills, 120, phases)
        self.assertGreaterEqual(min(phases[phase] for phase in ("before", "half", "after", "clock")), 10, phases)
        print(f"{kills} kills {dict(phases)}, at most {most} in a run", file=sys.stderr)
        asked = len(self.site.asked)
        report = self.run_it()
        self.assertEqual((report["records_new"], report["records_changed"], report["files_fetched"]), (0, 0, 0))
        self.assertEqual([path for _, path in self.site.asked[asked:] if not path.startswith(("/page", "/robots"))
                          and "missing" not in path], [], "a second run fetches nothing")

    def arm(self, process, phase, count, delay):
        """Kills at the count-th time that the server is in that phase, or by the clock."""
        left = [count]
        lock = threading.Lock()

        def trap(now):
            with lock:
                left[0] -= now == phase
                spring = left[0] == 0 and now == phase
            if spring:
                if phase == "after":
                    time.sleep(delay)
                process.kill()

        if phase == "clock":
            threading.Timer(0.01 * count + delay, process.kill).start()
        else:
            self.site.trap = trap

    def test_asked_to_stop(self):
        self.a_large_site()
        self.site.delay = 0.005
        process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while len(self.site.asked) < 30 and process.poll() is None:
            time.sleep(0.01)
        process.terminate()
        output, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("cancelled", said)
        self.assertFalse(json.loads(output)["complete"])
        self.site.delay = 0
        report = self.run_it()
        self.assertTrue(report["resumed"] and report["complete"])
        self.assertEqual(report["records_new"], 96)


if __name__ == "__main__":
    unittest.main()
