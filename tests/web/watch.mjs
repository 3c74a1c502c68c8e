// Opens a served draft, and says what its reader sees before and after the line that comes on standard input.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
const { chromium } = createRequire(import.meta.url)("playwright-core");
const [executablePath, address] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
const refused = [];
page.on("console", (message) => message.type() === "error" && refused.push(message.text()));
await page.goto(address);
const seen = async () => ({ text: await page.locator("main").innerText(), trouble: await page.locator(".trouble").isVisible() && await page.locator(".trouble").innerText() });
await page.waitForSelector(".trouble", { state: "attached" });
console.log(JSON.stringify(await seen()));
for await (const line of createInterface({ input: process.stdin })) {
  const [what, text] = JSON.parse(line);
  if (what === "page") await page.waitForFunction((t) => document.querySelector("main")?.innerText === t, text, { timeout: 20000 });
  else await page.waitForFunction((t) => { const box = document.querySelector(".trouble"); return box && !box.hidden && box.innerText === t; }, text, { timeout: 20000 });
  console.log(JSON.stringify(await seen()));
}
console.log(JSON.stringify(refused));
await browser.close();
