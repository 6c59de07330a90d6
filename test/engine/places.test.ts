/** Where kernels live: many small ones in few memories, each on its own; and what happens where there is no memory. */
import { execFileSync, spawnSync } from "node:child_process";
import type { Server } from "node:http";

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createOptimizer, type OptimizerOptions } from "../../src/index.js";
import { placeFor } from "../../src/engine/places.js";
import { bases, gradientAt, noise } from "../support/cases.js";
import { launch, skipNote, skipped } from "../support/chromium.js";
import { errorOf } from "../support/errors.js";
import { forms } from "../support/forms.js";
import { serve, visit, type Page } from "../support/page.js";
import { sameBytes } from "../support/state.js";

describe("a place", () => {
  test("overlaps no other, is aligned, inside of its memory, and 0 throughout", () => {
    const ends = new Map<WebAssembly.Memory, number>();
    const random = noise(1);
    for (let k = 0; k < 3000; k++) {
      const bytes = Math.ceil(1 + Math.abs(random()) * 2 ** (k % 50 === 0 ? 20 : 15));
      const { memory, from } = placeFor(bytes);
      expect(from % 64).toBe(0);
      expect(from).toBeGreaterThanOrEqual(ends.get(memory) ?? 0);
      expect(from + bytes).toBeLessThanOrEqual(memory.buffer.byteLength);
      const place = new Uint8Array(memory.buffer, from, bytes);
      expect(place.some((byte) => byte !== 0)).toBe(false);
      place.fill(255);
      ends.set(memory, from + bytes);
    }
    const sizes = [...ends.keys()].map(({ buffer }) => buffer.byteLength);
    expect(sizes.length).toBeLessThan(80);
  });

  test("of many bytes is a memory of its own", () => {
    const [one, other] = [placeFor(1e6), placeFor(1e6)];
    expect(one.memory).not.toBe(other.memory);
    expect([one.from, other.from]).toEqual([64, 64]);
  });
});

test("neighbours of every form, base and size do not touch each other: all are as with js", () => {
  const kinds: [number, OptimizerOptions][] = Object.values(forms).flatMap((tuner, f) =>
    Object.values(bases).map((base, b): [number, OptimizerOptions] => [
      1 + ((37 * f + 11 * b) % 70) * (b % 4 === 0 ? 17 : 1),
      { base, tuner },
    ]),
  );
  const start = (size: number) => Float32Array.from({ length: size }, (_, i) => 1 + Math.cos(i));
  const pairs = kinds.map(([size, options]) =>
    (["wasm", "js"] as const).map((engine) => createOptimizer(start(size), { ...options, engine })),
  );
  const memories = new Set(pairs.map(([{ params }]) => params.buffer));
  expect(memories.size).toBeLessThan(pairs.length / 20);
  const random = noise(7);
  for (let step = 1; step <= 70; step++) {
    for (const pair of pairs) {
      const g = gradientAt(step, pair[0].size, random);
      for (const optimizer of pair) optimizer.step(g);
    }
  }
  pairs.forEach(([wasm, js], k) => expect(sameBytes(wasm.save(), js.save()), `kind ${k}`).toBe(true));
});

/** Runs a program in a process with so many kilobytes of addresses. */
const limited = (kilobytes: number, program: string) =>
  spawnSync("bash", ["-c", `ulimit -v ${kilobytes}; exec node --input-type=module --eval "$PROGRAM"`], {
    encoding: "utf8",
    env: { ...process.env, PROGRAM: program },
  });

const warning =
  /superlevel: SIMD WebAssembly does not run here \(RangeError: params: this machine did not grant the \d+ bytes they need\), so plain JavaScript/g;

const runsIn = (kilobytes: number) => process.platform === "linux" && limited(kilobytes, "").status === 0;

describe("a process with few addresses", () => {
  test.skipIf(!runsIn(6e6))("and so without memory for WebAssembly: auto is js and says so once", () => {
    const program = `
      import { createOptimizer } from "superlevel";
      const made = [createOptimizer([1, 2]), createOptimizer(1e5), createOptimizer(3)];
      console.log(made.map(({ engine }) => engine).join(), made[0].step([1, 1]).step);
      try {
        createOptimizer(2, { engine: "wasm" });
      } catch ({ name, message }) {
        console.log(name, message);
      }`;
    const { stdout, stderr } = limited(6e6, program);
    expect(stdout).toBe(
      "js,js,js 1\nRangeError params: this machine did not grant the 65536 bytes they need\n",
    );
    expect(stderr.match(warning)).toHaveLength(1);
  });

  test.skipIf(!runsIn(7e8))("has room for ten thousand small optimizers", () => {
    const program = `
      import { createOptimizer } from "superlevel";
      const all = Array.from({ length: 10_000 }, (_, k) => createOptimizer([k, -k, 1]));
      for (let step = 1; step <= 2; step++) all.forEach((optimizer, k) => optimizer.step([k, step, 1]));
      const alone = createOptimizer([4321, -4321, 1]);
      for (let step = 1; step <= 2; step++) alone.step([4321, step, 1]);
      console.log(all.every(({ engine }) => engine === "wasm"), all[4321].params.join() === alone.params.join());`;
    const { stdout, stderr } = limited(7e8, program);
    expect([stdout, stderr]).toEqual(["true true\n", ""]);
  });

  test("sheds what is dropped: forty thousand small ones, one after the other", () => {
    const program = `
      import { createOptimizer } from "superlevel";
      // 32 kB each: 1.3 GB in all, if none went.
      for (let k = 0; k < 40_000; k++) createOptimizer(3, { engine: "wasm" });
      console.log(process.memoryUsage().rss < 6e8);`;
    const printed = execFileSync("node", ["--input-type=module", "--eval", program], { encoding: "utf8" });
    expect(printed).toBe("true\n");
  }, 240_000);
});

describe("where memory is refused", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { Memory } = WebAssembly;
  let granted = 0;

  /** The package as it loads where so many memories can be had. */
  async function load(count: number): Promise<typeof import("../../src/index.js")> {
    granted = count;
    const Scarce = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        if (--granted < 0) throw new RangeError("could not allocate memory");
        super(descriptor);
      }
    };
    vi.stubGlobal("WebAssembly", { ...wasm, Memory: Scarce });
    return import("../../src/index.js");
  }

  const names = ["Module", "Instance", "Memory", "Global"] as const;
  const wasm = Object.fromEntries(names.map((name) => [name, WebAssembly[name]]));

  beforeEach(() => {
    vi.resetModules();
    warn.mockClear();
  });
  afterEach(() => vi.unstubAllGlobals());

  test.each([0, 1, 2, 3])("after %i memories, auto is js from there on", async (count) => {
    const { createOptimizer } = await load(count);
    // One plans, one is shared by small ones.
    const made = [2, 1e5, 3, 1e5].map((size) => createOptimizer(size));
    const wasm = (needed: number) => (count >= needed ? "wasm" : "js");
    expect(made.map(({ engine }) => engine)).toEqual([wasm(2), wasm(3), wasm(2), wasm(4)]);
    expect(warn.mock.calls.length).toBe(1);
    expect(warn.mock.calls[0][0]).toMatch(new RegExp(warning.source));
    made.forEach((optimizer) => expect(optimizer.step(optimizer.params.fill(1)).step).toBe(1));
  });

  test("wasm is an error that names the bytes, and leaves nothing behind", async () => {
    const { createOptimizer } = await load(2);
    createOptimizer(2, { engine: "wasm" });
    const error = errorOf(() => createOptimizer(1e5, { engine: "wasm" }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(/^params: this machine did not grant the \d+ bytes they need$/);
    expect(createOptimizer(3, { engine: "wasm" }).engine).toBe("wasm");
    granted = 1;
    expect(createOptimizer(1e5, { engine: "wasm" }).engine).toBe("wasm");
  });

  test("what is too large for every engine is the same error as ever, without a warning", async () => {
    const { createOptimizer } = await load(2);
    expect(() => createOptimizer(2 ** 31)).toThrow(
      /^params: 2147483648 parameters need \d+ bytes with these options/,
    );
    expect(warn).not.toHaveBeenCalled();
  });
});

const pages: Record<string, Page> = {
  "/": {
    program: `
    import { createOptimizer } from "superlevel";
    const small = Array.from({ length: 1000 }, (_, k) => createOptimizer([k, 1]));
    small.forEach((optimizer, k) => optimizer.step([k, 1]));
    const large = Array.from({ length: 126 }, () => createOptimizer(1e5));
    large.forEach((optimizer) => optimizer.step(new Float32Array(1e5).fill(1)));
    const engines = new Set(large.map(({ engine }) => engine));
    console.log(JSON.stringify({
      small: small.every(({ engine }) => engine === "wasm"),
      large: [...engines].sort(),
      alike: large.every(({ params }) => params[99_999] === large[0].params[0]),
    }));`,
  },
};

describe.skipIf(skipped)(`a page${skipNote}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve(pages);
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("has room for a thousand small optimizers, and when it grants no more memory, large ones are js", async () => {
    const { logs } = await visit(browser, server, "/");
    expect(JSON.parse(logs[0])).toEqual({ small: true, large: ["js", "wasm"], alike: true });
  });
});
