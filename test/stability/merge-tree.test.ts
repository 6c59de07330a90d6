/** Components of level sets, against closed forms and against flood filling. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  countComponents,
  labelComponents,
  mergeTree,
  type MergeTree,
  type MergeTreeOptions,
  type Sense,
} from "superlevel/stability";

import {
  doubleWell,
  eggbox,
  himmelblau,
  mullerBrown,
  tiltedDoubleWell,
  twoBumps,
  type Landscape,
} from "../../studies/report/landscapes.js";
import { criticalPoint, largestHessian } from "../support/critical.js";

interface Sampled {
  columns: number;
  rows: number;
  values: Float64Array;
  x: readonly [number, number];
  y: readonly [number, number];
}

function sample(
  { loss, x, y }: Pick<Landscape, "loss" | "x" | "y">,
  columns: number,
  rows = columns,
): Sampled {
  const values = new Float64Array(columns * rows);
  const at = ([from, to]: readonly [number, number], i: number, count: number) =>
    from + ((to - from) * i) / (count - 1);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) values[j * columns + i] = loss(at(x, i, columns), at(y, j, rows));
  }
  return { columns, rows, values, x, y };
}

/** Components by flood filling over the six neighbours; the corner pieces of a joined superlevel set are one. */
function flood(
  { columns, rows, values }: Sampled,
  level: number,
  { sense, outer }: MergeTreeOptions,
): number {
  const isInside = (i: number) => (sense === "super" ? values[i] >= level : values[i] <= level);
  const seen = new Uint8Array(values.length);
  const fill = (seed: number[]): void => {
    const open = seed;
    for (const i of open) seen[i] = 1;
    while (open.length > 0) {
      const i = open.pop()!;
      const [column, row] = [i % columns, Math.floor(i / columns)];
      const steps = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]] as const; // prettier-ignore
      for (const [dx, dy] of steps) {
        if (column + dx < 0 || column + dx >= columns || row + dy < 0 || row + dy >= rows) continue;
        const j = i + dx + dy * columns;
        if (seen[j] || !isInside(j)) continue;
        seen[j] = 1;
        open.push(j);
      }
    }
  };
  let count = 0;
  if (sense === "super" && outer === "joined") {
    count = 1;
    const edge = Array.from(values.keys()).filter((i) => {
      const [column, row] = [i % columns, Math.floor(i / columns)];
      const ends = column === 0 || column === columns - 1;
      return isInside(i) && (ends || (rows > 1 && (row === 0 || row === rows - 1)));
    });
    fill(edge);
  }
  for (let i = 0; i < values.length; i++) {
    if (!isInside(i) || seen[i]) continue;
    count++;
    fill([i]);
  }
  return count;
}

/** Components of a landscape's level sets on an n² grid. */
function counter(landscape: Landscape, sense: Sense, n = 129): (level: number) => number {
  const outer = landscape.coercive ? "joined" : "separate";
  const tree = mergeTree(sample(landscape, n), { sense, outer });
  return (level) => countComponents(tree, level);
}

const finiteDeaths = (tree: MergeTree, minimum: number): number[] =>
  tree.bars
    .filter(({ persistence, death }) => persistence > minimum && Number.isFinite(death))
    .map(({ death }) => death)
    .sort((a, b) => a - b);

describe("merge trees of functions with known level sets", () => {
  it("bump: one disk of area π ln(1/λ), and one annulus", () => {
    const bump = sample({ loss: (x, y) => Math.exp(-x * x - y * y), x: [-3, 3], y: [-3, 3] }, 129);
    const tree = mergeTree(bump, { sense: "super" });
    const cell = (6 / 128) ** 2;
    for (const level of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      expect(countComponents(tree, level)).toBe(1);
      const area = labelComponents(tree, bump.values, level).filter((label) => label === 0).length * cell;
      expect(area / (Math.PI * Math.log(1 / level))).toBeCloseTo(1, 1);
    }
    expect(countComponents(tree, 1.01)).toBe(0);
    const below = mergeTree(bump, { sense: "sub" });
    expect([0.1, 0.5, 0.9].map((level) => countComponents(below, level))).toEqual([1, 1, 1]);
  });

  it("x² on the line: two half-lines above every λ > 0, one interval below", () => {
    const parabola = sample({ loss: (x) => x * x, x: [-2, 2], y: [0, 0] }, 101, 1);
    const [above, below] = (["super", "sub"] as const).map((sense) => mergeTree(parabola, { sense }));
    expect([0.001, 1, 3.9].map((level) => countComponents(above, level))).toEqual([2, 2, 2]);
    expect(countComponents(above, 0)).toBe(1);
    expect([0.001, 1, 3.9].map((level) => countComponents(below, level))).toEqual([1, 1, 1]);
  });

  it("two bumps: 1, 2, 0 pieces, with switches at 2 exp(−a²) and at the maximum", () => {
    const a = 1.5;
    let top = a;
    for (let k = 0; k < 200; k++) top = a * Math.tanh(2 * a * top);
    const maximum = Math.exp(-((top - a) ** 2)) + Math.exp(-((top + a) ** 2));
    const saddle = 2 * Math.exp(-a * a);
    expect(top).toBeCloseTo(1.499629, 6);
    const M = largestHessian(twoBumps.gradient, twoBumps.x, twoBumps.y);
    for (const n of [33, 65, 129, 257]) {
      const tree = mergeTree(sample(twoBumps, n), { sense: "super", hessianBound: M });
      const [width, height] = [8, 6];
      const error = (M * ((width / (n - 1)) ** 2 + (height / (n - 1)) ** 2)) / 8;
      expect(tree.error).toBeCloseTo(error, 12);
      const [first, second] = tree.bars;
      expect(tree.bars.filter(({ certified }) => certified)).toHaveLength(2);
      expect(first.death).toBe(-Infinity);
      expect(Math.abs(first.birth - maximum)).toBeLessThanOrEqual(error);
      expect(Math.abs(second.birth - maximum)).toBeLessThanOrEqual(error);
      expect(Math.abs(second.death - saddle)).toBeLessThanOrEqual(error);
      expect(Math.abs(second.persistence - (maximum - saddle))).toBeLessThanOrEqual(2 * error);
    }
    const count = counter(twoBumps, "super", 257);
    expect([0.05, saddle - 1e-3, saddle + 1e-3, 1, maximum + 1e-9].map(count)).toEqual([1, 1, 2, 2, 0]);
    expect([0.05, 0.2, 0.5, 1].map(counter(twoBumps, "sub"))).toEqual([1, 1, 1, 1]);
  });

  it("double wells: one piece above whatever λ, though two below 1", () => {
    const levels = [0.1, 0.5, 0.99, 1.01, 3, 5, 8];
    expect(levels.map(counter(doubleWell, "super"))).toEqual(levels.map(() => 1));
    expect(levels.map(counter(tiltedDoubleWell, "super"))).toEqual(levels.map(() => 1));
    expect(levels.map(counter(doubleWell, "sub"))).toEqual([2, 2, 2, 1, 1, 1, 1]);
  });

  it("double well: the window alone cuts {L ≥ 5} into its four corners", () => {
    const grid = sample(doubleWell, 129);
    const separate = mergeTree(grid, { sense: "super" });
    expect(countComponents(separate, 5)).toBe(4);
    const alive = separate.bars.filter(({ birth, death }) => birth >= 5 && 5 > death);
    expect(alive.every(({ boundary }) => boundary !== null && boundary >= 5)).toBe(true);
    expect(countComponents(mergeTree(grid, { sense: "super", outer: "joined" }), 5)).toBe(1);
  });

  it("Himmelblau: pits merge at its saddles, the peak is an island between saddle and maximum", () => {
    const value = (start: [number, number]) => himmelblau.loss(...criticalPoint(himmelblau.gradient, start));
    const saddles = ([[3.4, 0.1], [0.1, 2.9], [-3.1, -0.1], [-0.1, -2]] as [number, number][]).map(value); // prettier-ignore
    const [first, second, third, last] = saddles.sort((p, q) => p - q);
    const maximum = value([-0.3, -0.9]);
    expect([first, second, third].map((v) => v.toFixed(6))).toEqual(["13.311926", "67.719150", "104.015163"]);
    expect([last.toFixed(6), maximum.toFixed(6)]).toEqual(["178.337239", "181.616522"]);

    const below = counter(himmelblau, "sub", 257);
    const around = [first, second, third].flatMap((level) => [level - 0.1, level + 0.1]);
    expect(around.map(below)).toEqual([4, 3, 3, 2, 2, 1]);
    const above = counter(himmelblau, "super", 257);
    expect([100, last - 0.1, last + 0.1, maximum - 0.1, maximum + 0.1].map(above)).toEqual([1, 1, 2, 2, 1]);

    const grid = sample(himmelblau, 257);
    const M = largestHessian(himmelblau.gradient, himmelblau.x, himmelblau.y);
    const tree = mergeTree(grid, { sense: "sub", hessianBound: M });
    const deaths = finiteDeaths(tree, 1);
    [first, second, third].forEach((saddle, k) => {
      expect(Math.abs(deaths[k] - saddle)).toBeLessThanOrEqual(tree.error!);
    });
  });

  it("egg box: eight pieces on each side", () => {
    const levels = [0.01, 0.5, 0.99];
    expect(levels.map(counter(eggbox, "super"))).toEqual([8, 8, 8]);
    expect(levels.map((level) => counter(eggbox, "sub")(-level))).toEqual([8, 8, 8]);
  });

  it("Müller–Brown: its three pits merge at its two saddles", () => {
    const value = (x: number, y: number) => mullerBrown.loss(...criticalPoint(mullerBrown.gradient, [x, y]));
    const saddles = [value(0.21, 0.29), value(-0.82, 0.62)];
    const [deepest, middle, shallow] = [value(-0.56, 1.44), value(0.62, 0.03), value(-0.05, 0.47)];
    expect(saddles.map((v) => v.toFixed(4))).toEqual(["-72.2489", "-40.6648"]);
    expect([deepest, middle, shallow].map((v) => v.toFixed(4))).toEqual([
      "-146.6995",
      "-108.1667",
      "-80.7678",
    ]);
    const tree = mergeTree(sample(mullerBrown, 257), { sense: "sub" });
    const [all, late, early] = tree.bars.filter(({ persistence }) => persistence > 1);
    expect(Math.abs(all.birth - deepest)).toBeLessThan(0.2);
    expect(Math.abs(late.birth - middle)).toBeLessThan(0.2);
    expect(Math.abs(late.death - saddles[1])).toBeLessThan(0.1);
    expect(Math.abs(early.birth - shallow)).toBeLessThan(0.2);
    expect(Math.abs(early.death - saddles[0])).toBeLessThan(0.1);
  });
});

describe("merge trees of any grid", () => {
  const outers = ["separate", "joined"] as const;
  const senses = ["super", "sub"] as const;

  /** Few different values make plateaus and ties; all sizes from a single point on. */
  const grids = fc
    .record({ columns: fc.integer({ min: 1, max: 9 }), rows: fc.integer({ min: 1, max: 9 }) })
    .chain(({ columns, rows }) =>
      fc
        .array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -3, max: 3 })), {
          minLength: columns * rows,
          maxLength: columns * rows,
        })
        .map((values) => ({
          ...{ columns, rows, values: Float64Array.from(values) },
          ...{ x: [0, 1] as const, y: [0, 1] as const },
        })),
    );

  it("count what flood filling counts", () => {
    fc.assert(
      fc.property(grids, fc.constantFrom(...senses), fc.constantFrom(...outers), (grid, sense, outer) => {
        const tree = mergeTree(grid, { sense, outer });
        for (const level of [...grid.values, -3.5, -1.5, 0, 0.5, 3.5]) {
          expect(countComponents(tree, level)).toBe(flood(grid, level, { sense, outer }));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("label neighbours in the level set alike, and different components differently", () => {
    fc.assert(
      fc.property(grids, fc.constantFrom(...senses), (grid, sense) => {
        const tree = mergeTree(grid, { sense });
        const { columns, rows, values } = grid;
        for (const level of [-2, 0, 1.5, values[0]]) {
          const labels = labelComponents(tree, values, level);
          for (let i = 0; i < values.length; i++) {
            expect(labels[i] >= 0).toBe(sense === "super" ? values[i] >= level : values[i] <= level);
            const neighbours = [
              i % columns < columns - 1 ? i + 1 : i,
              i + columns < values.length ? i + columns : i,
              i % columns < columns - 1 && i + columns < values.length ? i + columns + 1 : i,
            ];
            for (const j of neighbours)
              if (labels[i] >= 0 && labels[j] >= 0) expect(labels[i]).toBe(labels[j]);
          }
          const distinct = new Set(labels.filter((label) => label >= 0));
          expect(distinct.size).toBe(flood(grid, level, { sense }));
          expect(rows * columns).toBe(labels.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("obey symmetry: superlevel sets of f are sublevel sets of −f", () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const above = mergeTree(grid, { sense: "super" });
        const below = mergeTree({ ...grid, values: grid.values.map((value) => -value) }, { sense: "sub" });
        expect(above.bars.map(({ birth, death }) => [birth, death])).toEqual(
          below.bars.map(({ birth, death }) => [-birth + 0, -death + 0]),
        );
        expect(above.branch).toEqual(below.branch);
      }),
    );
  });

  it("{f ≥ λ} has the unbounded piece and one for each hole of {f < λ}, holes counted by Euler's formula", () => {
    fc.assert(
      fc.property(grids, fc.integer({ min: -4, max: 3 }), (grid, whole) => {
        const level = whole + 0.123456789;
        fc.pre(grid.columns > 1 && grid.rows > 1 && !grid.values.includes(level));
        const { columns, values } = grid;
        const below = (i: number) => values[i] < level;
        // Vertices − edges + triangles of the triangulation, where all corners are below.
        let euler = 0;
        for (let i = 0; i < values.length; i++) {
          if (!below(i)) continue;
          const right = i % columns < columns - 1 && below(i + 1);
          const up = i + columns < values.length && below(i + columns);
          const diagonal = i % columns < columns - 1 && i + columns < values.length && below(i + columns + 1);
          euler += 1 - Number(right) - Number(up) - Number(diagonal);
          euler += Number(diagonal && right) + Number(diagonal && up);
        }
        const pieces = countComponents(mergeTree(grid, { sense: "sub" }), level);
        const above = countComponents(mergeTree(grid, { sense: "super", outer: "joined" }), level);
        expect(above - 1).toBe(pieces - euler);
      }),
      { numRuns: 300 },
    );
  });

  it("agree with flood filling at 200 levels of random fields, as large as a slice", () => {
    let state = 7;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const field = { columns: 70, rows: 50, values: new Float64Array(3500).map(random), x: [0, 1], y: [0, 1] } as const; // prettier-ignore
    const tree = mergeTree(field, { sense: "super" });
    for (let k = 0; k < 200; k++) {
      expect(countComponents(tree, k / 200)).toBe(flood(field, k / 200, { sense: "super" }));
    }
  });

  it("tell apart values that float32 cannot", () => {
    const values = [1, 1 + 2e-16, 1, 1 + 4e-16, 1].map((value) => value + 1e-16);
    const tree = mergeTree({ columns: 5, rows: 1, values }, { sense: "super" });
    expect(tree.bars.map(({ birthVertex }) => birthVertex)).toEqual([3, 1]);
  });

  it("come in order of persistence and know where a component first meets the boundary", () => {
    // Peaks 5, 9, 7, 8 with passes 4, 2, 6.5 between them; only the outer two can meet the boundary by themselves.
    const values = [0, 5, 4, 9, 2, 7, 6.5, 8, 1];
    const { bars } = mergeTree({ columns: 9, rows: 1, values }, { sense: "super" });
    expect(bars.map(({ birth, death, parent, boundary }) => [birth, death, parent, boundary])).toEqual([
      [9, -Infinity, -1, 1],
      [8, 2, 0, null],
      [5, 4, 0, null],
      [7, 6.5, 1, null],
    ]);
    const walled = mergeTree({ columns: 5, rows: 1, values: [6, 1, 9, 8, 7] }, { sense: "super" });
    expect(walled.bars.map(({ birth, death, boundary }) => [birth, death, boundary])).toEqual([
      [9, -Infinity, 7],
      [6, 1, 6],
    ]);
    // The elder meets the boundary through the younger that it swallows.
    const inherited = mergeTree({ columns: 5, rows: 1, values: [6, 4, 9, 3, 0] }, { sense: "super" });
    expect(inherited.bars[0].boundary).toBe(4);
  });

  it("certify bars that are longer than twice the error", () => {
    const certifiedWith = (hessianBound: number) => {
      const grid = { columns: 4, rows: 1, values: [0, 1, 0, 2], x: [0, 3] as const, y: [0, 0] as const };
      const { bars, error } = mergeTree(grid, { sense: "super", hessianBound });
      return { error, certified: bars.map(({ certified }) => certified) };
    };
    expect(certifiedWith(3.9)).toEqual({ error: 3.9 / 8, certified: [true, true] });
    expect(certifiedWith(4.1)).toEqual({ error: 4.1 / 8, certified: [true, false] });
    expect(mergeTree({ columns: 1, rows: 1, values: [1] }).bars[0].certified).toBe(false);
  });

  it("take infinite values and constant ones", () => {
    const wall = mergeTree({ columns: 3, rows: 1, values: [1, Infinity, 2] }, { sense: "sub" });
    expect(wall.bars.map(({ birth, death }) => [birth, death])).toEqual([[1, Infinity], [2, Infinity]]); // prettier-ignore
    expect(countComponents(wall, 5)).toBe(2);
    for (const value of [0, -0, Infinity, -Infinity]) {
      const flat = mergeTree({ columns: 2, rows: 2, values: [value, value, value, value] });
      expect(flat.bars).toHaveLength(1);
      expect(Array.from(flat.branch)).toEqual([0, 0, 0, 0]);
    }
    const zeros = mergeTree({ columns: 3, rows: 1, values: [0, -0, 0] }, { sense: "super" });
    expect(zeros.bars).toHaveLength(1);
  });

  it("are in no set where there is no number", () => {
    const grid = { columns: 5, rows: 1, values: [2, 1, NaN, 1, 3] };
    for (const sense of ["sub", "super"] as const) {
      const tree = mergeTree(grid, { sense });
      expect(tree.branch[2]).toBe(-1);
      expect(countComponents(tree, 1)).toBe(2);
      expect(labelComponents(tree, grid.values, 1)[2]).toBe(-1);
    }
    expect(mergeTree({ columns: 2, rows: 1, values: [NaN, NaN] }).bars).toEqual([]);
  });

  it("go around the ends of a periodic grid: cos x cos y has two minima and two maxima on a torus", () => {
    const size = 24;
    const at = (k: number) => Math.cos((2 * Math.PI * k) / size);
    const values = Array.from({ length: size * size }, (_, k) => at(k % size) * at(Math.floor(k / size)));
    const grid = { columns: size, rows: size, values };
    for (const sense of ["sub", "super"] as const) {
      const long = mergeTree(grid, { sense, periodic: [true, true] }).bars.filter(
        (bar) => bar.persistence > 1e-9,
      );
      expect(long.map(({ boundary }) => boundary)).toEqual([null, null]);
      // Both saddles are at 0.
      expect(long[1].death).toBeCloseTo(0, 9);
    }
    const ring = { columns: 4, rows: 1, values: [3, 1, 2, 1] };
    const bars = (periodic: [boolean, boolean], values = ring.values) =>
      mergeTree({ ...ring, values }, { periodic }).bars.map(({ birth, death }) => [birth, death]);
    expect(bars([true, false])).toEqual([[1, Infinity], [1, 2]]); // prettier-ignore
    expect(bars([false, false], [1, 3, 3, 1])).toEqual([[1, Infinity], [1, 3]]); // prettier-ignore
    expect(bars([true, false], [1, 3, 3, 1])).toEqual([[1, Infinity]]);
  });

  it.each<[() => unknown, string]>([
    [() => mergeTree(undefined as never), "grid: expected a grid, got undefined"],
    [() => mergeTree({ columns: 2, rows: 2, values: [1, 2, 3] }), "grid.values: expected 4 numbers, got 3"],
    [
      () => mergeTree({ columns: 1, rows: 1, values: [1] }, { periodic: true as never }),
      "options.periodic: expected [columns, rows], such as [true, false], got true",
    ],
    [
      () => mergeTree({ columns: 0, rows: 1, values: [] }),
      "grid.columns: expected a finite whole number >= 1",
    ],
    [
      () => mergeTree({ columns: 1, rows: 1, values: [1], x: [1, 0] }),
      "grid.x[1]: expected a finite number >= 1",
    ],
    [
      () => mergeTree({ columns: 1, rows: 1, values: [1] }, { sense: "above" as never }),
      'options.sense: expected one of "super", "sub", got "above"',
    ],
    [
      () => mergeTree({ columns: 1, rows: 1, values: [1] }, { hessianBound: -1 }),
      "options.hessianBound: expected a finite number >= 0, got -1",
    ],
    [
      () => mergeTree({ columns: 1, rows: 1, values: [1] }, { lipschitz: 1 } as never),
      'options: unknown option "lipschitz"',
    ],
    [
      () => countComponents(mergeTree({ columns: 1, rows: 1, values: [1] }), NaN),
      "level: expected a finite number, got NaN",
    ],
  ])("refuse what they cannot read: %#", (call, message) => {
    expect(call).toThrow(message);
  });
});
