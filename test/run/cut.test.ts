/** A run that is cut in two ends where the whole one ends; one whose source throws is as before the step. */
import { describe, expect, test } from "vitest";
import { createOptimizer, sgd } from "../../src/index.js";
import type { GradientSource, Guard, Optimizer, RunOptions, Solution } from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { descriptionOf, redescribed, sameBytes } from "../support/state.js";

/** A bowl whose loss is seen through noise that depends on the step. */
const noisy: GradientSource = (x, grads, step) => {
  let loss = 0;
  x.forEach((value, i) => {
    loss += 0.5 * (i + 1) * value * value;
    grads[i] = (i + 1) * value + Math.sin(37 * step + i);
  });
  return loss + 0.1 * Math.cos(91 * step);
};

const bowl: GradientSource = (x, grads) => {
  grads.set(x);
  return 0.5 * x.reduce((sum, value) => sum + value * value, 0);
};

describe.each(engines)("%s engine", (engine) => {
  const create = () => createOptimizer([1, -2, 3], { engine });
  const steep = (rate = 0.05) =>
    createOptimizer([1, -2, 3], { engine, base: sgd({ learningRate: rate, momentum: 0.9 }), tuner: null });
  const probe = (x: Float32Array) => Math.abs(x[0] - 0.3) + Math.abs(x[1]);
  const level = { value: 0.5, action: "project" } as const;

  const runs: [
    what: string,
    make: () => Optimizer,
    source: GradientSource,
    run: RunOptions,
    cuts: number[],
  ][] = [
    [
      "the patience of lossTolerance",
      create,
      noisy,
      { lossTolerance: 1e-3 },
      [1, 30, 150, 199, 200, 201, 230],
    ],
    [
      "the same, deterministic",
      create,
      bowl,
      { lossTolerance: 1e-9, deterministic: true },
      [1, 20, 100, 200],
    ],
    [
      "a probe that shrinks",
      steep,
      noisy,
      { steps: 60, guard: { policy: "shrink", probe, every: 7 } },
      [1, 6, 7, 8, 30],
    ],
    [
      "a probe that warns",
      () => steep(0.15),
      noisy,
      { steps: 40, guard: { policy: "warn", probe, every: 9 } },
      [1, 8, 9, 10, 30],
    ],
    ["a level that holds", create, bowl, { steps: 2000, deterministic: true, level }, [5, 10, 15, 20]],
  ];

  test.each(runs)("%s: wherever a run is cut", (_what, make, source, run, cuts) => {
    const whole = make();
    const solution = whole.minimize(source, run);
    const state = whole.save();
    const { steps: end } = solution;
    if (run.steps === undefined) expect(solution.reason).toBe("converged");
    if (run.guard) expect(solution.violations).toBeGreaterThan(0);
    for (const cut of cuts) {
      expect(cut).toBeLessThan(end);
      const first = make();
      const saved: Uint8Array[] = [];
      const monitors = [({ step }: { step: number }) => void (step === cut && saved.push(first.save()))];
      const before = first.minimize(source, { ...run, steps: cut, monitors });
      const others = [first.save(), ...saved].map((state) => make().restore(state));
      for (const optimizer of [first, ...others]) {
        const rest: Solution = optimizer.minimize(source, {
          ...run,
          ...(run.steps && { steps: run.steps - cut }),
        });
        expect(rest).toMatchObject({ reason: solution.reason, loss: solution.loss, steps: end - cut });
        expect(before.violations + rest.violations).toBe(solution.violations);
        expect(sameBytes(optimizer.save(), state)).toBe(true);
      }
    }
  });

  test("a run that was cut by until goes on, too", () => {
    const [whole, cut] = [create(), create()];
    const { steps } = whole.minimize(noisy, { lossTolerance: 1e-3 });
    cut.minimize(noisy, { lossTolerance: 1e-3, until: ({ step }) => step === 150 });
    expect(cut.minimize(noisy, { lossTolerance: 1e-3 }).steps).toBe(steps - 150);
    expect(sameBytes(cut.save(), whole.save())).toBe(true);
  });

  test("another loss has patience of its own, and so has a run behind one that converged", () => {
    const run = { lossTolerance: 1e-3 };
    const optimizer = create();
    optimizer.minimize(noisy, { ...run, steps: 190 });
    const other: GradientSource = (x, grads, step) => 10 + noisy(x, grads, step);
    expect(optimizer.minimize(other, run).steps).toBeGreaterThanOrEqual(200);
    expect(optimizer.minimize(other, run).steps).toBeGreaterThanOrEqual(200);
  });

  test("what a damaged state says of a run is refused", () => {
    const optimizer = create();
    optimizer.minimize(noisy, { lossTolerance: 1e-3, steps: 9 });
    const state = optimizer.save();
    const description = descriptionOf(state) as { clock: { watch: object } };
    expect(Object.keys(description.clock.watch)).toContain("waited");
    for (const watch of [{ waited: "9" }, { first: {} }, 5, "watch", [[]]]) {
      const clock = { ...description.clock, watch };
      expect(() => create().restore(redescribed(state, { ...description, clock }))).toThrow(
        "damaged (clock)",
      );
    }
  });

  const policies: Guard["policy"][] = ["warn", "shrink", "reject"];

  test.each(policies)("a source that throws behind a step, under %s: as before the step", (policy) => {
    for (const deterministic of [true, false])
      for (const fails of ["source", "violates"]) {
        const [optimizer, other] = [create(), create()];
        let [calls, judged] = [0, 0];
        const source: GradientSource = (x, grads, step) => {
          if (fails === "source" && ++calls === (deterministic ? 4 : 6)) throw new Error("lost");
          return bowl(x, grads, step);
        };
        const violates = () => {
          if (fails === "violates" && ++judged === 3) throw new Error("lost");
          return false;
        };
        const run = { steps: 9, deterministic, guard: { policy, violates } };
        expect(errorOf(() => optimizer.minimize(source, run)).message).toBe("lost");
        other.minimize(bowl, { ...run, steps: 2, guard: { policy } });
        expect(optimizer.iterations).toBe(2);
        expect(sameBytes(optimizer.save(), other.save())).toBe(true);
      }
  });

  test.each(["warn", "shrink"] as const)("what onViolation throws under %s: behind the step", (policy) => {
    const optimizer = steep(3);
    const onViolation = () => {
      throw new Error("too high");
    };
    const run = { steps: 9, deterministic: true, guard: { policy, onViolation } };
    expect(errorOf(() => optimizer.minimize(bowl, run)).message).toBe("too high");
    expect(optimizer.iterations).toBe(1);
  });
});
