/** Curvature of a network of 318 010 parameters in float32, against the same in float64. */
import { describe, expect, test } from "vitest";

import type { GradientSource } from "../../src/index.js";
import { fromSource, hessianVector, sharpness, type LossGrad } from "../../src/stability/index.js";
import { normals } from "../../src/stability/vectors.js";
import { createMlp, crossEntropy, type Vector } from "../../studies/kit/mlp.js";

const [INPUTS, CLASSES, EXAMPLES] = [784, 10, 4];
const mlp = createMlp([INPUTS, 400, CLASSES], "tanh");
const normal = normals(1);
const rows = Array.from({ length: EXAMPLES }, () => Float32Array.from({ length: INPUTS }, () => normal()));
const start = mlp.start(normal);

/** Mean cross-entropy of the examples; adds its gradient. */
function add(params: Vector, grads: Vector): number {
  let loss = 0;
  rows.forEach((row, i) => {
    mlp.forward(params, row);
    loss += crossEntropy(mlp.outputs, i % CLASSES, mlp.delta) / EXAMPLES;
    mlp.backward(params, grads, 1 / EXAMPLES);
  });
  return loss;
}

const single: GradientSource = (params, grads) => {
  grads.fill(0);
  return add(params, grads);
};
const inDouble: LossGrad = (params) => {
  const grads = new Float64Array(mlp.size);
  return { loss: add(params, grads), grads };
};
const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));
/** ‖a − b‖ / ‖b‖. */
const off = (a: Float64Array, b: Float64Array) => norm(a.map((value, i) => value - b[i])) / norm(b);

describe(`a network of ${mlp.size} parameters in float32`, async () => {
  const exact = await sharpness(inDouble, start);

  test("has the sharpness of the same network in float64 to a thousandth, and says how wrong it may be", async () => {
    const found = await sharpness(fromSource(single), start);
    expect(mlp.size).toBe(318_010);
    expect(Math.abs(found.lambdaMax / exact.lambdaMax - 1)).toBeLessThan(1e-3);
    expect(found.error).toBeLessThan(3e-3 * exact.lambdaMax);
    expect(exact.error).toBeLessThan(1e-6 * exact.lambdaMax);
  });

  test("has its Hessian's products, which differences over u^⅓ (1 + ‖x‖) miss by a fifth", async () => {
    const image = await hessianVector(inDouble, start, exact.vector);
    const product = (options = {}) => hessianVector(fromSource(single), start, exact.vector, options);
    const epsilon = Math.cbrt(2 ** -24) * (1 + norm(start));
    expect(off(await product(), image)).toBeLessThan(2e-3);
    expect(off(await product({ epsilon }), image)).toBeGreaterThan(0.1);
  });
});
