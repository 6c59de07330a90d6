/** The optimizer for TensorFlow.js in a page: on the GPU by WebGL, and on the wasm backend with and without threads. */
import { readFileSync } from "node:fs";
import type { Server } from "node:http";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { launch, skipNote, skipped } from "../support/chromium.js";
import { serve, visit } from "../support/page.js";

const program = readFileSync("test/support/tfjs-page.mjs", "utf8");
const onDevice = readFileSync("test/support/tfjs-device-page.mjs", "utf8");
const folder = "node_modules/@tensorflow/tfjs-backend-wasm/dist";
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Both adapters are Chromium's own, which needs no GPU. */
const GRAPHICS = {
  webgl: ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  webgpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
};

interface Beside {
  error: number;
  reads: number;
  steady: boolean;
  gradients: string;
  copies: boolean;
  resumed: number;
  bits: boolean;
}

interface OnDevice {
  runs: Record<string, Beside>;
  fitted: { first: number; last: number; goesOn: boolean; iterations: number };
  spoilt: { same: boolean; told: string };
}

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
    browser = await launch(GRAPHICS.webgl);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each([
    { backend: "webgl", isolated: false, copies: false },
    { backend: "wasm", isolated: false, copies: false },
    // With threads its memory is shared, and the kernels' is not.
    { backend: "wasm", isolated: true, copies: true },
  ])("trains, leaks nothing, and goes on from a saved model: %o", async (setting) => {
    const path = `${setting.isolated ? "/isolated" : "/"}?${setting.backend}`;
    const [line] = (await visit(browser, server, path)).logs;
    const { first, here, there, further, ...rest } = JSON.parse(line) as Losses;
    expect(rest).toEqual({ ...setting, leaked: 0, iterations: 154, averages: true });
    expect(here).toBeLessThan(0.5 * first);
    expect(there).toBe(here);
    expect(further[1]).toBe(further[0]);
  });
});

describe.skipIf(skipped).each(["webgl", "webgpu"] as const)(`on the device, %s${skipNote}`, (backend) => {
  it("follows the engine, reads nothing, lets go of everything, and goes on from a saved model", async () => {
    const server = await serve({ "/": { program: onDevice } });
    const browser = await launch(GRAPHICS[backend]);
    try {
      const [line] = (await visit(browser, server, `/?${backend}`)).logs;
      const { runs, fitted, spoilt } = JSON.parse(line) as OnDevice;
      const known = { reads: 0, steady: true, copies: false, bits: true };
      const errors = Object.values(runs).map(({ error }) => error);
      expect(Math.max(...errors)).toBeLessThan(1e-4);
      expect(
        Object.values(runs).map(({ reads, steady, copies, gradients, resumed, bits }) => ({
          ...{ reads, steady, copies, gradients, resumed, bits },
        })),
      ).toEqual([
        { ...known, gradients: "exact", resumed: 60 },
        { ...known, gradients: "noisy", resumed: 200 },
        { ...known, gradients: "noisy", resumed: 200 },
        { ...known, gradients: "undecided", resumed: 200 },
      ]);
      expect(fitted).toMatchObject({ goesOn: true, iterations: 32 });
      expect(fitted.last).toBeLessThan(0.1 * fitted.first);
      expect(spoilt).toMatchObject({
        same: true,
        told: expect.stringMatching(/^diverged a step had/) as string,
      });
    } finally {
      await browser.close();
      server.close();
    }
  }, 180_000);
});
