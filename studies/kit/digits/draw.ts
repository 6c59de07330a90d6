import { glyphs } from "./glyphs.js";
import { createRandom, type Random } from "../random.js";

/** Grey images, one byte a pixel and row by row, with the digit that each shows. */
export interface Digits {
  readonly count: number;
  readonly pixels: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Writes one image with pixels from 0 to 1. */
export function readImage({ images, pixels }: Digits, example: number, image: Float64Array): void {
  const start = example * pixels;
  for (let p = 0; p < pixels; p++) image[p] = images[start + p] / 255;
}

export const side = 28;

/** Draws `count` digits. The same seed gives the same bytes; different seeds give different pictures. */
export function drawDigits(count: number, seed: number): Digits {
  const random = createRandom(seed);
  const pixels = side * side;
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  const ink = new Float32Array(pixels);
  for (let i = 0; i < count; i++) {
    labels[i] = random.below(10);
    ink.fill(0);
    drawDigit(ink, labels[i], random);
    for (let p = 0; p < pixels; p++) images[i * pixels + p] = Math.round(255 * ink[p]);
  }
  return { count, pixels, images, labels };
}

function drawDigit(ink: Float32Array, digit: number, random: Random): void {
  const styles = glyphs[digit];
  const glyph = styles[random.below(styles.length)];
  const place = randomPlacement(random);
  const radius = random.between(0.9, 1.7);
  for (const stroke of glyph) {
    // Points wander a little, so that two copies of a glyph differ in more than their placement.
    const points = stroke.map((value) => value + 0.015 * random.normal());
    drawStroke(ink, place(points), radius);
  }
  if (random.uniform() < 0.1) drawStroke(ink, strayStroke(random), random.between(0.4, 0.9));
  if (random.uniform() < 0.1) eraseBand(ink, random);
  addNoise(ink, random);
}

/** A random map from the unit square to pixels: a bend, then scale, slant, rotation and shift. */
function randomPlacement(random: Random): (points: number[]) => number[] {
  const angle = 0.2 * random.normal();
  const slant = 0.15 * random.normal();
  const width = side * random.between(0.6, 0.9);
  const height = side * random.between(0.65, 0.85);
  const shiftX = side / 2 + random.between(-3, 3);
  const shiftY = side / 2 + random.between(-3, 3);
  const bendX = 0.03 * random.normal();
  const bendY = 0.03 * random.normal();
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return (points) => {
    for (let i = 0; i < points.length; i += 2) {
      const u = points[i] - 0.5 + bendX * Math.sin(2 * Math.PI * points[i + 1]);
      const v = points[i + 1] - 0.5 + bendY * Math.sin(2 * Math.PI * points[i]);
      const x = width * (u - slant * v);
      const y = height * v;
      points[i] = shiftX + cos * x - sin * y;
      points[i + 1] = shiftY + sin * x + cos * y;
    }
    return points;
  };
}

/** Darkens every pixel by how much of it lies within `radius` of the polyline. */
function drawStroke(ink: Float32Array, points: readonly number[], radius: number): void {
  for (let i = 0; i + 3 < points.length; i += 2) {
    drawSegment(ink, points[i], points[i + 1], points[i + 2], points[i + 3], radius);
  }
}

function drawSegment(
  ink: Float32Array,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  radius: number,
): void {
  const reach = radius + 0.5;
  const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
  const right = Math.min(side - 1, Math.ceil(Math.max(ax, bx) + reach));
  const top = Math.max(0, Math.floor(Math.min(ay, by) - reach));
  const bottom = Math.min(side - 1, Math.ceil(Math.max(ay, by) + reach));
  const dx = bx - ax;
  const dy = by - ay;
  const lengthSquared = dx * dx + dy * dy || 1;
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const x = column + 0.5 - ax;
      const y = row + 0.5 - ay;
      const along = Math.min(1, Math.max(0, (x * dx + y * dy) / lengthSquared));
      const distance = Math.sqrt((x - along * dx) ** 2 + (y - along * dy) ** 2);
      const cover = Math.min(1, reach - distance);
      const pixel = row * side + column;
      if (cover > ink[pixel]) ink[pixel] = cover;
    }
  }
}

/** A short line that belongs to no digit. */
function strayStroke(random: Random): number[] {
  const x = random.between(2, side - 2);
  const y = random.between(2, side - 2);
  const angle = random.between(0, 2 * Math.PI);
  const length = random.between(4, 10);
  return [x, y, x + length * Math.cos(angle), y + length * Math.sin(angle)];
}

/** Hides a narrow band of rows or columns. */
function eraseBand(ink: Float32Array, random: Random): void {
  const start = random.below(side - 3);
  const thickness = 2 + random.below(3);
  const horizontal = random.uniform() < 0.5;
  for (let i = start; i < Math.min(side, start + thickness); i++) {
    for (let j = 0; j < side; j++) ink[horizontal ? i * side + j : j * side + i] = 0;
  }
}

/** Uneven ink, and specks on one pixel in fifty. */
function addNoise(ink: Float32Array, random: Random): void {
  const strength = random.between(0.6, 1);
  for (let i = 0; i < ink.length; i++) {
    if (ink[i] > 0) ink[i] = Math.min(1, ink[i] * (strength + 0.15 * random.normal()));
    if (ink[i] < 0) ink[i] = 0;
  }
  for (let i = 0; i < ink.length / 100; i++) ink[random.below(ink.length)] = random.uniform();
}
