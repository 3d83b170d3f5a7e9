"""What an operator sees of the service: traces, health, metrics, error events.

usage: test_operations.py PROGRAM [unittest options]"""
import base64
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, wait_until

PROGRAM = None
PREFIX = "VISLANG_TEST_"  # the program refuses variables that it does not know
BESIDE = {name[len(PREFIX):]: os.environ.pop(name) for name in list(os.environ)
          if name.startswith(PREFIX)}
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


class Receiver:
    """An HTTP server of another program: keeps what it was sent, answers as `answer` says."""

    def __init__(self, answer):
        """answer(request) → (status, headers, body); a request has path, headers, body."""
        self.requests = requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = self.headers.get("Content-Length")
                self.body = self.rfile.read(int(length)) if length else self.chunks()
                requests.append(self)
                status, headers, body = answer(self)
                self.send_response(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def chunks(self):
                out = b""
                while size := int(self.rfile.readline(), 16):
                    out += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return out

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def log_lines(server, message):
    return [json.loads(line) for line in list(server.lines)
            if line.startswith("{") and json.loads(line)["message"] == message]


class Traces(unittest.TestCase):
    """W3C Trace Context: a caller's trace goes on through our log, our answer and our calls."""

    def logged(self, server, request_id):
        found = []

        def look():
            found[:] = [line for line in log_lines(server, "request")
                        if line["request_id"] == request_id]
            return found
        self.assertTrue(wait_until(look), request_id)
        return found[0]

    def test_headers(self):
        server = Server(PROGRAM, log_requests="true")
        try:
            r = server.get("/health")
            own = self.logged(server, r.headers["x-request-id"])
            self.assertNotIn("traceresponse", r.headers)
            self.assertRegex(own["trace_id"], "^[0-9a-f]{32}$")
            self.assertRegex(own["span_id"], "^[0-9a-f]{16}$")
            for headers, kept, flags in (
                    ([f"traceparent: {PARENT}"], True, "01"),
                    ([f"TraceParent: {PARENT[:-1]}0"], True, "00"),
                    ([f"traceparent: 01{PARENT[2:]}-more"], True, "01"),
                    ([f"traceparent: {PARENT}-more"], False, "00"),
                    ([f"traceparent: 00-{'0' * 32}-{SPAN}-01"], False, "00"),
                    (["traceparent: "], False, "00"),
                    ([f"traceparent: {PARENT}", f"traceparent: {PARENT}"], False, "00"),
                    ([f"traceparent: {PARENT}", "tracestate: wrong"], True, "01")):
                r = server.get("/health", *headers)
                self.assertEqual(r.status, 200, headers)
                line = self.logged(server, r.headers["x-request-id"])
                if "traceresponse" not in r.headers:  # two headers: nobody's
                    self.assertEqual(len(headers), 2)
                    self.assertNotEqual(line["trace_id"], TRACE)
                    continue
                version, trace, span, sampled = r.headers["traceresponse"].split("-")
                self.assertEqual((version, sampled), ("00", flags), headers)
                self.assertEqual(trace == TRACE, kept, headers)
                self.assertNotEqual(span, SPAN)
                self.assertEqual((line["trace_id"], line["span_id"]), (trace, span))
        finally:
            self.assertEqual(server.stop(), 0)

    def test_passed_on_to_an_engine(self):
        page = json.dumps({"pages": [{"page": 1, "blocks": [{"lines": [
            {"text": "Water", "box": [10, 10, 50, 10], "confidence": 0.9}]}]}]}).encode()
        with Receiver(lambda _: (200, {"Content-Type": "application/json"}, page)) as engine:
            server = Server(PROGRAM, ocr_engines=f"other=http://127.0.0.1:{engine.port}", workers=1)
            try:
                fields = [("file", (SAMPLES / "receipt-eng.jpg").read_bytes(), "a.jpg"),
                          ("languages", "eng")]
                r = server.post("/api/v1/ocr", fields, f"traceparent: {PARENT}",
                                "tracestate: a=1, b=2", "tracestate: c@d=3")
                self.assertEqual(r.status, 200, r)
                asked = engine.requests[0].headers
                version, trace, span, flags = asked["traceparent"].split("-")
                self.assertEqual((version, trace, flags), ("00", TRACE, "01"))
                self.assertEqual(f"00-{trace}-{span}-01", r.headers["traceresponse"])
                self.assertEqual(asked["tracestate"], "a=1,b=2,c@d=3")
                fields[0] = ("file", (SAMPLES / "notice-eng.jpg").read_bytes(), "b.jpg")
                before = len(engine.requests)
                self.assertEqual(server.post("/api/v1/ocr", fields).status, 200)
                asked = engine.requests[before].headers
                self.assertNotIn(TRACE, asked["traceparent"])
                self.assertIsNone(asked["tracestate"])
            finally:
                self.assertEqual(server.stop(), 0)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def dependencies(server):
    return {d["name"]: d for d in server.get("/health/detailed").json()["dependencies"]}


class Health(unittest.TestCase):
    def test_everything_is_told(self):
        server = Server(PROGRAM, encryption_key=base64.b64encode(os.urandom(32)).decode(),
                        ocr_engines="tesseract,ocrad")
        try:
            r = server.get("/health/detailed").json()
            found = {d["name"]: d for d in r["dependencies"]}
            self.assertLessEqual({"database", "vault", "disk", "ocr:tesseract", "ocr:ocrad",
                                  "picture_model"}, set(found))
            self.assertNotIn("redis", found)
            for name in ("database", "vault", "ocr:tesseract", "ocr:ocrad"):
                self.assertEqual(found[name]["state"], "ok", found[name])
            self.assertRegex(found["database"]["version"], r"^SQLite \d")
            self.assertGreater(found["database"]["latency_ms"], 0)
            self.assertRegex(found["disk"]["detail"], r"GB free$")
            self.assertIn(r["status"], ("ok", "degraded"))  # degraded: a machine with a full disk
        finally:
            self.assertEqual(server.stop(), 0)

    def test_a_folder_that_is_lost(self):
        with tempfile.TemporaryDirectory() as folder:
            there = os.path.join(folder, "state")
            server = Server(PROGRAM, database_url=f"sqlite://{there}/vislang.db")
            try:
                self.assertTrue(wait_until(lambda: dependencies(server)["disk"]["state"] == "ok"
                                           or "GB" in dependencies(server)["disk"]["detail"]))
                os.rename(there, there + ".away")
                self.assertTrue(wait_until(lambda: dependencies(server)["disk"]["state"] == "down"))
                self.assertEqual(server.get("/health/detailed").json()["status"], "degraded")
                self.assertTrue(any(line["name"] == "disk" and line["state"] == "down"
                                    for line in log_lines(server, "dependency")))
                os.rename(there + ".away", there)
                self.assertTrue(wait_until(lambda: dependencies(server)["disk"]["state"] != "down"))
            finally:
                self.assertEqual(server.stop(), 0)

    def test_health_asks_nobody(self):
        """It answers while every dependency is stuck, and the others answer then too."""
        with socket.create_server(("127.0.0.1", 0)) as stuck:  # accepts, and says nothing
            server = Server(PROGRAM, redis_url=f"redis://127.0.0.1:{stuck.getsockname()[1]}")
            try:
                for path in ("/health", "/health/detailed", "/ready"):
                    self.assertEqual(server.get(path).status, 200, path)
                self.assertTrue(wait_until(
                    lambda: dependencies(server)["redis"]["state"] == "degraded"))
                self.assertEqual(server.get("/health/detailed").json()["status"], "degraded")
                self.assertTrue(dependencies(server)["redis"]["detail"])
            finally:
                self.assertEqual(server.stop(), 0)


@unittest.skipUnless({"POSTGRES", "REDIS"} <= set(BESIDE),
                     "run it through tests/store/with-postgres.sh and tests/redis/with-redis.sh")
class Away(unittest.TestCase):
    """PostgreSQL and Redis are stopped and started under a running service."""

    def setUp(self):
        self.server = Server(PROGRAM, database_url=BESIDE["POSTGRES"],
                             redis_url=BESIDE["REDIS"])

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0)

    def control(self, which, what):
        subprocess.run([BESIDE[f"{which}_CTL"], what], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def becomes(self, name, state):
        self.assertTrue(wait_until(lambda: dependencies(self.server)[name]["state"] == state, 30),
                        dependencies(self.server)[name])

    def test_the_database_goes_and_comes_back(self):
        self.becomes("database", "ok")
        self.assertRegex(dependencies(self.server)["database"]["version"], r"^PostgreSQL \d")
        for _ in range(2):
            self.control("PG", "stop")
            self.assertTrue(wait_until(lambda: self.server.get("/ready").status == 503, 30))
            ready = self.server.get("/ready")
            self.assertEqual((ready.status, ready.headers["retry-after"]), (503, "5"))
            self.assertEqual(self.server.get("/health").status, 200)
            self.assertEqual(self.server.get("/health/detailed").json()["status"], "down")
            self.assertIn('vislang_dependency_up{dependency="database"} 0\n',
                          self.server.get("/metrics").body.decode())
            self.control("PG", "start")
            self.assertTrue(wait_until(lambda: self.server.get("/ready").status == 200, 30))
        states = [line["state"] for line in log_lines(self.server, "dependency")
                  if line["name"] == "database"]
        self.assertEqual(states, ["down", "ok", "down", "ok"])

    def test_redis_goes_and_comes_back(self):
        self.becomes("redis", "ok")
        self.assertRegex(dependencies(self.server)["redis"]["version"], r"^Redis \d")
        self.control("REDIS", "stop")
        self.becomes("redis", "degraded")
        self.assertEqual(self.server.get("/ready").status, 200)
        self.control("REDIS", "start")
        self.becomes("redis", "ok")


class Metrics(unittest.TestCase):
    def scrape(self, port, path="/metrics", method="GET"):
        with socket.create_connection(("127.0.0.1", port), timeout=15) as s:
            s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            got = b""
            while piece := s.recv(65536):
                got += piece
        head, body = got.split(b"\r\n\r\n", 1)
        return int(head.split()[1]), head.decode().lower(), body.decode()

    def test_all_of_it(self):
        server = Server(PROGRAM)
        try:
            server.get("/health")
            text = server.get("/metrics").body.decode()
            for name, kind in (("http_requests_total", "counter"),
                               ("http_request_duration_seconds", "histogram"),
                               ("vislang_documents_processed_total", "counter"),
                               ("vislang_cache_hits_total", "counter"),
                               ("vislang_cache_misses_total", "counter"),
                               ("vislang_queue_depth", "gauge"),
                               ("vislang_ocr_engine_requests_total", "counter"),
                               ("vislang_auth_failures_total", "counter"),
                               ("vislang_dependency_up", "gauge"),
                               ("vislang_dependency_latency_seconds", "gauge"),
                               ("process_cpu_seconds_total", "counter"),
                               ("process_resident_memory_bytes", "gauge"),
                               ("process_open_fds", "gauge"),
                               ("process_start_time_seconds", "gauge")):
                self.assertIn(f"# TYPE {name} {kind}\n", text)
            self.assertIn('vislang_dependency_up{dependency="database"} 1\n', text)
            self.assertNotIn("vislang_tls_certificate_expiry", text)
            bounds = re.findall(r'duration_seconds_bucket{route="/health",le="([^"]+)"}', text)
            self.assertEqual(bounds[-1], "+Inf")
            numbers = [float(b) for b in bounds[:-1]]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertLessEqual(numbers[0], 0.001)
            self.assertGreaterEqual(numbers[-1], 120, "a request may take request_timeout")
            start = float(re.search(r"(?m)^process_start_time_seconds (\S+)$", text).group(1))
            self.assertLess(abs(time.time() - start), 120)
            self.check_with_promtool(text)
        finally:
            self.assertEqual(server.stop(), 0)

    def check_with_promtool(self, text):
        tool = shutil.which("promtool")
        if not tool:
            print("SKIPPED promtool check metrics: Debian's package prometheus has it")
            return
        result = subprocess.run([tool, "check", "metrics"], input=text, text=True,
                                capture_output=True, timeout=60)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_a_port_of_its_own(self):
        port = free_port()
        server = Server(PROGRAM, prometheus_port=port, authentication="required")
        try:
            status, head, text = self.scrape(port)
            self.assertEqual(status, 200)
            self.assertIn("content-type: text/plain; version=0.0.4", head)
            self.assertIn("# TYPE http_requests_total counter", text)
            self.assertEqual(self.scrape(port, "/")[0], 404)
            self.assertEqual(self.scrape(port, "/health")[0], 404)
            self.assertEqual(self.scrape(port, method="DELETE")[0], 405)
            self.assertEqual(self.scrape(port, method="HEAD")[2], "")
            self.assertEqual(server.get("/metrics").status, 404)
            self.assertEqual(server.get("/health").status, 200)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_switched_off(self):
        port = free_port()
        server = Server(PROGRAM, prometheus_port=port, monitoring_enabled="false")
        try:
            self.assertEqual(server.get("/metrics").status, 404)
            with self.assertRaises(ConnectionRefusedError):
                self.scrape(port)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            result = subprocess.run(
                [PROGRAM, "serve", "--set", "port=0", "--set", "database_url=sqlite:///dev/shm/"
                 f"vislang-{os.getpid()}.db", "--set", f"prometheus_port={other.getsockname()[1]}"],
                capture_output=True, text=True, timeout=60)
        os.unlink(f"/dev/shm/vislang-{os.getpid()}.db")
        self.assertEqual(result.returncode, 1)
        self.assertIn("can't listen on", result.stderr)

    def test_stats(self):
        server = Server(PROGRAM, environment="staging")
        try:
            for path in ("/health", "/health", "/nope"):
                server.get(path)
            stats = server.get("/stats").json()
            self.assertEqual(stats["environment"], "staging")
            self.assertEqual(stats["requests"], 3)
            self.assertEqual(stats["requests_by_class"], {"2xx": 2, "3xx": 0, "4xx": 1, "5xx": 0})
            latency = stats["latency_ms"]
            self.assertGreater(latency["p50"], 0)
            self.assertLessEqual(latency["p50"], latency["p95"])
            self.assertLessEqual(latency["p95"], latency["p99"])
            self.assertGreater(stats["process"]["resident_bytes"], 1 << 20)
            self.assertGreater(stats["process"]["open_files"], 3)
            self.assertGreater(stats["process"]["threads"], 3)
        finally:
            self.assertEqual(server.stop(), 0)


class Events(unittest.TestCase):
    """Error events, held against a receiver that takes envelopes apart."""

    def start(self, receiver, **settings):
        return Server(PROGRAM, sentry_dsn=f"http://abc123@127.0.0.1:{receiver.port}/prefix/42",
                      environment="staging", **settings)

    def event_of(self, request):
        """The one event of an envelope (https://develop.sentry.dev/sdk/envelopes/)."""
        head, kind, rest = request.body.split(b"\n", 2)
        head, kind = json.loads(head), json.loads(kind)
        self.assertEqual(kind["type"], "event")
        payload, end = rest[:kind["length"]], rest[kind["length"]:]
        self.assertEqual(end, b"\n")
        event = json.loads(payload)
        self.assertEqual(event["event_id"], head["event_id"])
        self.assertRegex(event["event_id"], "^[0-9a-f]{32}$")
        return event

    def fail_once(self, server, seed=0, *headers):
        """A page that no engine reads in time is a 500 or a 504 of the service."""
        picture = (SAMPLES / "receipt-eng.jpg").read_bytes() + b"\0" * seed
        r = server.post("/api/v1/ocr", [("file", picture, "passport-of-amina.jpg"),
                                        ("languages", "eng")], *headers)
        self.assertGreaterEqual(r.status, 500, r)
        return r

    def broken_engine(self):
        """An OCR service whose every answer is a failure that names what it was sent."""
        return Receiver(lambda _: (500, {}, b'{"detail": "amina cannot be read"}'))

    def counts(self, server):
        text = server.get("/metrics").body.decode()
        return {name: int(value) for name, value in
                re.findall(r'vislang_error_events_total{result="(\w+)"} (\d+)', text)}

    def test_a_failure_is_told(self):
        with self.broken_engine() as engine, Receiver(lambda _: (200, {}, b"{}")) as receiver:
            server = self.start(receiver, ocr_engines=f"other=http://127.0.0.1:{engine.port}")
            try:
                r = self.fail_once(server, 0, f"traceparent: {PARENT}")
                self.assertTrue(wait_until(lambda: receiver.requests))
                request = receiver.requests[0]
                self.assertEqual(request.path, "/prefix/api/42/envelope/")
                self.assertEqual(request.headers["Content-Type"], "application/x-sentry-envelope")
                auth = request.headers["X-Sentry-Auth"]
                self.assertTrue(auth.startswith("Sentry "))
                self.assertIn("sentry_version=7", auth)
                self.assertIn("sentry_key=abc123", auth)
                event = self.event_of(request)
                self.assertEqual(event["environment"], "staging")
                self.assertRegex(event["release"], r"^vislang@\d+\.\d+")
                self.assertEqual(event["transaction"], "POST /api/v1/ocr")
                self.assertEqual(event["tags"]["status"], str(r.status))
                self.assertEqual(event["contexts"]["trace"]["trace_id"], TRACE)
                self.assertIn(event["contexts"]["trace"]["span_id"], r.headers["traceresponse"])
                self.assertRegex(event["exception"]["values"][0]["stacktrace"]["frames"][0]["filename"],
                                 r"^src/\w+/\w+\.c$")
                self.assertNotIn(b"amina", request.body)
                self.assertNotIn(b"127.0.0.1", request.body)
                self.assertTrue(wait_until(lambda: self.counts(server)["sent"] == 1))
                for path in ("/nope", "/health"):  # not ours to be sorry for
                    server.get(path)
                self.assertEqual(self.counts(server), {"sent": 1, "failed": 0, "dropped": 0})
                self.assertEqual(len(receiver.requests), 1)
            finally:
                self.assertEqual(server.stop(), 0)

    def test_pauses_are_obeyed(self):
        for status, headers in ((429, {}), (429, {"Retry-After": "30"}),
                                (200, {"X-Sentry-Rate-Limits": "30:error:key"}),
                                (429, {"X-Sentry-Rate-Limits": "30::key", "Retry-After": "0"})):
            with self.broken_engine() as engine, \
                    Receiver(lambda _: (status, headers, b"{}")) as receiver:
                server = self.start(receiver, ocr_engines=f"other=http://127.0.0.1:{engine.port}")
                try:
                    self.fail_once(server)
                    self.assertTrue(wait_until(lambda: sum(self.counts(server).values()) == 1))
                    for seed in (1, 2):
                        self.fail_once(server, seed)
                    self.assertTrue(wait_until(lambda: self.counts(server)["dropped"] == 2))
                    self.assertEqual(len(receiver.requests), 1, headers)
                finally:
                    self.assertEqual(server.stop(), 0)

    def test_pauses_of_other_things_and_short_ones(self):
        answers = [(200, {"X-Sentry-Rate-Limits": "600:transaction;session:key"}),
                   (429, {"X-Sentry-Rate-Limits": "0.2:error:key"}), (200, {})]
        with self.broken_engine() as engine, \
                Receiver(lambda _: (*answers.pop(0), b"{}")) as receiver:
            server = self.start(receiver, ocr_engines=f"other=http://127.0.0.1:{engine.port}")
            try:
                for i in range(3):
                    time.sleep(0.5)  # longer than the pause
                    self.fail_once(server, i)
                    self.assertTrue(wait_until(lambda: len(receiver.requests) == i + 1), i)
            finally:
                self.assertEqual(server.stop(), 0)

    def test_a_receiver_that_is_away_or_hangs(self):
        """Requests do not notice, and the service stops when it should."""
        with socket.create_server(("127.0.0.1", 0)) as hanging, self.broken_engine() as engine:
            for port in (free_port(), hanging.getsockname()[1]):
                server = Server(PROGRAM, sentry_dsn=f"http://k@127.0.0.1:{port}/1",
                                ocr_engines=f"other=http://127.0.0.1:{engine.port}")
                try:
                    for seed in range(3):
                        self.fail_once(server, seed)
                    self.assertEqual(server.get("/health").status, 200)
                finally:
                    self.assertEqual(server.stop(20), 0)

    def test_a_start_that_fails(self):
        with Receiver(lambda _: (200, {}, b"{}")) as receiver, \
                tempfile.TemporaryDirectory() as folder:
            result = subprocess.run(
                [PROGRAM, "serve", "--set", "port=0", "--set", f"database_url=sqlite://{folder}/a/b.db",
                 "--set", "tls_certificate=/amina/cert.pem", "--set", "tls_key=/amina/key.pem",
                 "--set", f"sentry_dsn=http://k@127.0.0.1:{receiver.port}/1"],
                capture_output=True, text=True, timeout=60)
            self.assertIn("/amina/cert.pem", result.stderr)
            self.assertNotEqual(result.returncode, 0)
            self.assertEqual(len(receiver.requests), 1)
            event = self.event_of(receiver.requests[0])
            self.assertEqual(event["level"], "fatal")
            self.assertNotIn("transaction", event)
            self.assertNotIn(b"amina", receiver.requests[0].body)

    def test_a_wrong_dsn_does_not_start(self):
        result = subprocess.run([PROGRAM, "serve", "--set", "sentry_dsn=https://secretkey@/"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("https://KEY@HOST/PROJECT", result.stderr)
        self.assertNotIn("secretkey", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"operations tests: {result.testsRun} run, "
          f"{len(result.failures) + len(result.errors)} failed, {len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
