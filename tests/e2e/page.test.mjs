// The page as a person uses it: Debian's Chromium, the real service, the bundled samples.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { openPage, root, sample, startBrowser, startService } from "./service.mjs";

const screenshot = process.env.VISLANG_SCREENSHOT;
delete process.env.VISLANG_SCREENSHOT;
const maker = process.env.MAKE_TINY_SEER || join(root, "build/make_tiny_seer");
const folder = mkdtempSync(join(tmpdir(), "vislang-e2e-"));
const model = join(folder, "tiny.gguf"); // of random weights: its words mean nothing

let service, browser, page, complaints;

before(async () => {
  execFileSync(maker, [model]);
  service = await startService({ model_path: model });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await service?.stop();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  ({ page, complaints } = await openPage(browser, service.address));
});

afterEach(async () => {
  await page.close();
});

async function ask(file, instruction = "") {
  await page.setInputFiles("#file", sample(file));
  await page.fill("#instruction", instruction);
  await page.click("#send");
  await page.waitForSelector("#result:not([hidden])");
}

test("a sample is described, its words boxed on the picture", async () => {
  await ask("notice-swh.jpg");
  assert.match(await page.textContent("#response"), /Swahili/);
  assert.match(await page.textContent("#confidence"), /^confidence \d+ %$/);
  const frame = await page.locator("#picture").boundingBox();
  const boxes = await page.locator(".box").all();
  assert.ok(boxes.length >= 40, `${boxes.length} boxes`);
  for (const box of boxes) {
    const b = await box.boundingBox();
    assert.ok(b.x >= frame.x - 2 && b.y >= frame.y - 2, "a box lies outside the picture");
    assert.ok(b.x + b.width <= frame.x + frame.width + 3 && b.y + b.height <= frame.y + frame.height + 3);
  }
  const picture = await page.locator("#picture img").evaluate((img) => img.naturalWidth);
  assert.ok(picture > 500);
  assert.match(await page.textContent("#text"), /TANGAZO/);
  assert.deepEqual(complaints, []);
  if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
});

test("a word under the mouse says how it was read, and boxes can be hidden", async () => {
  await ask("notice-swh.jpg");
  await page.locator('.box[data-word="TANGAZO"]').first().hover();
  assert.match(await page.textContent("#hovered"), /^TANGAZO — \d+ % sure$/);
  await page.uncheck("#show-boxes");
  assert.ok(await page.locator("#picture.without-boxes").count());
});

test("a question is answered, and a fact shows where it stands", async () => {
  await ask("form-eng.jpg", "what is the date of birth?");
  assert.match(await page.textContent("#response"), /15 August 1988/);
  assert.equal(await page.locator(".mark").count(), 1, "the evidence is marked");
  const before = await page.locator(".mark").boundingBox();
  await page.locator("#facts button", { hasText: "Grace Wanjiru" }).first().click();
  const marked = await page.locator(".mark").boundingBox();
  assert.notEqual(Math.round(marked.y), Math.round(before.y));
  const word = await page.locator('.box[data-word="Grace"]').first().boundingBox();
  assert.ok(word.y >= marked.y - 1 && word.y + word.height <= marked.y + marked.height + 1);
});

test("a photograph is described, with its labels; a page is not", async () => {
  await ask("photos/cat.jpg");
  assert.match(await page.textContent("#response"), /^A photograph\. It shows: /);
  assert.match(await page.textContent("#caption"), /\(\d+ %\)$/);
  assert.deepEqual((await page.locator("#labels li").allTextContents()).map((text) => text.split(" ")[0]).sort(),
    ["fire", "flood", "ordinary"]);
  assert.deepEqual(complaints, []);
  await ask("notice-eng.jpg");
  await page.waitForFunction(() => document.getElementById("seen").hidden);
});

test("right-to-left text is set from the right", async () => {
  await ask("notice-ara.jpg", "what does it say?");
  assert.equal(await page.locator("#response").evaluate((e) => getComputedStyle(e).direction), "rtl");
  assert.match(await page.textContent("#text"), /مدينة حلب/);
});

test("pages of a document are turned", async () => {
  await ask("letter-fra.tif");
  assert.equal(await page.textContent("#page-number"), "1 of 2");
  await page.click("#next");
  assert.equal(await page.textContent("#page-number"), "2 of 2");
  assert.match(await page.textContent("#text"), /technicien/);
  assert.ok(await page.locator("#next").isDisabled());
});

test("a file that is no picture is refused plainly", async () => {
  await page.setInputFiles("#file", { name: "letter.png", mimeType: "image/png", buffer: Buffer.from("Dear all,\n") });
  await page.click("#send");
  await page.waitForSelector("#problem:not([hidden])");
  const text = await page.textContent("#problem");
  assert.match(text, /JPEG|picture|text/);
  assert.match(text, /request [A-Za-z0-9._-]+/);
  assert.ok(await page.locator("#result").isHidden());
});

test("without a file it says so", async () => {
  await page.click("#send");
  assert.match(await page.textContent("#problem"), /Choose a file/);
});

test("a dropped file is read", async () => {
  const bytes = readFileSync(sample("notice-spa.png")).toString("base64");
  const transfer = await page.evaluateHandle((data) => {
    const raw = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const made = new DataTransfer();
    made.items.add(new File([raw], "notice-spa.png", { type: "image/png" }));
    return made;
  }, bytes);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
  await page.waitForSelector("#result:not([hidden])");
  assert.match(await page.textContent("#response"), /Spanish/);
});

test("it can be used from the keyboard alone", async () => {
  await page.setInputFiles("#file", sample("notice-eng.jpg"));
  await page.focus("#file");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "instruction");
  await page.keyboard.type("which phone number?");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#result:not([hidden])");
  assert.match(await page.textContent("#response"), /555 0127/);
  await page.locator("#facts button").first().focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".mark").count(), 1);
});

test("on a phone nothing is cut off", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await ask("notice-swh.jpg");
  const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= view, `${content} > ${view}`);
});

test("a searchable PDF is taken away", async () => {
  await ask("notice-swh.jpg");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click('[data-format="pdf"]')]);
  assert.equal(download.suggestedFilename(), "notice-swh.pdf");
  assert.equal(readFileSync(await download.path()).subarray(0, 5).toString(), "%PDF-");
});
