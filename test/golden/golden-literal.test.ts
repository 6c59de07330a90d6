/** What the paper's printed forms do to the recorded problems, and what the default form does instead. */
import { describe, expect, test } from "vitest";
import { assertClose } from "./close.js";
import { setupOf, UnknownBase, type Setup } from "./config.js";
import { goldenMissing, loadGoldens, type Golden } from "./load.js";
import { problems, type Problem } from "./problems.js";
import { adamOf, Reference, tunerOf, type Alpha } from "../reference.js";

const steps = 500;

interface Case {
  golden: Golden;
  problem: Problem;
  setup: Setup;
}

const cases = loadGoldens().flatMap(caseOf);
const moving = cases.filter(({ setup }) => !startsAtZero(setup));
const frozen = moving.filter(({ setup }) => setup.tuner?.delta === "additive");
const atZero = cases.filter(({ setup }) => startsAtZero(setup));

/** The printed forms on a problem that can be evaluated here. */
function caseOf(golden: Golden): Case[] {
  const { kind, problem } = golden;
  if (!kind.startsWith("seed_") || !problem || !problems[problem.kind]) return [];
  try {
    return [{ golden, problem, setup: setupOf(golden) }];
  } catch (error) {
    if (error instanceof UnknownBase) return [];
    throw error;
  }
}

function startsAtZero({ x0 }: Setup): boolean {
  return x0.every((x) => x === 0);
}

function named(list: Case[]): [string, Case][] {
  return list.map((entry) => [entry.golden.file, entry]);
}

/** The loss at the start and at the end, and the farthest that any parameter went. */
function train(problem: Problem, twin: Reference, alpha: Alpha) {
  const lossAndGradient = problems[problem.kind];
  const x0 = twin.x.slice();
  let farthest = 0;
  for (let t = 1; t <= steps; t++) {
    twin.step(lossAndGradient(problem, twin.x).gradient, alpha);
    farthest = twin.x.reduce((max, x, i) => Math.max(max, Math.abs(x - x0[i])), farthest);
  }
  return { first: lossAndGradient(problem, x0).loss, last: lossAndGradient(problem, twin.x).loss, farthest };
}

/** Falls by a factor e from one anchor to the next, and starts again there: these gradients are exact. */
const windowDecay: Alpha = (step, { start, length }) => Math.exp(-(step - start) / length);

/** About the lowest loss near x0, by many tuned steps of the plain base. */
function lowest(problem: Problem, x0: number[]): number {
  let best = Infinity;
  for (const alpha0 of [1, 0.1, 0.01]) {
    const twin = new Reference(x0, { base: adamOf(), tuner: null });
    for (let t = 1; t <= 3000; t++) {
      const { loss, gradient } = problems[problem.kind](problem, twin.x);
      best = Math.min(best, loss);
      twin.step(gradient, alpha0 * Math.exp(-t / 400));
    }
  }
  return best;
}

const missing = goldenMissing ? `: ${goldenMissing}` : "";

describe.skipIf(cases.length === 0)(`the printed forms on the recorded problems${missing}`, () => {
  test(`${frozen.length} with the additive Delta, ${atZero.length} that start at 0`, () => {
    expect(moving.length).toBeGreaterThan(0);
  });

  test.for(named(frozen))("%s: the additive Delta freezes", ([, { golden, problem, setup }]) => {
    const { first, last, farthest } = train(problem, new Reference(setup.x0, setup), setup.schedule);
    expect(farthest).toBeLessThan(1e-8 * Math.max(1, setup.schedule(0)));
    expect(Math.abs(last / first - 1)).toBeLessThan(1e-8);
    const recorded = golden.summary?.max_abs_param_move;
    const rounding = 1e-15 * Math.max(...setup.x0.map(Math.abs));
    if (recorded) assertClose("farthest", farthest, recorded, { relative: 1e-10, absolute: rounding });
  });

  test.for(named(atZero))("%s: |x| = 0 is an error, not a NaN", ([, { problem, setup }]) => {
    const twin = new Reference(setup.x0, setup);
    const { gradient } = problems[problem.kind](problem, twin.x);
    expect(() => twin.step(gradient, setup.schedule(1))).toThrow(/\|x\| = 0/);
    expect(Array.from(twin.x)).toEqual(setup.x0);
    expect(twin.iterations).toBe(0);
  });

  test.for(named(moving))("%s: the default form trains where it does not", ([, { problem, setup }]) => {
    const printed = train(problem, new Reference(setup.x0, setup), setup.schedule);
    const twin = new Reference(setup.x0, { base: adamOf(), tuner: tunerOf("superlevel") });
    const chosen = train(problem, twin, windowDecay);
    expect(twin.kind).toBe("exact");
    const bottom = Math.min(lowest(problem, setup.x0), chosen.last);
    // No rate was chosen, and at most a twentieth of the way is left.
    expect(chosen.last - bottom).toBeLessThan(0.05 * (chosen.first - bottom));
    expect(chosen.last - bottom).toBeLessThan(0.25 * (printed.last - bottom));
  });

  test.for(named(atZero))("%s: the default form starts from |x| = 0", ([, { problem, setup }]) => {
    const twin = new Reference(setup.x0, { base: adamOf(), tuner: tunerOf("superlevel") });
    const { first, last } = train(problem, twin, windowDecay);
    expect(twin.kind).toBe("exact");
    const bottom = Math.min(lowest(problem, setup.x0), last);
    expect(last - bottom).toBeLessThan(0.05 * (first - bottom));
  });
});
