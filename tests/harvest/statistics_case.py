"""A server on this machine, over real sockets, whose answers a test writes; and the adapter that
asks it, driven by `pages`. What the sources of figures have in common is tested here once."""

import csv
import http.server
import io
import json
import subprocess
import sys
import threading
import unittest
import urllib.parse

PAGES = None  # path of the program, set by main()


class Answer:
    """One answer: status, body, headers; `cut`: how many bytes of the body are sent."""

    def __init__(self, body=b"", status=200, kind="application/json", headers=(), cut=None):
        self.body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        if isinstance(self.body, str):
            self.body = self.body.encode()
        self.status, self.headers, self.cut = status, [("Content-Type", kind), *headers], cut


class Asked:
    """A request as it came."""

    def __init__(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        self.target, self.path = handler.path, url.path
        self.query = {k: v[0] for k, v in
                      urllib.parse.parse_qs(url.query, keep_blank_values=True).items()}
        self.headers, self.body, self.method = handler.headers, body, handler.command


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self, self.rfile.read(size).decode())
        with self.server.lock:
            self.server.asked.append(asked)
            answer = self.server.answer(asked)
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if answer.cut is None else answer.body[:answer.cut])
        if answer.cut is not None:
            self.close_connection = True

    do_POST = do_GET

    def log_message(self, *args):
        pass


class Case(unittest.TestCase):
    """`answer(asked)` is the source: what it returns is sent. `troubles` come first, one each."""

    source, settings = "", {}

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None  # who asked was killed
        self.server.lock, self.server.asked, self.troubles = threading.Lock(), [], []
        self.server.answer = lambda asked: (
            self.troubles.pop(0) if self.troubles and self.is_data(asked) else self.answer(asked))
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def is_data(self, asked):
        return asked.path != "/robots.txt"

    @property
    def asked(self):
        return [a for a in self.server.asked if self.is_data(a)]

    def run_pages(self, *options, **settings):
        """Records, places between pages, and what was wrong: (name, message) or None."""
        argv = [PAGES, self.source]
        for name, value in {**self.settings, **settings}.items():
            argv += ["--set", f"{name}={value.replace('BASE', self.base)}"]
        done = subprocess.run([*argv, *map(str, options)], capture_output=True, timeout=60)
        self.assertIn(done.returncode, range(5), done.stderr)
        self.log = done.stderr.decode()
        self.printed = done.stdout.decode()
        lines = [json.loads(line) for line in self.printed.splitlines()]
        error = next(((l["error"], l["message"]) for l in lines if "error" in l), None)
        self.waited = next((l["waited"] for l in lines if "waited" in l), 0)
        return ([l["record"] for l in lines if "record" in l],
                [l["next"] for l in lines if "next" in l], error)

    def good(self, *options, **settings):
        records, places, error = self.run_pages(*options, **settings)
        self.assertIsNone(error)
        self.assertEqual(places[-1], "")
        return records

    def bad(self, name, *options, says="", **settings):
        records, _, error = self.run_pages(*options, **settings)
        self.assertIsNotNone(error, records)
        self.assertEqual(error[0], name, error)
        self.assertIn(says, error[1])
        return records

    def rows(self, record):
        """The table of a record; its form is held too."""
        self.assertEqual(len(record["files"]), 1)
        file = record["files"][0]
        self.assertEqual(file["type"], "text/csv")
        self.assertTrue(file["name"].endswith(".csv"))
        self.assertEqual(file["bytes"], len(file["body"].encode()))
        self.assertEqual(len(file["version"]), 64)
        json.loads(record["raw"])
        return list(csv.DictReader(io.StringIO(file["body"], newline="")))

    def resumed_is_the_same(self, *options, **settings):
        """Killed after every single page and begun again at its place: the same records."""
        whole = self.good(*options, **settings)
        piecewise, place, pages = [], "", 0
        while True:
            records, places, error = self.run_pages(*options, "--cursor", place, "--pages", 1,
                                                    **settings)
            self.assertIsNone(error)
            piecewise += records
            place, pages = places[-1], pages + 1
            if not place:
                break
            self.assertLess(pages, 500)
        self.assertEqual(piecewise, whole)
        self.assertEqual(len({r["key"] for r in whole}), len(whole))
        return whole

    def holds_in_trouble(self, *options, **settings):
        """What goes away by itself changes nothing but time; what does not is told apart."""
        whole = self.good(*options, **settings)
        self.assertTrue(whole)
        body = b'{"items":[' + b" " * 4000
        passing = {
            "too many requests": [Answer("slow", 429, "text/plain", [("Retry-After", "7")])],
            "away": [Answer("", 503), Answer("", 500), Answer("", 502)],
            "half sent": [Answer(body, cut=700)],
            "cut at once": [Answer(body, cut=0)],
        }
        for name, troubles in passing.items():
            with self.subTest(name):
                self.troubles = list(troubles)
                self.assertEqual(self.good(*options, **settings), whole)
                self.assertEqual(self.troubles, [])
                self.assertGreater(self.waited, 6 if "many" in name else 1)
        lasting = {
            "not let in": ("denied", [Answer("no", 403, "text/plain")]),
            "no such thing": ("bad_input", [Answer("what?", 400, "text/plain")]),
            "gone for hours": ("busy", [Answer("", 503, headers=[("Retry-After", "36000")])]),
            "not what was asked for": ("bad_input", [Answer(b"\x89PNG\r\n\x1a\n\0\0", kind="image/png")]),
            "empty": ("bad_input", [Answer(b"")]),
            "of another kind": ("bad_input", [Answer(b'{"items":"none"}')]),
            "half of it in time": ("bad_input", [Answer(b'{"items":[{"year":2024,')]),
        }
        for name, (status, troubles) in lasting.items():
            with self.subTest(name):
                self.troubles = list(troubles)
                self.assertEqual(self.bad(status, *options, **settings), [])
                self.troubles = []
        with self.subTest("a redirect"):
            self.troubles = [Answer("", 302, headers=[
                ("Location", self.asked[0].target)])]
            self.assertEqual(self.good(*options, **settings), whole)
        return whole

    def refuses(self, rows):
        """Queries that the source cannot answer are refused before anything is asked."""
        for options, says in rows:
            with self.subTest(options):
                self.bad("usage", *options, says=says)
        self.assertEqual(self.asked, [])


def main():
    global PAGES
    PAGES = sys.argv.pop(1)
    unittest.main(verbosity=1, module="__main__")
