/**
 * The book as a site. Method: build it as `npm run book` does, look up every link in the built
 * pages, then open every page in Chromium at phone width, and use one with the keyboard only.
 *
 * Where there is no Chromium (`apt-get install chromium`, or `CAIRN_CHROMIUM=path`), the test says
 * so, and the links are still looked up.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chapterFolders } from "../../chapters/.vitepress/pages.ts";
import { badLinks } from "./links.ts";
import { buildBook, findBrowser, pagesOf, serveBook } from "./site.ts";

const BUILD_MS_MAX = 120_000;
const LOOK_MS_MAX = 120_000;
const TABS = 3;
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };
/** The page on which the keyboard is tried: it has a menu, an outline, tables and code. */
const SAMPLE = "01-wal/contract.html";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const outDir = mkdtempSync(join(tmpdir(), "cairn-book-"));
let browser: Browser | undefined;
let site: Awaited<ReturnType<typeof serveBook>>;

beforeAll(async () => {
  await buildBook(outDir);
  site = await serveBook(outDir);
  const executablePath = findBrowser();
  if (executablePath === undefined) {
    console.log("No Chromium here: the book's pages are not opened, only their links looked up.");
    return;
  }
  browser = await chromium.launch({ executablePath, args: FLAGS });
}, BUILD_MS_MAX);

afterAll(async () => {
  await browser?.close();
  site?.close();
  rmSync(outDir, { recursive: true, force: true });
});

test("every chapter's page is built, and no starter or solution is one", () => {
  const pages = pagesOf(outDir);
  expect(pages).toEqual(expect.arrayContaining(["index.html", "00-bytes/index.html", SAMPLE]));
  expect(pages.filter((path) => /\/(starter|solution)\//.test(path))).toEqual([]);
});

test("the sidebar lists every chapter, also one that has only its contract", () => {
  const html = readFileSync(join(outDir, "index.html"), "utf8");
  const lost = chapterFolders().filter(
    (folder) => !html.includes(`href="/${folder}/contract.html"`),
  );
  expect(lost).toEqual([]);
});

test("no line of a quoted file is marked because there is a number in its path", () => {
  const html = readFileSync(join(outDir, "01-wal/index.html"), "utf8");
  expect(html.includes('class="fence-source"')).toBe(true);
  expect(/class="line highlighted"|has-highlighted/.exec(html)).toBe(null);
});

test("every link of every page leads somewhere, and no page loads anything from elsewhere", () => {
  expect(pagesOf(outDir).flatMap((page) => badLinks(outDir, page))).toEqual([]);
});

/** A page with everything that goes wrong while it is open. */
async function openPage(size: typeof PHONE): Promise<{ page: Page; troubles: string[] }> {
  const troubles: string[] = [];
  const context = await browser!.newContext({ viewport: size });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => {
    // A page that is left takes its loads with it.
    const reason = request.failure()?.errorText ?? "";
    if (reason !== "net::ERR_ABORTED") troubles.push(`failed: ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !url.startsWith("data:")) troubles.push(`external: ${url}`);
  });
  return { page, troubles };
}

/** Opens a page and waits until its script has taken it over, or has failed to. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(`${site.url}/${path}`, { waitUntil: "load" });
  await page.waitForFunction("document.querySelector('#app')?.__vue_app__ !== undefined");
}

/** Opens pages on a phone until none is left. */
async function lookAtPages(left: string[]): Promise<void> {
  const { page, troubles } = await openPage(PHONE);
  for (let path = left.shift(); path !== undefined; path = left.shift()) {
    await visit(page, path);
    expect(troubles, path).toEqual([]);
    const [width, headings] = (await page.evaluate(
      "[document.documentElement.scrollWidth, document.querySelectorAll('h1').length]",
    )) as [number, number];
    expect(width, `${path} is wider than ${PHONE.width}`).toBeLessThanOrEqual(PHONE.width);
    expect(headings, `${path}: one heading of the first level`).toBe(1);
  }
  await page.context().close();
}

/** What has the focus, and whether that can be seen. */
interface Focus {
  readonly text: string;
  readonly tag: string;
  readonly isVisible: boolean;
}

const FOCUS = `(() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    text: (at.getAttribute("aria-label") ?? (at.textContent || at.title)).trim().slice(0, 40),
    tag: at.tagName.toLowerCase(),
    isVisible: box.width > 1 && box.height > 1 &&
      style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
})()`;

/** Presses Tab until `isWanted`. @returns everything that had the focus on the way. */
async function tabTo(page: Page, isWanted: (focus: Focus) => boolean): Promise<Focus[]> {
  const seen: Focus[] = [];
  for (let press = 0; press < 60; press += 1) {
    await page.keyboard.press("Tab");
    const focus = (await page.evaluate(FOCUS)) as Focus;
    seen.push(focus);
    if (isWanted(focus)) return seen;
  }
  throw new Error(
    `not reached by Tab: ${seen.map(({ tag, text }) => `${tag} ${text}`).join("; ")}`,
  );
}

describe("in Chromium", () => {
  test(
    "every page opens without an error and without sideways scrolling on a phone",
    async () => {
      if (browser === undefined) return;
      const paths = pagesOf(outDir).filter((path) => path !== "404.html");
      // Each tab takes the next page that is left: while one loads, another is looked at.
      await Promise.all(Array.from({ length: TABS }, () => lookAtPages(paths)));
    },
    LOOK_MS_MAX,
  );

  test("the keyboard reaches content, search and chapters, and shows where it is", async () => {
    if (browser === undefined) return;
    const { page, troubles } = await openPage(DESK);
    await visit(page, SAMPLE);
    const first = await tabTo(page, () => true);
    expect(first[0]).toMatchObject({ text: "Skip to content", isVisible: true });
    const way = await tabTo(page, ({ text }) => text === "Search");
    const chapters = await tabTo(page, ({ tag, text }) => tag === "a" && text === "Contract");
    expect([...way, ...chapters].filter(({ isVisible }) => !isVisible)).toEqual([]);

    await page.keyboard.press("Control+k");
    await page.waitForSelector(".VPLocalSearchBox input");
    await page.keyboard.type("torn tail");
    await page.waitForSelector(".VPLocalSearchBox .result");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".VPLocalSearchBox", { state: "detached" });
    expect(page.url(), "a result is a place on a page").toMatch(/\/[a-z0-9-]+\/.*#/);

    await visit(page, SAMPLE);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(page.url()).toMatch(/#VPContent$/);
    expect(troubles).toEqual([]);
    await page.context().close();
  }, 60_000);

  test("on a phone the menus open by keyboard, and the dark mode can be switched", async () => {
    if (browser === undefined) return;
    const { page, troubles } = await openPage(PHONE);
    await visit(page, SAMPLE);
    await tabTo(page, ({ text }) => /mobile navigation/i.test(text));
    await page.keyboard.press("Enter");
    await page.waitForSelector(".VPNavScreen");
    await tabTo(page, ({ text, tag }) => tag === "button" && /theme|appearance/i.test(text));
    const before = await page.evaluate("document.documentElement.className");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.documentElement.className")).not.toBe(before);

    await visit(page, SAMPLE);
    await tabTo(page, ({ text, tag }) => tag === "button" && text === "Menu");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".VPSidebar.open");
    expect(troubles).toEqual([]);
    await page.context().close();
  }, 60_000);
});
