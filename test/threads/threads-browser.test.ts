/** Threads in a page: the bits of one thread in Node, by the built package as it is. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOptimizer } from "../../src/index.js";
import { launch, skipNote, skipped } from "../support/chromium.js";

const LOADER = "/node_modules/@assemblyscript/loader/index.js";
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** As Electron's pages have it. */
const ELECTRON = `globalThis.process = { type: "renderer", versions: { node: "22.20.0", electron: "38.2.0" } };`;

const page = (before = "") => `<!doctype html>
<script>${before}</script>
<script type="importmap">{ "imports": { "@assemblyscript/loader": "${LOADER}" } }</script>
<script type="module">
  import { createThreadedOptimizer } from "/dist/threads/index.js";
  try {
    const optimizer = await createThreadedOptimizer(30000, { threads: 3 });
    const gradient = (step) => optimizer.grads.forEach((_, i, g) => (g[i] = Math.fround((i % 97) / 97 - step / 7)));
    const infos = [];
    for (let step = 1; step <= 12; step++) {
      gradient(step);
      infos.push(step % 3 === 0 ? await optimizer.stepAsync() : optimizer.step());
    }
    const { threads, params } = optimizer;
    console.log(JSON.stringify({ threads, infos, params: Array.from(params.filter((_, i) => i % 499 === 0)) }));
    optimizer.dispose();
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
  }
</script>`;

/** Serves the page, at /isolated with the headers that threads need, and the files that it asks for. */
async function serve(): Promise<Server> {
  const server = createServer(({ url = "/" }, response) => {
    if (url.startsWith("/isolated") || url.startsWith("/dist")) {
      for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value);
    }
    const isFile = url.endsWith(".js");
    response.setHeader("Content-Type", isFile ? "text/javascript" : "text/html");
    response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
    response.end(isFile ? readFileSync(`.${url}`) : page(url === "/isolated/electron" ? ELECTRON : ""));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

describe.skipIf(skipped)(`threads in a browser${skipNote}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve();
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function printed(path: string): Promise<unknown> {
    const tab = await browser.newPage();
    const message = tab.waitForEvent("console", { timeout: 150_000 });
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    const text = (await message).text();
    await tab.close();
    return JSON.parse(text);
  }

  it.each(["/isolated", "/isolated/electron"])("give the bits of one thread in Node, at %s", async (path) => {
    const optimizer = createOptimizer(30000);
    const infos = [];
    for (let step = 1; step <= 12; step++) {
      optimizer.grads.forEach((_, i, g) => (g[i] = Math.fround((i % 97) / 97 - step / 7)));
      infos.push(optimizer.step());
    }
    const params = Array.from(optimizer.params.filter((_, i) => i % 499 === 0));
    expect(await printed(path)).toEqual({ threads: 3, infos, params });
  });

  it("are refused with the headers named where the page lacks them", async () => {
    expect(await printed("/bare")).toMatchObject({
      code: "threads",
      message: expect.stringContaining("Cross-Origin-Embedder-Policy: require-corp") as string,
    });
  });
});
