/** What npm would publish, installed and used as a stranger would. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Packed {
  filename: string;
  files: { path: string }[];
}

const folder = mkdtempSync(join(tmpdir(), "superlevel-"));
const project = join(folder, "project");
const consumer = resolve("test/support/consumer.mjs");
const tsc = resolve("node_modules/typescript/bin/tsc");

/** Runs a command and returns what it printed; its own words are in the error when it fails. */
function run(cwd: string, command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
  }
}

describe("package", () => {
  let packed: Packed;

  beforeAll(() => {
    const report = run(".", "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder);
    [packed] = JSON.parse(report) as Packed[];
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    run(project, "npm", "install", ...quiet, join(folder, packed.filename));
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("carries what users need and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
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

  it.each([
    ["node16", ["--module", "node16"]],
    ["bundler", ["--module", "esnext", "--moduleResolution", "bundler"]],
  ])(
    "has types for moduleResolution %s",
    (name, options) => {
      const file = `${name}.ts`;
      writeFileSync(
        join(project, file),
        `import { createOptimizer, type Optimizer } from "superlevel";\n` +
          `export const optimizer: Optimizer = createOptimizer(2);\n` +
          `// @ts-expect-error: the types are no \`any\`\nexport const wrong: string = createOptimizer(2);\n`,
      );
      run(project, "node", tsc, "--noEmit", "--strict", "--target", "es2022", ...options, file);
    },
    60_000,
  );
});
