/**
 * `npm run bench -- threads`: a step shared by threads against the same step by one. Contenders take turns in one process;
 * ratios are medians over rounds. "rested": each step comes after a gradient computed here, while the other threads
 * have gone to sleep. "in a row": steps follow each other, and the threads are awake.
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { adam, createOptimizer, sgd, superlevel, type Optimizer } from "superlevel";
import { createThreadedOptimizer } from "superlevel/threads";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "41" },
    threads: { type: "string", default: String(availableParallelism()) },
    sizes: { type: "string", default: "3000,10000,20000,30000,50000,100000,300000,1000000,10000000" },
    base: { type: "string", default: "adam" },
  },
});
const rounds = Number(options.rounds);
const threads = Number(options.threads);
const base = { adam: adam({ learningRate: 1e-3 }), sgd: sgd({ learningRate: 1e-3 }) }[options.base];
if (!base) throw new RangeError(`--base: expected adam or sgd, got ${options.base}`);

const tuner = superlevel({ anchor: null });
const at = (values: number[], share: number) => values[Math.round(share * (values.length - 1))];

/** A quadratic's gradient, so that nobody runs away. */
function refresh({ params: x, grads: g }: Optimizer, draw: number): void {
  for (let i = 0; i < g.length; i++) g[i] = x[i] - ((i * 7 + draw * 13) & 63) / 64;
}

/** Milliseconds a step. */
function time(optimizer: Optimizer, steps: number): number {
  const begin = performance.now();
  for (let k = 0; k < steps; k++) optimizer.step();
  return (performance.now() - begin) / steps;
}

interface Measured {
  readonly alone: number[];
  readonly ratios: number[];
}

function measure(pair: readonly [Optimizer, Optimizer], steps: number): Measured {
  const alone: number[] = [];
  const ratios: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const times = [0, 0];
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      refresh(pair[which], round);
      if (steps > 1) pair[which].step();
      times[which] = time(pair[which], steps);
    }
    if (round < 0) continue;
    alone.push(times[0]);
    ratios.push(times[0] / times[1]);
  }
  const ascending = (a: number, b: number) => a - b;
  return { alone: alone.sort(ascending), ratios: ratios.sort(ascending) };
}

const load = loadavg()[0].toFixed(1);
console.log(`Node ${process.version}, ${cpus()[0].model}, ${cpus().length} cores, load ${load} before`);
console.log(
  `${options.base}, superlevel; ${threads} threads; medians of ${rounds} rounds, 10 %–90 % in brackets`,
);
const rows: Record<string, Record<string, string>> = {};
for (const size of options.sizes.split(",").map(Number)) {
  const start = new Float32Array(size).fill(0.5);
  const one = createOptimizer(start, { base, tuner });
  const many = await createThreadedOptimizer(start, { base, tuner, threads, threshold: 0 });
  const rested = measure([one, many], 1);
  const row = measure([one, many], Math.max(2, Math.min(20, Math.round(1e6 / size))));
  const show = ({ ratios }: Measured) =>
    `${at(ratios, 0.5).toFixed(2)} (${at(ratios, 0.1).toFixed(2)}–${at(ratios, 0.9).toFixed(2)})`;
  rows[size] = {
    "one thread, µs": (1e3 * at(row.alone, 0.5)).toFixed(1),
    "rested: one ÷ threads": show(rested),
    "in a row: one ÷ threads": show(row),
  };
  many.dispose();
}
console.table(rows);
