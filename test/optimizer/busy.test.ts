/** An optimizer whose run is under way takes no other step, and a signal ends a run whose source does not answer. */
import { describe, expect, test } from "vitest";

import { createOptimizer, OptimizerError, sgd, superlevel } from "../../src/index.js";
import type { Monitor, Optimizer, RunInfo, RunOptions, RunPoint, Solution } from "../../src/index.js";
import { createThreadedOptimizer } from "../../src/threads/index.js";
import { errorOf } from "../support/errors.js";
import { sameBytes } from "../support/state.js";

const bowl = (x: Float32Array, grads: Float32Array): number => {
  grads.set(x);
  return 0.5 * x.reduce((sum, value) => sum + value * value, 0);
};

function mustBeBusy(error: unknown, call: string): void {
  expect(error).toBeInstanceOf(OptimizerError);
  expect(error).toMatchObject({ code: "busy" });
  expect((error as Error).message).toMatch(new RegExp(`^${call}: a run of this optimizer is under way`));
}

describe("from a source and from a monitor", () => {
  const calls: Record<string, (optimizer: Optimizer) => unknown> = {
    step: (optimizer) => optimizer.step([1, 1]),
    minimize: (optimizer) => optimizer.minimize(bowl, { steps: 1 }),
  };

  test.each(Object.entries(calls))(
    "%s is refused, and the run goes on as if nothing had been",
    (name, call) => {
      const [optimizer, other] = [createOptimizer([3, 4]), createOptimizer([3, 4])];
      const errors: Error[] = [];
      const source = (x: Float32Array, grads: Float32Array) => {
        errors.push(errorOf(() => call(optimizer)));
        return bowl(x, grads);
      };
      const monitors = [() => void errors.push(errorOf(() => call(optimizer)))];
      optimizer.minimize(source, { steps: 5, monitors: monitors });
      other.minimize(bowl, { steps: 5 });
      expect(errors.length).toBeGreaterThanOrEqual(10);
      for (const error of errors) mustBeBusy(error, name);
      expect(sameBytes(optimizer.save(), other.save())).toBe(true);
      optimizer.step([1, 1]);
    },
  );

  test("what a source throws frees the optimizer", () => {
    const optimizer = createOptimizer([3, 4]);
    const fail = () => {
      throw new Error("mine");
    };
    expect(() => optimizer.minimize(fail, { steps: 1 })).toThrow("mine");
    expect(optimizer.minimize(bowl, { steps: 3 }).steps).toBe(3);
  });
});

describe("beside a run that waits", () => {
  const slowly = (x: Float32Array, grads: Float32Array) =>
    new Promise<number>((resolve) => setTimeout(() => resolve(bowl(x, grads)), 1));

  test("a second run and a step are refused; the first run ends as it would have", async () => {
    const [optimizer, other] = [createOptimizer([3, 4]), createOptimizer([3, 4])];
    const first = optimizer.minimizeAsync(slowly, { steps: 4 });
    mustBeBusy(
      await optimizer.minimizeAsync(slowly, { steps: 4 }).catch((error: unknown) => error),
      "minimize",
    );
    mustBeBusy(
      errorOf(() => optimizer.step([1, 1])),
      "step",
    );
    expect((await first).steps).toBe(4);
    other.minimize(bowl, { steps: 4 });
    expect(sameBytes(optimizer.save(), other.save())).toBe(true);
    expect((await optimizer.minimizeAsync(slowly, { steps: 1 })).steps).toBe(1);
  });

  test("a step by threads is refused", async () => {
    const optimizer = await createThreadedOptimizer(8, { threads: 2, threshold: 0 });
    const run = optimizer.minimizeAsync(slowly, { steps: 2 });
    mustBeBusy(await optimizer.stepAsync(new Float32Array(8)).catch((error: unknown) => error), "stepAsync");
    await run;
    optimizer.dispose();
  });
});

describe("a signal ends a run whose source never answers", () => {
  const deaf = () => new Promise<number>(() => undefined);

  async function aborted(optimizer: Optimizer, answers: number, options: object): Promise<Solution> {
    const controller = new AbortController();
    let asked = 0;
    const source = (x: Float32Array, grads: Float32Array) => {
      if (asked++ < answers) return Promise.resolve(bowl(x, grads));
      setTimeout(() => controller.abort(), 1);
      return deaf();
    };
    return optimizer.minimizeAsync(source, { ...options, signal: controller.signal });
  }

  test.each([
    ["at once", 0, {}],
    ["later", 4, {}],
    ["in the middle of a step that a guard looks after", 4, { deterministic: true }],
  ])("%s", async (_when, answers, options) => {
    const [optimizer, other] = [createOptimizer([3, 4]), createOptimizer([3, 4])];
    const solution = await aborted(optimizer, answers, options);
    expect(solution.reason).toBe("aborted");
    expect(solution.evaluations).toBe(answers);
    expect(optimizer.iterations).toBe(solution.steps);
    if (solution.steps > 0) {
      other.minimize(bowl, { ...options, steps: solution.steps });
      expect(Array.from(optimizer.params)).toEqual(Array.from(other.params));
      expect(solution.loss).toBeGreaterThan(0);
    } else expect(solution.loss).toBeNaN();
    expect(optimizer.minimize(bowl, { steps: 2 }).steps).toBe(2);
  });
});

/** All that moves an optimizer. */
const moving: Record<string, (optimizer: Optimizer, state: Uint8Array) => unknown> = {
  step: (optimizer) => optimizer.step([7, 7, 7]),
  minimize: (optimizer) => optimizer.minimize(bowl, { steps: 1 }),
  setParams: (optimizer) => optimizer.setParams([1, 1, 1]),
  translate: (optimizer) => optimizer.translate([1, 1, 1]),
  anchor: (optimizer) => optimizer.anchor(),
  reset: (optimizer) => optimizer.reset(),
  restore: (optimizer, state) => optimizer.restore(state),
};

describe.each(Object.entries(moving))("%s", (name, call) => {
  const state = createOptimizer(3).save();

  test("from a source or from a rate is refused, and all goes on as if it had not been", () => {
    const [optimizer, other] = [createOptimizer([3, 4, 5]), createOptimizer([3, 4, 5])];
    const source = (x: Float32Array, grads: Float32Array) => {
      mustBeBusy(
        errorOf(() => call(optimizer, state)),
        name,
      );
      return bowl(x, grads);
    };
    optimizer.minimize(source, { steps: 5 });
    other.minimize(bowl, { steps: 5 });
    expect(sameBytes(optimizer.save(), other.save())).toBe(true);

    let asked = 0;
    const rated: Optimizer = createOptimizer([3, 4, 5], {
      base: sgd({
        learningRate: () => {
          asked++;
          expect(errorOf(() => call(rated, state)).message).toMatch(
            new RegExp(`^${name}: a step of this optimizer is under way`),
          );
          return 0.5;
        },
      }),
    });
    for (let k = 0; k < 3; k++) rated.step(rated.params);
    expect([rated.iterations, asked]).toEqual([3, 3]);
  });

  test.each([{}, { tuner: null }])("during a stepAsync is refused, with options %o", async (options) => {
    const create = () => createThreadedOptimizer([3, -2, 1], { ...options, threads: 2, threshold: 0 });
    const [optimizer, other] = [await create(), await create()];
    const refuse = () => expect(errorOf(() => call(optimizer, state))).toMatchObject({ code: "threads" });
    for (let round = 0; round < 5; round++) {
      let settled = false;
      const pending = optimizer.stepAsync([1, 2, 3 + round]).finally(() => (settled = true));
      refuse();
      await expect(optimizer.stepAsync([9, 9, 9])).rejects.toMatchObject({ code: "threads" });
      // Also between the parts of a step, where no thread is at work.
      while (!settled) {
        refuse();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await pending;
      other.step([1, 2, 3 + round]);
      expect(sameBytes(optimizer.save(), other.save())).toBe(true);
    }
    for (const each of [optimizer, other]) each.dispose();
  });
});

describe("monitors may move the point", () => {
  const target = [100, -50, 25];
  const points: Record<string, (optimizer: Optimizer) => unknown> = {
    setParams: (optimizer) => optimizer.setParams(target),
    translate: (optimizer) => optimizer.translate(target),
    reset: (optimizer) => optimizer.reset(target),
    restore: (optimizer) => optimizer.restore(createOptimizer(target, { gradients: "exact" }).save()),
  };
  const runs: RunOptions[] = [
    { deterministic: true },
    { deterministic: true, guard: null },
    { guard: { policy: "warn" } },
    { deterministic: true, level: { value: 1e-9, action: "project" } },
    { guard: { policy: "shrink", probe: (x) => bowl(x, new Float32Array(3)) } },
  ];

  test.each(Object.entries(points))("%s: loss and gradient are those of the new one", (name, move) => {
    for (const run of runs) {
      for (const at of [false, true]) {
        for (const when of [1, 4]) {
          // Short steps: none leads upwards.
          const tuner = superlevel({ sInit: 0.01 });
          const optimizer = createOptimizer([3, 4, 5], { tuner, gradients: "exact" });
          let calls = 0;
          const once = () => {
            if (++calls === when) move(optimizer);
          };
          const monitor: Monitor = at ? { beforeStep: once } : { afterStep: once };
          let told = NaN;
          const watch: Monitor = {
            afterStep({ loss }: RunInfo) {
              told = loss;
            },
            beforeStep({ params, grads, loss }: RunPoint) {
              if (at) return;
              expect(Array.from(grads)).toEqual(Array.from(params));
              expect(loss).toBeCloseTo(bowl(params, new Float32Array(3)), 3);
            },
          };
          const { loss, violations, reason } = optimizer.minimize(bowl, {
            ...run,
            steps: 12,
            monitors: [monitor, watch],
          });
          expect(reason).toBe("steps");
          // Momentum stays where the point is translated.
          if (name !== "translate") expect(violations).toBe(0);
          expect(told).not.toBeNaN();
          expect(loss).toBeCloseTo(bowl(optimizer.params, new Float32Array(3)), 3);
        }
      }
    }
  });

  test("from the first call on, a run ends where it should", () => {
    const optimizer = createOptimizer([3]);
    let calls = 0;
    const monitors = [() => void (++calls === 1 && optimizer.setParams([100]))];
    const { loss, reason } = optimizer.minimize(bowl, {
      deterministic: true,
      gradientTolerance: 1e-3,
      steps: 5000,
      monitors,
    });
    expect(reason).toBe("converged");
    expect(loss).toBeLessThan(1e-5);
    expect(Math.abs(optimizer.params[0])).toBeLessThan(2e-3);
  });
});
