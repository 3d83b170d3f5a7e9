"""One dataset by several processes through PostgreSQL's queue: the same bytes as by one, also when some are killed. Run it by
tests/store/with-postgres.sh."""

import json
import os
import random
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import documents
from test_build import PROGRAM, RECIPE, tree

POSTGRES = os.environ["VISLANG_TEST_POSTGRES"]
ENV = {"PATH": os.environ["PATH"]}


class Queue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.shared.cleanup)
        home = Path(cls.shared.name)
        (home / "place").mkdir()
        documents.write(home / "place", pages=24, texts=1500)
        cls.call("harvest", home / "place", "--out", home / "collection")
        (home / "recipe.yaml").write_text(RECIPE)
        cls.home = home
        cls.call("dataset", "build", "--recipe", home / "recipe.yaml", "--out", home / "alone")
        cls.alone = tree(home / "alone")

    @classmethod
    def call(cls, *args):
        return subprocess.run([PROGRAM, *map(str, args)], check=True, capture_output=True, timeout=280, env=ENV)

    def start(self, out, *args, lease=1):
        return subprocess.Popen([PROGRAM, "dataset", "build", "--recipe", str(self.home / "recipe.yaml"), "--out", str(out),
                                 "--queue", POSTGRES, "--set", f"job_lease={lease}", "--json", *args],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)

    def end(self, process):
        out, said = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 0, said)
        return json.loads(out)

    def test_one(self):
        self.end(self.start(self.home / "one", "--jobs", "2"))
        self.assertEqual(tree(self.home / "one"), self.alone)

    def test_two_say_the_same(self):
        both = [self.start(self.home / "two", "--jobs", "1") for _ in range(2)]
        reports = [self.end(process) for process in both]
        self.assertEqual({**reports[0], "seconds": 0}, {**reports[1], "seconds": 0})
        self.assertEqual(tree(self.home / "two"), self.alone)

    def test_one_of_two_is_killed(self):
        out = self.home / "killed"
        victim, other = self.start(out, "--jobs", "1"), self.start(out, "--jobs", "1")
        until = time.monotonic() + 60
        while len(list(out.glob(".vislang-build/chunks/0*.jsonl"))) < 2 and time.monotonic() < until:
            time.sleep(0.002)
        victim.kill()
        victim.communicate()
        self.end(other)
        self.assertEqual(tree(out), self.alone)

    def test_many_are_killed_at_any_moment(self):
        rng, out, kills = random.Random(2), self.home / "many", 0
        running = []
        while not (out / "dataset.json").exists() and kills < 60:
            running = [p for p in running if p.poll() is None]
            while len(running) < 2:
                running.append(self.start(out, "--jobs", "1", lease=0.5))
            time.sleep(rng.uniform(0.05, 0.6) * (1 + kills / 4))
            victim = running.pop(rng.randrange(len(running)))
            victim.kill()
            victim.communicate()
            kills += 1
        for process in running:
            self.end(process)
        self.end(self.start(out))
        self.assertGreater(kills, 1)
        self.assertEqual(tree(out), self.alone)

    def test_the_database_is_not_there(self):
        process = subprocess.run([PROGRAM, "dataset", "build", "--recipe", str(self.home / "recipe.yaml"), "--out",
                                  str(self.home / "away"), "--queue", "postgresql://vislang@/postgres?host=/nowhere"],
                                 capture_output=True, text=True, timeout=120, env=ENV)
        self.assertEqual(process.returncode, 4, process.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
