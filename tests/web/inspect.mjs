// Opens published pages in headless Chromium and writes down what a reader would meet there, as JSON on stdout:
// accessibility faults (axe-core), what the keyboard reaches, sideways scrolling, what is loaded, the printed pages.
// node inspect.mjs CHROMIUM PAGE PRINTED.pdf [ID of what the skip link leads to]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [program, file, printed, landing = "report"] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

async function faults(page) {
  const found = await page.evaluate((tags) => axe.run({ runOnly: { type: "tag", values: tags } }), RULES);
  const said = (list) => list.map((rule) => ({
    rule: rule.id, tags: rule.tags, help: rule.help, places: rule.nodes.map((node) => `${node.target} ${node.failureSummary}`),
  }));
  return { violations: said(found.violations), unsure: said(found.incomplete), passes: found.passes.map((rule) => rule.id) };
}

const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const box = element.getBoundingClientRect();
  const header = document.querySelector("header.running");
  const style = getComputedStyle(element);
  const inside = box.top >= -1 && box.bottom <= window.innerHeight + 1;
  return {
    tag: element.tagName.toLowerCase(), id: element.id, classes: element.className, href: element.getAttribute("href"),
    name: (element.getAttribute("aria-label") || element.textContent).trim().replace(/\s+/g, " "),
    contents: Boolean(element.closest("nav")), ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    height: box.height, inside: inside || box.height > window.innerHeight,
    hidden: !element.closest("header") && element.className !== "skip" && header !== null && box.bottom <= header.getBoundingClientRect().bottom,
  };
});

async function keyboard(page) {
  const path = [];
  for (let i = 0; i < 400; i += 1) {
    await page.keyboard.press("Tab");
    const here = await focused(page);
    if (here.tag === "body") break;
    if (here.tag === "summary") {
      const open = () => page.evaluate(() => document.activeElement.parentElement.open);
      const states = [await open()];
      for (const key of ["Enter", "Space", "Enter"]) { await page.keyboard.press(key); states.push(await open()); }
      here.states = states;
    }
    if (here.classes === "table-wrap") {
      here.scrolls = await page.evaluate(() => document.activeElement.scrollWidth > document.activeElement.clientWidth + 1);
      await page.keyboard.press("ArrowRight");
      if (here.scrolls) await page.waitForFunction(() => document.activeElement.scrollLeft > 0, null, { timeout: 3000 }).catch(() => {});
      here.moved = await page.evaluate(() => document.activeElement.scrollLeft);
    }
    path.push(here);
  }
  return path;
}

async function skip(page) {
  await page.keyboard.press("Tab");
  const first = await focused(page);
  await page.keyboard.press("Enter");
  const landed = await focused(page);
  await page.keyboard.press("Tab");
  const next = await page.evaluate((id) => document.activeElement.closest(`#${id}`) !== null, landing);
  return { first, landed: landed.id, next };
}

async function fresh(page) {
  await page.goto("about:blank");
  await page.goto(pathToFileURL(file).href);
}

const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const structure = (page) => page.evaluate(() => ({
  lang: document.documentElement.lang, title: document.title, scripts: document.scripts.length,
  headings: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((h) => Number(h.tagName[1])),
  landmarks: ["header.running", "main", "nav"].map((name) => document.querySelectorAll(name).length),
  pictures: [...document.images].map((image) => ({ alt: image.alt, drawn: image.naturalWidth > 0 })),
}));

const browser = await chromium.launch({ executablePath: program, headless: true, args: QUIET });
const said = { widths: {}, loaded: [], console: [] };
try {
  for (const width of [320, 1280]) {
    const context = await browser.newContext({ viewport: { width, height: 800 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.on("request", (request) => { if (!/^(file|data):/.test(request.url())) said.loaded.push(request.url()); });
    const listen = (message) => { if (message.type() === "error") said.console.push(message.text()); };
    page.on("console", listen);
    page.on("pageerror", (error) => said.console.push(String(error)));
    await page.goto(pathToFileURL(file).href);
    const seen = { sideways: await sideways(page), skip: await skip(page) };
    await fresh(page);
    seen.path = await keyboard(page);
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
    seen.sidewaysOpen = await sideways(page);
    page.off("console", listen); // axe looks for style sheets in ways that a page's own policy may refuse
    await page.evaluate(axe);
    seen.axe = await faults(page);
    said.structure = await structure(page);
    said.widths[width] = seen;
    if (width === 1280) {
      await fresh(page);
      await page.emulateMedia({ media: "print" });
      said.print = await page.evaluate(() => [".running", ".skip", ".contents", ".beside", "header nav"].map((name) => {
        const found = document.querySelector(name);
        return [name, found === null || getComputedStyle(found).display === "none"];
      }));
      await page.pdf({ path: printed, preferCSSPageSize: true, printBackground: true });
    }
    await context.close();
  }
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(said));
