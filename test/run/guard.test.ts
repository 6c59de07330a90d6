/** The guard: what it lets pass, what a rejected step restarts, and what it costs in calls of the source. */
import { describe, expect, test } from "vitest";
import { problems, type Problem } from "../../studies/guard/problems.js";
import {
  adam,
  createOptimizer,
  exponentialDecay,
  finiteDifferences,
  lion,
  sgd,
  superlevel,
  windowDecay,
  type Base,
  type GradientSource,
  type Guard,
  type Optimizer,
  type OptimizerOptions,
  type RunInfo,
  type RunOptions,
  type Tuner,
} from "../../src/index.js";
import { nextFactor } from "../../src/run/guard.js";
import { Reference } from "../reference.js";
import { bases, tuners } from "../support/cases.js";
import { engines } from "../support/engines.js";

const strict: Guard = { policy: "reject", tolerance: 0 };
const [quadratic, , rosenbrock] = problems;

/** Printed forms divide by ‖x‖. */
const awayFromZero = (start: readonly number[]) => (start.some(Boolean) ? start : start.map(() => 0.25));

/** Losses in turn, whatever the point, with one gradient throughout, or `late` from the third call on. */
function scripted(losses: readonly number[], gradient: readonly number[], late = gradient): GradientSource {
  let call = 0;
  return (_x, grads) => {
    grads.set(call < 2 ? gradient : late);
    return losses[Math.min(call++, losses.length - 1)];
  };
}

function watch(problem: Problem, options: OptimizerOptions, run: RunOptions) {
  const optimizer = createOptimizer(awayFromZero(problem.start), options);
  const infos: RunInfo[] = [];
  let calls = 0;
  const solution = optimizer.minimize(
    (x, grads, step) => {
      calls++;
      return problem.source(x, grads, step);
    },
    { monitors: [(info) => infos.push(info)], ...run },
  );
  return { optimizer, solution, infos, calls };
}

/** Every form at every granularity it has. */
const granular = Object.entries(tuners).flatMap(([name, tuner]): [string, Tuner | null][] => {
  if (!tuner) return [[name, tuner]];
  const eps = tuner.form === "superlevel" ? 1e-18 : tuner.eps;
  const each: Tuner = { ...tuner, eps, granularity: "parameter" };
  return [
    [name, tuner],
    [`${name}, per tensor`, { ...tuner, granularity: "tensor" }],
    ...(tuner.form === "mechanize" ? [] : [[`${name}, per coordinate`, each] as [string, Tuner]]),
  ];
});

describe.each(engines)("reject, %s engine", (engine) => {
  describe.each(granular)("%s", (_name, tuner) => {
    test.each(Object.entries(bases))("%s: the loss never rises", (_base, base) => {
      for (const problem of problems) {
        const rates = tuner ? [base] : [base, { ...base, learningRate: 1 }];
        for (const rated of rates) {
          const run: RunOptions = { deterministic: true, guard: strict, steps: 60 };
          const { solution, infos, calls } = watch(problem, { base: rated, tuner, engine }, run);
          const losses = [...infos.map(({ loss }) => loss), solution.loss];
          losses.slice(1).forEach((loss, k) => {
            if (!(loss <= losses[k])) throw new Error(`${problem.name}: ${losses[k]} → ${loss} at ${k + 1}`);
          });
          if (calls !== solution.evaluations || calls !== solution.steps + 1 + solution.rejections)
            throw new Error(`${problem.name}: ${calls} calls, ${JSON.stringify(solution)}`);
          if (solution.reason !== "steps") throw new Error(`${problem.name}: ${solution.reason}`);
        }
      }
    });
  });

  test("the default for a deterministic source, within its tolerance", () => {
    const options = { engine, base: sgd({ learningRate: 0.5 }), tuner: null };
    const { solution, infos } = watch(rosenbrock, options, { deterministic: true, steps: 300 });
    expect(solution.rejections).toBeGreaterThan(0);
    expect(solution.violations).toBe(solution.rejections);
    expect(infos.reduce((sum, { rejections }) => sum + rejections, 0)).toBe(solution.rejections);
    for (const { loss, lossAfter } of infos)
      expect(lossAfter! - loss).toBeLessThanOrEqual(2 ** -20 * Math.max(1, loss));
    for (const run of [{ steps: 3 }, { steps: 3, deterministic: true, guard: null }])
      expect(watch(quadratic, options, run).solution).toMatchObject({ evaluations: 4, violations: 0 });
  });
});

describe("a rejected step", () => {
  const gradient = [0.5, -2, 1e-3];
  /** Against the momentum. */
  const turned = gradient.map((g) => -g / 16);
  const start = [1, 2, 3];
  /** Two good steps, a rejected try, a good one. */
  const losses = [9, 8, 7, 10, 6];

  function reject(base: Base, tuner: Tuner | null, late: readonly number[]) {
    const optimizer = createOptimizer(start, { base, tuner });
    const infos: RunInfo[] = [];
    const solution = optimizer.minimize(scripted(losses, gradient, late), {
      deterministic: true,
      steps: 3,
      monitors: [(info) => infos.push(info)],
    });
    expect(solution).toMatchObject({ steps: 3, evaluations: 5, rejections: 1, violations: 1, loss: 6 });
    expect(infos.map(({ rejections }) => rejections)).toEqual([0, 0, 1]);
    expect(optimizer.iterations).toBe(3);
    return { optimizer, infos };
  }

  /** The point, and the second moments, before the rejected step. */
  function before(base: Base) {
    const twin = new Reference(start, { base: base, tuner: null, round: Math.fround });
    twin.step(gradient, 0.25);
    twin.step(gradient, 0.25);
    return { x: twin.x.slice(), nu: twin.nu.slice() };
  }

  const f = Math.fround;
  const second = (nu: number, g: number) => f(f(f(0.999) * nu) + f(f(1 - 0.999) * f(g * g)));
  const updates: Record<string, [Base, (g: number, nu: number) => number]> = {
    sgd: [sgd({ learningRate: 0.25 }), (g) => f(f(-0.125) * g)],
    momentum: [sgd({ learningRate: 0.25, momentum: 0.9 }), (g) => f(f(-0.125) * g)],
    dampening: [sgd({ learningRate: 0.25, momentum: 0.9, dampening: 0.5 }), (g) => f(f(-0.125) * g)],
    lion: [lion({ learningRate: 0.25 }), (g) => -0.125 * Math.sign(g)],
    adam: [
      adam({ learningRate: 0.25 }),
      (g, nu) => {
        const step = f(-0.125 / (1 - 0.9));
        const root = f(f(f(Math.sqrt(second(nu, g))) * f(1 / Math.sqrt(1 - 0.999 ** 3))) + f(1e-8));
        return f(f(step * f(f(1 - 0.9) * g)) / root);
      },
    ],
  };

  test.each(Object.entries(updates))(
    "%s: half the rate, momentum of the present gradient alone, second moments as before",
    (_name, [base, update]) => {
      const { optimizer, infos } = reject(base, null, turned);
      const { x, nu } = before(base);
      expect(infos[2].learningRate).toBe(0.125);
      expect(Array.from(optimizer.params)).toEqual(turned.map((g, i) => f(x[i] + update(f(g), nu[i]))));
    },
  );

  const granularities = ["global", "tensor", "parameter"] as const;
  const lates = { rises: gradient, falls: turned };
  const trends = (["rises", "falls"] as const).flatMap((trend) =>
    granularities.map((granularity) => [trend, granularity] as const),
  );

  test.each(trends)("starts the tuner from ½ min(S, S) where S %s, %s", (trend, granularity) => {
    const tuner = superlevel({ granularity, sInit: 0.01 });
    const scalesOf = ({ scale }: Optimizer) => (typeof scale === "number" ? [scale] : Array.from(scale));
    const free = createOptimizer(start, { base: sgd({ learningRate: 1 }), tuner });
    const [, before, after] = [gradient, gradient, lates[trend]].map((g) => scalesOf(free.step(g) && free));
    const { optimizer } = reject(sgd({ learningRate: 1 }), tuner, lates[trend]);
    scalesOf(optimizer).forEach((S, k) => {
      expect(after[k] > before[k]).toBe(trend === "rises");
      expect(S / (0.5 * Math.min(before[k], after[k]))).toBeCloseTo(1, 5);
    });
  });

  test("a second rejection halves again, from the same point", () => {
    for (const tuner of [null, superlevel({ sInit: 0.01 })]) {
      const optimizer = createOptimizer([1], { base: sgd({ learningRate: 1 }), tuner });
      const free = createOptimizer([1], { base: sgd({ learningRate: 1 }), tuner });
      const solution = optimizer.minimize(scripted([3, 4, 4, 4, 2], [1]), { deterministic: true, steps: 1 });
      expect(solution).toMatchObject({ steps: 1, evaluations: 5, rejections: 3 });
      free.step([1]);
      expect((1 - optimizer.params[0]) / (1 - free.params[0])).toBeCloseTo(1 / 8, 4);
    }
  });

  test("the rate comes back by a tenth a step", () => {
    const { infos } = watch(
      { ...quadratic, source: scripted([5, 6, 6, ...Array<number>(20).fill(4)], [1]), start: [1] },
      { base: sgd({ learningRate: 1 }), tuner: null },
      { deterministic: true, steps: 18 },
    );
    let rate = 0.25;
    for (const [k, { learningRate }] of infos.entries()) {
      expect(learningRate).toBe(rate);
      // The step that was rejected does not count as one that went well.
      if (k > 0) rate = Math.min(1, 1.1 * rate);
    }
    expect(rate).toBe(1);
  });
});

describe("when no try passes", () => {
  const run: RunOptions = { deterministic: true, steps: 9 };

  test.each([
    ["a loss that only rises", (k: number) => k, [1]],
    ["a loss that is NaN everywhere else", (k: number) => (k === 0 ? 1 : NaN), [1]],
  ])("%s: the run ends stalled, as if the step had never been", (_name, lossOf, gradient) => {
    for (const tuner of [null, superlevel(), superlevel({ granularity: "parameter" })]) {
      const optimizer = createOptimizer([4], { gradients: "exact", tuner });
      optimizer.step([2]);
      const state = optimizer.save();
      let calls = 0;
      const source: GradientSource = (_x, grads) => {
        grads.fill(calls === 0 ? gradient[0] : 77);
        return lossOf(calls++);
      };
      const solution = optimizer.minimize(source, { ...run, guard: { policy: "reject", tries: 7 } });
      expect(solution).toEqual({
        loss: lossOf(0),
        steps: 0,
        evaluations: 8,
        violations: 7,
        rejections: 7,
        projections: 0,
        reason: "stalled",
      });
      expect(optimizer.save()).toEqual(state);
      expect(optimizer.grads[0]).toBe(gradient[0]);
    }
  });

  test("a try with a NaN gradient is taken back too", () => {
    const afters: number[] = [];
    let calls = 0;
    const source: GradientSource = (x, grads) => {
      grads[0] = ++calls === 2 ? NaN : x[0];
      return 0.5 * x[0] * x[0];
    };
    const optimizer = createOptimizer([1], { base: sgd({ learningRate: 0.1 }), tuner: null });
    const guard: Guard = { policy: "reject", onViolation: ({ after }) => afters.push(after) };
    const solution = optimizer.minimize(source, { ...run, steps: 2, guard });
    expect(solution).toMatchObject({ rejections: 1, evaluations: 4, reason: "steps" });
    expect(afters).toEqual([NaN]);
  });

  test("an abort ends the tries", () => {
    const controller = new AbortController();
    let calls = 0;
    const source: GradientSource = () => {
      if (++calls === 5) controller.abort();
      return calls;
    };
    const solution = createOptimizer([1]).minimize(source, { ...run, signal: controller.signal });
    expect(solution).toMatchObject({ reason: "aborted", evaluations: 5, loss: 1, steps: 0 });
  });
});

describe("nothing is left behind", () => {
  function stateAt(optimizer: Optimizer, failing: number, run: RunOptions): Uint8Array[] {
    const states: Uint8Array[] = [];
    let calls = 0;
    const source: GradientSource = (x, grads, step) => {
      if (++calls === failing) throw new Error("lost");
      return rosenbrock.source(x, grads, step);
    };
    const before = { start: optimizer.save() };
    const monitors = [() => void (before.start = optimizer.save())];
    expect(() => optimizer.minimize(source, { ...run, monitors })).toThrow("lost");
    states.push(before.start, optimizer.save());
    return states;
  }

  const wild: OptimizerOptions[] = [
    { base: sgd({ learningRate: 0.5 }), tuner: null },
    { gradients: "exact", base: adam(), tuner: superlevel({ sInit: 0.5 }) },
    { gradients: "exact", base: adam(), tuner: superlevel({ sInit: 0.5, granularity: "parameter" }) },
  ];

  test("when the source throws in a trial, the state is as before the step", () => {
    for (const options of wild) {
      for (let failing = 2; failing < 40; failing++) {
        const optimizer = createOptimizer(rosenbrock.start, options);
        const [before, after] = stateAt(optimizer, failing, { deterministic: true, steps: 100 });
        expect(after).toEqual(before);
      }
    }
  });

  test("nor when onViolation throws", () => {
    const optimizer = createOptimizer(rosenbrock.start, wild[0]);
    const state = optimizer.save();
    const onViolation = () => {
      throw new Error("stop");
    };
    const run: RunOptions = { deterministic: true, steps: 5, guard: { policy: "reject", onViolation } };
    expect(() => optimizer.minimize(rosenbrock.source, run)).toThrow("stop");
    expect(optimizer.save()).toEqual(state);
  });

  test("the first step may still be preceded by writing to params", () => {
    const optimizer = createOptimizer([1, 1], wild[1]);
    expect(() =>
      optimizer.minimize(scripted([1, NaN], [1, 1]), { deterministic: true, steps: 1 }),
    ).not.toThrow();
    optimizer.params.set([5, 6]);
    expect(() => optimizer.step([0, 0])).not.toThrow();
  });
});

describe("runs", () => {
  const policies: Guard[] = [{ policy: "reject" }, { policy: "shrink" }, { policy: "warn" }];
  const options: OptimizerOptions[] = [
    { base: sgd({ learningRate: 0.5, momentum: 0.9 }), tuner: null, nonFinite: "skip" },
    { base: adam({ learningRate: 0.5 }), tuner: null },
    { base: adam() },
    { base: sgd({ momentum: 0.9 }), tuner: superlevel({ granularity: "tensor" }) },
    { base: lion(), tuner: superlevel({ granularity: "parameter", sInit: 1e-4 }) },
  ];
  const cases = policies.flatMap((guard) => options.map((each) => [guard.policy, guard, each] as const));

  test.each(cases)(
    "%s: a run resumed in the middle ends the same, and async equals sync",
    async (_p, guard, each) => {
      const run: RunOptions = { deterministic: true, guard, steps: 120 };
      const whole = watch(rosenbrock, each, run);
      const states: Uint8Array[] = [];
      const half = createOptimizer(rosenbrock.start, each);
      half.minimize(rosenbrock.source, { ...run, steps: 70, monitors: [() => states.push(half.save())] });
      const resumed = createOptimizer(2, each).restore(states[69]);
      resumed.minimize(rosenbrock.source, { ...run, steps: 50 });
      expect(resumed.save()).toEqual(whole.optimizer.save());

      const later = createOptimizer(rosenbrock.start, each);
      const slow = (x: Float32Array, grads: Float32Array, step: number) =>
        Promise.resolve().then(() => rosenbrock.source(x, grads, step));
      expect(await later.minimizeAsync(slow, run)).toEqual(whole.solution);
      expect(later.save()).toEqual(whole.optimizer.save());
    },
  );

  test("an async source that rejects in a trial leaves the state as before the step", async () => {
    const optimizer = createOptimizer(rosenbrock.start, options[1]);
    const state = optimizer.save();
    let calls = 0;
    const source = (x: Float32Array, grads: Float32Array, step: number) =>
      ++calls === 2 ? Promise.reject(new Error("lost")) : rosenbrock.source(x, grads, step);
    await expect(optimizer.minimizeAsync(source, { deterministic: true, steps: 3 })).rejects.toThrow("lost");
    expect(optimizer.save()).toEqual(state);
  });

  test("warn changes nothing: neither points nor calls", () => {
    for (const each of options.slice(1)) {
      const record = (guard: Guard | null) => {
        const seen: number[] = [];
        const source: GradientSource = (x, grads, step) => {
          seen.push(step, ...x);
          return rosenbrock.source(x, grads, step);
        };
        const optimizer = createOptimizer(rosenbrock.start, each);
        const { violations } = optimizer.minimize(source, { deterministic: true, steps: 100, guard });
        return { seen, violations, state: optimizer.save() };
      };
      const [free, warned] = [record(null), record({ policy: "warn" })];
      expect(warned.seen).toEqual(free.seen);
      expect(warned.state).toEqual(free.state);
      expect(warned.violations).toBeGreaterThan(0);
    }
  });

  test("shrink lowers the rate before it tells of a violation, which may throw", () => {
    const options: OptimizerOptions = { base: sgd({ learningRate: 1 }), tuner: null };
    const onViolation = () => {
      throw new Error("mine");
    };
    const steep = finiteDifferences(([x]) => 2 * x * x);
    for (const guard of [
      { policy: "shrink", onViolation },
      { policy: "shrink", onViolation, probe: ([x]: Float32Array) => 2 * x * x },
    ] as Guard[]) {
      const optimizer = createOptimizer([2], options);
      expect(() => optimizer.minimize(steep, { steps: 3, guard })).toThrow("mine");
      const next = optimizer.minimize(steep, { steps: 1, guard: { policy: "shrink" } });
      expect(next.violations).toBe(0);
    }
  });

  test("however often it is violated, the rate comes back", () => {
    let factor = 1;
    for (let k = 0; k < 2000; k++) factor = nextFactor(factor, true);
    expect(factor).toBe(2 ** -30);
    for (let k = 0; k < 250; k++) factor = nextFactor(factor, false);
    expect(factor).toBe(1);
  });

  test("shrink halves the rate after a violation, and only then", () => {
    const base = sgd({ learningRate: 2.5 });
    const { infos, solution } = watch(
      quadratic,
      { base, tuner: null },
      { deterministic: true, guard: { policy: "shrink" }, steps: 300 },
    );
    let factor = 1;
    for (const { learningRate, violated, loss, lossAfter } of infos) {
      expect(learningRate).toBe(2.5 * factor);
      expect(violated).toBe(lossAfter! > loss + 2 ** -20 * Math.max(1, loss));
      factor = violated ? factor / 2 : Math.min(1, 1.1 * factor);
    }
    expect(solution.violations).toBe(infos.filter(({ violated }) => violated).length);
    expect(solution).toMatchObject({ rejections: 0, evaluations: 301 });
    expect(solution.violations).toBeGreaterThan(0);
  });

  test("other sources are asked for the same step again", () => {
    const steps: number[] = [];
    const source: GradientSource = (x, grads, step) => {
      steps.push(step);
      grads[0] = x[0] - step;
      return 0.5 * (x[0] - step) ** 2;
    };
    const optimizer = createOptimizer([0], { base: sgd({ learningRate: 1.5 }), tuner: null });
    const solution = optimizer.minimize(source, { steps: 3, guard: { policy: "warn" } });
    expect(steps).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(solution).toMatchObject({ evaluations: 7, violations: 0, reason: "steps" });
  });

  test("a probe is V in place of the loss", () => {
    const found: unknown[] = [];
    const optimizer = createOptimizer([8], { base: sgd({ learningRate: 1 }), tuner: null });
    const infos: RunInfo[] = [];
    const guard: Guard = {
      policy: "warn",
      probe: (x: Float32Array): number => Math.abs(x[0] - 5),
      every: 2,
      onViolation: (violation) => found.push(violation),
    };
    const solution = optimizer.minimize(scripted([1], [1]), {
      steps: 6,
      guard,
      monitors: [(info) => infos.push(info)],
    });
    expect(found).toEqual([{ step: 6, before: 1, after: 3 }]);
    expect(infos.map(({ lossAfter }) => lossAfter)).toEqual([undefined, 1, undefined, 1, undefined, 3]);
    expect(solution).toMatchObject({ evaluations: 7, violations: 1 });
  });
});

describe("the two-cycle of η = a / (1 + ‖g‖) on ½ b x²", () => {
  const source =
    (b: number): GradientSource =>
    ([x], grads) => {
      grads[0] = b * x;
      return 0.5 * b * x * x;
    };
  const cycling = (a: number, schedule = windowDecay(a)): OptimizerOptions => {
    return { base: sgd({ learningRate: schedule }), tuner: null, normAdaptive: true };
  };

  test.each([
    [1, 2.5],
    [1, 3],
    [1, 4],
    [2, 3],
    [1, 10],
  ])("a = %d, b = %d: |x| = a/2 − 1/b without a guard, 9 digits in f64, 6 in float32", (a, b) => {
    const radius = a / 2 - 1 / b;
    const twin = new Reference([0.7], { base: sgd(), tuner: null, normAdaptive: true });
    for (let t = 0; t < 3000; t++) twin.step([b * twin.x[0]], a);
    expect(Math.abs(Math.abs(twin.x[0]) / radius - 1)).toBeLessThan(1e-9);
    const optimizer = createOptimizer([0.7], cycling(a));
    optimizer.minimize(source(b), { steps: 3000 });
    const [x] = optimizer.params;
    optimizer.minimize(source(b), { steps: 1 });
    expect(Math.sign(optimizer.params[0])).toBe(-Math.sign(x));
    expect(Math.abs(Math.abs(x) / radius - 1)).toBeLessThan(1e-6);
    expect(Math.abs(Math.abs(optimizer.params[0]) / radius - 1)).toBeLessThan(1e-6);
  });

  test("decay leaves it, and so does a guard, without a rise", () => {
    const decayed = createOptimizer([0.7], cycling(1, exponentialDecay({ initial: 1, rate: 0.01 })));
    decayed.minimize(source(4), { steps: 140 });
    expect(Math.abs(decayed.params[0])).toBeLessThan(1e-6);
    const window = { start: 0, length: 100 };
    const windowed = createOptimizer(
      [0.7],
      cycling(1, (step) => windowDecay(1)(step, window)),
    );
    windowed.minimize(source(4), { steps: 140 });
    expect(Math.abs(windowed.params[0])).toBeLessThan(1e-6);

    const infos: RunInfo[] = [];
    const run: RunOptions = { deterministic: true, guard: strict, steps: 60 };
    const guarded = createOptimizer([0.7], cycling(1));
    guarded.minimize(source(4), { ...run, monitors: [(info) => infos.push(info)] });
    expect(Math.abs(guarded.params[0])).toBeLessThan(1e-6);
    for (const { loss, lossAfter } of infos) expect(lossAfter).toBeLessThanOrEqual(loss);
  });
});

describe("options", () => {
  const run =
    (guard: unknown, more: object = {}) =>
    () =>
      createOptimizer([1]).minimize(scripted([1], [1]), { steps: 1, guard: guard as Guard, ...more });

  test.each<[unknown, typeof TypeError | typeof RangeError, string]>([
    [{ policy: "stop" }, RangeError, "run.guard.policy"],
    [{}, TypeError, "run.guard.policy"],
    [7, TypeError, "run.guard"],
    [{ policy: "warn", tolerence: 1 }, TypeError, 'run.guard: unknown option "tolerence"'],
    [{ policy: "warn", tolerance: -1 }, RangeError, "run.guard.tolerance"],
    [{ policy: "reject", tries: 0 }, RangeError, "run.guard.tries"],
    [{ policy: "warn", onViolation: 1 }, TypeError, "run.guard.onViolation"],
    [{ policy: "warn", probe: 1 }, TypeError, "run.guard.probe"],
    [{ policy: "reject", probe: () => 1 }, RangeError, "run.guard.probe"],
    [{ policy: "warn", every: 2 }, RangeError, "run.guard.every"],
    [{ policy: "warn", probe: () => 1, every: 0.5 }, RangeError, "run.guard.every"],
    [{ policy: "warn", probe: () => "1" }, TypeError, "run.guard.probe"],
  ])("%j is refused by name", (guard, kind, message) => {
    expect(run(guard)).toThrow(kind);
    expect(run(guard)).toThrow(message);
  });

  test("deterministic is true or false", () => {
    expect(run(null, { deterministic: 1 })).toThrow("run.deterministic: expected true or false");
  });
});
