/** Steps and runs that cannot go on: which error, and that nothing has changed. */
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamw,
  algorithm1,
  createOptimizer,
  lion,
  mechanic,
  OptimizerError,
  sgd,
  superlevel,
} from "../../src/index.js";
import type { GradientSource, Optimizer, OptimizerOptions, RunInfo, Tuner } from "../../src/index.js";
import { bases } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { forms, scalesOf } from "../support/forms.js";
import { errorOf } from "../support/errors.js";
import { mustMatch, sameBytes } from "../support/state.js";

const bowl: GradientSource = (x, grads) => {
  grads.set(x);
  return 0.5 * x.reduce((sum, value) => sum + value * value, 0);
};

/** A source that goes wrong at one step. */
function failingAt(bad: number, fail: (grads: Float32Array) => unknown): GradientSource {
  return (x, grads, step) => {
    const loss = bowl(x, grads, step);
    return step === bad ? (fail(grads) as number) : loss;
  };
}

type ErrorClass = abstract new (...args: never[]) => Error;

const sameVectors = (a: Optimizer, b: Optimizer) => a.params.every((x, i) => x === b.params[i]);

const caught = (run: () => unknown) => errorOf(run) as OptimizerError;

describe.each(engines)("%s engine", (engine) => {
  /** Two optimizers in the same state, some steps into a run. */
  function pair(options: OptimizerOptions = {}): [Optimizer, Optimizer] {
    const [one, other] = [1, 2].map(() => createOptimizer([1, -2, 3, 0.5, -1], { engine, ...options }));
    for (const each of [one, other]) each.minimize(bowl, { steps: 5 });
    return [one, other];
  }

  const badGradients: [what: string, gradient: number[], message: RegExp][] = [
    ["NaN", [0, 1, NaN, 1, 1], /^step 6: grads\[2\] is NaN$/],
    ["Infinity", [Infinity, 1, NaN, 1, 1], /^step 6: grads\[0\] is Infinity$/],
    ["-Infinity", [0, 0, 0, 0, -Infinity], /^step 6: grads\[4\] is -Infinity$/],
    ["past float32", [0, 1e39, 0, 0, 0], /^step 6: grads\[1\] is Infinity$/],
    [
      "1e38",
      [1e38, -1e38, 1e38, 1e38, 1e38],
      /^step 6: the gradient's norm is 2\.236\d*e\+38; float32 moments hold/,
    ],
    [
      "1e20",
      [1e20, 0, 0, 0, 0],
      /^step 6: the gradient's norm is 10000000\d+; float32 moments hold at most 1000000/,
    ],
  ];

  test.each(Object.keys(bases))("%s: a bad gradient is an error, and as if it had not been", (base) => {
    for (const [form, tuner] of Object.entries(forms)) {
      const [optimizer, untouched] = pair({ base: bases[base], tuner });
      for (const [what, gradient, message] of [...badGradients, ...badGradients]) {
        const { code, step, loss, message: said } = caught(() => optimizer.step(gradient));
        const clear = code === "diverged" && step === 6 && loss === undefined;
        if (!clear || !message.test(said)) throw new Error(`${form}, ${what}: ${said}`);
        if (optimizer.iterations !== 5) throw new Error(`${form}, ${what}: a step that failed is counted`);
      }
      mustMatch(optimizer, untouched, form);
    }
  });

  const harmless: [string, number[]][] = [
    ["denormals", [1e-45, -1e-45, 1e-40, 1e-38, 0]],
    ["negative zeros", [-0, -0, -0, -0, -0]],
    ["1e15 and 1e-45", [9e14, 1e-45, -0, 0, 1]],
  ];

  test.each(harmless)("a gradient of %s is a step like any other", (_what, gradient) => {
    for (const base of Object.values(bases)) {
      for (const tuner of Object.values(forms)) {
        // The tuners of coordinates keep h² in float32: for them it is the end.
        if (tuner?.granularity === "parameter" && gradient[0] > 1e10) continue;
        const [optimizer] = pair({ base, tuner });
        for (let k = 0; k < 3; k++) optimizer.step(gradient);
        if (!optimizer.params.every(Number.isFinite) || !scalesOf(optimizer).every(Number.isFinite)) {
          throw new Error(`${base.name}, ${tuner?.form}: ${optimizer.params.join()}`);
        }
      }
    }
  });

  test("a gradient whose squares could fill a sum over all steps is refused, with the cure", () => {
    const optimizer = createOptimizer(2, { engine, base: adagrad() });
    optimizer.step([1, 1]);
    const before = optimizer.save();
    expect(() => optimizer.step([9e17, 0])).toThrow(
      /float32 moments hold at most .*: divide the loss by a constant, or clip/,
    );
    optimizer.restore(before);
    // What is let through leaves room for a hundred million more of its like.
    optimizer.step([9e14, 0]);
    expect(optimizer.moments[0][0]).toBeLessThan(3.4e38 / 1e8);
    expect(optimizer.step([1, 1]).skipped).toBe(false);
  });

  test("parameters are set and moved within what sums hold, or not at all", () => {
    const optimizer = createOptimizer([1, 2], { engine });
    optimizer.step([1, 1]);
    const before = optimizer.save();
    const refused: [() => unknown, RegExp][] = [
      [() => optimizer.setParams([3e38, 0]), /^values: expected a norm below 1e19, .* got 3e\+38$/],
      [() => optimizer.reset([0, 2e19]), /^params: expected a norm below 1e19, /],
      [() => optimizer.translate([3e38, 0]), /^offset: expected parameters whose norm stays below 1e19, /],
    ];
    for (const [call, message] of refused) {
      expect(call).toThrow(message);
      expect(sameBytes(optimizer.save(), before)).toBe(true);
    }
    optimizer.translate([1e18, 0]).translate([-1e18, 0]);
    expect(optimizer.step([1, 1]).skipped).toBe(false);
  });

  test("clipping takes place before a gradient can be too large", () => {
    const clipped: [OptimizerOptions["clip"], number[]][] = [
      [{ norm: 5 }, [3, -4]],
      [{ value: 2 }, [2, -2]],
    ];
    for (const [clip, expected] of clipped) {
      const optimizer = createOptimizer(2, { base: sgd({ learningRate: 1 }), tuner: null, clip, engine });
      expect(optimizer.step([1.5e38, -2e38]).gradNorm / 2.5e38).toBeCloseTo(1, 6);
      expect(Array.from(optimizer.params, (x) => -x)).toEqual(
        expected.map((g): unknown => expect.closeTo(g, 5)),
      );
    }
  });

  /** Steps until one fails; the state before that step, and the failure, if there was one. */
  function drive(optimizer: Optimizer, gradientAt: (step: number) => number[], steps: number) {
    let state = optimizer.save();
    for (let k = 1; k <= steps; k++) {
      state = optimizer.save();
      try {
        optimizer.step(gradientAt(k));
      } catch (error) {
        return { state, error: error as OptimizerError };
      } finally {
        if (!optimizer.params.every(Number.isFinite))
          throw new Error(`step ${k}: ${optimizer.params.join()}`);
      }
    }
    return { state, error: undefined };
  }

  describe("parameters at float32's end", () => {
    test.each(Object.keys(bases))("%s: what a step would lose is as it was before", (base) => {
      let failures = 0;
      for (const [form, tuner] of Object.entries(forms)) {
        for (const rate of [1e6, 1e12, 1e25, 1e38, 1e300]) {
          let alpha = 0.1;
          const learningRate = () => alpha;
          const [optimizer, untouched] = pair({ base: { ...bases[base], learningRate }, tuner });
          alpha = rate;
          const { state, error } = drive(optimizer, () => [1e10, -1e15, 1e3, 0, 1e-20], 40);
          if (!error) continue;
          if (error.code !== "diverged" || !error.message.includes("parameters or Δ would pass 1e19"))
            throw error;
          failures++;
          alpha = 1e-9;
          mustMatch(optimizer, untouched.restore(state), `${form}, rate ${rate}`);
        }
      }
      expect(failures).toBeGreaterThan(20);
    });

    test("a start that sums cannot hold is refused by name", () => {
      const optimizer = createOptimizer([1e30, 1], { engine });
      const error = errorOf(() => optimizer.step([1, 1]));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(
        /^params: expected a norm below 1e19, as float32 sums need, got 1.0\d*e\+30$/,
      );
      expect(optimizer.setParams([1, 1]).step([1, 1]).step).toBe(1);
    });

    test.each([1e20, 1e30, 1e300])("weight decay of %d", (weightDecay) => {
      for (const base of [sgd({ weightDecay }), adamw({ weightDecay }), lion({ weightDecay })]) {
        for (const tuner of Object.values(forms)) {
          const options = { base, tuner, engine };
          const optimizer = createOptimizer([1, 2, 3, 4, 5], options);
          const { state, error } = drive(optimizer, () => [1, 1, 1, 1, 1], 300);
          if (error?.code !== "diverged") throw error ?? new Error("it did not diverge");
          if (!sameVectors(optimizer, createOptimizer(5, options).restore(state))) throw error;
        }
      }
    });

    test("h² of a coordinate that leaves float32", () => {
      const options = { base: sgd({ learningRate: 0.1 }), engine };
      for (const tuner of Object.values(forms)) {
        if (tuner?.granularity !== "parameter") continue;
        const optimizer = createOptimizer([1, -2, 3], { ...options, tuner });
        const { state, error } = drive(optimizer, () => [1e12, -1e12, 1e12], 9);
        expect(error).toMatchObject({ code: "diverged", step: 2 });
        mustMatch(optimizer, createOptimizer(3, { ...options, tuner }).restore(state));
      }
    });

    test("decay factors, or an eps, that let S leap", () => {
      const leaping: [Tuner, number][] = [
        [algorithm1({ betas: [0.9, 0, 0.999], delta: "stored" }), 6],
        [mechanic({ eps: 1e-30, delta: "stored" }), 1],
        [superlevel({ eps: 1e-300, growthLimit: null }), 1],
      ];
      for (const [tuner, step] of leaping) {
        const options = { base: sgd({ learningRate: 1 }), tuner, engine };
        const optimizer = createOptimizer([1, 2, 3], options);
        const { state, error } = drive(optimizer, (k) => (k < 6 ? [1e10, -1e10, 1e10] : [0, 0, 0]), 99);
        expect(error).toMatchObject({ code: "diverged", step });
        expect(sameVectors(optimizer, createOptimizer(3, options).restore(state))).toBe(true);
      }
    });
  });

  const wrongs: [
    what: string,
    fail: (grads: Float32Array) => unknown,
    Class: ErrorClass,
    message: RegExp,
    loss?: boolean,
  ][] = [
    [
      "throws",
      () => {
        throw new SyntaxError("of its own");
      },
      SyntaxError,
      /^of its own$/,
    ],
    [
      "returns nothing",
      () => undefined,
      TypeError,
      /^source: expected it to return the loss, a number, got undefined$/,
    ],
    ["returns a string", () => "1", TypeError, /^source: .* got "1"$/],
    [
      "returns a promise",
      () => Promise.resolve(1),
      TypeError,
      /^source: .* got a promise; minimizeAsync takes /,
    ],
    ["returns NaN", () => NaN, OptimizerError, /^step 4: the loss is NaN; the last finite one was \d/],
    ["returns Infinity", () => Infinity, OptimizerError, /^step 4: the loss is Infinity; the last /],
    ["writes NaN", (grads) => (grads.fill(NaN, 3), 1), OptimizerError, /^step 4: grads\[3\] is NaN$/],
    ["writes 1e30", (grads) => (grads.fill(1e30), 1), OptimizerError, /^step 4: the gradient's norm is /],
  ];

  test.each(wrongs)("a source that %s", async (what, fail, Class, message) => {
    if (what !== "returns a promise") await fails(true);
    await fails(false);

    async function fails(later: boolean): Promise<void> {
      const [optimizer, untouched] = [1, 2].map(() => createOptimizer([1, -2, 3, 0.5, -1], { engine }));
      const losses: number[] = [];
      const monitors = [({ loss }: RunInfo) => losses.push(loss)];
      const source = failingAt(4, fail);
      const run = { steps: 9, monitors: monitors as never };
      let error: unknown;
      try {
        if (later)
          await optimizer.minimizeAsync((x, grads, step) => Promise.resolve(source(x, grads, step)), run);
        else optimizer.minimize(source, run);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(Class);
      expect((error as Error).message).toMatch(message);
      expect(losses).toHaveLength(3);
      if (error instanceof OptimizerError) {
        // The loss of the step itself where that is finite.
        expect(error).toMatchObject({
          code: "diverged",
          step: 4,
          loss: /^writes/.test(what) ? 1 : losses[2],
        });
      }
      untouched.minimize(bowl, { steps: 3 });
      mustMatch(optimizer, untouched, what);
    }
  });

  test("a loss that is NaN at once has no last finite one", () => {
    const optimizer = createOptimizer([1, 2], { engine });
    const error = caught(() => optimizer.minimize(() => NaN, { steps: 3, gradientTolerance: 1 }));
    expect(error).toMatchObject({
      code: "diverged",
      step: 1,
      loss: undefined,
      message: "step 1: the loss is NaN",
    });
  });

  test("a schedule that returns no rate", () => {
    for (const [alpha, shown] of [
      ...[NaN, -1, Infinity, undefined].map((alpha) => [alpha, String(alpha)]),
      ["1", '"1"'],
    ]) {
      let value: unknown = 0.1;
      const [optimizer, untouched] = pair({ base: adam({ learningRate: () => value as number }) });
      value = alpha;
      const { message } = errorOf(() => optimizer.step([1, 1, 1, 1, 1]));
      expect(message).toBe(`base.learningRate: expected a finite number >= 0 at step 6, got ${shown}`);
      value = 0.1;
      mustMatch(optimizer, untouched);
    }
  });
});
