"""Where the Python programs are that tests and benchmarks compare with: a virtual environment, the
folder .venv or the one that VISLANG_PEERS names, as scripts/deps.sh --peers makes it."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED = os.environ.pop("VISLANG_PEERS", None)  # vislang refuses settings that it does not know
FOLDER = Path(NAMED).absolute() if NAMED else ROOT / ".venv"
PYTHON = FOLDER / "bin" / "python"


def lacking(*modules):
    """What is missing to import these, in words; "" nothing."""
    if not os.access(PYTHON, os.X_OK):
        named = f"VISLANG_PEERS names {FOLDER}" if NAMED else f"it would be {FOLDER}"
        return (f"there is no virtual environment with the programs to compare with ({named}, which has no "
                "bin/python): scripts/deps.sh --peers makes it")
    asked = "import importlib.util, sys; print(*[m for m in sys.argv[1:] if not importlib.util.find_spec(m)])"
    missing = subprocess.run([PYTHON, "-c", asked, *modules], capture_output=True, text=True, check=True).stdout
    return f"{FOLDER} has no {', '.join(missing.split())}: scripts/deps.sh --peers installs it" if missing.split() else ""


def become(*modules):
    """For who could not import these: goes on as the environment's Python, which can; says why not
    and exits with 77 (skipped) where that cannot be."""
    why = lacking(*modules)
    if not why and Path(sys.prefix).resolve() == FOLDER.resolve():
        why = f"{', '.join(modules)} cannot be imported in {FOLDER}"
    if why:
        print(f"SKIPPED, nothing was compared: {why}")
        sys.exit(77)
    if NAMED:
        os.environ["VISLANG_PEERS"] = NAMED
    os.execv(PYTHON, [str(PYTHON), "-B"] + sys.argv)
