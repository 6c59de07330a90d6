/** Logistic regression on two blobs that overlap, in minibatches of 32. */
import { minibatches, type GradientSource } from "../../src/index.js";
import { normals } from "../../src/stability/vectors.js";

export function logistic(seed: number, { examples = 512, size = 10, scale = 1 } = {}) {
  const normal = normals(seed);
  const xs = Array.from({ length: examples }, (_, k) =>
    Float64Array.from({ length: size }, () => scale * (normal() + (k % 2 ? 0.3 : -0.3))),
  );
  const marginOf = (w: Float32Array, k: number) =>
    xs[k].reduce((sum, x, i) => sum + x * w[i], 0) * (k % 2 ? 1 : -1);
  const loss = (w: Float32Array, k: number) => {
    const margin = marginOf(w, k);
    return margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
  };
  const differentiate = (w: Float32Array, g: Float32Array, indices: ArrayLike<number>) => {
    g.fill(0);
    let sum = 0;
    for (const k of Array.from(indices)) {
      const slope = (k % 2 ? -1 : 1) / (1 + Math.exp(marginOf(w, k))) / indices.length;
      for (let i = 0; i < size; i++) g[i] += slope * xs[k][i];
      sum += loss(w, k) / indices.length;
    }
    return sum;
  };
  const everything = Array.from(xs.keys());
  const full: GradientSource = (w, g) => differentiate(w, g, everything);
  const batch = minibatches({ examples, batchSize: 32, seed }, differentiate);
  /** Those of a fixed half. */
  const losses = (w: Float32Array) => Array.from({ length: 256 }, (_, k) => loss(w, k));
  return { batch, full, losses, size };
}
