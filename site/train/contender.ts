import { adam, createOptimizer, minibatches, OptimizerError, type Optimizer } from "superlevel";
import { lyapunovMonitor } from "superlevel/stability";

import type { Digits } from "../../studies/kit/digits/draw.js";
import type { Network } from "../../studies/digits/network.js";
import { STEPS, type Standing } from "./protocol.js";

const BATCH = 32;
const WATCHED = 150;
/** How much of the shown loss is older than the latest batch. */
const SMOOTH = 0.95;

export interface Setting {
  readonly network: Network;
  readonly train: Digits;
  readonly seed: number;
  /** What Adam's rates are multiplied by; it may change while they run. */
  readonly rateFactor: () => number;
  /** Resolves when a run may take its next step. */
  readonly turn: () => Promise<void> | undefined;
}

/** One optimizer training its own copy of the network, watched by a monitor. */
export class Contender {
  readonly optimizer: Optimizer;
  accuracy = NaN;
  readonly #setting: Setting;
  readonly #monitor;
  #loss = NaN;
  #ended = "";

  /** Without a rate it is superlevel as it comes. */
  constructor(setting: Setting, rate: number | undefined) {
    this.#setting = setting;
    const { network, train, seed, rateFactor } = setting;
    const tensors = network.initialTensors(seed);
    this.optimizer =
      rate === undefined
        ? createOptimizer(tensors)
        : createOptimizer(tensors, { base: adam({ learningRate: () => rate * rateFactor() }), tuner: null });
    const watched = Array.from({ length: Math.min(WATCHED, train.count) }, (_, i) => one(train, i));
    const losses = (params: Float32Array) => watched.map((example) => network.evaluate(params, example).loss);
    // Live, as labels may be spoilt on the way.
    const labels = train.labels.subarray(0, watched.length);
    this.#monitor = lyapunovMonitor({ probe: { losses, labels, every: 25 } });
  }

  /** Trains until the last step or until `signal` says so. */
  async run(signal: AbortSignal): Promise<void> {
    const { network, train, seed, turn } = this.#setting;
    const source = minibatches(
      { examples: train.count, batchSize: BATCH, seed },
      async (params, grads, batch) => {
        await turn();
        const loss = network.gradient(params, grads, train, batch);
        this.#loss = Number.isNaN(this.#loss) ? loss : SMOOTH * this.#loss + (1 - SMOOTH) * loss;
        return loss;
      },
    );
    const steps = STEPS - this.optimizer.iterations;
    if (this.#ended || steps <= 0) return;
    try {
      await this.optimizer.minimizeAsync(source, { steps, monitors: [this.#monitor], signal });
    } catch (error) {
      if (!(error instanceof OptimizerError)) throw error;
      this.#ended = `diverged at step ${this.optimizer.iterations + 1}`;
    }
  }

  get standing(): Standing {
    const { verdict, findings } = this.#monitor.summary();
    return {
      step: this.optimizer.iterations,
      loss: this.#ended ? NaN : this.#loss,
      accuracy: this.accuracy,
      verdict,
      findings: findings.map(({ message }) => message),
      ended: this.#ended,
    };
  }
}

/** One example as data of its own, over the same memory: spoilt labels are seen. */
export function one(data: Digits, i: number): Digits {
  return {
    count: 1,
    pixels: data.pixels,
    images: data.images.subarray(i * data.pixels, (i + 1) * data.pixels),
    labels: data.labels.subarray(i, i + 1),
  };
}
