/** Residual blocks and networks by layers: measured constants, norms and gains, against closed forms. */
import { describe, expect, test } from "vitest";

import { blockProfile, cflNumber, depthProfile, type LayerMap } from "../../src/stability/index.js";
import { normals } from "../../src/stability/vectors.js";

const times = (matrix: readonly (readonly number[])[], x: ArrayLike<number>) =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * x[i], 0));
const linear =
  (matrix: readonly (readonly number[])[]): LayerMap =>
  (x) =>
    times(matrix, x);
const spiral = (k: number) => linear([[-1, k], [-k, -1]]); // prettier-ignore

/** factor · (I − 2 v vᵀ): a mirror, of which all gains are the factor. */
function mirror(size: number, factor: number, seed: number): number[][] {
  const normal = normals(seed);
  const v = Array.from({ length: size }, normal);
  const squares = v.reduce((sum, value) => sum + value * value, 0);
  return v.map((a, i) => v.map((b, j) => factor * ((i === j ? 1 : 0) - (2 * a * b) / squares)));
}

describe("a residual block", () => {
  test.each([0, 1, 3, 10])(
    "x + h J x, J = −[[1, −k], [k, 1]], k = %i: h ≤ 2 / (1 + k²), and no more",
    async (k) => {
      const limit = 2 / (1 + k * k);
      const at = (share: number) => blockProfile(spiral(k), [[1, 2], [0, 0]], { step: share * limit }); // prettier-ignore
      const edge = await at(1);
      expect(edge.lipschitz).toBeCloseTo(Math.sqrt(1 + k * k), 8);
      expect(edge.dissipation).toBeCloseTo(1, 8);
      expect(edge.limit / limit).toBeCloseTo(1, 7);
      expect(edge.number).toBeCloseTo(1, 7);
      expect(edge.gain).toBeCloseTo(1, 8);
      expect(edge.verdict).toBe("nonexpansive");
      const over = await at(1.01);
      expect(over.number).toBeCloseTo(1.01, 7);
      expect(over.gain).toBeGreaterThan(1);
      expect(over.verdict).toBe("expansive");
      expect((await at(0.5)).verdict).toBe("nonexpansive");
    },
  );

  test("a rotation expands by √(1 + h²) for every h", async () => {
    for (const step of [0.01, 0.3, 2]) {
      const found = await blockProfile(linear([[0, 1], [-1, 0]]), [[1, 1]], { step }); // prettier-ignore
      expect(found.gain).toBeCloseTo(Math.sqrt(1 + step * step), 9);
      expect(found.dissipation).toBeCloseTo(0, 8);
      expect(found.verdict).toBe("expansive");
    }
    const exact = await blockProfile(([x]) => [x], [[1]], { step: 0.5 });
    expect(exact).toMatchObject({ limit: 0, number: Infinity, verdict: "expansive" });
    expect(exact.dissipation).toBeCloseTo(-1, 9);
    expect(exact.gain).toBeCloseTo(1.5, 9);
  });

  test("the constants of x ↦ −A x, A symmetric, are the ends of its spectrum", async () => {
    const q = mirror(6, 1, 5);
    const spectrum = [0.5, 1, 2, 3, 4, 5];
    const a = q.map((row) =>
      q.map((other) => -row.reduce((sum, v, k) => sum + v * spectrum[k] * other[k], 0)),
    );
    const { lipschitz, dissipation, limit, gain, verdict } = await blockProfile(linear(a), [[1, 2, 3, 4, 5, 6]], { step: 0.3 }); // prettier-ignore
    expect(lipschitz).toBeCloseTo(5, 7);
    expect(dissipation).toBeCloseTo(0.5, 7);
    expect(limit).toBeCloseTo(0.04, 7);
    // 2 / 5 is the true limit of a symmetric one: the condition is sufficient alone.
    expect(gain).toBeCloseTo(0.85, 7);
    expect(verdict).toBe("undecided");
  });

  test("a gradient block −Wᵀ relu(W x + b): K up to ‖W‖², m ≥ 0, and 1.4 at 1.2 times 2 / ‖W‖²", async () => {
    const branch = (w: number, b: number) => ([x]: Float64Array) => [-w * Math.max(0, w * x + b)]; // prettier-ignore
    const points = [[1], [-2], [0.5]];
    const inside = await blockProfile(branch(3, 0.1), points, { step: 2 / 9 });
    expect(inside.lipschitz).toBeCloseTo(9, 7);
    // Where the unit is off, nothing dissipates: that its Jacobians are symmetric is what saves it, see the other form of cflNumber.
    expect(inside.dissipation).toBeCloseTo(0, 9);
    expect(inside.gain).toBeCloseTo(1, 7);
    expect(inside.verdict).toBe("undecided");
    expect(cflNumber({ step: 2 / 9, norm: 3 })).toBeCloseTo(1, 12);
    const outside = await blockProfile(branch(3, 0.1), points, { step: (1.2 * 2) / 9 });
    expect(outside.gain).toBeCloseTo(1.4, 7);
    expect(outside.verdict).toBe("expansive");
  });

  test("pairs of points see what lies between them, and equal points tell nothing", async () => {
    const cliff: LayerMap = ([x]) => [-Math.tanh(1e4 * x)];
    const { lipschitz, dissipation } = await blockProfile(cliff, [[1], [-1], [1]]);
    expect(lipschitz).toBeCloseTo(1, 9);
    expect(dissipation).toBeCloseTo(0, 9);
    const climb = await blockProfile(([x]) => [Math.tanh(1e4 * x)], [[1], [-1]]);
    expect(climb.dissipation).toBeCloseTo(-1, 9);
  });

  test("float32 branches, promises, and F = 0", async () => {
    const single: LayerMap = async (x) => Float32Array.from(await spiral(3)(x));
    const found = await blockProfile(single, [[1, 2]], { step: 0.2 });
    expect(found.lipschitz).toBeCloseTo(Math.sqrt(10), 3);
    expect(found.verdict).not.toBe("expansive");
    const nothing = await blockProfile((x) => x.fill(0), [[1, 2]]);
    expect(nothing).toMatchObject({
      lipschitz: 0,
      limit: Infinity,
      number: 0,
      gain: 1,
      verdict: "nonexpansive",
    });
  });

  test("CFL numbers of constants", () => {
    expect(cflNumber({ step: 0.2, dissipation: 1, lipschitz: Math.sqrt(10) })).toBeCloseTo(1, 12);
    expect(cflNumber({ step: 1, dissipation: 0, lipschitz: 1 })).toBe(Infinity);
    expect(cflNumber({ step: 0, dissipation: 0, lipschitz: 1 })).toBe(0);
    expect(() => cflNumber({ step: 1, lipschitz: 1 } as never)).toThrow(
      "cflNumber.dissipation: expected a number",
    );
  });

  test("what is wrong is named", async () => {
    const call = (...given: unknown[]) => blockProfile(...(given as Parameters<typeof blockProfile>));
    await expect(call(1, [[1]])).rejects.toThrow("branch: expected a function, got 1");
    await expect(call(spiral(1), [])).rejects.toThrow("points: expected at least 1 point");
    await expect(call(spiral(1), [[1, NaN]])).rejects.toThrow("points[0][1]");
    await expect(call(spiral(1), [[1, 2], [1]])).rejects.toThrow("points[1]: expected 2 numbers, got 1"); // prettier-ignore
    await expect(call(() => [1], [[1, 2]])).rejects.toThrow("branch: expected it to return 2 numbers, got 1");
    await expect(call(() => 7, [[1, 2]])).rejects.toThrow(
      "branch: its output: expected an array of numbers, got 7",
    );
    await expect(call(() => [NaN, 0], [[1, 2]])).rejects.toThrow("branch: its output has NaN at 0");
    await expect(call(spiral(1), [[1, 2]], { step: -1 })).rejects.toThrow("blockProfile.step");
    await expect(call(spiral(1), [[1, 2]], { h: 1 })).rejects.toThrow('blockProfile: unknown option "h"');
  });
});

describe("a network by layers", () => {
  test.each([0.5, 1, 1.5])("mirrors times %f: every gain is the factor", async (factor) => {
    const depth = 5;
    const layers = Array.from({ length: depth }, (_, l) => linear(mirror(4, factor, l)));
    const { input, layers: found, gain, bound, perLayer } = await depthProfile(layers, [[1, 2, 2, 4], [3, 4, 0, 0]]); // prettier-ignore
    expect(input.activation).toBeCloseTo(5, 12);
    found.forEach((layer, l) => {
      expect(layer.width).toBe(4);
      expect(layer.activation).toBeCloseTo(5 * factor ** (l + 1), 9);
      expect(layer.gradient).toBeCloseTo(factor ** (depth - 1 - l), 8);
      for (const one of [layer.activationGain, layer.gradientGain, layer.norm])
        expect(one).toBeCloseTo(factor, 8);
      expect(layer.response).toBeCloseTo(factor ** (l + 1), 7);
    });
    expect(input.gradient).toBeCloseTo(factor ** depth, 8);
    expect(gain).toBeCloseTo(factor ** depth, 7);
    expect(bound).toBeCloseTo(factor ** depth, 7);
    expect(perLayer.response).toBeCloseTo(factor, 8);
    expect(perLayer.gradient).toBeCloseTo(factor, 8);
  });

  test("norms multiply to 4 where the network does nothing", async () => {
    const [wide, narrow] = [linear([[2, 0], [0, 0.5]]), linear([[0.5, 0], [0, 2]])]; // prettier-ignore
    const { layers, gain, bound } = await depthProfile([wide, narrow], [[1, 1]]);
    expect(layers.map(({ norm }) => norm)).toEqual([expect.closeTo(2, 8), expect.closeTo(2, 8)]);
    expect(layers.map(({ response }) => response)).toEqual([expect.closeTo(2, 8), expect.closeTo(1, 8)]);
    expect([gain, bound]).toEqual([expect.closeTo(1, 8), expect.closeTo(4, 8)]);
  });

  test("a tanh network 2-3-1: gradients are those of backpropagation", async () => {
    const [w1, w2] = [[[0.5, -1], [2, 0.3], [-0.7, 1.1]], [[1, -2, 0.5]]]; // prettier-ignore
    const hidden: LayerMap = (x) => times(w1, x).map(Math.tanh);
    const inputs = [[0.3, -0.4], [1, 0.2]]; // prettier-ignore
    // L = ½ (y − k)²
    const { input, layers } = await depthProfile([hidden, linear(w2)], inputs, {
      gradient: ([y], k) => [y - k],
    });
    const squares = [0, 0, 0];
    inputs.forEach((x, k) => {
      const h = times(w1, x).map(Math.tanh);
      const dy = times(w2, h)[0] - k;
      const dh = w2[0].map((w) => w * dy);
      const dx = x.map((_, i) => dh.reduce((sum, d, j) => sum + d * (1 - h[j] ** 2) * w1[j][i], 0));
      [dx, dh, [dy]].forEach((g, l) => (squares[l] += g.reduce((sum, v) => sum + v * v, 0) / 2));
    });
    [input, ...layers].forEach(({ gradient }, l) =>
      expect(gradient / Math.sqrt(squares[l])).toBeCloseTo(1, 8),
    );
    expect(layers.map(({ width }) => width)).toEqual([3, 1]);
  });

  test("residual blocks: explicit Euler on a stiff branch explodes, below the CFL limit it does not", async () => {
    const network = (h: number) =>
      Array.from({ length: 12 }, (): LayerMap => ([x, y]) => [
        x - h * Math.sinh(x),
        y - 10 * h * Math.tanh(y),
      ]);
    const [stable, unstable] = await Promise.all(
      [0.1, 0.3].map((h) => depthProfile(network(h), [[0.1, 1e-4]])),
    );
    expect(stable.gain).toBeLessThan(1);
    stable.layers.forEach(({ norm }) => expect(norm).toBeLessThan(1));
    expect(unstable.layers[0].norm).toBeGreaterThan(1.5);
    expect(unstable.perLayer.response).toBeGreaterThan(1.5);
  });

  test("it can be aborted, and says how far it is", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const run = depthProfile([spiral(1), spiral(2)], [[1, 2], [3, 4]], {
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        expect(total).toBe(4);
        if (seen.push(done) === 3) controller.abort(new Error("enough"));
      },
    }); // prettier-ignore
    await expect(run).rejects.toThrow("enough");
    expect(seen).toEqual([1, 2, 3]);
  });

  test("what is wrong is named", async () => {
    const call = (...given: unknown[]) => depthProfile(...(given as Parameters<typeof depthProfile>));
    await expect(call(3, [[1]])).rejects.toThrow("layers: expected an array of functions, got 3");
    await expect(call([], [[1]])).rejects.toThrow("layers: expected at least 1 layer");
    await expect(call([spiral(1), 2], [[1, 2]])).rejects.toThrow("layers[1]: expected a function, got 2");
    await expect(call([spiral(1)], [])).rejects.toThrow("inputs: expected at least 1 point");
    await expect(call([spiral(1), () => [NaN]], [[1, 2]])).rejects.toThrow(
      "layers[1]: its output has NaN at 0",
    );
    await expect(call([spiral(1)], [[1, 2]], { gradient: () => [1] })).rejects.toThrow(
      "depthProfile.gradient: what it returns: expected 2 numbers, got 1",
    );
    await expect(call([spiral(1)], [[1, 2]], { depth: 1 })).rejects.toThrow('unknown option "depth"');
  });
});
