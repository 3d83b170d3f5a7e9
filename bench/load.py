"""Requests at fixed times (open loop) over kept connections, for bench/http and bench/soak; standard library only.

A request is counted from the moment it was planned for, not from when it could be sent: what waits because what came
before it is slow, waits in the figures too."""

import asyncio
import time
from collections import deque
from urllib.parse import urlsplit

BOUNDARY = "vislang-bench-boundary"
IDLE_SECONDS = 15  # a kept connection that was silent for longer is not used again


class Lost(Exception):
    """The connection was refused, broke, or gave no answer in time."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def request(method, path, headers=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body or method in ("POST", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def form(path, fields, headers=()):
    """fields: (name, text) or (name, bytes, filename)."""
    body = b""
    for name, value, *filename in fields:
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += f'; filename="{filename[0]}"\r\nContent-Type: application/octet-stream'.encode() if filename else b""
        body += b"\r\n\r\n" + (value if isinstance(value, bytes) else str(value).encode()) + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    return request("POST", path, (f"Content-Type: multipart/form-data; boundary={BOUNDARY}", *headers), body)


def as_new(picture, number):
    """The same picture in other bytes, so that no cache knows it: a comment in a JPEG or PNG, which no decoder looks at."""
    note = f"bench {number}".encode()
    if picture[:2] == b"\xff\xd8":
        return picture[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + picture[2:]
    if picture[:4] == b"\x89PNG":
        import zlib
        chunk = b"tEXt" + b"Comment\0" + note
        return (picture[:33] + (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
                + picture[33:])
    raise ValueError("a JPEG or PNG is needed")


class Client:
    """Kept connections to one address; the one that was used longest ago goes first."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.host, self.port, self.idle = parts.hostname, parts.port, deque()

    async def _connection(self):
        while self.idle:
            since, reader, writer = self.idle.popleft()
            if time.monotonic() - since < IDLE_SECONDS and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self.host, self.port, limit=1 << 20)

    async def _exchange(self, data):
        reader, writer = await self._connection()
        try:
            writer.write(data)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection", "").lower() == "close":
            writer.close()
        else:
            self.idle.append((time.monotonic(), reader, writer))
        return Answer(int(head[0].split(" ")[1]), headers, body)

    async def ask(self, data, timeout=60):
        try:
            return await asyncio.wait_for(self._exchange(data), timeout)
        except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            raise Lost(f"{type(error).__name__} {error}".strip()) from None

    def close(self):
        while self.idle:
            self.idle.popleft()[2].close()


async def at_times(plan, do):
    """plan: (seconds from now, what) in order; do(what, planned) is begun at each, whatever became of those before.
    Returns how late each was begun, in seconds."""
    loop, late, running = asyncio.get_running_loop(), [], set()
    start = loop.time()
    for seconds, what in plan:
        planned = start + seconds
        pause = planned - loop.time()
        if pause > 0:
            await asyncio.sleep(pause)
        late.append(loop.time() - planned)
        task = loop.create_task(do(what, planned))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.gather(*running)
    return late
