/** The packed package goes through every bundler, and its bundles compute what Node computes. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as vite } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import webpack from "webpack";

import { packAndInstall, run, type Installed } from "../support/packed.js";

let installed: Installed;
let project: string;
let expected: string;

beforeAll(() => {
  installed = packAndInstall();
  project = installed.project;
  copyFileSync("test/support/program.mjs", join(project, "program.mjs"));
  expected = run(project, "node", "program.mjs");
});

afterAll(() => installed?.remove());

/** Each writes one or more files into the folder. */
const bundlers: Record<string, (input: string, folder: string) => Promise<unknown>> = {
  esbuild: (input, folder) =>
    esbuild({
      entryPoints: [input],
      bundle: true,
      minify: true,
      format: "esm",
      outdir: folder,
      absWorkingDir: project,
    }),
  Rollup: async (input, folder) => {
    const bundle = await rollup({ input, plugins: [nodeResolve()] });
    await bundle.write({ dir: folder });
  },
  webpack: (input, folder) =>
    new Promise((done, fail) => {
      const output = { path: folder, filename: "program.js", module: true };
      const options = { mode: "production", context: project, entry: input, output } as const;
      webpack(
        { ...options, target: ["web", "es2022"], experiments: { outputModule: true } },
        (error, stats) => {
          if (error) fail(error);
          else if (stats?.hasErrors() || stats?.hasWarnings()) fail(new Error(stats.toString()));
          else done(stats);
        },
      );
    }),
  Vite: (input, folder) =>
    vite({
      root: project,
      configFile: false,
      logLevel: "silent",
      build: { outDir: folder, rollupOptions: { input }, modulePreload: false, target: "es2022" },
    }),
};

describe.each(Object.entries(bundlers))("%s", (name, bundle) => {
  it("makes a bundle that stands alone", async () => {
    // Outside of the project, so that nothing is found in its node_modules.
    const folder = join(project, "..", name);
    mkdirSync(folder);
    await bundle(join(project, "program.mjs"), folder);
    const scripts = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".js"),
    );
    expect(scripts).toHaveLength(1);
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
    expect(readFileSync(join(folder, scripts[0]), "utf8")).not.toMatch(/from\s*["']superlevel/);
    expect(run(folder, "node", scripts[0])).toBe(expected);
  });
});
