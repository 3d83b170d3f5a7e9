"""The book of bench/soak: what the service acknowledged, and what is held against it at the end.

A request is acknowledged by its 2xx. One that is not may fail with 429 or 503 that say so (a problem document and
Retry-After), or, while the process that it was sent to is away, with a broken connection; whether its work was done is
then open. Everything else is a fault of the service."""

import hashlib
import io
import json
import zipfile
from collections import Counter, defaultdict

from load import Lost

OPEN = "open"  # asked for, and never acknowledged
ENDED = ("done", "failed", "cancelled")


class Ledger:
    def __init__(self):
        self.users = {}       # name → {"id", "role", "state"}
        self.keys = {}        # id → {"user", "key", "revoked"}
        self.kept = {}        # subject → {"sha256", "object", "state"}
        self.jobs = {}        # id → {"names", "task", "key", "cancelled"}
        self.corrections = {}  # engine → True, or OPEN
        self.sessions = {}    # refresh token → True
        self.audited = []     # (action, request id)
        self.acknowledged, self.refused, self.wrong = Counter(), [], Counter()

    def note(self, kind, answer, action=None):
        self.acknowledged[kind] += 1
        if action:
            self.audited.append((action, answer.headers.get("x-request-id")))

    def refusal(self, kind, answer, at, was_away):
        """Books a request that was not acknowledged; says what is wrong with how, "" nothing."""
        if isinstance(answer, Lost):
            what, fine = f"no answer ({answer})", was_away
        else:
            what = f"status {answer.status}"
            try:
                problem = json.loads(answer.body)
            except ValueError:
                problem = {}
            fine = answer.status in (429, 503) and "detail" in problem and "retry-after" in answer.headers
            if not fine:
                what += f" {problem.get('detail', answer.body[:100])}"
        self.refused.append((at, kind, what))
        if not fine:
            self.wrong[f"{kind}: {what}"] += 1


def problems_of(ledger, ask, form_of_correction, answer_of, audit_file, verify):
    """Everything that was acknowledged and is not there exactly once, in words. `ask(method, path, json=None,
    headers=None)` answers as the service does now, with an admin's key."""
    found = []
    found += check_people(ledger, ask)
    found += check_kept(ledger, ask)
    found += check_jobs(ledger, ask, answer_of)
    found += check_corrections(ledger, ask, form_of_correction)
    found += check_sessions(ledger, ask)
    found += check_audit(ledger, ask, audit_file)
    trouble = verify()
    return found + ([f"the audit trail does not verify: {trouble}"] if trouble else [])


def check_people(ledger, ask):
    found, users = [], ask("GET", "/admin/users").json()["users"]
    names = Counter(user["name"] for user in users)
    by_name = {user["name"]: user for user in users}
    for name, known in ledger.users.items():
        if names[name] > 1 or (not names[name] and known["state"] != OPEN):
            found.append(f"user {name} is there {names[name]} times")
        elif known["state"] != OPEN and known["role"] != OPEN and by_name[name]["role"] != known["role"]:
            found.append(f"user {name} is {by_name[name]['role']} and was made {known['role']}")
    listed = {}
    for name in {known["user"] for known in ledger.keys.values()}:
        for key in ask("GET", f"/admin/users/{by_name[name]['id']}/keys").json()["keys"]:
            listed.setdefault(key["id"], []).append(key)
    for number, known in ledger.keys.items():
        times = len(listed.get(number, []))
        if times != 1:
            found.append(f"key {number} of {known['user']} is there {times} times")
            continue
        status = ask("GET", "/models", headers={"X-API-Key": known["key"]}).status
        if known["revoked"] != OPEN and status != (401 if known["revoked"] else 200):
            found.append(f"key {number}, {'revoked' if known['revoked'] else 'good'}, is answered {status}")
    return found


def check_kept(ledger, ask):
    found = []
    for subject, known in ledger.kept.items():
        answer = ask("GET", f"/admin/subjects/{subject}")
        gone = answer.status == 404
        if gone and known["state"] == "kept":
            found.append(f"the upload of {subject} was acknowledged and is lost")
        if gone or known["state"] == OPEN and answer.status != 200:
            continue
        if known["state"] == "erased":
            found.append(f"{subject} was erased and is there")
            continue
        if answer.status != 200:
            found.append(f"{subject} cannot be exported: {answer.status} {answer.body[:120]!r}")
            continue
        archive = zipfile.ZipFile(io.BytesIO(answer.body))
        objects = json.loads(archive.read("data.json"))["objects"]
        consents, entries = json.loads(archive.read("consents.json")), json.loads(archive.read("audit.json"))
        kept = [e for e in entries if e["action"] == "upload.keep"]
        counts = (len(objects), len(consents), len(kept))
        if counts != (1, 1, 1):
            found.append(f"{subject} ({known['state']}) has {counts[0]} objects, {counts[1]} consents, {counts[2]} entries "
                         "of the trail; each is to be there once, or none")
        if objects and hashlib.sha256(archive.read(objects[0]["file"])).hexdigest() != known["sha256"]:
            found.append(f"the upload of {subject} is another than was sent")
    return found


def all_jobs(ask):
    jobs, before = [], ""
    while before is not None:
        page = ask("GET", f"/api/v1/jobs?limit=1000&all=true{before}").json()
        jobs += page["jobs"]
        before = f"&before={page['next']}" if page["next"] else None
    return jobs


def check_job(ask, job, known, answer_of):
    found, shown = [], ask("GET", f"/api/v1/jobs/{job}?limit=1000").json()
    numbers = [item["number"] for item in shown["items"]]
    if numbers != list(range(len(known["names"]))):
        return [f"job {job} has the items {numbers}"]
    if known["cancelled"] is True and shown["state"] not in ENDED:
        found.append(f"job {job} was cancelled and is {shown['state']}")
    if known["cancelled"] or shown["state"] == "cancelled":
        return found
    if (shown["state"], shown["done"], shown["failed"]) != ("done", len(numbers), 0):
        bad = [item.get("problem") for item in shown["items"] if item["state"] != "done"]
        return [f"job {job} is {shown['state']}, {shown['done']} of {len(numbers)} done, {shown['failed']} failed: {bad[:2]}"]
    for name, item in zip(known["names"], shown["items"]):
        if item["name"] != name or not answer_of(known["task"], name, item["result"]):
            found.append(f"job {job}: the result of {name} is another: {str(item['result'])[:120]}")
    events = [line[6:] for line in ask("GET", f"/api/v1/jobs/{job}/events").body.decode().splitlines()
              if line.startswith("data: ") and '"number"' in line]
    told = sorted(json.loads(event)["number"] for event in events)
    if told != numbers:
        found.append(f"job {job} tells of the ends of {told}")
    return found


def check_jobs(ledger, ask, answer_of):
    found, listed = [], Counter(job["job_id"] for job in all_jobs(ask))
    for job, known in ledger.jobs.items():
        if listed[job] != 1:
            found.append(f"job {job} was accepted and is listed {listed[job]} times")
        else:
            found += check_job(ask, job, known, answer_of)
    others = [job for job in listed if job not in ledger.jobs]
    if others:  # every order was repeated, under its key, until it was acknowledged
        found.append(f"{len(others)} jobs are there that nobody was told of: {others[:3]}")
    return found


def check_corrections(ledger, ask, form_of_correction):
    """Given once more, a correction that was counted once says 1,966 characters: 1,000 again beside 1,000 that faded."""
    found = []
    for engine, state in ledger.corrections.items():
        answer = ask("POST", "/api/v1/ocr/corrections", json=form_of_correction(engine))
        if answer.status != 200:
            found.append(f"a correction cannot be given: {answer.status} {answer.body[:120]!r}")
            continue
        counted = next(e["characters"] for e in answer.json()["engines"] if e["engine"] == engine)
        times = {1000: 0, 1966: 1, 2899: 2}.get(round(counted), counted)
        if times != 1 and (state != OPEN or times != 0):
            found.append(f"the correction of {engine} ({'open' if state == OPEN else 'acknowledged'}) was counted {times} times")
    return found


def check_sessions(ledger, ask):
    found = []
    for token, good in ledger.sessions.items():
        if good is True:
            status = ask("POST", "/auth/refresh", json={"refresh_token": token}, headers={}).status
            if status != 200:
                found.append(f"a refresh token that was given out is answered {status}")
    return found


def check_audit(ledger, ask, audit_file):
    found, entries, after = [], [], 0
    while True:
        page = ask("GET", f"/admin/audit?after={after}&limit=1000").json()
        if not page["entries"]:
            break
        entries += page["entries"]
        after = page["next"]
    by_request, subjects = defaultdict(list), defaultdict(list)
    for entry in entries:
        by_request[entry.get("request_id")].append(entry["action"])
        subjects[entry["action"]].append(entry.get("subject", ""))
    for action, request_id in ledger.audited:
        times = by_request[request_id].count(action)
        if times != 1:
            found.append(f"{action} ({request_id}) was acknowledged and is {times} times in the trail")
    users = {user["name"] for user in ask("GET", "/admin/users").json()["users"]}
    for name in sorted(users & set(ledger.users)):
        times = subjects["user.create"].count(f"user:{name}")
        if times != 1:
            found.append(f"user {name} is there, and {times} entries of the trail say that he was made")
    numbers = []
    for line in audit_file.read_text().splitlines():
        try:
            numbers.append(json.loads(line)["number"])
        except ValueError:
            found.append(f"a line of the trail's file is broken: {line[:80]}")
    counts = Counter(numbers)
    missing = [entry["number"] for entry in entries if counts[entry["number"]] != 1]
    if missing:
        found.append(f"{len(missing)} entries of the trail are not once in its file: {missing[:8]}")
    return found
