/** The level of Alg. 1 step 10: where it stops a step, and what it costs in calls of the source. */
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  sgd,
  superlevel,
  type GradientSource,
  type Level,
  type OptimizerOptions,
  type RunInfo,
  type RunOptions,
} from "../../src/index.js";
import { bisect, checkLevel } from "../../src/run/level.js";
import { engines } from "../support/engines.js";

const curvatures = [1, 0.3, 0.05];
const start = [1, -2, 3];
const bowl: GradientSource = (x, grads) => {
  let loss = 0;
  curvatures.forEach((a, i) => {
    grads[i] = a * x[i];
    loss += 0.5 * a * x[i] * x[i];
  });
  return loss;
};

const value = 0.125;
const options: Record<string, OptimizerOptions> = {
  "plain sgd": { base: sgd({ learningRate: 0.3 }), tuner: null },
  "plain adam": { base: adam({ learningRate: 0.1 }), tuner: null },
  superlevel: {},
  "superlevel per coordinate": { tuner: superlevel({ granularity: "parameter" }) },
  "superlevel, Δ reconstructed": { tuner: superlevel({ delta: "reconstructed" }) },
};

function run(each: OptimizerOptions, more: Partial<RunOptions>, source = bowl) {
  const optimizer = createOptimizer(start, each);
  const infos: RunInfo[] = [];
  const monitors = [(info: RunInfo) => infos.push(info)];
  let calls = 0;
  const counted: GradientSource = (x, grads, step) => {
    calls++;
    return source(x, grads, step);
  };
  const solution = optimizer.minimize(counted, { deterministic: true, steps: 300, monitors, ...more });
  return { optimizer, solution, infos, calls };
}

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(options))("%s", (_name, plain) => {
    const each = { ...plain, engine };

    test("passes below without a level", () => {
      expect(run(each, { guard: null }).solution.loss).toBeLessThan(0.9 * value);
    });

    test.each([null, undefined])("project ends within the tolerance above it (guard %s)", (guard) => {
      for (const tolerance of [undefined, 1e-3, 1e-5]) {
        const level: Level = { value, action: "project", tolerance };
        const { solution, infos, calls, optimizer } = run(each, { level, guard });
        expect(solution.loss).toBeGreaterThanOrEqual(value);
        expect(solution.loss).toBeLessThanOrEqual(value + (tolerance ?? 2 ** -20));
        const grads = new Float32Array(3);
        expect(solution.loss).toBe(bowl(optimizer.params.slice(), grads, 1));
        expect(optimizer.grads).toEqual(grads);
        for (const { lossAfter } of infos) expect(lossAfter).toBeGreaterThanOrEqual(value);
        expect(solution.evaluations).toBe(calls);
        expect(solution.projections).toBe(infos.filter(({ projected }) => projected).length);
        expect(solution).toMatchObject({ reason: "stalled" });
      }
    });

    test("shrink never goes below", () => {
      const level: Level = { value, action: "shrink" };
      const { solution, infos, calls } = run(each, { level, guard: null });
      expect(solution.loss).toBeGreaterThanOrEqual(value);
      for (const { lossAfter } of infos) expect(lossAfter).toBeGreaterThanOrEqual(value);
      expect(solution.projections).toBeGreaterThan(0);
      expect(solution.evaluations).toBe(calls);
    });

    test("the point is the reference after a projection: the run can go on, be saved and resumed", () => {
      const level: Level = { value, action: "project" };
      const { optimizer, infos } = run(each, { level, until: ({ projected }) => projected });
      expect(infos.at(-1)?.projected).toBe(true);
      const copy = createOptimizer(3, each).restore(optimizer.save());
      for (const one of [optimizer, copy]) one.step([0.1, -0.2, 0.3]);
      expect(Array.from(copy.params)).toEqual(Array.from(optimizer.params));
    });
  });
});

describe("calls of the source", () => {
  const line: GradientSource = (x, grads) => {
    grads[0] = 1;
    return x[0];
  };
  const plain: OptimizerOptions = { base: sgd({ learningRate: 1 }), tuner: null };

  test("project: one for the step, one for each halving", () => {
    // From 1 to 0; ½, ¼ and ⅜ are tried; 0.3 ≤ ⅜ ≤ 0.3 + 0.08.
    const optimizer = createOptimizer([1], plain);
    const level: Level = { value: 0.3, action: "project", tolerance: 0.08 };
    const solution = optimizer.minimize(line, { deterministic: true, steps: 1, level });
    expect(solution).toMatchObject({ loss: 0.375, evaluations: 5, projections: 1, reason: "steps" });
    expect(optimizer.params[0]).toBe(0.375);
    expect(optimizer.iterations).toBe(1);
  });

  test("project: the point found is asked for again when it was not the last", () => {
    // ½ and ¼; the last one is outside.
    const optimizer = createOptimizer([1], plain);
    const level: Level = { value: 0.3, action: "project", tries: 2 };
    const solution = optimizer.minimize(line, { deterministic: true, steps: 1, level });
    expect(solution).toMatchObject({ loss: 0.5, evaluations: 5 });
    expect(optimizer.params[0]).toBe(0.5);
  });

  test("shrink: one for each try", () => {
    const optimizer = createOptimizer([1], plain);
    const level: Level = { value: 0.7, action: "shrink" };
    const infos: RunInfo[] = [];
    const solution = optimizer.minimize(line, {
      deterministic: true,
      steps: 1,
      level,
      monitors: [(info) => infos.push(info)],
    });
    expect(solution).toMatchObject({ loss: 0.75, evaluations: 4, projections: 1 });
    expect(infos[0].learningRate).toBe(0.25);
  });

  test("shrink: the point stays where no try is enough", () => {
    const optimizer = createOptimizer([1], plain);
    const level: Level = { value: 0.999, action: "shrink", tries: 3 };
    const solution = optimizer.minimize(line, { deterministic: true, steps: 100, level });
    expect(solution).toMatchObject({ loss: 1, reason: "stalled", steps: 20, evaluations: 81 });
    expect(optimizer.params[0]).toBe(1);
    expect(optimizer.grads[0]).toBe(1);
  });

  test("other sources are asked for the same step again", () => {
    const steps: number[] = [];
    const source: GradientSource = (x, grads, step) => {
      steps.push(step);
      return line(x, grads, step);
    };
    const optimizer = createOptimizer([2], plain);
    const level: Level = { value: 0.5, action: "project", tolerance: 0 };
    const solution = optimizer.minimize(source, { steps: 2, level });
    expect(steps).toEqual([1, 1, 2, 2, 2, 3]);
    expect(solution).toMatchObject({ loss: 0.5, evaluations: 6, projections: 1 });
  });

  test("a step from below the level is left alone", () => {
    const optimizer = createOptimizer([0], plain);
    const level: Level = { value: 1, action: "project" };
    const solution = optimizer.minimize(line, { deterministic: true, steps: 3, level });
    expect(solution).toMatchObject({ loss: -3, evaluations: 4, projections: 0 });
  });

  test.each(["project", "shrink"] as const)(
    "%s: a source that throws in a trial changes nothing",
    async (action) => {
      const exact: OptimizerOptions = { gradients: "exact" };
      const tuner = superlevel({ granularity: "parameter", sInit: 1 });
      for (const each of [plain, exact, { ...exact, tuner }]) {
        for (let failing = 2; failing < 40; failing++) {
          const optimizer = createOptimizer([1], each);
          let state = optimizer.save();
          let calls = 0;
          const source: GradientSource = (x, grads, step) => {
            if (++calls === failing) throw new Error("lost");
            return line(x, grads, step);
          };
          const monitors = [() => void (state = optimizer.save())];
          const rest: RunOptions = {
            deterministic: true,
            steps: 60,
            monitors,
            level: { value: 0.4, action },
          };
          if (failing % 2) expect(() => optimizer.minimize(source, rest)).toThrow("lost");
          else await expect(optimizer.minimizeAsync(source, rest)).rejects.toThrow("lost");
          expect(optimizer.save()).toEqual(state);
        }
      }
    },
  );

  test("a rejected step keeps what the guard lowered when the level shortens the next try", () => {
    // Tries from 1: rate 4 rises, rate 2 falls below, rate 1 does not.
    const optimizer = createOptimizer([1], { base: sgd({ learningRate: 4 }), tuner: null });
    const source: GradientSource = ([x], grads) => {
      grads[0] = 1;
      return x < -2 ? 9 : x < -0.5 ? -1 : x + 1;
    };
    const infos: RunInfo[] = [];
    const solution = optimizer.minimize(source, {
      deterministic: true,
      steps: 1,
      level: { value: 0.9, action: "shrink" },
      monitors: [(info) => infos.push(info)],
    });
    expect(infos[0]).toMatchObject({ learningRate: 1, rejections: 1, projected: true, lossAfter: 1 });
    expect(solution).toMatchObject({ rejections: 1, projections: 1, evaluations: 4, loss: 1 });
  });
});

describe("bisect", () => {
  test("finds the boundary of a function that falls through the level", () => {
    const level = checkLevel({ value: 0.2, action: "project", tolerance: 1e-7, tries: 60 })!;
    const search = bisect(level, 1);
    let point = search.next();
    while (!point.done) point = search.next((1 - point.value) ** 3);
    expect(point.value.loss).toBeGreaterThanOrEqual(0.2);
    expect(point.value.loss).toBeLessThanOrEqual(0.2 + 1e-7);
    expect(point.value.theta).toBeCloseTo(1 - 0.2 ** (1 / 3), 6);
  });

  test("asks for nothing at the boundary, and takes NaN for outside", () => {
    const level = checkLevel({ value: 0.2, action: "project", tries: 4 })!;
    expect(bisect(level, 0.2).next()).toEqual({ done: true, value: { theta: 0, loss: 0.2 } });
    const search = bisect(level, 1);
    const asked = [search.next().value, ...[NaN, NaN, NaN].map((loss) => search.next(loss).value)];
    expect(asked).toEqual([0.5, 0.25, 0.125, 0.0625]);
    expect(search.next(NaN).value).toEqual({ theta: 0, loss: 1 });
  });
});

test.each([
  [{ action: "project" }, TypeError, "run.level.value"],
  [{ value: Infinity, action: "project" }, RangeError, "run.level.value"],
  [{ value: 1 }, TypeError, "run.level.action"],
  [{ value: 1, action: "flood" }, RangeError, "run.level.action"],
  [{ value: 1, action: "project", tolerance: -1 }, RangeError, "run.level.tolerance"],
  [{ value: 1, action: "project", tries: 0.5 }, RangeError, "run.level.tries"],
  [{ value: 1, action: "project", slack: 1 }, TypeError, 'run.level: unknown option "slack"'],
  [null, TypeError, "run.level"],
])("%j is refused by name", (level, kind, message) => {
  const start = () => createOptimizer([1]).minimize(bowl, { steps: 1, level: level as never });
  expect(start).toThrow(kind);
  expect(start).toThrow(message);
});
