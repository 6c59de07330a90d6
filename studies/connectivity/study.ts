/**
 * `npm run study -- connectivity`: where descents end in landscapes with known minima, and through which components of the
 * sublevel sets they go.
 */
import { adam, createOptimizer, OptimizerError, sgd, type OptimizerOptions } from "superlevel";
import { safeColors } from "../kit/chart.js";
import { bySetting, clearlyBelow, interval, listed, rounded, table } from "../kit/outcomes.js";
import { createRandom } from "../kit/random.js";
import { mean } from "../kit/statistics.js";
import type { Findings, Run, Study } from "../kit/study.js";
import { escapeXml, picture, place } from "../kit/svg.js";
import { landscape, landscapeNames, type Landscape, type LandscapeName } from "./landscapes.js";

interface Contender {
  readonly options: (rate: number) => OptimizerOptions;
  readonly guard?: boolean;
  /** One that needs no rate has 1. */
  readonly rates: readonly number[];
}

const contenders: Record<string, Contender> = {
  superlevel: { options: () => ({}), rates: [1] },
  "superlevel, guarded": { options: () => ({}), guard: true, rates: [1] },
  Adam: { options: (learningRate) => ({ base: adam({ learningRate }), tuner: null }), rates: [0.01, 0.1, 1] },
  "gradient descent": {
    options: (learningRate) => ({ base: sgd({ learningRate }), tuner: null }),
    rates: [1e-4, 1e-3, 1e-2, 0.1],
  },
  "momentum 0.9": {
    options: (learningRate) => ({ base: sgd({ learningRate, momentum: 0.9 }), tuner: null }),
    rates: [1e-4, 1e-3, 1e-2, 0.1],
  },
};
/** Starts lie on a grid of so many by so many, each seed's shifted by less than its spacing. */
const across = 10;

type Job = {
  readonly landscape: LandscapeName;
  readonly contender: string;
  readonly rate: number;
  readonly steps: number;
  readonly seed: number;
};
type Outcome = {
  /** Where each start ended: the number of a minimum, the lowest is 0; −1 where at none. */
  readonly ends: readonly number[];
  /** Mean over starts of the final loss above the lowest minimum; null where some diverged. */
  readonly excess: number | null;
  /** Share of starts that ended in another component of {L ≤ L(start)} than that of the start. */
  readonly left: number | null;
  /** Steps, per run, whose ends lie in different components of {L ≤ the higher of the two}. */
  readonly leaps: number | null;
};

export function startsOf({ reach }: Landscape, seed: number): (readonly [number, number])[] {
  const random = createRandom(seed);
  const spacing = (1.8 * reach) / across;
  const [dx, dy] = [random.uniform(), random.uniform()];
  return Array.from({ length: across * across }, (_, k) => [
    ((k % across) + dx) * spacing - 0.9 * reach,
    (Math.floor(k / across) + dy) * spacing - 0.9 * reach,
  ]);
}

interface Way {
  readonly end: number;
  readonly loss: number;
  readonly left: boolean;
  readonly leaps: number;
}

function follow(shape: Landscape, { contender, rate, steps }: Job, start: readonly [number, number]): Way {
  const { options, guard } = contenders[contender];
  const optimizer = createOptimizer(start, options(rate));
  const points: number[][] = [];
  const remember = () => void points.push([...optimizer.params]);
  remember();
  try {
    const source = ([x, y]: Float32Array, grads: Float32Array) => {
      grads.set(shape.gradient(x, y));
      return shape.loss(x, y);
    };
    const policy = guard ? ({ policy: "reject" } as const) : null;
    optimizer.minimize(source, { steps, deterministic: true, guard: policy, monitors: [remember] });
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    points.push([Infinity, Infinity]);
  } finally {
    optimizer.dispose();
  }
  const levels = points.map(([x, y]) => shape.loss(x, y));
  const leaps = points.filter(
    (point, t) => t > 0 && shape.apart(points[t - 1], point, Math.max(levels[t - 1], levels[t])),
  );
  const last = points[points.length - 1];
  return {
    end: shape.minima.findIndex(([x, y]) => Math.hypot(x - last[0], y - last[1]) < 0.1),
    loss: levels[levels.length - 1],
    left: levels[levels.length - 1] <= levels[0] && shape.apart(points[0], last, levels[0]),
    leaps: leaps.length,
  };
}

function run(job: Job): Outcome {
  const shape = landscape(job.landscape);
  const ways = startsOf(shape, job.seed).map((start) => follow(shape, job, start));
  const lowest = shape.loss(...shape.minima[0]);
  return {
    ends: ways.map(({ end }) => end),
    excess: rounded(mean(ways.map(({ loss }) => loss)) - lowest),
    left: rounded(mean(ways.map(({ left }) => Number(left)))),
    leaps: rounded(mean(ways.map(({ leaps }) => leaps))),
  };
}

/** In percent, for each seed: starts that ended at a minimum that is as low as any, or at another. */
function arrivals(name: LandscapeName, outcomes: readonly Outcome[], lowest: boolean): number[] {
  const { loss, minima } = landscape(name);
  const isLowest = minima.map((minimum) => loss(...minimum) - loss(...minima[0]) < 1e-6);
  const counts = (end: number) => Number(end !== -1 && isLowest[end] === lowest);
  return outcomes.map(({ ends }) => 100 * mean(ends.map(counts)));
}

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const settings = bySetting(runs, ({ landscape, contender, rate }) => `${landscape}|${contender}|${rate}`);
  const rows = [...settings].map(([name, outcomes]) => {
    const [where, contender, rate] = name.split("|");
    const numbers = (field: "excess" | "left" | "leaps") =>
      outcomes.flatMap((outcome) => outcome[field] ?? []);
    return [
      ...[where, contender, contenders[contender].rates.length > 1 ? rate : "–"],
      interval(arrivals(where as LandscapeName, outcomes, true), 1),
      interval(arrivals(where as LandscapeName, outcomes, false), 1),
      numbers("excess").length < outcomes.length ? "–" : interval(numbers("excess"), 3),
      interval(
        numbers("left").map((value) => 100 * value),
        1,
      ),
      interval(numbers("leaps"), 2),
    ];
  });
  const head = [
    "landscape",
    "algorithm",
    "rate",
    "at the lowest, %",
    "at another, %",
    "mean excess",
    "left, %",
    "leaps",
  ];
  const shown = rows.filter(([, , rate]) => rate === "–" || Number(rate) >= 0.01);
  const found = landscapeNames.filter((name) => rows.some(([where]) => where === name));
  const sentences = found.map((name) => {
    const own = settings.get(`${name}|superlevel|1`) ?? [];
    const more = [...settings].filter(
      ([key, outcomes]) =>
        key.startsWith(`${name}|`) && clearlyBelow(arrivals(name, own, true), arrivals(name, outcomes, true)),
    );
    const names = more.map(([key]) =>
      key
        .split("|")
        .slice(1)
        .join(" at ")
        .replace(/(superlevel.*) at 1$/, "$1"),
    );
    const { tree } = landscape(name);
    return `- **${name}**: ${tree.bars.length} minima. By 95 % intervals of the difference, seed by seed, these reach the lowest more often than superlevel: ${listed(names)}.`;
  });
  const markdown = `
${across * across} starts on a grid for each seed, ${runs[0]?.job.steps} steps with exact gradients; mean and 95 % interval over seeds. The components of
the sublevel sets {L ≤ level} come from a merge tree, and no step of any algorithm changes them ([level-sets.md](../level-sets.md)).

- **at the lowest**, **at another**: the share of starts that ended within 0.1 of a minimum as low as any, or of another one; what is missing to
  100 % had not arrived anywhere, or diverged;
- **mean excess**: the final loss above the lowest minimum; a dash where some run diverged;
- **left**: the share of starts that ended in another component of {L ≤ L(start)} than the start's, which the gradient flow cannot;
- **leaps**: steps of a run whose two ends lie in different components of {L ≤ the higher of both}: they jump over a ridge.

The double well is (x² − 1)² + 0.3 x + y², of which the minimum at x < 0 is the lower one; Himmelblau's four are all 0. "guarded" takes back steps at which
the loss rises. Rates below 0.01 are in [connectivity.json](connectivity.json).

${table(head, shown, 3)}

${sentences.join("\n")}

![Where the starts of the first seeds end on Himmelblau's function](connectivity.svg)
`;
  return { markdown, pictures: { "connectivity.svg": map(runs) } };
}

/** Starts on Himmelblau's function in the colour of the minimum where they end, one panel for each algorithm. */
function map(runs: readonly Run<Job, Outcome>[]): string {
  const shape = landscape("Himmelblau");
  const first = Math.min(...runs.map(({ job }) => job.seed));
  const own = runs.filter(({ job }) => job.landscape === "Himmelblau" && job.seed < first + 4);
  const names = Object.keys(contenders);
  const size = 200;
  const panels = names.flatMap((name, k) => {
    // The middle one of its rates.
    const rate = contenders[name].rates[Math.floor((contenders[name].rates.length - 1) / 2)];
    const left = 14 + k * (size + 14);
    const at = (value: number, first: number, last: number) =>
      place(value, -shape.reach, shape.reach, first, last);
    const paths = [-1, 0, 1, 2, 3].map((minimum) => {
      const dots = own.flatMap(({ job, outcome }) =>
        job.contender !== name || job.rate !== rate
          ? []
          : startsOf(shape, job.seed)
              .filter((_, i) => outcome.ends[i] === minimum)
              .map(([x, y]) => `M${at(x, left, left + size)} ${at(y, 66 + size, 66)}h.1`),
      );
      const color = minimum === -1 ? "#bbb" : safeColors[minimum];
      return `<path d="${dots.join("")}" stroke="${color}" stroke-width="7" stroke-linecap="round"/>`;
    });
    const title = contenders[name].rates.length > 1 ? `${name}, ${rate}` : name;
    return [
      `<text x="${left}" y="58" font-weight="600">${escapeXml(title)}</text>`,
      `<rect x="${left}" y="66" width="${size}" height="${size}" fill="none" stroke="#ccc"/>`,
      ...paths,
      ...shape.minima.map(
        ([x, y], minimum) =>
          `<circle cx="${at(x, left, left + size)}" cy="${at(y, 66 + size, 66)}" r="5" fill="${safeColors[minimum]}" stroke="#000" stroke-width="1.5"/>`,
      ),
      `<text x="${left}" y="${size + 80}">${-shape.reach}</text>`,
      `<text x="${left + size}" y="${size + 80}" text-anchor="end">x = ${shape.reach}</text>`,
    ];
  });
  const note =
    "Each dot is a start, in the colour of the minimum (ringed) where it ends; grey: at none. y upwards";
  return picture(names.length * (size + 14) + 14, size + 92, "Himmelblau's function: where starts end", [
    `<text x="14" y="40">${note}, from ${-shape.reach} to ${shape.reach} as x</text>`,
    ...panels,
  ]);
}

export const study: Study<Job, Outcome> = {
  title: "Where descents end",
  edition: 1,
  seeds: 10,
  jobs: ({ quick, seeds }) =>
    seeds.flatMap((seed) =>
      landscapeNames.flatMap((name) =>
        Object.entries(contenders).flatMap(([contender, { rates }]) =>
          rates
            .slice(quick ? -2 : 0)
            .map((rate) => ({ landscape: name, contender, rate, steps: quick ? 100 : 500, seed })),
        ),
      ),
    ),
  run,
  report,
};
