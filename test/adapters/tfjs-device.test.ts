/**
 * Steps on a device, here the cpu backend: in operations of TensorFlow.js, and in shaders that run as scripts; beside the
 * engine, and states that go to and fro.
 */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, test } from "vitest";

import { DeviceTraining } from "../../src/adapters/tfjs/device.js";
import { checkOptions, type TfjsOptions } from "../../src/adapters/tfjs/config.js";
import { superlevelOptimizer } from "../../src/adapters/tfjs/index.js";
import { OperationsState } from "../../src/adapters/tfjs/operations-state.js";
import type { DeviceRun, DeviceState } from "../../src/adapters/tfjs/device-step.js";
import { FusedState } from "../../src/adapters/tfjs/fused/state.js";
import { readLater, readNow } from "../../src/adapters/tfjs/reading.js";
import { resolveVariables } from "../../src/adapters/tfjs/training.js";
import { VariableList } from "../../src/adapters/tfjs/variables.js";
import { fromWeights, toWeights, savedOf } from "../../src/adapters/tfjs/weights.js";
import {
  adam,
  adamw,
  createOptimizer,
  lion,
  scheduleFree,
  sgd,
  superlevel,
  type Optimizer,
} from "../../src/index.js";
import { asSchedule } from "../../src/bases/base.js";
import { errorOf } from "../support/errors.js";
import { scriptRunner } from "../support/script-runner.js";

const CURVES = [1, 2, 3, 4, 5, 6, 7];
const START = [0, 10, 5, 1, 2, 3, 4];
const gradientAt = (x: ArrayLike<number>, step: number, noise: number) =>
  CURVES.map((k, i) => 2 * k * (x[i] - 1) + noise * Math.sin(12.9898 * step + 78.233 * i));
const lossAt = (x: ArrayLike<number>) => CURVES.reduce((sum, k, i) => sum + k * (x[i] - 1) ** 2, 0);
const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i])) / Math.hypot(...Array.from(b));

const MAKERS: Record<string, (run: DeviceRun) => DeviceState> = {
  operations: (run) => new OperationsState(run),
  shaders: (run) => new FusedState(run, scriptRunner(false)),
  "shaders that store": (run) => new FusedState(run, scriptRunner(true)),
};

describe.each(Object.entries(MAKERS))("in %s", (_name, make) => {
  /** Two variables and their optimizer, as `bind` would have it on a GPU. */
  class Run {
    readonly variables = tf.tidy(() => [
      tf.variable(tf.tensor1d(START.slice(0, 3))),
      tf.variable(tf.tensor2d(START.slice(3), [2, 2])),
    ]);
    readonly training: DeviceTraining;
    step = 0;

    constructor(options: TfjsOptions) {
      const checked = checkOptions(options);
      const list = new VariableList(new Map(this.variables.map(({ name }) => [name, undefined])));
      const byDefault = checked.defaultRate && checked.options.tuner !== null;
      const resolved = resolveVariables(list, checked, (step, window) =>
        asSchedule(checked.learningRate!)(step, window),
      );
      this.training = new DeviceTraining(
        list,
        resolved,
        () => (byDefault ? undefined : checked.learningRate),
        make,
      );
    }

    get x(): number[] {
      return this.variables.flatMap((one) => Array.from(one.dataSync()));
    }

    place(x: ArrayLike<number>): void {
      const numbers = Array.from(x);
      const [a, b] = this.variables as tf.Variable[];
      a.assign(tf.tensor1d(numbers.slice(0, 3)));
      b.assign(tf.tensor2d(numbers.slice(3), [2, 2]));
    }

    take(gradient: readonly number[], loss?: number): void {
      const grads = [tf.tensor1d(gradient.slice(0, 3)), tf.tensor2d(gradient.slice(3), [2, 2])];
      const found = new Map(this.variables.map(({ name }, k) => [name, grads[k]]));
      try {
        readNow(this.training.step(found, loss));
      } finally {
        tf.dispose(grads);
      }
    }

    /** So many steps; where it listens, it hears of each before the next. */
    async go(steps: number, noise: number, listens = true): Promise<this> {
      for (const last = this.step + steps; this.step < last;) {
        const { x } = this;
        this.take(gradientAt(x, ++this.step, noise), lossAt(x));
        if (listens) await this.training.arrival();
      }
      return this;
    }

    async save(): Promise<Uint8Array> {
      return readLater(this.training.save());
    }

    dispose(): void {
      this.training.dispose();
      tf.dispose(this.variables);
    }
  }

  function walk(optimizer: Optimizer, from: number, steps: number, noise: number): Optimizer {
    for (let step = from + 1; step <= from + steps; step++) {
      const loss = lossAt(optimizer.params);
      optimizer.step(gradientAt(optimizer.params, step, noise), { loss });
    }
    return optimizer;
  }

  const engineOf = (options: TfjsOptions) =>
    createOptimizer(
      [
        { shape: [3], values: START.slice(0, 3) },
        { shape: [2, 2], values: START.slice(3) },
      ],
      options,
    );

  beforeAll(async () => {
    await tf.setBackend("cpu");
  });

  const CASES: [string, TfjsOptions, number][] = [
    ["exact gradients", {}, 0],
    ["noisy gradients", {}, 30],
    ["noisy from the start", { gradients: "noisy" }, 30],
    ["AdamW", { base: adamw({ weightDecay: 0.1 }) }, 30],
    ["Lion", { base: lion() }, 30],
    ["schedule-free Adam alone", { base: scheduleFree(adam({ learningRate: 0.1 })), tuner: null }, 30],
    ["momentum alone", { base: sgd({ learningRate: 0.01, momentum: 0.9 }), tuner: null }, 0],
    [
      "anchors at intervals, clipped",
      { tuner: superlevel({ anchor: { every: 7 } }), clip: { value: 5 } },
      30,
    ],
    [
      "a schedule that looks at the window",
      {
        base: sgd({
          learningRate: (step, { start, gradients }) =>
            (gradients === "exact" ? 0.3 : 1) / (1 + 0.1 * (step - start)),
        }),
      },
      30,
    ],
  ];

  test("exact gradients, beyond the early steps", async () => {
    // A start that goes by no difference of gradients: rounding would grow with it.
    const options = { tuner: superlevel({ sInit: 0.05 }) };
    const [run, core] = [new Run(options), engineOf(options)];
    for (const steps of [100, 27, 1, 1, 1, 10]) {
      await run.go(steps, 0);
      walk(core, core.iterations, steps, 0);
      // Near the minimum gradients are differences of rounded numbers.
      expect(apart(run.x, core.params)).toBeLessThan(1e-3);
      const { scale } = await run.training.arrival();
      expect(Math.abs(scale / (core.scale as number) - 1)).toBeLessThan(0.1);
    }
    run.dispose();
  });

  describe.each(CASES)("%s", (_name, options, noise) => {
    test.each([
      ["heard of step by step", true],
      ["in a loop that never waits", false],
    ])("is the engine's run up to rounding, %s", async (_how, listens) => {
      const [run, core] = [new Run(options), engineOf(options)];
      await run.go(25, noise, listens);
      walk(core, 0, 25, noise);
      expect(apart(run.x, core.params)).toBeLessThan(1e-4);
      const { scale, learningRate } = await run.training.arrival();
      if (listens) {
        expect(run.training.clock.gradients).toBe(core.gradients);
        expect(Math.abs(scale / (core.scale as number) - 1)).toBeLessThan(1e-3);
        expect(learningRate).toBeCloseTo(core.learningRate, 5);
      }
      run.dispose();
    });

    test("its state goes on in the engine, and the engine's on the device", async () => {
      const [run, core] = [await new Run(options).go(12, noise), walk(engineOf(options), 0, 12, noise)];
      const [there, here] = [engineOf(options), new Run(options)];
      there.restore(await run.save());
      here.place(core.params);
      here.training.restore(core.save());
      here.step = 12;
      expect(there.gradients).toBe(core.gradients);
      walk(core, 12, 8, noise);
      expect(apart(walk(there, 12, 8, noise).params, core.params)).toBeLessThan(1e-4);
      expect(apart((await here.go(8, noise)).x, core.params)).toBeLessThan(1e-4);
      run.dispose();
      here.dispose();
    });

    test("a saved run goes on to the bit", async () => {
      const whole = await new Run(options).go(12, noise);
      const resumed = new Run(options);
      resumed.place(whole.x);
      resumed.training.restore(await whole.save());
      resumed.step = 12;
      await whole.go(8, noise);
      await resumed.go(8, noise);
      expect(resumed.x).toEqual(whole.x);
      whole.dispose();
      resumed.dispose();
    });
  });

  describe("a gradient or a loss that is not finite", () => {
    test.each([
      ["gradient", NaN, 1],
      ["gradient", -Infinity, 1],
      ["loss", 0, NaN],
    ])("changes nothing, and is told of: %s", async (_name, spoil, loss) => {
      const run = await new Run({}).go(6, 30);
      const { x } = run;
      run.take([spoil, 1, 2, 3, 4, 5, 6], loss);
      expect(run.x).toEqual(x);
      await expect(run.training.arrival()).rejects.toMatchObject({ code: "diverged" });
      // It goes on, and not much differs from a run without it.
      await run.go(6, 30);
      expect(apart(run.x, walk(engineOf({}), 0, 12, 30).params)).toBeLessThan(0.2);
      run.dispose();
    });

    test("is skipped in silence where that is asked for", async () => {
      const run = await new Run({ nonFinite: "skip" }).go(6, 30);
      const { x } = run;
      run.take([NaN, 1, 2, 3, 4, 5, 6]);
      expect((await run.training.arrival()).skipped).toBe(true);
      expect(run.x).toEqual(x);
      run.dispose();
    });
  });

  test("gradients of 0 decide nothing, and the clock stays right", async () => {
    const [run, core] = [new Run({}), engineOf({})];
    for (let step = 0; step < 3; step++) {
      run.take(START.map(() => 0));
      await run.training.arrival();
      core.step(START.map(() => 0));
    }
    expect(run.training.clock.gradients).toBe("undecided");
    for (let step = 1; step <= 20; step++) {
      run.take(gradientAt(run.x, step, 30));
      await run.training.arrival();
      core.step(gradientAt(core.params, step, 30));
    }
    expect(run.training.clock.gradients).toBe("noisy");
    expect(apart(run.x, core.params)).toBeLessThan(1e-4);
    run.dispose();
  });

  test.each([1e-13, 1, 1e12])("gradients %f times as long: the average forgets", async (times) => {
    const options = { base: sgd(), gradients: "noisy" } as const;
    const [run, core] = [new Run(options), engineOf(options)];
    for (let step = 1; step <= 130; step++) {
      const g = START.map((_, i) => Math.fround(times * (Math.sin(1.7 * i + 0.01 * step) + 0.1)));
      run.take(g);
      core.step(g);
    }
    expect(core.averaging!.interpolation).toBeLessThan(0.9);
    expect(apart(run.x, core.params)).toBeLessThan(1e-4);
    const there = engineOf(options).restore(await run.save());
    expect(there.averaging!.interpolation).toBeCloseTo(core.averaging!.interpolation, 6);
    run.dispose();
  });

  test.each([
    ["noisy", {}, 30],
    ["exact", {}, 0],
    ["exact, momentum alone", { base: sgd({ learningRate: 0.01, momentum: 0.9, dampening: 0.5 }) }, 0],
  ] as const)("momentum that the engine has started again stays so: %s", async (_name, options, noise) => {
    const core = engineOf(options);
    for (let step = 1; step <= 20; step++) {
      core.step(gradientAt(core.params, step, 30));
      core.setParams(core.params.map((value) => 1.05 * value));
    }
    walk(core, 20, 3, noise);
    expect(core.updates).toEqual({ total: 23, momentum: 3 });
    const run = new Run(options);
    run.place(core.params);
    run.training.restore(core.save());
    run.step = 23;
    const there = engineOf(options).restore(await run.save());
    expect(there.updates).toEqual(core.updates);
    expect(there.averaging?.interpolation).toBe(core.averaging?.interpolation);
    walk(core, 23, 20, noise);
    expect(apart((await run.go(20, noise)).x, core.params)).toBeLessThan(1e-4);
    run.dispose();
  });

  test("variables may be frozen, and have rates and decay of their own", async () => {
    const perVariable = [{ learningRate: 2, weightDecay: 0.1 }, { frozen: true }];
    const options = { base: adamw({ learningRate: 0.01 }), tuner: null };
    const run = await new Run({ ...options, perVariable }).go(20, 0);
    const core = createOptimizer([{ shape: [3], values: START.slice(0, 3), ...perVariable[0] }], options);
    for (let step = 1; step <= 20; step++)
      core.step(gradientAt([...core.params, 0, 0, 0, 0], step, 0).slice(0, 3));
    expect(apart(run.x.slice(0, 3), core.params)).toBeLessThan(1e-5);
    expect(run.x.slice(3)).toEqual(START.slice(3));
    run.dispose();
  });

  test("the average is the engine's, and there is none of exact gradients", async () => {
    const [run, core] = [await new Run({}).go(20, 30), walk(engineOf({}), 0, 20, 30)];
    const average = (await readLater(run.training.average()))!;
    const numbers = average.flatMap((part) => Array.from((part as tf.Tensor).dataSync()));
    expect(apart(numbers, core.average()!)).toBeLessThan(1e-4);
    tf.dispose(average as tf.Tensor[]);
    const exact = await new Run({ gradients: "exact" }).go(3, 0);
    expect(await readLater(exact.training.average())).toBeNull();
    run.dispose();
    exact.dispose();
  });

  test("what a step makes is let go of, also in a loop that never waits", async () => {
    const before = tf.memory().numTensors;
    for (const listens of [true, false]) {
      const run = await new Run({}).go(8, 30, listens);
      const held = tf.memory().numTensors;
      await run.go(30, 30, listens);
      expect(tf.memory().numTensors).toBe(held);
      await run.training.arrival();
      run.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a step that fails half-way leaves everything as it was", async () => {
    const run = await new Run({}).go(4, 30);
    const [{ x }, held] = [run, tf.memory().numTensors];
    const wrong = tf.tensor1d([1, 2]);
    const found = new Map(run.variables.map(({ name }) => [name, wrong]));
    expect(errorOf(() => readNow(run.training.step(found, undefined))).message).toContain(
      "expected shape [3], got [2]",
    );
    wrong.dispose();
    expect(run.x).toEqual(x);
    expect(tf.memory().numTensors).toBe(held);
    run.dispose();
  });

  test("weights cross to the cpu backend's optimizer", async () => {
    const run = await new Run({}).go(10, 30);
    const weights = toWeights(savedOf(await run.save()));
    const other = superlevelOptimizer();
    await other.setWeights(weights);
    expect([other.iterations, other.gradients]).toEqual([10, "noisy"]);
    expect((await fromWeights(weights)).iterations).toBe(10);
    tf.dispose(weights.map(({ tensor }) => tensor));
    run.dispose();
  });
});
