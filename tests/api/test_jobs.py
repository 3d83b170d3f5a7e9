"""Jobs over HTTP: batches, progress by events, cancelling, owners, other processes, restarts.

usage: test_jobs.py PROGRAM MAKE_TINY_SEER [unittest options]
(the vislang program, and the one that makes a small picture model). With $VISLANG_TEST_POSTGRES
the restarts are tried on that server as well."""
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_serve
from test_engines import Misbehaving
from server import Server, form_request, png, request_bytes, wait_until

PROGRAM = None
MODEL = None
PAGE = png(1000, 700)
ENDED = ("done", "failed", "cancelled")


def files(count, seed=0):
    return [("file", png(seed=seed + i), f"{seed + i}.png") for i in range(count)]


def pages(count):
    """Each takes a worker a moment: the name is part of what is read, so no two are the same."""
    return [("file", PAGE, f"page-{i}.jpg") for i in range(count)]


def order(server, fields, *headers):
    r = server.post("/api/v1/batch", fields, *headers)
    assert r.status == 202, r
    return r.json()


def job_of(server, job, *headers, query=""):
    return server.get(job["status_url"] + query, *headers).json()


def wait_for(server, job, *headers, seconds=120):
    assert wait_until(lambda: job_of(server, job, *headers)["state"] in ENDED, seconds), job_of(server, job, *headers)
    return job_of(server, job, *headers, query="?limit=1000")


class Events:
    """One who follows a job: its events as they come."""

    def __init__(self, server, path, *headers):
        self.client = server.connect()
        self.client.write(request_bytes("GET", path, server.identified(headers)))
        self.status, self.text = None, ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.socket.close()

    def _read(self):
        data = self.client.socket.recv(65536)
        self.text += data.decode()
        return bool(data)

    def until(self, mark):
        while mark not in self.text and self._read():
            pass
        return mark in self.text

    def all(self):
        """(id, event, data) of each, when the stream has ended."""
        self.until("\r\n0\r\n\r\n")
        head, body = self.text.split("\r\n\r\n", 1)
        self.status = int(head.split(" ")[1])
        plain = ""
        while body:
            size, body = body.split("\r\n", 1)
            plain, body = plain + body[:int(size, 16)], body[int(size, 16) + 2:]
            if size == "0":
                break
        found = []
        for block in plain.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in lines:
                found.append((int(lines.get("id", 0)), lines["event"], json.loads(lines["data"])))
        return found


class Batches(test_serve.Shared):
    settings = {"workers": 2, "job_items": 20, "job_listeners": 2}

    @classmethod
    def setUpClass(cls):
        cls.settings = {**cls.settings, "model_path": MODEL}
        super().setUpClass()
        cls.api = cls.server.get("/openapi.json").json()
        cls.schemas = cls.api["components"]["schemas"]

    check_shape = test_serve.OpenApi.check_shape

    def folder(self):
        path = self.server.state.name + "/jobs"
        return os.listdir(path) if os.path.isdir(path) else []

    def test_a_batch_from_end_to_end(self):
        before = set(self.folder())
        r = self.server.post("/api/v1/batch", [("task", "ocr"), ("languages", "eng")] + files(4))
        self.assertEqual(r.status, 202)
        job = r.json()
        self.assertEqual(r.headers["location"], job["status_url"])
        self.check_shape(self.schemas["Job"], job, "batch")
        self.assertEqual((job["total"], job["task"]), (4, "ocr"))
        after = wait_for(self.server, job)
        self.check_shape(self.schemas["JobWithItems"], after, "job")
        self.assertEqual((after["state"], after["done"], after["failed"]), ("done", 4, 0))
        self.assertEqual(after["options"], {"languages": "eng"})
        self.assertEqual([item["name"] for item in after["items"]], [f"{i}.png" for i in range(4)])
        alone = self.server.post("/api/v1/ocr", [("languages", "eng")] + files(1, seed=3))
        self.assertEqual(after["items"][3]["result"], alone.json())
        self.assertEqual(alone.headers["x-cache"], "hit")  # a batch's answers are kept like others
        self.assertTrue(wait_until(lambda: set(self.folder()) <= before))  # no file stays

    def test_pages_of_items_and_jobs(self):
        jobs = [wait_for(self.server, order(self.server, [("task", "ocr")] + files(3))) for _ in range(2)]
        first = job_of(self.server, jobs[0], query="?limit=2")
        self.assertEqual(([i["number"] for i in first["items"]], first["next"]), ([0, 1], 1))
        rest = job_of(self.server, jobs[0], query="?limit=2&after=1")
        self.assertEqual(([i["number"] for i in rest["items"]], rest["next"]), ([2], None))
        r = self.server.get("/api/v1/jobs?limit=1")
        self.check_shape(self.schemas["Jobs"], r.json(), "jobs")
        self.assertEqual([j["job_id"] for j in r.json()["jobs"]], [jobs[1]["job_id"]])
        older = self.server.get(f"/api/v1/jobs?limit=1&before={r.json()['next']}").json()
        self.assertEqual([j["job_id"] for j in older["jobs"]], [jobs[0]["job_id"]])
        for query in ("limit=0", "limit=x", "limit=1001", "before=1", "before=" + "0" * 31 + "x"):
            self.check_problem(self.server.get("/api/v1/jobs?" + query), 400, query)
        self.check_problem(self.server.get("/api/v1/jobs?before=" + "0" * 32), 404)
        for query in ("after=-1", "after=99999999999", "limit=0"):
            self.check_problem(self.server.get(jobs[0]["status_url"] + "?" + query), 400, query)

    def test_json_with_items_of_their_own(self):
        picture = base64.b64encode(png(seed=30)).decode()
        r = self.server.call("POST", "/api/v1/batch", {"task": "vqa", "question": "what is it?", "items": [
            {"image_base64": picture, "name": "../a/b.png"},
            {"image_base64": picture, "statement": "a red thing"}]})
        self.check_problem(r, 422)  # "question" of all and "statement" exclude each other
        r = self.server.call("POST", "/api/v1/batch", {"task": "vqa", "items": [
            {"image_base64": picture, "name": "../a/b.png", "question": "what is it?"},
            {"image_base64": picture, "statement": "a red thing"}]})
        self.assertEqual(r.status, 202, r)
        job = wait_for(self.server, r.json())
        self.assertEqual(job["state"], "done", job)
        self.assertEqual(job["items"][0]["name"], "b.png")
        self.assertEqual(job["items"][0]["result"]["question"], "what is it?")
        self.assertEqual(job["items"][1]["result"]["statement"], "a red thing")
        for task in ("caption", "scene", "predict"):
            r = self.server.call("POST", "/api/v1/batch", {"task": task, "items": [{"image_base64": picture}]})
            self.assertEqual(wait_for(self.server, r.json())["state"], "done", task)
        r = self.server.call("POST", "/api/v1/batch", {"task": "ocr", "languages": "sw+en", "items": [
            {"image_base64": picture}, {"image_base64": picture, "languages": "xx"}]})
        job = wait_for(self.server, r.json())
        self.assertEqual([i["state"] for i in job["items"]], ["done", "failed"])
        self.assertIn('unknown language "xx"', job["items"][1]["problem"]["detail"])
        text = order(self.server, [("task", "ocr"), ("format", "markdown")] + files(1, seed=31))
        result = wait_for(self.server, text)["items"][0]["result"]
        self.assertEqual(result["media_type"], "text/markdown; charset=utf-8")

    def test_what_is_refused(self):
        broken = ("file", b"no picture at all, whatever it is called", "a.png")
        for fields, status in (
                (files(1), 400), ([("task", "dream")] + files(1), 400), ([("task", "ocr")], 400),
                ([("task", "retrieve")] + files(1), 400), ([("task", "ocr"), ("task", "ocr")] + files(1), 400),
                ([("task", "ocr"), ("question", "why?")] + files(1), 422),
                ([("task", "ocr"), ("k", "3")] + files(1), 400),
                ([("task", "ocr"), ("keep", "true")] + files(1), 400),
                ([("task", "ocr"), ("format", "png")] + files(1), 422),
                ([("task", "ocr"), ("format", "pdf")] + files(1), 422),
                ([("task", "ocr"), ("languages", "../x")] + files(1), 400),
                ([("task", "ocr")] + files(1) + [broken], 415), ([("task", "ocr"), ("file", b"", "a.png")], 400),
                ([("task", "ocr")] + files(21), 413), ([("task", "vqa")] + files(1), 422)):
            self.check_problem(self.server.post("/api/v1/batch", fields), status, [f[:2] for f in fields][:3])
        picture = base64.b64encode(png()).decode()
        for body in ({"task": "ocr"}, {"task": "ocr", "items": {}}, {"task": "ocr", "items": [3]},
                     {"task": "ocr", "items": [{}]}, {"task": "ocr", "items": []},
                     {"task": "ocr", "items": [{"image_base64": picture, "task": "vqa"}]},
                     {"task": "ocr", "items": [{"image_base64": picture, "file": "x"}]},
                     {"task": "ocr", "items": [{"image_base64": picture, "question": "x"}]},
                     {"task": "ocr", "items": [{"image_base64": picture, "format": "pdf"}]},
                     {"task": "ocr", "items": [{"image_base64": picture, "languages": 3}]},
                     {"task": "ocr", "items": [{"image_base64": "%%%"}]}):
            r = self.server.call("POST", "/api/v1/batch", body)
            self.assertIn(r.status, (400, 422), body)
        for twice in (f'"image_base64": "{picture}"', '"name": "a.png"'):  # two files would become one
            body = f'{{"task": "ocr", "items": [{{"image_base64": "{picture}", "name": "a", {twice}}}]}}'.encode()
            head = self.server.identified(("Content-Type: application/json", f"Content-Length: {len(body)}"))
            self.assertIn(self.server.send(request_bytes("POST", "/api/v1/batch", head, body)).status, (400, 422))
        for path, method in (("/api/v1/jobs/none", "GET"), ("/api/v1/jobs/" + "0" * 32, "GET"),
                             ("/api/v1/jobs/" + "0" * 32, "DELETE"),
                             ("/api/v1/jobs/" + "0" * 32 + "/events", "GET")):
            self.check_problem(self.server.get(path, method=method), 404, path)
        self.check_problem(self.server.get("/api/v1/jobs", method="DELETE"), 405)

    def test_a_key_orders_once(self):
        key = "Idempotency-Key: 7f-\u00e9".encode()
        fields = [("task", "ocr")] + files(2, seed=40)
        first, second = order(self.server, fields, key), order(self.server, fields, key)
        self.assertEqual(first["job_id"], second["job_id"])
        self.check_problem(self.server.post("/api/v1/batch", [("task", "ocr")] + files(2, seed=41), key), 422)
        self.check_problem(self.server.post("/api/v1/batch", fields, "Idempotency-Key: " + "k" * 256), 422)
        self.assertEqual(wait_for(self.server, first)["done"], 2)

    def test_failures_and_another_try(self):
        head = png(seed=50)[:40]  # begins as a picture
        job = wait_for(self.server, order(self.server, [("task", "ocr")] + files(1, seed=51) + [("file", head, "b.png")]))
        self.assertEqual((job["state"], job["done"], job["failed"]), ("done", 1, 1))
        bad = job["items"][1]
        self.assertEqual((bad["state"], bad["attempts"], bad["result"], bad["problem"]["status"]),
                         ("failed", 1, None, 422))  # what is broken is not tried again by itself
        r = self.server.get(job["status_url"] + "/retry", method="POST")
        self.assertEqual((r.status, r.json()["failed"], r.json()["state"]), (202, 0, "running"))
        self.assertEqual(wait_for(self.server, job)["failed"], 1)
        good = wait_for(self.server, order(self.server, [("task", "ocr")] + files(1, seed=51)))
        self.check_problem(self.server.get(good["status_url"] + "/retry", method="POST"), 409)
        lost = wait_for(self.server, order(self.server, [("task", "ocr"), ("file", head, "b.png")]))
        self.assertEqual(lost["state"], "failed")

    def test_events(self):
        job = order(self.server, [("task", "ocr")] + files(5, seed=60))
        with Events(self.server, job["events_url"]) as events:
            found = events.all()
        self.assertIn("content-type: text/event-stream", events.text.lower())
        items = [e for e in found if e[1] == "item"]
        self.assertEqual([e[0] for e in items], [1, 2, 3, 4, 5])
        self.assertEqual(sorted(e[2]["number"] for e in items), [0, 1, 2, 3, 4])
        self.assertEqual(found[-1][1:], ("end", {"state": "done", "total": 5, "done": 5, "failed": 0}))
        with Events(self.server, job["events_url"], "Last-Event-ID: 3") as events:
            self.assertEqual([e[0] for e in events.all() if e[1] == "item"], [4, 5])

    def test_followers_have_an_end_and_a_limit(self):
        job = order(self.server, [("task", "ocr")] + pages(12))
        with Events(self.server, job["events_url"]) as one, Events(self.server, job["events_url"]) as two:
            self.assertTrue(one.until("event: progress") and two.until("event: progress"))
            r = self.server.get(job["events_url"])
            self.check_problem(r, 503)
            self.assertIn("retry-after", r.headers)
            self.assertEqual(self.server.get("/health").status, 200)
        # Both have gone without a word: their places are free again.
        def there_is_room():
            with Events(self.server, job["events_url"]) as three:
                return three.until("text/event-stream") and not three.text.startswith("HTTP/1.1 503")
        self.assertTrue(wait_until(there_is_room, 40))
        r = self.server.get(job["status_url"], method="DELETE")
        self.assertEqual(r.status, 200)

    def test_cancelling(self):
        job = order(self.server, [("task", "ocr")] + pages(15))
        self.assertTrue(wait_until(lambda: job_of(self.server, job)["done"] >= 1, 60))
        with Events(self.server, job["events_url"]) as events:
            events.until("event: progress")
            after = self.server.get(job["status_url"], method="DELETE").json()
            self.assertEqual(events.all()[-1][1], "end")
        self.assertEqual(after["state"], "cancelled")
        self.assertLess(after["done"], 15)
        states = {item["state"] for item in job_of(self.server, job)["items"]}
        self.assertLessEqual(states, {"done", "cancelled"})
        self.assertTrue(wait_until(lambda: job["job_id"] not in self.folder()))
        again = self.server.get(job["status_url"], method="DELETE").json()
        self.assertEqual((again["state"], again["done"]), ("cancelled", after["done"]))
        self.check_problem(self.server.get(job["status_url"] + "/retry", method="POST"), 409)
        metrics = self.server.get("/metrics").body.decode()
        self.assertRegex(metrics, r'vislang_jobs_total\{state="cancelled"\} [1-9]')
        self.assertRegex(metrics, r"vislang_job_item_duration_seconds_count [1-9]")
        self.assertRegex(metrics, r'vislang_job_items\{state="queued"\} \d')

    def test_described(self):
        for path, method, status in (("/api/v1/batch", "post", "202"), ("/api/v1/jobs/{id}", "get", "200"),
                                     ("/api/v1/jobs/{id}/retry", "post", "202")):
            self.assertIn(status, self.api["paths"][path][method]["responses"])
        form = self.api["paths"]["/api/v1/batch"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        self.assertEqual(form["properties"]["file"]["type"], "array")
        names = {p["name"] for p in self.api["paths"]["/api/v1/jobs/{id}"]["get"]["parameters"]}
        self.assertEqual(names, {"id", "after", "limit"})


class RequestsFirst(unittest.TestCase):
    def test_a_request_does_not_wait_for_the_queue(self):
        server = Server(PROGRAM, workers=1)
        try:
            job = order(server, [("task", "ocr")] + pages(12))
            self.assertTrue(wait_until(lambda: job_of(server, job)["state"] == "running"))
            self.assertEqual(server.post("/api/v1/ocr", files(1)).status, 200)
            self.assertLess(job_of(server, job)["done"], 12)
            server.get(job["status_url"], method="DELETE")
        finally:
            self.assertEqual(server.stop(), 0)

    def test_limits_of_the_queue(self):
        server = Server(PROGRAM, jobs="off", job_items_per_owner=5, job_storage="4KB")
        try:
            job = order(server, [("task", "ocr")] + files(4))
            r = server.post("/api/v1/batch", [("task", "ocr")] + files(2))
            self.assertEqual((r.status, "retry-after" in r.headers), (429, True))
            order(server, [("task", "ocr")] + files(1))
            server.get(job["status_url"], method="DELETE")
            large = [("file", png(pad=4096), "a.png")]
            self.assertEqual(server.post("/api/v1/batch", [("task", "ocr")] + large).status, 429)
            self.assertEqual(len(os.listdir(server.state.name + "/jobs")), 1)
        finally:
            self.assertEqual(server.stop(), 0)


class Owners(unittest.TestCase):
    def test_jobs_of_others(self):
        server = Server(PROGRAM, admin=True, workers=2)
        try:
            keys = {}
            for name, role in (("ann", "viewer"), ("ben", "annotator"), ("ola", "operator")):
                server.admin("user", "create", name, role=role, password="correct horse battery")
                keys[name] = "X-API-Key: " + server.admin("apikey", "create", name, "k", role=role)
            job = order(server, [("task", "ocr")] + files(2), keys["ann"])
            wait_for(server, job, keys["ann"])
            for path, method in ((job["status_url"], "GET"), (job["status_url"], "DELETE"),
                                 (job["events_url"], "GET"), (job["status_url"] + "/retry", "POST"),
                                 ("/api/v1/jobs?before=" + job["job_id"], "GET")):
                self.assertEqual(server.get(path, keys["ben"], method=method).status, 404, path)
            self.assertEqual(server.get("/api/v1/jobs", keys["ben"]).json()["jobs"], [])
            self.assertEqual(server.get("/api/v1/jobs?all=true", keys["ben"]).status, 403)
            self.assertEqual(len(server.get("/api/v1/jobs", keys["ann"]).json()["jobs"]), 1)
            self.assertEqual(server.get("/api/v1/jobs", keys["ola"]).json()["jobs"], [])
            self.assertEqual(len(server.get("/api/v1/jobs?all=true", keys["ola"]).json()["jobs"]), 1)
            self.assertEqual(server.get(job["status_url"], keys["ola"]).status, 200)
            self.assertEqual(server.send(request_bytes("GET", job["status_url"])).status, 401)
            listed = json.loads(server.admin("job", "list", "--json"))
            self.assertEqual((listed["id"], listed["state"], listed["done"]), (job["job_id"], "done", 2))
            self.assertIn("2 of 2 done", server.admin("job", "show", job["job_id"]))
            self.assertIn("done", server.admin("job", "cancel", job["job_id"]))
            with self.assertRaises(subprocess.CalledProcessError):
                server.admin("job", "retry", job["job_id"])
            self.assertIn('"job.cancel"', server.admin("audit", "list"))
        finally:
            self.assertEqual(server.stop(), 0)


class Encrypted(unittest.TestCase):
    def test_nothing_lies_about_in_the_clear(self):
        key = base64.b64encode(os.urandom(32)).decode()
        server = Server(PROGRAM, jobs="off", encryption_key=key)
        state = server.state
        try:
            marked = png(seed=1)[:-12] + b"\0\0\0\x0etEXtMarked\0secretXXXXX" + png(seed=1)[-12:]
            job = order(server, [("task", "ocr"), ("file", marked, "a.png")])
            self.assertFalse(os.path.exists(state.name + "/jobs"))
            kept = [p for p in Path(state.name + "/objects").rglob("*") if p.is_file()]
            self.assertEqual(len(kept), 1)
            self.assertNotIn(b"secret", kept[0].read_bytes())
            worker = Server(PROGRAM, jobs="only", encryption_key=key, database_url=f"sqlite://{state.name}/vislang.db",
                            object_path=state.name + "/objects")
            try:
                after = wait_for(server, job)
                self.assertEqual(after["state"], "done", after)
                self.assertEqual(after["items"][0]["result"]["source"], "a.png")
                self.assertTrue(wait_until(lambda: not kept[0].exists()))
                self.assertEqual(worker.post("/predict", files(1)).status, 503)
                self.assertEqual(worker.get("/health").status, 200)
            finally:
                self.assertEqual(worker.stop(), 0)
            database = b"".join(p.read_bytes() for p in Path(state.name).glob("vislang.db*"))
            self.assertNotIn(b'"pages":[', database)  # of the result
        finally:
            self.assertEqual(server.stop(), 0)


class Interrupted(unittest.TestCase):
    """Items whose engine takes for ever: cancelled, or given back when the service is to end."""
    NOTICE = (Path(__file__).resolve().parents[2] / "samples" / "notice-eng.jpg").read_bytes()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        service = Misbehaving(None)
        self.addCleanup(service.listener.close)
        self.asked = service.requests
        self.shared = {"database_url": f"sqlite://{folder.name}/db", "job_path": folder.name + "/jobs", "workers": 1}
        self.slow = {"ocr_engines": f"slow=http://127.0.0.1:{service.port}", "ocr_engine_timeout": 80}

    def serve(self, **settings):
        server = Server(PROGRAM, **self.shared, **settings)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return server

    def begin(self, server):
        job = order(server, [("task", "ocr"), ("languages", "eng"), ("file", self.NOTICE, "n.jpg")])
        self.assertTrue(wait_until(lambda: self.asked, 60))
        return job

    def count(self, server, outcome):
        text = server.get("/metrics").body.decode()
        return int(text.split(f'vislang_job_items_total{{outcome="{outcome}"}} ')[1].split()[0])

    def check_cancelled(self, at, other):
        job = self.begin(at)
        r = other.get(job["status_url"], method="DELETE")
        self.assertEqual((r.status, r.json()["state"]), (200, "cancelled"))
        self.assertTrue(wait_until(lambda: self.count(at, "lost") == 1, 30), at.lines[-5:])
        self.assertEqual([i["state"] for i in job_of(at, job)["items"]], ["cancelled"])
        self.assertFalse([l for l in at.lines if "engine failed" in l])  # no fault of its

    def test_a_cancelled_job_lets_its_worker_go(self):
        server = self.serve(**self.slow)
        self.check_cancelled(server, server)

    def test_cancelled_by_another_process(self):
        self.check_cancelled(self.serve(**self.slow), self.serve(jobs="off"))

    def test_sigterm_gives_back_what_takes_longer_than_the_grace(self):
        server = self.serve(job_grace=0.3, job_lease=600, **self.slow)
        job = self.begin(server)
        self.assertEqual(server.stop(40), 0)  # and not after the 80 s of the engine
        self.assertEqual(len([l for l in server.lines if "is given back" in l]), 1)
        server = self.serve()
        ended = wait_for(server, job)
        self.assertEqual([(i["state"], i["attempts"]) for i in ended["items"]], [("done", 1)])

    def test_sigterm_stops_requests_past_the_drain(self):
        server = self.serve(drain_timeout=0.5, **self.slow)
        answer = []
        fields = [("languages", "eng"), ("file", self.NOTICE, "n.jpg")]
        asking = threading.Thread(target=lambda: answer.append(server.post("/api/v1/ocr", fields)))
        asking.start()
        self.assertTrue(wait_until(lambda: self.asked, 60))
        self.assertEqual(server.stop(40), 0)
        asking.join()
        self.assertEqual(answer[0].status, 503)


class Restarts(unittest.TestCase):
    """What was queued goes on, in whichever process; each item ends once."""
    ITEMS = 14

    def settings(self, folder, **more):
        return {"workers": 2, "database_url": f"sqlite://{folder}/vislang.db", "job_path": folder + "/jobs",
                "object_path": folder + "/objects", "job_lease": 1, "job_attempts": 50, **more}

    def check_end(self, server, job):
        after = wait_for(server, job)
        self.assertEqual((after["state"], after["done"], after["failed"]), ("done", self.ITEMS, 0), after)
        self.assertEqual([i["result"]["source"] for i in after["items"]], [f"page-{i}.jpg" for i in range(self.ITEMS)])
        with Events(server, job["events_url"]) as events:
            ended = [e for e in events.all() if e[1] == "item"]
        self.assertEqual([e[0] for e in ended], list(range(1, self.ITEMS + 1)))
        self.assertEqual(sorted(e[2]["number"] for e in ended), list(range(self.ITEMS)))
        return after

    def kill_and_restart(self, **more):
        with tempfile.TemporaryDirectory() as folder:
            settings = self.settings(folder, **more)
            server = Server(PROGRAM, **settings)
            job = order(server, [("task", "ocr")] + pages(self.ITEMS))
            for done in (1, 3, 5):
                self.assertTrue(wait_until(lambda: job_of(server, job)["done"] >= done, 60))
                server.process.kill()
                server.stop()
                server = Server(PROGRAM, **settings)
            try:
                after = self.check_end(server, job)
                self.assertGreater(sum(i["attempts"] for i in after["items"]), self.ITEMS)
                self.assertTrue(wait_until(lambda: not os.listdir(folder + "/jobs")))
            finally:
                self.assertEqual(server.stop(), 0)

    def test_killed(self):
        self.kill_and_restart()

    @unittest.skipUnless(os.environ.get("VISLANG_TEST_POSTGRES"), "no $VISLANG_TEST_POSTGRES")
    def test_killed_beside_postgres(self):
        self.kill_and_restart(database_url=os.environ["VISLANG_TEST_POSTGRES"])

    def test_terminated(self):
        """SIGTERM: what cannot be ended in time is given back, as if it had not been begun."""
        with tempfile.TemporaryDirectory() as folder:
            settings = self.settings(folder, job_lease=600, drain_timeout=0)
            server = Server(PROGRAM, **settings)
            job = order(server, [("task", "ocr")] + pages(self.ITEMS))
            for _ in range(3):
                running = lambda: any(i["state"] == "running" for i in job_of(server, job)["items"])
                self.assertTrue(wait_until(running, 60))
                self.assertEqual(server.stop(60), 0)
                server = Server(PROGRAM, **settings)
            try:
                after = self.check_end(server, job)
                self.assertEqual({i["attempts"] for i in after["items"]}, {1})
            finally:
                self.assertEqual(server.stop(), 0)

    def test_drain_ends_streams_and_what_was_begun(self):
        with tempfile.TemporaryDirectory() as folder:
            settings = self.settings(folder, job_lease=600)
            server = Server(PROGRAM, **settings)
            job = order(server, [("task", "ocr")] + pages(self.ITEMS))
            with Events(server, job["events_url"]) as events:
                self.assertTrue(events.until('"running"'))
                stopped = threading.Thread(target=server.stop)
                stopped.start()
                self.assertNotIn("end", [e[1] for e in events.all()])
                self.assertTrue(events.text.endswith("0\r\n\r\n"))
                stopped.join()
            self.assertEqual(server.process.returncode, 0)
            self.assertFalse([l for l in server.lines if "for nothing" in l])
            server = Server(PROGRAM, **settings)
            try:
                self.assertEqual({i["attempts"] for i in self.check_end(server, job)["items"]}, {1})
            finally:
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PROGRAM = test_serve.PROGRAM = sys.argv.pop(1)
    maker = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as place:
        MODEL = place + "/tiny.gguf"
        subprocess.run([maker, MODEL, "0"], check=True)
        result = unittest.main(exit=False).result
    print(f"job tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(not result.wasSuccessful())
