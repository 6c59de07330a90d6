/** Threads go through every bundler and dev server, into Node and into pages, and compute what Node computes without one. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

import { nodeResolve } from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import type { Browser } from "playwright-core";
import { rollup, type OutputOptions } from "rollup";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import webpack, { type Configuration } from "webpack";

import { launch, skipNote, skipped } from "../support/chromium.js";
import { packAndInstall, run, type Installed } from "../support/packed.js";

const WORKER = "superlevel/threads/worker.js";
const PROGRAM = "threads-program.mjs";
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
/** Forbids workers that are not files of the page's own origin. */
const STRICT = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

let installed: Installed;
let project: string;
let expected: string;

beforeAll(() => {
  installed = packAndInstall();
  project = installed.project;
  copyFileSync(`test/support/${PROGRAM}`, join(project, PROGRAM));
  expected = run(project, "node", PROGRAM).trim();
  expect(JSON.parse(expected)).toMatchObject({ threads: 3, same: true });
});

afterAll(() => installed?.remove());

/** Bundles `entries` (the file that comes out, by its name) into the folder. */
type Bundle = (entries: Record<string, string>, folder: string) => Promise<unknown>;

const byEsbuild =
  (options: esbuild.BuildOptions): Bundle =>
  (entryPoints, outdir) =>
    esbuild.build({ entryPoints, outdir, bundle: true, format: "esm", absWorkingDir: project, ...options });

const byRollup =
  (output: OutputOptions): Bundle =>
  async (entries, dir) => {
    const input = Object.entries(entries).map(([name, path]) => [
      name,
      path === WORKER ? path : join(project, path),
    ]);
    const plugins = [nodeResolve({ rootDir: project })];
    const bundle = await rollup({ input: Object.fromEntries(input) as Record<string, string>, plugins });
    await bundle.write({ dir, ...output });
  };

const byWebpack =
  ({ output, ...options }: Configuration): Bundle =>
  (entries, path) =>
    new Promise((done, fail) => {
      const entry = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `./${file}`]));
      const config: Configuration = {
        mode: "production",
        context: project,
        entry,
        output: { path, module: true, filename: "[name].js", ...output },
        experiments: { outputModule: true },
        ...options,
      };
      webpack(config, (error, stats) => {
        if (error) fail(error);
        else if (stats?.hasErrors() || stats?.hasWarnings()) fail(new Error(stats.toString()));
        else done(stats);
      });
    });

const byVite =
  (build: vite.BuildOptions, ssr: vite.SSROptions = {}): Bundle =>
  (input, outDir) =>
    vite.build({
      root: project,
      configFile: false,
      logLevel: "silent",
      build: { outDir, rollupOptions: { input }, modulePreload: false, target: "es2022", ...build },
      ssr,
    });

/** A folder outside of the project, so that nothing is found in its node_modules. */
async function bundled(name: string, bundle: Bundle, withWorker = false): Promise<string> {
  const folder = join(project, "..", name.replaceAll(/\W+/g, "-"));
  mkdirSync(folder);
  await bundle({ program: PROGRAM, ...(withWorker ? { worker: WORKER } : {}) }, folder);
  return folder;
}

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.[cm]?js$/.test(file));

describe("in Node, a bundle by", () => {
  it.each([
    ["esbuild, as a module", byEsbuild({ platform: "node", minify: true }), "module"],
    ["esbuild, unminified", byEsbuild({ platform: "node" }), "module"],
    ["Rollup", byRollup({}), "module"],
    ["webpack", byWebpack({ target: "node" }), "module"],
    ["webpack, for development", byWebpack({ target: "node", mode: "development" }), "module"],
    ["webpack, as CommonJS", byWebpack({ target: "node", output: { module: false } }), "commonjs"],
    ["Vite", byVite({ ssr: true }, { noExternal: true }), "module"],
  ])("%s", async (name, bundle, type) => {
    const folder = await bundled(`node ${name}`, bundle);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type }));
    const program = files(folder).find((file) => file.includes("program"))!;
    expect(run(folder, "node", program).trim()).toBe(expected);
  });
});

/** A server of a folder's files, and the names of those that it was asked for. */
async function serve(folder: string, policy?: string): Promise<{ server: Server; asked: string[] }> {
  const asked: string[] = [];
  const program = files(folder).find((file) => basename(file).startsWith("program"))!;
  const server = createServer(({ url = "/" }, response) => {
    for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
    if (policy) response.setHeader("Content-Security-Policy", policy);
    asked.push(url);
    const known = files(folder).includes(url.slice(1));
    response.setHeader("Content-Type", url.endsWith(".js") ? "text/javascript" : "text/html");
    if (known) response.end(readFileSync(join(folder, url)));
    else if (url === "/") response.end(`<!doctype html><script type="module" src="/${program}"></script>`);
    else response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, asked };
}

describe.skipIf(skipped)(`in a page${skipNote}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(() => browser?.close());

  /** What the program prints there. */
  async function printed(url: string): Promise<string> {
    const tab = await browser.newPage();
    const failed = new Promise<never>((_, reject) => tab.on("pageerror", reject));
    const message = tab.waitForEvent("console", {
      predicate: (message) => message.text().startsWith("{"),
      timeout: 150_000,
    });
    await tab.goto(url);
    const text = (await Promise.race([message, failed])).text();
    await tab.close();
    return text;
  }

  async function expectToRun(folder: string, policy?: string): Promise<string[]> {
    const { server, asked } = await serve(folder, policy);
    try {
      expect(await printed(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).toBe(expected);
    } finally {
      server.close();
    }
    return asked.filter((url) => url.endsWith(".js")).slice(1);
  }

  const web = { target: ["web", "es2022"] };
  const bundlers: [name: string, bundle: Bundle, findsWorker: boolean][] = [
    ["esbuild", byEsbuild({ minify: true }), false],
    ["Rollup", byRollup({}), false],
    ["webpack", byWebpack(web), true],
    ["webpack, as a classic script", byWebpack({ ...web, output: { module: false } }), true],
    ["Vite", byVite({}), true],
  ];

  it.each(bundlers)("a bundle by %s, and nothing else", async (name, bundle) => {
    const folder = await bundled(`page ${name}`, bundle);
    expect(await expectToRun(folder)).toEqual([]);
  });

  it.each(bundlers)("a bundle by %s where workers have to be files", async (name, bundle, findsWorker) => {
    const folder = await bundled(`strict ${name}`, bundle, !findsWorker);
    const [worker, ...others] = new Set(await expectToRun(folder, STRICT));
    expect(files(folder)).toContain(worker.slice(1));
    expect(others).toEqual([]);
  });

  it("a bundle without the worker's file, where there has to be one, is told so", async () => {
    const folder = await bundled("strict, no file", byEsbuild({}));
    const { server } = await serve(folder, STRICT);
    const text = await printed(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.close();
    expect(JSON.parse(text)).toMatchObject({
      code: "threads",
      message: expect.stringMatching(
        /a thread has failed: its script could not be loaded: see docs\/engines\.md/,
      ) as string,
    });
  });

  it("a development build by webpack", async () => {
    const folder = await bundled("development webpack", byWebpack({ ...web, mode: "development" }));
    expect(await expectToRun(folder)).toEqual([]);
  });

  it("esbuild's server", async () => {
    const folder = join(project, "..", "esbuild-server");
    const options = {
      entryPoints: { program: PROGRAM },
      outdir: folder,
      bundle: true,
      format: "esm",
    } as const;
    const context = await esbuild.context({ ...options, absWorkingDir: project });
    await context.watch();
    const { port } = await context.serve({ host: "127.0.0.1" });
    // It sets no headers, so the page comes from a server that does, and asks it for the rest.
    const page = createServer((request, response) => {
      for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
      if (request.url === "/") {
        response.setHeader("Content-Type", "text/html");
        return void response.end(`<!doctype html><script type="module" src="/program.js"></script>`);
      }
      response.setHeader("Content-Type", "text/javascript");
      fetch(`http://127.0.0.1:${port}${request.url}`)
        .then((found) => found.text())
        .then((text) => response.end(text))
        .catch(() => response.destroy());
    });
    await new Promise<void>((ready) => page.listen(0, "127.0.0.1", ready));
    expect(await printed(`http://127.0.0.1:${(page.address() as AddressInfo).port}/`)).toBe(expected);
    page.close();
    await context.dispose();
  });

  it.each([
    ["", {}],
    [" where workers have to be files", { "Content-Security-Policy": STRICT }],
  ])("Vite's server%s", async (_where, policy) => {
    const page = `<!doctype html><script type="module" src="/${PROGRAM}"></script>`;
    writeFileSync(join(project, "index.html"), page);
    const server = await vite.createServer({
      root: project,
      configFile: false,
      logLevel: "silent",
      server: { host: "127.0.0.1", port: 0, headers: { ...ISOLATION, ...policy }, hmr: false },
    });
    await server.listen();
    const { port } = server.httpServer!.address() as AddressInfo;
    expect(await printed(`http://127.0.0.1:${port}/`)).toBe(expected);
    await server.close();
  });
});
