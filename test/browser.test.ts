/** A page gets the numbers that Node gets, to the last bit. */
import { execFileSync } from "node:child_process";
import type { Server } from "node:http";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { bundle, firstLine, launch, reason, serve, skipped } from "./support/page.js";

const CONSUMER = "test/support/consumer.mjs";

describe.skipIf(skipped)(`browser${reason}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve(await bundle(CONSUMER));
    browser = await launch("--disable-gpu");
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it("gives bit-identical parameters", async () => {
    const expected = execFileSync("node", [CONSUMER], { encoding: "utf8" }).trim();
    expect(await firstLine(browser, server)).toBe(expected);
  }, 60_000);
});
