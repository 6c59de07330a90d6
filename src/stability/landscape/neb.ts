import { relax } from "./fire.js";
import type { PathSearch, CheckedCurve } from "./path.js";
import { addScaled, distance, dot, norm, randomUnit } from "../vectors.js";

/** The share of the iterations after which the highest image climbs. */
const CLIMB_AFTER = 0.3;

/** The state of a band: images with the ends around them, their losses and gradients. */
interface Band {
  readonly images: readonly Float64Array[];
  readonly losses: Float64Array;
  readonly grads: readonly Float64Array[];
}

/**
 * A nudged elastic band: images between the ends, which fall across the band and are held apart along it by springs;
 * the highest climbs along it to the saddle. (Henkelman, Jónsson, J. Chem. Phys. 113, 9978, 2000, for the tangent, and
 * 9901 for the climbing image; Draxler et al., arXiv 1803.00885, for networks.) All force constants are relative to the
 * gradients, so the unit of the loss does not matter.
 */
export async function elasticBand(
  [from, to]: readonly [Float64Array, Float64Array],
  search: PathSearch,
): Promise<CheckedCurve> {
  const { points, iterations, seed, gradient } = search;
  const size = from.length;
  const gap = distance(from, to) / (points + 1);
  const inner = straightLine(from, to, points, randomUnit(size, seed));
  const images = [from, ...split(inner, size), to];
  const grads = images.map(() => new Float64Array(size));
  const losses = new Float64Array(images.length);
  for (const end of [0, points + 1]) losses[end] = await gradient(images[end], grads[end]);
  const band: Band = { images, losses, grads };
  // The largest so far: as the gradients across the band vanish, the springs must not.
  let stiffness = 0;
  const force = async (_: Float64Array, into: Float64Array, iteration: number) => {
    for (let k = 1; k <= points; k++) losses[k] = await gradient(images[k], grads[k]);
    const top = highest(losses);
    const isSaddle = losses[top] > Math.max(losses[0], losses[points + 1]);
    const climber = isSaddle && iteration >= CLIMB_AFTER * iterations ? top : 0;
    stiffness = Math.max(stiffness, meanNorm(grads) / gap);
    split(into, size).forEach((pull, k) => pullOn(band, k + 1, k + 1 === climber ? null : stiffness, pull));
  };
  await relax(inner, force, { iterations, length: gap * Math.sqrt(points) });
  return { kind: "polygon", nodes: images.map((image) => image.slice()) };
}

/** Images in one vector, off the line by a little: on it, a symmetric loss pulls nowhere. */
function straightLine(
  from: Float64Array,
  to: Float64Array,
  points: number,
  aside: Float64Array,
): Float64Array {
  const line = new Float64Array(points * from.length);
  split(line, from.length).forEach((image, k) => {
    const share = (k + 1) / (points + 1);
    addScaled(image, 1 - share, from);
    addScaled(image, share, to);
    addScaled(image, 0.01 * distance(from, to) * Math.sin(Math.PI * share), aside);
  });
  return line;
}

/** Views of consecutive vectors. */
function split(vector: Float64Array, size: number): Float64Array[] {
  return Array.from({ length: vector.length / size }, (_, k) => vector.subarray(k * size, (k + 1) * size));
}

/** The inner image with the highest loss. */
function highest(losses: Float64Array): number {
  let top = 1;
  for (let k = 2; k < losses.length - 1; k++) if (losses[k] > losses[top]) top = k;
  return top;
}

function meanNorm(grads: readonly Float64Array[]): number {
  const inner = grads.slice(1, -1);
  return inner.reduce((sum, grad) => sum + norm(grad), 0) / inner.length;
}

/** −∇L across the band, and springs along it; without springs the image climbs: +∇L along the band. */
function pullOn(
  { images, losses, grads }: Band,
  k: number,
  stiffness: number | null,
  into: Float64Array,
): void {
  const tangent = tangentAt(images, losses, k);
  const slope = dot(grads[k], tangent);
  into.fill(0);
  addScaled(into, -1, grads[k]);
  if (stiffness === null) addScaled(into, 2 * slope, tangent);
  else {
    const stretch = distance(images[k + 1], images[k]) - distance(images[k], images[k - 1]);
    addScaled(into, slope + stiffness * stretch, tangent);
  }
}

/** Towards the higher neighbour; at a peak or in a trough between the two, weighted by the differences of loss. */
function tangentAt(images: readonly Float64Array[], losses: Float64Array, k: number): Float64Array {
  const [up, down] = [losses[k + 1] - losses[k], losses[k - 1] - losses[k]];
  let [ahead, behind] = [1, 0];
  if (up <= 0 && down > 0) [ahead, behind] = [0, 1];
  else if (!(up > 0 && down <= 0)) {
    const [more, less] = [Math.max(Math.abs(up), Math.abs(down)), Math.min(Math.abs(up), Math.abs(down))];
    [ahead, behind] = up > down ? [more, less] : [less, more];
    if (more === 0) [ahead, behind] = [1, 1];
  }
  const tangent = new Float64Array(images[k].length);
  addScaled(tangent, ahead, images[k + 1]);
  addScaled(tangent, behind - ahead, images[k]);
  addScaled(tangent, -behind, images[k - 1]);
  const length = norm(tangent);
  return length > 0 ? tangent.map((value) => value / length) : tangent;
}
