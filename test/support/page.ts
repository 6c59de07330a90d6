/** Runs a module in a page of a real browser. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** On CI a missing browser is a failure, not a reason to skip. */
export const skipped = !existsSync(executablePath) && !process.env.CI;
export const reason = skipped ? ` (skipped: no Chromium at ${executablePath})` : "";

// Without the last four, Chromium looks for hosts of its own, which a closed network refuses many times over.
const args = [
  ...["--headless", "--no-sandbox", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export const launch = (...more: string[]): Promise<Browser> =>
  chromium.launch({ executablePath, args: [...args, ...more] });

export async function bundle(entry: string): Promise<string> {
  const options = { bundle: true, format: "esm", write: false, logLevel: "silent" } as const;
  const { outputFiles } = await build({ entryPoints: [entry], ...options });
  return outputFiles[0].text;
}

/** Serves a page that runs the script as a module, and the files of a folder. */
export async function serve(
  script: string,
  { folder = "", headers = {} }: { folder?: string; headers?: Record<string, string> } = {},
): Promise<Server> {
  const server = createServer((request, response) => {
    const file = folder && join(folder, basename(request.url ?? ""));
    const wanted = request.url === "/main.js";
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (file.endsWith(".wasm")) {
      response.setHeader("Content-Type", "application/wasm");
      return response.end(readFileSync(file));
    }
    response.setHeader("Content-Type", wanted ? "text/javascript" : "text/html");
    return response.end(wanted ? script : `<!doctype html><script type="module" src="/main.js"></script>`);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

/** Opens the page and returns the first line it prints. Throws what the page throws. */
export async function firstLine(browser: Browser, server: Server, query = ""): Promise<string> {
  const page = await browser.newPage();
  const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
  const printed = page.waitForEvent("console", {
    timeout: 60_000,
    predicate: (message) => message.type() === "log",
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${query}`);
  return (await Promise.race([printed, failed])).text();
}
