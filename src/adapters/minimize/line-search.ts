/** A point of the line: its step, fun there, and the slope along the line, NaN where it was not asked for. */
export interface Trial {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

/** Of the slope at 0: fun falls by so much of it at least, and the slope is at most so much of it in size. */
const [DESCENT, CURVATURE] = [1e-4, 0.9];
const MOST_TRIALS = 40;
/** An interval that is halved by each of two trials loses at least a fifth; steps grow fourfold while fun falls. */
const [MARGIN, GROWTH] = [0.1, 4];

/** The minimum of the cubic through two points with slopes, or of the parabola where only the first has one. */
function interpolate(a: Trial, b: Trial): number {
  const width = b.step - a.step;
  const rise = (b.value - a.value) / width;
  if (!Number.isFinite(rise)) return a.step + MARGIN * width;
  if (!Number.isFinite(b.slope)) return a.step - (a.slope * width) / (2 * (rise - a.slope));
  const theta = a.slope + b.slope - 3 * rise;
  const root = Math.sign(width) * Math.sqrt(Math.max(0, theta * theta - a.slope * b.slope));
  return b.step - (width * (b.slope + root - theta)) / (b.slope - a.slope + 2 * root);
}

/**
 * A step that satisfies the strong Wolfe conditions: fun falls by 1e-4 of what the slope promises, and the slope is at most
 * 0.9 of what it was, in size (Nocedal and Wright, algorithms 3.5 and 3.6). In the last digits of fun, where its fall is
 * rounding, the slope alone is trusted (Hager and Zhang 2005, "approximate Wolfe"): fun may rise by `noise` there.
 * Returns the best point found that satisfies the first condition, or undefined where there is none.
 */
export function strongWolfe<T extends Trial>(
  at: (step: number) => T,
  begin: T,
  first: number,
  noise: number,
): T | undefined {
  const steep = Math.abs(begin.slope);
  const falls = ({ step, value, slope }: Trial) =>
    value <= begin.value - DESCENT * step * steep ||
    (value <= begin.value + noise && Math.abs(slope) <= (1 - 2 * DESCENT) * steep);
  let [low, high]: [T, T | undefined] = [begin, undefined];
  let step = first;
  for (let k = 0; k < MOST_TRIALS; k++) {
    const trial = at(step);
    if (!falls(trial) || trial.value > low.value + noise) high = trial;
    else if (Math.abs(trial.slope) <= CURVATURE * steep) return trial;
    else {
      if (trial.slope * ((high?.step ?? Infinity) - low.step) >= 0) high = low;
      low = trial;
    }
    if (!high) step *= GROWTH;
    else {
      const margin = MARGIN * (high.step - low.step);
      const ends = [low.step + margin, high.step - margin].sort((a, b) => a - b);
      const best = interpolate(low, high);
      step = Number.isNaN(best) ? (low.step + high.step) / 2 : Math.min(ends[1], Math.max(ends[0], best));
      if (step === low.step || step === high.step) break;
    }
    if (!Number.isFinite(step)) break;
  }
  return low === begin ? undefined : low;
}
