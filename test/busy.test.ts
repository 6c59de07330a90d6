/** An optimizer whose run is under way takes no other step, and a signal ends a run whose source does not answer. */
import { describe, expect, test } from "vitest";

import { createOptimizer, OptimizerError, type Optimizer, type Solution } from "../src/index.js";
import { createThreadedOptimizer } from "../src/threads/index.js";
import { errorOf } from "./support/errors.js";
import { sameBytes } from "./support/state.js";

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
