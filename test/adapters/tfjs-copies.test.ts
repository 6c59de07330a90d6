/** Two copies of tfjs-core beside each other, as two versions in a tree of packages are: what works, and what is said. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { basename, join, resolve } from "node:path";

import { build } from "esbuild";
import { build as vite } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import webpack from "webpack";

import { packAndInstall, type Installed } from "../support/packed.js";

let installed: Installed;
let project: string;

/** The files of a library that Node loads, copied, as Node takes links to one file for one module. */
function copy(name: string, modules: string): void {
  const file =
    name === "tfjs-layers"
      ? "tf-layers.node.js"
      : name === "tfjs-core"
        ? "tf-core.node.js"
        : "tf-backend-cpu.node.js";
  for (const part of ["package.json", join("dist", file)])
    cpSync(resolve("node_modules/@tensorflow", name, part), join(modules, "@tensorflow", name, part));
}

beforeAll(() => {
  installed = packAndInstall();
  project = installed.project;
  const modules = join(project, "node_modules");
  for (const name of ["tfjs-core", "tfjs-layers", "tfjs-backend-cpu"]) copy(name, modules);
  for (const name of ["seedrandom", "long", "node-fetch", "whatwg-url", "tr46", "webidl-conversions"])
    symlinkSync(resolve("node_modules", name), join(modules, name));
  mkdirSync(join(modules, "superlevel/node_modules"));
  copy("tfjs-core", join(modules, "superlevel/node_modules"));
});

afterAll(() => installed?.remove());

const TENSORFLOW = `
  import * as tf from "@tensorflow/tfjs-core";
  import * as layers from "@tensorflow/tfjs-layers";
  import * as cpu from "@tensorflow/tfjs-backend-cpu";
  globalThis.cpu = cpu; // or bundlers leave it out`;
const OURS = `
  import { SuperlevelOptimizer, superlevelOptimizer } from "superlevel/tfjs";`;

/** Trains, saves, and loads; once more when the class is registered with the copy that loads. */
const BODY = `
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2] })] });
  model.compile({ optimizer: superlevelOptimizer(), loss: "meanSquaredError" });
  const [x, y] = [tf.ones([8, 2]), tf.ones([8, 1])];
  await model.fit(x, y, { epochs: 2, verbose: 0 });
  let artifacts;
  const toMemory = tf.io.withSaveHandler(async (saved) => {
    artifacts = saved;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  });
  await model.save(toMemory, { includeOptimizer: true });
  const load = () => layers.loadLayersModel(tf.io.fromMemory(artifacts));
  const found = [];
  for (const register of [() => {}, () => tf.serialization.registerClass(SuperlevelOptimizer)]) {
    register();
    try {
      const loaded = await load();
      found.push((await loaded.trainOnBatch(x, y)) === (await model.trainOnBatch(x, y)));
    } catch ({ message }) {
      found.push(message.slice(0, 34));
    }
  }
  console.log(JSON.stringify(found));`;

interface Outcome {
  found: unknown;
  warnings: string[];
}

function run(file: string): Outcome {
  const { stdout, stderr } = spawnSync("node", [file], { cwd: project, encoding: "utf8" });
  expect(stdout, stderr).toMatch(/\[/);
  const found: unknown = JSON.parse(stdout.slice(stdout.indexOf("[")));
  return { found, warnings: stderr.split("\n").filter((line) => line.startsWith("superlevel")) };
}

const warning = expect.stringMatching(
  /^superlevel\/tfjs: there are two copies of @tensorflow\/tfjs-core here.*registerClass\(SuperlevelOptimizer\).*docs\/tfjs\.md#two-copies-of-tensorflowjs$/,
) as string;

test.each([
  ["theirs first", TENSORFLOW + OURS],
  ["ours first", OURS + TENSORFLOW],
])("two copies, %s: a warning says what to do, and it helps", (name, imports) => {
  const file = `${name.replace(" ", "-")}.mjs`;
  writeFileSync(join(project, file), imports + BODY);
  expect(run(file)).toEqual({ found: ["Unknown layer: SuperlevelOptimizer", true], warnings: [warning] });
});

/** What docs/tfjs.md says to set, and without it. */
const bundlers: Record<string, (entry: string, output: string, cured: boolean) => Promise<unknown>> = {
  esbuild: (entry, outfile, cured) => {
    const js = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
    const options = { bundle: true, format: "esm", platform: "node", logLevel: "error" } as const;
    const alias = cured ? { "@tensorflow/tfjs-core": core() } : undefined;
    return build({ entryPoints: [entry], outfile, banner: { js }, alias, ...options });
  },
  webpack: (entry, output, cured) =>
    new Promise((done, fail) => {
      webpack(
        {
          entry,
          mode: "none",
          target: "node",
          output: { path: project, filename: basename(output), module: true },
          experiments: { outputModule: true },
          resolve: cured ? { alias: { "@tensorflow/tfjs-core": core() } } : {},
        },
        (error, stats) => {
          if (error ?? stats?.hasErrors()) fail(error ?? new Error(stats?.toString()));
          else done(stats);
        },
      );
    }),
  Vite: (entry, output, cured) =>
    vite({
      root: project,
      configFile: false,
      logLevel: "silent",
      resolve: cured ? { dedupe: ["@tensorflow/tfjs-core"] } : {},
      build: {
        ssr: entry,
        outDir: project,
        emptyOutDir: false,
        rollupOptions: { output: { entryFileNames: basename(output) } },
      },
      ssr: { noExternal: true },
    }),
};

const core = () => join(project, "node_modules/@tensorflow/tfjs-core");

test.each(Object.entries(bundlers))(
  "two copies in a bundle by %s, and one where it is told so",
  async (name, bundle) => {
    const entry = join(project, "entry.mjs");
    writeFileSync(entry, TENSORFLOW + OURS + BODY);
    for (const cured of [false, true]) {
      const file = `${name}-${cured}.mjs`;
      await bundle(entry, join(project, file), cured);
      const { found, warnings } = run(file);
      expect(warnings).toEqual(cured ? [] : [warning]);
      expect((found as unknown[])[0]).toBe(cured || "Unknown layer: SuperlevelOptimizer");
    }
  },
);
