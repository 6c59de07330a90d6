/** A page gets the numbers that Node gets, to the last bit. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { launch, skipNote, skipped } from "../support/chromium.js";
import { serve, visit, type Page } from "../support/page.js";

const CONSUMER = "test/support/consumer.mjs";

const consumer = readFileSync(CONSUMER, "utf8");

/** The strict page may not compile WebAssembly. */
const pages: Record<string, Page> = {
  "/": { program: consumer },
  "/strict": {
    program: `${consumer}
    console.log(createOptimizer(3).engine);`,
    headers: { "Content-Security-Policy": "script-src 'self'" },
  },
  "/relaxed": {
    program: `
    import { createOptimizer, superlevel } from "superlevel";
    import "superlevel/relaxed";
    const start = Float32Array.from({ length: 1000 }, (_, i) => Math.cos(i));
    const [wasm, relaxed] = ["wasm", "wasm-relaxed"].map((engine) => createOptimizer(start, { engine, gradients: "exact", tuner: superlevel({ sInit: 1e-6, anchor: { first: 64, growth: 2 } }) }));
    for (let step = 1; step <= 50; step++) {
      for (const { params, grads } of [wasm, relaxed]) grads.set(params.map((x, i) => x - Math.sin(i)));
      for (const optimizer of [wasm, relaxed]) optimizer.step();
    }
    const differences = wasm.params.map((x, i) => Math.abs(x - relaxed.params[i]));
    const difference = Math.max(...differences);
    console.log(JSON.stringify({ engine: relaxed.engine, difference }));`,
  },
};

describe.skipIf(skipped)(`browser${skipNote}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve(pages);
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const expected = () => execFileSync("node", [CONSUMER], { encoding: "utf8" }).trim();

  it("gives bit-identical parameters", async () => {
    expect(await visit(browser, server, "/")).toEqual({ logs: [expected()], warnings: [] });
  });

  it("gives them where the page may not compile WebAssembly, and says once that it is slower", async () => {
    const { logs, warnings } = await visit(browser, server, "/strict", 2);
    expect(logs).toEqual([expected(), "js"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^superlevel: SIMD WebAssembly does not run here \(CompileError/);
  });

  it("runs the relaxed binary, close to the strict one", async () => {
    const [printed] = (await visit(browser, server, "/relaxed")).logs;
    const { engine, difference } = JSON.parse(printed) as { engine: string; difference: number };
    expect(engine).toBe("wasm-relaxed");
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(1e-5);
  });
});
