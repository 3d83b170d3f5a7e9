"""Who may call what: keys, tokens, roles, over raw sockets.

usage: test_identity.py PROGRAM [unittest options]"""
import base64
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
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
                    if "requestBody" in operation:
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
            lambda: self.server.get("/models", f"X-API-Key: {key}").status == 401, 8), self.server.lines)

    def test_the_shell_beside_the_service(self):
        """A program that opens and leaves the database pulls nothing away under the service."""
        for turn in range(10):  # several connections, opened at once
            threads = [threading.Thread(target=self.server.get, args=(
                "/models", f"X-API-Key: vl_{turn * 8 + i:08d}_no")) for i in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        key = self.key("viewer")
        folder = f"/proc/{self.server.process.pid}/fd"
        files = [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
        self.assertEqual([f for f in files if "deleted" in f and "vislang.db" in f], [])
        self.assertEqual(self.server.get("/models", f"X-API-Key: {key}").status, 200)

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
        self.assertEqual(bad, [], [line for line in self.server.lines if "checked" in line])


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
        for settings in ({"host": "0.0.0.0"}, {"trusted_proxies": "127.0.0.1"}):
            server = self.serve(**settings)
            self.check_problem(server.get("/models"), 401)

    def test_off(self):
        server = self.serve(host="0.0.0.0", authentication="off")
        self.assertEqual(server.get("/models").status, 200)


class Accounts(Case):
    """Logging in and out; users, keys and the audit trail by their routes."""

    def setUp(self):
        self.server = self.serve(admin=True)

    def log_in(self, name="root", password=PASSWORD):
        return self.server.call("POST", "/auth/token", {"username": name, "password": password})

    def models(self, token):
        return self.server.get("/models", f"Authorization: Bearer {token}")

    def actions(self):
        entries = self.server.get("/admin/audit?limit=1000").json()["entries"]
        return [(e["action"], e["actor"], e["subject"]) for e in entries]

    def test_a_login(self):
        tokens = self.log_in().json()
        self.assertEqual((tokens["token_type"], tokens["expires_in"], tokens["user"], tokens["role"]),
                         ("Bearer", 900, "root", "admin"))
        self.assertEqual(self.models(tokens["access_token"]).status, 200)
        self.assertIn(("login", "user:root", ""), self.actions())
        head, payload, signature = tokens["access_token"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        self.assertEqual(claims["exp"] - claims["iat"], 900)
        other = base64.urlsafe_b64encode(json.dumps({**claims, "role": "admin", "sub": "2"}).encode())
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        for forged in (f"{head}.{other.rstrip(b'=').decode()}.{signature}", f"{none}.{payload}.",
                       f"{none}.{payload}.{signature}", f"{head}.{payload}.", f"{head}.{payload}",
                       tokens["access_token"][:-4] + "AAAA", tokens["refresh_token"]):
            self.check_problem(self.models(forged), 401, forged)

    def test_refusals_all_sound_the_same(self):
        wrong = self.log_in(password="wrong horse battery")
        unknown = self.log_in(name="nobody")
        self.check_problem(wrong, 401)
        self.assertEqual(wrong.json()["detail"], unknown.json()["detail"])
        self.assertEqual(counter(self.server, "vislang_auth_failures_total", reason="password"), 2)

    def test_bodies(self):
        for body, status in ((b"", 400), (b"[]", 400), (b"{}", 400), (b"nonsense", 400),
                             (b'{"username":"root"}', 400), (b'{"username":"root","password":7}', 400),
                             (b'{"username":"root","password":"' + b"a" * 2000 + b'"}', 400),
                             (b'{"username":"root","password":"x","role":"admin"}', 400),
                             (b'{"username":"root","password":"%s","password":"x"}' % PASSWORD.encode(), 400),
                             (b'{"username":"root","password":"%s\\u0000x"}' % PASSWORD.encode(), 400),
                             (b'{"username":"root","password":"%s"}\0' % PASSWORD.encode(), 400),
                             (b" " * 70000, 413)):
            r = self.server.send(request_bytes("POST", "/auth/token", [
                "Content-Type: application/json", f"Content-Length: {len(body)}"], body))
            self.check_problem(r, status, body[:60])

    def test_a_lock_out(self):
        self.server.admin("user", "create", "amina", role="viewer", password=PASSWORD)
        for _ in range(6):
            self.check_problem(self.log_in("amina", "not the password"), 401)
        self.check_problem(self.log_in("amina"), 401)  # the right one, too late
        users = {u["name"]: u for u in self.server.get("/admin/users").json()["users"]}
        self.assertEqual((users["amina"]["locked"], users["root"]["locked"]), (True, False))
        self.assertEqual(self.log_in().status, 200)

    def test_refresh_tokens_are_good_once(self):
        first = self.log_in().json()
        refresh = lambda token: self.server.call("POST", "/auth/refresh", {"refresh_token": token})
        second = refresh(first["refresh_token"])
        self.assertEqual(second.status, 200)
        second = second.json()
        self.assertEqual(self.models(second["access_token"]).status, 200)
        self.check_problem(refresh(first["refresh_token"]), 401)  # stolen: all of it ends
        self.check_problem(refresh(second["refresh_token"]), 401)
        self.check_problem(self.models(second["access_token"]), 401)
        self.assertEqual(counter(self.server, "vislang_auth_failures_total", reason="reused"), 1)
        self.check_problem(refresh("A" * 43), 401)

    def test_logging_out(self):
        tokens, other = self.log_in().json(), self.log_in().json()
        self.assertEqual(self.models(tokens["access_token"]).status, 200)
        for token in (tokens["refresh_token"], tokens["refresh_token"], "unknown"):
            r = self.server.call("POST", "/auth/revoke", {"refresh_token": token})
            self.assertEqual((r.status, r.json()), (200, {"revoked": True}))
        self.check_problem(self.server.call("POST", "/auth/refresh",
                                            {"refresh_token": tokens["refresh_token"]}), 401)
        self.check_problem(self.models(tokens["access_token"]), 401)  # at once
        self.assertEqual(self.models(other["access_token"]).status, 200)
        self.assertEqual([a for a in self.actions() if a[0] == "logout"], [("logout", "user:root", "")])

    def test_users(self):
        call = self.server.call
        made = call("POST", "/admin/users", {"name": "amina", "password": PASSWORD, "role": "annotator"})
        self.assertEqual((made.status, made.json()["role"]), (201, "annotator"))
        path = f"/admin/users/{made.json()['id']}"
        for body, status in (({"name": "amina", "password": PASSWORD}, 409), ({"name": "b"}, 400),
                             ({"name": "B d", "password": PASSWORD}, 422), ({"name": "b", "password": "x"}, 422),
                             ({"name": "b", "password": PASSWORD, "role": "root"}, 400),
                             ({"name": "b", "password": PASSWORD, "disabled": False}, 400),
                             ({"name": "b", "password": PASSWORD, "id": 1}, 400)):
            self.check_problem(call("POST", "/admin/users", body), status, body)
        tokens = self.log_in("amina").json()
        self.assertEqual(self.models(tokens["access_token"]).status, 200)
        self.assertEqual(call("PATCH", path, {"role": "viewer"}).json()["role"], "viewer")
        self.check_problem(self.models(tokens["access_token"]), 401)  # at once
        self.assertEqual(call("PATCH", path, {"password": "another horse battery"}).status, 200)
        self.check_problem(self.log_in("amina"), 401)
        self.assertEqual(self.log_in("amina", "another horse battery").status, 200)
        self.assertEqual(call("PATCH", path, {"disabled": True}).json()["disabled"], True)
        self.check_problem(self.log_in("amina", "another horse battery"), 401)
        for body, status in (({}, 400), ({"role": "viewer", "disabled": False}, 400), ({"name": "x"}, 400),
                             ({"disabled": "no"}, 400), ({"password": "x"}, 422), ({"role": None}, 400)):
            self.check_problem(call("PATCH", path, body), status, body)
        self.assertEqual(call("DELETE", path).json()["gone"], True)
        self.check_problem(call("DELETE", path), 404)
        for wrong in ("/admin/users/0", "/admin/users/x", "/admin/users/99999999999999999999"):
            self.check_problem(call("DELETE", wrong), 404)
        self.check_problem(call("DELETE", "/admin/users/1"), 409)  # the last admin
        self.check_problem(call("PATCH", "/admin/users/1", {"role": "viewer"}), 409)
        self.check_problem(call("PATCH", "/admin/users/1", {"disabled": True}), 409)
        actions = [a for a in self.actions() if a[2] == "user:amina" and a[0] != "auth.refused"]
        self.assertEqual([a[0] for a in actions], ["user.create", "user.role", "user.password",
                                                   "user.disable", "user.delete"])
        self.assertTrue(all(a[1].startswith("key:vl_") for a in actions))

    def test_keys(self):
        call = self.server.call
        made = call("POST", "/admin/users/1/keys", {"name": "laptop", "scopes": "operator", "expires_in": 3600})
        key = made.json()["key"]
        self.assertEqual((made.status, made.json()["scopes"], key[:3]), (201, "operator", "vl_"))
        self.assertEqual(self.server.get("/models", f"X-API-Key: {key}").status, 200)
        self.check_problem(self.server.get("/admin/users", f"X-API-Key: {key}"), 403)
        self.assertEqual(made.headers["location"], f"/admin/keys/{made.json()['id']}")
        listed = call("GET", "/admin/users/1/keys").json()["keys"]
        self.assertEqual([json.loads(line) for line in  # the shell says the same
                          self.server.admin("apikey", "list", "root", "--json").splitlines()], listed)
        self.assertEqual([json.loads(line) for line in self.server.admin("user", "list", "--json").splitlines()],
                         call("GET", "/admin/users").json()["users"])
        self.check_problem(call("POST", "/admin/users/1/keys", {"name": "x", "scope": "viewer"}), 400)
        self.assertEqual([k["name"] for k in listed], ["tests", "laptop"])
        self.assertNotIn(key, json.dumps(listed))
        for body, status in (({}, 400), ({"name": "x", "expires_in": 0}, 400), ({"name": "x", "scopes": 3}, 400),
                             ({"name": "x", "expires_in": "1h"}, 400), ({"name": "x", "user": 2}, 400)):
            self.check_problem(call("POST", "/admin/users/1/keys", body), status, body)
        self.check_problem(call("POST", "/admin/users/77/keys", {"name": "x"}), 404)
        self.server.admin("user", "create", "amina", role="viewer", password=PASSWORD)
        self.check_problem(call("POST", "/admin/users/2/keys", {"name": "x", "scopes": "admin"}), 409)
        self.assertEqual(call("DELETE", f"/admin/keys/{made.json()['id']}").status, 200)
        self.check_problem(self.server.get("/models", f"X-API-Key: {key}"), 401)  # at once
        self.assertEqual([a[2] for a in self.actions() if a[0].startswith("apikey.") and a[2] == f"key:{key[:11]}"],
                         [f"key:{key[:11]}"] * 2)  # made and revoked, under one name
        self.check_problem(call("DELETE", "/admin/keys/99"), 404)
        short = call("POST", "/admin/users/1/keys", {"name": "short", "expires_in": 1}).json()["key"]
        self.assertTrue(wait_until(
            lambda: self.server.get("/models", f"X-API-Key: {short}").status == 401, 5))

    def test_the_trail(self):
        for i in range(40):  # as many refusals are an entry or two, and none is forgotten
            self.server.get("/models", f"X-API-Key: vl_{i:08d}_wrong")
        self.log_in(password="wrong horse battery")
        counted = lambda entries: sum(json.loads(e["detail"]).get("key", 0) for e in entries
                                      if e["action"] == "auth.refused")
        self.assertTrue(wait_until(
            lambda: counted(self.server.get("/admin/audit").json()["entries"]) >= 40, 15))
        page = self.server.get("/admin/audit?limit=1").json()
        self.assertEqual(len(page["entries"]), 1)
        rest = self.server.get(f"/admin/audit?after={page['next']}").json()["entries"]
        refused = [e for e in rest if e["action"] == "auth.refused"]
        self.assertLessEqual(len(refused), 4)
        self.assertEqual({(e["address"], e["outcome"]) for e in refused}, {("127.0.0.1", "refused")})
        self.assertEqual(counted(refused), 40)
        for query in ("after=-1", "after=x", "limit=1001", "limit="):
            self.check_problem(self.server.get("/admin/audit?" + query), 400, query)
        self.assertIn("all as they were written", self.server.admin("audit", "verify"))

    def test_logins_are_limited(self):
        server = self.serve(admin=True, login_limit_per_minute=3)
        body = {"username": "root", "password": PASSWORD}
        statuses = [server.call("POST", "/auth/token", body).status for _ in range(5)]
        self.assertEqual(statuses, [200, 200, 200, 429, 429])
        self.assertEqual(server.get("/models").status, 200)

    def test_a_key_of_one_use_signs_for_two_processes(self):
        """secret_key set: a token of one process is good at another."""
        with tempfile.TemporaryDirectory() as folder:
            for settings in ({"secret_key": "0123456789abcdefghijklmnopqrstuvwxyz"},
                             {"jwt_algorithm": "EdDSA", "jwt_secret_key": base64.b64encode(bytes(range(32))).decode()}):
                settings["database_url"] = f"sqlite://{folder}/shared.db"
                first, second = Server(PROGRAM, admin=True, **settings), Server(PROGRAM, **settings)
                tokens = first.call("POST", "/auth/token", {"username": "root", "password": PASSWORD}).json()
                header = f"Authorization: Bearer {tokens['access_token']}"
                statuses = [s.get("/models", header).status for s in (first, second)]
                other = self.server.get("/models", header).status
                self.assertEqual([first.stop(), second.stop()], [0, 0])
                self.assertEqual((statuses, other), ([200, 200], 401))


class Revoked(Case):
    """What is revoked is refused: at once by the process that was told, within 5 s by all others."""

    def test_two_replicas(self):
        with tempfile.TemporaryDirectory() as folder:
            settings = {"secret_key": "0123456789abcdefghijklmnopqrstuvwxyz",
                        "database_url": os.environ.get("VISLANG_TEST_POSTGRES") or f"sqlite://{folder}/shared.db"}
            replicas = [Server(PROGRAM, admin=True, **settings), Server(PROGRAM, **settings)]
            try:
                self.revoke(*replicas)
            finally:
                self.assertEqual([s.stop() for s in replicas], [0, 0])

    def revoke(self, first, second):
        users = {u["name"]: u["id"] for u in first.call("GET", "/admin/users").json()["users"]}
        if "amina" in users:  # of a test before, in one database
            first.call("DELETE", f"/admin/users/{users['amina']}")
        user = first.call("POST", "/admin/users", {"name": "amina", "password": PASSWORD, "role": "annotator"}).json()
        made = first.call("POST", f"/admin/users/{user['id']}/keys", {"name": "ci"}).json()
        login = lambda: first.call("POST", "/auth/token", {"username": "amina", "password": PASSWORD}).json()
        out, kept = login(), login()
        bearer = lambda tokens: f"Authorization: Bearer {tokens['access_token']}"
        ways = (  # what is shown, and the call that ends it
            (f"X-API-Key: {made['key']}", ("DELETE", f"/admin/keys/{made['id']}")),
            (bearer(out), ("POST", "/auth/revoke", {"refresh_token": out["refresh_token"]})),
            (bearer(kept), ("PATCH", f"/admin/users/{user['id']}", {"disabled": True})))
        for shown, end in ways:
            for s in (first, second):  # both know it now
                self.assertEqual(s.get("/models", shown).status, 200, end)
            self.assertEqual(first.call(*end).status, 200, end)
            self.check_problem(first.get("/models", shown), 401, end)
            self.assertTrue(wait_until(lambda: second.get("/models", shown).status == 401, 6), end)
        trail = first.get("/admin/audit?limit=1000").json()["entries"]
        done = [(e["action"], e["subject"]) for e in trail]
        for entry in (("apikey.revoke", f"key:{made['prefix']}"), ("logout", ""), ("user.disable", "user:amina")):
            self.assertIn(entry, done)

    def test_while_it_is_asked_for(self):
        """An answer that the database gave before is not remembered after."""
        server = self.serve(admin=True)
        for turn in range(8):
            made = server.call("POST", "/admin/users/1/keys", {"name": f"k{turn}"}).json()
            shown, gone, late = f"X-API-Key: {made['key']}", threading.Event(), []

            def ask():
                while not gone.is_set():
                    server.get("/models", shown)
                late.append(server.get("/models", shown).status)
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for t in threads:
                t.start()
            self.assertEqual(server.call("DELETE", f"/admin/keys/{made['id']}").status, 200)
            gone.set()
            for t in threads:
                t.join()
            self.assertEqual(late, [401] * 4)


class Trouble(Case):
    def test_an_error_of_another_kind(self):
        """A database that answers, if with an error, is asked for the next caller all the same."""
        with tempfile.TemporaryDirectory() as folder:
            server = Server(PROGRAM, admin=True, database_url=f"sqlite://{folder}/a.db")
            try:
                tokens = server.call("POST", "/auth/token", {"username": "root", "password": PASSWORD}).json()
                with sqlite3.connect(f"{folder}/a.db", timeout=10) as db:
                    db.execute("ALTER TABLE api_keys RENAME TO away")
                for _ in range(3):
                    self.check_problem(server.get("/models", "X-API-Key: vl_00000000_other"), 503)
                r = server.get("/models", f"Authorization: Bearer {tokens['access_token']}")
                self.assertEqual(r.status, 200)
                with sqlite3.connect(f"{folder}/a.db", timeout=10) as db:
                    db.execute("ALTER TABLE away RENAME TO api_keys")
                self.check_problem(server.get("/models", "X-API-Key: vl_00000000_other"), 401)
            finally:
                self.assertEqual(server.stop(), 0)


class Away(Case):
    """The database is away: who was let in a moment ago still is, and nobody else."""

    @unittest.skipUnless(os.environ.get("VISLANG_TEST_POSTGRES"), "needs a PostgreSQL (tests/store/with-postgres.sh)")
    def test_postgres_stops(self):
        control = os.environ["VISLANG_TEST_PG_CTL"]
        server = self.serve(admin=True, database_url=os.environ["VISLANG_TEST_POSTGRES"],
                            secret_key="a secret of the tests, long enough")
        other = server.admin("apikey", "create", "root", "other", role="viewer")
        self.assertEqual(server.get("/models").status, 200)
        subprocess.run([control, "stop"], check=True)
        try:
            time.sleep(5.5)  # what is remembered is no longer fresh
            for _ in range(3):
                self.assertEqual(server.get("/models").status, 200)
                r = server.get("/models", f"X-API-Key: {other}")
                self.check_problem(r, 503)
                self.assertEqual(r.headers["retry-after"], "5")
            self.assertEqual(server.get("/health").status, 200)
            self.check_problem(server.call("POST", "/auth/token", {"username": "root", "password": PASSWORD}), 503)
            for r in (server.get("/admin/subjects/case-7", method="DELETE"), server.get("/api/v1/jobs"),
                      server.call("POST", "/admin/users", {"name": "nobody", "password": PASSWORD})):
                self.check_problem(r, 503)
                self.assertEqual(r.headers["retry-after"], "5")
                self.assertNotIn(".s.PGSQL", r.body.decode())  # where the database is
        finally:
            subprocess.run([control, "start"], check=True)
        self.assertTrue(wait_until(
            lambda: server.get("/models", f"X-API-Key: {other}").status == 200, 10))


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

    def test_logins_of_a_site(self):
        """Whoever has a /48 logs in no more often than who has one address."""
        server = self.serve(login_limit_per_minute=3, trusted_proxies="127.0.0.1")
        statuses = [server.call("POST", "/auth/token", {"username": "a", "password": PASSWORD},
                                f"X-Forwarded-For: 2001:db8:1:{i}::1").status for i in range(5)]
        self.assertEqual(statuses, [401] * 3 + [429] * 2)
        r = server.call("POST", "/auth/token", {"username": "a", "password": PASSWORD},
                        "X-Forwarded-For: 2001:db8:2::1")
        self.assertEqual(r.status, 401)

    def test_all_or_none(self):
        """A request that one bucket refuses takes from no other."""
        server = self.serve(admin=True, rate_limit_per_minute=100, rate_limit_per_key=2)
        key, other = (server.admin("apikey", "create", "root", name, role="viewer") for name in "ab")
        left = [self.ask(server, f"X-API-Key: {k}").headers["ratelimit-remaining"]
                for k in (key, key, key, key, key)]
        self.assertEqual(left, ["1", "0", "0", "0", "0"])
        self.check_problem(self.ask(server, f"X-API-Key: {key}"), 429)
        self.ask(server, f"X-API-Key: {other}")
        r = self.ask(server)  # the address alone: two, the first of the other, and this
        self.check_problem(r, 401)
        self.assertEqual(r.headers["ratelimit-remaining"], "96")

    def test_allow_list(self):
        server = self.serve(ip_allowlist="192.0.2.0/24,2001:db8::/32", trusted_proxies="127.0.0.1",
                            authentication="off")
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
        settings = {"admin": True, "rate_limit_per_minute": 6, "rate_limit_burst": 20, "redis_url": os.environ["VISLANG_TEST_REDIS"]}
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
                self.assertEqual({self.ask(s, key).status for s in (first, second)}, {429})
                control = os.environ["VISLANG_TEST_REDIS_CTL"]
                subprocess.run([control, "stop"], check=True)
                try:
                    # Who was held back is so until his time comes; then each counts for itself.
                    self.assertEqual({self.ask(s, key).status for s in (first, second)}, {429})
                    for s in (first, second):
                        self.assertTrue(wait_until(lambda: self.ask(s, key).status == 200, 20))
                        left = int(self.ask(s, key).headers["ratelimit-remaining"])
                        self.assertEqual(left, 18)
                finally:
                    subprocess.run([control, "start"], check=True)
            finally:
                self.assertEqual([first.stop(), second.stop()], [0, 0])


class Strict(Case):
    """security_strict_mode refuses to start, and says why."""
    good = {"security_strict_mode": "true", "secret_key": "Zr8!kQv2xWm4#Lp9sTy6&Hn1cBd3@Fg7"}

    def refused(self, **settings):
        try:
            server = Server(PROGRAM, **{**self.good, **settings})
        except RuntimeError as error:
            return str(error)
        server.stop()
        return ""

    def test_what_it_refuses(self):
        for settings, words in (
                ({"secret_key": ""}, "secret_key is not set"),
                ({"secret_key": "a" * 40}, "few different"),
                ({"secret_key": "abcdefgh12" * 4}, "again and again"),
                ({"secret_key": "please-change-me-before-going-live"}, "holds a word"),
                ({"jwt_secret_key": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, "jwt_secret_key counts"),
                ({"encryption_key": base64.b64encode(b"ab" * 16).decode()}, "encryption_key "),
                ({"authentication": "off"}, "authentication is off"),
                ({"cors_origins": "https://a.example,*"}, "cors_origins allows every origin"),
                ({"host": "0.0.0.0"}, "plain HTTP"),
                ({"host": "0.0.0.0", "authentication": "off", "cors_origins": "*"}, "authentication is off; host")):
            self.assertIn(words, self.refused(**settings), settings)

    def test_what_it_lets_start(self):
        for settings in ({}, {"host": "0.0.0.0", "trusted_proxies": "127.0.0.1"},
                         {"cors_origins": "https://a.example"}):
            server = self.serve(**{**self.good, **settings})
            self.check_problem(server.get("/models"), 401)  # also on a laptop without users

    def test_without_it_the_same_starts(self):
        server = self.serve(host="0.0.0.0", cors_origins="*")
        self.assertEqual(server.get("/health").status, 200)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    result = unittest.main(exit=False).result
    print(f"api tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
