/** The packed package beside others of the registry: compilers of several years, and Vue. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { packAndInstall, run, type Installed } from "../support/packed.js";

const versions = ["5.0", "5.4", "6.0", "7.0"];
let installed: Installed | undefined;
afterAll(() => installed?.remove());

/** Installs all of it, or says why not. */
function refusal(packages: readonly string[]): string | undefined {
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  try {
    installed = packAndInstall();
    run(installed.project, "npm", "install", ...quiet, ...packages);
    return undefined;
  } catch (error) {
    const [code] = /E[A-Z_]{5,}/.exec(String(error)) ?? ["?"];
    return `npm could not install them: ${code}`;
  }
}

const reason = refusal([
  ...versions.map((version) => `typescript-${version}@npm:typescript@${version}`),
  "@vue/reactivity@3",
]);
const note = reason ? ` (skipped: ${reason})` : "";
if (reason) console.warn(`registry.test.ts skipped: ${reason}`);
const project = installed?.project ?? "";

const compilers = [
  ...versions.map((version) => [version, join(project, `node_modules/typescript-${version}/bin/tsc`)]),
  ["of this repository", resolve("node_modules/typescript/bin/tsc")],
];

const PROGRAM = `
  import { createOptimizer, type Optimizer, type RunOptions } from "superlevel";
  import "superlevel/relaxed";
  import { minimize } from "superlevel/minimize";
  import { dynamicCost } from "superlevel/objective";
  import { lyapunovMonitor } from "superlevel/stability";
  import { createThreadedOptimizer } from "superlevel/threads";
  export const optimizer: Optimizer & { [Symbol.dispose](): void } = createOptimizer(2);
  export const run: RunOptions = { steps: 1, signal: { aborted: false } };
  export const others = [minimize, dynamicCost, lyapunovMonitor, createThreadedOptimizer];
  // @ts-expect-error: the types are no \`any\`
  export const wrong: string = optimizer.minimize;`;

const USING = `
  import { createOptimizer } from "superlevel";
  import { createThreadedOptimizer } from "superlevel/threads";
  export async function steps() {
    using one = createOptimizer(2);
    await using other = await createThreadedOptimizer(2);
    return one.step([1, 2]).step + other.step([1, 2]).step;
  }`;

describe.skipIf(reason)(`types${note}`, () => {
  /** Compiles a program, with the package's declarations, and returns what it said. */
  function compile(tsc: string, name: string, text: string, options: object): string {
    const folder = join(project, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "program.ts"), text);
    const strict = { strict: true, noEmit: true, target: "es2022", module: "node16", skipLibCheck: false };
    const config = { compilerOptions: { ...strict, types: [], ...options }, files: ["program.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    return run(folder, "node", tsc, "-p", ".");
  }

  describe.each(compilers)("for TypeScript %s", (version, tsc) => {
    it.each([[["es2022"]], [["es2022", "dom"]]])("with lib %j", (lib) => {
      expect(compile(tsc, `${version} ${lib.join()}`, PROGRAM, { lib })).toBe("");
    });

    it.skipIf(version === "5.0")("that knows `using`", () => {
      expect(compile(tsc, `${version} using`, USING, { lib: ["es2022"] })).toBe("");
    });
  });

  it("beside those of Node, which declare the same", () => {
    mkdirSync(join(project, "node_modules/@types"), { recursive: true });
    symlinkSync(resolve("node_modules/@types/node"), join(project, "node_modules/@types/node"));
    symlinkSync(resolve("node_modules/undici-types"), join(project, "node_modules/undici-types"));
    for (const lib of [["es2022"], ["esnext", "dom"]]) {
      expect(
        compile(compilers[compilers.length - 1][1], `node ${lib.join()}`, PROGRAM, { lib, types: ["node"] }),
      ).toBe("");
    }
  });
});

describe.skipIf(reason)(`Vue${note}`, () => {
  it("leaves an optimizer in reactive data as it is", () => {
    const script = `
      import { reactive } from "@vue/reactivity";
      import { createOptimizer } from "superlevel";
      const optimizer = createOptimizer([1, 2]);
      const data = reactive({ optimizer });
      data.optimizer.step([1, 1]);
      console.log(data.optimizer === optimizer, reactive(optimizer) === optimizer, optimizer.iterations);`;
    expect(run(project, "node", "--input-type=module", "--eval", script)).toBe("true true 1\n");
  });
});
