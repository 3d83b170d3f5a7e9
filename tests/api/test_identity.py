"""Who may call what: keys, tokens, roles, over raw sockets.

usage: test_identity.py PROGRAM [unittest options]"""
import os
import subprocess
import sys
import tempfile
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


class Limits(Case):
    """How often, and from where."""

    def ask(self, server, *headers, path="/models"):
        return server.send(request_bytes("GET", path, headers))

    def test_an_address(self):
        server = self.serve(authentication="required", rate_limit_per_minute=6, admin=True)
        key = f"X-API-Key: {server.key}"
        for left in (5, 4, 3, 2, 1, 0):
            r = self.ask(server, key)
            self.assertEqual((r.status, r.headers["ratelimit-limit"], r.headers["ratelimit-remaining"]),
                             (200, "6", str(left)))
            self.assertLessEqual(int(r.headers["ratelimit-reset"]), 60)
        r = self.ask(server, key)
        self.check_problem(r, 429)
        self.assertIn(int(r.headers["retry-after"]), range(1, 11))
        self.assertEqual(r.headers["ratelimit-remaining"], "0")
        self.check_problem(self.ask(server), 429)  # before it is asked who it is
        self.check_problem(self.ask(server, "X-API-Key: vl_00000000_x"), 429)
        for path in ("/health", "/ready", "/openapi.json", "/"):
            r = self.ask(server, path=path)
            self.assertEqual(r.status, 200, path)
            self.assertNotIn("ratelimit-limit", r.headers)

    def test_a_laptop_is_not_limited(self):
        server = self.serve(rate_limit_per_minute=3)
        for _ in range(10):
            r = self.ask(server)
            self.assertEqual(r.status, 200)
            self.assertNotIn("ratelimit-limit", r.headers)

    def test_users_keys_and_everybody(self):
        for setting, first, second in (("rate_limit_per_user", 429, 200), ("rate_limit_per_key", 429, 200),
                                       ("rate_limit_global", 429, 429)):
            server = self.serve(admin=True, **{setting: 3})
            server.admin("user", "create", "amina", role="viewer", password=PASSWORD)
            own = [server.admin("apikey", "create", "root", f"k{i}", role="viewer") for i in range(2)]
            other = server.admin("apikey", "create", "amina", "k", role="viewer")
            for _ in range(3):
                self.assertEqual(self.ask(server, f"X-API-Key: {own[0]}").status, 200)
            self.assertEqual(self.ask(server, f"X-API-Key: {own[0]}").status, first, setting)
            again = self.ask(server, f"X-API-Key: {own[1]}").status
            self.assertEqual(again, 200 if setting == "rate_limit_per_key" else 429, setting)
            self.assertEqual(self.ask(server, f"X-API-Key: {other}").status, second, setting)

    def test_burst(self):
        server = self.serve(admin=True, rate_limit_per_minute=6000, rate_limit_burst=2)
        r = self.ask(server, f"X-API-Key: {server.key}")
        self.assertEqual((r.headers["ratelimit-limit"], r.headers["ratelimit-remaining"]), ("2", "1"))

    def test_forwarded_for(self):
        """This machine is the proxy. Whatever a client claims stands left of what a proxy adds."""
        for trusted, headers, same in (
                ("127.0.0.1", ["X-Forwarded-For: 198.51.100.{}"], False),
                ("127.0.0.1,10.0.0.0/8", ["X-Forwarded-For: 198.51.100.{}, 10.1.2.3"], False),
                ("127.0.0.1", ["X-Forwarded-For: 198.51.100.{}, 192.0.2.1"], True),
                ("127.0.0.1", ["X-Forwarded-For: 198.51.100.{}", "X-Forwarded-For: 192.0.2.1"], True),
                ("127.0.0.1", ["X-Forwarded-For: 127.0.0.1, 198.51.100.{}, 192.0.2.1"], True),
                ("127.0.0.1", ["X-Real-IP: 198.51.100.{}", "Forwarded: for=198.51.100.{}"], True),
                ("127.0.0.1", ["X-Forwarded-For: 2001:db8::{}"], True),  # one /64
                ("127.0.0.1", ["X-Forwarded-For: 2001:db8:0:{}::1"], False),
                ("10.0.0.0/8", ["X-Forwarded-For: 198.51.100.{}"], True),
                ("", ["X-Forwarded-For: 198.51.100.{}"], True)):
            server = Server(PROGRAM, authentication="required", rate_limit_per_minute=4,
                            trusted_proxies=trusted)
            statuses = [self.ask(server, *[h.format(i) for h in headers]).status for i in range(1, 9)]
            self.assertEqual(server.stop(), 0)
            self.assertEqual(statuses, [401] * 4 + [429] * 4 if same else [401] * 8, (trusted, headers))

    def test_allow_list(self):
        server = self.serve(ip_allowlist="192.0.2.0/24,2001:db8::/32", trusted_proxies="127.0.0.1")
        for forwarded, status in (("192.0.2.9", 200), ("2001:db8::9", 200), ("198.51.100.1", 403),
                                  ("192.0.2.9, 198.51.100.1", 403), ("198.51.100.1, 192.0.2.9", 200),
                                  ("nonsense", 403)):
            for path in ("/models", "/health"):
                r = self.ask(server, f"X-Forwarded-For: {forwarded}", path=path)
                self.assertEqual(r.status, status, forwarded)
        self.check_problem(self.ask(server), 403)
        self.check_problem(self.ask(server, path="/nothing"), 403)

    def test_wrong_lists_do_not_start(self):
        for setting in ("trusted_proxies", "ip_allowlist"):
            for wrong in ("10.0.0.1/8", "example.org", "10.0.0.0/33"):
                with self.assertRaises(RuntimeError) as caught:
                    Server(PROGRAM, **{setting: wrong})
                self.assertIn(setting, str(caught.exception))

    def test_the_log_names_the_client(self):
        server = self.serve(trusted_proxies="127.0.0.1", log_requests="true", admin=True)
        server.get("/models", "X-Forwarded-For: 192.0.2.77")
        self.assertTrue(wait_until(lambda: any('"client":"192.0.2.77"' in line for line in server.lines)))
        line = next(line for line in server.lines if "192.0.2.77" in line)
        self.assertIn('"caller":"key:vl_', line)
        self.assertNotIn(server.key, "".join(server.lines))

    @unittest.skipUnless(os.environ.get("VISLANG_TEST_REDIS"), "needs a Redis (tests/redis/with-redis.sh)")
    def test_two_processes_share_a_redis(self):
        """Asked in turn and at once, both together give what one alone would."""
        settings = {"admin": True, "rate_limit_per_minute": 20, "redis_url": os.environ["VISLANG_TEST_REDIS"]}
        with tempfile.TemporaryDirectory() as folder:
            settings["database_url"] = f"sqlite://{folder}/shared.db"
            first = Server(PROGRAM, **settings)
            second = Server(PROGRAM, **settings)
            try:
                key = f"X-API-Key: {first.key}"
                left = [int(self.ask(s, key).headers["ratelimit-remaining"])
                        for s in (first, second, first, second)]
                self.assertEqual(left, [19, 18, 17, 16])
                statuses = []

                def ask(server):
                    for _ in range(15):
                        statuses.append(self.ask(server, key).status)
                threads = [threading.Thread(target=ask, args=(s,)) for s in (first, second)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
                allowed = statuses.count(200)
                self.assertEqual(allowed + statuses.count(429), 30)
                self.assertIn(allowed, range(16, 19))  # 16, and what came back meanwhile
                control = os.environ["VISLANG_TEST_REDIS_CTL"]
                subprocess.run([control, "stop"], check=True)
                try:  # without it each counts for itself, and nobody waits
                    self.assertEqual([self.ask(s, key).status for s in (first, second) for _ in range(3)],
                                     [200] * 6)
                finally:
                    subprocess.run([control, "start"], check=True)
            finally:
                self.assertEqual([first.stop(), second.stop()], [0, 0])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"api tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
