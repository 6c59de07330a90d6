/** Opens pages in real browsers, without a driver: what runs there reports to the server that served it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

import { build } from "esbuild";

interface BrowserCommand {
  readonly path: string;
  readonly args: (profile: string) => string[];
}

// Without the last four, Chromium looks for hosts of its own, which a closed network refuses many times over.
export const browsers: Record<string, BrowserCommand> = {
  Chromium: {
    path: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    args: (profile) => [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`],
      ...[
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    ],
  },
  Firefox: {
    path: process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr",
    args: (profile) => ["--headless", "--no-remote", "--profile", profile],
  },
};

/** On CI a missing browser is a failure, not a reason to skip. */
export const isMissing = ({ path }: BrowserCommand): boolean => !existsSync(path) && !process.env.CI;

/**
 * The suites as one module, with `pages/vitest.mjs` in the place of vitest. It runs them and posts the outcome to
 * `/report`, in a page as well as in a worker.
 */
export async function bundleSuites(names: readonly string[]): Promise<string> {
  const contents = `
    ${names.map((name) => `import "./test/${name}.test.ts";`).join("\n")}
    import { runAll } from "vitest";
    const isolated = globalThis.crossOriginIsolated;
    const outcome = await runAll(isolated ? undefined : /shared memory/);
    const where = typeof document === "object" ? "page" : "worker";
    await fetch("/report", { method: "POST", body: JSON.stringify({ ...outcome, where, isolated }) });`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ".", loader: "ts" },
    alias: { vitest: "./test/support/pages/vitest.mjs" },
    // The package says that nothing in it has side effects; its tests do.
    ignoreAnnotations: true,
    ...{ bundle: true, format: "esm", platform: "browser", target: "es2022", write: false },
  });
  return outputFiles[0].text;
}

const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
};

/** Opens `page` in a browser; resolves to the text that is posted to `/report`, and ends the browser. */
export async function reportOf(
  browser: BrowserCommand,
  page: string,
  { script = "", folder = "", headers = {} as Record<string, string> },
): Promise<string> {
  let report: (text: string) => void = () => {};
  const reported = new Promise<string>((resolve) => (report = resolve));
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (request.method === "POST") {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => (response.end(), report(text)));
      return;
    }
    const file = join(folder, pathname);
    const found = pathname === "/" ? page : pathname === "/main.js" ? script : undefined;
    if (found === undefined && !(folder && existsSync(file) && statSync(file).isFile())) {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "text/html; charset=utf-8");
    response.end(found ?? readFileSync(file));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const profile = mkdtempSync(join(tmpdir(), "superlevel-profile-"));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const child = spawn(browser.path, [...browser.args(profile), url], { stdio: "ignore", detached: true });
  const ended = new Promise<never>((_, fail) => {
    child.on("error", fail);
    child.on("exit", (code) =>
      fail(new Error(`${browser.path} ended with ${code} before the page reported`)),
    );
  });
  try {
    return await Promise.race([reported, ended]);
  } finally {
    child.removeAllListeners("exit");
    const gone = new Promise((done) => child.on("exit", done));
    // The whole group, as browsers have children.
    if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await gone;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
