/**
 * `npm run study -- reinforcement`: cart-pole by REINFORCE and actor-critic, superlevel as it comes against Adam at several
 * rates; also where the speeds are hidden.
 */
import { bandPoint, bandChart } from "../kit/chart.js";
import { bySetting, clearlyBelow, interval, listed, rounded, table } from "../kit/outcomes.js";
import type { Findings, Run, Study } from "../kit/study.js";
import { train, type Method, type Setting, type View } from "./train.js";

const methods: readonly Method[] = ["REINFORCE", "actor-critic"];
const views: readonly View[] = ["all", "positions", "positions twice"];
const rates = [0.003, 0.01, 0.03, 0.1];

type Job = Setting & {
  readonly method: Method;
  readonly view: View;
  /** Adam's; null is superlevel. */
  readonly rate: number | null;
  readonly seed: number;
};
/** Mean steps a game before each update, and after the last. */
type Outcome = readonly (number | null)[];

const contender = (rate: number | null) => (rate === null ? "superlevel" : `Adam, ${rate}`);
const after = (outcomes: readonly Outcome[], update: number) =>
  outcomes.map((lengths) => lengths[update] ?? 0);

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const settings = bySetting(runs, ({ method, view, rate }) => `${method}|${view}|${contender(rate)}`);
  const { updates = 1, games, longest } = runs[0]?.job ?? {};
  const ends = [Math.ceil(updates / 3), Math.ceil((2 * updates) / 3), updates];
  const rows = [...settings].map(([name, outcomes]) => [
    ...name.split("|"),
    ...ends.map((end) => interval(after(outcomes, end), 0)),
  ]);
  const pairs = methods.flatMap((method) => views.map((view) => `${method}|${view}`));
  const sentences = pairs.flatMap((pair) => {
    const own = settings.get(`${pair}|superlevel`);
    if (own === undefined) return [];
    const adams = rates.flatMap((rate) => {
      const outcomes = settings.get(`${pair}|${contender(rate)}`);
      return outcomes ? [{ rate, lengths: after(outcomes, updates) }] : [];
    });
    const names = (some: typeof adams) => listed(some.map(({ rate }) => `${rate}`));
    const mine = after(own, updates);
    const above = adams.filter(({ lengths }) => clearlyBelow(lengths, mine));
    const below = adams.filter(({ lengths }) => clearlyBelow(mine, lengths));
    return `- ${pair.replace("|", ", sees ")}: longer games than Adam at ${names(above)}; shorter than at ${names(below)}.`;
  });
  const markdown = `
Cart-pole with the numbers of Gym's CartPole-v1, a policy network with 32 tanh units, and another for the critic's expectations; ${games} games
an update, of at most ${longest} steps each. REINFORCE scales returns to mean 0 and deviation 1; actor-critic subtracts what the critic expects. The
player sees all of the state; or only where the cart is and how the pole leans, without their speeds, which makes the problem partially
observed; or that now and a fiftieth of a second before. Mean steps a game lasts, mean and 95 % interval over seeds; more is better.
superlevel is as it comes.

${table(["method", "sees", "optimizer", ...ends.map((end) => `after ${end} updates`)], rows, 3)}

By 95 % intervals of the difference, seed by seed, after ${updates} updates superlevel has

${sentences.join("\n")}

![Steps a game by the number of updates](reinforcement.svg)
`;
  return { markdown, pictures: { "reinforcement.svg": picture(settings, updates) } };
}

function picture(settings: ReadonlyMap<string, readonly Outcome[]>, updates: number): string {
  const shown = Array.from({ length: updates + 1 }, (_, k) => k).filter((k) => updates < 12 || k % 3 === 0);
  const panels = views.map((view) => ({
    title: `sees ${view}`,
    lines: [null, ...rates].map((rate) => {
      const outcomes = settings.get(`${methods[0]}|${view}|${contender(rate)}`) ?? [];
      const points = shown.map((update) => {
        const lengths = after(outcomes, update);
        return bandPoint(update, lengths);
      });
      return { name: contender(rate), points };
    }),
  }));
  return bandChart({
    title: "Cart-pole by REINFORCE",
    note: "bands are 95 % intervals over seeds",
    x: { title: "updates" },
    y: { title: "steps a game" },
    panels,
  });
}

export const study: Study<Job, Outcome> = {
  title: "Cart-pole, seen and half seen",
  edition: 1,
  seeds: 10,
  jobs: ({ quick, seeds }) =>
    seeds.flatMap((seed) =>
      methods.flatMap((method) =>
        views.flatMap((view) =>
          [null, ...(quick ? [0.03] : rates)].map((rate) => ({
            ...{ method, view, rate, seed },
            ...(quick ? { updates: 3, games: 2, longest: 50 } : { updates: 30, games: 10, longest: 500 }),
          })),
        ),
      ),
    ),
  run: ({ method, view, rate, seed, ...setting }) =>
    train(method, rate, seed, setting, view).map((length) => rounded(length)),
  report,
};
