import { OptimizerError } from "superlevel";
import type { Contender } from "./contenders.js";
import type { Problem } from "./problem.js";

/** One training, read at some lengths. */
export interface Outcome {
  readonly initial: number;
  /** The whole problem's loss after so many steps; null where the run had diverged. */
  readonly losses: readonly (readonly [length: number, loss: number | null])[];
  /** How often, after a third of the steps, the smoothed loss rose above three times the least so far. */
  readonly spikes: number;
  readonly milliseconds: number;
}

const initialLosses = new WeakMap<Problem, Map<number, number>>();

/** Measured once for all contenders: with many examples it takes its time. */
export function initialLoss(problem: Problem, seed: number): number {
  const known = initialLosses.get(problem) ?? new Map<number, number>();
  initialLosses.set(problem, known);
  const loss = known.get(seed) ?? problem.loss(problem.start(seed));
  known.set(seed, loss);
  return loss;
}

/** One run of `steps` steps, read at all of `lengths`. */
export function train(
  problem: Problem,
  contender: Pick<Contender, "create">,
  seed: number,
  steps: number,
  lengths: readonly number[],
): Outcome {
  const start = problem.start(seed);
  const initial = initialLoss(problem, seed);
  const source = problem.source(seed);
  const counter = spikeCounter(initial, Math.floor(steps / 3));
  const begin = performance.now();
  const descent = contender.create(start, steps);
  const read = new Map<number, number>();
  try {
    for (let step = 1; step <= steps; step++) {
      const loss = source(descent.params, descent.grads, step);
      if (!Number.isFinite(loss)) break;
      counter.look(loss, step);
      descent.step(loss);
      if (lengths.includes(step)) read.set(step, problem.loss(descent.result?.() ?? descent.params));
    }
  } catch (error) {
    if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
  }
  descent.end?.();
  return {
    initial,
    losses: lengths.map((length) => {
      const loss = read.get(length) ?? NaN;
      return [length, Number.isFinite(loss) ? loss : null];
    }),
    spikes: counter.spikes(),
    milliseconds: Math.round(performance.now() - begin),
  };
}

/** Losses below 1e-4 of the first are not looked at: there a factor of three is nothing. */
export function spikeCounter(initial: number, from: number) {
  let [smooth, least, count] = [NaN, Infinity, 0];
  let above = false;
  return {
    look(loss: number, step: number): void {
      smooth = step === 1 ? loss : 0.95 * smooth + 0.05 * loss;
      least = Math.min(least, smooth);
      const high = smooth > 3 * Math.max(least, 1e-4 * initial);
      if (high && !above && step > from) count++;
      if (high) above = true;
      else if (smooth < 2 * least) above = false;
    },
    spikes: () => count,
  };
}

const [floor, ceiling] = [1e-8, 10];

/** log10 of a loss, kept between 1e-8 and 10 times the first; the latter also where the run diverged. */
export function logLoss(loss: number | null, initial: number): number {
  const relative = loss === null ? Infinity : loss / initial;
  return Math.log10(initial) + Math.log10(Math.min(ceiling, Math.max(floor, relative)));
}

export function diverged(loss: number | null, initial: number): boolean {
  return loss === null || loss >= ceiling * initial;
}
