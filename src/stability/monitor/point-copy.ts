import { isKind } from "../../common/expect.js";
import type { EvaluatedPoint, MonitorPoint } from "./point.js";

/** x_t, g_t and V(x_t), copied. */
export interface PointCopy extends EvaluatedPoint {
  step: number;
  loss: number;
  readonly params: Float32Array | Float64Array;
  readonly grads: Float32Array | Float64Array;
}

type Numbers = Float32Array | Float64Array;

/** A copy, in the arrays of an older one where there is one. */
export function copyPoint(point: MonitorPoint, into: PointCopy | undefined): PointCopy {
  const { step, loss, params, grads } = point;
  if (!into || into.params.length !== params.length) {
    const copyOf = (values: ArrayLike<number>): Numbers =>
      isKind(values, "Float32Array") ? values.slice() : Float64Array.from(values);
    return { step, loss, params: copyOf(params), grads: copyOf(grads) };
  }
  into.params.set(params);
  into.grads.set(grads);
  into.step = step;
  into.loss = loss;
  return into;
}
