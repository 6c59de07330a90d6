import { OptimizerError, type GradientSource, type Monitor } from "superlevel";

import { createRandom } from "../../studies/kit/random.js";
import type { Landscape } from "./landscapes.js";
import type { Racer } from "./racers.js";

/** The course of one run: index k is the point after k steps. */
export interface Trace {
  readonly x: number[];
  readonly y: number[];
  /** V: the landscape's loss there, without noise. */
  readonly losses: number[];
  /** The rate of step k + 1: η, times S where there is a tuner. */
  readonly rates: number[];
  /** S of step k + 1; NaN without a tuner. */
  readonly scales: number[];
  /** Why it ended before the last step; empty if it did not. */
  readonly ended: string;
}

export interface RaceRun {
  readonly landscape: Landscape;
  readonly start: readonly [number, number];
  readonly steps: number;
  /** The loss may not fall below it (Algorithm 1, step 10). */
  readonly floor?: number;
}

/** Samples of a step are drawn from its number, so that every racer meets the same ones. */
export function sourceOf({ loss, gradient, noise = 0 }: Landscape): GradientSource {
  if (noise === 0) return ([x, y], grads) => (grads.set(gradient(x, y)), loss(x, y));
  return ([x, y], grads, step) => {
    const random = createRandom(1000 + step);
    const [dx, dy] = [noise * random.normal(), noise * random.normal()];
    grads.set(gradient(x - dx, y - dy));
    return loss(x - dx, y - dy);
  };
}

/** Runs a racer to the end. All of a race is known before it is played. */
export function runTrace(run: RaceRun, racer: Racer, rate: number): Trace {
  const { landscape, start, steps, floor } = run;
  const optimizer = racer.create(start, rate);
  const tuned = optimizer.config.tuner !== null;
  const [x, y, losses, rates, scales]: number[][] = [[], [], [], [], []];
  const keep = ({ params }: { params: Float32Array }) => {
    x.push(params[0]);
    y.push(params[1]);
    losses.push(landscape.loss(params[0], params[1]));
  };
  const monitor: Monitor = {
    beforeStep: keep,
    afterStep: ({ learningRate, scale }: { learningRate: number; scale: number }) => {
      rates.push(tuned ? learningRate * scale : learningRate);
      scales.push(tuned ? scale : NaN);
    },
  };
  let ended = "";
  try {
    optimizer.minimize(sourceOf(landscape), {
      steps,
      monitors: [monitor],
      ...(floor !== undefined && { level: { value: floor, action: "project" } }),
    });
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    ended = error.code === "singular" ? "cannot start where x is 0" : `diverged at step ${losses.length}`;
  }
  optimizer.dispose();
  return { x, y, losses, rates, scales, ended };
}

/** The place in a trace that a race at step `step` shows. */
export const placeAt = (trace: Trace, step: number): number => Math.min(Math.floor(step), trace.x.length - 1);
