import type { GradientSource } from "superlevel";

type Vector = Float32Array | Float64Array;

export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * ½ (x − c)ᵀ H (x − c) in 20 dimensions, with eigenvalues from 1 to `condition` in equal ratios. Three reflections turn
 * the axes, or Adam, which scales each coordinate by itself, would see a problem of condition 1.
 */
export function quadratic(
  condition: number,
  normal: () => number,
): { start: Float64Array; source: GradientSource } {
  const n = 20;
  const draw = () => Float64Array.from({ length: n }, normal);
  const centre = draw();
  const mirrors = [draw(), draw(), draw()];
  const reflect = (x: Float64Array, mirror: Float64Array): void => {
    const factor = (2 * dot(x, mirror)) / dot(mirror, mirror);
    for (let i = 0; i < n; i++) x[i] -= factor * mirror[i];
  };
  const source: GradientSource = (params, grads) => {
    const x = Float64Array.from(params, (value, i) => value - centre[i]);
    for (const mirror of mirrors) reflect(x, mirror);
    const pull = x.map((value, i) => value * condition ** (i / (n - 1)));
    const loss = 0.5 * dot(x, pull);
    for (const mirror of [...mirrors].reverse()) reflect(pull, mirror);
    grads.set(pull);
    return loss;
  };
  return { start: draw(), source };
}
