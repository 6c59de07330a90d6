/** What gradients are, told apart at the second one: where the limit is, in every unit, and what becomes of the first. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer, scheduleFree, sgd, superlevel } from "../../src/index.js";
import type { Base, Optimizer, OptimizerOptions } from "../../src/index.js";
import { averagedBases, bases, layoutOf, noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { groupsOf } from "../support/groups.js";
import { sameBytes } from "../support/state.js";
import { walk, type Run } from "../support/walk.js";

const all = Object.entries({ ...bases, ...averagedBases });
const granularities = ["global", "tensor", "parameter"] as const;

/** g_1 = (3, 4) · unit, and g_2 = g_1 turned so far that δ = ‖g_2 − g_1‖² / (‖g_1‖² + ‖g_2‖²) = 1 − cos is as given. */
function pairAt(delta: number, unit: number): number[][] {
  const angle = Math.acos(1 - delta);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    [3 * unit, 4 * unit],
    [(3 * cos - 4 * sin) * unit, (3 * sin + 4 * cos) * unit],
  ];
}

function kindOf(gradients: readonly number[][], options: OptimizerOptions, x0: ArrayLike<number> = [1, 2]) {
  const optimizer = createOptimizer(x0, options);
  expect(optimizer.gradients).toBe("undecided");
  const seen = gradients.map((g) => (optimizer.step(g), optimizer.gradients));
  return seen;
}

describe.each(engines)("%s engine", (engine) => {
  test.each(all)("%s: the limit is 0.003 in every unit of the loss", (_name, base) => {
    // Where decay joins the gradient, the gradients that the base sees are others.
    const plain = {
      ...base,
      weightDecay: 0,
      ...("base" in base && { base: { ...base.base, weightDecay: 0 } }),
    };
    for (const unit of [1e-12, 1, 1e12]) {
      const options = { base: plain, engine };
      expect(kindOf(pairAt(2.99e-3, unit), options)).toEqual(["undecided", "exact"]);
      expect(kindOf(pairAt(3.01e-3, unit), options)).toEqual(["undecided", "noisy"]);
    }
  });

  test("gradients are compared as the base sees them: clipped, and with the decay that joins them", () => {
    // Only their lengths differ.
    const [first] = pairAt(0, 1);
    const longer = [first, first.map((g) => 2 * g)];
    expect(kindOf(longer, { engine })).toEqual(["undecided", "noisy"]);
    expect(kindOf(longer, { engine, clip: { norm: 1 } })).toEqual(["undecided", "exact"]);
    expect(kindOf(longer, { engine, clip: { value: 1 } })).toEqual(["undecided", "exact"]);
    // 1000 x in each of them: what they differ by is little beside.
    for (const base of [adam({ weightDecay: 1000 }), sgd({ weightDecay: 1000 })])
      expect(kindOf(longer, { engine, base })).toEqual(["undecided", "exact"]);
  });

  test("what is frozen does not count", () => {
    const specs = [
      { shape: [2], values: [1, 2] },
      { shape: [1], values: [3], frozen: true },
    ];
    for (const granularity of granularities) {
      const optimizer = createOptimizer(specs, { engine, tuner: superlevel({ granularity }) });
      optimizer.step([1, 2, 100]);
      optimizer.step([1, 2, -100]);
      expect(optimizer.gradients).toBe("exact");
    }
  });

  test("only superlevel asks; and who is told does not", () => {
    const seen = (options: OptimizerOptions) => {
      const optimizer = createOptimizer([1, 2], { engine, ...options });
      for (const g of pairAt(0.5, 1)) optimizer.step(g);
      return optimizer.gradients;
    };
    expect(seen({ tuner: null })).toBe("undecided");
    expect(seen({ gradients: "exact" })).toBe("exact");
    const steady = createOptimizer([1, 2], { engine, gradients: "noisy" });
    for (const g of pairAt(0, 1)) steady.step(g);
    expect(steady.gradients).toBe("noisy");
  });

  test("gradients of 0 wait, however many, and steps count", () => {
    for (const base of [adam(), sgd(), scheduleFree(adam())]) {
      const [waiting, straight] = [1, 2].map(() => createOptimizer([1, 2], { base, engine }));
      const [first, second] = pairAt(0.1, 1);
      const zero = () => expect(waiting.step([0, 0])).toMatchObject({ skipped: false, gradNorm: 0, h: 0 });
      for (const g of [first, second]) {
        for (let k = 0; k < 5; k++) zero();
        expect(waiting.gradients).toBe("undecided");
        waiting.step(g);
        straight.step(g);
        expect(waiting.params).toEqual(straight.params);
        expect(waiting.scale).toBe(straight.scale);
      }
      expect([waiting.gradients, waiting.iterations]).toEqual(["noisy", 12]);
      waiting.step([0, 0]);
      straight.step([0, 0]);
      expect(waiting.params).toEqual(straight.params);
    }
  });

  test("exact gradients go on as far as the first one would turn, and no farther than 0.3 of x", () => {
    const tuner = superlevel();
    const grown = (delta: number, gradients: "auto" | "exact"): number => {
      const optimizer = createOptimizer([1, 2], { engine, gradients, tuner });
      const [first, second] = pairAt(delta, 1).map(
        (g) => (optimizer.step(g), groupsOf(optimizer, tuner, 1)[0]),
      );
      return second.sInit / first.sInit;
    };
    for (const gradients of ["auto", "exact"] as const) {
      for (const delta of [2e-3, 1e-4, 1e-6])
        expect(grown(delta, gradients) * Math.sqrt(2 * delta)).toBeCloseTo(1, 2);
      for (const delta of [1e-13, 0]) expect(grown(delta, gradients)).toBeCloseTo(1e5, 6);
    }
    // What is known to be exact may turn at once.
    expect(grown(1, "exact")).toBeCloseTo(Math.SQRT1_2, 5);
    expect(grown(1, "auto")).toBeCloseTo(2e-2 / 3e-6, 6);
  });

  test("reset forgets it", () => {
    const optimizer = createOptimizer([1, 2], { engine });
    for (const g of pairAt(0.1, 1)) optimizer.step(g);
    optimizer.reset([1, 2]);
    const fresh = createOptimizer([1, 2], { engine });
    expect(optimizer.gradients).toBe("undecided");
    for (const g of pairAt(0, 1)) for (const each of [optimizer, fresh]) each.step(g);
    expect(optimizer.gradients).toBe("exact");
    expect(sameBytes(optimizer.save(), fresh.save())).toBe(true);
  });

  test.each(all)("%s: after one step, and after two, x, S and the average are the twin's", (_name, base) => {
    for (const granularity of granularities) {
      for (const [steps, second] of [
        [1, "again"],
        [2, "again"],
        [2, "turned"],
        [3, "turned"],
      ] as const) {
        const size = 19;
        const tensors = granularity === "tensor" ? layoutOf(size) : undefined;
        const run: Run = { size, steps, base, tuner: superlevel({ granularity }), second, tensors };
        const { optimizer, twin } = walk(engine, run);
        if (steps === 1 && base.name === "scheduleFree")
          expect(optimizer.average()).toEqual(optimizer.params);
        expect(twin.kind).toBe(steps === 1 ? "undecided" : second === "again" ? "exact" : "noisy");
      }
    }
  });

  /** A run without noise whose second step is rejected, though the loss is not declared deterministic. */
  test.each([
    ["adam", adam()],
    ["momentum", sgd({ momentum: 0.9 })],
    ["sgd", sgd()],
    ["schedule-free adam", scheduleFree(adam())],
  ])("%s: a rejected second step still has found out that gradients are exact", (_name, base) => {
    // Before and after each step; the fourth is after the second.
    const losses = [9, 8, 8, 100, 7, 7, 6, 6];
    let asked = 0;
    const optimizer = createOptimizer([1, 2, 3], { base, engine });
    const solution = optimizer.minimize(
      (_x, grads) => {
        grads.set([1, -1, 2]);
        return losses[asked++];
      },
      { steps: 3, guard: { policy: "reject", tolerance: 0 } },
    );
    expect(solution.rejections).toBe(1);
    expect(optimizer.gradients).toBe("exact");
  });

  /** ‖x_1 − x_0‖ over ‖x‖, or √n where that is 0. A cautious step is near the spacing of float32. */
  test.each(all)("%s: the first step's length, whatever the rate and the units", (_name, base) => {
    const random = noise(4);
    const size = 40;
    const averagesNoise = base.name !== "lion";
    for (const [unit, rate, slope] of [
      [1, 1, 1],
      [1e6, 1e-3, 1e-6],
      [1e-6, 1e3, 1e6],
      [0, 1, 1],
    ]) {
      const x0 = startAt(size, random).map((x) => unit * x);
      const length = unit === 0 ? Math.sqrt(size) : Math.hypot(...x0);
      const moved = (gradients: "auto" | "exact" | "noisy"): number => {
        const still = { ...base, learningRate: rate, weightDecay: 0 } as Base;
        const optimizer: Optimizer = createOptimizer(x0, { base: still, gradients, engine });
        optimizer.step(x0.map((_, i) => slope * Math.cos(i)));
        return Math.hypot(...optimizer.params.map((x, i) => x - x0[i])) / length;
      };
      for (const gradients of ["auto", "exact"] as const)
        expect(moved(gradients) / 3e-6).toBeCloseTo(1, unit === 0 ? 3 : 1);
      expect(moved("noisy") / (averagesNoise ? 2e-2 : 3e-2)).toBeCloseTo(1, 3);
    }
  });
});
