/** The benchmark suite runs and writes what it promises; its comparison tells noise from change. Nothing is timed here. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainParameter, plainSuperlevel, SIX_BETAS, type Plain } from "../../bench/plain.js";
import { compare } from "../../bench/suite/comparison.js";
import type { Times } from "../../bench/suite/measure.js";
import { quantile, ratio, sizeText, spreadOf, type Results } from "../../bench/suite/results.js";
import { judge } from "../../bench/suite/targets.js";
import { adam, createOptimizer, sgd, superlevel, type Optimizer } from "../../src/index.js";

describe("npm run bench -- suite --quick", () => {
  const folder = mkdtempSync(join(tmpdir(), "superlevel-bench-"));
  const out = join(folder, "results");
  let text: string;
  let results: Results;

  beforeAll(() => {
    const command = ["--import", "tsx", "bench/suite.ts", "--quick", "--out", out];
    text = execFileSync(process.execPath, command, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    results = JSON.parse(readFileSync(`${out}.json`, "utf8")) as Results;
  }, 180_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("records the machine and the versions", () => {
    const { cpu, cores, node, v8, packages, date } = results.machine;
    expect([cpu, v8, date].map((value) => value.length > 0)).toEqual([true, true, true]);
    expect(cores).toBeGreaterThan(0);
    expect(node).toBe(process.version);
    const wanted = [
      "superlevel",
      "@tensorflow/tfjs-backend-wasm",
      "@tensorflow/tfjs-backend-cpu",
      "@jax-js/jax",
    ];
    expect(Object.keys(packages)).toEqual(expect.arrayContaining(wanted));
  });

  it("has a time for every contender and round", () => {
    const names = ["call", "adam", "sgd", "parameter", "tensors", "base adam", "base adadelta"];
    expect(results.scenes.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    for (const { times, reference } of results.scenes) {
      expect(Object.keys(times)).toContain(reference);
      for (const list of Object.values(times)) {
        expect(list).toHaveLength(results.effort.rounds);
        list.forEach((time) => expect(time).toBeGreaterThan(0));
      }
    }
  });

  it("has C beside it, or says why not", () => {
    const [first] = results.scenes.filter(({ name }) => name === "adam");
    const others = ["superlevel, plain JS", "tfjs wasm", "tfjs cpu", "jax-js wasm", "read-modify-write"];
    expect(Object.keys(first.times)).toEqual(expect.arrayContaining(others));
    const missing = ["C, 128-bit", "C, AVX-512"].filter((name) => !(name in first.times));
    const reasons = results.notes.filter((note) => /^C\b/.test(note));
    expect(reasons.length).toBeGreaterThanOrEqual(missing.length > 0 ? 1 : 0);
  });

  it("prints tables and draws a picture", () => {
    expect(text).toContain("| superlevel + adam |");
    expect(text).toContain("| target |");
    expect(readFileSync(`${out}.svg`, "utf8")).toMatch(/^<svg [\s\S]*polyline[\s\S]*<\/svg>\n$/);
  });
});

describe("the plain loops", () => {
  const size = 100;
  const parameter = (betas: readonly number[]) =>
    superlevel({ granularity: "parameter", spread: null, anchor: null, sInit: 1e-6, betas });
  const base = adam({ learningRate: 1e-3, beta1: 0.9, beta2: 0.999 });
  const pairs: [name: string, plain: Plain, optimizer: Optimizer][] = [
    ["adam", plainSuperlevel(size, 1e-3), at({ base, tuner: superlevel({ anchor: null, sInit: 1e-6 }) })],
    [
      "sgd",
      plainSuperlevel(size, 1e-3, "sgd"),
      at({ base: sgd({ learningRate: 1e-3 }), tuner: superlevel({ anchor: null, sInit: 1e-6 }) }),
    ],
    ["K = 1", plainParameter(size, 1e-3, [0.99]), at({ base, tuner: parameter([0.99]) })],
    ["K = 6", plainParameter(size, 1e-3, SIX_BETAS), at({ base, tuner: parameter(SIX_BETAS) })],
  ];

  function at(options: Parameters<typeof createOptimizer>[1]): Optimizer {
    return createOptimizer(new Float32Array(size).fill(0.5), { gradients: "exact", ...options });
  }

  it.each(pairs)("%s: are the same algorithm", (_, plain, optimizer) => {
    const g = new Float32Array(size);
    for (let t = 1; t <= 40; t++) {
      // They turn and keep their length: the loops leave out that sgd() clips longer ones.
      for (let i = 0; i < size; i += 2) {
        const length = 1 + 0.5 * Math.sin(i);
        g[i] = length * Math.sin(1.7 * i + 0.05 * t);
        g[i + 1] = length * Math.cos(1.7 * i + 0.05 * t);
      }
      plain.step(g);
      optimizer.step(g);
    }
    const most = (of: (x: number, i: number) => number) =>
      Math.max(...optimizer.params.map(of).map(Math.abs));
    const moved = most((x) => x - 0.5);
    expect(moved).toBeGreaterThan(1e-4);
    expect(most((x, i) => x - plain.x[i])).toBeLessThan(1e-3 * moved);
  });
});

/** Times with a per-cent or so of noise; `factors` slow contenders down. */
function madeUp(factors: Record<string, number>, seed: number): Results {
  const noisy = (median: number, k: number) =>
    Array.from({ length: 15 }, (_, round) => median * (1 + 0.01 * Math.sin(seed + 5 * k + round * round)));
  const names = ["superlevel", "base alone", "superlevel, plain JS", "tfjs wasm", "C, 128-bit"];
  const times: Times = Object.fromEntries(
    names.map((name, k) => [name, noisy(1000 * (k + 1) * (factors[name] ?? factors.all ?? 1), k)]),
  );
  const scenes = [{ name: "adam", size: 1000, reference: "superlevel, plain JS", times }];
  return { scenes, notes: [], flags: {}, targets: [] } as unknown as Results;
}

describe("compare", () => {
  const before = madeUp({}, 1);
  const verdicts = (after: Results) => compare(before, after).map(({ verdict }) => verdict);

  it("says nothing about the same run, another one like it, or a slower machine", () => {
    expect(verdicts(before)).toEqual(["same", "same"]);
    expect(verdicts(madeUp({}, 2))).toEqual(["same", "same"]);
    expect(verdicts(madeUp({ all: 1.7 }, 3))).toEqual(["same", "same"]);
  });

  it("names what became slower or faster, also on a slower machine", () => {
    expect(verdicts(madeUp({ superlevel: 1.12 }, 4))).toEqual(["slower", "same"]);
    expect(verdicts(madeUp({ "base alone": 0.85 }, 5))).toEqual(["same", "faster"]);
    expect(verdicts(madeUp({ all: 1.7, superlevel: 2 }, 6))).toEqual(["slower", "same"]);
  });

  it("blames no one for a reference that was compiled worse or better", () => {
    expect(verdicts(madeUp({ "superlevel, plain JS": 0.8 }, 7))).toEqual(["same", "same"]);
  });

  it("passes over what one of the runs has not", () => {
    expect(compare({ ...before, scenes: [] }, before)).toEqual([]);
  });
});

describe("statistics", () => {
  it("of known numbers", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(spreadOf([5, 1, 3, 2, 4])).toEqual({ median: 3, low: 2, high: 4 });
    const scene = { name: "adam", size: 1e7, reference: "b", times: { a: [4, 9, 100], b: [2, 3, 50] } };
    expect(ratio(scene, "a", "b").median).toBe(2);
    expect([16, 1000, 16000, 1e7].map(sizeText)).toEqual(["16", "10³", "1.6·10⁴", "10⁷"]);
  });

  it("hold against the targets", () => {
    const times = { superlevel: [100], "superlevel, plain JS": [400], "read-modify-write": [100] };
    const scene = { name: "adam", size: 1e7, reference: "", bytesPerParameter: 44, times };
    const found = judge([scene]).map(({ what, met, median }) => [what, met, median.toFixed(4)]);
    expect(found).toEqual([
      ["plain JS ÷ superlevel, adam", false, "4.0000"],
      ["share of the bandwidth roofline, adam", true, "0.9167"],
    ]);
  });
});
