/**
 * `npm run study -- policies`: are superlevel sets of the return connected (Zeng, Doan and Romberg, 2023), on slices through
 * policies of cart-pole that superlevel and Adam have trained?
 */
import {
  countComponents,
  labelComponents,
  mergeTree,
  project,
  slice,
  windowAround,
} from "superlevel/stability";
import { listed, interval, percent, rounded, table } from "../kit/outcomes.js";
import { mean } from "../kit/statistics.js";
import type { Findings, Run, Study } from "../kit/study.js";
import { colors, escapeXml, picture } from "../kit/svg.js";
import { returnOf, trainedPolicy, type View } from "../reinforcement/train.js";

type Job = {
  readonly view: View;
  /** Adam's learning rate; null is superlevel. */
  readonly rate: number | null;
  readonly updates: number;
  /** Games that a return is the mean length of, the same ones for every policy. */
  readonly games: number;
  readonly longest: number;
  /** Points of the slice across and down. */
  readonly points: number;
  readonly seed: number;
};
type Outcome = {
  /** Steps a game: of both policies, and the lowest on the straight way between them. */
  readonly ends: readonly [number, number];
  readonly lowest: number;
  /** Are both in one component of {return ≥ 0.9 of the lesser}, on the plane through both and where the first began. */
  readonly connected: boolean;
  /** Components of {return ≥ a share of the highest}; by `shares`. */
  readonly components: readonly number[];
  /** Returns on the slice, row by row; of the first seed only. */
  readonly values: readonly number[] | null;
  /** Where on it, in points from the left and from below: both policies, and the start. */
  readonly places: readonly (readonly [number, number])[];
};

const shares = [0.25, 0.5, 0.75, 0.9];
const contender = (rate: number | null) => (rate === null ? "superlevel" : `Adam, ${rate}`);

/** The plane through three points. */
function planeThrough([a, b, c]: readonly Float32Array[]) {
  const [u, v] = [b, c].map((point) => Float64Array.from(point, (value, i) => value - a[i]));
  const along =
    u.reduce((sum, value, i) => sum + value * v[i], 0) / u.reduce((sum, value) => sum + value * value, 0);
  return { origin: a, directions: [u, v.map((value, i) => value - along * u[i])] as const };
}

async function run({ view, rate, seed, ...setting }: Job): Promise<Outcome> {
  const { updates, games, longest, points } = setting;
  const training = { updates, games: 10, longest };
  const [one, other] = [seed, seed + 1000].map((own) =>
    trainedPolicy("REINFORCE", rate, own, training, view),
  );
  const returnAt = (params: ArrayLike<number>) =>
    returnOf(view, Float32Array.from(params), { games, longest, seed: 1 });
  const three = [one.params, other.params, one.start];
  const plane = planeThrough(three);
  const projected = project(three, plane);
  const window = windowAround(projected, 0.25);
  const grid = await slice(returnAt, plane, { ...window, columns: points });
  const tree = mergeTree(grid, { sense: "super" });
  const places = three.map((_, k): [number, number] => [
    cell(projected.x[k], window.x, points),
    cell(projected.y[k], window.y, points),
  ]);
  const ends: [number, number] = [returnAt(one.params), returnAt(other.params)];
  const between = Array.from({ length: 25 }, (_, k) =>
    returnAt(one.params.map((value, i) => value + (k / 24) * (other.params[i] - value))),
  );
  const highest = grid.values.reduce((a, b) => Math.max(a, b));
  return {
    ends: [Number(ends[0].toPrecision(5)), Number(ends[1].toPrecision(5))],
    lowest: Number(Math.min(...between).toPrecision(5)),
    connected: sameComponent(tree, grid.values, points, places),
    components: shares.map((share) => countComponents(tree, share * highest)),
    values: seed === 1 ? Array.from(grid.values, (value) => rounded(value) ?? 0) : null,
    places,
  };
}

/** The nearest point of the grid. */
const cell = (value: number, [from, to]: readonly [number, number], points: number) =>
  Math.round(((value - from) / (to - from)) * (points - 1));

function sameComponent(
  tree: ReturnType<typeof mergeTree>,
  values: Float64Array,
  points: number,
  places: readonly (readonly [number, number])[],
): boolean {
  const [one, other] = places.slice(0, 2).map(([x, y]) => y * points + x);
  const labels = labelComponents(tree, values, 0.9 * Math.min(values[one], values[other]));
  return labels[one] === labels[other];
}

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const rows = contenders().flatMap(({ view, rate }) => {
    const own = runs
      .filter(({ job }) => job.view === view && job.rate === rate)
      .map(({ outcome }) => outcome);
    if (own.length === 0) return [];
    return [
      [
        view,
        contender(rate),
        interval(
          own.map(({ ends }) => mean(ends)),
          0,
        ),
        interval(
          own.map(({ lowest }) => lowest),
          0,
        ),
        percent(mean(own.map(({ connected }) => Number(connected)))),
        ...shares.map((_, k) =>
          interval(
            own.map(({ components }) => components[k]),
            1,
          ),
        ),
      ],
    ];
  });
  const { updates, games, longest, points } = runs[0]?.job ?? {};
  const whole = runs.filter(({ outcome }) => outcome.components.every((count) => count === 1)).length;
  const markdown = `
Zeng, Doan and Romberg (2023) prove of tabular policies, and of networks wide enough, that the superlevel sets of the return are connected. These are small networks, 32 tanh
units, trained by REINFORCE for ${updates} updates, and looked at on planes: through the policies of two seeds and where the first of them began, ${points} × ${points} points, the return at each being the mean
length of ${games} games of at most ${longest} steps, from the same starts and with the same random numbers everywhere. A slice can only show that a set falls apart on it: its parts may be
connected outside. And games are of whole steps: where a return hardly changes, parts of one or two points are grain.

- **both**: mean steps a game of the two policies; **lowest between**: on the straight line from one to the other;
- **connected**: share of seeds where both lie in one component of {return ≥ 0.9 of the lesser one's} on the slice;
- then, mean numbers of components of {return ≥ a share of the highest on the slice}.

${table(["sees", "optimizer", "both", "lowest between", "connected", ...shares.map((share) => `≥ ${share}`)], rows, 2)}

Of ${runs.length} slices ${whole} have one component at all of ${listed(shares.map(String))} of their highest return.

![Returns on the slice of the first seed](policies.svg)
`;
  return { markdown, pictures: { "policies.svg": maps(runs) } };
}

/** Returns as shades, one map for each contender of the first seed. */
function maps(runs: readonly Run<Job, Outcome>[]): string {
  const shown = runs.filter(({ outcome }) => outcome.values !== null);
  const side = 210;
  const content = shown.flatMap(({ job, outcome }, k) => {
    const size = side / job.points;
    const [left, top] = [14 + (k % 4) * (side + 14), 60 + Math.floor(k / 4) * (side + 34)];
    const at = ([x, y]: readonly [number, number]) => [
      left + (x + 0.5) * size,
      top + side - (y + 0.5) * size,
    ];
    const cells = outcome.values!.map((value, i) => {
      const [x, y] = at([i % job.points, Math.floor(i / job.points)]);
      const shade = Math.round(245 - (205 * value) / job.longest);
      return `<rect x="${(x - size / 2).toFixed(1)}" y="${(y - size / 2).toFixed(1)}" width="${(size + 0.3).toFixed(1)}" height="${(size + 0.3).toFixed(1)}" fill="rgb(${shade},${shade},${Math.min(255, shade + 25)})"/>`;
    });
    const marks = outcome.places.map((place, m) => {
      const [x, y] = at(place);
      return m === 2
        ? `<path d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8" stroke="${colors[1]}" stroke-width="2"/>`
        : `<circle cx="${x}" cy="${y}" r="5" fill="none" stroke="${colors[0]}" stroke-width="2"/>`;
    });
    return [
      `<text x="${left}" y="${top - 6}">${escapeXml(`sees ${job.view}: ${contender(job.rate)}`)}</text>`,
      ...cells,
      ...marks,
    ];
  });
  const note = "Dark: long games. Rings: the policies of two seeds; cross: where the first began";
  const rows = Math.ceil(shown.length / 4);
  return picture(4 * (side + 14) + 14, 60 + rows * (side + 34), "Returns of policies on planes", [
    `<text x="14" y="40">${note}</text>`,
    ...content,
  ]);
}

const contenders = () =>
  (["all", "positions twice"] as const).flatMap((view) => [null, 0.01, 0.03].map((rate) => ({ view, rate })));

export const study: Study<Job, Outcome> = {
  title: "Superlevel sets of the return",
  edition: 1,
  seeds: 10,
  jobs: ({ quick, seeds }) =>
    seeds.flatMap((seed) =>
      contenders().map(({ view, rate }) => ({
        ...{ view, rate },
        ...(quick
          ? { updates: 3, games: 2, longest: 30, points: 9 }
          : { updates: 30, games: 6, longest: 300, points: 25 }),
        seed,
      })),
    ),
  run,
  report,
};
