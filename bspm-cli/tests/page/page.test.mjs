// The page of `bspm serve` in headless Chromium: what a person does there, and what is then seen.
//
// BSPM names the tool, PICTURES the folder that the pictures go to. With UPDATE=1 `page.png`
// is written instead of compared.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import pixelmatch from "pixelmatch";
import { chromium } from "playwright-core";
import { PNG } from "pngjs";

const tool = process.env.BSPM;
const pictures = process.env.PICTURES;
const picture = fileURLToPath(new URL("page.png", import.meta.url));
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

const kinds = [
  ["espresso", "cappuccino", "filter coffee", "oat milk", "biscotti", "sugar"],
  ["green tea", "black tea", "chai", "honey", "lemon", "shortbread"],
  ["rye bread", "butter", "gouda", "tomatoes", "basil", "olive oil"],
];

/** A shop of three kinds of customers, who now and then look over the fence. */
function purchases() {
  const lines = ["user,item"];
  for (let customer = 0; customer < 60; customer++) {
    const kind = customer % 3;
    kinds[kind].forEach((item, place) => {
      if ((customer * 7 + place * 5) % 4 < 2 || place === customer % 6) lines.push(`customer ${customer},${item}`);
    });
    lines.push(`customer ${customer},${kinds[(kind + 1) % 3][customer % 5]}`);
  }
  return lines.join("\n") + "\n";
}

const titles = { espresso: "Espresso 250 g", honey: "Honey <b>from</b> the forest", chai: "Masala chai" };

let service, titled, browser, page, address;
const failures = [];

/** A service of a model, once it listens: its process and its address. */
async function served(model) {
  const process = spawn(tool, ["serve", model, "--address", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise((found, failed) => {
    process.once("exit", code => failed(new Error(`bspm serve ended with ${code}`)));
    process.stdout.on("data", text => {
      const line = /listening on (http:\S+)/.exec(text);
      if (line) found(line[1]);
    });
  });
  return { process, address };
}

before(async () => {
  assert.ok(tool && pictures, "BSPM and PICTURES must be set; scripts/test-page does");
  assert.ok(browserPath, "Chromium is missing: apt-get install chromium");
  mkdirSync(pictures, { recursive: true });
  const folder = mkdtempSync(path.join(tmpdir(), "bspm-page-"));
  const [data, model] = ["purchases.csv", "shop.bspm"].map(name => path.join(folder, name));
  writeFileSync(data, purchases());
  execFileSync(tool, ["fit", data, "-o", model, "--set", "factor_dim=3"]);
  service = await served(model);
  address = service.address;
  const [items, withTitles] = ["items.csv", "titled.bspm"].map(name => path.join(folder, name));
  const rows = Object.entries(titles).map(([item, title]) => `${item},${title}`);
  writeFileSync(items, ["item,title", ...rows].join("\n") + "\n");
  execFileSync(tool, ["fit", data, "-o", withTitles, "--set", "factor_dim=3", "--items", items]);
  titled = await served(withTitles);
  browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  page = await browser.newPage({ viewport: { width: 960, height: 720 } });
  page.on("pageerror", error => failures.push(String(error)));
  page.on("request", request => {
    if (![address, titled.address].some(it => request.url().startsWith(it)) && !request.url().startsWith("data:")) failures.push(request.url());
  });
  await page.goto(address);
});

after(async () => {
  await browser?.close();
  service?.process.kill();
  titled?.process.kill();
});

const answer = async address => (await fetch(address)).json();
const listed = id => page.locator(`#${id} li button:first-child`).allTextContents();

test("says what is served", async () => {
  await page.waitForFunction(() => document.getElementById("model").textContent);
  assert.match(await page.textContent("#model"), /^bspm: 60 users, 18 items, \d+ interactions$/);
});

test("opens with popular items, and one of them starts a history", async () => {
  await page.waitForSelector("#popular li");
  const expected = await answer(`${address}/items?k=24`);
  assert.deepEqual(await page.locator("#popular li button").allTextContents(), expected.items.map(it => it.item));
  assert.ok(await page.isHidden("#lists"));
  await page.click("#popular li button");
  await page.waitForSelector("#list li");
  assert.ok(await page.isHidden("#start"));
  assert.match(await page.textContent("#history"), new RegExp(`^${expected.items[0].item}`));
  await page.click("#history li button");
  await page.waitForSelector("#popular li");
  assert.ok(await page.isHidden("#lists"));
});

test("lists the items for a user, with their scores", async () => {
  await page.fill("#user", "customer 3");
  await page.press("#user", "Enter");
  await page.waitForSelector("#list li");
  const expected = await answer(`${address}/recommend?user=customer%203&k=20`);
  assert.deepEqual(await listed("list"), expected.items.map(entry => entry.item));
  const scores = await page.locator("#list .score").allTextContents();
  assert.deepEqual(scores, expected.items.map(entry => entry.score.toPrecision(4)));
});

test("explains an item by bars, and shows similar items", async () => {
  const item = (await listed("list"))[0];
  await page.click("#list li button");
  await page.waitForSelector("#detail:not([hidden])");
  const expected = await answer(`${address}/explain?user=customer%203&item=${encodeURIComponent(item)}`);
  assert.equal(await page.textContent("#item"), item);
  const parts = await page.locator("#why .part span:first-child").allTextContents();
  assert.deepEqual(parts, expected.contributions.map(part => part.item));
  const widths = await page.locator("#why .bar").evaluateAll(bars => bars.map(bar => bar.getBoundingClientRect().width));
  const largest = Math.max(...expected.contributions.map(part => Math.abs(part.score)));
  expected.contributions.forEach((part, place) => {
    const share = widths[place] / Math.max(...widths);
    assert.ok(Math.abs(share - Math.abs(part.score) / largest) < 0.02, `${part.item}: ${share}`);
  });
  const similar = await answer(`${address}/similar?k=10&item=${encodeURIComponent(item)}`);
  assert.deepEqual(await listed("similar"), similar.items.map(entry => entry.item));
});

test("looks as the guide shows it", async () => {
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  const seen = await page.screenshot({ path: path.join(pictures, "page.png") });
  const { data } = PNG.sync.read(seen);
  let blue = 0;
  for (let place = 0; place < data.length; place += 4) {
    blue += data[place] === 0x3b && data[place + 1] === 0x7d && data[place + 2] === 0xd8;
  }
  const boxes = await page.locator("#why .bar").evaluateAll(bars => bars.map(bar => bar.getBoundingClientRect()));
  const area = boxes.reduce((sum, box) => sum + box.width * box.height, 0);
  assert.ok(Math.abs(blue / area - 1) < 0.1, `${blue} pixels of bars for ${area}`);
  if (process.env.UPDATE) {
    mkdirSync(path.dirname(picture), { recursive: true });
    writeFileSync(picture, seen);
    return;
  }
  const [found, expected] = [PNG.sync.read(seen), PNG.sync.read(readFileSync(picture))];
  assert.deepEqual([found.width, found.height], [expected.width, expected.height]);
  const difference = new PNG({ width: found.width, height: found.height });
  const pixels = pixelmatch(found.data, expected.data, difference.data, found.width, found.height, { threshold: 0.2 });
  writeFileSync(path.join(pictures, "difference.png"), PNG.sync.write(difference));
  // Another version of Chromium or of the font may draw letters differently; without its list or
  // its style the page differs in more than this.
  const share = pixels / (found.width * found.height);
  assert.ok(share < 0.01, `${(100 * share).toFixed(2)}% of the pixels differ: see ${pictures}/difference.png`);
});

test("takes a history, item by item", async () => {
  await page.fill("#item-to-add", "tea");
  await page.waitForSelector("#items option", { state: "attached" });
  const offered = await page.locator("#items option").evaluateAll(options => options.map(it => it.value));
  assert.deepEqual(offered.toSorted(), ["black tea", "green tea"]);
  for (const item of ["chai", "honey"]) {
    await page.fill("#item-to-add", item);
    await page.press("#item-to-add", "Enter");
    await page.waitForFunction(item => document.getElementById("history").textContent.includes(item), item);
  }
  await page.waitForSelector("#list li");
  const expected = await (await fetch(`${address}/recommend`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ history: ["chai", "honey"], k: 20 }),
  })).json();
  assert.deepEqual(await listed("list"), expected.items.map(entry => entry.item));

  // One of the list joins it, and one is taken away.
  await page.click("#list li button[title='add to the history']");
  await page.waitForFunction(() => document.querySelectorAll("#history li").length === 3);
  await page.click("#history li button");
  await page.waitForFunction(() => document.querySelectorAll("#history li").length === 2);
  await page.waitForFunction(() => [...document.querySelectorAll("#list li button:first-child")].some(it => it.textContent === "chai"));
});

test("says what is wrong", async () => {
  await page.fill("#user", "nobody");
  await page.press("#user", "Enter");
  await page.waitForFunction(() => document.getElementById("message").textContent);
  assert.match(await page.textContent("#message"), /user "nobody" is unknown/);
  await page.fill("#item-to-add", "diamonds");
  await page.press("#item-to-add", "Enter");
  await page.waitForFunction(() => document.getElementById("message").textContent.includes("diamonds"));
});

test("fits a telephone", async () => {
  await page.setViewportSize({ width: 380, height: 800 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

test("shows titles and finds items by them", async () => {
  await page.goto(titled.address);
  await page.waitForSelector("#popular li");
  const popular = await page.locator("#popular li button").allTextContents();
  for (const title of Object.values(titles)) assert.ok(popular.includes(title), title);
  await page.fill("#item-to-add", "masala");
  await page.waitForSelector("#items option", { state: "attached" });
  const offered = await page.locator("#items option").evaluateAll(options => options.map(it => it.value));
  assert.deepEqual(offered, ["Masala chai [chai]"]);
  // What is offered, a part of a title, and an id.
  for (const [text, title] of [[offered[0], titles.chai], ["FROM</b> the", titles.honey], ["lemon", "lemon"]]) {
    await page.fill("#item-to-add", text);
    await page.press("#item-to-add", "Enter");
    await page.waitForFunction(title => document.getElementById("history").textContent.includes(title), title);
  }
  await page.waitForSelector("#list li");
  const expected = await (await fetch(`${titled.address}/recommend`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ history: ["chai", "honey", "lemon"], k: 20 }),
  })).json();
  assert.deepEqual(await listed("list"), expected.items.map(entry => entry.title ?? entry.item));
  assert.ok(expected.items.some(entry => entry.title === titles.espresso));
  await page.locator("#list li button", { hasText: titles.espresso }).click();
  await page.waitForSelector("#detail:not([hidden])");
  assert.equal(await page.textContent("#item"), titles.espresso);
  const parts = await page.locator("#why .part span:first-child").allTextContents();
  assert.deepEqual(parts.toSorted(), [titles.chai, titles.honey, "lemon"].toSorted());
  assert.equal(await page.locator("#lists b, #history b").count(), 0);
});

test("asks nobody else, and nothing fails in the script", () => {
  assert.deepEqual(failures, []);
});
