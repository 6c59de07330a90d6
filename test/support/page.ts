/** Runs programs in pages of a real browser. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

import { build } from "esbuild";
import type { Browser } from "playwright-core";

/** A module's text, as if it lay in this folder, and the headers its page comes with. */
export interface Page {
  program: string;
  headers?: Record<string, string>;
}

async function bundle(contents: string): Promise<string> {
  const options = { bundle: true, format: "esm", write: false, logLevel: "error" } as const;
  const { outputFiles } = await build({ stdin: { contents, resolveDir: "test/support" }, ...options });
  return outputFiles[0].text;
}

/** Serves pages by their paths, each of which runs its program, and the .wasm files of a folder. */
export async function serve(pages: Record<string, Page>, folder = ""): Promise<Server> {
  const scripts = new Map<string, string>();
  for (const [path, { program }] of Object.entries(pages))
    scripts.set(`${path}main.js`, await bundle(program));
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url!, "http://localhost");
    const script = scripts.get(pathname);
    const headers = pages[pathname.replace("main.js", "")]?.headers ?? {};
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const binary = pathname.endsWith(".wasm") ? readFileSync(join(folder, basename(pathname))) : undefined;
    const type = binary ? "application/wasm" : script ? "text/javascript" : "text/html";
    response.setHeader("Content-Type", type);
    response.end(
      binary ?? script ?? `<!doctype html><script type="module" src="${pathname}main.js"></script>`,
    );
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

/** What a page printed, once it has printed so many lines; a timeout of 0 is none. Throws what the page throws. */
export async function visit(
  browser: Browser,
  server: Server,
  path: string,
  lines = 1,
  timeout = 150_000,
): Promise<{ logs: string[]; warnings: string[] }> {
  const page = await browser.newPage();
  const [logs, warnings]: string[][] = [[], []];
  const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
  const printed = page.waitForEvent("console", {
    predicate: (message) => {
      if (message.type() === "warning") warnings.push(message.text());
      return message.type() === "log" && logs.push(message.text()) === lines;
    },
    timeout,
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await Promise.race([printed, failed]);
  await page.close();
  return { logs, warnings };
}
