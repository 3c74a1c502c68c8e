// Opens a notebook in JupyterLab, runs all of it, and says what its author sees at its end; then saves it.
import { createRequire } from "node:module";
const { chromium } = createRequire(import.meta.url)("playwright-core");
const [executablePath, address, picture] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
const elsewhere = [];
page.on("request", (request) => {
  const url = new URL(request.url());
  if (/^(https?|wss?):$/.test(url.protocol) && url.host !== new URL(address).host) elsewhere.push(request.url());
});
try {
  await page.goto(address, { timeout: 60000 });
  const notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)");
  const kernel = (state) => notebook.locator(`.jp-Notebook-ExecutionIndicator[data-status="${state}"]`);
  // The indicator in the notebook says "idle" before there is a kernel; the bar below knows.
  await page.locator("#jp-main-statusbar", { hasText: "| Idle" }).waitFor({ timeout: 120000 });
  const folder = await page.locator(".jp-DirListing-itemText").allInnerTexts();
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  await kernel("busy").waitFor({ timeout: 60000 });
  await kernel("idle").waitFor({ timeout: 400000 });
  await page.keyboard.press("Control+s");
  // Only cells in view are in the page: the ones that are looked at are the last.
  const cells = notebook.locator(".jp-Cell");
  const plot = notebook.locator(".jp-RenderedSVG img").last();
  await plot.waitFor({ timeout: 30000 });
  await plot.scrollIntoViewIfNeeded();
  await page.screenshot({ path: picture });
  const warnings = await notebook.locator('[data-mime-type="application/vnd.jupyter.stderr"]').allInnerTexts();
  const prose = await notebook.locator(".jp-MarkdownCell .jp-RenderedMarkdown").allInnerTexts();
  const drawn = await plot.evaluate((image) => image.naturalWidth);
  console.log(JSON.stringify({ folder, warnings, prose, drawn, cells: await cells.count(), elsewhere }));
} catch (error) {
  await page.screenshot({ path: picture });
  throw error;
} finally {
  await browser.close();
}
