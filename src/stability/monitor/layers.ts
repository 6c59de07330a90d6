import { expectNumber, expectOptions } from "../../common/expect.js";
import { sizeOf } from "../../tensors.js";
import type { EvaluatedPoint, MonitorPoint, TensorShape } from "./point.js";

/** Coordinates that belong together: a tensor, or a part of a vector of which no tensors are known. */
export interface Layer {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Undefined for a part of a vector. */
  readonly shape: readonly number[] | undefined;
  /** λ of its weight decay. */
  readonly decay: number;
  /** It was told not to move. */
  readonly frozen: boolean;
  /** A step of the optimizer may tell of it. */
  readonly told: boolean;
}

/** Parts that a vector without tensors is seen as. */
const PARTS = 16;

function layersOfShapes(shapes: readonly TensorShape[], size: number): Layer[] {
  let last = 0;
  const layers = shapes.map(({ name, shape }): Layer => {
    const first = last;
    last += sizeOf(shape);
    return { name, first, last, shape, decay: 0, frozen: false, told: false };
  });
  if (last !== size)
    throw new RangeError(
      `lyapunovMonitor.layers: expected shapes of ${size} parameters in all, got shapes of ${last}; ` +
        "list every tensor, in the order of the parameters",
    );
  return layers;
}

/** What a run tells of its tensors, or the monitor's user does. Of one vector nothing is known but where its parts lie. */
export function layersOf(point: MonitorPoint, own?: readonly TensorShape[]): Layer[] {
  const size = point.params.length;
  if (own) return layersOfShapes(own, size);
  const { tensors = [], config } = point;
  if (tensors.length > 1) {
    return layersOfShapes(tensors, size).map((layer, k) => {
      const { weightDecay = 0, frozen = false, learningRate = 1 } = config?.tensors[k] ?? {};
      const still = frozen || learningRate === 0;
      return { ...layer, decay: weightDecay, frozen: still, told: config !== undefined && !frozen };
    });
  }
  const parts = Math.min(PARTS, size);
  const { weightDecay: decay = 0, frozen = false } = config?.tensors[0] ?? {};
  return Array.from({ length: parts }, (_, k): Layer => {
    const [first, last] = [k, k + 1].map((edge) => Math.round((edge * size) / parts));
    const name = `coordinates ${first} to ${last - 1}`;
    return { name, first, last, shape: undefined, decay, frozen, told: false };
  });
}

/** Checks the option `layers`; a copy. */
export function checkLayers(layers: readonly TensorShape[]): TensorShape[] {
  if (!Array.isArray(layers) || layers.length === 0)
    throw new TypeError('lyapunovMonitor.layers: expected tensors such as [{ name: "w", shape: [2, 3] }]');
  return (layers as readonly TensorShape[]).map((layer, k) => {
    const name = `lyapunovMonitor.layers[${k}]`;
    expectOptions(name, layer, ["name", "shape"]);
    const shape = Array.from(layer.shape, (length, axis) =>
      expectNumber(`${name}.shape[${axis}]`, length, { min: 1, integer: true }),
    );
    return { name: String(layer.name), shape };
  });
}

/** Sums over a layer for a step d from x: of g·g, d·d, x·x, g·d, x·d, and of g'·d with the gradient g' where it ends. */
export interface StepSums {
  gg: number;
  dd: number;
  xx: number;
  gd: number;
  xd: number;
  arrival: number;
}

/** One pass over the coordinates first … last − 1. Where g ≠ 0, `alive` becomes 1. */
export function sumStep(
  start: EvaluatedPoint,
  end: Pick<EvaluatedPoint, "params"> & { readonly grads?: ArrayLike<number> },
  first = 0,
  last = start.params.length,
  alive?: Uint8Array,
): StepSums {
  const { params: x, grads: g } = start;
  const { params: to, grads: h } = end;
  let gg = 0;
  let dd = 0;
  let xx = 0;
  let gd = 0;
  let xd = 0;
  let arrival = 0;
  for (let i = first; i < last; i++) {
    const xi = x[i];
    const gi = g[i];
    const d = to[i] - xi;
    gg += gi * gi;
    dd += d * d;
    xx += xi * xi;
    gd += gi * d;
    xd += xi * d;
  }
  if (h) for (let i = first; i < last; i++) arrival += h[i] * (to[i] - x[i]);
  if (alive) for (let i = first; i < last; i++) if (g[i] !== 0) alive[i] = 1;
  return { gg, dd, xx, gd, xd, arrival: h ? arrival : NaN };
}
