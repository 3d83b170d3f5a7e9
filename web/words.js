/* words.js — the words of a page, in its text and over its picture: how sure each is, and who read what.
 *
 * A word is there twice, as a span of the text and as a box on the picture; pointing at one shows both, and
 * beside it what every engine said. With the keyboard the text is one stop: arrows go from word to word,
 * Escape hides. Words stand in the text without isolation, so that a right-to-left line with Latin words or
 * numbers in it is set as any other text is. */
import { $, element, percent, place } from "./dom.js";

let words = []; // of the page shown: {word, line, span, box}
let shown = null; // the page
let at = -1; // the word that is shown, -1: none
let focusable = 0; // the one word that the Tab key reaches
let hiding = 0; // timer: the pointer may go from the word to what is said of it

const sureness = (word) => (word.confidence >= 0.85 ? "good" : word.confidence >= 0.6 ? "fair" : "poor");

/* ---- what is said of a word ---------------------------------------------------------------------- */

function hypothesisRow(said, word) {
  const row = element("tr", "", said.text === word.text ? { class: "agrees" } : {});
  const read = element("td");
  read.append(said.text ? element("bdi", said.text, { lang: language() }) : element("i", "nothing"));
  row.append(element("th", said.engine, { scope: "row" }), read, element("td", said.weight.toFixed(2)),
    element("td", percent(said.probability)));
  return row;
}

function hypotheses(word) {
  const table = element("table");
  const head = element("tr");
  head.append(...["engine", "read", "weight", "probability"].map((name) => element("th", name, { scope: "col" })));
  const body = element("tbody");
  body.append(...[...word.hypotheses].sort((a, b) => b.probability - a.probability || b.weight - a.weight).map((said) => hypothesisRow(said, word)));
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  return table;
}

const language = () => (shown.languages.length ? shown.languages[0].code : "");

function summary(word) {
  const line = element("p");
  const sure = word.posterior === undefined ? word.confidence : word.posterior;
  line.append(element("bdi", word.text, { lang: language() }), ` — ${percent(sure)} sure`);
  return line;
}

function tell(word) {
  $("hovered").replaceChildren(...summary(word).childNodes);
  $("said").replaceChildren(summary(word),
    word.hypotheses ? hypotheses(word) : element("p", `read by ${shown.engine}`, { class: "alone" }));
}

/* Below the word, or above it where there is no room; never over the edge of the window. */
function putBeside(anchor) {
  const said = $("said");
  const word = anchor.getBoundingClientRect();
  const width = document.documentElement.clientWidth, height = document.documentElement.clientHeight;
  const below = word.bottom + 6 + said.offsetHeight <= height || word.top < height - word.bottom;
  said.style.left = `${Math.max(4, Math.min(word.left, width - said.offsetWidth - 4))}px`;
  said.style.top = `${below ? word.bottom + 6 : word.top - 6 - said.offsetHeight}px`;
}

/* ---- showing and hiding ---------------------------------------------------------------------------- */

function mark(index, on) {
  if (index < 0) return;
  for (const part of [words[index].span, words[index].box]) part.classList.toggle("on", on);
}

function show(index, anchor) {
  clearTimeout(hiding);
  mark(at, false);
  at = index;
  mark(at, true);
  tell(words[at].word);
  $("said").hidden = false;
  putBeside(anchor);
}

function hide() {
  clearTimeout(hiding);
  mark(at, false);
  at = -1;
  $("said").hidden = true;
}

/* The pointer has left; a word that has the keyboard's focus comes back. */
function leave() {
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    const focused = words.findIndex((one) => one.span === document.activeElement);
    if (focused < 0) hide();
    else show(focused, words[focused].span);
  }, 200);
}

function listen(index) {
  const { span, box } = words[index];
  for (const part of [span, box]) {
    part.addEventListener("pointerenter", () => show(index, part));
    part.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
    part.addEventListener("click", () => show(index, part)); // a finger's tap
  }
  box.addEventListener("click", () => span.scrollIntoView({ block: "nearest" }));
  span.addEventListener("click", () => box.scrollIntoView({ block: "nearest" }));
  span.addEventListener("focus", () => {
    reach(index);
    show(index, span);
  });
  span.addEventListener("blur", leave);
}

/* ---- the keyboard ------------------------------------------------------------------------------------ */

function reach(index) {
  words[focusable].span.tabIndex = -1;
  focusable = index;
  words[focusable].span.tabIndex = 0;
}

/* The word at the same place of the next line (`step` 1) or the one before (-1). */
function inLine(from, step) {
  const line = words[from].line + step;
  const first = words.findIndex((one) => one.line === line);
  if (first < 0) return from;
  const own = from - words.findIndex((one) => one.line === words[from].line);
  return first + Math.min(own, words.filter((one) => one.line === line).length - 1);
}

function next(from, key) {
  const onwards = getComputedStyle(words[from].span).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  if (key === "Home") return 0;
  if (key === "End") return words.length - 1;
  if (key === "ArrowDown") return inLine(from, 1);
  if (key === "ArrowUp") return inLine(from, -1);
  return Math.max(0, Math.min(words.length - 1, from + (key === onwards ? 1 : -1)));
}

$("text").addEventListener("keydown", (event) => {
  const from = words.findIndex((one) => one.span === event.target);
  if (from < 0 || event.ctrlKey || event.altKey || event.metaKey ||
      !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key))
    return;
  event.preventDefault();
  const to = words[next(from, event.key)];
  to.span.focus();
  to.box.scrollIntoView({ block: "nearest" });
});
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("pointerdown", (event) => {
  if (at >= 0 && !event.target.closest("#said, .word, .box")) hide();
});
document.addEventListener("scroll", () => at >= 0 && putBeside(words[at].span.matches(":hover, :focus")
  ? words[at].span : words[at].box), { capture: true, passive: true });
$("said").addEventListener("pointerenter", () => clearTimeout(hiding));
$("said").addEventListener("pointerleave", leave);

/* ---- a page ------------------------------------------------------------------------------------------ */

/* The line's text as it is, its words in spans. */
function lineOfWords(line, number) {
  const parts = element("span", "", { class: "line" });
  let from = 0;
  for (const word of line.words) {
    const start = line.text.indexOf(word.text, from);
    if (start < 0) continue; // the line says it otherwise
    const span = element("span", word.text, { class: `word ${sureness(word)}`, tabindex: "-1", "aria-describedby": "said" });
    const box = place(element("span", "", { class: `box ${sureness(word)}`, "data-word": word.text }), word.box, shown);
    parts.append(line.text.slice(from, start), span);
    words.push({ word, line: number, span, box });
    from = start + word.text.length;
  }
  parts.append(line.text.slice(from));
  return parts;
}

function blockOfLines(block, start) {
  const parts = element("span", "", { class: "block", dir: "auto" });
  block.lines.forEach((line, index) => parts.append(lineOfWords(line, start + index), "\n"));
  return parts;
}

/* Fills the text (blocks apart by an empty line: each ends with a newline, which shows nothing), and returns the boxes for the picture. */
export function showWords(page) {
  hide();
  shown = page;
  words = [];
  focusable = 0;
  let lines = 0;
  const parts = [];
  for (const block of page.blocks.filter((one) => one.lines.length)) {
    parts.push(parts.length ? "\n" : "", blockOfLines(block, lines));
    lines += block.lines.length;
  }
  $("text").replaceChildren(...parts);
  $("text").lang = language();
  words.forEach((_, index) => listen(index));
  if (words.length) reach(0);
  $("hovered").textContent = words.length ? "Point at a word to see how it was read, and by whom."
    : "No text was found on it.";
  return words.map((one) => one.box);
}
