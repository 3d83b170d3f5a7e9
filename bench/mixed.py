"""What bench/http asks of the service when it asks for many things: `mixed` and `growth`."""

import asyncio
import gc
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict

from common import ROOT, percentile, table
from load import Client, Lost, as_new, at_times, form, request
from service import PASSWORD, PROGRAM, environment, make_user

SAMPLES = ROOT / "samples"
PAGES = [SAMPLES / name for name in ("notice-spa.png", "notice-ukr.webp")]
PHOTOS = [SAMPLES / "photos" / f"{name}.jpg" for name in ("cat", "rocket", "coffee", "astronaut")]
USERS = 4
PER_MINUTE = 10000
LIMIT = 2 * PER_MINUTE  # requests a minute from one address, of a user, with a key, of all: obeyed, and not reached

# Of 10,000 requests, how many of each kind. "Anew": the picture's bytes are others each time, so that no cache knows
# it and it is decoded, read or looked at again.
MIX = {
    "/health": 2600,
    "/ready": 600,
    "/predict, cached": 2600,
    "/api/v1/ocr, cached": 1992,
    "/stats": 300,
    "/metrics": 200,
    "/models": 300,
    "/auth/token": 60,
    "/auth/refresh": 240,
    "/api/v1/retrieve, a text anew": 400,
    "/api/v1/scene, a photo anew": 200,
    "/api/v1/caption, a photo anew": 160,
    "/api/v1/vqa, a photo anew": 100,
    "/api/v1/ocr, a photo anew": 110,
    "/predict, a photo anew": 110,
    "/api/v1/ocr, a page anew": 28,
}
COMPUTED = [kind for kind in MIX if kind.endswith("anew")]
assert sum(MIX.values()) == PER_MINUTE


def index_of_photos(folder):
    """For /api/v1/retrieve."""
    path = folder / "photos.index"
    subprocess.run([PROGRAM, "search", SAMPLES / "photos", "a cat", "--index", path, "--set", "ocr_record=none"],
                   check=True, capture_output=True, env=environment())
    return path


class Person:
    """One user, by key and by token: every other request of his shows the one, or the other."""

    def __init__(self, name, key):
        self.name, self.key, self.token, self.refresh, self.asked = name, key, "", [], 0

    def shown(self):
        self.asked += 1
        return (f"X-API-Key: {self.key}",) if self.asked % 2 else (f"Authorization: Bearer {self.token}",)

    def take(self, tokens):
        self.token = tokens["access_token"]
        self.refresh.append(tokens["refresh_token"])


class Mix:
    """Makes requests of each kind, and judges what was answered."""

    def __init__(self, service, seed):
        self.service, self.chance, self.number = service, random.Random(seed), 0
        self.people = [Person(name, make_user(service.settings, name, "viewer"))
                       for name in (f"asker{i}" for i in range(USERS))]
        self.bytes = {path: path.read_bytes() for path in PAGES + PHOTOS}
        self.latency, self.troubles = defaultdict(list), Counter()
        self.client = Client(service.address)

    def upload(self, path, file, person, anew=False, **fields):
        data = as_new(self.bytes[file], self.number) if anew else self.bytes[file]
        return form(path, [*fields.items(), ("file", data, file.name)], person.shown())

    def build(self, kind, person):
        """The request, and what becomes of its answer's JSON (None: nothing)."""
        self.number += 1
        path, _, rest = kind.partition(", ")
        photo = self.chance.choice(PHOTOS)
        json_type = "Content-Type: application/json"
        if path in ("/health", "/ready"):
            return request("GET", path), None
        if path in ("/stats", "/metrics", "/models"):
            return request("GET", path, person.shown()), None
        if path == "/auth/token":
            body = json.dumps({"username": person.name, "password": PASSWORD}).encode()
            return request("POST", path, (json_type,), body), person.take
        if path == "/auth/refresh":
            body = json.dumps({"refresh_token": person.refresh.pop()}).encode()
            return request("POST", path, (json_type,), body), person.take
        if path == "/api/v1/retrieve":
            return form(path, [("text", f"a picture of {self.number} things")], person.shown()), None
        if rest == "cached":
            return self.upload(path, self.chance.choice(PAGES + PHOTOS), person), None
        more = {"question": "what is it?"} if path == "/api/v1/vqa" else {}
        return self.upload(path, PAGES[0] if "page" in rest else photo, person, anew=True, **more), None

    async def ask(self, kind, person=None):
        """What is wrong with the answer; "" nothing."""
        who = person or self.chance.choice(self.people)
        if kind == "/auth/refresh" and not who.refresh:  # both of his are on their way
            who = next(p for p in self.people if p.refresh)
        data, take = self.build(kind, who)
        try:
            answer = await self.client.ask(data)
        except Lost as lost:
            return f"no answer ({lost})"
        if answer.status != 200:
            return f"status {answer.status}: {answer.body[:120]!r}"
        if "anew" in kind and answer.headers.get("x-cache") == "hit":
            return "from a cache"
        if kind.endswith("cached") and answer.headers.get("x-cache") != "hit":
            return "not from the cache"
        if take:
            take(json.loads(answer.body))
        return ""

    async def do(self, kind, planned):
        trouble = await self.ask(kind)
        if trouble:
            self.troubles[f"{kind}: {trouble}"] += 1
        self.latency[kind].append((asyncio.get_running_loop().time() - planned) * 1000)

    async def warm_up(self):
        for person in self.people:
            for _ in range(USERS):
                await self.ask("/auth/token", person)
        for path in ("/predict", "/api/v1/ocr"):
            for file in PAGES + PHOTOS:
                await self.client.ask(self.upload(path, file, self.people[0]))
        for kind in COMPUTED:
            await self.ask(kind)


def plan(minutes, seed, per_minute=PER_MINUTE):
    """(seconds, kind): as many of each kind in every minute as MIX says, by chance which comes when."""
    chance, number = random.Random(seed), 0
    for _ in range(minutes):
        kinds = [kind for kind, count in MIX.items() for _ in range(count)]
        chance.shuffle(kinds)
        for kind in kinds:
            yield number * 60 / per_minute, kind
            number += 1


def report(mix, seconds, late, processor):
    rows = []
    for kind in MIX:
        ms = mix.latency[kind]
        wrong = sum(count for trouble, count in mix.troubles.items() if trouble.startswith(f"{kind}: "))
        rows.append([kind, len(ms), f"{percentile(ms, .5):.1f}", f"{percentile(ms, .99):.1f}", f"{max(ms):.0f}", wrong])
    every = [ms for kind in MIX for ms in mix.latency[kind]]
    wrong = sum(mix.troubles.values())
    rows.append(["all", len(every), f"{percentile(every, .5):.1f}", f"{percentile(every, .99):.1f}", f"{max(every):.0f}",
                 wrong])
    table(["kind", "requests", "p50 ms", "p99 ms", "longest ms", "errors"], rows)
    computed = sum(MIX[kind] for kind in COMPUTED)
    mine = os.times()
    print(f"\n{len(every)} requests in {seconds:.1f} s, {len(every) / seconds * 60:.0f} a minute; {computed / PER_MINUTE:.1%} "
          f"of them computed anew; {wrong} errors.\nProcessor seconds: the service {processor:.0f}, who asks "
          f"{mine.user + mine.system:.0f}, of {seconds * len(os.sched_getaffinity(0)):.0f} (databases not counted).\n"
          f"Requests were begun {percentile(late, .5) * 1000:.1f} ms late in the median, {percentile(late, .99) * 1000:.1f} "
          "at p99, which is in the figures.")
    for trouble, count in mix.troubles.most_common(20):
        print(f"{count} × {trouble}", file=sys.stderr)
    return wrong


async def mixed(service, minutes, seed):
    """How many answers were wrong or missing."""
    mix = Mix(service, seed)
    await mix.warm_up()
    before, start = service.processor_seconds(), time.perf_counter()
    gc.freeze()
    late = await at_times(plan(minutes, seed), mix.do)
    seconds = time.perf_counter() - start
    mix.client.close()
    return report(mix, seconds, late, service.processor_seconds() - before)


# ---- many requests ----------------------------------------------------------------------------------------------------

# Of 100; wrk goes through them in this order, spread evenly.
MANY = {"/health": 40, "/predict": 20, "/api/v1/ocr": 20, "/ready": 8, "/stats": 4, "/metrics": 4, "/models": 4}
WARM_UP = 50000


def script_of(service, folder):
    """A wrk script that asks for MANY, with a key."""
    order = sorted((n / count, kind) for kind, count in MANY.items() for n in range(count))
    lines = ["local r = {}", "function init()"]
    for i, (_, kind) in enumerate(order):
        if kind in ("/predict", "/api/v1/ocr"):
            file = (PAGES + PHOTOS)[i % len(PAGES + PHOTOS)]
            head, body = form(kind, [("file", file.read_bytes(), file.name)]).split(b"\r\n\r\n", 1)
            boundary = re.search(rb"boundary=(\S+)", head).group(1).decode()
            (folder / f"{file.name}.body").write_bytes(body)
            lines.append(f"  local f = io.open('{folder}/{file.name}.body', 'rb')\n"
                         f"  r[#r + 1] = wrk.format('POST', '{kind}', {{['X-API-Key'] = '{service.key}', "
                         f"['Content-Type'] = 'multipart/form-data; boundary={boundary}'}}, f:read('*a')) f:close()")
        else:
            lines.append(f"  r[#r + 1] = wrk.format('GET', '{kind}', {{['X-API-Key'] = '{service.key}'}})")
    lines += ["end", "local n = 0", "function request() n = n % #r + 1 return r[n] end"]
    path = folder / "many.lua"
    path.write_text("\n".join(lines))
    return path


def growth(service, folder, requests, wrk):
    """Asks until so many were answered after WARM_UP; True when all were answered well."""
    script, errors, begun = script_of(service, folder), set(), time.perf_counter()
    rows, done = [[0, f"{service.memory():.1f}", "started"]], 0

    def ask_until(count, seconds):
        nonlocal done
        while done < count:
            answered = wrk(f"{service.address}/", seconds, 8, script)
            done += answered[5]
            errors.add(answered[3])
        return service.memory()

    warm = last = ask_until(WARM_UP, 2)
    rows.append([done, f"{warm:.1f}", "warm"])
    first = done
    for part in range(1, 6):
        last = ask_until(first + requests * part // 5, 5)
        rows.append([done, f"{last:.1f}", f"{last - warm:+.1f}"])
    table(["requests answered", "resident MB", ""], rows)
    print(f"\n{done - first} requests: {last - warm:+.1f} MB; {done / (time.perf_counter() - begun):.0f} requests/s; "
          f"errors: {', '.join(sorted(errors))}")
    return errors == {"0"}
