/** Updates by hand, at rate 1 from x = 0 for the gradients 4, 0, −4, that need more than a line. */
const { sqrt } = Math;

// With β1 = 1/2 and β2 = 3/4 the moments are
//   mu: 1/2 · 4 = 2,   1/2 · 2 = 1,   1/2 · 1 − 1/2 · 4 = −1.5
//   nu: 1/4 · 16 = 4,  3/4 · 4 = 3,   3/4 · 3 + 1/4 · 16 = 6.25
// and the corrections 1 − β1^t: 1/2, 3/4, 7/8; 1 − β2^t: 1/4, 7/16, 37/64.
export const halves = { beta1: 0.5, beta2: 0.75, eps: 0.5 };
const adamRoots = [sqrt(4) / sqrt(1 / 4), sqrt(3) / sqrt(7 / 16), sqrt(6.25) / sqrt(37 / 64)];
export const adamSteps = [-(2 / 0.5), -(1 / 0.75), 1.5 / 0.875];
export const adamUpdates = adamRoots.map((root, k) => adamSteps[k] / (root + 0.5));

/** The largest nu is 4, 4, 6.25. */
export const amsgradUpdates = [adamUpdates[0], adamSteps[1] / (sqrt(4) / sqrt(7 / 16) + 0.5), adamUpdates[2]];

/** ψ of NAdam with 0.96^(tψ) = 2^−t, so μ_t = 1/2 (1 − 1/2 · 2^−t): 3/8, 7/16, 15/32, 31/64. */
export const fades = Math.log(0.5) / Math.log(0.96);
const [mu1, mu2, mu3, mu4] = [3 / 8, 7 / 16, 15 / 32, 31 / 64];
export const nadamUpdates = [
  -(4 + (mu2 / (1 - mu1 * mu2)) * 2) / (adamRoots[0] + 0.5),
  -((mu3 / (1 - mu1 * mu2 * mu3)) * 1) / (adamRoots[1] + 0.5),
  (((1 - mu3) / (1 - mu1 * mu2 * mu3)) * 4 + (mu4 / (1 - mu1 * mu2 * mu3 * mu4)) * 1.5) /
    (adamRoots[2] + 0.5),
];

/** RMSProp, α = 3/4: nu as above; mean: 1, 3/4, 9/16 − 1 = −7/16. */
export const centeredRoots = [sqrt(4 - 1), sqrt(3 - (3 / 4) ** 2), sqrt(6.25 - (7 / 16) ** 2)];

// Adadelta, ρ = 3/4, eps = 1/4: nu as above.
const d1 = (sqrt(0.25) / sqrt(4 + 0.25)) * 4;
const d3 = (sqrt(0.75 * (0.25 * d1 ** 2) + 0.25) / sqrt(6.25 + 0.25)) * -4;
export const adadeltaUpdates = [-d1, 0, -d3];
