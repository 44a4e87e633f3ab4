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
const categories = ["coffee", "tea", "kitchen"];
const prices = [9.5, 4, 2.5];
const svg = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><rect width='8' height='8'/></svg>";
// Only the first of these is loaded.
const images = { espresso: svg, honey: "javascript:alert(1)", chai: "http://127.0.0.1:9/picture.png" };

/** A table of all items with these titles, a category, a price and a picture. */
function itemTable(titles) {
  const quoted = text => `"${String(text).replaceAll('"', '""')}"`;
  const rows = kinds.flatMap((items, kind) => items.map(item =>
    [item, titles[item] ?? "", categories[kind], prices[kind], images[item] ?? ""].map(quoted).join(",")));
  return ["item,title,category,price,image", ...rows].join("\n") + "\n";
}

// Titles that must not change the page around them.
const hostile = {
  espresso: "<img src=x onerror=alert(1)><script>alert(1)</script>",
  cappuccino: "safe \u202egnp.exe\u2066 \u0007\u001b[31m end",
  "oat milk": "long ".repeat(200_000),
  biscotti: "x".repeat(1000),
  sugar: "שלום עולם",
};

let service, titled, attacked, locked, browser, page, address;
const failures = [];

/** A service of a model, once it listens: its process and its address. */
async function served(model, ...flags) {
  const process = spawn(tool, ["serve", model, "--address", "127.0.0.1:0", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
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
  const data = path.join(folder, "purchases.csv");
  writeFileSync(data, purchases());
  const fitted = async (name, titles, ...flags) => {
    const [items, model] = [path.join(folder, `${name}.csv`), path.join(folder, `${name}.bspm`)];
    const table = titles ? ["--items", items] : [];
    if (titles) writeFileSync(items, itemTable(titles));
    execFileSync(tool, ["fit", data, "-o", model, ...table, ...flags]);
    return served(model);
  };
  service = await fitted("plain", null, "--set", "factor_dim=3");
  titled = await fitted("titled", titles);
  attacked = await fitted("hostile", hostile, "--set", "factor_dim=3");
  const keys = path.join(folder, "keys");
  writeFileSync(keys, "0123456789abcdef\n");
  locked = await served(path.join(folder, "plain.bspm"), "--keys", keys, "--no-example-users");
  address = service.address;
  browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
  page.on("pageerror", error => failures.push(String(error)));
  page.on("dialog", dialog => { failures.push(dialog.message()); dialog.dismiss(); });
  page.on("console", message => { if (message.type() === "error" && !message.text().includes("status of")) failures.push(message.text()); });
  page.on("request", request => {
    const own = [service, titled, attacked, locked].map(it => it.address).some(it => request.url().startsWith(it));
    if (!own && !request.url().startsWith("data:")) failures.push(request.url());
  });
  await page.goto(address);
});

after(async () => {
  await browser?.close();
  for (const it of [service, titled, attacked, locked]) it?.process.kill();
});

const answer = async address => (await fetch(address)).json();
const post = async (address, body) => (await fetch(address, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
})).json();
const listed = id => page.locator(`#${id} li .name`).allTextContents();
const isHistory = count => page.waitForFunction(count => document.querySelectorAll("#history li").length === count && !document.getElementById("lists").hidden, count);

/** Opens a page and waits for its popular items. */
async function open(address) {
  await page.goto(address);
  await page.waitForSelector("#popular li");
}

/** The texts of the page whose contrast with their background is below 4.5. */
const faint = () => page.evaluate(() => {
  const channels = color => color.match(/[\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = channels(color).slice(0, 3).map(it => it / 255).map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const hasText = [...element.childNodes].some(it => it.nodeType === Node.TEXT_NODE && it.textContent.trim());
    if (!hasText || !element.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) found.push(`${element.tagName}.${element.className} ${element.textContent.slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return found;
});

test("says what is served", async () => {
  await page.waitForFunction(() => document.getElementById("summary").textContent);
  assert.match(await page.textContent("#summary"), /^bspm: 60 users, 18 items, \d+ interactions$/);
  assert.ok(await page.isHidden("#filters"), "a model without an item table has no filters");
  assert.ok(await page.isHidden("#compared"), "the settings were given");
});

test("opens with example users, and one of them gets a list", async () => {
  await page.waitForSelector("#users li");
  const { users } = await answer(`${address}/users?k=6`);
  assert.deepEqual(await listed("users"), users.map(it => it.user));
  assert.equal(new Set(users.map(it => it.user)).size, 6);
  await page.click("#users li:nth-child(2) button");
  await page.waitForSelector("#list li");
  const expected = await answer(`${address}/recommend?k=20&user=${encodeURIComponent(users[1].user)}`);
  assert.deepEqual(await listed("list"), expected.items.map(entry => entry.item));
  const history = await answer(`${address}/history?k=24&user=${encodeURIComponent(users[1].user)}`);
  assert.deepEqual(await listed("history"), history.items.map(entry => entry.item));
  assert.match(await page.textContent("#history-title"), new RegExp(`^User ${users[1].user}: ${users[1].interactions} `));
  await page.click("#restart");
  await page.waitForSelector("#popular li");
  assert.ok(await page.isVisible("#examples"));
});

test("opens with popular items, and one of them starts a history", async () => {
  const expected = await answer(`${address}/items?k=24`);
  assert.deepEqual(await listed("popular"), expected.items.map(it => it.item));
  assert.ok(await page.isHidden("#lists"));
  await page.click("#popular li button");
  await page.waitForSelector("#list li");
  assert.ok(await page.isHidden("#start"));
  assert.deepEqual(await listed("history"), [expected.items[0].item]);
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
  assert.deepEqual(scores, expected.items.map(entry => entry.score.toPrecision(3)));
  const widths = await page.locator("#list .bar").evaluateAll(bars => bars.map(bar => bar.getBoundingClientRect().width));
  assert.ok(widths.every((width, place) => place === 0 || width <= widths[0]), String(widths));
});

test("explains an item by bars, and shows similar items", async () => {
  const item = (await listed("list"))[0];
  await page.click("#list li button");
  await page.waitForSelector("#detail:not([hidden])");
  const expected = await answer(`${address}/explain?user=customer%203&item=${encodeURIComponent(item)}`);
  assert.equal(await page.textContent("#item"), item);
  const parts = await page.locator("#why .part bdi").allTextContents();
  assert.deepEqual(parts, expected.contributions.map(part => part.item));
  const widths = await page.locator("#why .bar").evaluateAll(bars => bars.map(bar => bar.getBoundingClientRect().width));
  const largest = Math.max(...expected.contributions.map(part => Math.abs(part.score)));
  expected.contributions.forEach((part, place) => {
    const share = widths[place] / Math.max(...widths);
    assert.ok(Math.abs(share - Math.abs(part.score) / largest) < 0.02, `${part.item}: ${share}`);
  });
  const similar = await answer(`${address}/similar?k=8&item=${encodeURIComponent(item)}`);
  assert.deepEqual(await listed("similar"), similar.items.map(entry => entry.item));
});

test("is used with the keyboard", async () => {
  await page.keyboard.press("Escape");
  assert.ok(await page.isHidden("#detail"));
  // The focus is again on the item, and it is visible.
  const focused = () => page.evaluate(() => document.activeElement.querySelector(".name")?.textContent);
  const [first, second] = await listed("list");
  assert.equal(await focused(), first);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), second);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
  assert.ok(parseFloat(outline) >= 2, outline);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#detail:not([hidden])");
  assert.equal(await page.textContent("#item"), second);
  assert.equal(await page.evaluate(() => document.activeElement.id), "detail");
  // Each field and button has a name, and each section a label.
  const unnamed = await page.locator("button, input, section").evaluateAll(all => all.filter(it => {
    const labels = it.labels?.length || it.getAttribute("aria-label") || it.getAttribute("aria-labelledby");
    return !labels && !it.textContent.trim();
  }).map(it => it.outerHTML));
  assert.deepEqual(unnamed, []);
});

test("looks as before", async () => {
  await page.mouse.move(0, 0);
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  const seen = await page.screenshot({ path: path.join(pictures, "page.png") });
  if (process.env.UPDATE) {
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
  for (const [place, item] of ["chai", "honey"].entries()) {
    await page.fill("#item-to-add", item);
    await page.press("#item-to-add", "Enter");
    await page.waitForFunction(([item, count]) => {
      const names = [...document.querySelectorAll("#history .name")].map(it => it.textContent);
      return names.length === count && names.includes(item);
    }, [item, place + 1]);
  }
  const expected = await post(`${address}/recommend`, { history: ["chai", "honey"], k: 20 });
  await page.waitForFunction(first => document.querySelector("#list .name")?.textContent === first, expected.items[0].item);
  assert.deepEqual(await listed("list"), expected.items.map(entry => entry.item));

  // One of the list joins it, and one is taken away.
  await page.click("#list li button.add");
  await isHistory(3);
  await page.click("#history li button");
  await isHistory(2);
  await page.waitForFunction(() => [...document.querySelectorAll("#list .name")].some(it => it.textContent === "chai"));
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

test("shows titles and finds items by them", async () => {
  await open(titled.address);
  const popular = await listed("popular");
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
  await isHistory(3);
  const expected = await post(`${titled.address}/recommend`, { history: ["chai", "honey", "lemon"], k: 20 });
  await page.waitForFunction(count => document.querySelectorAll("#list li").length === count, expected.items.length);
  assert.deepEqual(await listed("list"), expected.items.map(entry => entry.title ?? entry.item));
  assert.ok(expected.items.some(entry => entry.title === titles.espresso));
  await page.locator("#list li button", { hasText: titles.espresso }).first().click();
  await page.waitForSelector("#detail:not([hidden])");
  assert.equal(await page.textContent("#item"), titles.espresso);
  assert.deepEqual(await page.locator("#about dd").allTextContents(), ["coffee", "9.5"]);
  const parts = await page.locator("#why .part bdi").allTextContents();
  assert.deepEqual(parts.toSorted(), [titles.chai, titles.honey, "lemon"].toSorted());
  assert.equal(await page.locator("#lists b, #history b").count(), 0);
});

test("shows pictures, but only from safe addresses", async () => {
  await open(titled.address);
  const image = page.locator("img.picture");
  assert.equal(await image.count(), 1);
  assert.deepEqual(await image.evaluate(it => [it.src, it.alt, it.loading, it.referrerPolicy]),
    [svg, `picture of ${titles.espresso}`, "lazy", "no-referrer"].map((it, place) => place ? it : new URL(svg).href));
  await page.waitForFunction(() => document.querySelector("img.picture").naturalWidth > 0);
  const policy = async address => (await fetch(address)).headers.get("content-security-policy");
  assert.match(await policy(titled.address), /img-src https: data:;/);
  assert.match(await policy(address), /img-src data:;/);
  assert.match(await policy(`${titled.address}/items`), /img-src data:;/);
});

test("filters by chips and by a condition", async () => {
  const chip = name => page.locator(".chip", { hasText: name });
  const legends = await page.locator(".facet legend").allTextContents();
  assert.deepEqual(legends, ["category", "price"]);
  await chip("tea").click();
  await page.waitForFunction(() => document.querySelectorAll("#popular li").length === 6);
  assert.equal(await chip("tea").getAttribute("aria-pressed"), "true");
  await page.click("#users li button");
  const user = (await answer(`${titled.address}/users`)).users[0].user;
  const expect = async where => {
    const expected = await post(`${titled.address}/recommend`, { user, k: 20, where });
    const names = expected.items.map(entry => entry.title ?? entry.item);
    await page.waitForFunction(names => {
      const seen = [...document.querySelectorAll("#list .name")].map(it => it.textContent);
      return JSON.stringify(seen) === JSON.stringify(names);
    }, names);
  };
  await expect("category = 'tea'");
  await chip("coffee").click();
  await expect("category in ('tea', 'coffee')");
  await chip("9.5").click();
  await expect("category in ('tea', 'coffee') and price = 9.5");
  await chip("9.5").click();
  await page.fill("#condition", "price < 5 or title like 'E%'");
  await page.press("#condition", "Enter");
  await expect("category in ('tea', 'coffee') and (price < 5 or title like 'E%')");
  await page.fill("#condition", "colour = 1");
  await page.press("#condition", "Enter");
  await page.waitForFunction(() => document.getElementById("message").textContent.includes("expected one of the columns"));
  await page.click("#unfilter");
  await expect("true = true");
  assert.equal(await page.locator(".chip[aria-pressed='true']").count(), 0);
  assert.equal(await page.textContent("#message"), "");
});

test("describes the model", async () => {
  const card = await answer(`${titled.address}/model`);
  const facts = await page.textContent("#facts");
  for (const fact of [card.label, "60", card.held_out.metrics.ndcg.toFixed(4)]) assert.ok(facts.includes(fact), `${fact}: ${facts}`);
  const best = card.trials.filter((it, place) => it.is_selected || card.trials.findIndex(other => other.filter === it.filter) === place);
  assert.equal(await page.locator("#trials tr").count(), best.length);
  assert.equal(card.compared, card.trials.length);
  await page.click("#all-trials");
  assert.equal(await page.locator("#trials tr").count(), card.trials.length);
  assert.equal(await page.locator("#trials tr.chosen").count(), 1);
});

test("has enough contrast in light and dark colours", async () => {
  await page.click("#list li button");
  await page.waitForSelector("#detail:not([hidden])");
  await page.locator(".chip").first().click();
  await page.waitForSelector(".chip[aria-pressed='true']");
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    const [red] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    assert.equal(red < 100, colorScheme === "dark");
    assert.deepEqual(await faint(), [], colorScheme);
    await page.screenshot({ path: path.join(pictures, `${colorScheme}.png`) });
  }
});

test("asks for a key, and shows no users if the server lists none", async () => {
  await page.goto(locked.address);
  await page.waitForSelector("#by-key:not([hidden])");
  assert.match(await page.textContent("#message"), /Bearer KEY/);
  await page.fill("#key", "0123456789abcdef");
  await page.press("#key", "Enter");
  await page.waitForSelector("#popular li");
  assert.ok(await page.isHidden("#by-key") && await page.isHidden("#examples"));
  assert.equal(await page.textContent("#message"), "");
});

test("shows hostile titles as text", async () => {
  await open(attacked.address);
  const names = await listed("popular");
  assert.ok(names.some(it => it.startsWith("<img src=x onerror=alert(1)><script>")), String(names));
  assert.ok(names.includes("safe  gnp.exe    [31m end"), String(names));
  assert.ok(names.every(it => [...it].length <= 81));
  assert.equal(await page.locator("#popular img[src='x'], #popular script").count(), 0);
  assert.ok(await page.locator("#popular .name").evaluateAll(all => all.every(it => it.tagName === "BDI" && it.dir === "auto")));
  await page.fill("#item-to-add", "long");
  await page.waitForSelector("#items option", { state: "attached" });
  await page.click("#popular li:has-text('long long') button");
  await page.waitForSelector("#list li");
  await page.click("#list li button");
  await page.waitForSelector("#detail:not([hidden])");
  assert.ok(await page.evaluate(() => document.body.textContent.length < 20_000));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

test("fits a telephone", async () => {
  await page.setViewportSize({ width: 380, height: 800 });
  const isNarrow = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(await isNarrow(), "hostile titles");
  for (const it of [service, titled]) {
    await open(it.address);
    assert.ok(await isNarrow(), "start");
    await page.click("#users li button");
    await page.waitForSelector("#list li");
    assert.ok(await isNarrow(), "list");
    await page.click("#list li button");
    await page.waitForSelector("#detail:not([hidden])");
    assert.ok(await isNarrow(), "explanation");
  }
  await page.screenshot({ path: path.join(pictures, "telephone.png") });
});

test("asks nobody else, and nothing fails in the script", () => {
  assert.deepEqual(failures, []);
});
