// Who read what, shown on each word: a vote of real engines, and a service that reads markup.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { openPage, sample, startBrowser, startService } from "./service.mjs";

const hostile = `"><img src=x onerror=alert(1)>'`;

let rival, service, browser, page, complaints;

// An OCR service that reads the same thing all over the page, whatever stands there (docs/serve.md has the protocol).
function startRival() {
  const lines = [];
  for (let y = 0; y < 2000; y += 20)
    for (let x = 100; x < 1500; x += 300)
      lines.push({ text: hostile, words: [{ text: hostile, box: [x, y, 100, 20], confidence: 0.4 }] });
  const reading = { pages: [{ page: 1, blocks: [{ lines }] }] };
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(reading));
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

before(async () => {
  rival = await startRival();
  service = await startService({
    ocr_engines: `tesseract,tesseract-binarised,gocr,ocrad,rival=http://127.0.0.1:${rival.address().port}`,
    confidence_threshold: 1, // every line is put to all of them
    ocr_engine_timeout: 100,
    ocr_timeout: 200,
  });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await service?.stop();
  rival?.close();
});

beforeEach(async () => {
  ({ page, complaints } = await openPage(browser, service.address));
});

afterEach(async () => {
  await page.close();
});

async function give(file) {
  await page.setInputFiles("#file", file);
  await page.click("#send");
  await page.waitForSelector("#result:not([hidden])", { timeout: 250_000 });
}

// A few lines as a picture, set by the browser.
async function drawn(html, name = "drawn.png") {
  const paper = await browser.newPage({ viewport: { width: 900, height: 260 } });
  await paper.setContent(`<body style="margin:30px;background:#fff;color:#000;font:34px/1.6 'DejaVu Sans'">${html}`);
  const buffer = await paper.screenshot();
  await paper.close();
  return { name, mimeType: "image/png", buffer };
}

const rows = () => page.locator("#said tbody tr").evaluateAll((all) =>
  all.map((row) => [...row.children].map((cell) => cell.textContent)));

test("a word under the mouse says who read what", async () => {
  await give(await drawn("Water distribution<br>begins on Monday."));
  await page.locator("#text .word", { hasText: "Monday" }).hover();
  assert.match(await page.textContent("#said p"), /^Monday\S? — \d+ % sure$/);
  assert.deepEqual(await page.locator("#said thead th").allTextContents(), ["engine", "read", "weight", "probability"]);
  const said = await rows();
  assert.deepEqual(said.map((row) => row[0]).sort(), ["gocr", "ocrad", "rival", "tesseract", "tesseract-binarised"]);
  for (const [engine, read, weight, probability] of said) {
    assert.ok(read, `${engine} has a reading, or "nothing"`);
    assert.match(weight, /^\d+\.\d\d$/);
    assert.match(probability, /^\d+ %$/);
  }
  assert.match(said.find((row) => row[0] === "tesseract")[1], /^Monday/);
  assert.ok((await page.locator("#said .agrees").count()) >= 2);
  const place = await page.locator("#said").boundingBox();
  assert.ok(place.x >= 0 && place.y >= 0 && place.x + place.width <= 1280 && place.y + place.height <= 900);
  await page.locator("#said").hover(); // the pointer may go there
  await page.waitForTimeout(400);
  assert.ok(await page.locator("#said").isVisible());
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#said").isHidden());
  assert.deepEqual(complaints, []);
});

test("a word and its box show each other", async () => {
  await give(await drawn("Water distribution<br>begins on Monday."));
  const word = page.locator("#text .word", { hasText: "distribution" });
  const box = page.locator('.box[data-word="distribution"]');
  await word.hover();
  assert.match(await box.getAttribute("class"), /\bon\b/);
  await page.locator("header h1").hover();
  await page.waitForFunction(() => !document.querySelector(".on") && document.getElementById("said").hidden);
  await box.hover();
  assert.match(await word.getAttribute("class"), /\bon\b/);
  assert.match(await page.textContent("#said p"), /^distribution/);
  assert.equal(await page.locator(".on").count(), 2);
});

test("the keyboard goes from word to word", async () => {
  await give(await drawn("Water distribution<br>begins on Monday."));
  assert.equal(await page.locator('#text .word[tabindex="0"]').count(), 1, "the text is one stop");
  await page.locator("#copy").focus();
  await page.keyboard.press("Tab");
  const said = () => page.textContent("#said p bdi");
  assert.equal(await said(), "Water");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-describedby")), "said");
  await page.keyboard.press("ArrowRight");
  assert.equal(await said(), "distribution");
  await page.keyboard.press("ArrowDown");
  assert.equal(await said(), "on");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await said(), "begins");
  await page.keyboard.press("End");
  assert.match(await said(), /^Monday/);
  assert.match(await page.locator('.box[data-word^="Monday"]').getAttribute("class"), /\bon\b/);
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#said").isHidden());
  await page.keyboard.press("Home");
  assert.equal(await said(), "Water");
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.getElementById("said").hidden);
});

test("a finger's tap shows a word, a tap beside it hides it", async () => {
  const phone = await openPage(browser, service.address, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await page.close();
  ({ page, complaints } = phone);
  await give(await drawn("Water distribution<br>begins on Monday."));
  await page.locator("#text .word", { hasText: "begins" }).tap();
  assert.equal(await page.textContent("#said p bdi"), "begins");
  const place = await page.locator("#said").boundingBox();
  assert.ok(place.x >= 0 && place.x + place.width <= 360, JSON.stringify(place));
  const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= view, `${content} > ${view}`);
  await page.locator("footer").tap();
  assert.ok(await page.locator("#said").isHidden());
  assert.deepEqual(complaints, []);
});

test("how sure a word is can be seen, also without colours", async () => {
  const answered = page.waitForResponse("**/predict", { timeout: 250_000 });
  await give(await drawn("Water distribution<br>Il1 O0 rnm"));
  const words = (await (await answered).json()).evidence.ocr.pages[0].blocks
    .flatMap((block) => block.lines).flatMap((line) => line.words);
  const expected = words.map((word) => (word.confidence >= 0.85 ? "good" : word.confidence >= 0.6 ? "fair" : "poor"));
  const looks = (selector) => page.locator(selector).evaluateAll((all) =>
    all.map((word) => [word.className.split(" ")[1], getComputedStyle(word).textDecorationStyle]));
  const styles = { good: "solid", fair: "dashed", poor: "wavy" };
  assert.ok(words.length >= 3);
  assert.deepEqual(await looks("#text .word"), expected.map((sureness) => [sureness, styles[sureness]]));
  assert.deepEqual(await looks(".legend .word"), Object.entries(styles));
});

test("what is read is never markup", async () => {
  let alerts = 0;
  page.on("dialog", (dialog) => {
    alerts++;
    dialog.dismiss();
  });
  const file = await drawn(`&lt;script&gt;alert(1)&lt;/script&gt;<br>&lt;b&gt;bold&lt;/b&gt; "A &amp; B's"`, `"><img src=x onerror=alert(2)>.png`);
  await give(file);
  const text = await page.textContent("#text");
  assert.match(text, /<script>/);
  assert.match(text, /"A & B/);
  const read = [];
  for (const word of await page.locator("#text .word").all()) {
    await word.hover();
    for (const row of await rows()) read.push(row[1]);
  }
  assert.ok(read.some((one) => one.includes("<img src=x onerror=alert(1)>")), read.join(" | "));
  for (const box of await page.locator("#picture .box").all()) await box.hover({ force: true });
  assert.equal(await page.locator("#text script, #text b, #text img, #said img, #said script, #hovered img").count(), 0);
  assert.equal(await page.locator("img").count(), 1, "the page's own picture");
  assert.equal(alerts, 0);
  assert.deepEqual(complaints, []);
});

test("right-to-left text stands and is walked from the right", async () => {
  await give(sample("notice-ara.jpg"));
  const word = page.locator("#text .word", { hasText: "حلب" }).first();
  await word.hover();
  const said = await rows();
  assert.deepEqual(said.map((row) => row[0]).sort(), ["rival", "tesseract", "tesseract-binarised"],
    "Ocrad and GOCR read Latin script only");
  const line = await page.locator("#text .line", { hasText: "مدينة حلب" }).first().evaluate((one) =>
    [...one.querySelectorAll(".word")].map((w) => w.getBoundingClientRect().x));
  for (let i = 1; i < line.length; i++) assert.ok(line[i] < line[i - 1], "the next word is to the left");
  const [first, edge] = await page.evaluate(() => {
    const text = document.getElementById("text").getBoundingClientRect();
    return [document.querySelector("#text .word").getBoundingClientRect().right, text.right];
  });
  assert.ok(edge - first < 30, `the text begins at the right: ${first}, ${edge}`);
  await page.locator("#text .word").first().focus();
  const second = await page.locator("#text .word").nth(1).textContent();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.textContent("#said p bdi"), second);
});

test("what is copied and what is shown are the text as it was read", async () => {
  const file = sample("receipt-eng.jpg");
  const answered = page.waitForResponse("**/predict", { timeout: 250_000 });
  await give(file);
  const shown = (await (await answered).json()).evidence.ocr.pages[0];
  assert.equal((await page.textContent("#text")).trimEnd(),
    shown.blocks.map((block) => block.text).filter(Boolean).join("\n\n"));
  assert.equal(await page.locator("#text .word").count(), await page.locator("#picture .box").count());
});
