"""Training over several processes (mpirun): the curves of two are those of one."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import toy

MPIRUN = shutil.which("mpirun")
SKIPPED = 77


class Ranks(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vislang-ranks-"))
        self.addCleanup(shutil.rmtree, self.folder)
        toy.make_data(self.folder)

    def command(self, count, recipe, out):
        one = toy.command(recipe, self.folder, self.folder / out)
        together = [MPIRUN, "--oversubscribe", "--allow-run-as-root", "--bind-to", "none",
                    "-np", str(count), *one]
        return together if count > 1 else one

    def environment(self):
        # Open MPI keeps what it allocated; containers may forbid reading each other's memory.
        return {**os.environ, "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
                "ASAN_OPTIONS": "detect_leaks=0"}

    def train(self, count, out, **values):
        recipe = toy.write_recipe(self.folder / f"{out}.yaml", **values)
        return subprocess.run(self.command(count, recipe, out), capture_output=True, text=True,
                              timeout=300, env=self.environment())

    def trained(self, count, out, **values):
        result = self.train(count, out, **values)
        self.assertEqual(result.returncode, 0, result.stderr)
        return toy.read_log(self.folder / out)

    def tensors(self, out):
        return toy.read_checkpoint(self.folder / out / "checkpoint.safetensors")[1]

    def test_two_give_the_curve_of_one(self):
        one, two = self.trained(1, "one"), self.trained(2, "two")
        self.assertEqual(len([line for line in one if "step" in line]), 10)
        self.assertEqual(len(one), len(two))
        for a, b in zip(one, two):
            self.assertEqual(a.keys(), b.keys())
            for key in a:
                self.assertLess(abs(a[key] - b[key]), 1e-4 * max(1, abs(a[key])), (key, a, b))

    def test_lanes_and_ranks_are_alike(self):
        """Two lanes of one process, or one lane of each of two: the same sums, bit for bit."""
        lanes = self.trained(1, "lanes", lanes=2)
        ranks = self.trained(2, "ranks", lanes=1)
        self.assertEqual(lanes, ranks)
        self.assertEqual(self.tensors("lanes"), self.tensors("ranks"))

    def test_more_than_there_are_pieces(self):
        one, many = self.trained(1, "few", steps=2), self.trained(7, "many", steps=2)
        for a, b in zip(one, many):
            for key in a:
                self.assertLess(abs(a[key] - b[key]), 1e-4 * max(1, abs(a[key])), (key, a, b))

    def test_stop_together_and_go_on_alone(self):
        recipe = toy.write_recipe(self.folder / "run.yaml", steps=40)
        process = subprocess.Popen(self.command(2, recipe, "run"), stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True, env=self.environment())
        for line in process.stderr:
            if line.startswith("step 3/"):
                break
        process.send_signal(signal.SIGUSR1)  # mpirun hands it on
        _, rest = process.communicate(timeout=120)
        self.assertNotEqual(process.returncode, 0)
        stopped = int(re.search(r"stopped at step (\d+), with a checkpoint", rest).group(1))
        self.assertLess(stopped, 40)
        alone = subprocess.run(self.command(1, recipe, "run"), capture_output=True, text=True,
                               timeout=300)
        self.assertEqual(alone.returncode, 0, alone.stderr)
        steps = [line["step"] for line in toy.read_log(self.folder / "run") if "step" in line]
        self.assertEqual(steps, list(range(1, 41)))

    def test_what_fails_in_one_stops_all(self):
        self.trained(1, "start", steps=1)
        bad = self.folder / "bad.safetensors"
        shutil.copy(self.folder / "start" / "checkpoint.safetensors", bad)
        toy.poison(bad, "stem.1.weight")
        result = self.train(2, "bad", init=bad)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("'stem.1.weight' are no numbers", result.stderr)
        # A recipe that only the second process finds to be another.
        recipes = [toy.write_recipe(self.folder / f"{i}.yaml", seed=i) for i in range(2)]
        run = [MPIRUN, "--oversubscribe", "--allow-run-as-root", "--bind-to", "none"]
        for i, recipe in enumerate(recipes):
            run += [":"] * (i > 0) + ["-np", "1",
                                      *toy.command(recipe, self.folder, self.folder / "odd")]
        result = subprocess.run(run, capture_output=True, text=True, timeout=120,
                                env=self.environment())
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("the recipe is not the same as in process 0", result.stderr)


if __name__ == "__main__":
    if not MPIRUN:
        print("SKIPPED: no mpirun here (Debian's openmpi-bin): training over several processes "
              "was NOT tested")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
