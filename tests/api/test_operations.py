"""What an operator sees of the service: traces.

usage: test_operations.py PROGRAM [unittest options]"""
import http.server
import json
import os
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, wait_until

PROGRAM = None
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


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"operations tests: {result.testsRun} run, "
          f"{len(result.failures) + len(result.errors)} failed, {len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
