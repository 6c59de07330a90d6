/** A function of the plane with what is known about it. */
export interface Landscape {
  readonly name: string;
  /** What it teaches. */
  readonly note: string;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** It grows in all directions, so everything outside the window is high and in one piece. */
  readonly coercive: boolean;
  /** A bound of ‖Hess L‖₂ on the window, where one is of use. */
  readonly hessianBound?: number;
  /** Where descent is started for the picture. */
  readonly start: readonly [number, number];
  readonly loss: (x: number, y: number) => number;
  readonly gradient: (x: number, y: number) => [number, number];
}

const BUMP_DISTANCE = 1.5;

/** L = e^−((x−a)²+y²) + e^−((x+a)²+y²), a = 1.5. */
export const twoBumps: Landscape = {
  name: "Two bumps",
  note: "{L ≥ λ} falls into two pieces above the saddle at 2 exp(−a²) = 0.2108, whatever the learning rate",
  x: [-4, 4],
  y: [-3, 3],
  coercive: false,
  hessianBound: 4,
  start: [-1.2, 0.3],
  loss: (x, y) =>
    Math.exp(-((x - BUMP_DISTANCE) ** 2) - y * y) + Math.exp(-((x + BUMP_DISTANCE) ** 2) - y * y),
  gradient: (x, y) => {
    const right = Math.exp(-((x - BUMP_DISTANCE) ** 2) - y * y);
    const left = Math.exp(-((x + BUMP_DISTANCE) ** 2) - y * y);
    return [-2 * ((x - BUMP_DISTANCE) * right + (x + BUMP_DISTANCE) * left), -2 * y * (right + left)];
  },
};

/** L = (x² − 1)² + y². */
export const doubleWell: Landscape = {
  name: "Double well",
  note: "{L ≤ λ} is two pieces below 1; {L ≥ λ} is one piece for every λ, and descent is trapped all the same",
  x: [-2, 2],
  y: [-2, 2],
  coercive: true,
  hessianBound: 44,
  start: [0.2, 1.8],
  loss: (x, y) => (x * x - 1) ** 2 + y * y,
  gradient: (x, y) => [4 * x * (x * x - 1), 2 * y],
};

/** L = (x² − 1)² + 0.3 x + y². */
export const tiltedDoubleWell: Landscape = {
  ...doubleWell,
  name: "Tilted double well",
  note: "descent from the right ends in the higher well, though {L ≥ λ} is in one piece",
  start: [1.1, 0.5],
  loss: (x, y) => (x * x - 1) ** 2 + 0.3 * x + y * y,
  gradient: (x, y) => [4 * x * (x * x - 1) + 0.3, 2 * y],
};

/** L = (x² + y − 11)² + (x + y² − 7)². */
export const himmelblau: Landscape = {
  name: "Himmelblau",
  note: "four minima at 0 merge one after the other; around the maximum {L ≥ λ} has an island",
  x: [-6, 6],
  y: [-6, 6],
  coercive: true,
  hessianBound: 500,
  start: [-0.3, -1.2],
  loss: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
  gradient: (x, y) => {
    const [a, b] = [x * x + y - 11, x + y * y - 7];
    return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
  },
};

/** Height, exponents of dx², dx dy, dy², and centre of each term of Müller and Brown's surface. */
const MULLER_BROWN = [
  [-200, -1, 0, -10, 1, 0],
  [-100, -1, 0, -10, 0, 0.5],
  [-170, -6.5, 11, -6.5, -0.5, 1.5],
  [15, 0.7, 0.6, 0.7, -1, 1],
] as const;

/** L = Σ A exp(a dx² + b dx dy + c dy²); Müller, Brown, Theor. Chim. Acta 53, 75, 1979. */
export const mullerBrown: Landscape = {
  name: "Müller–Brown",
  note: "three minima of a chemical reaction; the path between the deep ones turns twice",
  x: [-1.5, 1.2],
  y: [-0.2, 2],
  coercive: true,
  start: [-1.2, 1.0],
  loss: (x, y) =>
    MULLER_BROWN.reduce((sum, [height, a, b, c, x0, y0]) => {
      const [dx, dy] = [x - x0, y - y0];
      return sum + height * Math.exp(a * dx * dx + b * dx * dy + c * dy * dy);
    }, 0),
  gradient: (x, y) => {
    const gradient: [number, number] = [0, 0];
    for (const [height, a, b, c, x0, y0] of MULLER_BROWN) {
      const [dx, dy] = [x - x0, y - y0];
      const term = height * Math.exp(a * dx * dx + b * dx * dy + c * dy * dy);
      gradient[0] += term * (2 * a * dx + b * dy);
      gradient[1] += term * (b * dx + 2 * c * dy);
    }
    return gradient;
  },
};

/** L = (x² + y² − 1)². */
export const ring: Landscape = {
  name: "Ring",
  note: "opposite minima are connected around, at barrier 0, though the straight line between them has barrier 1",
  x: [-1.5, 1.5],
  y: [-1.5, 1.5],
  coercive: true,
  hessianBound: 50,
  start: [0.15, 0.1],
  loss: (x, y) => (x * x + y * y - 1) ** 2,
  gradient: (x, y) => {
    const excess = x * x + y * y - 1;
    return [4 * x * excess, 4 * y * excess];
  },
};

/** L = 2 x² + y² / 4. */
export const parabola: Landscape = {
  name: "Parabola, with the rate α / (1 + ‖g‖)",
  note: "α = 1 and no decay: x ends in a cycle between ±¼, where V neither rises nor falls: edge ratio 1",
  x: [-1.5, 1.5],
  y: [-1.5, 1.5],
  coercive: true,
  hessianBound: 4,
  start: [1, 1.2],
  loss: (x, y) => 2 * x * x + (y * y) / 4,
  gradient: (x, y) => [4 * x, y / 2],
};

/** L = sin 4πx · sin 4πy. */
export const eggbox: Landscape = {
  name: "Egg box",
  note: "eight pieces in {L ≥ λ} for every λ in (0, 1), and eight in {L ≤ −λ}",
  x: [0, 1],
  y: [0, 1],
  coercive: false,
  hessianBound: 16 * Math.PI ** 2,
  start: [0.3, 0.2],
  loss: (x, y) => Math.sin(4 * Math.PI * x) * Math.sin(4 * Math.PI * y),
  gradient: (x, y) => {
    const k = 4 * Math.PI;
    return [k * Math.cos(k * x) * Math.sin(k * y), k * Math.sin(k * x) * Math.cos(k * y)];
  },
};

export const landscapes: readonly Landscape[] = [
  twoBumps,
  doubleWell,
  tiltedDoubleWell,
  himmelblau,
  mullerBrown,
  ring,
  parabola,
  eggbox,
];

/** As the diagnostics take it. */
export function lossGradOf({ loss, gradient }: Landscape) {
  return ([x, y]: Float64Array) => ({ loss: loss(x, y), grads: gradient(x, y) });
}
