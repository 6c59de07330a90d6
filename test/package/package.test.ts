/** What npm would publish, installed and used as a stranger would. */
import { copyFileSync, existsSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { packAndInstall, run, type Installed } from "../support/packed.js";

const consumer = resolve("test/support/consumer.mjs");
const tsc = resolve("node_modules/typescript/bin/tsc");

describe("package", () => {
  let installed: Installed;
  let project: string;

  beforeAll(() => {
    installed = packAndInstall();
    project = installed.project;
  });

  afterAll(() => installed?.remove());

  it("carries what users need and nothing else", () => {
    const paths = installed.files;
    const needed = [
      ...["README.md", "LICENSE", "CHANGELOG.md", "package.json", "src/index.ts"],
      ...["dist/index.js", "dist/index.d.ts", "dist/superlevel.wasm"],
      ...["dist/relaxed.js", "dist/relaxed.d.ts", "dist/superlevel-relaxed.wasm"],
    ];
    expect(
      needed.filter((path) => !paths.includes(path)),
      "missing",
    ).toEqual([]);
    const others = paths.filter((path) => !/^(dist|src)\/|^(README|LICENSE|CHANGELOG|package)\b/.test(path));
    expect(others, "superfluous").toEqual([]);
  });

  it("carries no output of a source that is gone", () => {
    const outputs = readdirSync("dist", { recursive: true, encoding: "utf8" });
    const stale = outputs.filter(
      (file) => file.endsWith(".js") && !existsSync(join("src", file.replace(/\.js$/, ".ts"))),
    );
    expect(stale, "remove dist and build again").toEqual([]);
  });

  it("minimizes when installed", () => {
    copyFileSync(consumer, join(project, "consumer.mjs"));
    const { loss } = JSON.parse(run(project, "node", "consumer.mjs")) as { loss: number };
    expect(loss).toBeLessThan(1e-6);
  });

  it("shares steps among threads when installed", () => {
    const script = `
      import { createThreadedOptimizer } from "superlevel/threads";
      const optimizer = await createThreadedOptimizer(1e5, { threads: 2 });
      optimizer.grads.fill(1);
      optimizer.step();
      console.log(optimizer.threads, (await optimizer.stepAsync()).step);`;
    expect(run(project, "node", "--input-type=module", "--eval", script)).toBe("2 2\n");
  });

  it("gives the kernels as files", () => {
    const script = `
      import { readFileSync } from "node:fs";
      for (const name of ["superlevel", "superlevel-relaxed"]) {
        const file = new URL(import.meta.resolve("superlevel/" + name + ".wasm"));
        console.log(readFileSync(file).subarray(1, 4).toString());
      }`;
    expect(run(project, "node", "--input-type=module", "--eval", script)).toBe("asm\nasm\n");
  });

  it("takes up the relaxed kernels by an import", () => {
    const script = `
      import { createOptimizer } from "superlevel";
      import "superlevel/relaxed";
      console.log(createOptimizer(2, { engine: "wasm-relaxed" }).engine);`;
    expect(run(project, "node", "--input-type=module", "--eval", script)).toMatch(/^wasm(-relaxed)?\n$/);
  });

  it("can be required", () => {
    const script = `
      const { createOptimizer } = require("superlevel");
      const { minimize } = require("superlevel/minimize");
      console.log(createOptimizer(3).size, minimize(([x]) => x * x, [1]).success);`;
    // Which Node says is experimental, on stderr.
    expect(run(project, "node", "--input-type=commonjs", "--eval", script)).toBe("3 true\n");
  });

  it("needs no other library but for its adapter", () => {
    const script = `import("superlevel/jax").catch(({ message }) => console.log(message))`;
    expect(run(project, "node", "--eval", script)).toContain("Cannot find package '@jax-js/jax'");
    symlinkSync(resolve("node_modules/@jax-js"), join(project, "node_modules/@jax-js"));
    const used = `import("superlevel/jax").then((adapter) => console.log(Object.keys(adapter).join()))`;
    const names = ["superlevelOptimizer", "gradientTransformation", "applyUpdates", "chain"];
    expect(run(project, "node", "--eval", used).trim().split(",")).toEqual(expect.arrayContaining(names));
    writeFileSync(
      join(project, "jax.ts"),
      `import { numpy as np } from "@jax-js/jax";\n` +
        `import { applyUpdates, chain, clip, gradientTransformation, superlevelOptimizer, type State } from "superlevel/jax";\n` +
        `const { init, update } = gradientTransformation({ tensors: () => ({ weightDecay: 0 }) });\n` +
        `const state: State = init({ w: np.zeros([2]) });\n` +
        `const [updates] = update({ w: np.ones([2]) }, state, { w: np.zeros([2]) });\n` +
        `const traced = chain(clip(1), superlevelOptimizer());\n` +
        `export const inGraph = traced.update({ w: np.ones([2]) }, traced.init({ w: np.zeros([2]) }));\n` +
        `export const next: { w: np.Array } = applyUpdates({ w: np.zeros([2]) }, updates);\n` +
        `// @ts-expect-error: the types are no \`any\`\nexport const wrong: string = state;\n`,
    );
    // The host's own types are not clean.
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "node16"];
    run(project, "node", tsc, ...options, "jax.ts");
  });

  it("trains models of TensorFlow.js, where that is installed", () => {
    const script = `import("superlevel/tfjs").catch(({ message }) => console.log(message))`;
    expect(run(project, "node", "--eval", script)).toContain("Cannot find package '@tensorflow/tfjs-core'");
    symlinkSync(resolve("node_modules/@tensorflow"), join(project, "node_modules/@tensorflow"));
    copyFileSync("test/support/tfjs-resume.mjs", join(project, "resume.mjs"));
    const [saved, loaded] = ["save", "load"].map((action) =>
      run(project, "node", "resume.mjs", action, "model.json", "defaults"),
    );
    expect(loaded).toBe(saved);
    writeFileSync(
      join(project, "tfjs.ts"),
      `import type { Optimizer } from "@tensorflow/tfjs-core";\n` +
        `import { superlevelOptimizer } from "superlevel/tfjs";\n` +
        `export const optimizer: Optimizer = superlevelOptimizer({ tuner: null });\n` +
        `// @ts-expect-error: the types are no \`any\`\nexport const wrong: string = superlevelOptimizer();\n`,
    );
    // The host's own types are not clean.
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "node16"];
    run(project, "node", tsc, ...options, "tfjs.ts");
  });

  it.each([
    ["node16", ["--module", "node16"]],
    ["bundler", ["--module", "esnext", "--moduleResolution", "bundler"]],
  ])("has types for moduleResolution %s", (name, options) => {
    const file = `${name}.ts`;
    writeFileSync(
      join(project, file),
      `import { createOptimizer, type Optimizer } from "superlevel";\n` +
        `export const optimizer: Optimizer = createOptimizer(2);\n` +
        `// @ts-expect-error: the types are no \`any\`\nexport const wrong: string = createOptimizer(2);\n` +
        `import { minimize, type MinimizeResult } from "superlevel/minimize";\n` +
        `export const found: MinimizeResult = minimize(([x]) => x * x, [1]);\n` +
        `// @ts-expect-error: with jac: true, fun returns a pair\nminimize(([x]) => x, [1], { jac: true });\n`,
    );
    run(project, "node", tsc, "--noEmit", "--strict", "--target", "es2022", ...options, file);
  });
});
