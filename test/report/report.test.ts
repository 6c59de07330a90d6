/** The page of a report: what it is made of, and what it shows in a browser. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  countComponents,
  mergeTree,
  report,
  slice,
  type ReportStep,
  type ReportSubject,
  type Slice,
} from "superlevel/stability";

import { doubleWell, landscapes, lossGradOf } from "../../studies/report/landscapes.js";
import { decode, encode } from "../../src/report/data.js";
import { launch, skipNote, skipped } from "../support/chromium.js";
import { largestHessian } from "../support/critical.js";

const folder = mkdtempSync(join(tmpdir(), "superlevel-report-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plane = { origin: [0, 0], directions: [[1, 0], [0, 1]] } as const; // prettier-ignore
const steps = [4, 2, 3, 1].map((before, k) => ({
  ...{ step: k + 1, before, ratio: [0.5, -0.2, 0.9, NaN][k] },
  ...(k === 1 && { status: "violation" }),
}));
const findings = [
  { code: "past-edge", severity: "problem", message: "too high <b>" },
  { code: "noise", severity: "note", message: "much" },
] as const;

async function doubleWellSubject(): Promise<ReportSubject & { landscape: { slice: Slice } }> {
  const window = { x: doubleWell.x, y: doubleWell.y, columns: 65 };
  return {
    name: "Double well </script><b>",
    findings,
    steps,
    landscape: {
      slice: await slice(lossGradOf(doubleWell), plane, window),
      outer: "joined",
      hessianBound: 44,
      lines: [{ name: "run", x: [0, 1], y: [1, 0], residual: [0, 0.25], barrier: 0.5 }],
    },
  };
}

describe("report", () => {
  it("is one page that asks for nothing else", async () => {
    const html = report([await doubleWellSubject()], { title: "A < B & C" });
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain("<title>A &lt; B &amp; C</title>");
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).not.toMatch(/<(?:script|img|link|iframe)[^>]*(?:src|href)=/);
    expect(html).toContain("uplot");
    expect(html).toContain("Permission is hereby granted");
    expect(html).toContain("Permission to use, copy, modify");
  });

  it("carries infinities, and leaves words alone", () => {
    const strip = {
      title: "NaN",
      x: [1, Infinity],
      series: [{ label: "Infinity", values: [NaN, -Infinity] }],
    };
    const data = { title: "Infinity", note: "<", subjects: [{ name: "NaN", note: "", findings: null, strips: [strip], landscape: null }] }; // prettier-ignore
    expect(encode(data)).not.toContain("<");
    expect(decode(encode(data))).toEqual(data);
  });

  it("draws an edge ratio only where one is known", () => {
    const titles = (steps: readonly ReportStep[]) => {
      const [, json] = /id="data">(.*)<\/script>/.exec(report([{ name: "a", steps }]))!;
      return decode(json).subjects[0].strips.map(({ title, series }) => [
        title,
        Array.from(series[0].values),
      ]);
    };
    const converged = { step: 2, before: 1, ratio: 3, status: "converged" };
    expect(titles([{ step: 1, before: 2, ratio: 0.5 }, converged])).toEqual([
      ["Energy V", [2, 1]],
      ["Edge ratio 1 − ΔV / (g·d)", [0.5, NaN]],
    ]);
    expect(titles([{ step: 1, before: 2, ratio: NaN, status: "unknown" }, converged])).toEqual([
      ["Energy V", [2, 1]],
    ]);
  });

  it.each([
    [3, "results: expected an array, got 3"],
    [[{}], "results[0].name: expected a string, got undefined"],
    [[{ name: "a", colour: 1 }], 'results[0]: unknown option "colour"'],
    [[{ name: "a", steps: 1 }], "results[0].steps: expected an array, got 1"],
    [[{ name: "a", steps: [{}] }], "results[0].steps[0].step: expected a number, got undefined"],
    [[{ name: "a", findings: 1 }], "results[0].findings: expected an array, got 1"],
    [
      [{ name: "a", findings: [{ code: "a", severity: "bad", message: "" }] }],
      'results[0].findings[0].severity: expected one of "problem", "note", got "bad"',
    ],
    [
      [{ name: "a", strips: [{ title: "t", x: [1], series: [{ label: "l", values: [] }] }] }],
      "results[0].strips[0].series[0].values: expected 1 numbers, got 0",
    ],
    [
      [{ name: "a", landscape: { slice: { columns: 2, rows: 2, values: [1] } } }],
      "results[0].landscape.slice.values: expected 4 numbers, got 1",
    ],
    [
      [{ name: "a", landscape: { slice: { columns: 2, rows: 1, values: [1, 2] } } }],
      "results[0].landscape.slice: expected at least 2 columns and rows, got 2 and 1",
    ],
  ])("refuses %j", (results, message) => {
    expect(() => report(results as never)).toThrow(message);
  });
});

describe.skipIf(skipped)(`page${skipNote}`, () => {
  let browser: Browser;
  let page: Page;
  let values: Slice;
  const problems: string[] = [];

  beforeAll(async () => {
    const subject = await doubleWellSubject();
    values = subject.landscape.slice;
    const file = join(folder, "report.html");
    writeFileSync(
      file,
      report([
        subject,
        {
          name: "Other",
          findings: [],
          strips: [{ title: "Rate", x: [1, 2], series: [{ label: "α", values: [1, 0.5] }] }],
        },
      ]),
    );
    browser = await launch();
    page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("request", (request) => !request.url().startsWith("file:") && problems.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.locator(".uplot canvas").nth(2).waitFor();
  });

  afterAll(() => browser?.close());

  const components = () => page.locator("output").getAttribute("data-components").then(Number);
  async function slide(share: number): Promise<number> {
    await page.locator("input[type=range]").fill(String(1000 * share));
    return page.locator("input[type=number]").evaluate((input) => (input as HTMLInputElement).valueAsNumber);
  }
  async function type(level: number): Promise<void> {
    await page.locator("input[type=number]").fill(String(level));
    await page.locator("input[type=number]").blur();
  }
  /** The colour at a place of the landscape. */
  const colourAt = (x: number, y: number): Promise<string> =>
    page.locator("canvas[role=img]").evaluate(
      (element, [u, v]) => {
        const canvas = element as HTMLCanvasElement;
        // Margins of the chart: 52 left, 12 right, 8 above, 36 below, of a width of 440.
        const zoom = canvas.width / 440;
        const [width, height] = [376, canvas.height / zoom - 44];
        const [px, py] = [52 + u * width, 8 + (1 - v) * height];
        const { data } = canvas.getContext("2d")!.getImageData(px * zoom, py * zoom, 1, 1);
        const [red, green, blue] = data;
        return Math.max(red, green, blue) - Math.min(red, green, blue) < 25
          ? "grey"
          : red > blue
            ? "orange"
            : "blue";
      },
      [(x + 2) / 4, (y + 2) / 4],
    );

  it("counts components as the slider moves: two pits below 1, one sea above", async () => {
    const tree = mergeTree(values, { sense: "sub" });
    const counts = new Map<boolean, Set<number>>([[true, new Set()], [false, new Set()]]); // prettier-ignore
    for (let k = 1; k < 20; k++) {
      const level = await slide(k / 20);
      const shown = await components();
      expect(shown).toBe(countComponents(tree, level));
      counts.get(level < 1)!.add(shown);
    }
    expect([...counts.get(true)!]).toEqual([2]);
    expect([...counts.get(false)!]).toEqual([1]);
  });

  it("colours each component by itself", async () => {
    await type(0.5);
    expect(await components()).toBe(2);
    const pits = [await colourAt(-1.1, 0.3), await colourAt(0.85, -0.3)];
    expect(pits.sort()).toEqual(["blue", "orange"]);
    expect(await colourAt(0, 0.2)).toBe("grey");
    expect(await colourAt(-1.9, -1.9)).toBe("grey");
    await type(1.5);
    expect(await components()).toBe(1);
    const merged = [await colourAt(-1.1, 0.3), await colourAt(0, -0.3), await colourAt(0.85, -0.3)];
    expect(new Set(merged)).toEqual(new Set([merged[0]]));
    expect(merged[0]).not.toBe("grey");
  });

  it("shows the other side: {L ≥ λ} is in one piece, for every λ", async () => {
    await page.locator("input[value=super]").check();
    for (const share of [0.02, 0.1, 0.3, 0.6, 0.9]) {
      await slide(share);
      expect(await components()).toBe(1);
    }
    await type(0.5);
    expect(await colourAt(0, 0.2)).toBe("orange");
    expect(await colourAt(-1.1, 0.3)).toBe("grey");
    await page.locator("input[value=sub]").check();
    expect(await components()).toBe(2);
  });

  it("has bars, legends and strips that say what they are", async () => {
    const bars = await page.locator(".barcode .bar title").allTextContents();
    expect(bars).toEqual(["1: born at 0, never merges, certified", "2: born at 0, merges at 1, certified"]);
    expect(await page.locator(".lines").innerText()).toBe("run, barrier 0.5, residual up to 25 %");
    const titles = await page.locator(".u-title").allTextContents();
    expect(titles).toEqual(["Energy V, log scale", "Edge ratio 1 − ΔV / (g·d)", "Rate, log scale"]);
    expect(await page.locator("h2").first().innerText()).toBe("Double well </script><b>");
    expect(await page.locator(".findings li").allInnerTexts()).toEqual([
      "problem: past-edge — too high <b>",
      "note: noise — much",
    ]);
    expect(await page.locator("p.findings").innerText()).toBe("The monitor found nothing wrong.");
    await page.locator("canvas[role=img]").hover({ position: { x: 250, y: 180 } });
    expect(await page.locator(".readout").innerText()).toMatch(/^x .*, y .*: L \d/);
  });

  it("works without errors, and without a network", () => {
    expect(problems).toEqual([]);
  });
});

describe("npm run study -- report", () => {
  it("writes the report of the example network and of the landscapes", () => {
    const file = join(folder, "example.html");
    const args = ["--import", "tsx", "studies/report/main.ts", "--quick", "--out", file];
    expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toContain(`Page: ${file}`);
    const [, json] = /id="data">(.*)<\/script>/.exec(readFileSync(file, "utf8"))!;
    const { subjects } = decode(json);
    const spoilt = [
      "A good run",
      "Rate too high",
      "Frozen schedule",
      "A loss that is no number",
      "Wrong labels",
    ];
    const shown = ["Training a network", "Between two networks", ...landscapes.map(({ name }) => name)];
    expect(subjects.map(({ name }) => name).sort()).toEqual([...spoilt, ...shown].sort());
    const withPlane = subjects.filter(({ landscape }) => landscape !== null);
    expect(withPlane.map(({ name }) => name)).toEqual(shown);
    const first = (name: string) => subjects.find((subject) => subject.name === name)!.findings?.[0]?.code;
    // Wrong labels take more examples and steps than this.
    expect(spoilt.slice(0, 4).map(first)).toEqual([undefined, "past-edge", "frozen", "non-finite"]);
  });

  it.each(landscapes)("bounds the Hessian of $name", ({ gradient, hessianBound = Infinity, x, y }) => {
    expect(largestHessian(gradient, x, y) / 1.01).toBeLessThanOrEqual(hessianBound * (1 + 1e-6));
  });

  it.each(landscapes)("has the gradient of $name", ({ loss, gradient, x, y }) => {
    for (const share of [0.13, 0.41, 0.77]) {
      const [u, v, h] = [x[0] + share * (x[1] - x[0]), y[1] - share * (y[1] - y[0]), 1e-5];
      const [g, k] = gradient(u, v);
      expect((loss(u + h, v) - loss(u - h, v)) / (2 * h)).toBeCloseTo(g, 4);
      expect((loss(u, v + h) - loss(u, v - h)) / (2 * h)).toBeCloseTo(k, 4);
    }
  });

  it("names wrong options", () => {
    const run = () =>
      execFileSync(process.execPath, ["--import", "tsx", "studies/report/main.ts", "--fast"], {
        stdio: "pipe",
      });
    expect(run).toThrow("Unknown option '--fast'");
  });
});
