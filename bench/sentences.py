"""POST /research/alignment at fixed times, each request another one, for bench/http."""

import asyncio
import itertools
import json
import random

from common import ROOT
from load import Client, at_times, request

READY = 6  # seconds from the first request until all banks and glosses are made
LANGUAGES = ("ar", "es", "fr", "pt", "sw")


def bodies(seed):
    """Two sentences of the bundled bank in one of its languages, looked for in English: no two alike."""
    bank = {language: (ROOT / "models/bank/crisis" / f"{language}.txt").read_text("utf-8").splitlines()
            for language in LANGUAGES}
    pairs = [(language, f"{a} {b}") for language, lines in bank.items() for a, b in itertools.permutations(lines, 2)]
    random.Random(seed).shuffle(pairs)
    return [json.dumps({"source_text": text, "source_lang": language, "target_lang": "en"}).encode()
            for language, text in pairs]


async def sentences(service, rate, seconds, seed=1):
    """(p50, p99, slowest) in milliseconds, requests that were not answered 200, and of those how many were cached."""
    head = ("Content-Type: application/json", f"X-API-Key: {service.key}")
    plan = [(i / rate, request("POST", "/research/alignment", head, body))
            for i, body in enumerate(bodies(seed)[:rate * seconds])]
    client, took, wrong, cached = Client(service.address), [], [], []
    await client.ask(request("POST", "/research/alignment", head, bodies(seed + 1)[-1]))
    await asyncio.sleep(READY)

    async def do(data, planned):
        answer = await client.ask(data)
        took.append((asyncio.get_running_loop().time() - planned) * 1000)
        (wrong if answer.status != 200 else cached if answer.headers["x-cache"] == "hit" else []).append(answer)
    await at_times(plan, do)
    client.close()
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100], took[-1], len(wrong), len(cached)
