"""The HTTP half of every sidecar: POST /api/v1/ocr as VisLang speaks it (docs/serve.md,
docs/formats.md), and GET /health. Standard library and Pillow only.

A sidecar calls serve(name, version, reads, read):
  reads(packs)         whether it reads all of these Tesseract pack names ("eng", "Latin", …)
  read(picture, packs) [(text, points, confidence), …] in reading order; picture is a Pillow RGB
                       image, points the corners of the line's quadrilateral, confidence 0 … 1
One picture is read at a time: the engines use all processors by themselves."""
import argparse
import io
import json
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

MAX_BODY = 64 << 20
Image.MAX_IMAGE_PIXELS = 50_000_000


class Problem(Exception):
    def __init__(self, status, detail):
        super().__init__(detail)
        self.status, self.detail = status, detail


def form_fields(content_type, body):
    """{name: bytes} of a multipart/form-data body."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise Problem(415, "send multipart/form-data with a part named file")
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) or b""
            for part in message.iter_parts()}


def open_picture(data):
    try:
        picture = Image.open(io.BytesIO(data))
        return picture.convert("RGB")
    except Exception as error:  # Pillow raises many kinds
        raise Problem(400, f"the file is no picture that can be read: {error}") from error


def line_object(text, points, confidence):
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    box = [round(min(xs)), round(min(ys)), round(max(xs) - min(xs)), round(max(ys) - min(ys))]
    return {"text": text, "box": box, "confidence": round(min(1.0, max(0.0, float(confidence))), 4)}


def page_object(name, version, picture, lines, packs, started):
    mean = sum(line["confidence"] for line in lines) / len(lines) if lines else 0
    block = {"kind": "paragraph", "text": "\n".join(line["text"] for line in lines),
             "box": [0, 0, picture.width, picture.height], "confidence": round(mean, 4), "lines": lines}
    return {"page": 1, "width": picture.width, "height": picture.height, "dpi": 0, "rotation": 0,
            "skew": 0, "confidence": round(mean, 4), "script": "Zyyy", "languages": [],
            "engine": f"{name} {version} ({'+'.join(packs)})",
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
            "blocks": [block] if lines else []}


def make_handler(name, version, reads, read):
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def answer(self, status, value, kind="application/json"):
            body = json.dumps(value, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status >= 400:  # the body may not have been read
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.path == "/health":
                self.answer(200, {"status": "ok", "engine": name, "version": version})
            else:
                self.fail(Problem(404, "there are POST /api/v1/ocr and GET /health"))

        def do_POST(self):
            try:
                self.answer(200, self.read_document())
            except Problem as problem:
                self.fail(problem)
            except Exception as error:  # an engine's own
                self.fail(Problem(500, f"{name} failed: {error}"))

        def fail(self, problem):
            self.answer(problem.status, {"type": "about:blank", "title": "Not read",
                                         "status": problem.status, "detail": problem.detail},
                        "application/problem+json")

        def read_document(self):
            if self.path != "/api/v1/ocr":
                raise Problem(404, "there are POST /api/v1/ocr and GET /health")
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                raise Problem(411, "say the Content-Length")
            if int(length) > MAX_BODY:
                raise Problem(413, f"at most {MAX_BODY} bytes are taken")
            fields = form_fields(self.headers.get("Content-Type", ""), self.rfile.read(int(length)))
            if "file" not in fields:
                raise Problem(400, "the form has no part named file")
            packs = [p for p in fields.get("languages", b"").decode("utf-8", "replace").split("+") if p]
            if fields.get("format", b"json") != b"json":
                raise Problem(400, "this service writes format=json only")
            if not reads(packs):
                raise Problem(415, f"{name} does not read {'+'.join(packs)}")
            picture = open_picture(fields["file"])
            started = time.monotonic()
            with lock:
                found = read(picture, packs)
            lines = [line_object(*one) for one in found if one[0].strip()]
            return {"source": "upload", "pages": [page_object(name, version, picture, lines, packs, started)]}

        def log_message(self, format, *args):
            pass

    return Handler


def serve(name, version, reads, read, port):
    arguments = argparse.ArgumentParser(description=f"{name} as an engine of VisLang")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=port, help="0 picks a free one")
    given = arguments.parse_args()
    server = ThreadingHTTPServer((given.host, given.port), make_handler(name, version, reads, read))
    print(json.dumps({"message": "listening", "engine": name, "version": version,
                      "port": server.server_address[1]}), flush=True)
    server.serve_forever()
