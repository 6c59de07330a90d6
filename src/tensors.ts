import { expectNumber, expectOptions, expectVector, isArrayLike, show } from "./common/expect.js";

/** A tensor to optimize, and how it differs from the others. */
export interface TensorSpec {
  /** Default "tensor0", "tensor1", … */
  name?: string;
  /** Sizes of the dimensions; [] is a scalar. */
  shape: readonly number[];
  /** Row-major start values; default zeros. */
  values?: ArrayLike<number>;
  /** Multiplies the learning rate, ≥ 0; default 1. */
  learningRate?: number;
  /** In place of the base's weight decay, ≥ 0. */
  weightDecay?: number;
  /** Takes part in nothing; default false. */
  frozen?: boolean;
}

/** A tensor with every option settled, at coordinates first … first + size − 1 of the flat vectors. */
export interface Tensor extends Required<Omit<TensorSpec, "values">> {
  readonly first: number;
  readonly size: number;
}

export interface Tensors {
  readonly list: readonly Tensor[];
  readonly size: number;
  /** Start values by tensor; undefined means zeros. */
  readonly values: readonly (ArrayLike<number> | undefined)[];
}

/** What tensors are called that were given no names: all parameters together, and each tensor. */
export const WHOLE = "params";
export const nameOf = (index: number) => `tensor${index}`;

function isSpecList(params: unknown): params is readonly TensorSpec[] {
  return Array.isArray(params) && params.length > 0 && typeof params[0] === "object" && params[0] !== null;
}

/** How many numbers a tensor of that shape has. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/** A copy: a getter may answer differently the next time. */
function readShape(name: string, shape: unknown): readonly number[] {
  if (!isArrayLike(shape))
    throw new TypeError(`${name}.shape: expected an array of sizes, got ${show(shape)}`);
  const sizes: number[] = [];
  for (let axis = 0; axis < shape.length; axis++)
    sizes.push(expectNumber(`${name}.shape[${axis}]`, shape[axis], { min: 1, integer: true }));
  return Object.freeze(sizes);
}

function readSpec(
  spec: TensorSpec,
  index: number,
  first: number,
  weightDecay: number,
): { tensor: Tensor; values: ArrayLike<number> | undefined } {
  const place = `params[${index}]`;
  if (isArrayLike(spec)) {
    const length = (spec as ArrayLike<number>).length;
    const cure = `write { shape: [${length}], values } for each tensor, or a flat array of numbers for one`;
    throw new TypeError(`${place}: expected an object, got ${show(spec)}; ${cure}`);
  }
  expectOptions(place, spec, ["name", "shape", "values", "learningRate", "weightDecay", "frozen"]);
  const {
    name = nameOf(index),
    learningRate = 1,
    frozen = false,
    weightDecay: ownDecay = weightDecay,
    values,
  } = spec;
  if (typeof name !== "string") throw new TypeError(`${place}.name: expected a string, got ${show(name)}`);
  if (typeof frozen !== "boolean")
    throw new TypeError(`${place}.frozen: expected true or false, got ${show(frozen)}`);
  const shape = readShape(place, spec.shape);
  const size = sizeOf(shape);
  const tensor = {
    name,
    shape,
    learningRate: expectNumber(`${place}.learningRate`, learningRate, { min: 0 }),
    weightDecay: expectNumber(`${place}.weightDecay`, ownDecay, { min: 0 }),
    frozen,
    first,
    size,
  };
  return { tensor, values: values === undefined ? undefined : expectVector(`${place}.values`, values, size) };
}

/** Reads the first argument of `createOptimizer`: a count, start values, or tensors. */
export function readTensors(params: unknown, weightDecay: number): Tensors {
  if (isSpecList(params)) {
    const list: Tensor[] = [];
    const all: Tensors["values"][number][] = [];
    let size = 0;
    params.forEach((spec, index) => {
      const { tensor, values } = readSpec(spec, index, size, weightDecay);
      list.push(tensor);
      all.push(values);
      size += tensor.size;
    });
    return { list, size, values: all };
  }
  if (typeof params !== "number" && !isArrayLike(params)) {
    const tensors = 'an array of tensors such as [{ name: "w", shape: [2, 3] }]';
    const expected = `a count of parameters, an array of start values, or ${tensors}`;
    throw new TypeError(`params: expected ${expected}, got ${show(params)}`);
  }
  const size = typeof params === "number" ? params : params.length;
  expectNumber(typeof params === "number" ? "params" : "params.length", size, { min: 1, integer: true });
  const values = typeof params === "number" ? undefined : expectVector("params", params, size);
  const whole = { name: WHOLE, shape: Object.freeze([size]), learningRate: 1, weightDecay, frozen: false };
  return { list: [{ ...whole, first: 0, size }], size, values: [values] };
}

/** A run of coordinates that the kernels treat alike. */
export interface Segment {
  first: number;
  last: number;
  /** The tuner that it belongs to. */
  group: number;
  learningRate: number;
  weightDecay: number;
}

/**
 * The segments of all tensors but the frozen ones. Each is a group of its own where every tensor has a tuner; else
 * there is one group, and neighbours with the same options make one segment, unless tensors are to stay `apart`.
 */
export function segmentsOf(tensors: Tensors, tunerPerTensor: boolean, apart: boolean): Segment[] {
  const segments: Segment[] = [];
  for (const { first, size, learningRate, weightDecay, frozen } of tensors.list) {
    if (frozen) continue;
    const last = first + size;
    const before = segments.at(-1);
    const alike =
      before?.last === first && before.learningRate === learningRate && before.weightDecay === weightDecay;
    if (alike && !tunerPerTensor && !apart) before.last = last;
    else
      segments.push({ first, last, group: tunerPerTensor ? segments.length : 0, learningRate, weightDecay });
  }
  return segments;
}

/** Every tensor as live views of an engine's vectors. */
export function viewsOf(
  { list }: Tensors,
  { params, grads }: { params: Float32Array; grads: Float32Array },
): readonly { name: string; shape: readonly number[]; params: Float32Array; grads: Float32Array }[] {
  return list.map(({ name, shape, first, size }) => ({
    name,
    shape,
    params: params.subarray(first, first + size),
    grads: grads.subarray(first, first + size),
  }));
}
