/** A page gets the numbers that Node gets, to the last bit. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";

import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CONSUMER = "test/support/consumer.mjs";
const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const installed = existsSync(executablePath);

// Without the last four, Chromium looks for hosts of its own, which a closed network refuses many times over.
const args = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

const consumer = readFileSync(CONSUMER, "utf8");

/** What the pages run. */
const programs: Record<string, string> = {
  "/": consumer,
  "/strict": `${consumer}
    console.log(createOptimizer(3).engine);`,
  "/relaxed": `
    import { createOptimizer } from "superlevel";
    import "superlevel/relaxed";
    const start = Float32Array.from({ length: 1000 }, (_, i) => Math.cos(i));
    const [wasm, relaxed] = ["wasm", "wasm-relaxed"].map((engine) => createOptimizer(start, { engine }));
    for (let step = 1; step <= 50; step++) {
      for (const { params, grads } of [wasm, relaxed]) grads.set(params.map((x, i) => x - Math.sin(i)));
      for (const optimizer of [wasm, relaxed]) optimizer.step();
    }
    const differences = wasm.params.map((x, i) => Math.abs(x - relaxed.params[i]));
    const difference = Math.max(...differences);
    console.log(JSON.stringify({ engine: relaxed.engine, difference }));`,
};

async function bundle(contents: string): Promise<string> {
  const options = { bundle: true, format: "esm", write: false } as const;
  const stdin = { contents, resolveDir: dirname(CONSUMER) };
  const { outputFiles } = await build({ stdin, ...options });
  return outputFiles[0].text;
}

/** Serves each program's page, which runs it as a module; the strict one may not compile WebAssembly. */
async function serve(): Promise<Server> {
  const scripts = new Map<string | undefined, string>();
  for (const [path, program] of Object.entries(programs))
    scripts.set(`${path}main.js`, await bundle(program));
  const server = createServer(({ url }, response) => {
    const script = scripts.get(url);
    response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
    if (url === "/strict") response.setHeader("Content-Security-Policy", "script-src 'self'");
    response.end(script ?? `<!doctype html><script type="module" src="${url}main.js"></script>`);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

// On CI a missing browser is a failure, not a reason to skip.
const skipped = !installed && !process.env.CI;

describe.skipIf(skipped)(`browser${skipped ? ` (skipped: no Chromium at ${executablePath})` : ""}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve();
    browser = await chromium.launch({ executablePath, args });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** What a page printed, once it has printed so many lines. */
  async function visit(path: string, lines: number): Promise<{ logs: string[]; warnings: string[] }> {
    const page = await browser.newPage();
    const [logs, warnings]: string[][] = [[], []];
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    const printed = page.waitForEvent("console", {
      predicate: (message) => {
        if (message.type() === "warning") warnings.push(message.text());
        return message.type() === "log" && logs.push(message.text()) === lines;
      },
      timeout: 30_000,
    });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    await printed;
    expect(errors).toEqual([]);
    await page.close();
    return { logs, warnings };
  }

  const expected = () => execFileSync("node", [CONSUMER], { encoding: "utf8" }).trim();

  it("gives bit-identical parameters", async () => {
    expect(await visit("/", 1)).toEqual({ logs: [expected()], warnings: [] });
  }, 60_000);

  it("gives them where the page may not compile WebAssembly, and says once that it is slower", async () => {
    const { logs, warnings } = await visit("/strict", 2);
    expect(logs).toEqual([expected(), "js"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^superlevel: SIMD WebAssembly does not run here \(CompileError/);
  }, 60_000);

  it("runs the relaxed binary, close to the strict one", async () => {
    const [printed] = (await visit("/relaxed", 1)).logs;
    const { engine, difference } = JSON.parse(printed) as { engine: string; difference: number };
    expect(engine).toBe("wasm-relaxed");
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(1e-5);
  }, 60_000);
});
