// The real service and Debian's Chromium, for the tests of the page.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const program = process.env.VISLANG_PROGRAM || join(root, "build/vislang");
delete process.env.VISLANG_PROGRAM; // the program takes VISLANG_… for settings
export const sample = (name) => join(root, "samples", name);

// A service with these settings; {address, stop()}.
export async function startService(settings) {
  const set = Object.entries({ ocr_record: "none", database_url: `sqlite://${join(mkdtempSync(join(tmpdir(), "vislang-")), "vislang.db")}`, ...settings }).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const server = spawn(program, ["serve", "--port", "0", ...set], { stdio: ["ignore", "ignore", "pipe"] });
  let address;
  for await (const line of createInterface({ input: server.stderr })) {
    const event = JSON.parse(line);
    if (event.message === "listening") {
      address = `http://127.0.0.1:${event.port}`;
      break;
    }
  }
  server.stderr.resume();
  assert.ok(address, "the service did not start");
  const stop = async () => {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    assert.equal(await gone, 0);
  };
  return { address, stop };
}

export const startBrowser = () =>
  chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

// A page at `address` that collects what the browser complains of.
export async function openPage(browser, address, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints = [];
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(address);
  return { page, complaints };
}
