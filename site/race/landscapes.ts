import { networkSlice } from "./network-slice.js";

/** A loss over the plane. */
export interface Landscape {
  readonly id: string;
  readonly name: string;
  /** What it teaches, in a sentence or two. */
  readonly note: string;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Where a race begins unless told otherwise. */
  readonly start: readonly [number, number];
  /** How loss becomes height. */
  readonly height: "linear" | "log";
  /** It grows in all directions, so everything outside the window is high and in one piece. */
  readonly coercive: boolean;
  /** Standard deviation of the sampled minimum, where gradients are noisy. */
  readonly noise?: number;
  readonly loss: (x: number, y: number) => number;
  readonly gradient: (x: number, y: number) => [number, number];
}

/** L = exp(−x² − y²). */
const bump: Landscape = {
  id: "bump",
  name: "The paper's exp(−x² − y²)",
  note: "Figures 1 and 2 of the paper. As a loss it has no minimum: downhill is away from the origin, ever more slowly. What the paper calls its minimum is the top.",
  x: [-2.5, 2.5],
  y: [-2.5, 2.5],
  start: [0.5, 0.3],
  height: "linear",
  coercive: false,
  loss: (x, y) => Math.exp(-x * x - y * y),
  gradient: (x, y) => {
    const value = Math.exp(-x * x - y * y);
    return [-2 * x * value, -2 * y * value];
  },
};

/** L = 1 − exp(−x² − y²). */
const hollow: Landscape = {
  ...bump,
  id: "hollow",
  name: "The same turned over: 1 − exp(−x² − y²)",
  note: "Now the origin is the minimum. Far from it the ground is flat, so a small gradient does not mean that the end is near.",
  start: [1.5, 1],
  loss: (x, y) => 1 - bump.loss(x, y),
  gradient: (x, y) => {
    const [gx, gy] = bump.gradient(x, y);
    return [-gx, -gy];
  },
};

/** L = (1 − x)² + 100 (y − x²)². */
const rosenbrock: Landscape = {
  id: "rosenbrock",
  name: "Rosenbrock's valley",
  note: "A flat, bent valley between steep walls; the minimum, 0, is at (1, 1). A rate small enough for the walls is too small for the valley.",
  x: [-2, 2],
  y: [-1, 3],
  start: [-1.2, 1],
  height: "log",
  coercive: true,
  loss: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
  gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
};

/** L = (x² + y − 11)² + (x + y² − 7)². */
const himmelblau: Landscape = {
  id: "himmelblau",
  name: "Himmelblau's four wells",
  note: "Four minima, all 0. Which one is found depends on the start and on the lengths of the steps.",
  x: [-6, 6],
  y: [-6, 6],
  start: [-0.3, -1.2],
  height: "log",
  coercive: true,
  loss: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
  gradient: (x, y) => {
    const [a, b] = [x * x + y - 11, x + y * y - 7];
    return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
  },
};

/** L = 20 + Σ (x² − 10 cos 2πx). */
const rastrigin: Landscape = {
  id: "rastrigin",
  name: "Rastrigin's egg box",
  note: "A well in every unit square, the lowest at the origin. No method that only goes downhill finds it from afar, and none here claims to.",
  x: [-3.2, 3.2],
  y: [-3.2, 3.2],
  start: [2.3, -1.7],
  height: "linear",
  coercive: true,
  loss: (x, y) => 20 + x * x - 10 * Math.cos(2 * Math.PI * x) + y * y - 10 * Math.cos(2 * Math.PI * y),
  gradient: (x, y) => [
    2 * x + 20 * Math.PI * Math.sin(2 * Math.PI * x),
    2 * y + 20 * Math.PI * Math.sin(2 * Math.PI * y),
  ],
};

/** L = (x² − 1)² + 0.3 x + y². */
const doubleWell: Landscape = {
  id: "well",
  name: "Double well",
  note: "Two wells, the left one lower. The points above any level are in one piece, and a descent from the right is trapped all the same.",
  x: [-1.8, 1.8],
  y: [-1.5, 1.5],
  start: [1.2, 1.1],
  height: "log",
  coercive: true,
  loss: (x, y) => (x * x - 1) ** 2 + 0.3 * x + y * y,
  gradient: (x, y) => [4 * x * (x * x - 1) + 0.3, 2 * y],
};

/** L = ½ (x² + 400 y²). */
const canyon: Landscape = {
  id: "canyon",
  name: "Narrow canyon",
  note: "400 times steeper across than along. Plain descent must keep its rate below 2/400 or it bounces out; at that rate it creeps.",
  x: [-4, 4],
  y: [-0.6, 0.6],
  start: [-3.4, 0.4],
  height: "log",
  coercive: true,
  loss: (x, y) => (x * x + 400 * y * y) / 2,
  gradient: (x, y) => [x, 400 * y],
};

/** L = ½ (x² + 10 y²), of which each step sees another sample: its minimum is moved at random. */
const noisy: Landscape = {
  id: "noisy",
  name: "Noisy quadratic",
  note: "Every step sees the bowl moved a little at random, as a batch of examples shows a network another loss each time. A fixed rate ends in a cloud; here superlevel averages.",
  x: [-3, 3],
  y: [-2, 2],
  start: [-2.5, 1.5],
  height: "log",
  coercive: true,
  noise: 0.5,
  loss: (x, y) => (x * x + 10 * y * y) / 2,
  gradient: (x, y) => [x, 10 * y],
};

export const landscapes: readonly Landscape[] = [
  rosenbrock,
  bump,
  hollow,
  himmelblau,
  rastrigin,
  doubleWell,
  canyon,
  noisy,
  {
    id: "network",
    name: "A slice of a real network",
    note: "The loss of a small network, with 33 weights, over the plane in which its own training moved most. The race is in that plane.",
    x: [-1, 1],
    y: [-1, 1],
    start: [0, 0],
    height: "log",
    coercive: false,
    loss: () => 0,
    gradient: () => [0, 0],
  },
];

/** The network's slice is computed when it is first asked for. */
let computed: Landscape | undefined;

export function landscapeOf(id: string): Landscape {
  const found = landscapes.find((landscape) => landscape.id === id) ?? landscapes[0];
  return found.id === "network" ? (computed ??= { ...found, ...networkSlice() }) : found;
}
