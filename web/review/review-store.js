/* review-store.js — what the browser keeps (IndexedDB): items that come next, with their pictures, what was decided, and what
 * of it the service does not have yet.
 *
 * A decision is in the outbox from the moment it is made, in one transaction with its item, and leaves it only when the service
 * says that it is stored. Item, reviewer and revision name it, so one that is sent twice is stored once. */

const AHEAD = 12; // items that are fetched before they are needed
const KEPT = 60; // decided ones that can be looked at again
const BATCH = 100; // decisions that are sent at once …
const BYTES = 1 << 20; // … unless they are long; one is at least sent

let db = null;
let token = "";

const asked = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const done = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onerror = transaction.onabort = () => reject(transaction.error);
});

/* ---- opening ----------------------------------------------------------------------------------------- */

export async function open(secret) {
  token = secret;
  const request = indexedDB.open(`vislang-review-${secret.slice(0, 8)}`, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("items", { keyPath: "id" });
    request.result.createObjectStore("outbox", { keyPath: "number", autoIncrement: true });
    request.result.createObjectStore("refused", { keyPath: "number", autoIncrement: true });
    request.result.createObjectStore("notes");
  };
  db = await asked(request);
  if (navigator.storage?.persist) navigator.storage.persist();
}

const all = (store) => asked(db.transaction(store).objectStore(store).getAll());

export const note = (name) => asked(db.transaction("notes").objectStore("notes").get(name));

export async function keepNote(name, value) {
  const transaction = db.transaction("notes", "readwrite");
  transaction.objectStore("notes").put(value, name);
  await done(transaction);
}

/* ---- items -------------------------------------------------------------------------------------------- */

/* Those that are to be decided on, in their order. */
export const waiting = async () =>
  (await all("items")).filter((one) => one.state === "waiting").sort((a, b) => a.order - b.order);

/* Those that are decided, the last one first. */
export const decided = async () =>
  (await all("items")).filter((one) => one.state === "done").sort((a, b) => b.order - a.order);

export const unsent = async () => asked(db.transaction("outbox").objectStore("outbox").count());
export const refused = () => all("refused");

/* What JSON can carry: no NUL, no half of a character. */
const whole = (value) => new TextDecoder().decode(new TextEncoder().encode(value.replaceAll("\0", "")));

/* Its `order` among the decided ones is the time; an item that is taken back comes before all that wait. */
export async function decide(id, decision) {
  const transaction = db.transaction(["items", "outbox"], "readwrite");
  const items = transaction.objectStore("items");
  const one = await asked(items.get(id));
  for (const name of ["text", "note"]) if (decision[name] !== undefined) decision[name] = whole(decision[name]);
  const made = { ...decision, item: id, revision: one.revision + 1, decided_ms: Date.now() };
  one.revision = made.revision;
  one.decision = decision.verdict === "undone" ? null : made;
  one.state = decision.verdict === "undone" ? "waiting" : "done";
  one.order = decision.verdict === "undone" ? -made.decided_ms : Math.max(made.decided_ms, (await asked(items.getAll()))
    .reduce((last, other) => (other.state === "done" ? Math.max(last, other.order + 1) : last), 0));
  items.put(one);
  transaction.objectStore("outbox").add(made);
  await done(transaction);
  return one;
}

/* Those of an older build. */
export async function dropWaiting() {
  const old = await waiting();
  const transaction = db.transaction("items", "readwrite");
  for (const one of old) transaction.objectStore("items").delete(one.id);
  await done(transaction);
}

async function forgetOld() {
  const old = (await decided()).slice(KEPT);
  const transaction = db.transaction("items", "readwrite");
  for (const one of old) transaction.objectStore("items").delete(one.id);
  await done(transaction);
}

/* ---- the service -------------------------------------------------------------------------------------- */

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function call(path, body) {
  const options = { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  if (response.ok) return response;
  let detail = response.statusText;
  if ((response.headers.get("Content-Type") || "").includes("json")) detail = (await response.json()).detail;
  throw new Problem(response.status, detail);
}

export const state = async () => (await call("/review/api/state")).json();

/* What became of those that were sent. One whose revision another page of the same reviewer has taken goes again as a later one. */
async function settle(sent, results) {
  const transaction = db.transaction(["items", "outbox", "refused"], "readwrite");
  const outbox = transaction.objectStore("outbox"), items = transaction.objectStore("items");
  for (const [index, decision] of sent.entries()) {
    const result = results[index];
    if (result.status === "conflict") {
      const revision = result.latest + 1;
      outbox.put({ ...decision, revision });
      const one = await asked(items.get(decision.item));
      if (one) items.put({ ...one, revision: Math.max(one.revision, revision) });
      continue;
    }
    outbox.delete(decision.number);
    if (result.status === "refused" || result.status === "unknown")
      transaction.objectStore("refused").add({ decision, detail: result.detail || "There is no such item any more." });
  }
  await done(transaction);
}

/* Everything, in the order in which it was decided. An item's later revision waits until the ones before are settled: after a
 * conflict its number may have to be another. */
export async function send() {
  let most = BATCH;
  for (;;) {
    const list = (await all("outbox")).slice(0, most), sent = [];
    if (!list.length) return;
    for (let at = 0, bytes = 0; at < list.length && (!at || bytes < BYTES); at++) {
      if (!sent.some((other) => other.item === list[at].item)) sent.push(list[at]);
      bytes += 200 + 3 * (list[at].text || "").length;
    }
    const decisions = sent.map(({ number, ...decision }) => decision);
    let results;
    try {
      results = (await (await call("/review/api/decisions", { decisions })).json()).results;
    } catch (problem) {
      if (!(problem instanceof Problem) || ![400, 413].includes(problem.status)) throw problem;
      if (sent.length > 1) {
        most = 1; // one of them is at fault
        continue;
      }
      results = [{ status: "refused", detail: problem.message }];
    }
    await settle(sent, results);
  }
}

async function picture(item) {
  if (!item.picture) return null;
  try {
    return await (await call(`/review/api/items/${item.id}/picture`)).blob();
  } catch (problem) {
    if (problem instanceof Problem && problem.status < 500) return null; // there is none that can be shown
    throw problem;
  }
}

/* Items ahead, each kept when its picture is there. Returns how many came. */
export async function fetchAhead() {
  const here = await all("items"), pending = await all("outbox");
  const ready = here.filter((one) => one.state === "waiting");
  if (ready.length >= AHEAD) return 0;
  const have = [...new Set([...ready.map((one) => one.id), ...pending.map((one) => one.item)])].slice(0, 200);
  const answer = await (await call("/review/api/next", { count: AHEAD - ready.length, have })).json();
  let order = Math.max(0, ...ready.map((one) => one.order));
  for (const given of answer.items) {
    const blob = await picture(given.item);
    const transaction = db.transaction("items", "readwrite");
    const items = transaction.objectStore("items");
    const known = await asked(items.get(given.item.id));
    items.put({ id: given.item.id, item: given.item, revision: Math.max(given.revision, known ? known.revision : 0),
      decision: given.decision, picture: blob, state: "waiting", order: ++order });
    await done(transaction);
  }
  await forgetOld();
  return answer.items.length;
}
