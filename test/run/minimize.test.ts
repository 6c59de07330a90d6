/** Runs: how they end, what they report, and that asynchronous ones are the same. */
import { describe, expect, test, vi } from "vitest";
import { createOptimizer, lion, sgd } from "../../src/index.js";
import type {
  GradientSource,
  Monitor,
  OptimizerOptions,
  RunInfo,
  RunOptions,
  StepInfo,
} from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { mustMatch, sameBytes } from "../support/state.js";

const curvatures = [1, 10, 3, 0.5, 2];
const start = [1, -2, 3, 0.5, -1];

const bowl: GradientSource = (x, grads) => {
  let loss = 0;
  for (let i = 0; i < x.length; i++) {
    grads[i] = curvatures[i] * x[i];
    loss += 0.5 * curvatures[i] * x[i] * x[i];
  }
  return loss;
};

const lossAt = (x: Float32Array) => bowl(x, new Float32Array(x.length), 1);

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions = {}) => createOptimizer(start, { engine, ...options });

  describe("a run ends", () => {
    test("after its steps, with the loss where it ends", () => {
      for (const steps of [1, 2, 65]) {
        const optimizer = create();
        const source = vi.fn(bowl);
        const solution = optimizer.minimize(source, { steps });
        expect(solution).toMatchObject({
          loss: lossAt(optimizer.params),
          steps,
          evaluations: steps + 1,
          reason: "steps",
        });
        expect(source).toHaveBeenCalledTimes(steps + 1);
        expect(source.mock.calls.map(([, , step]) => step)).toEqual(
          Array.from({ length: steps + 1 }, (_, k) => k + 1),
        );
        expect(optimizer.iterations).toBe(steps);
      }
    });

    test("when the gradient is small, at the point itself", () => {
      const norms: number[] = [];
      const monitors: Monitor[] = [({ gradNorm }) => void norms.push(gradNorm)];
      const optimizer = create();
      const solution = optimizer.minimize(bowl, { gradientTolerance: 1e-3, monitors });
      const grads = new Float32Array(5);
      expect(solution).toMatchObject({
        reason: "converged",
        steps: norms.length,
        evaluations: norms.length + 1,
      });
      expect(solution.loss).toBe(bowl(optimizer.params, grads, 1));
      expect(Math.hypot(...grads)).toBeLessThanOrEqual(1e-3);
      expect(Math.min(...norms)).toBeGreaterThan(1e-3);
      // There already.
      const again = optimizer.minimize(bowl, { gradientTolerance: 1e-3 });
      expect(again).toMatchObject({ loss: solution.loss, steps: 0, evaluations: 1, reason: "converged" });
    });

    test("only by the gradient of what is not frozen, however small it is", () => {
      const specs = [
        { shape: [2], values: [1, 1] },
        { shape: [1], frozen: true },
      ];
      const run = (small: number, gradientTolerance: number) =>
        createOptimizer(specs, { engine }).minimize((_x, grads) => (grads.set([small, 0, 5]), 1), {
          steps: 3,
          gradientTolerance,
        });
      expect(run(1e-3, 1e-2).reason).toBe("converged");
      expect(run(1e-1, 1e-2).reason).toBe("steps");
      expect(run(1e-30, 1e-29).reason).toBe("converged");
      expect(run(1e-30, 1e-31).reason).toBe("steps");
    });

    test("when the loss no longer falls, 200 steps later", () => {
      const falling =
        (perStep: number, until: number): GradientSource =>
        (_x, _grads, step) =>
          1 - perStep * Math.min(step, until);
      const run = (source: GradientSource, lossTolerance: number) =>
        create().minimize(source, { steps: 2000, lossTolerance });
      // Three of them find that the loss stands still around a gradient of 0.
      expect(run(() => 1, 0)).toMatchObject({ loss: 1, steps: 200, evaluations: 204, reason: "converged" });
      expect(run(falling(1e-3, 50), 1e-6)).toMatchObject({ steps: 249, reason: "converged" });
      // Slowly, but by more than this in 200 steps; and by less.
      expect(run(falling(1e-5, Infinity), 1e-3).reason).toBe("steps");
      expect(run(falling(1e-6, Infinity), 1e-3)).toMatchObject({ steps: 200, reason: "converged" });
      // What counts is the lowest so far: it may rise in between.
      const waves: GradientSource = (_x, _grads, step) => (step % 100 === 0 ? -step : 1000);
      expect(run(waves, 0).reason).toBe("steps");
    });

    test("when `until` says so, asked after each step", () => {
      const optimizer = create();
      const until = vi.fn(({ step }: RunInfo) => step === 7);
      const solution = optimizer.minimize(bowl, { until, steps: 9 });
      expect(solution).toMatchObject({
        loss: lossAt(optimizer.params),
        steps: 7,
        evaluations: 8,
        reason: "until",
      });
      expect(until.mock.calls.map(([info]) => info.step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    test("when it is aborted: at once, or before the next step, whatever else would end it", () => {
      const never = { until: () => expect.fail("a step was taken") };
      const none = create().minimize(bowl, { signal: AbortSignal.abort(), gradientTolerance: 1e9, ...never });
      expect(none).toMatchObject({
        loss: lossAt(Float32Array.from(start)),
        steps: 0,
        evaluations: 1,
        reason: "aborted",
      });
      const controller = new AbortController();
      const stop: Monitor = ({ step }) => void (step === 3 && controller.abort());
      const optimizer = create();
      const some = optimizer.minimize(bowl, { signal: controller.signal, monitors: [stop], steps: 3 });
      expect(some).toMatchObject({
        loss: lossAt(optimizer.params),
        steps: 3,
        evaluations: 4,
        reason: "aborted",
      });
    });
  });

  test("a run is the same as steps taken one by one", () => {
    const [optimizer, byHand] = [create(), create()];
    const infos: RunInfo[] = [];
    optimizer.minimize(bowl, { steps: 150, monitors: [(info) => void infos.push(info)] });
    for (let step = 1; step <= 150; step++) {
      const loss = bowl(byHand.params, byHand.grads, step);
      const expected: StepInfo & Partial<RunInfo> = { ...byHand.step(), loss, evaluations: step };
      expect(infos[step - 1]).toMatchObject(expected);
    }
    mustMatch(optimizer, byHand);
  });

  test("monitors see each step in turn, and before `until`", () => {
    const calls: string[] = [];
    const note =
      (name: string) =>
      ({ step }: RunInfo) =>
        void calls.push(`${name}${step}`);
    const until = (info: RunInfo): boolean => (note("u")(info), info.step === 2);
    create().minimize(bowl, { until, monitors: [note("a"), note("b")] });
    expect(calls).toEqual(["a1", "b1", "u1", "a2", "b2", "u2"]);
  });

  test("what a monitor throws ends the run behind the step", () => {
    const [optimizer, untouched] = [create(), create()];
    const monitors = [
      ({ step }: RunInfo) => {
        if (step === 4) throw new SyntaxError("enough");
      },
    ];
    expect(errorOf(() => optimizer.minimize(bowl, { steps: 9, monitors }))).toBeInstanceOf(SyntaxError);
    untouched.minimize(bowl, { steps: 4 });
    mustMatch(optimizer, untouched);
  });

  test("a run without an end is refused", () => {
    const error = errorOf(() => create().minimize(bowl, { monitors: [] }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^run: expected steps, gradientTolerance, lossTolerance, until or signal/);
  });

  describe("minimizeAsync", () => {
    const cases: [string, OptimizerOptions, RunOptions][] = [
      ["the defaults", {}, { steps: 300 }],
      ["until small", {}, { gradientTolerance: 1e-2, steps: 5000 }],
      ["until flat", { base: lion() }, { lossTolerance: 1e-5, steps: 5000 }],
      [
        "no tuner",
        { base: sgd({ momentum: 0.9, learningRate: 0.02 }), tuner: null },
        { steps: 100, until: ({ step }) => step === 60 },
      ],
    ];

    test.each(cases)("%s: bit for bit as minimize", async (_what, options, run) => {
      const optimizers = [1, 2, 3].map(() => create(options));
      const seen: RunInfo[][] = [[], [], []];
      const watched = (k: number): RunOptions => ({ ...run, monitors: [(info) => void seen[k].push(info)] });
      const solutions = [
        optimizers[0].minimize(bowl, watched(0)),
        await optimizers[1].minimizeAsync(async (x, grads, step) => {
          await Promise.resolve();
          return bowl(x, grads, step);
        }, watched(1)),
        await optimizers[2].minimizeAsync(bowl, watched(2)),
      ];
      expect(solutions[1]).toEqual(solutions[0]);
      expect(solutions[2]).toEqual(solutions[0]);
      expect(seen[1]).toEqual(seen[0]);
      expect(sameBytes(optimizers[1].save(), optimizers[0].save())).toBe(true);
      expect(sameBytes(optimizers[2].save(), optimizers[0].save())).toBe(true);
    });

    test("refuses its arguments by rejecting", async () => {
      await expect(create().minimizeAsync(5 as never, { steps: 1 })).rejects.toThrow(
        /^source: expected a function, got 5$/,
      );
      await expect(create().minimizeAsync(bowl, { steps: 0 })).rejects.toBeInstanceOf(RangeError);
      const rejected = create().minimizeAsync(() => Promise.reject(new SyntaxError("remote")), { steps: 1 });
      await expect(rejected).rejects.toThrow("remote");
    });

    test("is aborted while it waits", async () => {
      const controller = new AbortController();
      const optimizer = create();
      const solution = await optimizer.minimizeAsync(
        async (x, grads, step) => {
          if (step === 5) controller.abort();
          await new Promise((done) => setImmediate(done));
          return bowl(x, grads, step);
        },
        { signal: controller.signal },
      );
      expect(solution).toMatchObject({ steps: 4, evaluations: 5, reason: "aborted" });
    });
  });
});
