// Writes pictures of the page of a model of films for the guide: `node pictures.mjs ADDRESS FOLDER`.

import { existsSync } from "node:fs";
import path from "node:path";

import { chromium } from "playwright-core";

const [address, folder] = process.argv.slice(2);
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

/** Opens the page at a width, and fills a history with these films. */
async function opened(width, height, films) {
  const page = await browser.newPage({ viewport: { width, height }, reducedMotion: "reduce" });
  await page.goto(address);
  await page.waitForSelector("#popular li");
  for (const [place, film] of films.entries()) {
    await page.fill("#item-to-add", film);
    await page.press("#item-to-add", "Enter");
    await page.waitForFunction(count => document.querySelectorAll("#history li").length === count, place + 1);
  }
  await page.waitForSelector("#list li");
  return page;
}

const films = ["Toy Story", "Aladdin", "Babe"];
const wide = await opened(1200, 790, films);
await wide.click("#list li button");
await wide.waitForSelector("#detail:not([hidden])");
await wide.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
await wide.screenshot({ path: path.join(folder, "page-1200.png") });

const narrow = await opened(400, 800, films);
await narrow.evaluate(() => { document.activeElement.blur(); document.getElementById("filters").scrollIntoView(); });
await narrow.screenshot({ path: path.join(folder, "page-400.png") });
await browser.close();
