import type { Descent } from "./descent.js";

const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];

/**
 * Schedule-free AdamW (arXiv 2405.15682, Algorithm 1) without warm-up and weight decay:
 *
 * y = (1 − β1) z + β1 x; g at y; nu ← β2 nu + (1 − β2) g²; γ_t = γ √(1 − β2^t); z ← z − γ_t g / (√nu + eps);
 * x ← (1 − c) x + c z with c = γ_t² / Σ γ_i². The result is x.
 */
export function scheduleFree(rate: number): (start: Float32Array) => Descent {
  return (start) => {
    const y = start.slice();
    const [x, z] = [start.slice(), start.slice()];
    const grads = new Float32Array(start.length);
    const nu = grads.slice();
    let [t, weights] = [0, 0];

    function step(): void {
      t++;
      const eta = rate * Math.sqrt(1 - beta2 ** t);
      weights += eta * eta;
      const c = (eta * eta) / weights;
      for (let i = 0; i < y.length; i++) {
        const g = grads[i];
        nu[i] = beta2 * nu[i] + (1 - beta2) * g * g;
        z[i] -= (eta * g) / (Math.sqrt(nu[i]) + eps);
        x[i] += c * (z[i] - x[i]);
        y[i] = z[i] + beta1 * (x[i] - z[i]);
      }
    }
    return { params: y, grads, step, result: () => x };
  };
}
