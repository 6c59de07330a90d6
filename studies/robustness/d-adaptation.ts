import type { Descent } from "./descent.js";

const [beta1, beta2, eps, firstDistance] = [0.9, 0.999, 1e-8, 1e-6];

/**
 * D-Adaptation over Adam (arXiv 2301.07733), as version 3 of its authors' package runs it: rate 1, no bias correction,
 * no weight decay, no limit on growth. With β = √β2 and A = √nu + eps, as it was before the step for the reward:
 *
 * reward ← β reward + (1 − β) d ⟨g, s / A⟩; mu ← β1 mu + (1 − β1) d g; nu ← β2 nu + (1 − β2) g²;
 * s ← β s + (1 − β) d g; d' = max(d, reward / ((1 − β) ‖s‖₁)); x ← x − mu / (√nu + eps).
 *
 * d, mu and s are kept in units of the first d, the reward in units of its square: 1e-12 is small for float32.
 */
export function dAdaptation(start: Float32Array): Descent {
  const params = start.slice();
  const grads = new Float32Array(start.length);
  const [mu, nu, s] = [grads.slice(), grads.slice(), grads.slice()];
  const beta = Math.sqrt(beta2);
  let [distance, reward] = [1, 0];

  function step(): void {
    let [inner, length] = [0, 0];
    for (let i = 0; i < params.length; i++) {
      const g = grads[i];
      inner += (g * s[i]) / (Math.sqrt(nu[i]) + eps);
      mu[i] = beta1 * mu[i] + (1 - beta1) * distance * g;
      nu[i] = beta2 * nu[i] + (1 - beta2) * g * g;
      s[i] = beta * s[i] + (1 - beta) * distance * g;
      length += Math.abs(s[i]);
    }
    if (length === 0) return;
    reward = beta * reward + (1 - beta) * distance * inner;
    for (let i = 0; i < params.length; i++) {
      params[i] -= (firstDistance * mu[i]) / (Math.sqrt(nu[i]) + eps);
    }
    distance = Math.max(distance, reward / ((1 - beta) * length));
  }
  return { params, grads, step };
}
