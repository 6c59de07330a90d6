import type { Create } from "./descent.js";

const [beta1, beta2, eps, firstDistance] = [0.9, 0.999, 1e-8, 1e-6];

/** What a rate of 1 is multiplied by at a step of a run. */
export type Decay = (step: number, steps: number) => number;

/**
 * Prodigy over Adam (arXiv 2306.06101, Algorithm 4), its defaults, without weight decay. With rate γ, times
 * √(1 − β2^t) / (1 − β1^t) where `corrected`, and β3 = √β2:
 *
 * mu ← β1 mu + (1 − β1) d g; nu ← β2 nu + (1 − β2) d² g²; reward ← β3 reward + γ d² ⟨g, x0 − x⟩;
 * s ← β3 s + γ d² g; d' = max(d, reward / ‖s‖₁); x ← x − γ d mu / (√nu + d' eps).
 *
 * The factor 1 − β3 that the paper has in both reward and s cancels. Both are kept divided by d0, as 1e-12 is small
 * for float32.
 */
export function prodigy(decay: Decay, corrected = false): Create {
  return (start, steps) => {
    const params = start.slice();
    const grads = new Float32Array(start.length);
    const [mu, nu, s] = [grads.slice(), grads.slice(), grads.slice()];
    const beta3 = Math.sqrt(beta2);
    let [t, distance, reward] = [0, firstDistance, 0];

    function measure(rate: number): number {
      const weight = (distance / firstDistance) * distance * rate;
      let [inner, length] = [0, 0];
      for (let i = 0; i < params.length; i++) {
        const g = grads[i];
        inner += g * (start[i] - params[i]);
        mu[i] = beta1 * mu[i] + (1 - beta1) * distance * g;
        nu[i] = beta2 * nu[i] + (1 - beta2) * (distance * g) ** 2;
        s[i] = beta3 * s[i] + weight * g;
        length += Math.abs(s[i]);
      }
      reward = beta3 * reward + weight * inner;
      return length === 0 ? distance : Math.max(distance, reward / length);
    }

    function step(): void {
      t++;
      const correction = corrected ? Math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t) : 1;
      const rate = decay(t, steps) * correction;
      const stepSize = rate * distance;
      distance = measure(rate);
      for (let i = 0; i < params.length; i++) {
        params[i] -= (stepSize * mu[i]) / (Math.sqrt(nu[i]) + distance * eps);
      }
    }
    return { params, grads, step };
  };
}

/**
 * Prodigy's distance as the rate of schedule-free Adam (arXiv 2405.15682), both at their defaults, as packages that
 * join them do. Gradients are taken at y = (1 − β1) z + β1 x; with β3 = √β2 and γ = √(1 − β2^t):
 *
 * reward ← β3 reward + γ d² ⟨g, x0 − y⟩; s ← β3 s + γ d² g; d' = max(d, reward / ‖s‖₁);
 * nu ← β2 nu + (1 − β2) d² g²; z ← z − γ d² g / (√nu + d' eps); x ← x + c (z − x) with c = (γ d')² / Σ (γ_i d'_i)².
 * The result is x. With d in place of d' in c, or nu corrected in place of the rate, it is as good.
 */
export const prodigyScheduleFree: Create = (start) => {
  const y = start.slice();
  const [x, z] = [start.slice(), start.slice()];
  const grads = new Float32Array(start.length);
  const [nu, s] = [grads.slice(), grads.slice()];
  const beta3 = Math.sqrt(beta2);
  let [t, distance, reward, weights] = [0, firstDistance, 0, 0];

  function measure(rate: number): number {
    const weight = (distance / firstDistance) * distance * rate;
    let [inner, length] = [0, 0];
    for (let i = 0; i < y.length; i++) {
      const g = grads[i];
      inner += g * (start[i] - y[i]);
      s[i] = beta3 * s[i] + weight * g;
      length += Math.abs(s[i]);
      nu[i] = beta2 * nu[i] + (1 - beta2) * (distance * g) ** 2;
    }
    reward = beta3 * reward + weight * inner;
    return length === 0 ? distance : Math.max(distance, reward / length);
  }

  function step(): void {
    const rate = Math.sqrt(1 - beta2 ** ++t);
    const stepSize = rate * distance * distance;
    distance = measure(rate);
    const weight = (rate * distance) ** 2;
    weights += weight;
    const c = weight / weights;
    for (let i = 0; i < y.length; i++) {
      z[i] -= (stepSize * grads[i]) / (Math.sqrt(nu[i]) + distance * eps);
      x[i] += c * (z[i] - x[i]);
      y[i] = z[i] + beta1 * (x[i] - z[i]);
    }
  }
  return { params: y, grads, step, result: () => x };
};
