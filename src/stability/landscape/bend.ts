import { relax } from "./fire.js";
import { pointOn, weightsAt, type PathSearch, type CheckedCurve } from "./path.js";
import { addScaled, distance, randomUnit } from "../vectors.js";

/**
 * Moves the middle node of a curve so that the worst loss on it falls. Minimises τ log Σ exp(L(φ(t_k)) / τ) over points
 * t_k of the curve, a smooth maximum; τ falls from a tenth of the losses' spread to a ten-thousandth. Garipov et al.
 * (arXiv 1802.10026, section 3) minimise the mean, which leaves the maximum of a chain on a ring at 1/4, not 0.1716.
 */
export async function bend(
  kind: CheckedCurve["kind"],
  ends: readonly [Float64Array, Float64Array],
  search: PathSearch,
): Promise<CheckedCurve> {
  const [from, to] = ends;
  const { points, iterations, seed } = search;
  const span = distance(from, to);
  const node = from.map((value, i) => (value + to[i]) / 2);
  // Off the straight line: there a symmetric loss pulls nowhere.
  addScaled(node, 0.01 * span, randomUnit(node.length, seed));
  const curve: CheckedCurve = { kind, nodes: [from, node, to] };
  const at = Float64Array.from({ length: points }, (_, k) => (k + 0.5) / points);
  const losses = new Float64Array(points);
  const grads = Array.from(at, () => new Float64Array(node.length));
  const best = { worst: Infinity, node: node.slice() };
  const force = async (moved: Float64Array, into: Float64Array, iteration: number) => {
    for (let k = 0; k < points; k++) losses[k] = await search.gradient(pointOn(curve, at[k]), grads[k]);
    const worst = losses.reduce((a, b) => Math.max(a, b));
    if (worst < best.worst) {
      best.worst = worst;
      best.node.set(moved);
    }
    const spread = worst - losses.reduce((a, b) => Math.min(a, b));
    const shares = softmax(losses, worst, spread * 10 ** (-1 - (3 * iteration) / iterations));
    into.fill(0);
    for (let k = 0; k < points; k++) {
      const [, middle] = weightsAt(curve, at[k]).find(([index]) => index === 1)!;
      addScaled(into, -shares[k] * middle, grads[k]);
    }
  };
  await relax(node, force, { iterations, length: span / 2 });
  return { kind, nodes: [from, best.node, to] };
}

/** exp(loss / temperature), as shares of 1. */
function softmax(losses: Float64Array, highest: number, temperature: number): Float64Array {
  const weights = losses.map((loss) => (temperature > 0 ? Math.exp((loss - highest) / temperature) : 1));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}
