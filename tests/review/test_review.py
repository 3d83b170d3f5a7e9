"""`vislang dataset review` over real sockets: who may call, what is refused, two reviewers, and what is left."""
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dataset  # noqa: E402

PROGRAM = os.environ["VISLANG_PROGRAM"]
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("VISLANG_")}


def vislang(*words, check=True):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=check, env=ENVIRONMENT)


class Service:
    """A review of a folder, with the token of each reviewer."""

    def __init__(self, folder, *words):
        self.process = subprocess.Popen([PROGRAM, "dataset", "review", folder, *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.tokens = {}
        names = max(1, words.count("--reviewer"))
        for _ in range(names):
            line = self.process.stdout.readline()
            found = re.fullmatch(r"(.+): http://127\.0\.0\.1:(\d+)/#([\w-]{43})\n", line)
            if not found:
                raise AssertionError(line + self.process.stderr.read())
            self.tokens[found[1]] = found[3]
            self.port = int(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=30)
        return self.process.returncode, out + errors

    def call(self, method, path, body=None, who="amina", headers=None):
        """Status, headers, and the body, read as JSON where it is that."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        link.request(method, path, body, sent | (headers or {}))
        answer = link.getresponse()
        data = answer.read()
        link.close()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, answer.headers, json.loads(data) if is_json and data else data

    def next(self, who="amina", count=10, have=()):
        status, _, answer = self.call("POST", "/review/api/next", {"count": count, "have": list(have)}, who)
        assert status == 200, answer
        return answer["items"]

    def decide(self, *decisions, who="amina"):
        status, _, answer = self.call("POST", "/review/api/decisions", {"decisions": list(decisions)}, who)
        assert status == 200, answer
        return [one["status"] for one in answer["results"]]


def decision(item, verdict="accepted", revision=1, **more):
    return {"item": item, "revision": revision, "verdict": verdict, "seconds": 1.5, "decided_ms": 1700000000000} | more


class ReviewTest(unittest.TestCase):
    def setUp(self):
        self.state = tempfile.TemporaryDirectory()
        self.folder = f"{self.state.name}/data"
        dataset.make(self.folder)

    def tearDown(self):
        self.state.cleanup()

    def test_only_who_has_the_token_is_let_in(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            for path in ("/review/api/state", "/review/api/items/0000000000000100/picture"):
                self.assertEqual(service.call("GET", path)[0], 200)
                status, headers, problem = service.call("GET", path, who=None)
                self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
                self.assertNotIn(service.tokens["amina"], json.dumps(problem))
                for wrong in ("Bearer ", "Bearer x", "Basic " + service.tokens["amina"],
                              "Bearer " + service.tokens["amina"][:-1] + "-", "Bearer " + "A" * 5000):
                    self.assertEqual(service.call("GET", path, who=None, headers={"Authorization": wrong})[0], 401)
            self.assertEqual(service.call("POST", "/review/api/next", {}, who=None)[0], 401)
            for path in ("/", "/static/review.js", "/static/review.css", "/review-worker.js"):
                status, headers, body = service.call("GET", path, who=None)
                self.assertEqual(status, 200, path)
                self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
                self.assertNotIn(service.tokens["amina"].encode(), body)

    def test_nothing_else_is_served(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            for path in ("/predict", "/metrics", "/health", "/openapi.json", "/models", "/admin/users", "/load_model",
                         "/review/api/", "/review/api/items/", "/review/api/items/1/2/3", "/static/none.js"):
                self.assertEqual(service.call("GET", path)[0], 404, path)
            status, headers, _ = service.call("GET", "/review/api/next")
            self.assertEqual((status, headers["Allow"]), (405, "POST, OPTIONS"))

    def test_other_hosts_and_origins_are_refused(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:80"):
                self.assertEqual(service.call("GET", "/", headers={"Host": host})[0], 421, host)
            self.assertEqual(service.call("GET", "/", headers={"Host": f"localhost:{service.port}"})[0], 200)
            evil = {"Origin": "https://evil.example"}
            status, headers, _ = service.call("POST", "/review/api/next", {}, headers=evil)
            self.assertEqual(status, 403)
            self.assertIsNone(headers["Access-Control-Allow-Origin"])
            for origin, expected in (("https://evil.example", 403), ("null", 403), (f"http://127.0.0.1:{service.port}", 200)):
                status, headers, _ = service.call("GET", "/review/api/state", headers={"Origin": origin})
                self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (expected, None), origin)

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes another user")
    def test_tokens_are_their_owners_and_others_are_told(self):
        with Service(self.folder, "--reviewer", "amina"):
            pass
        self.assertEqual(os.stat(f"{self.folder}/reviews.db").st_mode & 0o777, 0o600)
        with tempfile.TemporaryDirectory() as theirs:
            os.chown(theirs, 65534, 65534)
            place = self.folder
            while place != tempfile.gettempdir() and place != "/":  # each folder on the way to it
                os.chmod(place, 0o755)
                place = os.path.dirname(place)
            try:
                done = subprocess.run([PROGRAM, "dataset", "export", self.folder, "--format", "jsonl", "--out",
                                       f"{theirs}/out"], capture_output=True, text=True, env=ENVIRONMENT, user=65534, cwd="/")
            except PermissionError:
                self.skipTest(f"another user may not run {PROGRAM}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("it has the tokens of reviewers", done.stderr)

    def test_what_is_no_decision_is_refused(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            for path in ("/review/api/decisions", "/review/api/next"):
                for body in (b"{", b"[]", b"null", b"\xff", b'{"decisions":[]}\x00', b'{"x":"\\u0000"}', b"[" * 5000):
                    self.assertEqual(service.call("POST", path, body)[0], 400, (path, body[:20]))
                self.assertEqual(service.call("POST", path, b"")[0], 400)
            for body in ({}, {"decisions": 1}, {"decisions": [decision("0" * 16)] * 501}):
                self.assertEqual(service.call("POST", "/review/api/decisions", body)[0], 400)
            for body in ({"have": 1}, {"have": [1]}, {"have": ["x"] * 201}, {"count": 0}, {"count": 51}, {"count": "1"}):
                self.assertEqual(service.call("POST", "/review/api/next", body)[0], 400, body)
            item = "0000000000000100"
            bad = [None, 7, [], {}, decision("../../etc/passwd"), decision(item, "nice"), decision(item, revision=0),
                   decision(item, revision=1.5), decision(item, revision="1"), decision(item, text="x"),
                   decision(item, "corrected"), decision(item, "corrected", text=""), decision(item, "corrected", text=7),
                   decision(item, "corrected", box=[1, 2, 3]), decision(item, "corrected", box=[1, 2, 3, -4]),
                   decision(item, "corrected", box=[0, 0, 10 ** 6, 5]), decision(item, "rejected"),
                   decision(item, "rejected", reason="mood"), decision(item, "rejected", note="x" * 2001),
                   decision(item, seconds=-1), decision(item, seconds="1"), decision(item, colour="red"),
                   decision(item) | {"decided_ms": None}]
            self.assertEqual(service.decide(*bad), ["refused"] * len(bad))
            # One that is good among them is taken all the same.
            self.assertEqual(service.decide(bad[0], decision(item), bad[1]), ["refused", "stored", "refused"])

    def test_huge_bodies(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            for path, size in (("decisions", 9 << 20), ("next", 65 << 10)):
                with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
                    raw.sendall((f"POST /review/api/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                 f"{service.tokens['amina']}\r\nContent-Type: application/json\r\n"
                                 f"Content-Length: {size}\r\n\r\n[").encode())
                    self.assertIn(b" 413 ", raw.recv(1 << 16).split(b"\r\n")[0])
            long = decision("0000000000000100", "corrected", text="x" * (2 << 20))
            self.assertEqual(service.decide(long), ["refused"])
            # Without a length, and never ending: the connection is cut off.
            with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
                raw.sendall((f"POST /review/api/decisions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                             f"{service.tokens['amina']}\r\nContent-Type: application/json\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n").encode())
                answer = b""
                try:
                    for _ in range(200):
                        raw.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                except OSError:
                    pass
                try:
                    answer = raw.recv(1 << 16)
                except OSError:
                    pass
            self.assertTrue(not answer or b" 413 " in answer.split(b"\r\n")[0], answer[:80])
            self.assertEqual(service.call("GET", "/review/api/state")[0], 200)

    def test_items_that_are_not_there(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            for item in ("00000000000000ff", "x", "0" * 15 + "G", "0" * 400):
                self.assertEqual(service.call("GET", f"/review/api/items/{item}")[0], 404)
                self.assertEqual(service.call("GET", f"/review/api/items/{item}/picture")[0], 404)
            for path in ("/review/api/items/%2e%2e/picture", "/review/api/items/..%2f..%2fdataset.json/picture"):
                self.assertIn(service.call("GET", path)[0], (400, 404))
            self.assertEqual(service.decide(decision("00000000000000ff")), ["unknown"])

    def test_pictures_lie_below_pictures(self):
        with open(f"{self.folder}/items-00000.jsonl", encoding="utf-8") as lines:
            items = [json.loads(line) for line in lines]
        outside = f"{self.state.name}/outside.png"
        with open(outside, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\nsecret")
        for one, path in zip(items, ("../outside.png", outside, "pictures/../../outside.png", "", "pictures/",
                                     "pictures/none.png", "dataset.json")):
            one["picture"] = path
        with open(f"{self.folder}/items-00000.jsonl", "w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(one) + "\n" for one in items)
        with Service(self.folder, "--reviewer", "amina") as service:
            for one in items[:7]:
                status, _, body = service.call("GET", f"/review/api/items/{one['id']}/picture")
                self.assertEqual(status, 404, one["picture"])
                self.assertNotIn("secret", str(body))
            status, headers, body = service.call("GET", f"/review/api/items/{items[8]['id']}/picture")
            self.assertEqual((status, headers["Content-Type"]), (200, "image/png" if items[8]["picture"].endswith("png") else "image/jpeg"))
            with open(f"{self.folder}/{items[8]['picture']}", "rb") as file:
                self.assertEqual(body, file.read())

    def test_two_reviewers(self):
        with Service(self.folder, "--reviewer", "amina", "--reviewer", "jonas", "--overlap", "0.25") as service:
            self.assertNotEqual(service.tokens["amina"], service.tokens["jonas"])
            mine, theirs = [], []
            while True:  # in turns, a few at a time
                more = [(who, service.next(who, 2)) for who in ("amina", "jonas")]
                for who, items in more:
                    ids = [one["item"]["id"] for one in items]
                    (mine if who == "amina" else theirs).extend(ids)
                    self.assertEqual(service.decide(*[decision(one) for one in ids], who=who), ["stored"] * len(ids))
                if not any(items for _, items in more):
                    break
            self.assertEqual(len(set(mine)), len(mine))
            self.assertEqual(len(set(theirs)), len(theirs))
            self.assertEqual(len(set(mine) | set(theirs)), 24)
            both = set(mine) & set(theirs)
            self.assertTrue(0 < len(both) < 12, both)
            state = service.call("GET", "/review/api/state", who="jonas")[2]
            self.assertEqual((state["reviewer"], state["mine"]["accepted"], state["items"]), ("jonas", len(theirs), 24))
        found = json.loads(vislang("dataset", "review", self.folder, "--agreement", "--json").stdout)
        self.assertEqual(found["overall"]["verdicts"]["units"], len(both))
        self.assertIsNone(found["overall"]["verdicts"]["alpha"])  # they never differ, and nothing varies
        self.assertIn("nothing varies", vislang("dataset", "review", self.folder, "--agreement").stdout)

    def test_two_services_on_one_folder(self):
        with Service(self.folder, "--reviewer", "amina", "--overlap", "0") as one, \
                Service(self.folder, "--reviewer", "jonas", "--overlap", "0") as other:
            self.assertNotEqual(one.port, other.port)
            mine = {given["item"]["id"] for given in one.next("amina", 12)}
            theirs = {given["item"]["id"] for given in other.next("jonas", 50)}
            self.assertEqual((len(mine), len(theirs), mine & theirs), (12, 12, set()))
            self.assertEqual(other.call("GET", "/review/api/state", who=None,
                                        headers={"Authorization": f"Bearer {one.tokens['amina']}"})[0], 401)

    def test_a_killed_service_keeps_what_it_acknowledged_and_its_address(self):
        service = Service(self.folder, "--reviewer", "amina", "--seed", "3")
        first = [one["item"]["id"] for one in service.next(count=4)]
        sent = [decision(first[0]), decision(first[1], "rejected", reason="boilerplate", note="Fußzeile")]
        self.assertEqual(service.decide(*sent), ["stored", "stored"])
        service.stop(signal.SIGKILL)
        with Service(self.folder, "--reviewer", "amina", "--seed", "3") as again:
            self.assertEqual((again.port, again.tokens), (service.port, service.tokens))
            self.assertEqual(again.decide(*sent), ["known", "known"])
            self.assertEqual([one["item"]["id"] for one in again.next(count=2)], first[2:])
            given = again.call("GET", f"/review/api/items/{first[1]}")[2]
            self.assertEqual((given["revision"], given["decision"]["note"]), (1, "Fußzeile"))
            # Another decision under the same revision is told apart, and the last one to come holds.
            status, _, answer = again.call("POST", "/review/api/decisions", {"decisions": [decision(first[1])]})
            self.assertEqual((status, answer["results"][0]["status"], answer["results"][0]["latest"]), (200, "conflict", 1))
            self.assertEqual(again.decide(decision(first[1], revision=2)), ["stored"])
            self.assertEqual(again.decide(decision(first[1], "undone", revision=3)), ["stored"])
            self.assertEqual(again.next(count=1)[0]["item"]["id"], first[1])
        with sqlite3.connect(f"{self.folder}/reviews.db") as db:
            self.assertEqual(db.execute("SELECT count(*) FROM review WHERE item = ?", (first[1],)).fetchone(), (3,))

    def test_the_quality_model_learns(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            given = service.next(count=50)
            # Whoever cannot read a text rejects it.
            decisions = [decision(one["item"]["id"], *(("rejected",) if one["item"]["quality"]["readability"] < 0.5
                                                       else ("accepted",)),
                                  **({"reason": "unreadable"} if one["item"]["quality"]["readability"] < 0.5 else {}))
                         for one in given]
            self.assertEqual(service.decide(*decisions), ["stored"] * 24)
            status, said = service.stop()
            self.assertEqual(status, 0)
            self.assertIn("quality", said)
        report = json.loads(vislang("dataset", "review", self.folder, "--fit", "--json").stdout)
        self.assertEqual(report["cases"], 24)
        self.assertTrue(report["taken"], report)
        self.assertLess(report["loss_after"], report["loss_before"])
        with open(f"{self.folder}/quality.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["cases"], 24)

    def test_verdicts_are_exported_and_counted(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            self.assertEqual(service.decide(
                decision("0000000000000100"), decision("0000000000000200", "rejected", reason="other"),
                decision("0000000000000400", "corrected", text="Habari")), ["stored"] * 3)
        counted = json.loads(vislang("dataset", "stats", self.folder, "--json").stdout)
        # The example of the rejected one, and the one that does not quote what was corrected, are rejected too.
        self.assertEqual(counted["reviews"], {"accepted": 1, "rejected": 3, "corrected": 1})
        vislang("dataset", "export", self.folder, "--format", "jsonl", "--out", f"{self.state.name}/out")
        with open(f"{self.state.name}/out/train.jsonl", encoding="utf-8") as lines:
            rows = {row["id"]: row for row in map(json.loads, lines)}
        self.assertEqual(len(rows), 21)
        self.assertEqual([rows[f"{i:016x}"]["review"] for i in (0x100, 0x400, 0x300)], ["accepted", "corrected", ""])
        self.assertEqual(rows["0000000000000400"]["text"], "Habari")
        self.assertFalse({"0000000000000200", "0000000000000201", "0000000000000401"} & set(rows))
        checked = vislang("dataset", "check", self.folder, "--json", check=False)
        self.assertNotIn("reviews.db", checked.stdout)

    def test_reviews_of_another_build_or_copy_are_merged(self):
        with Service(self.folder, "--reviewer", "amina") as service:
            service.decide(decision("0000000000000100"), decision("0000000000000100", "rejected", 2, note="no"),
                           decision("0000000000000200"), decision("0000000000000300", "skipped"))
        new = f"{self.state.name}/new"
        dataset.make(new, 3)
        with Service(new, "--reviewer", "amina", "--reviewer", "jonas") as service:
            service.decide(decision("0000000000000200", "rejected", note="here", decided_ms=1))
            service.decide(decision("0000000000000100"), who="jonas")
            given = {one["item"]["id"] for one in service.next(count=50)}
            self.assertIn("0000000000000300", given)
        report = lambda: json.loads(vislang("dataset", "review", new, "--merge", self.folder, "--json").stdout)
        self.assertEqual(report(), {"taken": 3, "known": 0, "conflicts": 1})
        self.assertEqual(report(), {"taken": 0, "known": 3, "conflicts": 1})
        with Service(new, "--reviewer", "amina") as service:
            state = service.call("GET", "/review/api/state")[2]["mine"]
            self.assertEqual((state["rejected"], state["skipped"]), (2, 1))
            given = {one["item"]["id"] for one in service.next(count=50)}
            self.assertFalse({"0000000000000100", "0000000000000300"} & given)
        done = vislang("dataset", "review", new, "--merge", self.state.name, check=False)
        self.assertEqual((done.returncode, "reviews.db" in done.stderr), (3, True))

    def test_estimates_are_of_what_was_drawn_by_chance(self):
        with Service(self.folder, "--reviewer", "amina", "--random", "1") as service:
            items = [one["item"]["id"] for one in service.next(count=20)]
            service.decide(*[decision(one) for one in items[:15]],
                           *[decision(one, "rejected", reason="other") for one in items[15:]])
        with Service(self.folder, "--reviewer", "amina", "--random", "0") as service:
            more = [one["item"]["id"] for one in service.next(count=4)]
            service.decide(*[decision(one, "rejected", reason="other") for one in more])
        found = json.loads(vislang("dataset", "review", self.folder, "--agreement", "--json").stdout)["overall"]["estimate"]
        # Wilson's interval of 15 of 20, computed by hand.
        self.assertEqual(found, {"items": 20, "accepted": 0.75, "corrected": 0, "rejected": 0.25, "low": 0.5313, "high": 0.8881})
        self.assertIn("75.0 % accepted (53.1 … 88.8)", vislang("dataset", "review", self.folder, "--agreement").stdout)

    def test_too_few_verdicts_teach_nothing(self):
        done = vislang("dataset", "review", self.folder, "--fit", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertFalse(os.path.exists(f"{self.folder}/quality.json"))

    def test_the_engines_record_learns(self):
        paragraph = ("Wakazi wote wa kata ya Laini Saba wanaombwa kufika kuchukua maji safi ya kunywa. "
                     "Kila kaya itapata lita 40 za maji kwa siku tatu.")
        with Service(self.folder, "--reviewer", "amina") as service:
            self.assertEqual(service.decide(
                decision("0000000000000100", "corrected", text="TANGAZO LA USAMBAZAJI WA MAJI"),
                decision("0000000000000400", "corrected", text=paragraph, box=[85, 280, 1090, 105]),
                decision("0000000000000700", "corrected", text="Something else that nobody wrote there"),
                decision("0000000000000401", "corrected", text="[name] LA USAMBAZAJI WA MAJI"),
                decision("0000000000000a00", "rejected", reason="unreadable")), ["stored"] * 5)
        record = ["--set", f"database_url=sqlite://{self.state.name}/vislang.db"]
        taught = json.loads(vislang("dataset", "review", self.folder, "--teach", "--json", *record).stdout)
        self.assertEqual(taught, {"items": 2, "lines": 3, "known": 0, "unfit": 2, "broken": 0})
        shown = json.loads(vislang("ocr", "--record", "export", *record).stdout)
        self.assertIn("tesseract", json.dumps(shown))
        taught = json.loads(vislang("dataset", "review", self.folder, "--teach", "--json", *record).stdout)
        self.assertEqual(taught, {"items": 0, "lines": 0, "known": 2, "unfit": 2, "broken": 0})
        self.assertEqual(json.loads(vislang("ocr", "--record", "export", *record).stdout), shown)
        done = vislang("dataset", "review", self.folder, "--teach", *record, "--set", "ocr_engines=tesseract", check=False)
        self.assertEqual((done.returncode, "two or more" in done.stderr), (2, True))

    def test_wrong_usage(self):
        os.mkdir(f"{self.state.name}/empty")
        for words, code, says in (([], 2, "which dataset"), ([f"{self.state.name}/empty"], 3, "no dataset"),
                                  ([self.folder, "--overlap", "2"], 2, "share"), ([self.folder, "--limit", "0"], 2, "limit"),
                                  ([self.folder, "--language", "xho"], 2, "xho"),
                                  ([self.folder, "--reviewer", ""], 2, "name"), ([self.folder, "--count", "3"], 2, "count")):
            done = vislang("dataset", "review", *words, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stderr)
        with Service(self.folder, "--reviewer", "amina") as service:
            done = vislang("dataset", "review", self.folder, "--port", str(service.port), check=False)
            self.assertEqual((done.returncode, "taken" in done.stderr), (2, True))

    def test_only_one_language(self):
        with Service(self.folder, "--reviewer", "amina", "--language", "ar", "--limit", "3") as service:
            given = service.next(count=50)
            self.assertEqual([one["item"]["language"] for one in given], ["ara"] * 3)


if __name__ == "__main__":
    unittest.main()
