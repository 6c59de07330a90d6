import type { Descent } from "./descent.js";

const [firstDistance, eps, gamma] = [1e-6, 1e-8, 8];

/**
 * DoG, distance over gradients (arXiv 2302.12022), with its authors' defaults:
 *
 * η_t = r̄_t / √(eps + Σ_{i ≤ t} ‖g_i‖²); x ← x − η_t g; r̄_t the largest ‖x_i − x_0‖ so far, 1e-6 (1 + ‖x_0‖) at first.
 *
 * The result is the average that they ask for: x̄ ← x̄ + (1 + γ) / (t + γ) (x − x̄), t = 1, 2, …, γ = 8.
 */
export function dog(start: Float32Array): Descent {
  const params = start.slice();
  const average = start.slice();
  const grads = new Float32Array(start.length);
  let [t, distance, squares] = [0, firstDistance * (1 + norm(start)), eps];

  function step(): void {
    t++;
    squares += norm(grads) ** 2;
    const eta = distance / Math.sqrt(squares);
    const weight = (1 + gamma) / (t + gamma);
    let moved = 0;
    for (let i = 0; i < params.length; i++) {
      params[i] -= eta * grads[i];
      moved += (params[i] - start[i]) ** 2;
      average[i] += weight * (params[i] - average[i]);
    }
    distance = Math.max(distance, Math.sqrt(moved));
  }
  return { params, grads, step, result: () => average };
}

function norm(x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return Math.sqrt(sum);
}
