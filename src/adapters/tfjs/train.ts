import { adabelief, type AdabeliefOptions } from "../../bases/adabelief.js";
import { adam, adamw, type AdamOptions } from "../../bases/adam.js";
import type { Base } from "../../bases/index.js";
import { lion, type LionOptions } from "../../bases/lion.js";
import { scheduleFree as averaged, type ScheduleFreeOptions } from "../../bases/schedule-free.js";
import type { TfjsOptions } from "./config.js";
import { superlevelOptimizer, type SuperlevelOptimizer } from "./optimizer.js";

/** What else each of {@link train} takes: clipping, and how variables differ. */
export type TrainOptions = Pick<
  TfjsOptions,
  "clip" | "perVariable" | "nonFinite" | "normAdaptive" | "engine"
>;

const alone = (base: Base, options: TrainOptions): SuperlevelOptimizer =>
  superlevelOptimizer({ ...options, base, tuner: null });

/**
 * Optimizers that `tf.train` lacks, each with a learning rate of its own and no tuner, for `model.compile` and wherever
 * one of TensorFlow.js can stand. Rates may be schedules. A second argument clips gradients and tells variables apart.
 *
 * @throws TypeError or RangeError naming the option that is of the wrong kind or out of range
 * @example
 * import * as tf from "@tensorflow/tfjs-core";
 * import "@tensorflow/tfjs-layers"; // with it come the gradients
 * import "@tensorflow/tfjs-backend-cpu";
 * import { train } from "superlevel/tfjs";
 *
 * const noDecay = ({ shape }: { shape: readonly number[] }) => (shape.length < 2 ? { weightDecay: 0 } : {});
 * const optimizer = train.adamw({ learningRate: 0.1, weightDecay: 0.01 }, { clip: { norm: 1 }, perVariable: noDecay });
 * const x = tf.variable(tf.tensor1d([3, -2]));
 * for (let step = 0; step < 200; step++) optimizer.minimize(() => tf.sum(tf.square(x)));
 * Math.max(...x.dataSync().map(Math.abs)) < 0.1; // → true
 */
export const train = {
  /** AdamW (arXiv 1711.05101): decoupled weight decay, default 0.01. Rate 0.001 where none is given. */
  adamw: (options: AdamOptions = {}, more: TrainOptions = {}) => alone(adamw(options), more),
  /** NAdam (Dozat 2016). Rate 0.002 where none is given. */
  nadam: (options: Omit<AdamOptions, "nesterov" | "amsgrad"> = {}, more: TrainOptions = {}) =>
    alone(adam({ ...options, nesterov: true }), more),
  /** AMSGrad (Reddi, Kale, Kumar 2018). Rate 0.001 where none is given. */
  amsgrad: (options: Omit<AdamOptions, "nesterov" | "amsgrad"> = {}, more: TrainOptions = {}) =>
    alone(adam({ ...options, amsgrad: true }), more),
  /** Lion (arXiv 2302.06675). Rate 0.0001 where none is given. */
  lion: (options: LionOptions = {}, more: TrainOptions = {}) => alone(lion(options), more),
  /** AdaBelief (arXiv 2010.07468). Rate 0.001 where none is given. */
  adabelief: (options: AdabeliefOptions = {}, more: TrainOptions = {}) => alone(adabelief(options), more),
  /** Schedule-free AdamW (arXiv 2405.15682). Rate 0.0025 where none is given; evaluate inside of `withAverage`. */
  scheduleFree: (options: AdamOptions & ScheduleFreeOptions = {}, more: TrainOptions = {}) => {
    const { interpolation, power, ratePower, warmupSteps, ...base } = options;
    const averaging = { interpolation, power, ratePower, warmupSteps };
    return alone(averaged(adamw(base), averaging), more);
  },
} as const;

/** An optimizer by the name that `model.compile` may be given. */
export const NAMED: Readonly<Record<string, () => SuperlevelOptimizer>> = {
  superlevel: () => superlevelOptimizer(),
  ...train,
};
