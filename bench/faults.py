"""What goes wrong in bench/soak: processes that are killed, servers that are stopped, a disk that is full. Everything is
real: signals, PostgreSQL's and Redis' own processes, a file system (tmpfs, which root may mount) that has no room left."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

from service import Service

DISK_MB = 64


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def small_disk(folder):
    """A file system of DISK_MB in that folder; yields whether there is one."""
    folder.mkdir()
    made = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder], stderr=subprocess.DEVNULL).returncode
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "-l", folder], check=True)


class Kept:
    """A service that is started again when it was killed, as systemd or Kubernetes would."""

    def __init__(self, name, settings):
        self.name, self.settings, self.service = name, settings, None
        self.starts, self.away, self.log = 0, [], Counter()
        self.start()

    def _note(self, event):
        if event.get("level") in ("warn", "error"):
            reason = str(event.get("reason", event.get("error", "")))[:90]
            self.log[f"{event['level']}: {event.get('message')}: {reason}"] += 1

    def start(self):
        """Tries until it listens: what it needs may be away."""
        for _ in range(120):
            self.service = Service(self.settings, self._note)
            self.starts += 1
            if self.service.address:
                break
            self.service.process.wait()
            time.sleep(0.5)
        else:
            raise SystemExit(f"{self.name} does not start: {self.log.most_common(3)}")
        if self.away:
            self.away[-1] = (self.away[-1][0], time.monotonic())

    def kill(self):
        self.away.append((time.monotonic(), float("inf")))
        self.service.process.kill()
        self.service.process.wait()

    def was_away(self, since, until):
        """Whether requests between these times may have met nobody; connections that it had are broken for a while."""
        return any(begin - 0.5 <= until and end + 0.5 >= since for begin, end in self.away)

    def stop(self):
        return self.service.stop()


class Fault:
    def __init__(self, name, begin, end):
        self.name, self.begin, self.end = name, begin, end


def control(variable, word):
    subprocess.run([os.environ[variable], word], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def redis_pid():
    return int((Path(os.environ["VISLANG_TEST_REDIS_CTL"]).parent / "one.pid").read_text())


def fill(path):
    """Takes all the room that is left."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def all_faults(api, workers, disk, chance):
    """`disk`: a folder that may be filled, or None."""
    one = []

    def kill_one():
        one.append(chance.choice(workers))
        one[-1].kill()

    def kill_all():
        for worker in workers:
            worker.kill()

    def start_all():
        for worker in workers:
            worker.start()

    faults = [
        Fault("Redis killed", lambda: control("VISLANG_TEST_REDIS_CTL", "stop"),
              lambda: control("VISLANG_TEST_REDIS_CTL", "start")),
        Fault("Redis hangs", lambda: os.kill(redis_pid(), signal.SIGSTOP), lambda: os.kill(redis_pid(), signal.SIGCONT)),
        Fault("PostgreSQL stopped", lambda: control("VISLANG_TEST_PG_CTL", "stop"),
              lambda: control("VISLANG_TEST_PG_CTL", "start")),
        Fault("a worker killed", kill_one, lambda: one.pop().start()),
        Fault("all workers killed", kill_all, start_all),
        Fault("the service killed", api.kill, api.start),
    ]
    if disk:
        full = disk / "full"
        faults.append(Fault("disk full", lambda: fill(full), full.unlink))
    return faults


def clash(faults):
    """Two that cannot be at once: what was killed cannot be stopped."""
    names = " ".join(fault.name for fault in faults)
    return names.count("Redis") > 1 or names.count("worker") > 1


def rounds(faults, chance):
    """Every fault once, by chance which comes when; from the second round on sometimes two at once."""
    first = True
    while True:
        order = list(faults)
        chance.shuffle(order)
        while order:
            some = [order.pop()]
            if not first and order and chance.random() < 0.4 and not clash([some[0], order[-1]]):
                some.append(order.pop())
            yield some
        first = False
