/*
 * The constants that tell one form of the method from another; docs/notation.md has the table.
 * The host writes them to the configuration.
 */

/** How Δ_t comes about: its own vector, (x − xRef) / (S + eps), or x − xRef + S + eps (25). */
export enum Delta {
  STORED,
  RECONSTRUCTED,
  ADDITIVE,
}

/** What h adds to ⟨Δ_t, g_t⟩. */
export enum Pull {
  /** λ (‖g‖ / ‖x‖) S ‖Δ‖², 0 where ‖x‖ = 0. */
  PROXIMAL,
  /** λ S ‖g‖ ⟨Δ, y⟩ / (‖y‖ + eps) at y = x_t + u_t (arXiv 2306.00144, its PyTorch version). */
  DECAY_AHEAD,
  /** The same at y = x_t (its optax version). */
  DECAY,
  /** λ ‖g‖ / ‖x‖, as printed (26). */
  PRINTED,
}

/** Where S has not begun below this, no anchor takes s_init below it: from 0 it would not return. */
export const LEAST: f32 = 1e-24;
