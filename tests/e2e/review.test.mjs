// The reviewer's page in a real browser: by keys alone, while the service is away, on a phone, from the right.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { openPage, program, root, startBrowser } from "./service.mjs";

const screenshot = process.env.REVIEW_SCREENSHOT;

let browser, home, folder, service, page, complaints, context;

// {address, port, stop(signal)} of a review of the folder.
async function startReview(...words) {
  const child = spawn(program, ["dataset", "review", folder, "--reviewer", "amina", "--random", "0", ...words],
    { stdio: ["ignore", "pipe", "ignore"] });
  let address;
  for await (const line of createInterface({ input: child.stdout })) {
    address = line.slice(line.indexOf("http"));
    break;
  }
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{43}$/);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const stop = async (signal = "SIGINT") => {
    child.kill(signal);
    await gone;
  };
  return { address, port: address.match(/:(\d+)\//)[1], stop };
}

// Every decision that is on disk: [item, revision, verdict, text, box, reason, note].
function reviews() {
  const made = execFileSync("python3", ["-c", `import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(json.dumps(db.execute("SELECT item, revision, verdict, text, box, reason, note, seconds FROM review ORDER BY rowid").fetchall()))`,
    join(folder, "reviews.db")]);
  return JSON.parse(made);
}

const heading = () => page.textContent("#item-heading");
const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const ready = () => page.waitForFunction(() => document.getElementById("link").textContent === "connected" &&
  !document.getElementById("item").hidden &&
  / 12 here ahead$/.test(document.getElementById("progress").textContent));
const sent = (count) => page.waitForFunction((wanted) =>
  document.getElementById("progress").textContent.startsWith(`· ${wanted} decided`) &&
  !document.getElementById("progress").textContent.includes("to be sent"), count);
const said = (pattern) => page.waitForFunction((source) =>
  new RegExp(source).test(document.getElementById("status").textContent), pattern.source);
// Which item is shown, by what the service would call it: passages and examples have numbers in their texts.
const number = async () => (await page.textContent("#text")).match(/\d+$/)[0];

// Keys that decide on the item that is shown; the next one is there when it returns.
async function decide(verdict, ...keys) {
  const was = await number();
  await press(...keys);
  await page.waitForFunction(([old, status]) => document.getElementById("status").textContent.startsWith(status) &&
    document.getElementById("text").textContent.match(/\d*$/)[0] !== old, [was, verdict]);
  return was;
}

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
});

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "vislang-review-"));
  folder = join(home, "notices");
  execFileSync("python3", ["-B", join(root, "tests/review/dataset.py"), folder, "12"]);
  service = await startReview();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  ({ page, complaints } = await openPage(context, service.address));
  await ready();
});

afterEach(async () => {
  await context?.close();
  await service?.stop();
  rmSync(home, { recursive: true });
});

test("an item is shown with its picture, its box and where it is from", async () => {
  assert.match(await heading(), /^(Passage|Reading), (Swahili|Arabic|Spanish)$/);
  const picture = await page.locator("#picture").evaluate((img) => [img.naturalWidth, img.naturalHeight]);
  const frame = await page.locator("#picture").boundingBox(), box = await page.locator("#box").boundingBox();
  const file = readFileSync(join(folder, "items-00000.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const text = await page.textContent("#text"), item = file.find((one) => one.text === text);
  assert.deepEqual(picture, [item.width, item.height]);
  const left = (box.x - frame.x) / frame.width, width = box.width / frame.width;
  assert.ok(Math.abs(left - item.region[0] / item.width) < 0.01 && Math.abs(width - item.region[2] / item.width) < 0.01);
  const link = page.locator("#source a");
  assert.match(await link.getAttribute("href"), /^https:\/\/example\.org\/notice-/);
  assert.match(await page.textContent("#source"), /Example · 2025-01-02 · page 1 · licence: CC BY 4\.0 · read by OCR/);
  assert.equal(await page.locator("#quality meter").count(), 7);
  for (const button of await page.locator("#actions button").all()) {
    const key = await button.getAttribute("aria-keyshortcuts");
    assert.equal(await button.locator("kbd").textContent(), key, "every action shows its key");
  }
  assert.deepEqual(complaints, []);
  if (screenshot) await page.screenshot({ path: screenshot });
});

test("all of it can be done from the keyboard", async () => {
  const ids = [];
  ids.push(await decide("Accepted.", "a"));
  assert.equal(await page.evaluate(() => document.activeElement.id), "item");

  await press("e"); // correct the text
  await page.waitForFunction(() => document.activeElement.id === "correction");
  ids.push(await number());
  await press("Control+a");
  await page.keyboard.type("Habari mpya a b r s 1");
  await decide("Accepted as corrected.", "Control+Enter");

  const before = await page.locator("#box").boundingBox(); // redraw the box
  await press("b", "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Alt+ArrowLeft");
  const moved = await page.locator("#box").boundingBox();
  assert.ok(moved.x > before.x && moved.y > before.y && moved.width > before.width);
  await press("Enter");
  assert.equal(await page.textContent("#accept-name"), "Accept as corrected");
  ids.push(await decide("Accepted as corrected.", "a"));

  await press("r"); // reject, with a reason of the list
  await page.waitForFunction(() => /^1 /.test(document.activeElement.textContent));
  ids.push(await decide("Rejected.", "5"));

  await press("r"); // reject, in own words
  await page.focus("#note");
  await page.keyboard.type("Sina hakika 12");
  ids.push(await decide("Rejected.", "Enter"));

  const undone = await decide("Accepted.", "a"); // accept, and take it back
  await press("u");
  await said(/^Taken back/);
  assert.equal(await number(), undone);
  await decide("Skipped.", "s");

  await press("p", "p"); // look back, and change one's mind
  await page.waitForFunction((wanted) => document.getElementById("text").textContent.endsWith(" " + wanted), ids[4]);
  assert.match(await page.textContent("#verdict"), /^Rejected — Something else — Sina hakika 12$/);
  await decide("Accepted.", "a");
  await sent(5);

  const rows = reviews(), byRevision = rows.map(([item, revision, verdict]) => [parseInt(item, 16) + "", revision, verdict]);
  const inOrder = (list) => list.map(String).sort(); // decisions on two items may arrive in either order
  assert.deepEqual(inOrder(byRevision), inOrder([
    [ids[0], 1, "accepted"], [ids[1], 1, "corrected"], [ids[2], 1, "corrected"], [ids[3], 1, "rejected"], [ids[4], 1, "rejected"],
    [undone, 1, "accepted"], [undone, 2, "undone"], [undone, 3, "skipped"], [ids[4], 2, "accepted"]]));
  assert.equal(rows[1][3], "Habari mpya a b r s 1");
  const region = rows[2][4].split(" ").map(Number);
  assert.equal(rows[2][3], null);
  assert.ok(region.every(Number.isInteger) && region.length === 4, rows[2][4]);
  assert.deepEqual(rows[3].slice(5, 7), ["boilerplate", ""]);
  assert.deepEqual(rows[4].slice(5, 7), ["other", "Sina hakika 12"]);
  assert.ok(rows[0][7] > 0 && rows[0][7] < 60, "the seconds that it took");
  assert.deepEqual(complaints, []);
});

test("what is left as it was is not a correction", async () => {
  const text = await page.textContent("#text");
  await press("e");
  await page.keyboard.type("x");
  await press("Escape");
  assert.equal(await page.textContent("#text"), text);
  await press("b", "ArrowRight", "Escape");
  assert.equal(await page.textContent("#accept-name"), "Accept");
  await press("b", "ArrowRight", "ArrowLeft", "Enter");
  assert.equal(await page.textContent("#accept-name"), "Accept");
  await press("r", "Escape");
  await press("a");
  await sent(1);
  assert.deepEqual(reviews().map((row) => row[2]), ["accepted"]);
});

test("work goes on while the service is away, and all of it arrives once", async () => {
  await press("a");
  await sent(1);
  await ready();
  await service.stop();
  const made = [];
  for (const keys of [["a"], ["r", "1"], ["s"], ["a"]]) {
    made.push([await decide({ a: "Accepted.", r: "Rejected.", s: "Skipped." }[keys[0]], ...keys), keys[0]]);
    assert.ok(await page.locator("#picture").evaluate(async (img) => {
      await img.decode();
      return img.naturalWidth > 0;
    }), "pictures were fetched ahead");
  }
  await page.waitForFunction(() => /4 to be sent$/.test(document.getElementById("progress").textContent) &&
    document.getElementById("link").classList.contains("away"));
  assert.equal(reviews().length, 1);

  await page.reload(); // the page itself opens without the service, and has it all
  await page.waitForFunction(() => /4 to be sent$/.test(document.getElementById("progress").textContent));
  made.push([await number(), "a"]);
  await press("a");
  await page.waitForFunction(() => /5 to be sent$/.test(document.getElementById("progress").textContent));
  await press("u");
  await page.waitForFunction(() => /6 to be sent$/.test(document.getElementById("progress").textContent));

  const address = service.address;
  service = await startReview();
  assert.equal(service.address, address, "it is where it was");
  await sent(4);
  const verdicts = { a: "accepted", r: "rejected", s: "skipped" };
  const expected = made.map(([id, key]) => [id, 1, verdicts[key]]).concat([[made.at(-1)[0], 2, "undone"]]);
  const rows = () => reviews().slice(1).map(([item, revision, verdict]) => [parseInt(item, 16) + "", revision, verdict]);
  assert.deepEqual(rows().sort(), expected.sort());
  await page.reload();
  await sent(4);
  assert.equal(rows().length, expected.length, "nothing is sent twice");
});

test("a decision whose answer was lost is not stored twice", async () => {
  let lost = 0;
  await page.route("**/review/api/decisions", async (route) => {
    if (lost++) return route.continue();
    await route.fetch(); // it arrives, the answer does not
    return route.abort();
  });
  await press("a");
  await sent(1);
  assert.ok(lost >= 2);
  assert.equal(reviews().length, 1);
});

test("the box is drawn with the mouse, and with a finger", async () => {
  await press("b");
  const frame = await page.locator("#picture").boundingBox();
  await page.mouse.move(frame.x + frame.width * 0.25, frame.y + 60);
  await page.mouse.down();
  await page.mouse.move(frame.x + frame.width * 0.75, frame.y + 160, { steps: 5 });
  await page.mouse.up();
  const box = await page.locator("#box").boundingBox();
  assert.ok(Math.abs(box.x - frame.x - frame.width * 0.25) < 5 && Math.abs(box.width - frame.width * 0.5) < 8, JSON.stringify(box));
  await press("Enter", "a");
  await sent(1);
  const [x, , width] = reviews()[0][4].split(" ").map(Number);
  assert.ok(Math.abs(width / x - 2) < 0.1, `${x} ${width}`);

  const phone = await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const small = (await openPage(phone, service.address)).page;
  await small.waitForSelector("#item:not([hidden])");
  await small.locator('[data-do="box"]').tap();
  const touch = await phone.newCDPSession(small);
  const area = await small.locator("#picture").boundingBox();
  const at = (x, y) => [{ x: area.x + area.width * x, y: area.y + y }];
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0.1, 20) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(0.3, 50) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(0.6, 90) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  const drawn = await small.locator("#box").boundingBox();
  assert.ok(Math.abs(drawn.width - area.width * 0.5) < 8, JSON.stringify(drawn));
  const [content, view] = await small.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= view, `${content} > ${view}`);
  await phone.close();
});

test("right-to-left text stands and is corrected from the right", async () => {
  for (let tries = 0; !(await heading()).endsWith("Arabic"); tries++) {
    assert.ok(tries < 10);
    await decide("Skipped.", "s");
  }
  const direction = (id) => page.locator(id).evaluate((one) => getComputedStyle(one).direction);
  assert.equal(await direction("#text"), "rtl");
  assert.equal(await page.getAttribute("#text", "lang"), "ara");
  await press("e");
  assert.equal(await direction("#correction"), "rtl");
});

test("what an item says is never markup", async () => {
  await page.close();
  await service.stop();
  const hostile = `"><img src=x onerror=alert(1)><script>alert(1)</script>`;
  const path = join(folder, "items-00000.jsonl");
  const items = readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  for (const one of items) {
    Object.assign(one, { text: hostile, instruction: hostile, language: "und", picture_kind: hostile });
    Object.assign(one.source, { url: "javascript:alert(1)", title: hostile, licence: hostile, publisher: hostile });
  }
  writeFileSync(path, items.map((one) => JSON.stringify(one) + "\n").join(""));
  service = await startReview();
  ({ page, complaints } = await openPage(context, service.address));
  let alerts = 0;
  page.on("dialog", (dialog) => {
    alerts++;
    dialog.dismiss();
  });
  await page.waitForFunction((wanted) => document.getElementById("text").textContent === wanted, hostile);
  assert.equal(await page.locator("#item img").count(), 1);
  assert.equal(await page.locator("#item script, #source a").count(), 0);
  await press("a");
  await sent(1);
  assert.equal(alerts, 0);
  assert.deepEqual(complaints, []);
});

test("an address without its token says so", async () => {
  await page.close();
  ({ page, complaints } = await openPage(context, service.address.replace(/#.*/, "")));
  assert.match(await page.textContent("#problem"), /ends in '#' and a token/);
  await page.close();
  ({ page } = await openPage(context, service.address.replace(/#.*/, "#" + "A".repeat(43))));
  await page.waitForFunction(() => /token/.test(document.getElementById("problem").textContent));
  assert.ok(await page.locator("#item").isHidden());
});

test("what cannot be sent as it is holds nothing up", async () => {
  // Half of a character, which no JSON carries, a NUL, and a body that the service takes for none.
  let refusals = 0;
  await page.route("**/review/api/decisions", async (route) => {
    const { decisions } = route.request().postDataJSON();
    if (decisions.some((one) => one.note === "not to be sent")) {
      refusals++;
      return route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"detail":"The body is none."}' });
    }
    return route.continue();
  });
  await context.setOffline(true);
  await press("e");
  await page.evaluate(() => { document.getElementById("correction").value = "maji \ud83d\u0000 9"; });
  await decide("Accepted as corrected.", "Control+Enter");
  await press("r");
  await page.focus("#note");
  await page.keyboard.type("not to be sent");
  await decide("Rejected.", "Enter");
  await decide("Accepted.", "a");
  await page.waitForFunction(() => /3 to be sent$/.test(document.getElementById("progress").textContent));
  await context.setOffline(false);
  await sent(2);
  assert.ok(refusals >= 2, "together with others, and alone");
  assert.match(await page.textContent("#problem"), /1 of your decisions were refused: The body is none\./);
  assert.deepEqual(reviews().map((row) => [row[2], row[3]]), [["corrected", "maji \ufffd 9"], ["accepted", null]]);
});

test("letters can be taken from the keys", async () => {
  await press("?");
  await page.uncheck("#letters");
  await press("Escape", "a");
  await page.waitForTimeout(300);
  assert.equal(await page.textContent("#status"), "");
  await page.locator('[data-do="accept"]').focus();
  await press("Enter");
  await said(/^Accepted\./);
});
