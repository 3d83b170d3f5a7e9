"""Who may call what: keys, tokens, roles, over raw sockets.

usage: test_identity.py PROGRAM [unittest options]"""
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import (BOUNDARY, Server, form_body, form_request, png, request_bytes, wait_until)

PROGRAM = None
ROLES = ["viewer", "annotator", "operator", "admin"]
PASSWORD = "correct horse battery"


def counter(server, name, **labels):
    wanted = name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "")
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith(wanted + " "):
            return float(line.rsplit(" ", 1)[1])
    return None


class Case(unittest.TestCase):
    def serve(self, **settings):
        server = Server(PROGRAM, **settings)
        self.addCleanup(lambda: self.assertEqual(server.stop(), 0, server.lines[-20:]))
        return server

    def check_problem(self, response, status, what=""):
        self.assertIsNotNone(response, f"no response to {what!r}")
        self.assertEqual(response.status, status, f"{what!r}: {response}")
        self.assertEqual(response.headers["content-type"], "application/problem+json", what)
        problem = response.json()
        self.assertEqual(problem["status"], status)
        self.assertEqual("www-authenticate" in response.headers, status == 401, what)


class Keys(Case):
    def setUp(self):
        self.server = self.serve(admin=True)

    def key(self, role, user="root"):
        return self.server.admin("apikey", "create", user, role, role=role)

    def test_what_is_shown(self):
        key = self.key("viewer")
        for headers, status in (
                (["X-API-Key: " + key], 200),
                (["Authorization: Bearer " + key], 200),
                (["authorization: bearer  " + key], 200),
                (["X-API-Key: "], 401),
                (["X-API-Key: " + key[:-1]], 401),
                (["X-API-Key: " + key + "x"], 401),
                (["X-API-Key: " + key.replace("vl_", "vk_")], 401),
                (["X-API-Key: " + "a" * 5000], 401),
                (["Authorization: Basic cm9vdDpyb290"], 401),
                (["Authorization: Bearer"], 401),
                (["Authorization: Bearer "], 401),
                (["Authorization: Bearer a.b.c"], 401),
                (["Authorization: " + key], 401),
                (["X-API-Key: " + key, "Authorization: Bearer " + key], 401),
                (["X-API-Key: " + key, "X-API-Key: " + key], 400),
                (["Authorization: Bearer " + key, "Authorization: Bearer x"], 400)):
            for _ in range(2):  # asked for, and remembered
                r = self.server.send(request_bytes("GET", "/models", headers))
                self.assertEqual(r.status, status, headers)
                if status != 200:
                    self.check_problem(r, status, headers)

    def test_nothing_is_shown(self):
        r = self.server.send(request_bytes("GET", "/models"))
        self.check_problem(r, 401)
        self.assertEqual(r.headers["www-authenticate"], 'Bearer realm="vislang"')
        r = self.server.send(request_bytes("GET", "/models", ["X-API-Key: vl_00000000_x"]))
        self.assertIn('error="invalid_token"', r.headers["www-authenticate"])
        self.assertEqual(counter(self.server, "vislang_auth_failures_total", reason="missing"), 1)
        self.assertEqual(counter(self.server, "vislang_auth_failures_total", reason="key"), 1)

    def test_every_route_by_role(self):
        """Made from the description of the service, so that no route is forgotten."""
        keys = {None: None, **{role: self.key(role) for role in ROLES}}
        paths = self.server.get("/openapi.json").json()["paths"]
        checked = 0
        for path, item in paths.items():
            path = path.replace("{file}", "app.js").replace("{id}", "999999")
            for method, operation in item.items():
                self.assertIn("security", operation, path)
                least = operation.get("x-role")
                self.assertEqual(least is None, operation["security"] == [], path)
                for role, key in keys.items():
                    # A proxy speaks for others also on this machine.
                    headers = ["Via: 1.1 test"] + ([f"X-API-Key: {key}"] if key else [])
                    if method in ("post", "put", "patch"):
                        headers += ["Content-Type: application/json", "Content-Length: 2"]
                    r = self.server.send(request_bytes(method.upper(), path, headers,
                                                       b"{}" if len(headers) > 2 else b""))
                    checked += 1
                    what = f"{method} {path} as {role}: {r}"
                    if least is None:
                        self.assertNotIn(r.status, (403,), what)
                    elif role is None:
                        self.check_problem(r, 401, what)
                    elif ROLES.index(role) < ROLES.index(least):
                        self.check_problem(r, 403, what)
                        self.assertIn(least, r.json()["detail"])
                    else:
                        self.assertNotIn(r.status, (401, 403), what)
        self.assertGreaterEqual(checked, 80)

    def test_a_key_may_no_more_than_its_user(self):
        self.server.admin("user", "create", "amina", role="annotator", password=PASSWORD)
        key = self.key("annotator", "amina")
        self.assertEqual(self.server.get("/models", f"X-API-Key: {key}").status, 200)
        self.server.admin("user", "disable", "amina")
        wait_until(lambda: self.server.get("/models", f"X-API-Key: {key}").status == 401)
        self.check_problem(self.server.get("/models", f"X-API-Key: {key}"), 401)

    def test_a_revoked_key_ends_within_seconds(self):
        key = self.key("viewer")
        self.assertEqual(self.server.get("/models", f"X-API-Key: {key}").status, 200)
        self.server.admin("apikey", "revoke", "2")
        self.assertTrue(wait_until(
            lambda: self.server.get("/models", f"X-API-Key: {key}").status == 401, 8))

    def test_metrics_from_this_machine(self):
        self.assertEqual(self.server.send(request_bytes("GET", "/metrics")).status, 200)
        for header in ("X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "Via: 1.1 a"):
            self.check_problem(self.server.send(request_bytes("GET", "/metrics", [header])), 401)
        viewer = self.key("viewer")
        r = self.server.get("/metrics", f"X-API-Key: {viewer}", "Via: 1.1 a")
        self.assertEqual(r.status, 200)

    def test_a_body_is_not_taken_from_strangers(self):
        body = form_body([("file", png(seed=1), "a.png")])
        head = [f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
                f"Content-Length: {len(body)}", "Expect: 100-continue"]
        for shown, first in (([], 401), (["X-API-Key: vl_00000000_nobody"], 401),
                             (["X-API-Key: " + self.key("viewer")], 100)):
            with self.server.connect() as c:
                c.write(request_bytes("POST", "/api/v1/ocr", head + shown))
                r = c.response()
                self.assertEqual(r.status, first, shown)
                if first == 100:
                    c.write(body)
                    self.assertEqual(c.response().status, 200)

    def test_a_body_that_comes_at_once(self):
        """Refused before it was read, large or small, and the service lives on."""
        large = form_request("/api/v1/ocr", [("file", png(seed=2, pad=3 << 20), "a.png")],
                             "X-API-Key: vl_00000000_nobody")
        for _ in range(3):
            self.check_problem(self.server.send(large), 401)
            self.check_problem(self.server.send(form_request("/api/v1/ocr", [("file", b"x", "a")])), 401)
        good = self.server.post("/api/v1/ocr", [("file", png(seed=3), "a.png")])
        self.assertEqual(good.status, 200)

    def test_connections_live_on(self):
        key = self.key("viewer")
        with self.server.connect() as c:
            for headers, status in (([], 401), (["X-API-Key: " + key], 200), ([], 401),
                                    (["X-API-Key: vl_00000000_y"], 401),
                                    (["X-API-Key: " + key], 200)):
                c.write(request_bytes("GET", "/models", headers))
                self.assertEqual(c.response().status, status)
            c.write(request_bytes("GET", "/models", ["X-API-Key: " + key]) * 20)
            self.assertEqual([c.response().status for _ in range(20)], [200] * 20)

    def test_many_at_once(self):
        keys = [self.key("viewer") for _ in range(4)]
        bad = []

        def ask(key, status):
            with self.server.connect() as c:
                for _ in range(50):
                    c.write(request_bytes("GET", "/models", ["X-API-Key: " + key]))
                    if c.response().status != status:
                        bad.append(key)
        threads = [threading.Thread(target=ask, args=(k, 200)) for k in keys * 3]
        threads += [threading.Thread(target=ask, args=(f"vl_0000000{i}_no", 401)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(bad, [])


class Asking(Case):
    """The setting authentication."""

    def test_a_laptop_is_not_asked(self):
        server = self.serve()
        self.assertEqual(server.get("/models").status, 200)
        self.assertEqual(server.post("/predict", [("file", png(seed=4), "a.png")]).status, 200)
        self.check_problem(server.get("/models", "X-API-Key: vl_00000000_wrong"), 401)

    def test_required(self):
        server = self.serve(authentication="required")
        self.check_problem(server.get("/models"), 401)
        self.assertEqual(server.get("/health").status, 200)

    def test_an_open_address_asks(self):
        server = self.serve(host="0.0.0.0")
        self.check_problem(server.get("/models"), 401)

    def test_off(self):
        server = self.serve(host="0.0.0.0", authentication="off")
        self.assertEqual(server.get("/models").status, 200)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"api tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
