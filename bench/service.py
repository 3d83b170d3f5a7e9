"""`vislang serve` as the benchmarks run it, with the users and keys they need; and PostgreSQL and Redis beside it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from common import ROOT

PROGRAM = ROOT / "build" / "vislang"
SECRET = "0123456789abcdefghijklmnopqrstuv" * 2
PASSWORD = "a long phrase of the bench"
BESIDE = (ROOT / "tests" / "store" / "with-postgres.sh", ROOT / "tests" / "redis" / "with-redis.sh")


def with_databases():
    """Begins this program anew beside a PostgreSQL and a Redis of its own, and returns once they are there."""
    if "VISLANG_TEST_POSTGRES" in os.environ and "VISLANG_TEST_REDIS" in os.environ:
        return os.environ["VISLANG_TEST_POSTGRES"], os.environ["VISLANG_TEST_REDIS"]
    os.environ.setdefault("VISLANG_TEST_PG_FSYNC", "on")
    os.execv(BESIDE[0], [*map(str, BESIDE), sys.executable, *sys.argv])


def environment():
    """Without what names servers, which the program would refuse as no setting."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("VISLANG_TEST_", "VISLANG_PEERS"))}


def flags_of(settings):
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


class Service:
    """One process; its log is read as it comes. `address` is empty when it did not start."""

    def __init__(self, settings, log=None):
        self.settings = {"port": 0, "secret_key": SECRET, "log_requests": "false", "ocr_record": "none", **settings}
        self.address, self.warnings, self._listening = "", [], threading.Event()
        self.log = log or (lambda event: None)
        self.process = subprocess.Popen([PROGRAM, "serve", *flags_of(self.settings)], stderr=subprocess.PIPE, text=True,
                                        env=environment())
        threading.Thread(target=self._read, daemon=True).start()
        self._listening.wait(60)

    def _read(self):
        for line in self.process.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"level": "error", "message": line.strip()}
            if event.get("message") == "listening":
                self.address = f"http://127.0.0.1:{event['port']}"
                self._listening.set()
            self.log(event)
        self._listening.set()

    def memory(self):
        """Resident MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        return self.process.wait()


def admin(settings, *words):
    """`vislang admin …` on the database of those settings; what it printed."""
    known = {name: settings[name] for name in ("database_url", "audit_log") if name in settings}
    done = subprocess.run([PROGRAM, "admin", *words, *flags_of({"secret_key": SECRET, **known})], env=environment(),
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"vislang admin {' '.join(words)}: {done.stderr}")
    return done.stdout


def make_user(settings, name, role):
    """A user whose password is PASSWORD; his API key of the same role."""
    with tempfile.NamedTemporaryFile("w") as password:
        password.write(PASSWORD + "\n")
        password.flush()
        admin(settings, "user", "create", name, "--role", role, "--password-file", password.name)
    return re.search(r"vl_\S+", admin(settings, "apikey", "create", name, "load", "--role", role)).group(0)
