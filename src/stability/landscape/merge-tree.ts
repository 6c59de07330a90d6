import { expectBoolean, expectNumber, expectOneOf, expectOptions, show } from "../../common/expect.js";
import { expectGrid, spacings, type Grid } from "./grid.js";
import { ascending } from "./order.js";

/** "super" for {f ≥ level}, "sub" for {f ≤ level}. */
export type Sense = "super" | "sub";

/** How a {@link mergeTree} is made. */
export interface MergeTreeOptions {
  /** Default "sub": where a minimizer may be trapped. */
  sense?: Sense;
  /**
   * What lies outside the window: "separate" nothing, "joined" one point at f = +∞ that touches the whole boundary, as
   * it is with a loss that grows in all directions. It joins superlevel pieces that only the window cuts apart; default
   * "separate".
   */
  outer?: "separate" | "joined";
  /**
   * The last column borders on the first, and the last row on the first, as with angles: [columns, rows]; default [false, false]. The
   * grid holds each point once, so the last column is one spacing before the first comes again.
   */
  periodic?: readonly [boolean, boolean];
  /** An upper bound of ‖Hess f‖₂ on the window, in the units of `x` and `y`: makes the {@link MergeTree.error}. */
  hessianBound?: number;
}

/** The life of a component, from the level where it appears to the one where an older one swallows it. */
export interface Bar {
  /** The extremum it grows from: a maximum for "super", a minimum for "sub". */
  readonly birth: number;
  /** The saddle where it merges; −∞ ("super") or +∞ ("sub") for the oldest. */
  readonly death: number;
  /** |birth − death|. */
  readonly persistence: number;
  /** Index into `values` of the extremum; −1 for what lies outside the window. */
  readonly birthVertex: number;
  /** Index of the saddle; −1 where it never dies. */
  readonly deathVertex: number;
  /** The bar that swallows it, an index into `bars`; −1 for the oldest. */
  readonly parent: number;
  /** The first level, coming from birth, where the component touches the window's boundary; null if not before death. */
  readonly boundary: number | null;
  /** Longer than twice the error: the function on the slice, not only its grid, has this component. */
  readonly certified: boolean;
}

/** The components of all level sets of a grid, as a plain object. */
export interface MergeTree {
  readonly sense: Sense;
  readonly columns: number;
  readonly rows: number;
  /** By falling persistence; those of persistence 0 are left out. */
  readonly bars: readonly Bar[];
  /** For each grid point the bar that it enters on its own level; −1 where the value is NaN. */
  readonly branch: Int32Array;
  /** ε ≥ |f − its linear interpolation|, M (h_x² + h_y²) / 8 with M = `hessianBound`; null without that. */
  readonly error: number | null;
}

/**
 * Union-find over the vertices, which enter one by one, in `order`. Arrays are by vertex; the last element is for the outside of
 * the window.
 */
interface DisjointSets {
  readonly values: Float64Array;
  readonly order: Uint32Array;
  readonly columns: number;
  readonly rows: number;
  readonly periodic: readonly [boolean, boolean];
  /** −1 before a vertex enters. */
  readonly root: Int32Array;
  /** Of a root: its component's bar. */
  readonly barOf: Int32Array;
  readonly branch: Int32Array;
  readonly bars: Draft[];
}

type Draft = { -readonly [Key in keyof Bar]: Bar[Key] };

/**
 * The merge tree of a function on a grid, or 0-dimensional persistence: vertices enter by falling value ("super") or by
 * rising value ("sub"), and union-find joins each to those of its neighbours that are in; where components meet, the
 * one with the lesser extremum dies (elder rule). Neighbours are left, right, below, above, and both ends of one
 * diagonal (Freudenthal's triangulation), so the components are those of the piecewise linear interpolation, and both
 * senses are about the same function.
 *
 * With `hessianBound` M, |f − interpolation| ≤ ε = M (h_x² + h_y²) / 8, so f has a component for each bar that is
 * longer than 2 ε, born and dying within ε of it (Cohen-Steiner, Edelsbrunner, Harer 2007).
 *
 * Connected on a slice is connected in parameter space; apart on a slice proves nothing there.
 *
 * @throws TypeError or RangeError for a bad grid or options; values may be infinite; where they are NaN, there is no point
 * @example
 * import { mergeTree } from "superlevel/stability";
 * const tree = mergeTree({ columns: 5, rows: 1, values: [0, 2, 1, 3, 0] }, { sense: "super" });
 * tree.bars.map(({ birth, death }) => [birth, death]); // → [[3, -Infinity], [2, 1]]
 */
export function mergeTree(grid: Grid, options: MergeTreeOptions = {}): MergeTree {
  expectGrid("grid", grid);
  expectOptions("options", options, ["sense", "outer", "periodic", "hessianBound"]);
  const sense = expectOneOf("options.sense", options.sense ?? "sub", ["super", "sub"]);
  const outer = expectOneOf("options.outer", options.outer ?? "separate", ["separate", "joined"]);
  const { columns, rows } = grid;
  const sign = sense === "super" ? -1 : 1;
  const sets = prepare(grid, sign, checkPeriodic(options.periodic));
  // Below every finite loss nothing lies outside, so only superlevel sets are joined there.
  if (outer === "joined" && sense === "super") enterOutside(sets);
  for (const vertex of sets.order) enter(sets, vertex);
  const error = errorOf(grid, options.hessianBound);
  return { sense, columns, rows, ...compact(sets, sign, error ?? Infinity), error };
}

function checkPeriodic(periodic: readonly [boolean, boolean] = [false, false]): readonly [boolean, boolean] {
  if (!Array.isArray(periodic) || periodic.length !== 2)
    throw new TypeError(
      `options.periodic: expected [columns, rows], such as [true, false], got ${show(periodic)}`,
    );
  periodic.forEach((value, k) => expectBoolean(`options.periodic[${k}]`, value));
  return periodic;
}

function errorOf(grid: Grid, hessianBound: number | undefined): number | null {
  if (hessianBound === undefined) return null;
  const [dx, dy] = spacings(grid);
  return (expectNumber("options.hessianBound", hessianBound, { min: 0 }) * (dx * dx + dy * dy)) / 8;
}

/** Values times `sign`, so that they always enter from low to high. */
function prepare(
  { columns, rows, values }: Grid,
  sign: number,
  periodic: readonly [boolean, boolean],
): DisjointSets {
  const size = columns * rows;
  const signed = new Float64Array(size);
  for (let i = 0; i < size; i++) signed[i] = sign * values[i];
  return {
    values: signed,
    order: ascending(signed).filter((vertex) => !Number.isNaN(signed[vertex])),
    columns,
    rows,
    periodic,
    root: new Int32Array(size + 1).fill(-1),
    barOf: new Int32Array(size + 1),
    branch: new Int32Array(size).fill(-1),
    bars: [],
  };
}

/** The outside is a vertex of its own, the first to enter. */
function enterOutside({ root, barOf, bars, values }: DisjointSets): void {
  root[values.length] = values.length;
  barOf[values.length] = bars.push(newBar(-Infinity, -1, -Infinity)) - 1;
}

function newBar(birth: number, birthVertex: number, boundary: number | null): Draft {
  const never = { death: Infinity, deathVertex: -1, parent: -1 };
  return { birth, birthVertex, ...never, persistence: Infinity, boundary, certified: false };
}

/** Columns and rows to the neighbours of Freudenthal's triangulation. */
const NEIGHBOURS = [[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [1, 1]] as const; // prettier-ignore

/** A vertex with all its neighbours that are in already. */
function enter(sets: DisjointSets, vertex: number): void {
  const { columns, rows, periodic, root, values, barOf, bars, branch } = sets;
  const size = values.length;
  const column = vertex % columns;
  const row = (vertex - column) / columns;
  /** The neighbour so many columns and rows on, around the ends where the grid is periodic; −1 outside of it. */
  const near = (right: number, up: number): number => {
    const [i, j] = [column + right, row + up];
    if ((i < 0 || i >= columns) && !periodic[0]) return -1;
    if ((j < 0 || j >= rows) && !periodic[1]) return -1;
    return ((j + rows) % rows) * columns + ((i + columns) % columns);
  };
  let own = -1;
  let atEdge = false;
  for (const [right, up] of NEIGHBOURS) {
    // A window of one row has no upper and no lower edge.
    if (rows === 1 && up !== 0) continue;
    const neighbour = near(right, up);
    if (neighbour === -1) atEdge = true;
    else if (neighbour !== vertex) own = join(sets, vertex, neighbour, own);
  }
  if (atEdge) own = join(sets, vertex, size, own);
  if (own === -1) {
    own = root[vertex] = vertex;
    barOf[vertex] = bars.push(newBar(values[vertex], vertex, null)) - 1;
  }
  branch[vertex] = barOf[own];
  const bar = bars[barOf[own]];
  if (atEdge) bar.boundary ??= values[vertex];
}

/** Joins a vertex, whose component so far is `own`, to a neighbour's component; returns the root of both. */
function join(sets: DisjointSets, vertex: number, neighbour: number, own: number): number {
  const { root, barOf, bars, values } = sets;
  if (root[neighbour] === -1) return own;
  const other = find(root, neighbour);
  if (own === -1) return (root[vertex] = other);
  if (own === other) return own;
  // Bars are numbered by age.
  const elder = barOf[own] < barOf[other] ? own : other;
  const younger = elder === own ? other : own;
  root[younger] = elder;
  const parent = bars[barOf[elder]];
  const dead = bars[barOf[younger]];
  dead.death = values[vertex];
  dead.deathVertex = vertex;
  dead.parent = barOf[elder];
  if (dead.boundary !== null) parent.boundary ??= values[vertex];
  return elder;
}

function find(root: Int32Array, vertex: number): number {
  while (root[vertex] !== vertex) {
    root[vertex] = root[root[vertex]];
    vertex = root[vertex];
  }
  return vertex;
}

/** Bars of some length, the longest first, with the sign of the values taken back. */
function compact(
  { bars, branch }: DisjointSets,
  sign: number,
  error: number,
): Pick<MergeTree, "bars" | "branch"> {
  for (const bar of bars) {
    // Both ends may be infinite; then their difference is NaN.
    if (bar.parent !== -1) bar.persistence = bar.birth === bar.death ? 0 : bar.death - bar.birth;
  }
  const kept = bars.map((_, i) => i).filter((i) => bars[i].persistence > 0);
  kept.sort((a, b) => bars[b].persistence - bars[a].persistence || a - b);
  const place = new Int32Array(bars.length);
  kept.forEach((bar, i) => (place[bar] = i));
  // A component without length belongs, on its level, to the one that swallows it; that one is older.
  bars.forEach((bar, i) => {
    if (bar.persistence === 0) place[i] = place[bar.parent];
  });
  const finished = kept.map((i): Bar => {
    const bar = bars[i];
    const parent = bar.parent === -1 ? -1 : place[bar.parent];
    const boundary = bar.boundary === null ? null : sign * bar.boundary + 0;
    const certified = bar.persistence > 2 * error;
    // Adding 0 makes 0 of −0.
    return { ...bar, birth: sign * bar.birth + 0, death: sign * bar.death + 0, parent, boundary, certified };
  });
  for (let i = 0; i < branch.length; i++) branch[i] = branch[i] === -1 ? -1 : place[branch[i]];
  return { bars: finished, branch };
}
