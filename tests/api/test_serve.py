"""The HTTP service over raw sockets: routes, attacks, limits, backpressure, drain.

usage: test_serve.py PROGRAM MAKE_TINY_SEER MAKE_TINY_SPACE [unittest options]
(the vislang program, and those that make a small picture model and a small space)

Every attack is sent as bytes. After all of them the service must still answer, hold as many
file descriptors as at the start, and exit with status 0 on SIGTERM."""
import base64
import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import (BOUNDARY, Server, form_body, form_request, png, request_bytes, wait_until)

PROGRAM = None
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MB = 1 << 20


class Shared(unittest.TestCase):
    """One service for all tests of a class; it must be as it was when they are done."""
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM, **cls.settings)
        cls.server.get("/health")
        wait_until(lambda: cls.open_connections() <= 1)
        cls.descriptors = cls.server.descriptors()

    @classmethod
    def open_connections(cls):
        return cls.server.get("/stats").json()["connections"]

    @classmethod
    def tearDownClass(cls):
        # Warm workers may keep files of their engine open; connections and uploads may not stay.
        back = wait_until(lambda: cls.server.descriptors() <= cls.descriptors + 1, 60)
        count = cls.server.descriptors()
        status = cls.server.stop()
        assert back, f"{count} descriptors open, {cls.descriptors} at the start"
        assert status == 0, f"exit status {status}\n" + "".join(cls.server.lines[-30:])

    def check_problem(self, response, status, what=""):
        self.assertIsNotNone(response, f"no response to {what!r}")
        self.assertEqual(response.status, status, f"{what!r}: {response}")
        self.assertEqual(response.headers["content-type"], "application/problem+json", what)
        problem = response.json()
        for key in ("type", "title", "status", "detail", "request_id"):
            self.assertIn(key, problem)
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem["request_id"], response.headers["x-request-id"])


class Routes(Shared):
    settings = {"allowed_hosts": "localhost,127.0.0.1,[::1]"}

    def test_health_and_headers(self):
        r = self.server.get("/health")
        self.assertEqual((r.status, r.json()["status"]), (200, "ok"))
        self.assertEqual(r.headers["x-content-type-options"], "nosniff")
        self.assertEqual(r.headers["cache-control"], "no-store")
        self.assertRegex(r.headers["x-request-id"], r"^[0-9a-f]{16}$")

    def test_request_id(self):
        for given, kept in (("abc-1.2_Z", True), ("a" * 64, True), ("a" * 65, False),
                            ("no spaces", False), ('q"uote', False)):
            r = self.server.get("/health", f"X-Request-Id: {given}")
            self.assertEqual(r.headers["x-request-id"] == given, kept, given)

    def test_head_has_the_length_and_no_body(self):
        with self.server.connect() as c:
            c.write(request_bytes("HEAD", "/health"))
            r = c.response(head=True)
            self.assertEqual(r.status, 200)
            self.assertGreater(int(r.headers["content-length"]), 10)
            c.write(request_bytes("GET", "/health"))
            self.assertEqual(c.response().json()["status"], "ok")

    def test_unknown_and_wrong_method(self):
        self.check_problem(self.server.get("/nope"), 404)
        self.check_problem(self.server.get("/static/nope.js"), 404)
        self.check_problem(self.server.get("/api/v1/visions"), 404)
        for method, path, allow in (("GET", "/predict", "POST, OPTIONS"),
                                    ("DELETE", "/health", "GET, HEAD, OPTIONS"),
                                    ("PUT", "/api/v1/ocr", "POST, OPTIONS"),
                                    ("BREW", "/health", "GET, HEAD, OPTIONS")):
            r = self.server.get(path, method=method)
            self.check_problem(r, 405, f"{method} {path}")
            self.assertEqual(r.headers["allow"], allow)
        r = self.server.get("/predict", method="OPTIONS")
        self.assertEqual((r.status, r.headers["allow"]), (204, "POST, OPTIONS"))

    def test_what_is_planned(self):
        """The routes that answer 501 are those that the changelog plans for the next version."""
        root = Path(__file__).resolve().parents[2]
        version = re.search(r"project\(vislang VERSION (\d+)\.(\d+)\.(\d+)", (root / "CMakeLists.txt").read_text())
        major, minor, patch = map(int, version.groups())
        self.assertEqual(self.server.get("/health").json()["version"], f"{major}.{minor}.{patch}")
        changes = (root / "CHANGELOG.md").read_text()
        planned = re.search(rf"^## {major}\.{minor + 1}\.0 — planned$(.*?)^## ", changes, re.M | re.S).group(1)
        paths = re.findall(r"`(/[^`]*)`", planned)
        self.assertGreater(len(paths), 3)
        for path in paths:
            r = self.server.get(path.replace("…", "metrics"))
            self.check_problem(r, 501, path)
            self.assertIn(f"planned for {major}.{minor + 1}.0", r.json()["detail"])
        said = re.findall(r'^\s*\{"(/[^"]*)", "[^"]*" PLANNED\}', (root / "src/serve/routes.c").read_text(), re.M)
        self.assertEqual(sorted(p.replace("…", "") for p in paths), sorted(said))

    def test_page_and_its_files(self):
        r = self.server.get("/")
        self.assertEqual(r.status, 200, "the browser page is part of the program")
        self.assertIn("text/html", r.headers["content-type"])
        self.assertIn("default-src 'none'", r.headers["content-security-policy"])
        again = self.server.get("/", f"If-None-Match: {r.headers['etag']}")
        self.assertEqual((again.status, again.body), (304, b""))
        js = self.server.get("/static/app.js")
        self.assertEqual((js.status, js.headers["content-type"]),
                         (200, "text/javascript; charset=utf-8"))

    def test_metrics_are_well_formed(self):
        self.server.get("/health")
        r = self.server.get("/metrics")
        self.assertEqual(r.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        text = r.body.decode()
        for name in ("http_requests_total", "http_request_duration_seconds",
                     "vislang_documents_processed_total", "vislang_cache_hits_total",
                     "vislang_cache_misses_total", "vislang_queue_depth",
                     "vislang_ocr_engine_requests_total"):
            self.assertIn(f"# TYPE {name} ", text)
        self.assertRegex(text,
                         r'http_requests_total\{method="GET",route="/health",status="200"\} \d+')
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{[^}]*\})? [0-9.e+-]+)$")

    def test_keep_alive_and_pipelining(self):
        with self.server.connect() as c:
            c.write(request_bytes("GET", "/health") * 20)
            ids = {c.response().headers["x-request-id"] for _ in range(20)}
            self.assertEqual(len(ids), 20)
            c.write(request_bytes("GET", "/health", ["Connection: close"]))
            self.assertEqual(c.response().status, 200)
            self.assertTrue(c.ended())

    def test_expect_continue(self):
        body = form_body([("file", png(seed=90), "a.png")])
        head = request_bytes("POST", "/predict", (
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
            f"Content-Length: {len(body)}", "Expect: 100-continue"))
        with self.server.connect(60) as c:
            c.write(head)
            self.assertEqual(c.response().status, 100)
            c.write(body)
            self.assertEqual(c.response().status, 200)
        with self.server.connect() as c:  # refused before a byte of the body is sent
            c.write(request_bytes("POST", "/predict", (
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
                "Content-Length: 99999999999", "Expect: 100-continue")))
            self.check_problem(c.response(), 413)
            self.assertTrue(c.ended())

    def test_hosts_and_origins(self):
        for host, status in ((b"127.0.0.1", 200), (b"LOCALHOST:8000", 200), (b"[::1]:80", 200),
                             (b"evil.example", 421), (b"a/b", 400), (b"", 400)):
            r = self.server.send(request_bytes("GET", "/health", host=host))
            self.assertEqual(r.status, status, host)
        fields = [("file", png(seed=91), "a.png")]
        r = self.server.post("/predict", fields, "Origin: https://evil.example")
        self.check_problem(r, 403)
        self.assertNotIn("access-control-allow-origin", r.headers)
        r = self.server.post("/predict", fields, "Origin: http://localhost")
        self.assertEqual(r.status, 200)


class Answers(Shared):
    def test_predict_and_cache(self):
        fields = [("file", png(200, 100, seed=1), "a.png"), ("instruction", "what is the date?")]
        first = self.server.post("/predict", fields)
        self.assertEqual((first.status, first.headers["x-cache"]), (200, "miss"), first)
        second = self.server.post("/predict", fields)
        self.assertEqual((second.status, second.headers["x-cache"]), (200, "hit"))
        self.assertEqual(first.body, second.body)
        self.assertNotEqual(first.headers["x-request-id"], second.headers["x-request-id"])
        fields[1] = ("instruction", "what does it say?")
        self.assertEqual(self.server.post("/predict", fields).headers["x-cache"], "miss")

    def test_identical_requests_are_read_once(self):
        before = self.server.get("/stats").json()["documents"]
        request = form_request("/predict", [("file", png(300, 200, seed=2), "a.png")])
        clients = [self.server.connect(60) for _ in range(6)]
        for c in clients:
            c.write(request)
        bodies = [c.response().body for c in clients]
        for c in clients:
            c.__exit__()
        self.assertEqual(len(set(bodies)), 1)
        self.assertEqual(self.server.get("/stats").json()["documents"], before + 1)

    def test_chunked_upload(self):
        body = form_body([("file", png(seed=3), "a.png")])
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 100]), body[i:i + 100])
                          for i in range(0, len(body), 100)) + b"0\r\n\r\n"
        with self.server.connect(60) as c:
            c.write(request_bytes("POST", "/predict", (
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
                "Transfer-Encoding: chunked"), chunks) + request_bytes("GET", "/health"))
            self.assertEqual(c.response().status, 200)
            self.assertEqual(c.response().json()["status"], "ok")

    def test_upload_larger_than_memory(self):
        r = self.server.post("/predict", [("file", png(seed=4, pad=3 * MB), "a.png")])
        self.assertEqual(r.status, 200)

    def test_ocr_formats(self):
        for name, kind in (("json", "application/json"), ("text", "text/plain"),
                           ("hocr", "text/html"), ("alto", "application/xml"),
                           ("markdown", "text/markdown"), ("pdf", "application/pdf")):
            r = self.server.post("/api/v1/ocr", [("file", png(200, 100, seed=5), "a.png"),
                                                 ("format", name)])
            self.assertEqual(r.status, 200, r)
            self.assertTrue(r.headers["content-type"].startswith(kind), r)
            if name == "json":
                self.assertEqual(r.json()["source"], "a.png")
            if name == "pdf":
                self.assertTrue(r.body.startswith(b"%PDF-"))

    def post_json(self, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.server.send(request_bytes("POST", "/api/v1/ocr", (
            "Content-Type: application/json", f"Content-Length: {len(body)}"), body))

    def test_ocr_json_body(self):
        good = base64.b64encode(png(seed=6)).decode()
        for value, status in (({"image_base64": good}, 200),
                              ({"image_base64": "data:image/png;base64," + good}, 200),
                              ({"image_base64": good[:-3] + "***"}, 400),
                              ({"image_base64": ""}, 400),
                              ({"image_base64": base64.b64encode(b"plain text, long enough").decode()},
                               415),
                              ({"image_url": "http://169.254.169.254/"}, 403),
                              ({"image_base64": good, "format": "docx"}, 400),
                              ({"image_base64": 7}, 400), ({}, 400), ([], 400),
                              (b"{", 400), (b"[" * 5000, 400)):
            r = self.post_json(value)
            self.assertEqual(r.status, status, f"{str(value)[:60]} {r}")


class Attacks(Shared):
    """What a hostile client sends. The service says no and goes on."""

    def raw(self, data, expected, what=None):
        """`expected`: allowed statuses; None among them: the connection may just end."""
        with self.server.connect(15) as c:
            c.write(data)
            try:
                r = c.response()
            except ConnectionResetError:
                r = None
            self.assertIn(r.status if r else None, expected, f"{what or data[:120]!r} {r}")
            if r and r.status >= 400 and r.status != 404 and r.status != 405:
                self.assertTrue(c.ended(), f"kept open after {data[:120]!r}")

    def test_smuggling(self):
        host = b"Host: localhost\r\n"
        post = b"POST /predict HTTP/1.1\r\n" + host
        for data, expected in (
                (post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
                (post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", {400}),
                (post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", {400}),
                (post + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", {400}),
                (post + b"Content-Length: 5, 5\r\n\r\nhello", {400}),
                (post + b"Content-Length: +5\r\n\r\nhello", {400}),
                (post + b"Content-Length: -5\r\n\r\nhello", {400}),
                (post + b"Content-Length: 0x5\r\n\r\nhello", {400}),
                (post + b"Content-Length: 5 \r\n\r\nhello", {400}),
                (post + b"Content-Length:\r\n\r\nhello", {400}),
                (post + b"Content-Length: 99999999999999999999999\r\n\r\nhello", {400, 413}),
                (post + b"Content-Length: 18446744073709551615\r\n\r\nhello", {400, 413}),
                (post + b"Content-Length : 5\r\n\r\nhello", {400}),
                (post + b"Content-Length\t: 5\r\n\r\nhello", {400}),
                (post + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", {400}),
                (post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {501}),
                (post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {501}),
                (post + b"Transfer-Encoding: identity\r\n\r\n", {501}),
                (post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                 {400}),
                (post + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", {400, 501}),
                (b"POST /predict HTTP/1.1\r\n" + host + host + b"Content-Length: 5\r\n\r\nhello", {400}),
                (b"POST /predict HTTP/1.1\r\nX y: z\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
                 b"5\r\nhello\r\n0\r\n\r\n", {400}),
                (post + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", {400}),
                (post + b"Transfer-Encodin: chunked\r\n g\r\n\r\n0\r\n\r\n", {400}),
                (post + b"X: a\rContent-Length: 5\r\n\r\nhello", {400}),
                (post + b"X: a\nContent-Length: 5\r\n\r\nhello", {400}),
                (post + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello", {400}),
                (b"POST /predict HTTP/1.0\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 {400}),
                (b"GET /health HTTP/1.1\r\n" + host + b"Content-Length: 5\r\n\r\nhello", {413}),
                (b"GET /health HTTP/1.1\r\n" + host + host + b"\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n" + host + b"Host: evil.example\r\n\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n" + host + b"\0: x\r\n\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n" + host + b"no colon\r\n\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n" + host + b": no name\r\n\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n" + host + b"X: last\0hidden\r\n\r\n", {400}),
                (b"GET /health HTTP/1.1\r\n " + host + b"\r\n", {400, None}),
                (b"GET /health HTTP/1.1\n" + host + b"\n", {400})):
            self.raw(data, expected)

    def test_request_line(self):
        tail = b"\r\nHost: localhost\r\n\r\n"
        for line, expected in (
                (b"GET /health HTTP/2.0", {400, 505}), (b"GET /health HTTP/1.2", {400, 505}),
                (b"GET /health", {400, 505, None}), (b"GET  HTTP/1.1", {400, None}),
                (b"GET /he alth HTTP/1.1", {400, None}), (b"GET /health\0x HTTP/1.1", {400, None}),
                (b"GET http://localhost/health HTTP/1.1", {400}),
                (b"GET * HTTP/1.1", {400}), (b"GET health HTTP/1.1", {400}),
                (b"GET /health%00 HTTP/1.1", {400}), (b"GET /health%00.html HTTP/1.1", {400}),
                (b"GET /%zz HTTP/1.1", {400}), (b"GET /health% HTTP/1.1", {400}),
                (b"GET /health%2 HTTP/1.1", {400}), (b"GET /../etc/passwd HTTP/1.1", {400}),
                (b"GET /static/../../etc/passwd HTTP/1.1", {400}),
                (b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1", {400}),
                (b"GET /static/..%2fetc%2fpasswd HTTP/1.1", {400}),
                (b"GET /static/..%5c..%5cetc HTTP/1.1", {400}),
                (b"GET //etc/passwd HTTP/1.1", {400}), (b"GET /%ff%fe HTTP/1.1", {400}),
                (b"GET /\xff HTTP/1.1", {400}), (b"GET /a%0d%0aX:y HTTP/1.1", {400}),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400, None}),
                (b"GET /" + b"a" * 5000 + b" HTTP/1.1", {414}),
                (b"GET /" + b"a" * 100000 + b" HTTP/1.1", {414, None}),
                (b"GET /health?" + b"a=b&" * 20000 + b" HTTP/1.1", {414, 431, None})):
            self.raw(line + tail, expected)

    def test_many_headers(self):
        few = request_bytes("GET", "/health", [f"X-{i}: a" for i in range(90)])
        self.assertEqual(self.server.send(few).status, 200)
        self.raw(request_bytes("GET", "/health", [f"X-{i}: a" for i in range(150)]), {431})
        self.raw(request_bytes("GET", "/health", [f"X-{i}: a" for i in range(10000)]), {431, None},
                 "10000 headers")
        self.raw(request_bytes("GET", "/health", ["X: " + "a" * 60000]), {431, None}, "long header")

    def test_chunk_garbage(self):
        head = request_bytes("POST", "/predict", (
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
            "Transfer-Encoding: chunked"))
        for garbage in (b"zz\r\n", b"-1\r\nx\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"\r\n\r\n",
                        b"5\r\n--vis--\r\n", b"1;" + b"a" * 70000, b"5 \r\nhello\r\n0\r\n\r\n"):
            self.raw(head + garbage, {400, 413, 500, None}, garbage[:20])

    def form(self, body, boundary=BOUNDARY, content_type=None):
        return request_bytes("POST", "/predict", (
            content_type or f"Content-Type: multipart/form-data; boundary={boundary}",
            f"Content-Length: {len(body)}"), body)

    def test_bad_forms(self):
        picture = png(seed=10)
        good = form_body([("file", picture, "a.png")])
        part = b"--" + BOUNDARY.encode() + b"\r\n"
        disposition = b'Content-Disposition: form-data; name="file"\r\n'
        for body, status in (
                (good[:-20], 400), (good[:60], 400), (good[:len(good) // 2], 400),
                (form_body([("file", picture, "a.png")], "other"), 400),
                (b"", 400), (b"--", 400), (b"garbage" * 100, 400),
                (part + b"\r\n" + picture + b"\r\n--" + BOUNDARY.encode() + b"--\r\n", 400),
                (part + b"Content-Disposition: form-data\r\n\r\nx", 400),
                (part + b'Content-Disposition: form-data; name=""\r\n\r\nx', 400),
                (part + b'Content-Disposition: form-data; name="file\r\n\r\nx', 400),
                (part + b'Content-Disposition: attachment; name="file"\r\n\r\nx', 400),
                (part + disposition + disposition + b"\r\nx", 400),
                (part + disposition + b"Content-Transfer-Encoding: base64\r\n\r\nx", 400),
                (part + disposition + b"X: " + b"a" * 9000 + b"\r\n\r\nx", 413),
                (part + b"a b: c\r\n\r\nx", 400),
                (form_body([("instruction", "x")]), 400),
                (form_body([("file", b"", "a.png")]), 400),
                (form_body([("file", b"hello, I am text, not a picture", "a.png")]), 415),
                (form_body([("file", b"tiny", "a.png")]), 415),
                (form_body([("file", picture, "a.png"), ("file", picture, "b.png")]), 400),
                (form_body([("instrution", "x"), ("file", picture, "a.png")]), 400),
                (form_body([("instruction", b"\xff\xfe"), ("file", picture, "a.png")]), 400),
                (form_body([("instruction", "x" * 5000), ("file", picture, "a.png")]), 400),
                (form_body([("languages", "../../etc"), ("file", picture, "a.png")]), 400),
                (form_body([("pictures", "maybe"), ("file", picture, "a.png")]), 400),
                (form_body([("stream", "yes"), ("file", picture, "a.png")]), 400),
                (form_body([("model", "gpt"), ("file", picture, "a.png")]), 422)):
            r = self.server.send(self.form(body))
            self.check_problem(r, status, body[:150])
        r = self.server.send(self.form(form_body([("instrution", "x")])))
        self.assertIn('did you mean "instruction"', r.json()["detail"].replace('\\"', '"'))

    def test_thousand_parts(self):
        many = b"".join(b"--%s\r\nContent-Disposition: form-data; name=\"instruction\"\r\n\r\n\r\n"
                        % BOUNDARY.encode() for _ in range(1000))
        r = self.server.send(self.form(many + b"--" + BOUNDARY.encode() + b"--\r\n"))
        self.assertIn(r.status, (400, 413))

    def test_content_types(self):
        good = form_body([("file", png(seed=11), "a.png")])
        for value in ("Content-Type: text/plain", "X: none",
                      "Content-Type: multipart/form-data", "Content-Type: application/json",
                      "Content-Type: multipart/form-data; boundary=",
                      "Content-Type: multipart/form-data; boundary=" + "b" * 71,
                      'Content-Type: multipart/form-data; boundary="a\tb"',
                      "Content-Type: multipart/form-data; boundary=a; boundary=b"):
            self.check_problem(self.server.send(self.form(good, content_type=value)), 415, value)

    def test_no_length(self):
        self.check_problem(self.server.send(request_bytes("POST", "/predict")), 411)
        r = self.server.send(request_bytes("POST", "/predict", ["Content-Length: 0"]))
        self.check_problem(r, 400)

    def test_refused_at_the_first_bytes(self):
        """A text file of 50 MB: the answer comes although only its beginning was sent."""
        body = form_body([("file", b"just some text " * 100, "holiday.png")])[:1000]
        with self.server.connect(10) as c:
            c.write(request_bytes("POST", "/predict", (
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
                f"Content-Length: {50 * MB}")) + body)
            start = time.monotonic()
            self.check_problem(c.response(), 415)
            self.assertLess(time.monotonic() - start, 2)
            self.assertEqual(c.socket.recv(1), b"", "the answer is followed by the end")

    def test_slow_headers_are_cut_off(self):
        """A byte a quarter second keeps the library's own timeout from firing."""
        server = Server(PROGRAM, connection_timeout=2)
        try:
            start = time.monotonic()
            with server.connect() as c:
                c.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
                while time.monotonic() - start < 15 and c.write(b"a"):
                    time.sleep(0.25)
                self.assertTrue(c.ended())
            self.assertLess(time.monotonic() - start, 8)
            with server.connect() as c:  # and a body that drips
                c.write(request_bytes("POST", "/predict", (
                    f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
                    "Content-Length: 100000")) + form_body([("file", png(), "a.png")])[:90])
                start = time.monotonic()
                while time.monotonic() - start < 15 and c.write(b"a"):
                    time.sleep(0.25)
                self.assertLess(time.monotonic() - start, 8)
            self.assertEqual(server.get("/health").status, 200)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_clients_that_leave(self):
        request = form_request("/predict", [("file", png(seed=12, pad=MB), "a.png")])
        for at in (10, 150, 400, len(request) // 2, len(request) - 1, len(request)):
            with self.server.connect() as c:
                c.write(request[:at])
        self.assertEqual(self.server.get("/health").status, 200)

    def test_many_idle_connections(self):
        clients = [self.server.connect() for _ in range(20)]
        self.assertEqual(self.server.get("/health").status, 200)
        for c in clients:
            c.__exit__()


class Limits(Shared):
    settings = {"max_upload_size": 100000}

    def test_body_larger_than_the_limit(self):
        big = form_body([("file", png(pad=2 * MB), "a.png")])
        kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
        with self.server.connect() as c:  # said in advance: nothing is read
            c.write(request_bytes("POST", "/predict", (kind, f"Content-Length: {len(big)}")))
            self.check_problem(c.response(), 413)
        r = self.server.send(request_bytes("POST", "/predict",
                                           (kind, f"Content-Length: {len(big)}"), big))
        self.check_problem(r, 413)
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(big[i:i + 8192]), big[i:i + 8192])
                           for i in range(0, len(big), 8192)) + b"0\r\n\r\n"
        r = self.server.send(request_bytes("POST", "/predict",
                                           (kind, "Transfer-Encoding: chunked"), chunked))
        self.check_problem(r, 413)

    def test_file_just_over_the_limit(self):
        body = form_body([("file", png(pad=100000), "a.png")])
        r = self.server.send(request_bytes("POST", "/predict", (
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
            f"Content-Length: {len(body)}"), body))
        self.check_problem(r, 413)


class Engines(unittest.TestCase):
    """Several engines behind one service, and what /health/ocr says of them."""

    def test_an_engine_that_times_out_is_left_out_and_counted(self):
        server = Server(PROGRAM, ocr_engines="gocr,tesseract", ocr_engine_timeout=0.1,
                        confidence_threshold=1, workers=1)
        try:
            before = server.get("/health/ocr").json()
            self.assertEqual(before["status"], "ok")
            self.assertEqual([e["name"] for e in before["engines"]], ["gocr", "tesseract"])
            self.assertEqual([e["calls"] for e in before["engines"]], [0, 0])
            self.assertIn("eng", before["engines"][1]["packs"])
            picture = (SAMPLES / "report-eng.png").read_bytes()
            r = server.post("/api/v1/ocr", [("file", picture, "a.png"), ("languages", b"eng")])
            self.assertEqual(r.status, 200, r.body[:500])
            engines = server.get("/health/ocr").json()["engines"]
            self.assertEqual([e["calls"] for e in engines], [1, 1])
            self.assertEqual(engines[1]["failures"], 0)
            if engines[0]["failures"]:  # a fast machine may read it within the time
                self.assertEqual(engines[0]["timeouts"], 1)
                self.assertIn("gocr", engines[0]["last_error"])
                self.assertGreater(engines[1]["mean_ms"], 0)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_every_engine_has_its_counters(self):
        server = Server(PROGRAM, ocr_engines="tesseract,tesseract-binarised,ocrad",
                        ocr_engine_timeout=200, confidence_threshold=1, workers=1)
        try:
            picture = (SAMPLES / "receipt-eng.jpg").read_bytes()
            r = server.post("/predict", [("file", picture, "a.jpg"), ("languages", b"eng"),
                                         ("explain", b"true")])
            self.assertEqual(r.status, 200, r.body[:500])
            words = [word for page in r.json()["evidence"]["ocr"]["pages"]
                     for block in page["blocks"] for line in block["lines"] for word in line["words"]]
            self.assertIn("tesseract-binarised",
                          {h["engine"] for word in words for h in word["hypotheses"]})
            text = server.get("/metrics").body.decode()
            engines = {e["name"]: e for e in server.get("/health/ocr").json()["engines"]}

            def counter(name, engine):
                return float(re.search(rf'(?m)^vislang_ocr_engine_{name}{{engine="{engine}"}} (\S+)$',
                                       text).group(1))
            for engine, said in engines.items():
                self.assertEqual(counter("requests_total", engine), said["calls"])
                self.assertEqual(counter("failures_total", engine), 0)
                self.assertEqual(counter("available", engine), 1)
                self.assertGreater(counter("seconds_total", engine), 0)
                votes, won = counter("votes_total", engine), counter("votes_won_total", engine)
                self.assertEqual((votes, won), (said["votes"], said["votes_won"]))
                self.assertGreaterEqual(votes, won)
            self.assertGreater(counter("votes_won_total", "tesseract"), 0)
            self.assertGreaterEqual(counter("votes_total", "tesseract"),
                                    counter("votes_total", "ocrad"))
            self.assertGreater(counter("votes_total", "ocrad"), 0)
            self.assertIn("vislang_ocr_documents_total 1\n", text)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_unknown_engines_do_not_start(self):
        result = subprocess.run([PROGRAM, "serve", "--set", "ocr_engines=tesseract,ocrd"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("did you mean 'ocrad'", result.stderr)


class Pressure(unittest.TestCase):
    """Backpressure and drain, on services of their own."""

    def test_busy_is_503_with_retry_after(self):
        server = Server(PROGRAM, max_concurrent_requests=2, workers=1)
        try:
            clients = [server.connect(90) for _ in range(12)]
            for i, c in enumerate(clients):
                c.write(form_request("/predict", [("file", page(i), "a.png")]))
            responses = [c.response() for c in clients]
            for c in clients:
                c.__exit__()
            statuses = [r.status for r in responses]
            self.assertEqual(set(statuses), {200, 503}, statuses)
            for r in responses:
                if r.status == 503:
                    self.assertGreaterEqual(int(r.headers["retry-after"]), 1)
            again = server.post("/predict", [("file", page(77), "a.png")])
            self.assertEqual(again.status, 200, "room again once the queue is empty")
        finally:
            self.assertEqual(server.stop(), 0)

    def test_timeout_is_504(self):
        server = Server(PROGRAM, request_timeout=0.1, workers=1)
        try:
            clients = [server.connect(90) for _ in range(6)]
            for i, c in enumerate(clients):
                c.write(form_request("/predict", [("file", page(200 + i), "a.png")]))
            statuses = [c.response().status for c in clients]
            for c in clients:
                c.__exit__()
            self.assertIn(504, statuses)
            self.assertEqual(server.get("/health").status, 200)
        finally:
            self.assertEqual(server.stop(), 0)

    def events(self, client):
        """The events of a stream, as (name, object)."""
        r = client.response()
        self.assertEqual((r.status, r.headers["content-type"]), (200, "text/event-stream"), r)
        told = [[line.split(": ", 1)[1] for line in event.splitlines() if not line.startswith(":")]
                for event in r.body.decode().strip().split("\n\n")]
        return [(lines[0], json.loads(lines[1])) for lines in told if lines]  # others are heartbeats

    def follow(self, server, data, name="a.png", *fields):
        with server.connect(90) as client:
            client.write(form_request("/predict", [("file", data, name), ("stream", "true"), *fields]))
            return self.events(client)

    def test_streamed_answers(self):
        server = Server(PROGRAM, workers=2)
        try:
            letter = (SAMPLES / "letter-fra-scan.pdf").read_bytes()
            told = self.follow(server, letter, "letter.pdf", ("model", "vislang"))
            self.assertEqual([name for name, _ in told], ["page", "page", "answer"])
            self.assertEqual([(o["page"], o["pages"]) for _, o in told[:2]], [(1, 2), (2, 2)])
            self.assertTrue(all(o["words"] > 10 for _, o in told[:2]))
            plain = server.post("/predict", [("file", letter, "letter.pdf")])
            self.assertEqual(plain.headers["x-cache"], "hit", "the same answer, streamed or not")
            self.assertEqual(told[2][1], plain.json())
            self.assertEqual(self.follow(server, letter, "letter.pdf"), [("answer", plain.json())])
            cut = png(seed=900)[:-30]
            told = self.follow(server, cut)
            self.assertEqual([name for name, _ in told], ["problem"])
            self.assertEqual((told[0][1]["status"], told[0][1]["instance"]), (422, "/predict"))
        finally:
            self.assertEqual(server.stop(), 0)

    def test_streams_of_one_document_are_one_reading(self):
        server = Server(PROGRAM, workers=1)
        try:
            clients = [server.connect(90) for _ in range(8)]
            for client in clients:
                client.write(form_request("/predict", [("file", page(901), "a.png"), ("stream", "true")]))
            told = [self.events(client) for client in clients]
            self.assertTrue(all(t[-1] == ("answer", told[0][-1][1]) for t in told))
            metrics = server.get("/metrics").body.decode()
            self.assertEqual(re.search(r"^vislang_documents_processed_total (\d+)", metrics, re.M).group(1), "1")
            for client in clients:
                client.__exit__()
        finally:
            self.assertEqual(server.stop(), 0)

    def test_streams_that_end_early(self):
        server = Server(PROGRAM, workers=1, request_timeout=0.2, drain_timeout=0)
        try:
            letter = (SAMPLES / "letter-fra-scan.pdf").read_bytes()  # takes longer than that
            clients = [server.connect(90) for _ in range(4)]
            for i, client in enumerate(clients):
                client.write(form_request("/predict", [("file", letter + b"%%%d\n" % i, "a.pdf"), ("stream", "true")]))
            gone = clients.pop()
            gone.__exit__()
            ends = [self.events(client)[-1] for client in clients]
            self.assertIn(504, [o.get("status") for _, o in ends])
            self.assertLessEqual({name for name, _ in ends}, {"answer", "problem"})
            for client in clients:
                client.__exit__()
            with server.connect(90) as last:
                last.write(form_request("/predict", [("file", page(950), "a.png"), ("stream", "true")]))
                wait_until(lambda: server.get("/stats").json()["in_work"] >= 1)
                server.process.send_signal(signal.SIGTERM)
                self.assertIn(self.events(last)[-1][0], ("answer", "problem"))
        finally:
            self.assertEqual(server.stop(), 0)

    def test_drain_loses_nothing(self):
        for i in range(10):  # made before the first connection, which would be idle meanwhile
            page(i + 300)
        server = Server(PROGRAM, max_concurrent_requests=64, drain_timeout=250, request_timeout=250)
        clients = [server.connect(120) for _ in range(50)]
        kept = server.connect(30)
        kept.write(request_bytes("GET", "/health"))
        self.assertEqual(kept.response().status, 200)
        for i, c in enumerate(clients):
            c.write(form_request("/predict", [("file", page(i % 10 + 300), "a.png"),
                                              ("instruction", f"what does line {i % 10} say?")]))
        wait_until(lambda: server.get("/stats").json()["in_work"] >= 1)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: any('"draining"' in line for line in server.lines))
        kept.write(request_bytes("GET", "/ready"))
        ready = kept.response()
        self.assertEqual((ready.status, ready.headers["connection"]), (503, "close"))
        kept.__exit__()
        responses = [c.response() for c in clients]
        self.assertEqual([r.status if r else None for r in responses], [200] * 50)
        for c in clients:
            c.__exit__()
        self.assertEqual(server.stop(60), 0)

    def test_second_instance_takes_over(self):
        first = Server(PROGRAM)
        second = Server(PROGRAM, port=first.port)
        failures, count, done = [], [0], threading.Event()

        def load():
            while not done.is_set():
                try:
                    r = first.send(request_bytes("GET", "/health", ["Connection: close"]), 10)
                    count[0] += 1
                    if not r or r.status != 200:
                        failures.append(r)
                except OSError as error:
                    failures.append(error)
        threads = [threading.Thread(target=load) for _ in range(4)]
        for t in threads:
            t.start()
        time.sleep(0.5)
        self.assertEqual(first.stop(), 0)
        time.sleep(0.5)
        done.set()
        for t in threads:
            t.join()
        self.assertEqual(second.stop(), 0)
        self.assertGreater(count[0], 100)
        self.assertEqual(failures, [])


@functools.lru_cache(maxsize=32)
def page(seed):
    """A picture that takes a worker a noticeable time."""
    return png(1200, 900, seed=seed)


class OpenApi(Shared):
    """The description is held against the live service."""

    def check_shape(self, schema, value, where):
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        types = {"object": dict, "array": list, "string": str, "integer": int,
                 "number": (int, float), "boolean": bool}
        if isinstance(schema.get("type"), list):  # ["string", "null"]
            self.assertTrue(value is None or isinstance(value, types[schema["type"][0]]), where)
        elif "type" in schema:
            self.assertIsInstance(value, types[schema["type"]], where)
        if "enum" in schema:
            self.assertIn(value, schema["enum"], where)
        for name in schema.get("required", []):
            self.assertIn(name, value, where)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                self.check_shape(inner, value[name], f"{where}.{name}")
        for item in value if isinstance(value, list) else []:
            self.check_shape(schema.get("items", {}), item, where + "[]")

    def fields_of(self, operation):
        """The fields that a route's form must have."""
        schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
        required = schema.get("required", []) + [
            name for choice in schema.get("allOf", []) for name in choice["oneOf"][0]["required"]]
        self.assertLessEqual(set(required), set(schema["properties"]))
        return [("file", png(seed=50), "a.png") if name == "file" else
                (name, schema["properties"][name].get("enum", ["what is it?"])[0]) for name in required]

    def test_every_route_answers_as_described(self):
        api = self.server.get("/openapi.json").json()
        self.schemas = api["components"]["schemas"]
        self.assertEqual(api["openapi"], "3.1.0")
        self.assertGreaterEqual(len(api["paths"]), 15)
        for path, item in api["paths"].items():
            if path == "/admin/subjects/{id}":  # of nobody: tests/api/test_privacy.py
                continue
            path = path.replace("{file}", "app.js")
            if path.startswith("/api/v1/jobs/{id}"):  # test_jobs.py holds these to their description
                continue
            for method, operation in item.items():
                if method in ("patch", "delete"):  # of what is not there
                    name = "?engine=nobody" if path == "/admin/ocr/weights" else ""
                    gone = self.server.call(method.upper(), path.replace("{id}", "999999") + name,
                                            {"role": "viewer"} if method == "patch" else None)
                    self.check_problem(gone, 404, f"{method} {path}")
                    continue
                path = path.replace("{id}", "1")
                body = operation.get("requestBody", {}).get("content", {})
                if method == "get":
                    r = self.server.get(path)
                elif not body:
                    r = self.server.call("POST", path)
                elif list(body) == ["application/json"]:
                    name = body["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
                    example = self.schemas[name]["examples"][0]
                    r = self.server.call("POST", path, example)
                    if path == "/auth/refresh":
                        self.check_problem(r, 401)
                        continue
                else:
                    r = self.server.post(path, self.fields_of(operation))
                success = next(iter(operation["responses"]))
                self.assertEqual(str(r.status), success, f"{method} {path} {r}")
                content = operation["responses"][success]["content"]
                kind = r.headers["content-type"]
                self.assertTrue("*/*" in content or kind in content, f"{path} {kind}")
                if kind == "application/json":
                    self.check_shape(content[kind]["schema"], r.json(), path)
                wrong = self.server.get(path, method="BREW")
                self.assertEqual(wrong.status, 405, path)

    def test_references_resolve(self):
        text = self.server.get("/openapi.json").body.decode()
        api = json.loads(text)
        for part in text.split('"$ref":"#/components/schemas/')[1:]:
            self.assertIn(part.split('"')[0], api["components"]["schemas"])


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    maker = sys.argv.pop(1)
    space_maker = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([maker, folder + "/tiny.gguf", "0", "samples/photos", folder + "/index"],
                       check=True)
        subprocess.run([space_maker, folder + "/tiny.bin"], check=True)
        OpenApi.settings = {"model_path": folder + "/tiny.gguf", "alignment_space": folder + "/tiny.bin", "retrieve_index": folder + "/index",
                            "ocr_record": "store", "admin": True}
        result = unittest.main(exit=False).result
    print(f"api tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
