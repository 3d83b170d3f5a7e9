"""A running `vislang serve` and raw-socket clients for the API tests (standard library only)."""
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib

# What a service would keep for whoever runs the tests.
STATE = tempfile.TemporaryDirectory()
os.environ["XDG_STATE_HOME"] = STATE.name
os.environ.pop("STATE_DIRECTORY", None)


def clean_environment():
    """Without what names the tests' own servers, which the program would refuse as no setting."""
    return {k: v for k, v in os.environ.items() if not k.startswith("VISLANG_TEST_")}


class AdminRefused(subprocess.CalledProcessError):
    """`vislang admin …` failed, and said why."""

    def __str__(self):
        return f"{super().__str__()}\n{self.stderr}"


class Server:
    """The program, started on a free port; its log is read line by line as it comes."""

    def __init__(self, program, admin=False, **settings):
        """admin: there is a user "root" who is one, and his key (self.key) goes with every
        request that get, post and call send."""
        argv = [program, "serve"]
        # A state of its own, and not that of who runs the tests.
        self.state = None if "database_url" in settings else tempfile.TemporaryDirectory()
        if self.state:
            settings["database_url"] = f"sqlite://{self.state.name}/vislang.db"
            settings.setdefault("object_path", f"{self.state.name}/objects")
            settings.setdefault("job_path", f"{self.state.name}/jobs")
        settings.setdefault("port", 0)
        settings.setdefault("rate_limit_per_minute", 0)  # tests are quicker than people
        settings.setdefault("login_limit_per_minute", 0)
        settings.setdefault("log_requests", "false")
        settings.setdefault("ocr_record", "none")  # and not the one of who runs the tests
        self.program, self.flags = program, []
        for name, value in settings.items():
            self.flags += ["--set", f"{name}={value}"]
        argv += self.flags
        self.key = self.make_admin() if admin else None
        self.lines = []
        self.listening = threading.Event()
        self.port = 0
        self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True,
                                        env=clean_environment())
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.listening.wait(30) or not self.port:
            self.process.kill()
            self.stop()
            raise RuntimeError(f"the service did not start (it ended with {self.process.returncode}):\n"
                               + "".join(self.lines))

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if '"listening"' in line:
                self.port = json.loads(line)["port"]
                self.listening.set()
        self.listening.set()

    def stop(self, seconds=30):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.reader.join(5)
            self.process.stderr.close()
            if self.state:
                self.state.cleanup()

    def descriptors(self):
        """Those that are open, but for connections to the database: these come as they are needed."""
        count, folder = 0, f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(folder):
            try:
                count += "vislang.db" not in os.readlink(f"{folder}/{fd}")
            except FileNotFoundError:  # closed meanwhile
                pass
        return count

    def connect(self, timeout=90):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Client(s)

    def send(self, request, timeout=90):
        """Sends raw bytes on a new connection; the first response."""
        with self.connect(timeout) as client:
            client.write(request)
            return client.response(head=request.startswith(b"HEAD "))

    def admin(self, *words, **flags):
        """`vislang admin …` on the database of this service; what it printed."""
        argv = [self.program, "admin", *words, *self.flags]
        with tempfile.NamedTemporaryFile("w") as password:
            for name, value in flags.items():
                if name == "password":
                    password.write(value + "\n")
                    password.flush()
                    name, value = "password-file", password.name
                argv += [f"--{name}", str(value)]
            done = subprocess.run(argv, capture_output=True, text=True, env=clean_environment())
            if done.returncode:
                raise AdminRefused(done.returncode, argv[:4], done.stdout, done.stderr)
            return done.stdout.strip()

    def make_admin(self):
        """A user "root" and his key; on a database that others use too they may be there."""
        try:
            self.admin("user", "create", "root", role="admin", password="correct horse battery")
        except AdminRefused as error:
            if "already" not in error.stderr:
                raise
        return self.admin("apikey", "create", "root", "tests", role="admin")

    def identified(self, headers):
        known = any(str(h).lower().startswith(("authorization:", "x-api-key:")) for h in headers)
        return headers if known or not self.key else (f"X-API-Key: {self.key}", *headers)

    def get(self, path, *headers, method="GET"):
        return self.send(request_bytes(method, path, self.identified(headers)))

    def post(self, path, fields, *headers):
        return self.send(form_request(path, fields, *self.identified(headers)))

    def call(self, method, path, body=None, *headers):
        """A request with a JSON body, or without one."""
        headers = self.identified(headers)
        data = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers = (*headers, "Content-Type: application/json", f"Content-Length: {len(data)}")
        return self.send(request_bytes(method, path, headers, data))


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Client:
    def __init__(self, s):
        self.socket, self.buffer = s, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def write(self, data):
        """Sends as much as the other side takes: it may refuse and close early."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _fill(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def _take(self, count):
        while len(self.buffer) < count:
            if not self._fill():
                raise ConnectionError(f"the connection ended within a chunk: {self.buffer[:200]}")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _chunk(self):
        """Of a chunked body; the last one is empty."""
        size = b""
        while not size.endswith(b"\r\n"):
            size += self._take(1)
        return self._take(int(size, 16) + 2)[:-2]

    def response(self, head=False):
        """The next response, or None when the connection ends without one."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                return None
        section, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = section.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        if status == 100:
            return Response(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Response(status, headers, b"".join(iter(self._chunk, b"")))
        length = 0 if head or status in (204, 304) else int(headers.get("content-length", "0"))
        while len(self.buffer) < length:
            if not self._fill():
                break
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Response(status, headers, body)

    def ended(self):
        """True when the other side closes, within the timeout, without another answer."""
        try:
            while self._fill():
                pass
        except ConnectionResetError:
            pass
        except socket.timeout:
            return False
        return b"HTTP/1.1 2" not in self.buffer


def request_bytes(method, path, headers=(), body=b"", host=b"localhost"):
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: " + host]
    lines += [h if isinstance(h, bytes) else h.encode() for h in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


BOUNDARY = "vislang-test-boundary"


def form_body(fields, boundary=BOUNDARY):
    """fields: (name, value) or (name, value, filename)."""
    out = b""
    for field in fields:
        name, value = field[0], field[1]
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if len(field) > 2:
            out += f'; filename="{field[2]}"\r\nContent-Type: application/octet-stream'.encode()
        out += b"\r\n\r\n" + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


def form_request(path, fields, *headers, boundary=BOUNDARY):
    body = form_body(fields, boundary)
    return request_bytes("POST", path,
                         (f"Content-Type: multipart/form-data; boundary={boundary}",
                          f"Content-Length: {len(body)}") + headers, body)


def png(width=64, height=48, seed=0, pad=0):
    """A real grey PNG; `pad` adds that many bytes that no decoder reads (an ancillary chunk)."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + bytes((255 - (seed + x * y) % 7 for x in range(width)))
                    for y in range(height))
    out = b"\x89PNG\r\n\x1a\n"
    out += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    out += chunk(b"tEXt", b"Seed\0" + str(seed).encode())
    if pad:
        out += chunk(b"prVt", os.urandom(pad))
    return out + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
