import { digits, spreadOf, type Measured, type Results } from "./results.js";

/** How a contender's time changed from one run to another. */
export interface Change {
  readonly scene: string;
  readonly size: number;
  readonly contender: string;
  /** New time ÷ old, each against its scene's reference. */
  readonly relative: number;
  /** New time ÷ old, each against its whole run's pace. */
  readonly absolute: number;
  /** What either has to exceed to be more than noise. */
  readonly noise: number;
  readonly verdict: "slower" | "faster" | "same";
}

const FLOOR = 0.05;
const DEVIATIONS = 4;

interface Estimate {
  readonly median: number;
  /** Relative standard error of the median. */
  readonly error: number;
}

function estimate(values: readonly number[]): Estimate {
  const { median, low, high } = spreadOf(values);
  // Of a normal distribution: the quartiles are 1.35 σ apart, and a median's error is 1.25 σ / √n.
  const error = ((1.25 / 1.35) * (high - low)) / median / Math.sqrt(values.length);
  return { median, error };
}

const against = ({ times }: Measured, contender: string, reference: string) =>
  estimate(times[contender].map((time, round) => time / times[reference][round]));

/** Not of this package: what stays the same from one version to the next. */
const isForeign = (name: string) => /plain JS|^C, |^tfjs|^jax|^read-modify-write/.test(name);

/** Scenes that both runs have, with the contenders that both have. */
function pairs(before: Results, after: Results) {
  return after.scenes.flatMap((now) => {
    const then = before.scenes.find(({ name, size }) => name === now.name && size === now.size);
    if (!then) return [];
    return [{ then, now, names: Object.keys(now.times).filter((name) => name in then.times) }];
  });
}

/** How much slower the machine was in the second run: the median over what is not ours. */
function paceOf(before: Results, after: Results): number {
  const ratios = pairs(before, after).flatMap(({ then, now, names }) =>
    names
      .filter(isForeign)
      .map((name) => spreadOf(now.times[name]).median / spreadOf(then.times[name]).median),
  );
  return ratios.length > 0 ? spreadOf(ratios).median : 1;
}

/**
 * A change counts if it is beyond noise both ways: against the scene's reference, which shares the scene's moods, and
 * in time at the run's pace, which a reference that was compiled otherwise does not move.
 */
export function compare(before: Results, after: Results): Change[] {
  const pace = paceOf(before, after);
  return pairs(before, after).flatMap(({ then, now, names }) =>
    names
      .filter((name) => !isForeign(name))
      .map((contender): Change => {
        const [a, b] = [then, now].map((scene) => against(scene, contender, scene.reference));
        const [timeA, timeB] = [then, now].map(({ times }) => estimate(times[contender]));
        const relative = b.median / a.median;
        const absolute = timeB.median / timeA.median / pace;
        const errors = [a, b, timeA, timeB].map(({ error }) => error);
        const noise = Math.max(FLOOR, DEVIATIONS * Math.hypot(...errors.map((error) => error / Math.SQRT2)));
        const [least, most] = [Math.min(relative, absolute), Math.max(relative, absolute)];
        const verdict = least > 1 + noise ? "slower" : most < 1 / (1 + noise) ? "faster" : "same";
        return { scene: now.name, size: now.size, contender, relative, absolute, noise, verdict };
      }),
  );
}

export function inWords({ scene, size, contender, relative, absolute, noise, verdict }: Change): string {
  const percent = (value: number) => `${value < 1 ? "−" : "+"}${digits(100 * Math.abs(value - 1))} %`;
  return (
    `${verdict}: ${scene}, n = ${size}, ${contender}: ` +
    `${percent(relative)} against the reference, ${percent(absolute)} in time (noise ${digits(100 * noise)} %)`
  );
}
