/** The built documentation: its links, its pages of the API, and what works when it is opened from a folder on disk. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { entries } from "../../site/docs/api.js";
import { launch, skipNote, skipped } from "../support/chromium.js";
import { browsers, isMissing, reportOf } from "../support/pages/suites.js";

let site: string;

beforeAll(async () => {
  // A path with what addresses write otherwise.
  site = mkdtempSync(join(tmpdir(), "a site's folder-"));
  await promisify(execFile)(process.execPath, ["--import", "tsx", "site/build.ts", "--out", site]);
});

afterAll(() => rmSync(site, { recursive: true, force: true }));

const pages = (): string[] =>
  readdirSync(site, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".html"));
const read = (page: string): string => readFileSync(join(site, page), "utf8");
const idsOf = (html: string): Set<string> =>
  new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id));

describe("the built site", () => {
  test("has no link that leads nowhere", () => {
    const dead: string[] = [];
    const ids = new Map(pages().map((page) => [page, idsOf(read(page))]));
    for (const page of pages()) {
      for (const [, link] of read(page).matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        if (/^(https?|data|mailto):|^#(race|train|stability)$/.test(link)) continue;
        const [path, anchor] = decodeURI(link).split("#");
        const target = path === "" ? page : join(dirname(page), path);
        const found = existsSync(join(site, target)) && /\.\w+$/.test(target);
        if (!found || (anchor && !ids.get(target)!.has(decodeURIComponent(anchor))))
          dead.push(`${page}: ${link}`);
      }
    }
    expect(dead).toEqual([]);
  });

  test("has a page for each document, in the menu of every page", () => {
    const titles = readdirSync("docs").filter((file) => file.endsWith(".md") && file !== "README.md");
    const menu = read("docs/results/forms.html");
    expect(titles.filter((file) => !menu.includes(`href="../${file.replace(".md", ".html")}"`))).toEqual([]);
  });

  test.each(entries())("has $name in the reference, whole", ({ name }) => {
    const html = read(`docs/api/${name}.html`);
    const report = readFileSync(`etc/${name.replaceAll("/", "-")}.api.md`, "utf8");
    const exported = [
      ...report.matchAll(
        /^export (?:declare )?(?:abstract )?(?:class|const|function|interface|type) (\w+)/gm,
      ),
    ];
    const missing = exported.filter(([, one]) => !idsOf(html).has(one.toLowerCase()));
    expect(missing.map(([, one]) => one)).toEqual([]);
    expect(exported.length).toBeGreaterThan(name === "superlevel/relaxed" ? -1 : 2);
  });

  test("says equation, errors and example of a function", () => {
    const [, text] = read("docs/api/superlevel.html").split('<h3 id="adam"');
    for (const part of ["nu ← β2 nu + (1 − β2) g²", "RangeError", "<live-example"])
      expect(text).toContain(part);
  });
});

const { Firefox } = browsers;
const missing = isMissing(Firefox);
describe.skipIf(missing)(`Firefox${missing ? ` (skipped: none at ${Firefox.path})` : ""}`, () => {
  test("runs examples from a server", async () => {
    const script = `
      const soon = () => new Promise((resolve) => setTimeout(resolve, 25));
      const frame = document.querySelector("iframe");
      const root = () => frame.contentDocument?.querySelector("live-example")?.shadowRoot;
      while (!root()) await soon();
      root().querySelector("button").click();
      while (!root().querySelector("pre").textContent) await soon();
      await fetch("/report", { method: "POST", body: root().querySelector("pre").textContent });`;
    const page = '<iframe src="docs/options.html"></iframe><script type="module" src="/main.js"></script>';
    expect(await reportOf(Firefox, page, { script, folder: site })).toMatch(/→ true\n.* < 1e-6 → true$/);
  });
});

describe.skipIf(skipped)(`Chromium${skipNote}`, () => {
  let browser: Browser;
  const said: string[] = [];
  beforeAll(async () => (browser = await launch()));
  afterAll(() => browser.close());

  async function open(path: string): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 375, height: 700 } });
    page.on("console", (message) => message.type() === "error" && said.push(message.text()));
    page.on("pageerror", ({ message }) => said.push(message));
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || said.push(request.url()));
    await page.goto(pathToFileURL(join(site, path)).href);
    return page;
  }

  test("finds a word, without a server", async () => {
    const page = await open("docs/results/forms.html");
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator("#localsearch-input").fill("float32 stall");
    await page.locator(".result").first().click();
    await page.waitForURL(/the-paper\.html#the-float32-stall$/);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("link", { name: "Glossary" }).click();
    await page.waitForURL(/docs\/glossary\.html$/);
    expect(said).toEqual([]);
  });

  test("runs examples, and what is made of them", async () => {
    const page = await open("docs/options.html");
    const example = page.locator("live-example").first();
    const result = example.getByRole("status");
    await example.getByRole("button", { name: "Run" }).click();
    await expect.poll(() => result.textContent()).toMatch(/→ true\n.* < 1e-6 → true$/);
    await example.getByRole("button", { name: "Edit" }).click();
    await example.getByLabel("Code").fill("// /\nconst answer = 6 * 7;\nanswer; // → what?");
    await example.getByRole("button", { name: "Run" }).click();
    await expect.poll(() => result.textContent()).toBe("answer → 42");
    await example.getByLabel("Code").fill("nothing.there;");
    await example.getByRole("button", { name: "Run" }).click();
    await expect.poll(() => result.textContent()).toBe("ReferenceError: nothing is not defined");
    expect(said).toEqual([]);
  });

  test.each(["stability", "api/superlevel"])("shows what the documentation says in %s", async (name) => {
    const page = await open(`docs/${name}.html`);
    await page.waitForSelector("live-example:defined");
    const shown = await page.evaluate<[code: string, result: string][]>(`(async () => {
      const shown = [];
      for (const { shadowRoot: root, firstElementChild: block } of document.querySelectorAll("live-example")) {
        const result = root.querySelector("pre");
        root.querySelector("button").click();
        while (result.textContent === "") await new Promise((resolve) => setTimeout(resolve, 5));
        shown.push([block.querySelector("code").textContent, result.textContent]);
      }
      return shown;
    })()`);
    expect(shown.length).toBeGreaterThan(5);
    for (const [code, result] of shown) {
      const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text);
      const found = result.split("\n").map((line) => line.replace(/^.* → /, ""));
      expect(found, code).toHaveLength(said.length);
    }
    expect(said).toEqual([]);
  });
});
