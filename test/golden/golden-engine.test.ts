/** The recorded runs again, this time through the public API on the engines, in float32. */
import { describe, expect, test } from "vitest";
import * as api from "../../src/index.js";
import { createOptimizer, exponentialDecay, sgd, type Optimizer } from "../../src/index.js";
import { assertClose } from "./close.js";
import { setupOf, UnknownBase, type Setup } from "./config.js";
import { goldenMissing, loadGoldens, type Golden } from "./load.js";
import { problems, type Problem } from "./problems.js";
import { openLoop, type Stepper } from "./replay.js";
import { runsOf, type Run } from "./runs.js";
import { engines, type EngineName } from "../support/engines.js";
import { errorOf } from "../support/errors.js";

const goldens = loadGoldens();
const setups = goldens.filter(({ config }) => config).flatMap(readable);

/** The files whose options the package has, too. */
function readable(golden: Golden): { golden: Golden; setup: Setup }[] {
  try {
    const setup = setupOf(golden);
    // The package's forms start where they start.
    return setup.sStart ? [] : [{ golden, setup }];
  } catch (error) {
    if (error instanceof UnknownBase) return [];
    throw error;
  }
}

const startsAtZero = ({ x0 }: Setup) => x0.every((x) => x === 0);

/** `alpha` comes from outside, as the recorded schedules may be anything. */
function optimizerOf(
  engine: EngineName,
  setup: Setup,
  changes: Partial<Setup>,
  alpha: () => number,
): Optimizer {
  const { base, tuner, tensors, normAdaptive, clip, x0 } = { ...setup, ...changes };
  let first = 0;
  const specs = tensors.map(({ size, ...options }) => {
    first += size;
    return { shape: [size], values: x0.slice(first - size, first), ...options };
  });
  return createOptimizer(specs, {
    base: { ...base, learningRate: alpha },
    tuner: tuner && api[tuner.form](tuner),
    normAdaptive,
    clip,
    engine,
  });
}

/** An engine behind the calls of the replay. Additive forms move by less than float32 can show. */
function stepperOf(engine: EngineName, setup: Setup): Stepper {
  let alpha = 0;
  const optimizer = optimizerOf(engine, setup, {}, () => alpha);
  const moves = setup.tuner?.delta !== "additive";
  return {
    x: optimizer.params,
    step(g, scheduled) {
      alpha = scheduled;
      const { scale, learningRate, gradNorm } = optimizer.step(g);
      const sums = { sum_s: scale, eta: learningRate, grad_norm: gradNorm };
      return moves ? { params: optimizer.params, ...sums } : sums;
    },
  };
}

/** Float32 itself, or float64 runs that float32 can follow: Δ that is remade from x loses all its digits. */
function followed(setup: Setup, run: Run): boolean {
  return run.precision === "f32" || (!run.mixed && setup.tuner?.delta !== "reconstructed");
}

const replays = setups
  .filter(({ setup }) => !(setup.tuner?.delta === "additive" && startsAtZero(setup)))
  .flatMap(({ golden, setup }) =>
    runsOf(golden)
      .filter((run) => followed(setup, run))
      .map((run) => ({
        name: `${golden.file} ${run.name}`,
        setup,
        run: { ...run, precision: "f32" as const },
      })),
  );

/** 500 steps on the problem's own gradients; returns the loss before and after, and the farthest move. */
function train(problem: Problem, optimizer: Optimizer) {
  const lossAndGradient = problems[problem.kind];
  const x0 = optimizer.params.slice();
  const { loss } = optimizer.minimize(
    (x, grads) => {
      const { loss, gradient } = lossAndGradient(problem, x);
      grads.set(gradient);
      return loss;
    },
    { steps: 500 },
  );
  const farthest = x0.reduce((max, x, i) => Math.max(max, Math.abs(optimizer.params[i] - x)), 0);
  return { first: lossAndGradient(problem, x0).loss, last: loss, farthest };
}

const literal = setups.filter(
  ({ golden }) => golden.kind.startsWith("seed_") && problems[golden.problem!.kind],
);
const additive = literal.filter(({ setup }) => setup.tuner?.delta === "additive" && !startsAtZero(setup));
const atZero = literal.filter(({ setup }) => startsAtZero(setup));

const named = <T extends { golden: Golden }>(list: T[]): [string, T][] =>
  list.map((entry) => [entry.golden.file, entry]);

const rowsOf = <Row>(kind: string) => (goldens.find((golden) => golden.kind === kind)?.rows ?? []) as Row[];

interface NormRow {
  g: number[];
  alpha_t: number;
  gnorm_exact: number;
  eta_exact: number;
}

const normRows = rowsOf<NormRow>("norm_adaptive_table");
/** As far as float32's sums of squares go. */
const inRange = ({ gnorm_exact: norm }: NormRow) => norm < 1e18;

test.skipIf(goldenMissing !== null && !process.env.CI)(goldenMissing ?? "recorded runs are there", () => {
  expect(goldenMissing ?? "", "CI needs the recorded runs").toBe("");
  for (const list of [replays, additive, atZero, normRows]) expect(list.length).toBeGreaterThan(0);
  expect(new Set(replays.map(({ setup }) => setup.tuner?.form))).toEqual(
    new Set(["mechanic", "equations", "algorithm1", undefined]),
  );
});

describe.skipIf(goldenMissing !== null).each(engines)("%s engine", (engine) => {
  test.each(replays.map((replay) => [replay.name, replay] as const))("%s", (_name, { setup, run }) => {
    const { steps, columns } = openLoop(setup, run, (given) => stepperOf(engine, given));
    expect(steps).toBeGreaterThan(20);
    if (setup.tuner?.delta !== "additive") expect(columns).toContain("params");
    if (setup.tuner) expect(columns).toContain("sum_s");
  });

  test.each(normRows.filter(inRange))("η = $alpha_t / (1 + ‖$g‖) (14)", (row) => {
    const options = { base: sgd({ learningRate: row.alpha_t }), tuner: null, normAdaptive: true, engine };
    const { gradNorm, learningRate } = createOptimizer(row.g.length, options).step(row.g);
    // Squares are summed in float32: what is below 1e-19 vanishes from the norm.
    assertClose("‖g‖", gradNorm, row.gnorm_exact, { relative: 1e-6, absolute: 1e-19 });
    assertClose("η", learningRate, row.eta_exact, { relative: 1e-6 });
  });

  test.each(normRows.filter((row) => !inRange(row)))("‖$g‖ is an error in float32, not a NaN", (row) => {
    const options = { base: sgd({ learningRate: row.alpha_t }), tuner: null, normAdaptive: true, engine };
    const optimizer = createOptimizer(row.g.length, options);
    const error = errorOf(() => optimizer.step(row.g));
    expect(error).toMatchObject({ name: "OptimizerError", code: "diverged", step: 1 });
    expect(error.message).toMatch(/^step 1: (grads\[0\] is Infinity|the gradient's norm is 14\d{19};)/);
    expect(Array.from(optimizer.params)).toEqual(row.g.map(() => 0));
  });

  test.each(named(additive))("%s: the additive Δ freezes", (_name, { golden, setup }) => {
    let t = 0;
    const optimizer = optimizerOf(engine, setup, {}, () => setup.schedule(++t));
    const { first, last, farthest } = train(golden.problem!, optimizer);
    expect(farthest).toBeLessThan(1e-7);
    expect(Math.abs(last / first - 1)).toBeLessThan(1e-6);
  });

  test.each(named(atZero))("%s: x = 0 is an error, and nothing has changed", (_name, { golden, setup }) => {
    const [optimizer, untouched] = [1, 2].map(() => optimizerOf(engine, setup, {}, () => 1));
    const error = errorOf(() => train(golden.problem!, optimizer));
    expect(error).toMatchObject({ name: "OptimizerError", code: "singular", step: 1 });
    expect(error.message).toMatch(/‖x‖ and x = 0/);
    expect(optimizer.iterations).toBe(0);
    expect(Array.from(optimizer.params)).toEqual(setup.x0);
    const somewhere = setup.x0.map((_, i) => 1 + i);
    for (const each of [optimizer, untouched]) each.setParams(somewhere).step(somewhere);
    expect(optimizer.save()).toEqual(untouched.save());
  });

  test.each(named([...additive, ...atZero]))(
    "%s: superlevel() converges on it",
    (_name, { golden, setup }) => {
      const problem = golden.problem!;
      const { first, last } = train(problem, createOptimizer(setup.x0, { engine }));
      const best = createOptimizer(setup.x0, { engine });
      for (let k = 0; k < 6; k++) train(problem, best);
      const bottom = problems[problem.kind](problem, best.params).loss;
      // No rate was chosen, and at most a twentieth of the way is left.
      expect(last - bottom).toBeLessThan(0.05 * (first - bottom));
    },
  );

  test("at tiny rates a reconstructed Δ does not move in float32, a stored one does", () => {
    const { golden, setup } = setups.find(({ golden }) => golden.file.includes("f32stall"))!;
    const run = (delta: "reconstructed" | "stored") => {
      const tuner = { ...setup.tuner!, delta };
      const optimizer = optimizerOf(engine, setup, { tuner }, () => setup.schedule(1));
      return { ...train(golden.problem!, optimizer), scale: optimizer.scale as number };
    };
    const remade = run("reconstructed");
    expect(remade.farthest).toBe(0);
    const recorded = runsOf(golden).find(({ name }) => name === "f32")!;
    assertClose("S", remade.scale, recorded.tail.sum_s.at(-1), { relative: 1e-3 });
    const stored = run("stored");
    expect(stored.farthest).toBeGreaterThan(0.1);
    expect(stored.last).toBeLessThan(0.1 * stored.first);
  });
});

const decayRows = rowsOf<[number, number, number, number]>("exp_decay_table");

test.skipIf(goldenMissing !== null)("exponentialDecay is α0 exp(−λt) (34), rounded once", () => {
  expect(decayRows.length).toBeGreaterThan(100);
  for (const [initial, rate, step, expected] of decayRows) {
    const actual = exponentialDecay({ initial, rate })(step, { start: 0, length: Infinity });
    // Below the smallest normal number the spacing is absolute.
    assertClose(`${initial} exp(-${rate} ${step})`, actual, expected, { relative: 1e-12, absolute: 1e-322 });
  }
});
