/** Slices through parameter space, and how they are chosen. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createOptimizer } from "superlevel";
import { project, randomPlane, slice, trajectoryPlane, windowAround } from "superlevel/stability";

const plane = { origin: [1, 2, 3], directions: [[1, 0, 0], [0, 0, 2]] } as const; // prettier-ignore
const sum = ([x, y, z]: Float64Array) => 100 * x + 10 * y + z;

describe("slice", () => {
  it("has the loss at each point, rows from low y to high", async () => {
    const { values, columns, rows, x, y, evaluations } = await slice(sum, plane, {
      ...{ columns: 3, rows: 2, x: [0, 2], y: [-1, 1] },
    });
    const expected = [-1, 1].flatMap((v) => [0, 1, 2].map((u) => 100 * (1 + u) + 20 + 3 + 2 * v));
    expect(Array.from(values)).toEqual(expected);
    expect({ columns, rows, x, y, evaluations }).toEqual({ columns: 3, rows: 2, x: [0, 2], y: [-1, 1], evaluations: 6 }); // prettier-ignore
  });

  it("leaves not-a-number as it is, and counts it", async () => {
    const { values, notNumbers } = await slice(([x]) => Math.sqrt(x), { origin: [0], directions: [[1], [0]] }, { columns: 3, rows: 2 }); // prettier-ignore
    expect([...values]).toEqual([NaN, 0, 1, NaN, 0, 1]);
    expect(notNumbers).toBe(2);
  });

  it("reports progress, lets others run, and stops when aborted", async () => {
    const seen: number[] = [];
    await slice(sum, plane, { columns: 3, onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen).toHaveLength(9);
    expect(seen[8]).toBe(1);

    let calls = 0;
    const controller = new AbortController();
    const busy = slice(
      () => {
        calls++;
        const until = performance.now() + 2;
        while (performance.now() < until);
        return 0;
      },
      plane,
      { columns: 100, signal: controller.signal },
    );
    setTimeout(() => controller.abort(new Error("enough")), 30);
    await expect(busy).rejects.toThrow("enough");
    expect(calls).toBeLessThan(5000);
    await expect(slice(sum, plane, { signal: AbortSignal.abort() })).rejects.toThrow("abort");
  });

  it.each([
    [{ ...plane, origin: [1, NaN, 3] }, {}, "plane.origin[1]: expected a finite number, got NaN"],
    [{ origin: [1, 2], directions: [[1, 0]] }, {}, "plane.directions: expected two vectors"],
    [{ origin: [1, 2], directions: [[1, 0], [1]] }, {}, "plane.directions[1]: expected 2 numbers, got 1"],
    [plane, { columns: 1 }, "options.columns: expected a finite whole number >= 2, got 1"],
    [plane, { x: [1, 0] }, "options.x[1]: expected a finite number >= 1, got 0"],
    [plane, { size: 3 }, 'options: unknown option "size"'],
    [plane, { signal: 3 }, "options.signal: expected an AbortSignal"],
  ])("refuses %j with %j", async (wrong, options, message) => {
    await expect(slice(sum, wrong as never, options as never)).rejects.toThrow(message);
  });
});

describe("project", () => {
  const point = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 4, maxLength: 4 });
  it("splits a point into what the plane shows and the rest", () => {
    fc.assert(
      fc.property(point, point, point, (u, v, p) => {
        const dot = (a: number[], b: number[]) => a.reduce((s, value, i) => s + value * b[i], 0);
        const cosine = dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v));
        fc.pre(dot(u, u) > 1e-3 && dot(v, v) > 1e-3 && dot(p, p) > 1e-3 && Math.abs(cosine) < 0.99);
        const { x, y, residual } = project([p], { origin: [0, 0, 0, 0], directions: [u, v] });
        const rest = p.map((value, i) => value - x[0] * u[i] - y[0] * v[i]);
        const size = Math.sqrt(dot(p, p));
        expect(Math.abs(dot(rest, u)) / (size * Math.sqrt(dot(u, u)))).toBeLessThan(1e-9);
        expect(Math.abs(dot(rest, v)) / (size * Math.sqrt(dot(v, v)))).toBeLessThan(1e-9);
        expect(residual[0]).toBeCloseTo(Math.sqrt(dot(rest, rest)) / size, 9);
      }),
    );
  });

  it("gives the origin residual 0, and refuses parallel directions", () => {
    expect(project([[1, 2, 3]], plane).residual[0]).toBe(0);
    const parallel = { origin: [0, 0], directions: [[1, 2], [2, 4]] } as const; // prettier-ignore
    expect(() => project([[1, 1]], parallel)).toThrow(
      "plane.directions: expected two directions that span a plane",
    );
  });
});

describe("windowAround", () => {
  it("widens, and makes room around a single place", () => {
    expect(windowAround({ x: [0, 10, 5], y: [2, 2] }, 0.1)).toEqual({ x: [-1, 11], y: [1, 3] });
    expect(() => windowAround({ x: [], y: [] })).toThrow("points.x: expected at least 1 number, got 0");
  });
});

describe("randomPlane", () => {
  // A dense layer [2, 3], its biases [3], and a convolution [2, 2, 1, 2].
  const tensors = [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 2, 1, 2] }];
  const origin = Float64Array.from({ length: 17 }, (_, i) => Math.sin(1 + i));
  const lengths = (vector: Float64Array, indices: number[]) => Math.hypot(...indices.map((i) => vector[i]));

  it("gives each filter the length of its weights, and biases no direction", () => {
    for (const direction of randomPlane(origin, { tensors }).directions) {
      for (const filter of [
        [0, 3],
        [1, 4],
        [2, 5],
        [9, 11, 13, 15],
        [10, 12, 14, 16],
      ]) {
        expect(lengths(direction, filter)).toBeCloseTo(lengths(origin, filter), 12);
      }
      expect([...direction.slice(6, 9)]).toEqual([0, 0, 0]);
    }
  });

  it("counts filters along the first axis where asked, and takes biases for a filter where asked", () => {
    const [direction] = randomPlane(origin, { tensors, filterAxis: "first", vectors: "filter" }).directions;
    for (const filter of [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
      [9, 10, 11, 12],
      [13, 14, 15, 16],
    ]) {
      expect(lengths(direction, filter)).toBeCloseTo(lengths(origin, filter), 12);
    }
  });

  it("is repeatable, and has two directions that are not the same", () => {
    const [first, again, other] = [1, 1, 2].map((seed) => randomPlane(origin, { seed }));
    expect(again).toEqual(first);
    expect(other.directions[0]).not.toEqual(first.directions[0]);
    const [u, v] = first.directions;
    const cosine = u.reduce((s, value, i) => s + value * v[i], 0) / (Math.hypot(...u) * Math.hypot(...v));
    expect(Math.abs(cosine)).toBeLessThan(0.8);
    expect(Math.hypot(...u)).toBeCloseTo(Math.hypot(...origin), 12);
  });

  it("takes an optimizer's tensors, and zero weights", () => {
    const optimizer = createOptimizer([{ shape: [2, 2] }, { shape: [2] }]);
    const { directions } = randomPlane(optimizer.params, { tensors: optimizer.tensors });
    expect(Math.hypot(...directions[0])).toBe(0);
  });

  it("scales with the weights: a ReLU network rescaled layer by layer has the same slice", async () => {
    const network = ([a, b]: Float64Array) => b * Math.max(0, a);
    const shapes = { tensors: [{ shape: [1, 1] }, { shape: [1, 1] }] };
    const [one, other] = await Promise.all(
      [[2, 3], [200, 0.03]].map((weights) => slice(network, randomPlane(weights, shapes), { columns: 5 })), // prettier-ignore
    );
    one.values.forEach((value, i) => expect(other.values[i]).toBeCloseTo(value, 10));
  });

  it("refuses shapes that do not fit", () => {
    expect(() => randomPlane([1, 2, 3], { tensors: [{ shape: [2, 2] }] })).toThrow(
      "options.tensors: expected shapes of 3 numbers together, got 4",
    );
    expect(() => randomPlane([1], { filterAxis: "middle" as never })).toThrow("options.filterAxis");
  });
});

describe("trajectoryPlane", () => {
  it("finds the plane that a flat trajectory lies in, through its end", () => {
    const points = Array.from({ length: 30 }, (_, t) => {
      const [a, b] = [10 * Math.exp(-t / 5), Math.cos(t)];
      return [1 + (a + b) / Math.SQRT2, 2, 3 + (a - b) / Math.SQRT2, -1];
    });
    const found = trajectoryPlane(points);
    expect([...found.origin]).toEqual(points[29]);
    expect(found.explained[0] + found.explained[1]).toBeCloseTo(1, 12);
    expect(found.explained[0]).toBeGreaterThan(found.explained[1]);
    for (const residual of project(points, found).residual) expect(residual).toBeLessThan(1e-7);
    const [u, v] = found.directions;
    expect(Math.hypot(...u)).toBeCloseTo(1, 12);
    expect(u.reduce((s, value, i) => s + value * v[i], 0)).toBeCloseTo(0, 12);
  });

  it("has the variances of the principal components, whichever side is smaller", () => {
    // Independent ±3, ±2, ±1 along three axes of many: variances 9 : 4 : 1.
    const corners = [-1, 1].flatMap((a) => [-1, 1].flatMap((b) => [-1, 1].map((c) => [3 * a, 2 * b, c])));
    for (const zeros of [0, 30]) {
      const points = corners.map((corner) => [...corner, ...new Array<number>(zeros).fill(7)]);
      const { explained, directions } = trajectoryPlane(points);
      expect(explained[0]).toBeCloseTo(9 / 14, 12);
      expect(explained[1]).toBeCloseTo(4 / 14, 12);
      expect(directions[0][0]).toBeCloseTo(1, 12);
      expect(directions[1][1]).toBeCloseTo(1, 12);
    }
  });

  it("refuses what spans no plane", () => {
    expect(() => trajectoryPlane([[1], [2]])).toThrow("points: expected an array of at least 3");
    const line = [[0, 0], [1, 1], [2, 2]]; // prettier-ignore
    expect(() => trajectoryPlane(line)).toThrow("points: expected a plane, got a line or a point");
    expect(() => trajectoryPlane([[1], [2], [3]])).toThrow("points: expected a plane");
    expect(() => trajectoryPlane([[1, 2], [2], [3]])).toThrow("points[1]: expected 2 numbers, got 1");
  });
});
