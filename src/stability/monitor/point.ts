import type { RunPoint } from "../../run/options.js";

/** Loss and gradient at a point, on a named objective. */
export interface EvaluatedPoint {
  readonly loss: number;
  readonly params: ArrayLike<number>;
  readonly grads: ArrayLike<number>;
}

/** A tensor by its name and the sizes of its dimensions. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A point of a run: what `minimize` shows its monitors, or what a loop of your own does. */
export interface MonitorPoint {
  /** The step to be taken from here, from 1. */
  readonly step: number;
  readonly loss: number;
  readonly params: ArrayLike<number>;
  readonly grads: ArrayLike<number>;
  /** Default true. */
  readonly deterministic?: boolean;
  /** The optimizer's tensors and options, by which findings name layers. */
  readonly tensors?: readonly TensorShape[];
  readonly config?: RunPoint["config"];
  /** Of each layer the share of units that were 0 at every example of a batch, 0 … 1: what activations tell, where they are seen. */
  readonly deadUnits?: readonly { readonly name: string; readonly share: number }[];
}
