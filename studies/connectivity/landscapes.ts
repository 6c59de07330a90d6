/* Losses in the plane whose minima are known, with the components of their sublevel sets. */
import { mergeTree, type Grid, type MergeTree } from "superlevel/stability";

interface Loss {
  readonly loss: (x: number, y: number) => number;
  readonly gradient: (x: number, y: number) => readonly [number, number];
  /** Of the window, a square around 0; starts lie in its inner nine tenths. */
  readonly reach: number;
  /** Somewhere near each minimum, the lowest first. */
  readonly near: readonly (readonly [number, number])[];
}

const turn = 2 * Math.PI;
const ring = Array.from({ length: 11 }, (_, k) => k - 5);

const losses = {
  "double well": {
    loss: (x, y) => (x * x - 1) ** 2 + 0.3 * x + y * y,
    gradient: (x, y) => [4 * x * (x * x - 1) + 0.3, 2 * y],
    reach: 2,
    near: [
      [-1, 0],
      [1, 0],
    ],
  },
  Himmelblau: {
    loss: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    gradient(x, y) {
      const [a, b] = [x * x + y - 11, x + y * y - 7];
      return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
    },
    reach: 5,
    near: [
      [3, 2],
      [-2.8, 3.1],
      [-3.8, -3.3],
      [3.6, -1.8],
    ],
  },
  Rastrigin: {
    loss: (x, y) => 20 + x * x + y * y - 10 * (Math.cos(turn * x) + Math.cos(turn * y)),
    gradient: (x, y) => [2 * x + 10 * turn * Math.sin(turn * x), 2 * y + 10 * turn * Math.sin(turn * y)],
    reach: 5.4,
    near: ring
      .flatMap((x) => ring.map((y) => [x, y] as const))
      .sort((a, b) => Math.hypot(...a) - Math.hypot(...b)),
  },
} satisfies Record<string, Loss>;

export type LandscapeName = keyof typeof losses;
export const landscapeNames = Object.keys(losses) as LandscapeName[];

export interface Landscape extends Loss {
  readonly tree: MergeTree;
  /** By Newton's method from `near`. */
  readonly minima: readonly (readonly [number, number])[];
  /**
   * Do two points lie in different components of {L ≤ level}? No where one lies outside the window. The level is raised to the
   * losses at the points of the grid next to the two, as it is the components there that are known.
   */
  readonly apart: (a: readonly number[], b: readonly number[], level: number) => boolean;
}

const side = 301;
const made = new Map<LandscapeName, Landscape>();

export function landscape(name: LandscapeName): Landscape {
  if (!made.has(name)) made.set(name, build(losses[name]));
  return made.get(name)!;
}

function build(shape: Loss): Landscape {
  const { loss, reach } = shape;
  const spacing = (2 * reach) / (side - 1);
  const values = Float64Array.from({ length: side * side }, (_, i) =>
    loss((i % side) * spacing - reach, Math.floor(i / side) * spacing - reach),
  );
  const grid: Grid = { columns: side, rows: side, values, x: [-reach, reach], y: [-reach, reach] };
  const tree = mergeTree(grid);
  /** The point of the grid next to it; −1 outside the window. */
  function vertex([x, y]: readonly number[]): number {
    const [i, j] = [x, y].map((coordinate) => Math.round((coordinate + reach) / spacing));
    return i >= 0 && i < side && j >= 0 && j < side ? j * side + i : -1;
  }
  function component(at: number, level: number): number {
    let bar = tree.branch[at];
    while (tree.bars[bar].parent !== -1 && tree.bars[bar].death <= level) bar = tree.bars[bar].parent;
    return bar;
  }
  return {
    ...shape,
    tree,
    minima: shape.near.map((point) => descend(shape, point)),
    apart(a, b, level) {
      const [from, to] = [vertex(a), vertex(b)];
      if (from === -1 || to === -1 || from === to) return false;
      const raised = Math.max(level, values[from], values[to]);
      return component(from, raised) !== component(to, raised);
    },
  };
}

/** Newton's method, with a Hessian by differences. */
function descend({ gradient }: Loss, [x, y]: readonly [number, number]): readonly [number, number] {
  const h = 1e-5;
  for (let k = 0; k < 20; k++) {
    const [gx, gy] = gradient(x, y);
    const [right, left] = [gradient(x + h, y), gradient(x - h, y)];
    const [up, down] = [gradient(x, y + h), gradient(x, y - h)];
    const [xx, xy, yy] = [right[0] - left[0], right[1] - left[1], up[1] - down[1]].map((d) => d / (2 * h));
    const determinant = xx * yy - xy * xy;
    x -= (yy * gx - xy * gy) / determinant;
    y -= (xx * gy - xy * gx) / determinant;
  }
  return [x, y];
}
