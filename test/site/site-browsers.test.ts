/** The built site in real browsers: from a folder on disk in Chromium, from a server in Firefox. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readAddress } from "../../site/common/address.js";
import { Field } from "../../site/race/field.js";
import { landscapeOf } from "../../site/race/landscapes.js";
import { racers } from "../../site/race/racers.js";
import { parseState } from "../../site/race/state.js";
import { runTrace } from "../../site/race/trace.js";
import { launch, skipNote, skipped } from "../support/chromium.js";
import { browsers, isMissing, reportOf } from "../support/pages/suites.js";

const HASH =
  "#race?on=himmelblau&view=map&steps=100&speed=1000&racers=superlevel,adam,sgd,momentum,algorithm1,stored";
const driver = readFileSync("test/support/pages/site.mjs", "utf8");

interface Found {
  readonly raced: {
    readonly hash: string;
    readonly losses: Record<string, number>;
    readonly again: Record<string, number>;
    readonly components: number;
  };
  readonly trained: readonly (readonly string[])[];
  readonly reported: number;
  readonly errors: readonly string[];
}

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "superlevel-site-"));
  await build({
    configFile: resolve("site/vite.config.ts"),
    logLevel: "error",
    build: { outDir: folder, emptyOutDir: true },
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the page showed against the package's own runs here. */
function check({ raced, trained, reported, errors }: Found): void {
  expect(errors).toEqual([]);
  expect(raced.again).toEqual(raced.losses);
  const state = parseState(readAddress(raced.hash).values);
  const landscape = landscapeOf(state.landscape);
  expect(state.start).not.toEqual(landscape.start);
  const expected = state.on.map((id) => {
    const racer = racers.find((one) => one.id === id)!;
    const { losses } = runTrace(
      { landscape, start: state.start, steps: state.steps },
      racer,
      state.rates[id] ?? 1,
    );
    return [id, losses[losses.length - 1]];
  });
  expect(expected).toHaveLength(6);
  expect(raced.losses).toEqual(Object.fromEntries(expected));
  const field = new Field(landscape);
  expect(raced.components).toBe(field.levelSet(state.side, field.levelAt(state.level)).count);
  expect(trained.map(([name]) => name.slice(1))).toContain("superlevel");
  expect(trained).toHaveLength(6);
  for (const [, loss, accuracy, verdict] of trained) {
    expect(loss).toMatch(/^\d|^diverged/);
    expect(accuracy).toMatch(/^\d+\.\d %$/);
    expect(verdict).toMatch(/^[a-z]/);
  }
  expect(reported).toBeGreaterThan(10_000);
}

const { Firefox } = browsers;
const missing = isMissing(Firefox);
describe.skipIf(missing)(`Firefox${missing ? ` (skipped: none at ${Firefox.path})` : ""}`, () => {
  test("shows what the package computes in Node, and takes its state from the address", async () => {
    const page = readFileSync(join(folder, "index.html"), "utf8").replace(
      "</body>",
      '<script type="module" src="/main.js"></script></body>',
    );
    const script = `${driver}
      const post = (body) => fetch("/report", { method: "POST", body });
      drive(${JSON.stringify(HASH)}).then((found) => post(JSON.stringify(found)), (error) => post(String(error)));`;
    const text = await reportOf(Firefox, page, { script, folder });
    expect(text).toMatch(/^\{/);
    check(JSON.parse(text) as Found);
  });
});

describe.skipIf(skipped)(`Chromium${skipNote}`, () => {
  test("does so from a file, by hand too", async () => {
    const browser = await launch(["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]);
    try {
      const page = await browser.newPage({ viewport: { width: 480, height: 600 }, reducedMotion: "reduce" });
      const said: string[] = [];
      page.on("console", (message) => message.type() === "error" && said.push(message.text()));
      page.on("pageerror", ({ message }) => said.push(message));
      page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || said.push(request.url()));
      const home = pathToFileURL(join(folder, "index.html")).href;

      await page.goto(home);
      await page.waitForSelector(".surface canvas");
      // Where motion is unwelcome, the first race is shown when it has been run.
      await page.getByRole("button", { name: "Play again" }).waitFor();
      await page.getByLabel("Step shown").fill("40");
      await page.keyboard.press("ArrowRight");
      const row = page.locator("[data-racer=superlevel]");
      await expect.poll(() => page.locator(".play output").textContent()).toBe("step 41 of 1000");
      const { start } = landscapeOf("rosenbrock");
      const { losses } = runTrace({ landscape: landscapeOf("rosenbrock"), start, steps: 1000 }, racers[0], 1);
      expect(Number(await row.getAttribute("data-loss"))).toBe(losses[41]);
      await page.locator(".surface canvas").click({ position: { x: 220, y: 150 } });
      await expect.poll(() => page.url()).toContain("start=");
      await page.getByRole("button", { name: "Past the edge" }).click();
      await expect.poll(() => page.url()).toContain("on=canyon");
      await page.waitForSelector(".map");
      await page.locator(".map").focus();
      for (let k = 0; k < 5; k++) await page.keyboard.press("ArrowRight");
      await page.keyboard.press("Shift+ArrowDown");
      await expect
        .poll(() => page.getByText("Enter starts here").textContent())
        .toContain("x = −2.6, y = 0.394:");
      await page.keyboard.press("Enter");
      await expect.poll(() => page.url()).toContain("start=-2.6,0.394");

      await page.goto("about:blank");
      await page.emulateMedia({ reducedMotion: "no-preference" });
      await page.goto(`${home}#stability`);
      const found = await page.evaluate(`${driver.replace("export ", "")}; drive(${JSON.stringify(HASH)})`);
      check(found as Found);
      expect(said).toEqual([]);
      await page.setViewportSize({ width: 375, height: 700 });
      for (const name of ["race", "train", "stability"]) {
        await page.evaluate(`location.hash = "#${name}"`);
        await page.waitForSelector(`.${name}`);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
      }
    } finally {
      await browser.close();
    }
  });
});
