import { addScaled, dot, norm } from "../vectors.js";

/** How far {@link relax} goes. */
interface Relaxation {
  readonly iterations: number;
  /** A length by which the point may well move: the first step is a hundredth of it, none exceeds a quarter. */
  readonly length: number;
}

const GROWTH = 1.1;
const SHRINKAGE = 0.5;
const MIXING = 0.1;
const PATIENCE = 5;

/**
 * Follows a force with inertia until it vanishes: FIRE (Bitzek et al., Phys. Rev. Lett. 97, 170201, 2006). The force
 * need not be the gradient of anything, as that of an elastic band is not, and its unit does not matter.
 */
export async function relax(
  point: Float64Array,
  force: (point: Float64Array, into: Float64Array, iteration: number) => Promise<void>,
  { iterations, length }: Relaxation,
): Promise<void> {
  const [pull, velocity] = [new Float64Array(point.length), new Float64Array(point.length)];
  let [step, longest, mixing, downhill, first] = [0, 0, MIXING, 0, 0];
  for (let iteration = 0; iteration < iterations; iteration++) {
    await force(point, pull, iteration);
    const strength = norm(pull);
    if (iteration === 0) {
      first = strength;
      step = Math.sqrt((0.01 * length) / strength);
      longest = 10 * step;
    }
    if (strength <= 1e-12 * first) return;
    if (iteration === 0 || dot(pull, velocity) > 0) {
      const speed = norm(velocity);
      for (let i = 0; i < velocity.length; i++) velocity[i] *= 1 - mixing;
      addScaled(velocity, (mixing * speed) / strength, pull);
      if (downhill++ > PATIENCE) {
        step = Math.min(GROWTH * step, longest);
        mixing *= 0.99;
      }
    } else {
      velocity.fill(0);
      step *= SHRINKAGE;
      [mixing, downhill] = [MIXING, 0];
    }
    addScaled(velocity, step, pull);
    addScaled(point, Math.min(step, (0.25 * length) / norm(velocity)), velocity);
  }
}
