/**
 * `npm run bench -- tfjs`: a step inside TensorFlow.js against that of tf.train.adam. The gradients are given; only
 * `applyGradients` is timed. Contenders take turns in one process; ratios are medians over rounds.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { adam } from "superlevel";
import { superlevelOptimizer } from "superlevel/tfjs";

const { values: options } = parseArgs({
  options: {
    backends: { type: "string", default: "cpu,wasm" },
    rounds: { type: "string", default: "21" },
    sizes: { type: "string", default: "10000,100000,1000000" },
  },
});
const rounds = Number(options.rounds);

interface Contender {
  readonly name: string;
  readonly step: () => void;
  readonly times: number[];
}

/** A network's worth of variables: a large one, a middling one and two biases. */
const shapesOf = (size: number): number[][] => [
  [Math.floor(size * 0.9)],
  [Math.floor(size * 0.1)],
  [64],
  [10],
];

function contender(name: string, size: number, optimizer: tf.Optimizer): Contender {
  const variables = shapesOf(size).map((shape) => tf.variable(tf.randomNormal(shape)));
  const gradients = Object.fromEntries(variables.map(({ name, shape }) => [name, tf.randomNormal(shape)]));
  // There and back, as always downhill leads out of float32.
  const back = Object.fromEntries(Object.entries(gradients).map(([name, one]) => [name, tf.neg(one)]));
  let turn = 0;
  return { name, step: () => optimizer.applyGradients(turn++ % 2 ? back : gradients), times: [] };
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(size: number): Contender[] {
  const base = adam({ learningRate: 1e-3, eps: 1e-7 });
  const contenders = [
    contender("tf.train.adam", size, tf.train.adam(1e-3)),
    contender("adam, tuner: null", size, superlevelOptimizer({ base, tuner: null })),
    contender("superlevel", size, superlevelOptimizer()),
  ];
  const steps = Math.max(1, Math.round(1e5 / size));
  for (let round = -3; round < rounds; round++) {
    for (const { step, times } of contenders) {
      const begin = performance.now();
      for (let k = 0; k < steps; k++) step();
      // The first rounds warm up.
      if (round >= 0) times.push((performance.now() - begin) / steps);
    }
  }
  return contenders;
}

function ratioTo(reference: Contender, { times }: Contender): string {
  const ratios = times.map((time, round) => reference.times[round] / time).sort((a, b) => a - b);
  const at = (share: number) => ratios[Math.floor(share * (ratios.length - 1))].toPrecision(3);
  return `${at(0.5)} (${at(0.25)} to ${at(0.75)})`;
}

console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}; quartiles in brackets\n`);
for (const backend of options.backends.split(",")) {
  await tf.setBackend(backend);
  for (const size of options.sizes.split(",").map(Number)) {
    const contenders = measure(size);
    for (const one of contenders) {
      const faster = one === contenders[0] ? "" : `  ${ratioTo(contenders[0], one)} times as fast`;
      const time = median(one.times).toFixed(4).padStart(9);
      console.log(
        `${backend.padEnd(5)} ${String(size).padStart(8)} ${one.name.padEnd(18)} ${time} ms${faster}`,
      );
    }
    tf.disposeVariables();
  }
}
