import { landscapeOf, landscapes } from "./landscapes.js";
import { racers } from "./racers.js";

/** Everything that a race's page shows follows from this. */
export interface RaceState {
  readonly landscape: string;
  readonly start: readonly [number, number];
  readonly on: readonly string[];
  /** By racer. */
  readonly rates: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly step: number;
  /** Steps in a second. */
  readonly speed: number;
  readonly playing: boolean;
  readonly view: "surface" | "map";
  readonly side: "sub" | "super";
  /** λ as the share of the window that lies below it, 0 to 1. */
  readonly level: number;
  /** Whether the loss may not fall below λ. */
  readonly flood: boolean;
}

export const STEPS = [50, 100, 300, 1000, 3000];
export const SPEEDS = [2, 10, 30, 60, 200, 1000];
const ON = ["superlevel", "adam", "sgd", "momentum", "algorithm1"];

/** Sliders of rates: powers of ten, in quarters. */
export const LEAST_RATE = -5;
export const MOST_RATE = 1.5;
export const rateOf = (exponent: number): number => Number((10 ** exponent).toPrecision(3));
export const exponentOf = (rate: number): number => Math.round(4 * Math.log10(rate)) / 4;

export function defaultState(landscape = landscapes[0].id): RaceState {
  const { id, start } = landscapeOf(landscape);
  return {
    landscape: id,
    start,
    on: ON,
    rates: Object.fromEntries(racers.flatMap(({ id, rate }) => (rate === undefined ? [] : [[id, rate]]))),
    steps: 1000,
    step: 0,
    speed: 200,
    playing: false,
    view: "surface",
    side: "sub",
    level: 0.15,
    flood: false,
  };
}

/** Writes what differs from the landscape's defaults. */
export function formatState(state: RaceState): URLSearchParams {
  const usual = defaultState(state.landscape);
  const values = new URLSearchParams();
  if (state.landscape !== landscapes[0].id) values.set("on", state.landscape);
  if (String(state.start) !== String(usual.start)) values.set("start", state.start.join(","));
  if (String(state.on) !== String(usual.on)) values.set("racers", state.on.join(","));
  const moved = Object.keys(usual.rates).filter((id) => state.rates[id] !== usual.rates[id]);
  if (moved.length > 0) values.set("rates", moved.map((id) => `${id}:${state.rates[id]}`).join(","));
  for (const key of ["steps", "step", "speed", "view", "side", "level"] as const) {
    const value = key === "step" ? Math.floor(state.step) : state[key];
    if (value !== usual[key]) values.set(key, String(value));
  }
  for (const key of ["playing", "flood"] as const) if (state[key]) values.set(key, "1");
  return values;
}

/** Reads an address; what is missing or senseless in it is as usual. */
export function parseState(values: URLSearchParams): RaceState {
  const usual = defaultState(values.get("on") ?? undefined);
  const among = <Value>(key: string, all: readonly Value[], other: Value): Value =>
    all.find((value) => String(value) === values.get(key)) ?? other;
  const start = (values.get("start") ?? "").split(",").map(Number);
  const steps = among("steps", STEPS, usual.steps);
  return {
    ...usual,
    start: start.length === 2 && start.every(Number.isFinite) ? [start[0], start[1]] : usual.start,
    on: values.has("racers")
      ? racers.map(({ id }) => id).filter((id) => values.get("racers")!.split(",").includes(id))
      : usual.on,
    rates: { ...usual.rates, ...ratesIn(values.get("rates") ?? "") },
    steps,
    step: Math.round(within(values.get("step"), 0, steps, 0)),
    speed: among("speed", SPEEDS, usual.speed),
    playing: values.get("playing") === "1",
    view: among("view", ["surface", "map"] as const, usual.view),
    side: among("side", ["sub", "super"] as const, usual.side),
    level: within(values.get("level"), 0, 1, usual.level),
    flood: values.get("flood") === "1",
  };
}

function ratesIn(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => pair.split(":"));
  return Object.fromEntries(
    pairs
      .map(([id, rate]) => [id, Number(rate)] as const)
      .filter(([id, rate]) => rate > 0 && rate < 1e6 && racers.some((one) => one.id === id && one.rate)),
  );
}

function within(text: string | null, low: number, high: number, other: number): number {
  const value = text === null || text === "" ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : other;
}
