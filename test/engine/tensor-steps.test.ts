/** What steps tell of each tensor: in every engine and form against sums over copies, and nothing else changes by it. */
import { createThreadedOptimizer } from "superlevel/threads";
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  lion,
  sgd,
  superlevel,
  type Optimizer,
  type StepInfo,
} from "../../src/index.js";
import type { OptimizerOptions, TensorSpec, Tuner } from "../../src/index.js";
import "../../src/relaxed.js";
import { gradientAt, noise, startAt } from "../support/cases.js";
import { mustThrow } from "../support/errors.js";
import { forms } from "../support/forms.js";
import { sameBytes } from "../support/state.js";

/** Tensors that begin and end inside of chunks and blocks, alike ones in a row, and some of several blocks. */
const layout = [
  ...[3, 14, 1, 1, 2, 1030, 16, 5, 1007, 40].map((size) => ({ size })),
  ...[7, 2100].map((size) => ({ size, frozen: true })),
  ...[
    { size: 5, weightDecay: 0.3 },
    { size: 5000, learningRate: 0.5 },
    { size: 9, learningRate: 0.5 },
  ],
];
const size = layout.reduce((sum, tensor) => sum + tensor.size, 0);

function specs(): TensorSpec[] {
  const x0 = startAt(size, noise(7));
  let first = 0;
  return layout.map(({ size, ...options }, k) => {
    first += size;
    return { name: `t${k}`, shape: [size], values: x0.subarray(first - size, first), ...options };
  });
}

const make = (options: OptimizerOptions) => createOptimizer(specs(), options);

/** ‖g‖, ‖x‖ and ‖d‖ of each tensor, in float64. */
function normsOf(g: Float32Array, x: Float32Array, to: Float32Array): number[][] {
  let first = 0;
  return layout.flatMap((tensor) => {
    const sums = [0, 0, 0];
    for (let i = first; i < first + tensor.size; i++)
      [g[i], x[i], to[i] - x[i]].forEach((value, k) => (sums[k] += value ** 2));
    first += tensor.size;
    return "frozen" in tensor ? [] : [sums.map(Math.sqrt)];
  });
}

const gradients = (() => {
  const random = noise(3);
  return Array.from({ length: 8 }, (_, k) => gradientAt(k, size, random));
})();

type Step = (optimizer: Optimizer, g: Float32Array, tensors: boolean) => StepInfo;
const byHand: Step = (optimizer, g, tensors) => optimizer.step(g, { tensors });

/** Walks beside an optimizer that tells nothing; returns what was told. */
function walk(optimizer: Optimizer, plain: Optimizer): StepInfo["tensors"][] {
  return gradients.map((g, k) => {
    const before = optimizer.params.slice();
    const { tensors, ...info } = byHand(optimizer, g, k !== 5);
    expect(info).toEqual(plain.step(g));
    if (k === 5) expect(tensors).toBeUndefined();
    else compare(tensors!, normsOf(g, before, optimizer.params));
    return tensors;
  });
}

function compare(tensors: NonNullable<StepInfo["tensors"]>, expected: number[][]): void {
  expect(tensors.map(({ name }) => name)).toEqual(
    layout.flatMap((tensor, k) => ("frozen" in tensor ? [] : [`t${k}`])),
  );
  tensors.forEach(({ name, gradNorm, paramsNorm, updateNorm, updateRatio }, k) => {
    const near = [gradNorm, paramsNorm, updateNorm].every(
      (value, j) => Math.abs(value - expected[k][j]) <= 1e-6 * expected[k][j],
    );
    expect(near, `${name}: ${gradNorm} ${paramsNorm} ${updateNorm} for ${String(expected[k])}`).toBe(true);
    expect(updateRatio).toBe(updateNorm === 0 ? 0 : updateNorm / paramsNorm);
  });
}

describe.each(["wasm", "wasm-relaxed", "js"] as const)("%s engine", (engine) => {
  test.each(Object.entries(forms))("%s", (_form, tuner) => {
    for (const base of [adam(), lion(), sgd({ momentum: 0.9 })]) {
      const [optimizer, plain] = [make({ base, tuner, engine }), make({ base, tuner, engine })];
      walk(optimizer, plain);
      expect(sameBytes(optimizer.save(), plain.save())).toBe(true);
    }
  });

  test.each([{ clip: { value: 0.25 } }, { clip: { norm: 0.5 } }, { normAdaptive: true }])("%j", (more) => {
    walk(make({ ...more, engine }), make({ ...more, engine }));
  });

  test("gradients whose squares leave float32", () => {
    const g = gradients[0].map((value) => 1e25 * value);
    const optimizer = make({ clip: { norm: 1 }, engine });
    const before = optimizer.params.slice();
    compare(optimizer.step(g, { tensors: true }).tensors!, normsOf(g, before, optimizer.params));
  });

  test("steps that move nothing, and those that are skipped", () => {
    const optimizer = make({ nonFinite: "skip", engine });
    const still = byHand(optimizer, new Float32Array(size), true).tensors!;
    compare(still, normsOf(new Float32Array(size), optimizer.params, optimizer.params));
    const { skipped, tensors } = byHand(optimizer, new Float32Array(size).fill(NaN), true);
    expect([skipped, tensors]).toEqual([true, undefined]);
  });
});

const threaded: Record<string, Tuner | null> = {
  "one tuner": superlevel(),
  "each tensor": superlevel({ granularity: "tensor" }),
  "each coordinate": superlevel({ granularity: "parameter" }),
  none: null,
};

test.each(Object.entries(threaded))("threads add in one order: %s", async (_form, tuner) => {
  const alone = walk(make({ tuner }), make({ tuner }));
  for (const threads of [2, 3]) {
    const optimizer = await createThreadedOptimizer(specs(), { tuner, threads, threshold: 0 });
    for (const [k, g] of gradients.entries()) {
      const seen = { tensors: k !== 5 };
      const { tensors } = k % 2 ? await optimizer.stepAsync(g, seen) : optimizer.step(g, seen);
      expect(tensors).toEqual(alone[k]);
    }
    optimizer.dispose();
  }
});

test("a tensor of zeros", () => {
  const optimizer = createOptimizer(2, { base: sgd({ learningRate: 1 }), tuner: null });
  const ratio = (g: number[]) => optimizer.step(g, { tensors: true }).tensors![0].updateRatio;
  expect([ratio([0, 0]), ratio([1, 0]), ratio([3, 0])]).toEqual([0, Infinity, 3]);
});

test("monitors ask for it, step by step", () => {
  const told: (number | undefined)[] = [];
  const monitor = {
    watches: (step: number) => step % 3 === 0,
    afterStep: ({ tensors }: StepInfo) => void told.push(tensors?.length),
  };
  const bowl = (x: Float32Array, g: Float32Array) => (g.set(x), x.reduce((sum, v) => sum + v * v, 0) / 2);
  const optimizer = createOptimizer([2, 1]);
  optimizer.minimize(bowl, { steps: 7, monitors: [monitor] });
  expect(told).toEqual([undefined, undefined, 1, undefined, undefined, 1, undefined]);
  // A guard asks for a gradient after the step, which is none of the step's.
  const norms: number[] = [];
  const watching = {
    watches: () => true,
    afterStep: ({ gradNorm, tensors }: StepInfo) => void norms.push(tensors![0].gradNorm / gradNorm),
  };
  optimizer.minimize(bowl, { steps: 5, deterministic: true, monitors: [watching] });
  for (const ratio of norms) expect(ratio).toBeCloseTo(1, 6);
});

test("what is asked for is yes or no", () => {
  const optimizer = createOptimizer(2);
  mustThrow(
    () => optimizer.step([1, 1], { tensors: 1 as never }),
    TypeError,
    "seen.tensors: expected true or false, got 1",
  );
  expect(optimizer.iterations).toBe(0);
});
