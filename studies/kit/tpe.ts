import type { Random } from "./random.js";

/** A point of the unit cube, and how it did: less is better. */
export interface Trial {
  readonly point: readonly number[];
  readonly loss: number;
}

/** Trials at random before there is anything to learn from; the share that counts as good; points that are tried for the next. */
const [STARTS, GOOD, CANDIDATES] = [5, 0.25, 24];

/**
 * The tree-structured Parzen estimator (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011), for numbers without
 * conditions: the next trial is the candidate with the largest l(x) / g(x), where l is a mixture of normals around the good
 * trials and g one around the others, each with the uniform prior as a further part; candidates are drawn from l, each coordinate by itself.
 * A normal is as wide as the larger gap to its neighbours in the mixture.
 */
export function nextPoint(trials: readonly Trial[], dimensions: number, random: Random): number[] {
  if (trials.length < STARTS) return Array.from({ length: dimensions }, () => random.uniform());
  const sorted = [...trials].sort((a, b) => a.loss - b.loss);
  const good = Math.ceil(GOOD * sorted.length);
  return Array.from({ length: dimensions }, (_, k) => {
    const [l, g] = [sorted.slice(0, good), sorted.slice(good)].map((some) =>
      mixture(some.map(({ point }) => point[k])),
    );
    let [best, most] = [0, -Infinity];
    for (let c = 0; c < CANDIDATES; c++) {
      const x = l.draw(random);
      const ratio = Math.log(l.density(x)) - Math.log(g.density(x));
      if (ratio > most) [best, most] = [x, ratio];
    }
    return best;
  });
}

/** Normals around values in [0, 1], cut off there, and the uniform density, all with the same weight. */
function mixture(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const least = 1 / Math.min(100, sorted.length + 2);
  const parts = sorted.map((centre, i) => {
    const gap = Math.max(centre - (sorted[i - 1] ?? 0), (sorted[i + 1] ?? 1) - centre);
    return { centre, width: Math.min(1, Math.max(least, gap)) };
  });
  const normal = (x: number, { centre, width }: (typeof parts)[number]) =>
    Math.exp(-(((x - centre) / width) ** 2) / 2) / (width * Math.sqrt(2 * Math.PI)) / inside(centre, width);
  return {
    density: (x: number) => (1 + parts.reduce((sum, part) => sum + normal(x, part), 0)) / (parts.length + 1),
    draw(random: Random): number {
      const which = random.below(parts.length + 1);
      if (which === parts.length) return random.uniform();
      const { centre, width } = parts[which];
      for (;;) {
        const x = centre + width * random.normal();
        if (x >= 0 && x <= 1) return x;
      }
    },
  };
}

/** The share of a normal that lies in [0, 1], by the midpoints of a hundred strips. */
function inside(centre: number, width: number): number {
  let sum = 0;
  for (let k = 0; k < 100; k++) sum += Math.exp(-((((k + 0.5) / 100 - centre) / width) ** 2) / 2);
  return sum / 100 / (width * Math.sqrt(2 * Math.PI));
}
