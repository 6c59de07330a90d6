import { expectNumber, expectOptions } from "../../common/expect.js";

/**
 * The largest h for which a residual block x + h F(x) contracts no distance to more than itself: ‖I + h J‖ ≤ 1 for
 * h ≤ 2 m / K², where F is one-sided Lipschitz with −m (⟨F(x) − F(y), x − y⟩ ≤ −m ‖x − y‖²) and Lipschitz with K. Without
 * dissipation, m = 0, there is none: a rotation expands by √(1 + h²) for every h.
 *
 * @param options.dissipation m ≥ 0
 * @param options.lipschitz K > 0
 * @example
 * import { cflLimit } from "superlevel/stability";
 * cflLimit({ dissipation: 1, lipschitz: Math.sqrt(1 + 3 ** 2) }).toFixed(3); // → "0.200"
 */
export function cflLimit(options: { dissipation: number; lipschitz: number }): number {
  expectOptions("cflLimit", options, ["dissipation", "lipschitz"]);
  const m = expectNumber("cflLimit.dissipation", options.dissipation, { min: 0 });
  return (2 * m) / expectNumber("cflLimit.lipschitz", options.lipschitz, { above: 0 }) ** 2;
}

/**
 * The CFL number of a residual block x + h F(x): its step over {@link cflLimit}, h K² / 2m. Up to 1 the block is nonexpansive.
 * Infinite where m = 0, but for F = 0.
 *
 * @param options.step h ≥ 0
 * @param options.dissipation m ≥ 0
 * @param options.lipschitz K ≥ 0; both are measured by {@link blockProfile}
 * @example
 * import { cflNumber } from "superlevel/stability";
 * cflNumber({ step: 0.5, dissipation: 1, lipschitz: 2 }); // → 1
 */
export function cflNumber(options: { step: number; dissipation: number; lipschitz: number }): number;
/**
 * The CFL number of a gradient block x − h Wᵀ σ(W x + b), σ monotone and 1-Lipschitz, such as ReLU: h ‖W‖² / 2. Up to 1 the
 * block is nonexpansive, with every Clarke Jacobian.
 *
 * @param options.step h ≥ 0
 * @param options.norm ‖W‖ ≥ 0, from {@link operatorNorm}
 * @example
 * import { cflNumber } from "superlevel/stability";
 * cflNumber({ step: 0.5, norm: 2 }); // → 1
 */
export function cflNumber(options: { step: number; norm: number }): number;
export function cflNumber(options: {
  step: number;
  norm?: number;
  dissipation?: number;
  lipschitz?: number;
}): number {
  expectOptions("cflNumber", options, ["step", "norm", "dissipation", "lipschitz"]);
  const h = expectNumber("cflNumber.step", options.step, { min: 0 });
  if (options.norm !== undefined)
    return (h * expectNumber("cflNumber.norm", options.norm, { min: 0 }) ** 2) / 2;
  const lipschitz = expectNumber("cflNumber.lipschitz", options.lipschitz, { min: 0 });
  const m = expectNumber("cflNumber.dissipation", options.dissipation, { min: 0 });
  const reach = h * lipschitz ** 2;
  return reach === 0 ? 0 : reach / (2 * m);
}

/**
 * How far a stack of residual blocks x + h_l F_l(x) may amplify a distance: exp(Σ h_l K_l), whatever else is known.
 *
 * @param blocks h_l ≥ 0 and K_l ≥ 0, the Lipschitz constant of F_l
 * @example
 * import { depthBound } from "superlevel/stability";
 * depthBound([{ step: 0.5, lipschitz: 1 }, { step: 0.5, lipschitz: 1 }]).toFixed(4); // → "2.7183"
 */
export function depthBound(blocks: readonly { step: number; lipschitz: number }[]): number {
  const sum = blocks.reduce((total, { step, lipschitz }, l) => {
    const h = expectNumber(`blocks[${l}].step`, step, { min: 0 });
    return total + h * expectNumber(`blocks[${l}].lipschitz`, lipschitz, { min: 0 });
  }, 0);
  return Math.exp(sum);
}
