/** The optimizer for TensorFlow.js in a page: on the GPU by WebGL, and on the wasm backend with and without threads. */
import { readFileSync } from "node:fs";
import type { Server } from "node:http";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { launch, skipNote, skipped } from "../support/chromium.js";
import { serve, visit } from "../support/page.js";

const program = readFileSync("test/support/tfjs-page.mjs", "utf8");
const folder = "node_modules/@tensorflow/tfjs-backend-wasm/dist";
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

interface Losses {
  first: number;
  here: number;
  there: number;
  further: number[];
}

describe.skipIf(skipped)(`TensorFlow.js in a browser${skipNote}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve({ "/": { program }, "/isolated": { program, headers: isolation } }, folder);
    browser = await launch(["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each([
    { backend: "webgl", isolated: false, copies: true },
    { backend: "wasm", isolated: false, copies: false },
    // With threads its memory is shared, and the kernels' is not.
    { backend: "wasm", isolated: true, copies: true },
  ])(
    "trains, leaks nothing, and goes on from a saved model: %o",
    async (setting) => {
      const path = `${setting.isolated ? "/isolated" : "/"}?${setting.backend}`;
      const [line] = (await visit(browser, server, path)).logs;
      const { first, here, there, further, ...rest } = JSON.parse(line) as Losses;
      expect(rest).toEqual({ ...setting, leaked: 0, iterations: 154, averages: true });
      expect(here).toBeLessThan(0.5 * first);
      expect(there).toBe(here);
      expect(further[1]).toBe(further[0]);
    },
    120_000,
  );
});
