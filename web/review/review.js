/* review.js — the page of a reviewer: one item at a time, every action by a key.
 *
 * Nothing here waits for the service: items come from review-store.js and decisions go there; `work` moves both
 * when the service can be reached. */
import { $, element, percent, place } from "./dom.js";
import * as store from "./review-store.js";

let shown = null; // the item on the page, as the store has it
let text = null; // corrected, not decided yet; null: as it is
let box = null; // redrawn, likewise
let drawing = null; // while the box is drawn: what it was before, {box}
let reasons = [];
let began = 0, spent = 0; // ms on this item
let address = ""; // of the picture that is shown

/* ---- showing an item ----------------------------------------------------------------------------------- */

const names = new Intl.DisplayNames(["en"], { type: "language" });
const language = (code) => {
  try {
    return code && code !== "und" ? names.of(code) : "unknown language";
  } catch {
    return code;
  }
};
const kinds = { pair: "Picture and text", text: "Passage", describe: "Description", question: "Question and answer",
  read: "Reading", language: "Language", change: "Change", crisis: "Crisis" };
const verdicts = { accepted: "Accepted", corrected: "Accepted as corrected", rejected: "Rejected", skipped: "Skipped" };

function setText(id, value, code) {
  $(id).textContent = value || "";
  if (code && code !== "und") $(id).lang = code;
  else $(id).removeAttribute("lang");
}

const wellFormed = (url) => /^https?:\/\//i.test(url || "");

function showSource(from = {}) {
  const title = from.title || from.url || from.record || "";
  const parts = [wellFormed(from.url)
    ? element("a", title, { href: from.url, target: "_blank", rel: "noreferrer noopener", dir: "auto" })
    : element("bdi", title)];
  const about = [from.publisher, from.published, `page ${(from.page || 0) + 1}`,
    from.licence ? `licence: ${from.licence}` : "licence not known", from.ocr ? "read by OCR" : ""];
  for (const one of about.filter(Boolean)) parts.push(" · ", element("bdi", one));
  $("source").replaceChildren(...parts);
}

function showQuality(item) {
  const rows = Object.entries({ ...item.quality, score: item.score }).map(([name, value]) => {
    const row = element("li"), label = `${name} ${percent(value)}`;
    row.append(element("span", label),
      element("meter", "", { min: 0, max: 1, low: 0.4, high: 0.7, optimum: 1, value, "aria-label": label }));
    return row;
  });
  $("quality").replaceChildren(...rows);
}

/* The box that is drawn, the one that was decided, or the one that the item has: [x, y, width, height]. */
const currentBox = () => box || shown.item.region || null;
const currentText = () => (text === null ? shown.item.text : text);

function showBox() {
  const over = $("box"), now = currentBox();
  over.hidden = !now || !shown.picture;
  if (!over.hidden) place(over, now, shown.item);
}

function showPicture() {
  URL.revokeObjectURL(address);
  address = shown.picture ? URL.createObjectURL(shown.picture) : "";
  $("frame").hidden = !address;
  $("no-picture").hidden = Boolean(address);
  $("picture").alt = `${shown.item.picture_kind || "picture"}, ${shown.item.width} by ${shown.item.height} pixels`;
  if (address) $("picture").src = address;
  else $("picture").removeAttribute("src");
}

function showChanges() {
  setText("text", currentText(), shown.item.language);
  $("text").classList.toggle("changed", text !== null);
  $("accept-name").textContent = text !== null || box ? "Accept as corrected" : "Accept";
  showBox();
}

function showVerdict() {
  const decision = shown.decision;
  $("verdict").hidden = !decision;
  if (!decision) return;
  const why = reasons.find((one) => one.name === decision.reason);
  $("verdict").textContent = [verdicts[decision.verdict], why && why.says, decision.note].filter(Boolean).join(" — ");
}

const summary = ({ item }) => `${kinds[item.kind] || item.kind}, ${language(item.language)}`;

function show(one) {
  shown = one;
  stopEditing();
  stopDrawing();
  $("item").hidden = !one;
  $("nothing").hidden = Boolean(one);
  enable();
  if (!one) return;
  const decision = one.decision || {};
  text = decision.text === undefined ? null : decision.text;
  box = decision.box || null;
  $("item-heading").textContent = summary(one);
  $("asked").hidden = !one.item.instruction;
  setText("instruction", one.item.instruction, one.item.instruction_language);
  $("text-heading").textContent = one.item.instruction ? "Response" : "Text";
  showPicture();
  showChanges();
  showVerdict();
  showSource(one.item.source);
  showQuality(one.item);
  spent = 0;
  began = performance.now();
  $("item").focus({ preventScroll: true });
  window.scrollTo(0, 0);
  $("seen-part").scrollTo(0, 0);
  if (document.body.classList.contains("zoomed")) $("box").scrollIntoView({ block: "center", inline: "center" });
}

/* `past`: whether anything was decided; undo and back look for themselves. */
function possible(name, past = true) {
  if (name === "help") return true;
  if (name === "undo" || name === "back") return past;
  if (name === "forward") return Boolean(shown) && shown.state === "done";
  if (name === "box" || name === "zoom") return Boolean(shown && shown.picture);
  return Boolean(shown);
}

/* What cannot be done now is dimmed. */
async function enable() {
  const past = (await store.decided()).length > 0;
  for (const button of $("actions").querySelectorAll("[data-do]")) button.disabled = !possible(button.dataset.do, past);
}

async function showNext() {
  const list = await store.waiting();
  show(list[0] || null);
  if (!list.length) await sayNothing();
}

async function sayNothing() {
  $("nothing").textContent = away
    ? "Nothing more is here until the service can be reached again. What you decided is kept."
    : "Nothing is left for you to decide. Thank you.";
}

/* ---- deciding -------------------------------------------------------------------------------------------- */

const seconds = () => Math.min(86400, Math.round((spent + (document.hidden ? 0 : performance.now() - began)) / 100) / 10);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) spent += performance.now() - began;
  began = performance.now();
});

async function decide(decision) {
  const one = shown;
  await store.decide(one.id, { seconds: seconds(), ...decision });
  await showNext();
  say(`${verdicts[decision.verdict]}.${shown ? ` Next: ${summary(shown)}.` : ""}`);
  work();
}

async function accept() {
  if (drawing) stopDrawing();
  const corrected = { verdict: "corrected" };
  if (text !== null) corrected.text = text;
  if (box) corrected.box = box;
  await decide(text !== null || box ? corrected : { verdict: "accepted" });
}

/* The last decision is taken back, and its item is there again. */
async function undo() {
  const last = (await store.decided())[0];
  if (!last) return;
  const decision = last.decision;
  const one = await store.decide(last.id, { verdict: "undone", seconds: 0 });
  show(one);
  text = decision && decision.text !== undefined ? decision.text : null;
  box = (decision && decision.box) || null;
  showChanges();
  say(`Taken back: ${summary(one)}.`);
  work();
}

/* Through those that are decided; the last step forward is the one that waits. */
async function turn(step) {
  const past = (await store.decided()).reverse();
  const at = past.findIndex((one) => shown && one.id === shown.id);
  const to = at < 0 ? past.length + step : at + step;
  if (to < 0) return;
  if (to >= past.length) {
    await showNext();
    return;
  }
  show(past[to]);
  say(`Decided before: ${summary(past[to])}.`);
}

/* ---- the text ---------------------------------------------------------------------------------------------- */

function edit() {
  $("correction").value = currentText();
  if (shown.item.language !== "und") $("correction").lang = shown.item.language;
  $("text").hidden = true;
  $("editor").hidden = false;
  $("correction").focus();
}

function stopEditing() {
  $("editor").hidden = true;
  $("text").hidden = false;
}

/* One that is as it was is none. */
function takeText() {
  const value = $("correction").value;
  text = value === shown.item.text || !value.trim() ? null : value;
  stopEditing();
  showChanges();
}

$("correction").addEventListener("keydown", async (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    takeText();
    await accept();
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    stopEditing();
    $("item").focus();
  }
});

/* ---- the box ------------------------------------------------------------------------------------------------- */

function startDrawing() {
  const { width, height } = shown.item;
  drawing = { box };
  if (!currentBox()) box = [width / 4, height / 4, width / 2, height / 2].map(Math.round);
  document.body.classList.add("drawing");
  $("box-help").hidden = false;
  showChanges();
  $("item").focus();
  $("box").scrollIntoView({ block: "nearest" });
  say("Redrawing the box.");
}

function stopDrawing() {
  drawing = null;
  document.body.classList.remove("drawing");
  $("box-help").hidden = true;
}

function keepBox() {
  stopDrawing();
  if (box && shown.item.region && box.every((value, at) => value === shown.item.region[at])) box = null;
  showChanges();
  say(box ? `The box is at ${box[0]}, ${box[1]}, ${box[2]} wide and ${box[3]} high.` : "The box stays.");
}

function dropBox() {
  box = drawing.box;
  stopDrawing();
  showChanges();
  say("The box is as it was.");
}

/* Whole pixels within the picture. */
function clamp([x, y, width, height]) {
  const most = shown.item;
  const w = Math.max(1, Math.min(Math.round(width), most.width)), h = Math.max(1, Math.min(Math.round(height), most.height));
  return [Math.max(0, Math.min(Math.round(x), most.width - w)), Math.max(0, Math.min(Math.round(y), most.height - h)), w, h];
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function nudge(event) {
  const [x, y] = arrows[event.key], step = event.altKey ? 1 : Math.max(1, Math.round(shown.item.width / 100));
  const now = currentBox().slice(), from = event.shiftKey ? 2 : 0;
  now[from] += x * step;
  now[from + 1] += y * step;
  box = clamp(now);
  showChanges();
}

function pointAt(event) {
  const frame = $("picture").getBoundingClientRect();
  return [((event.clientX - frame.left) / frame.width) * shown.item.width, ((event.clientY - frame.top) / frame.height) * shown.item.height];
}

let from = null; // where the pointer went down

$("frame").addEventListener("pointerdown", (event) => {
  if (!drawing || event.button) return;
  event.preventDefault();
  $("frame").setPointerCapture(event.pointerId);
  from = pointAt(event);
});
$("frame").addEventListener("pointermove", (event) => {
  if (!drawing || !from) return;
  const to = pointAt(event).map((value, at) => Math.max(0, Math.min(value, at ? shown.item.height : shown.item.width)));
  box = clamp([Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])]);
  showChanges();
});
for (const end of ["pointerup", "pointercancel"]) $("frame").addEventListener(end, () => { from = null; });

/* ---- rejecting ------------------------------------------------------------------------------------------------ */

async function reject(reason) {
  const note = $("note").value.trim();
  $("reject").close();
  await decide({ verdict: "rejected", reason, ...(note ? { note } : {}) });
}

function showReasons() {
  $("reasons").replaceChildren(...reasons.map((one, index) => {
    const button = element("button", "", { type: "button", "aria-keyshortcuts": String((index + 1) % 10) });
    button.append(element("kbd", String((index + 1) % 10)), ` ${one.says}`);
    button.addEventListener("click", () => reject(one.name));
    return button;
  }));
}

$("reject").addEventListener("keydown", (event) => {
  if (event.target === $("note")) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if ($("note").value.trim()) reject("other");
  } else if (/^[0-9]$/.test(event.key)) {
    const one = reasons[(Number(event.key) + 9) % 10];
    event.preventDefault();
    if (one) reject(one.name);
  }
});

/* ---- actions and keys ------------------------------------------------------------------------------------------- */

const actions = {
  accept, edit, undo,
  box: () => (drawing ? keepBox() : startDrawing()),
  reject: () => {
    $("note").value = "";
    $("reject").showModal();
    $("reasons").querySelector("button")?.focus();
  },
  skip: () => decide({ verdict: "skipped" }),
  back: () => turn(-1),
  forward: () => turn(1),
  zoom: () => {
    const on = document.body.classList.toggle("zoomed");
    document.querySelector('[data-do="zoom"]').setAttribute("aria-pressed", String(on));
    if (!$("box").hidden) $("box").scrollIntoView({ block: "center", inline: "center" });
  },
  help: () => $("help").showModal(),
};
const keys = { a: "accept", e: "edit", b: "box", r: "reject", s: "skip", u: "undo", p: "back", n: "forward", z: "zoom", "?": "help" };

let queue = Promise.resolve(); // one action at a time
let queued = 0;

async function act(name) {
  try {
    if (possible(name)) await actions[name]();
  } catch (error) {
    complain(`This could not be kept here: ${error.message}`);
  }
  queued--;
  await enable();
}

/* A decision is never on an item that was not seen yet: what comes while another action goes on is left out. */
function run(name) {
  if (queued && ["accept", "skip", "undo"].includes(name)) return;
  queued++;
  queue = queue.then(() => act(name));
}

for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => run(button.dataset.do));

/* The letter that is on the key; where the layout has other letters, the one that is there in the Latin one. */
function letterOf(event) {
  const key = event.key.toLowerCase();
  if (/^[a-z?]$/.test(key)) return key;
  return /^Key[A-Z]$/.test(event.code) && !/^[\x20-\x7e]$/.test(key) ? event.code.slice(3).toLowerCase() : "";
}

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("textarea, input, dialog");
  if (writing || event.repeat && !arrows[event.key] || event.ctrlKey || event.metaKey) return;
  if (drawing && arrows[event.key]) {
    event.preventDefault();
    nudge(event);
  } else if (drawing && event.key === "Enter" && !event.target.closest("button")) {
    event.preventDefault();
    keepBox();
  } else if (drawing && event.key === "Escape") {
    dropBox();
  } else if (!event.altKey && (letterOf(event) === "?" || $("letters").checked) && keys[letterOf(event)]) {
    event.preventDefault();
    run(keys[letterOf(event)]);
  }
});

$("letters").checked = localStorage.getItem("letters") !== "off";
$("letters").addEventListener("change", () => localStorage.setItem("letters", $("letters").checked ? "on" : "off"));

/* ---- the service, when it is there -------------------------------------------------------------------------------- */

let away = false;
let rebuilt = false;
let working = null; // the round under way
let again = false; // something came up meanwhile
let retry = 0;
let pause = 1000;

const say = (what) => { $("status").textContent = what; };

function complain(what) {
  $("problem").textContent = what || "";
  $("problem").hidden = !what;
}

async function showProgress() {
  const state = await store.note("state"), unsent = await store.unsent(), ahead = (await store.waiting()).length;
  const made = state ? state.mine.accepted + state.mine.corrected + state.mine.rejected : 0;
  $("dataset").textContent = state ? state.dataset : "";
  $("reviewer").textContent = state ? state.reviewer : "";
  $("progress").textContent = `· ${made} decided · ${ahead} here ahead${unsent ? ` · ${unsent} to be sent` : ""}`;
  $("link").textContent = away ? "service away: work goes on" : "connected";
  $("link").classList.toggle("away", away);
  if (state && state.reasons.length !== reasons.length) {
    reasons = state.reasons;
    showReasons();
  }
  const refused = await store.refused();
  if (refused.length)
    complain(`${refused.length} of your decisions were refused: ${refused[refused.length - 1].detail}`);
}

async function round() {
  await store.send();
  const before = await store.note("state"), state = await store.state();
  if (before && before.built !== state.built) {
    await store.dropWaiting();
    rebuilt = true;
  }
  await store.keepNote("state", state);
  await store.fetchAhead();
}

/* The dataset was built anew, and perhaps the item that is shown. */
async function followStore() {
  if (!rebuilt) return;
  rebuilt = false;
  await showNext();
  say("The dataset was built anew.");
}

/* Sends what is to be sent and fetches what comes next; while the service is away it tries again, ever more slowly. */
async function work() {
  again = true;
  if (working) return working;
  clearTimeout(retry);
  working = (async () => {
    while (again) {
      again = false;
      try {
        if (navigator.locks) await navigator.locks.request("vislang-review", round);
        else await round();
        away = false;
        pause = 1000;
      } catch (error) {
        if (error instanceof store.Problem && error.status < 500) complain(error.message);
        away = !(error instanceof store.Problem) || error.status >= 500;
        retry = setTimeout(work, pause);
        pause = Math.min(30000, 2 * pause);
      }
      await showProgress();
      await followStore();
      if (!shown) await showNext();
    }
  })();
  await working;
  working = null;
  await enable();
  return null;
}

window.addEventListener("online", work);

async function begin() {
  const token = location.hash.slice(1);
  if (!/^[\w-]{43}$/.test(token)) {
    complain("Open the address that 'vislang dataset review' printed: it ends in '#' and a token.");
    return;
  }
  if (navigator.serviceWorker) navigator.serviceWorker.register("/review-worker.js").catch(() => {});
  await store.open(token);
  await showProgress();
  await showNext();
  await work();
}

window.addEventListener("hashchange", () => location.reload());
begin().catch((error) => complain(`The page cannot keep anything here: ${error.message}`));
