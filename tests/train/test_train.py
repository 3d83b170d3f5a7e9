"""`vislang train` as a person meets it: what it says, what survives kill -9 at any instant, and
the curves it draws."""

import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import xml.dom.minidom
from pathlib import Path

import toy

KILLS = 12


class Toy(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vislang-train-"))
        self.addCleanup(shutil.rmtree, self.folder)
        toy.make_data(self.folder)

    def recipe(self, name="recipe.yaml", **values):
        return toy.write_recipe(self.folder / name, **values)

    def train(self, recipe, out, *more, **options):
        return toy.vislang(*toy.command(recipe, self.folder, self.folder / out)[1:], *more,
                           **options)

    def checkpoint(self, out):
        return self.folder / out / "checkpoint.safetensors"

    def assert_trained(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)


class Kills(Toy):
    def test_kill_9_at_any_instant(self):
        """Whenever it dies, the checkpoint is one of a step, and the end is the same."""
        recipe = self.recipe(steps=60, minutes=0)  # a checkpoint after every step
        begun = time.monotonic()
        self.assert_trained(self.train(recipe, "whole"))
        chance = random.Random("kills")
        longest, steps, killed = (time.monotonic() - begun) / 3, [], 0
        for _ in range(KILLS):
            process = subprocess.Popen(toy.command(recipe, self.folder, self.folder / "killed"),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=chance.uniform(0.01, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
            code = process.wait()
            self.assertIn(code, (0, -signal.SIGKILL))
            if self.checkpoint("killed").exists():
                metadata, _ = toy.read_checkpoint(self.checkpoint("killed"))
                steps.append(int(metadata["step"]))
            elif not steps:
                longest *= 1.3  # a slow machine: let it begin at least
        self.assertGreater(killed, 2)
        self.assertEqual(steps, sorted(steps))  # never back
        self.assert_trained(self.train(recipe, "killed"))
        self.assertEqual(self.checkpoint("whole").read_bytes(),
                         self.checkpoint("killed").read_bytes())
        self.assertEqual((self.folder / "whole" / "best.safetensors").read_bytes(),
                         (self.folder / "killed" / "best.safetensors").read_bytes())
        self.assertEqual(toy.read_log(self.folder / "whole"), toy.read_log(self.folder / "killed"))
        left = [name for name in os.listdir(self.folder / "killed") if name.startswith(".")]
        self.assertEqual(left, [])  # what was half written is swept away

    def test_sigterm(self):
        recipe = self.recipe(steps=400)
        process = subprocess.Popen(toy.command(recipe, self.folder, self.folder / "run"),
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if line.startswith("step 3/"):
                break
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 1)
        stopped = int(re.search(r"stopped at step (\d+), with a checkpoint", rest).group(1))
        metadata, _ = toy.read_checkpoint(self.checkpoint("run"))
        self.assertEqual(int(metadata["step"]), stopped)
        self.assertLess(stopped, 400)


class Says(Toy):
    def test_wrong_usage(self):
        recipe = self.recipe()
        bad = self.folder / "bad.yaml"
        bad.write_text(Path(recipe).read_text().replace("warmup", "warmpu"))
        other = self.folder / "other.yaml"
        other.write_text("seed: 1\n")
        here = ["--data", self.folder, "--out", self.folder / "none"]
        cases = [
            (["train"], 2, "train what?"),
            (["train", "sear", *here], 2, "did you mean 'seer'?"),
            (["train", "seer", "langid"], 2, "one model at a time"),
            (["train", "--recipe", recipe], 2, "--data DIR"),
            (["train", "--recipe", other, *here], 2, "does not say which model"),
            (["train", "--recipe", bad, *here], 2, "did you mean 'warmup'?"),
            (["train", "--recipe", self.folder / "no.yaml", *here], 3, "no.yaml"),
            (["train", "seer", "--recipe", recipe, "--evaluate", *here], 2, "--evaluate"),
            (["train", "--recipe", recipe, "--data", self.folder / "folder", "--out",
              self.folder / "x"], 4, "folder/folder"),
            (["train", "plot"], 2, "plot which run?"),
            (["train", "plot", self.folder], 4, "log.jsonl"),
        ]
        for argv, code, words in cases:
            result = toy.vislang(*argv)
            self.assertEqual(result.returncode, code, (argv, result.stderr))
            self.assertIn(words, result.stderr, argv)
        self.assertRegex(toy.vislang(*cases[5][0]).stderr, r"bad\.yaml:\d+: unknown key 'warmpu'")

    def test_lines_when_there_is_no_terminal(self):
        result = self.train(self.recipe(steps=6, log_every=2), "run")
        self.assert_trained(result)
        lines = result.stderr.splitlines()
        self.assertEqual([line.split()[1] for line in lines if "ETA" in line],
                         ["2/6", "4/6", "6/6"])
        self.assertRegex(lines[0], r"caption \d+\.\d{3}  contrast \d.* pictures/s  ETA \d+:\d\d:\d\d$")
        self.assertNotIn("\r", result.stderr)
        named = toy.vislang("train", "seer", "--recipe", self.folder / "recipe.yaml", "--data",
                            self.folder, "--out", self.folder / "named")
        self.assert_trained(named)
        self.assertEqual(self.checkpoint("run").read_bytes(), self.checkpoint("named").read_bytes())

    def test_one_line_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(toy.command(self.recipe(steps=6, log_every=3), self.folder,
                                               self.folder / "run"), stderr=theirs)
        os.close(theirs)
        said = b""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    part = os.read(ours, 4096)
                except OSError:  # the other end is closed
                    break
                if not part:
                    break
                said += part
        self.assertEqual(process.wait(timeout=60), 0)
        os.close(ours)
        drawn = said.decode().split("\r")
        steps = [part for part in drawn if "step" in part and "ETA" in part]
        self.assertGreaterEqual(len(steps), 6)  # one after every step, in place
        self.assertTrue(all("\033[K" in part for part in steps))
        self.assertTrue(all("\n" not in part for part in steps[:-2]))
        self.assertTrue(said.endswith(b"\n"))

    def test_broken_and_missing_pictures_are_named(self):
        data = self.folder / "folder"
        (data / "2.png").write_bytes(b"no picture at all")
        (data / "5.png").unlink()
        result = self.train(self.recipe(steps=6, max_broken=0.5), "run")
        self.assert_trained(result)
        self.assertRegex(result.stderr, r'"picture is missing; left out".*folder/5\.png')
        self.assertRegex(result.stderr, r'"picture cannot be decoded; skipped".*"2\.png"')
        refused = self.train(self.recipe("strict.yaml", steps=6, max_broken=0.1), "strict")
        self.assertEqual(refused.returncode, 3)
        self.assertIn("1 of 8 pictures are missing", refused.stderr)
        with open(data / "metadata.jsonl", "a") as lines:
            lines.write('{"file_name": "1.png", \n')
        result = self.train(self.recipe("again.yaml", steps=6, max_broken=0.5), "again")
        self.assertEqual(result.returncode, 3)
        self.assertIn("metadata.jsonl:9: not JSON", result.stderr)

    def test_a_loss_that_is_no_number(self):
        self.assert_trained(self.train(self.recipe(steps=2), "start"))
        bad = self.folder / "bad.safetensors"
        shutil.copy(self.checkpoint("start"), bad)
        toy.poison(bad, "mixed.0.up.weight")
        result = self.train(self.recipe("bad.yaml", init=bad), "bad")
        self.assertEqual(result.returncode, 3)
        self.assertIn("not a number any more", result.stderr)
        self.assertIn("'mixed.0.up.weight'", result.stderr)
        self.assertFalse(self.checkpoint("bad").exists())


class Plots(Toy):
    def log(self, run, lines):
        (self.folder / run).mkdir(exist_ok=True)
        (self.folder / run / "log.jsonl").write_text("".join(lines))

    def test_curves(self):
        self.assert_trained(self.train(self.recipe(steps=10), "one"))
        self.assert_trained(self.train(self.recipe("b.yaml", steps=10, seed=4), "two"))
        runs = [self.folder / "one", f"{self.folder}/two/"]
        for out, count in (("a.png", 1), ("b.png", 2), ("a.svg", 1), ("b.svg", 2)):
            result = toy.vislang("train", "plot", *runs[:count], "--out", self.folder / out)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout, f"{self.folder / out}\n")
        for name in ("a.png", "b.png"):
            picture = (self.folder / name).read_bytes()
            self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
            width, height = struct.unpack(">II", picture[16:24])
            self.assertGreater(width, 1000)
            self.assertGreater(height, 1000)
        one, two = (xml.dom.minidom.parse(str(self.folder / name)).getElementsByTagName("path")
                    for name in ("a.svg", "b.svg"))
        self.assertGreater(len(two), len(one))
        first = (self.folder / "a.png").read_bytes()
        toy.vislang("train", "plot", runs[0], "--out", self.folder / "a.png")
        self.assertEqual(first, (self.folder / "a.png").read_bytes())

    def test_logs_of_all_kinds(self):
        step = '{"step":%d,"rate":0.1,"norm":1,"caption":%g}\n'
        cases = [
            ("one step", [step % (1, 2)], 0, ""),
            ("torn", [step % (1, 2), step % (2, 1), '{"step":3,"ra'], 0, ""),
            ("done again", [step % (n, n) for n in (1, 2, 3, 2, 3, 4)], 0, ""),
            ("level", [step % (n, 1) for n in (1, 2)], 0, ""),
            ("large", [step % (n * 10**8, 1e30 * n) for n in (1, 2)], 0, ""),
            ("small", [step % (n, 1e-30 * n) for n in (1, 2)], 0, ""),
            ("no numbers", ['{"step":1,"rate":"x","caption":null}\n'], 3, "no step of a run"),
            ("nothing", [], 3, "no step of a run"),
            ("other", ["[]\n", "3\n", "\n", "{}\n", "\0\xff\n"], 3, "no step of a run"),
        ]
        for name, lines, code, words in cases:
            self.log("run", lines)
            result = toy.vislang("train", "plot", self.folder / "run", "--out",
                                 self.folder / "x.svg", timeout=60)
            self.assertEqual(result.returncode, code, (name, result.stderr))
            self.assertIn(words, result.stderr, name)
        self.log("run", [step % (1, 2)])
        run = self.folder / "run"
        for argv, code, words in (
                ([run, "--out", self.folder / "x.gif"], 2, ".png or .svg"),
                ([run, "--out", "/nowhere/x.png"], 1, "/nowhere/x.png"),
                ([run] * 7, 2, "1 to 6"), ([run, self.folder / "no"], 4, "no/log.jsonl")):
            result = toy.vislang("train", "plot", *argv)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(words, result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
