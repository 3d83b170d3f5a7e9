"""VISLANG_PEERS is one thing for tests and benchmarks: the folder of a virtual environment
(scripts/peers.py); where there is none, that is said.

usage: test_peers.py"""
import os
import subprocess
import sys
import tempfile
import unittest
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def said(code, named):
    environment = {k: v for k, v in os.environ.items() if k != "VISLANG_PEERS"}
    if named is not None:
        environment["VISLANG_PEERS"] = str(named)
    return subprocess.run([sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
                           f"import os, peers\n{code}"], env=environment, capture_output=True, text=True)


class Peers(unittest.TestCase):
    def test_where(self):
        code = "print(peers.PYTHON, 'VISLANG_PEERS' in os.environ)"
        self.assertEqual(said(code, None).stdout, f"{ROOT}/.venv/bin/python False\n")
        self.assertEqual(said(code, "/some/where").stdout, "/some/where/bin/python False\n")

    def test_what_is_missing_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            for named in (f"{folder}/none", f"{folder}/none/bin/python"):  # a folder, and no interpreter
                done = said("peers.become('nothing')", named)
                self.assertEqual(done.returncode, 77, done)
                self.assertIn(f"VISLANG_PEERS names {named}, which has no bin/python", done.stdout)
                self.assertIn("scripts/deps.sh --peers", done.stdout)
            venv.create(f"{folder}/v", symlinks=True)
            done = said("print(peers.lacking('json', 'no_such_module', 'nor_this') + '|' + peers.lacking('json'))",
                        f"{folder}/v")
            self.assertEqual(done.stdout, f"{folder}/v has no no_such_module, nor_this: "
                                          "scripts/deps.sh --peers installs it|\n", done.stderr)

    def test_a_test_goes_on_in_it(self):
        with tempfile.TemporaryDirectory() as folder:
            venv.create(f"{folder}/v", symlinks=True)
            module = next(Path(folder, "v").glob("lib/python*/site-packages")) / "only_there.py"
            module.write_text("")
            program = Path(folder, "program.py")
            program.write_text(f"import sys\nsys.path.insert(0, {str(ROOT / 'scripts')!r})\nimport peers\n"
                               "try:\n    import only_there\nexcept ImportError:\n    peers.become('only_there')\n"
                               "print(sys.prefix, *sys.argv[1:])\n")
            done = subprocess.run([sys.executable, "-B", program, "a", "b"], capture_output=True, text=True,
                                  env={**os.environ, "VISLANG_PEERS": f"{folder}/v"})
            self.assertEqual(done.stdout, f"{folder}/v a b\n", done)
            module.write_text("import no_such_module\n")  # it is there, and broken: no running in circles
            done = subprocess.run([sys.executable, "-B", program], capture_output=True, text=True,
                                  env={**os.environ, "VISLANG_PEERS": f"{folder}/v"})
            self.assertEqual(done.returncode, 77, done)
            self.assertIn("cannot be imported", done.stdout)


if __name__ == "__main__":
    unittest.main()
