/** A page gets the numbers that Node gets, to the last bit. */
import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { launch, skipNote, skipped } from "./support/chromium.js";

const CONSUMER = "test/support/consumer.mjs";

async function bundle(): Promise<string> {
  const options = { bundle: true, format: "esm", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [CONSUMER], ...options });
  return outputFiles[0].text;
}

/** Serves a page that runs the script as a module. */
async function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const wanted = request.url === "/main.js";
    response.setHeader("Content-Type", wanted ? "text/javascript" : "text/html");
    response.end(wanted ? script : `<!doctype html><script type="module" src="/main.js"></script>`);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

describe.skipIf(skipped)(`browser${skipNote}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve(await bundle());
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it("gives bit-identical parameters", async () => {
    const page = await browser.newPage();
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    const printed = page.waitForEvent("console", { timeout: 30_000 });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const expected = execFileSync("node", [CONSUMER], { encoding: "utf8" }).trim();
    expect((await printed).text()).toBe(expected);
    expect(errors).toEqual([]);
  }, 60_000);
});
