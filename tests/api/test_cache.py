"""Answers that several processes share through Redis, while it is there and while it is not.

usage: test_cache.py PROGRAM [unittest options], beside tests/redis/with-redis.sh"""
import json
import os
import subprocess
import sys
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, wait_until

PROGRAM = None
URL = os.environ.get("VISLANG_TEST_REDIS")
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../samples/notice-swh.jpg")


def redis(*words, data=None):
    at = urllib.parse.urlsplit(URL)
    done = subprocess.run(["redis-cli", "-e", "-h", at.hostname, "-p", str(at.port), "-n", at.path.strip("/"), *words],
                          input=data, capture_output=True, check=True,
                          env={**os.environ, "REDISCLI_AUTH": urllib.parse.unquote(at.password)})
    return done.stdout.decode("utf-8", "replace").strip()


def counter(server, name):
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(name)


@unittest.skipUnless(URL, "needs a Redis (tests/redis/with-redis.sh)")
class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(PAGE, "rb") as page:
            cls.page = page.read()

    def setUp(self):
        redis("FLUSHDB")
        self.servers = [Server(PROGRAM, redis_url=URL, ocr_engines="tesseract") for _ in range(2)]

    def tearDown(self):
        self.assertEqual([s.stop() for s in self.servers], [0, 0])

    def read(self, server, format="text"):
        answer = server.post("/api/v1/ocr", [("file", self.page, "page.jpg"), ("languages", "swa"),
                                             ("format", format)])
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def test_one_makes_it_the_other_has_it(self):
        first, second = self.servers
        for format in ("text", "json", "hocr"):
            made, had = self.read(first, format), self.read(second, format)
            self.assertEqual(made.body, had.body)
            self.assertEqual(made.headers["content-type"], had.headers["content-type"])
        self.assertEqual(counter(second, "vislang_documents_processed_total"), 0)
        self.assertEqual(counter(second, "vislang_shared_cache_hits_total"), 3)
        self.assertEqual(counter(first, "vislang_shared_cache_hits_total"), 0)
        # From here it is in memory.
        self.assertEqual(self.read(second).headers["x-cache"], "hit")
        self.assertEqual(counter(second, "vislang_shared_cache_hits_total"), 3)
        self.assertEqual(second.get("/stats").json()["cache"]["shared_hits"], 3)
        names = redis("KEYS", "*").split()
        self.assertEqual(len(names), 3)
        for name in names:
            self.assertTrue(0 < int(redis("TTL", name)) <= 3600)

    def test_asked_at_once_it_is_made_once(self):
        first = self.servers[0]
        threads = [threading.Thread(target=self.read, args=(first,)) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(counter(first, "vislang_documents_processed_total"), 1)

    def test_cleared_by_who_may(self):
        first, second = self.servers
        self.read(first)
        self.read(second)
        cleared = first.call("POST", "/admin/clear_cache")
        self.assertEqual(cleared.status, 200, cleared.body)
        said = cleared.json()
        self.assertEqual((said["entries"], said["shared_entries"]), (1, 1))
        self.assertGreater(said["bytes"], 100)
        self.assertEqual(redis("KEYS", "*"), "")
        self.read(first)
        self.assertEqual(counter(first, "vislang_documents_processed_total"), 2)
        entries = [json.loads(line) for line in first.admin("audit", "list").splitlines()]
        self.assertIn("cache.clear", [e["action"] for e in entries])

    def test_what_others_wrote_there_is_no_answer(self):
        first, second = self.servers
        made = self.read(first)
        name = redis("KEYS", "*")
        for value in (b"", b"no type", b"text/evil\n<script>", b"\n", b"\0\0\0"):
            redis("-x", "SET", name, data=value)
            second.call("POST", "/admin/clear_cache")
            redis("-x", "SET", name, data=value)
            self.assertEqual(self.read(second).body, made.body, value)
        redis("DEL", name)
        redis("LPUSH", name, "a list")
        second.call("POST", "/admin/clear_cache")
        redis("DEL", name)
        redis("LPUSH", name, "a list")
        self.assertEqual(self.read(second).body, made.body)

    def test_redis_goes_and_comes(self):
        first, second = self.servers
        made = self.read(first)
        control = os.environ["VISLANG_TEST_REDIS_CTL"]
        subprocess.run([control, "stop"], check=True)
        try:
            self.assertEqual(self.read(second).body, made.body)  # made again
            self.assertEqual(self.read(second).headers["x-cache"], "hit")
            self.assertEqual(second.call("POST", "/admin/clear_cache").status, 503)
            self.assertEqual(self.read(second).headers["x-cache"], "miss")  # its own is empty
        finally:
            subprocess.run([control, "start"], check=True)

        def shares():
            first.call("POST", "/admin/clear_cache")
            self.read(first)
            return redis("KEYS", "*") != ""
        self.assertTrue(wait_until(shares, 20))
        before = counter(second, "vislang_shared_cache_hits_total")

        def has():
            second_cleared = second.call("POST", "/admin/clear_cache").status == 200
            first.call("POST", "/admin/clear_cache")
            self.read(first)
            self.read(second)
            return second_cleared and counter(second, "vislang_shared_cache_hits_total") > before
        self.assertTrue(wait_until(has, 20))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
