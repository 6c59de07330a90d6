/** Realms other than a page's or Node's own: such as lack what those have, and such as hand over what is theirs. */
import { execFileSync } from "node:child_process";
import vm from "node:vm";

import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, createOptimizer, OptimizerError, superlevel, type GradientSource } from "../../src/index.js";
import { minimize } from "../../src/adapters/minimize/index.js";
import { gradientSampling, lyapunovStep, sharpness, stabilityProfile } from "../../src/stability/index.js";
import { sameBytes } from "../support/state.js";

/** Trains with a scale for each tensor, saves, resumes, and leaves what came of it in the realm. */
const TRAINS = `
  const make = () => createOptimizer([{ shape: [3], values: [1, -2, 3] }, { shape: [40] }], {
    tuner: superlevel({ granularity: "tensor" }),
  });
  const step = (optimizer) => optimizer.step(optimizer.params.map((x, i) => (1 + (i % 3)) * x - 0.5));
  const first = make();
  for (let k = 0; k < 40; k++) step(first);
  const second = make().restore(first.save());
  for (let k = 0; k < 40; k++) step(second);
  globalThis.outcome = { engine: second.engine, state: second.save().join() };`;

interface Outcome {
  engine: string;
  state: string;
}

let script: string;
let expected: string;

beforeAll(async () => {
  const stdin = {
    contents: `import { createOptimizer, superlevel } from "superlevel";${TRAINS}`,
    resolveDir: ".",
  };
  const bundle = await build({ stdin, bundle: true, format: "iife", minify: true, write: false });
  script = bundle.outputFiles[0].text;
  expected = run({ TextDecoder, TextEncoder, console }).state;
});

/** What the bundled program leaves in a realm that has ECMAScript, WebAssembly and these. */
function run(globals: object, before = ""): Outcome {
  const context = vm.createContext({ ...globals });
  vm.runInContext(`${before};${script}`, context);
  return (context as { outcome: Outcome }).outcome;
}

/** As some polyfills are. */
class OnlyUtf8 {
  constructor(label = "utf-8", options?: { fatal?: boolean }) {
    if (label !== "utf-8" || options?.fatal) throw new RangeError(`unsupported: ${label}`);
  }
}

describe("a realm", () => {
  test("that has everything runs wasm", () => {
    expect(run({ TextDecoder, console }).engine).toBe("wasm");
  });

  test.each([
    ["without TextDecoder", { console }, "", "wasm"],
    ["whose TextDecoder knows UTF-8 only", { TextDecoder: OnlyUtf8, console }, "", "wasm"],
    ["without WebAssembly", { TextDecoder, console }, "delete globalThis.WebAssembly", "js"],
    ["of ECMAScript alone", {}, "delete globalThis.WebAssembly", "js"],
    ["of ECMAScript and WebAssembly alone", {}, "", "wasm"],
  ])("%s runs, saves and resumes to the same bits", (_what, globals, before, engine) => {
    expect(run(globals, before)).toEqual({ engine, state: expected });
  });

  test("keeps its TextDecoder, or its want of one", () => {
    for (const globals of [{ TextDecoder }, { TextDecoder: OnlyUtf8 }, {}]) {
      const context = vm.createContext({ ...globals });
      const keys = Object.keys(context);
      vm.runInContext(script, context);
      expect((context as { TextDecoder?: unknown }).TextDecoder).toBe(
        (globals as { TextDecoder?: unknown }).TextDecoder,
      );
      expect(Object.keys(context)).toEqual([...keys, "outcome"]);
    }
  });

  test("of modules, not of a bundle, without any of it", () => {
    const gone = ["TextDecoder", "TextEncoder", "WebAssembly", "atob", "btoa", "AbortSignal", "performance"];
    const child = `
      const print = console.log;
      for (const name of ${JSON.stringify([...gone, "console"])}) delete globalThis[name];
      const { createOptimizer, superlevel } = await import("superlevel");
      ${TRAINS}
      print(JSON.stringify(outcome));`;
    const printed = execFileSync("node", ["--input-type=module", "--eval", child], { encoding: "utf8" });
    expect(JSON.parse(printed)).toEqual({ engine: "js", state: expected });
  });
});

/** Values of another realm. */
const foreign = <T>(code: string): T => vm.runInNewContext(code) as T;

describe("from another realm", () => {
  const bowl: GradientSource = (x, grads) => {
    grads.set(x);
    return x.reduce((sum, value) => sum + value * value, 0) / 2;
  };

  test.each(["[1, -2]", "Float32Array.of(1, -2)", "Float64Array.of(1, -2)", "Int8Array.of(1, -2)"])(
    "numbers come as %s",
    (code) => {
      const given = foreign<number[]>(code);
      const [one, other] = [createOptimizer(given), createOptimizer([1, -2])];
      expect(one.step(given)).toEqual(other.step([1, -2]));
      one.setParams(given).translate(given);
      other.setParams([1, -2]).translate([1, -2]);
      expect(sameBytes(one.save(), other.save())).toBe(true);
      expect(one.reset(given).iterations).toBe(0);
      expect(minimize((x) => (x[0] - 3) ** 2, given).success).toBe(true);
    },
  );

  test("tensors and options", () => {
    const specs = foreign<{ shape: number[] }[]>("[{ shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]");
    const betas = foreign<number[]>("Float64Array.of(0.9, 0.99)");
    const optimizer = createOptimizer(specs, {
      base: adam(foreign("({ beta1: 0.8 })")),
      tuner: superlevel({ betas }),
    });
    expect(Array.from(optimizer.params)).toEqual([1, 2, 3, 4]);
  });

  test("numbers that are none are still refused", () => {
    const optimizer = createOptimizer(2);
    expect(() => optimizer.step(foreign("['a', 1]"))).toThrow('grads[0]: expected a number, got "a"');
    expect(() => optimizer.step(foreign("new DataView(new ArrayBuffer(2))"))).toThrow("got DataView");
    expect(() => optimizer.step(foreign("BigInt64Array.of(1n, 2n)"))).toThrow(
      "grads[0]: expected a number, got 1n",
    );
  });

  test("a saved state", () => {
    const optimizer = createOptimizer([1, 2]);
    optimizer.step([1, 1]);
    const state = optimizer.save();
    const copyIn = foreign<(bytes: Uint8Array) => Uint8Array>("(bytes) => Uint8Array.from(bytes)");
    expect(copyIn(state)).not.toBeInstanceOf(Uint8Array);
    expect(sameBytes(createOptimizer(2).restore(copyIn(state)).save(), state)).toBe(true);
    expect(() => createOptimizer(3).restore(copyIn(state))).toThrow(OptimizerError);
    const others = foreign<Uint8Array[]>(
      "[new Uint16Array(9), new DataView(new ArrayBuffer(9)), new ArrayBuffer(9)]",
    );
    for (const other of others)
      expect(() => optimizer.restore(other)).toThrow(/^state: expected a Uint8Array, got /);
  });

  test("a signal", async () => {
    const signal = foreign<AbortSignal>("({ aborted: true, reason: new Error('enough') })");
    const optimizer = createOptimizer([1, 2]);
    expect(optimizer.minimize(bowl, { signal }).reason).toBe("aborted");
    expect(minimize((x) => x[0] ** 2, [1], { signal }).message).toContain("aborted");
    const loss = (x: Float64Array) => ({ loss: x[0] ** 2, grads: [2 * x[0]] });
    await expect(gradientSampling(loss, [1], { signal })).rejects.toThrow("enough");
    await expect(gradientSampling(loss, [1], { signal: { aborted: true } })).rejects.toThrow("aborted");
    const none = foreign<AbortSignal>("({ signal: {} })");
    expect(() => optimizer.minimize(bowl, { signal: none })).toThrow("run.signal: expected an AbortSignal");
    await expect(gradientSampling(loss, [1], { signal: none })).rejects.toThrow(
      "gradientSampling.signal: expected an AbortSignal, got an object",
    );
  });

  test("a promise is told from a number", () => {
    const source = (() => foreign("Promise.resolve(1)")) as unknown as GradientSource;
    expect(() => createOptimizer(1).minimize(source, { steps: 1 })).toThrow(
      "got a promise; minimizeAsync takes",
    );
  });

  test("float32 has float32's rounding", async () => {
    const float32 = foreign<(values: number[]) => Float32Array>("(values) => Float32Array.from(values)");
    const at = (x: ArrayLike<number>) => ({ loss: 1, params: x, grads: x });
    const [ours, theirs] = [(values: number[]) => Float32Array.from(values), float32].map((make) =>
      lyapunovStep(at(make([1, 2])), at(make([1 + 2 ** -22, 2]))),
    );
    expect(theirs).toEqual(ours);
    const grads = (make: (values: number[]) => Float32Array) => (x: Float64Array) => ({
      loss: 2 * x[0] ** 2,
      grads: make([4 * x[0] + 1e-3]),
    });
    const [here, there] = await Promise.all(
      [(values: number[]) => Float32Array.from(values), float32].map((make) => sharpness(grads(make), [0.3])),
    );
    expect(there).toEqual(here);
  });

  test("an optimizer of another copy of the package", async () => {
    const bundle = await build({
      stdin: { contents: `export { createOptimizer } from "superlevel";`, resolveDir: "." },
      ...({ bundle: true, format: "esm", write: false } as const),
    });
    const url = `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].text).toString("base64")}`;
    const copy = (await import(/* @vite-ignore */ url)) as { createOptimizer: typeof createOptimizer };
    const loss = (x: Float64Array) => ({ loss: x[0] ** 2, grads: [2 * x[0]] });
    const [ours, theirs] = [createOptimizer([1]), copy.createOptimizer([1])];
    for (const optimizer of [ours, theirs]) optimizer.step([1]);
    expect(await stabilityProfile(theirs, loss)).toEqual(await stabilityProfile(ours, loss));
    await expect(stabilityProfile({} as never, loss)).rejects.toThrow(
      "expected what createOptimizer returned",
    );
  });
});

describe("bytes of a Buffer", () => {
  const optimizer = createOptimizer([1, 2, 3]);
  optimizer.step([1, 1, 1]);
  const state = optimizer.save();

  test.each([0, 1, 2, 3, 5])("at offset %i of its memory", (offset) => {
    for (const bytes of [Buffer.alloc(state.length + 8), new Uint8Array(state.length + 8)]) {
      const at = bytes.subarray(offset, offset + state.length);
      at.set(state);
      expect(sameBytes(createOptimizer(3).restore(at).save(), state)).toBe(true);
      at[40] ^= 1;
      expect(() => optimizer.restore(at)).toThrow("damaged");
    }
  });
});
