import { createOptimizer, minibatches, type GradientSource, type OptimizerOptions } from "superlevel";
import { lyapunovMonitor, type LyapunovSummary } from "superlevel/stability";

import type { Labelled } from "./data.js";
import type { Network } from "./network.js";

/** How a network is trained. */
export interface Setting {
  readonly data: Labelled;
  /** Examples 0 … trained − 1 are trained on; others are held out. */
  readonly trained: number;
  readonly network: Network;
  readonly start: ReturnType<Network["start"]>;
  readonly options: OptimizerOptions;
  readonly steps: number;
  readonly full: boolean;
  readonly seed: number;
  /** Spoils loss and gradient. */
  readonly spoil?: (loss: number, grads: Float32Array, step: number) => number;
}

/** What a monitor was given. */
export type Watching = "no probe" | "probe" | "probe without labels" | "held-out probe";

/** What monitors said, and how it really went. */
export interface Trained {
  readonly reports: Record<Watching, LyapunovSummary>;
  /** Mean loss of all training examples at the start and in the end, and of the rarest class in the end. */
  readonly first: number;
  readonly last: number;
  readonly rareLoss: number;
  /** Mean loss of the held-out examples where it was lowest, and in the end. */
  readonly heldBest: number;
  readonly heldLast: number;
}

const PROBED = 200;
const BATCH = 25;

const numbers = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i);
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

function sourceOf({ network, data, trained, full, seed, spoil }: Setting): GradientSource {
  const own = spoil ?? ((loss: number) => loss);
  const all = numbers(0, trained);
  if (full) return (x, grads, step) => own(network.gradient(x, grads, data, all), grads, step);
  return minibatches(
    { examples: trained, batchSize: Math.min(BATCH, trained), seed },
    (x, grads, batch, step) => own(network.gradient(x, grads, data, batch), grads, step),
  );
}

/** Trains once, watched by four monitors that change nothing. */
export function train(setting: Setting): Trained {
  const { data, trained, network, start, options, steps, full } = setting;
  const train = numbers(0, trained);
  const probe = (indices: Uint32Array) => ({
    losses: (x: Float32Array) => network.losses(x, data, indices),
    labels: Array.from(indices, (i) => data.labels[i]),
  });
  const held = numbers(trained, Math.min(data.count, trained + PROBED));
  const probed = probe(train.subarray(0, PROBED));
  const monitors = {
    "no probe": lyapunovMonitor(),
    probe: lyapunovMonitor({ probe: probed }),
    "probe without labels": lyapunovMonitor({ probe: { losses: probed.losses } }),
    "held-out probe": lyapunovMonitor({ probe: probe(held) }),
  };
  const optimizer = createOptimizer(start, options);
  const losses = () => network.losses(optimizer.params, data, train);
  const first = mean(losses());
  try {
    const run = { steps, deterministic: full, guard: null, monitors: Object.values(monitors) };
    optimizer.minimize(sourceOf(setting), run);
  } catch {
    // Losses that are not finite end a run.
  }
  const end = losses();
  const rare = end.filter((_, i) => data.labels[i] === 0);
  optimizer.dispose();
  const reports = {
    "no probe": monitors["no probe"].summary(),
    probe: monitors.probe.summary(),
    "probe without labels": monitors["probe without labels"].summary(),
    "held-out probe": monitors["held-out probe"].summary(),
  };
  const { best, last } = reports["held-out probe"].probe!;
  return { reports, first, last: mean(end), rareLoss: mean(rare), heldBest: best, heldLast: last };
}
