/* app.js — the page: one file, one instruction, one answer, and where in the picture it stands. */
import { $, element, percent, place } from "./dom.js";
import { showWords } from "./words.js";

let file = null; // what will be sent
let answer = null; // the last one
let page = 0; // shown, from 0
let request = null; // AbortController of the one under way

/* ---- choosing a file ---------------------------------------------------------------------------- */

function choose(chosen) {
  file = chosen;
  $("file-name").textContent = `${chosen.name || "pasted picture"} (${Math.ceil(chosen.size / 1024)} KB)`;
  hideProblem();
}

$("file").addEventListener("change", () => {
  if ($("file").files.length) choose($("file").files[0]);
});

for (const kind of ["dragenter", "dragover"])
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.add("over");
  });
for (const kind of ["dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
  });
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  choose(event.dataTransfer.files[0]);
  ask();
});
document.addEventListener("paste", (event) => {
  const pasted = [...event.clipboardData.files][0];
  if (pasted) {
    choose(pasted);
    ask();
  }
});

/* ---- asking --------------------------------------------------------------------------------------- */

async function post(path, fields) {
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = await fetch(path, { method: "POST", body: form, signal: request && request.signal });
  if (response.ok) return response;
  let problem = { title: response.statusText, detail: "" };
  if ((response.headers.get("Content-Type") || "").includes("json")) problem = await response.json();
  throw Object.assign(new Error(problem.detail || problem.title), { problem });
}

function busy(on) {
  $("send").disabled = on;
  $("cancel").hidden = !on;
  $("result").setAttribute("aria-busy", String(on));
}

async function ask() {
  if (!file) {
    showProblem(new Error("Choose a file first."));
    $("file").focus();
    return;
  }
  if (request) request.abort();
  const mine = (request = new AbortController());
  const started = performance.now();
  const clock = setInterval(() => {
    $("status").textContent = `Reading… ${((performance.now() - started) / 1000).toFixed(0)} s`;
  }, 1000);
  $("status").textContent = "Reading…";
  hideProblem();
  busy(true);
  try {
    const response = await post("/predict", { instruction: $("instruction").value, pictures: "true", explain: "true" });
    show(await response.json());
    $("status").textContent = `Answered in ${((performance.now() - started) / 1000).toFixed(1)} s.`;
  } catch (error) {
    if (mine !== request) return; // a newer question has taken over
    $("status").textContent = error.name === "AbortError" ? "Cancelled." : "";
    if (error.name !== "AbortError") showProblem(error);
  } finally {
    clearInterval(clock);
    if (mine === request) {
      request = null;
      busy(false);
    }
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
$("cancel").addEventListener("click", () => request && request.abort());
for (const button of document.querySelectorAll("[data-ask]"))
  button.addEventListener("click", () => {
    $("instruction").value = button.dataset.ask;
    ask();
  });

/* ---- problems --------------------------------------------------------------------------------------- */

function showProblem(error) {
  const problem = error.problem || { detail: error.message };
  const box = $("problem");
  box.textContent = problem.detail || problem.title || "Something went wrong.";
  if (problem.request_id) {
    const id = document.createElement("code");
    id.textContent = ` (request ${problem.request_id})`;
    box.append(id);
  }
  box.hidden = false;
}

function hideProblem() {
  $("problem").hidden = true;
}

/* ---- showing an answer ------------------------------------------------------------------------------- */

function show(made) {
  answer = made;
  page = 0;
  $("response").textContent = made.response;
  $("confidence").textContent = `confidence ${percent(made.confidence)}`;
  $("kind").textContent = `${made.document.kind} (${percent(made.document.confidence)})`;
  $("time").textContent = `${(made.processing_time_ms / 1000).toFixed(2)} s`;
  $("languages").replaceChildren(
    ...made.languages.map((l) => element("li", `${l.name} ${percent(l.probability)}`, { title: l.code })));
  showSeen(made.evidence.picture);
  showFacts();
  $("result").hidden = false;
  showPage();
  const quote = made.evidence.quotes[0];
  if (quote && $("instruction").value.trim()) mark(quote);
}

/* What the picture model says of a photograph; a page has none of it. */
function showSeen(picture) {
  $("seen").hidden = picture.caption === undefined;
  if ($("seen").hidden) return;
  const doubt = picture.caption_sure ? "" : ", not sure";
  $("caption").textContent = `${picture.caption || "—"} (${percent(picture.caption_confidence)}${doubt})`;
  $("labels").replaceChildren(...picture.scene.filter((guess, at) => !at || guess.probability >= 0.01).map((guess) =>
    element("li", `${guess.label.replaceAll("_", " ")} ${percent(guess.probability)}`,
      guess.sure ? {} : { class: "unsure", title: "not sure" })));
}

function showFacts() {
  const items = answer.facts.filter((fact) => fact.kind !== "title").map((fact) => {
    const button = element("button", "", { type: "button", "aria-pressed": "false" });
    const value = element("span", fact.value && fact.value !== fact.text ? `${fact.text} (${fact.value})` : fact.text,
      { dir: "auto" });
    button.append(element("span", fact.kind === "field" ? fact.label : fact.kind, { class: "fact-kind", dir: "auto" }), value);
    button.addEventListener("click", () => {
      for (const other of $("facts").querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", "true");
      mark(fact);
    });
    const item = element("li");
    item.append(button);
    return item;
  });
  $("facts-heading").hidden = !items.length;
  $("facts").replaceChildren(...items);
}

const read = () => answer.evidence.ocr.pages[page];

function showPage() {
  const shown = read();
  const count = answer.evidence.ocr.pages.length;
  $("switcher").hidden = count < 2;
  $("page-number").textContent = `${page + 1} of ${count}`;
  $("previous").disabled = page === 0;
  $("next").disabled = page === count - 1;
  if (!shown) return;
  const picture = element("img", "", { alt: `Page ${page + 1} as it was read`, src: shown.picture,
    width: shown.width, height: shown.height });
  $("picture").replaceChildren(picture, ...showWords(shown));
}

/* Shows where a fact or quote stands, turning to its page. */
function mark(thing) {
  if (thing.page - 1 !== page) {
    page = thing.page - 1;
    showPage();
  }
  for (const old of $("picture").querySelectorAll(".mark")) old.remove();
  const shown = read();
  const [x, y, width, height] = thing.box;
  const over = place(element("span", "", { class: "mark" }), [x - 6, y - 6, width + 12, height + 12], shown);
  $("picture").append(over);
  over.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

$("previous").addEventListener("click", () => { page--; showPage(); });
$("next").addEventListener("click", () => { page++; showPage(); });
$("show-boxes").addEventListener("change", () =>
  $("picture").classList.toggle("without-boxes", !$("show-boxes").checked));

/* ---- taking it away ----------------------------------------------------------------------------------- */

$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("text").textContent);
  $("status").textContent = "Copied.";
});

const extensions = { text: "txt", json: "json", markdown: "md", hocr: "hocr", alto: "alto.xml", pdf: "pdf" };
for (const button of document.querySelectorAll("[data-format]"))
  button.addEventListener("click", async () => {
    const format = button.dataset.format;
    button.disabled = true;
    try {
      const response = await post("/api/v1/ocr", { format });
      const link = element("a", "", { href: URL.createObjectURL(await response.blob()),
        download: `${(file.name || "picture").replace(/\.[^.]*$/, "")}.${extensions[format]}` });
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      showProblem(error);
    } finally {
      button.disabled = false;
    }
  });
