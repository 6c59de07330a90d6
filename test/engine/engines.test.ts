/** The engines are one: the same bytes after any run, and a state that one saved goes on in the other. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { adamw, mechanic, sgd, superlevel } from "../../src/index.js";
import type { OptimizerOptions, Tuner } from "../../src/index.js";
import { bases, gradientAt, noise, startAt, tuners } from "../support/cases.js";
import { errorOf } from "../support/errors.js";
import { pairOf, specsOf, walkPair } from "../support/pairs.js";
import { sameBytes } from "../support/state.js";

/** Every form in every granularity that it has. */
const forms: [string, Tuner | null][] = Object.entries(tuners).flatMap(([name, tuner]) => {
  if (tuner === null) return [[name, tuner]] as [string, Tuner | null][];
  const perTensor: Tuner = { ...tuner, granularity: "tensor" };
  const perParameter: Tuner = { ...tuner, granularity: "parameter" };
  const all: [string, Tuner | null][] = [
    [name, tuner],
    [`${name}, each tensor`, perTensor],
  ];
  return tuner.form === "mechanize" ? all : [...all, [`${name}, each parameter`, perParameter]];
});
forms.push(["superlevel, each parameter within a factor", superlevel({ granularity: "parameter" })]);

describe.each(forms)("%s: wasm and js save the same bytes", (_form, tuner) => {
  test.each(Object.entries(bases))("%s, 100 steps", (_base, base) => {
    for (const size of [1, 7, 33]) {
      const random = noise(size);
      walkPair(pairOf(startAt(size, random), { base, tuner }), 100, random);
    }
    const random = noise(5);
    walkPair(pairOf(specsOf(1100, random), { base, tuner, clip: { value: 0.8, norm: 3 } }), 12, random);
  });
});

describe.each(forms)("%s: a state goes on in the other engine", (_form, tuner) => {
  test("and ends with the same bytes", () => {
    const random = noise(11);
    const options = { base: adamw({ weightDecay: 0.1 }), tuner };
    const params = specsOf(61, random);
    const [wasm, js] = pairOf(params, options);
    walkPair([wasm, js], 70, random);
    const [wasmAfterJs, jsAfterWasm] = pairOf(params, options);
    wasmAfterJs.restore(js.save());
    jsAfterWasm.restore(wasm.save());
    walkPair([wasmAfterJs, jsAfterWasm], 70, noise(12));
    const again = noise(12);
    for (let step = 1; step <= 70; step++) wasm.step(gradientAt(3 * step, wasm.size, again));
    expect(sameBytes(wasm.save(), wasmAfterJs.save())).toBe(true);
  });
});

describe("wasm and js", () => {
  test.each(["global", "tensor", "parameter"] as const)("sum over blocks alike, %s", (granularity) => {
    for (const size of [1024, 1025, 4099]) {
      const random = noise(size);
      walkPair(pairOf(specsOf(size, random), { tuner: superlevel({ granularity }) }), 30, random);
      walkPair(
        pairOf(specsOf(size, random), { tuner: mechanic({ granularity }), normAdaptive: true }),
        30,
        random,
      );
    }
  });

  test("refuse a gradient too large for float32 sums alike, and take the largest that is not", () => {
    for (const clip of [{}, { value: 1e3 }]) {
      const random = noise(2);
      const [one, other] = pairOf(startAt(40, random), { clip, nonFinite: "skip" });
      for (const factor of [1, 1e17, 3e19, 1e30, Infinity, 1]) {
        const g = gradientAt(1, 40, random).map((value) => value * factor);
        expect(other.step(g)).toEqual(one.step(g));
      }
      expect(sameBytes(one.save(), other.save())).toBe(true);
    }
  });

  test("go back to the same state from a step that overflows", () => {
    const options: OptimizerOptions = { base: sgd({ learningRate: 1e25 }), tuner: null, nonFinite: "skip" };
    const [one, other] = pairOf(startAt(20, noise(3)), options);
    for (let step = 1; step <= 5; step++) {
      const g = gradientAt(step, 20, noise(step));
      expect(other.step(g)).toEqual(one.step(g));
    }
    expect(one.params.every(Number.isFinite)).toBe(true);
    expect(sameBytes(one.save(), other.save())).toBe(true);
  });
});

/** The package as it loads where WebAssembly is `value`. */
async function load(value: unknown): Promise<typeof import("../../src/index.js")> {
  vi.stubGlobal("WebAssembly", value);
  return import("../../src/index.js");
}

const { CompileError } = WebAssembly;
const forbidding = {
  Module: class {
    constructor() {
      throw new CompileError("forbidden here");
    }
  },
};

describe("where WebAssembly", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});

  beforeEach(() => {
    vi.resetModules();
    warn.mockClear();
  });
  afterEach(() => vi.unstubAllGlobals());

  test.each([
    ["is absent", undefined, "ReferenceError|TypeError"],
    ["is forbidden", forbidding, "CompileError: forbidden here"],
  ])("%s, auto is js and says so once, and wasm is an error", async (_what, value, reason) => {
    const { createOptimizer, OptimizerError } = await load(value);
    expect([1, 2, 3].map((size) => createOptimizer(size).engine)).toEqual(["js", "js", "js"]);
    expect(warn.mock.calls.length).toBe(1);
    expect(warn.mock.calls[0][0]).toMatch(
      new RegExp(`^superlevel: SIMD WebAssembly does not run here \\((${reason}).*\\), so plain JavaScript`),
    );
    const error = errorOf(() => createOptimizer(1, { engine: "wasm" }));
    expect(error).toBeInstanceOf(OptimizerError);
    expect(error).toMatchObject({ code: "engine" });
    expect(error.message).toMatch(
      /^engine: SIMD WebAssembly does not run here .*"auto" and "js" do without it$/,
    );
  });

  test("runs, auto is wasm and nothing is said; js is js", async () => {
    const { createOptimizer } = await load(WebAssembly);
    expect(createOptimizer(1).engine).toBe("wasm");
    expect(createOptimizer(1, { engine: "wasm" }).engine).toBe("wasm");
    expect(createOptimizer(1, { engine: "js" }).engine).toBe("js");
    expect(warn).not.toHaveBeenCalled();
  });

  test("was switched off, a program prints the same numbers", () => {
    const consumer = "test/support/consumer.mjs";
    const { stdout, stderr } = spawnSync("node", ["--jitless", consumer], { encoding: "utf8" });
    expect(stderr.match(/superlevel: SIMD WebAssembly does not run here/g)).toHaveLength(1);
    expect(stdout).toBe(execFileSync("node", [consumer], { encoding: "utf8" }));
  });
});

describe("wasm-relaxed", () => {
  beforeEach(() => vi.resetModules());

  test("names the import that it needs", async () => {
    const { createOptimizer } = await load(WebAssembly);
    const error = errorOf(() => createOptimizer(1, { engine: "wasm-relaxed" }));
    expect(error.message).toBe('engine: "wasm-relaxed" needs import "superlevel/relaxed" first');
    expect(error).toMatchObject({ code: "engine" });
  });

  test("runs where it can, else wasm does; close to each other", async () => {
    const { createOptimizer } = await load(WebAssembly);
    await import("../../src/relaxed.js");
    const random = noise(4);
    const x = startAt(100, random);
    const relaxed = createOptimizer(x, { engine: "wasm-relaxed" });
    const wasm = createOptimizer(x, { engine: "wasm" });
    const runs = WebAssembly.validate(readFileSync("build/superlevel-relaxed.wasm"));
    expect(relaxed.engine).toBe(runs ? "wasm-relaxed" : "wasm");
    for (let step = 1; step <= 50; step++) {
      const g = gradientAt(step, 100, random);
      relaxed.step(g);
      wasm.step(g);
    }
    wasm.params.forEach((value, i) => expect(Math.abs(relaxed.params[i] - value)).toBeLessThan(1e-5));
    expect(createOptimizer(x).engine).toBe("wasm");
  });
});
