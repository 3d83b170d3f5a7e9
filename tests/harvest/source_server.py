"""Sources on this machine, over real sockets: an answer is chosen by what is asked, and goes out as
it is told to, cut short or redirected too. `harvest` drives the adapter of a source against it."""
import http.server
import json
import subprocess
import sys
import threading
import unittest
import urllib.parse

PAGES = sys.argv.pop(1)  # tests/harvest/pages.c


class Answer:
    """What goes back. `cut`: bytes of the body that are sent before the connection closes."""

    def __init__(self, body, status=200, kind="application/json", headers=(), cut=None):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=False)
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.kind, self.headers, self.cut = status, kind, dict(headers), cut


class Question:
    """One request: method, path, parameters (of the query, each once), and the JSON that it posts."""

    def __init__(self, method, target, headers, body):
        parts = urllib.parse.urlsplit(target)
        self.method, self.path, self.target, self.headers = method, parts.path, target, headers
        pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        self.parameters = dict(pairs)
        if len(self.parameters) != len(pairs):
            raise AssertionError(f"a parameter stands twice in {target}")
        self.json = json.loads(body) if body else None


class Source:
    """A server whose `answer(question)` is called for each request; what it raises is kept, and ends
    the test that looks at `questions`."""

    def __init__(self, answer):
        source = self
        self.asked, self.troubles = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self, method):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    question = Question(method, self.path, self.headers, body)
                    source.asked.append(question)
                    reply = answer(question)
                except Exception as trouble:  # shown by the test, not lost in a thread
                    source.troubles.append(trouble)
                    reply = Answer("the server of the test failed", 500, "text/plain")
                try:
                    self.send(reply)
                except ConnectionError:  # whoever asked has gone
                    self.close_connection = True

            def send(self, reply):
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body if reply.cut is None else reply.body[:reply.cut])
                self.close_connection |= reply.cut is not None

            def do_GET(self):
                self.handle_one("GET")

            def do_POST(self):
                self.handle_one("POST")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02},
                                       daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def questions(self):
        for trouble in self.troubles:
            raise trouble
        return self.asked


class Harvest:
    """What an adapter gave: records, cursors after each page, and how it ended."""

    def __init__(self, source, settings, **options):
        argv = [PAGES, source]
        for name, value in settings.items():
            argv += ["--set", f"{name}={value}"]
        for name, value in options.items():
            argv += [f"--{name}", str(value)]
        run = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        self.log = run.stderr
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        if not lines or "requests" not in lines[-1]:
            raise AssertionError(f"{argv} ended with {run.returncode}: {run.stderr}")
        self.records = [line["record"] for line in lines if "record" in line]
        self.cursors = [line["next"] for line in lines if "next" in line]
        self.waited = lines[-1]["waited"]
        trouble = next((line for line in lines if "error" in line), {"error": "ok", "message": ""})
        self.status, self.message = trouble["error"], trouble["message"]

    @property
    def keys(self):
        return [record["key"] for record in self.records]


class SourceTest(unittest.TestCase):
    maxDiff = None

    def assertEnds(self, harvest, status, *words):
        self.assertEqual(harvest.status, status, harvest.message)
        for word in words:
            self.assertIn(word, harvest.message)
