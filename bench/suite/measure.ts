import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Bench } from "tinybench";
import { seededRandom } from "../../src/sources/random.js";
import { refresh, type Contender, type Effort, type Scene, type Take } from "./contender.js";

/** Nanoseconds a step, round by round; the contenders' names are the keys. */
export type Times = Record<string, number[]>;

const random = seededRandom(1);

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** Short steps are timed several at once; not too many, as they all go against one gradient. */
const defaultSteps = (size: number) => Math.min(20, Math.max(1, Math.round(2e4 / size)));

function runner({ step, isAsync }: Contender, steps: number): () => unknown {
  if (isAsync) {
    return async () => {
      for (let k = 0; k < steps; k++) await step();
    };
  }
  return () => {
    for (let k = 0; k < steps; k++) step();
  };
}

/** Runs until the compiler has done its work, and finds how many samples make a turn: their median counts. */
export async function prepare(contender: Contender, steps: number, effort: Effort): Promise<Take> {
  const { name, vectors, isAsync = false } = contender;
  const run = runner(contender, steps);
  const times: number[] = [];
  for (let spent = 0; spent < effort.warmUp || times.length < 3;) {
    if (vectors) refresh(vectors);
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
    spent += times[times.length - 1];
    if (spent > 10 * effort.warmUp) break;
  }
  const typical = Math.min(...times.slice(-5));
  const iterations = Math.max(1, Math.min(25, Math.round(effort.turn / typical)));
  return async () => {
    const bench = new Bench({ time: 0, iterations, warmup: false });
    bench.add(name, run, { async: isAsync, beforeEach: () => vectors && refresh(vectors) });
    const [{ result }] = await bench.run();
    if (result.state !== "completed") throw new Error(`${name}: ${JSON.stringify(result)}`);
    return (result.latency.p50 * 1e6) / steps;
  };
}

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

/** Contenders take turns, in an order drawn anew for every round; the first round does not count. */
export async function measure(scene: Scene, effort: Effort): Promise<Times> {
  // What the scene before let go is gigabytes.
  collect();
  const contenders = await scene.create();
  const steps = scene.stepsAtOnce ?? defaultSteps(scene.size);
  const turns: { name: string; take: Take }[] = [];
  for (const contender of contenders) {
    const { name } = contender;
    const take = await (contender.prepare?.(steps, effort) ?? prepare(contender, steps, effort));
    turns.push({ name, take });
  }
  const times: Times = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < effort.rounds; round++) {
    for (const { name, take } of shuffled(turns)) {
      const time = await take();
      if (round >= 0) times[name].push(time);
    }
  }
  for (const { dispose } of contenders) dispose?.();
  return times;
}
