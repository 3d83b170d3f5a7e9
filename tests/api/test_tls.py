"""The service under TLS: versions, certificates that are replaced, and every attack of
test_serve.py once more through a TLS connection.

usage: test_tls.py PROGRAM [unittest options]
(the vislang program; certificates are made with the program openssl)"""
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server as plain
import test_serve
from server import BOUNDARY, Client, form_request, png, request_bytes, wait_until

FOLDER = tempfile.TemporaryDirectory()
RSA, EC = ("rsa:2048",), ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def make_pair(name, kind=EC, days="2"):
    """A self-signed certificate for localhost; (certificate, key) paths."""
    certificate, key = (os.path.join(FOLDER.name, name + end) for end in (".pem", ".key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", days,
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def serial_of(path):
    with open(path, encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


class TlsClient(Client):
    """What TLS says of a broken connection is said as a socket would."""

    def write(self, data):
        try:
            return super().write(data)
        except ssl.SSLError:
            return False

    def _fill(self):
        try:
            return super()._fill()
        except ssl.SSLError as error:
            raise ConnectionResetError(str(error)) from error


class TlsServer(plain.Server):
    """The same service, spoken to through TLS."""
    pair = None

    def __init__(self, program, **settings):
        certificate, key = settings.pop("pair", None) or type(self).pair
        super().__init__(program, tls_certificate=certificate, tls_key=key, **settings)
        self.context = ssl.create_default_context(cafile=certificate)

    def connect(self, timeout=90, context=None):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return TlsClient((context or self.context).wrap_socket(s, server_hostname="localhost"))
        except (ssl.SSLError, OSError):
            s.close()
            raise

    def said(self, text):
        return wait_until(lambda: any(text in line for line in self.lines))


def unverified(minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = minimum, maximum
    return context


class Routes(test_serve.Routes):
    def test_hsts(self):
        r = self.server.get("/health")
        self.assertEqual(r.headers["strict-transport-security"], "max-age=31536000")

    def test_the_log_says_so(self):
        self.assertTrue(any('"listening"' in line and '"tls":true' in line
                            for line in self.server.lines))


class Answers(test_serve.Answers):
    def test_a_large_answer_arrives_whole(self):
        r = self.server.get("/openapi.json")
        self.assertEqual(len(r.body), int(r.headers["content-length"]))
        self.assertGreater(len(r.body), 16384, "more than one record of TLS")


class Attacks(test_serve.Attacks):
    """Folded headers, bare line ends and early refusals are found behind TLS too."""


class Limits(test_serve.Limits):
    pass


class Versions(unittest.TestCase):
    only_12 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)

    def test_default_is_13_alone(self):
        server = TlsServer(PROGRAM)
        try:
            with server.connect(15) as c:
                self.assertEqual(c.socket.version(), "TLSv1.3")
            with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                server.connect(15, unverified(*self.only_12))
            self.assertEqual(server.get("/health").status, 200)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_12_when_it_is_set(self):
        server = TlsServer(PROGRAM, pair=make_pair("old", RSA), tls_min_version="1.2")
        try:
            with server.connect(15, unverified(*self.only_12)) as c:
                self.assertEqual(c.socket.version(), "TLSv1.2")
                self.assertRegex(c.socket.cipher()[0], "^ECDHE-RSA-(AES...-GCM|CHACHA20)")
                c.write(request_bytes("GET", "/health"))
                self.assertEqual(c.response().status, 200)
            with server.connect(15) as c:
                self.assertEqual(c.socket.version(), "TLSv1.3")
            weak = unverified(*self.only_12)
            weak.set_ciphers("AES128-SHA256:ECDHE-RSA-AES128-SHA256:AES128-GCM-SHA256:@SECLEVEL=0")
            with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                server.connect(15, weak)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_alpn(self):
        server = TlsServer(PROGRAM)
        try:
            server.context.set_alpn_protocols(["h2", "http/1.1"])
            with server.connect(15) as c:
                self.assertEqual(c.socket.selected_alpn_protocol(), "http/1.1")
        finally:
            self.assertEqual(server.stop(), 0)


class Reload(unittest.TestCase):
    """What stands in the two files is replaced, as an ACME client does it, then SIGHUP."""

    def setUp(self):
        self.files = tuple(os.path.join(FOLDER.name, name) for name in ("now.pem", "now.key"))
        self.first, self.second = make_pair("first"), make_pair("second", RSA)
        self.install(self.first)
        self.server = TlsServer(PROGRAM, pair=self.files)

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0)

    def install(self, pair):
        for source, target in zip(pair, self.files):
            with open(source, "rb") as file, open(target + ".new", "wb") as out:
                out.write(file.read())
            os.replace(target + ".new", target)

    def served(self):
        with self.server.connect(15, unverified()) as c:
            return c.socket.getpeercert(binary_form=True)

    def reload(self):
        """Sends SIGHUP; the line of the log that answers it."""
        before = len(self.server.lines)
        self.server.process.send_signal(signal.SIGHUP)

        def answer():
            return [line for line in self.server.lines[before:] if "reloaded" in line]
        self.assertTrue(wait_until(answer))
        return answer()[0]

    def test_new_certificate_while_a_connection_goes_on(self):
        self.assertEqual(self.served(), serial_of(self.first[0]))
        with self.server.connect() as kept:
            kept.write(request_bytes("GET", "/health"))
            self.assertEqual(kept.response().status, 200)
            self.install(self.second)
            self.assertIn('"info"', self.reload())
            self.assertEqual(self.served(), serial_of(self.second[0]))
            kept.write(request_bytes("GET", "/health"))
            self.assertEqual(kept.response().status, 200, "the open connection is not disturbed")
            self.assertEqual(kept.socket.getpeercert(binary_form=True), serial_of(self.first[0]))

    def test_a_handshake_that_began_before(self):
        """The pair of its first byte is used and is still there at its last."""
        s = socket.create_connection(("127.0.0.1", self.server.port), timeout=15)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = unverified().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        s.sendall(hello[:40])
        with self.server.connect() as c:  # what was sent before has been taken
            c.write(request_bytes("GET", "/health"))
            self.assertEqual(c.response().status, 200)
        self.install(self.second)
        self.reload()
        s.sendall(hello[40:])
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(s.recv(65536))
        self.assertEqual(tls.getpeercert(binary_form=True), serial_of(self.first[0]))
        s.close()

    def test_what_is_broken_is_not_taken(self):
        for certificate, key, why in ((self.second[0], self.first[1], "is not that of the certificate"),
                                      ("/dev/null", self.second[1], "is empty"),
                                      (self.second[0], "/dev/null", "is empty"),
                                      (self.second[1], self.second[1], "holds no certificate"),
                                      (self.second[0], self.second[0], "holds no private key")):
            self.install((certificate, key))
            line = self.reload()
            self.assertIn('"error"', line)
            self.assertIn(why, line)
            self.assertEqual(self.served(), serial_of(self.first[0]), why)
        os.unlink(self.files[0])
        self.assertIn("now.pem", self.reload())
        self.assertEqual(self.served(), serial_of(self.first[0]))
        self.install(self.second)
        self.assertIn('"info"', self.reload())
        self.assertEqual(self.served(), serial_of(self.second[0]))

    def test_many_times_under_load(self):
        descriptors = self.server.descriptors()
        for i in range(20):
            self.install((self.first, self.second)[i % 2])
            with self.server.connect(15, unverified()) as c:
                self.reload()
                c.write(request_bytes("GET", "/health"))
                self.assertEqual(c.response().status, 200)
        self.assertTrue(wait_until(lambda: self.server.descriptors() <= descriptors + 1))


class Start(unittest.TestCase):
    def refused(self, code, why, **settings):
        argv = [PROGRAM, "serve", "--set", "database_url=sqlite:" + FOLDER.name + "/start.db"]
        for name, value in settings.items():
            argv += ["--set", f"{name}={value}"]
        result = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(why, result.stderr)

    def test_what_does_not_fit_does_not_start(self):
        certificate, key = make_pair("one")
        _, other = make_pair("other", RSA)
        _, locked = make_pair("locked")
        subprocess.run(["openssl", "pkcs8", "-topk8", "-in", locked, "-out", locked + ".enc",
                        "-passout", "pass:secret"], check=True, capture_output=True)
        self.refused(3, "is not that of the certificate", tls_certificate=certificate, tls_key=other)
        self.refused(2, "tls_certificate is set without tls_key", tls_certificate=certificate)
        self.refused(2, "tls_key is set without tls_certificate", tls_key=key)
        self.refused(3, "holds no certificate", tls_certificate=key, tls_key=key)
        self.refused(3, "without a password", tls_certificate=certificate, tls_key=locked + ".enc")
        self.refused(2, "neither 1.3 nor 1.2", tls_min_version="1.1", tls_certificate=certificate,
                     tls_key=key)
        self.refused(3, "open.none", tls_certificate=FOLDER.name + "/open.none", tls_key=key)

    def test_a_key_for_all_to_read_is_told(self):
        certificate, key = make_pair("open")
        os.chmod(key, 0o644)
        server = TlsServer(PROGRAM, pair=(certificate, key))
        try:
            self.assertTrue(server.said("everybody on this machine may read the TLS key"))
        finally:
            self.assertEqual(server.stop(), 0)

    def test_hangup_without_tls_drains(self):
        server = plain.Server(PROGRAM)
        server.process.send_signal(signal.SIGHUP)
        self.assertEqual(server.process.wait(30), 0)
        self.assertEqual(server.stop(), 0)


class Handshakes(unittest.TestCase):
    def setUp(self):
        self.server = TlsServer(PROGRAM, connection_timeout=2)
        self.descriptors = self.server.descriptors()

    def tearDown(self):
        self.assertEqual(self.server.get("/health").status, 200)
        self.assertTrue(wait_until(lambda: self.server.descriptors() <= self.descriptors + 1))
        self.assertEqual(self.server.stop(), 0)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=30)

    def drain(self, s):
        """Everything until the other side ends."""
        got = b""
        try:
            while piece := s.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
        return got

    def test_plain_http_is_no_handshake(self):
        for data in (request_bytes("GET", "/health"), b"\0" * 500, b"\x16\x03\x01\xff\xff" + b"a" * 70000,
                     b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", os.urandom(300)):
            with self.connect() as s:
                try:
                    s.sendall(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertNotIn(b"HTTP/1.1", self.drain(s), data[:20])

    def test_slow_handshakes_are_cut_off(self):
        """Silent, and a byte at a time: neither holds its connection past its time."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with self.assertRaises(ssl.SSLWantReadError):
            unverified().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        hello = outgoing.read()
        with self.connect() as silent, self.connect() as slow:
            start = time.monotonic()
            for i in range(len(hello) - 1):
                try:
                    slow.sendall(hello[i:i + 1])
                except (BrokenPipeError, ConnectionResetError):
                    break
                time.sleep(0.25)
                if time.monotonic() - start > 15:
                    break
            self.drain(silent)
            self.drain(slow)
            self.assertLess(time.monotonic() - start, 12)

    def test_clients_that_leave(self):
        request = form_request("/predict", [("file", png(seed=12, pad=1 << 20), "a.png")])
        for at in (10, 150, 400, len(request) // 2, len(request)):
            c = self.server.connect()
            c.write(request[:at])
            if at % 3:
                c.socket.unwrap = None
                os.close(c.socket.detach())  # without a word
            else:
                c.__exit__()
        self.assertEqual(self.server.get("/health").status, 200)

    def test_refused_while_the_body_comes(self):
        """More is sent than the socket takes in before the refusal is read."""
        body = b"just some text " * 10000
        with self.server.connect(15) as c:
            head = request_bytes("POST", "/predict", (
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
                "Content-Length: 50000000"))
            c.write(head + plain.form_body([("file", body, "a.png")]))
            r = c.response()
            self.assertEqual(r.status, 415)
            self.assertTrue(c.ended())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = test_serve.PROGRAM = sys.argv.pop(1)
    test_serve.Server = TlsServer
    TlsServer.pair = make_pair("localhost")
    result = unittest.main(exit=False).result
    FOLDER.cleanup()
    print(f"tls tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
