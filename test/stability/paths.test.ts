/** Paths between two points, against exact barriers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { connect, equiconnect, pathPoint, type Loss, type LossGrad, type Path } from "superlevel/stability";

import { doubleWell, lossGradOf, mullerBrown, ring, twoBumps } from "../../studies/report/landscapes.js";
import { criticalPoint } from "../support/critical.js";

const [east, west] = [[1, 0], [-1, 0]] as const; // prettier-ignore
const around = (options: Parameters<typeof connect>[3]) => connect(lossGradOf(ring), east, west, options);

describe("barriers on the ring (r² − 1)² between opposite points", () => {
  it("segment: 1, over the middle", async () => {
    const { barrier, peak, losses, evaluations, arc } = await around({ method: "segment", samples: 25 });
    expect(barrier).toBe(1);
    expect(peak).toEqual({ index: 12, position: 0.5, loss: 1 });
    expect([losses[0], losses[24], evaluations]).toEqual([0, 0, 25]);
    expect(arc[24]).toBeCloseTo(2, 12);
  });

  it("chain: (√2 − 1)² with the bend at 2^¼ from the centre", async () => {
    const { barrier, nodes } = await around({ method: "chain", points: 101, iterations: 200, samples: 1001 });
    const best = (Math.SQRT2 - 1) ** 2;
    expect(barrier).toBeGreaterThan(best - 1e-6);
    expect(barrier).toBeLessThan(best + 2e-4);
    expect(Math.hypot(...nodes[1])).toBeCloseTo(2 ** 0.25, 2);
  });

  it("chain of least mean: 1/4, with the bend at √1.5, so the mean is the wrong thing to minimise", async () => {
    const nodes = (y: number) => [east, [0, y], west] as const;
    const lossesOn = (y: number) => {
      const both = Array.from({ length: 401 }, (_, k) =>
        pathPoint({ kind: "polygon", nodes: nodes(y) }, k / 400),
      );
      return both.map(([a, b]) => ring.loss(a, b));
    };
    const mean = (y: number) => lossesOn(y).reduce((sum, loss) => sum + loss / 401, 0);
    const best = Math.sqrt(1.5);
    expect(mean(best)).toBeLessThan(mean(best + 0.03));
    expect(mean(best)).toBeLessThan(mean(best - 0.03));
    expect(Math.max(...lossesOn(best))).toBeCloseTo(1 / 4, 12);
    expect((await around({ method: "chain" })).barrier).toBeLessThan(0.7 / 4);
  });

  it("Bézier curve: ((√2 − 1) / 2)² with the bend at 2 √((1 + √2) / 2)", async () => {
    const { barrier, nodes } = await around({
      method: "bezier",
      points: 101,
      iterations: 200,
      samples: 1001,
    });
    const best = ((Math.SQRT2 - 1) / 2) ** 2;
    expect(barrier).toBeGreaterThan(best - 1e-6);
    expect(barrier).toBeLessThan(best + 1e-4);
    expect(Math.hypot(...nodes[1])).toBeCloseTo(2 * Math.sqrt((1 + Math.SQRT2) / 2), 2);
  });

  it("elastic band of 15 images: (cos²(π/32) − 1)², between the images", async () => {
    const { barrier, nodes, evaluations } = await around({ method: "neb", samples: 1601 });
    expect(barrier / (Math.cos(Math.PI / 32) ** 2 - 1) ** 2).toBeCloseTo(1, 2);
    for (const node of nodes) expect(Math.hypot(...node)).toBeCloseTo(1, 3);
    expect(evaluations).toBeLessThanOrEqual(15 * 300 + 2 + 1601);
  });

  it("defaults are near these, for 2500 gradients a bend", async () => {
    const [chain, bezier] = await Promise.all([around({ method: "chain" }), around({ method: "bezier" })]);
    expect(chain.barrier).toBeLessThan(0.1725);
    expect(bezier.barrier).toBeLessThan(0.0435);
    expect(chain.evaluations).toBe(25 * 100 + 101);
  });
});

describe("barriers elsewhere", () => {
  const [deep, middle] = [[-0.56, 1.44], [0.62, 0.03]].map(([x, y]) => criticalPoint(mullerBrown.gradient, [x, y])); // prettier-ignore
  const saddle = mullerBrown.loss(...criticalPoint(mullerBrown.gradient, [-0.82, 0.62]));

  it("Müller–Brown: the band's highest image climbs to the saddle", async () => {
    const lossGrad = lossGradOf(mullerBrown);
    const straight = await connect(lossGrad, deep, middle, { samples: 2001 });
    expect(straight.peak.loss).toBeCloseTo(12.66, 1);
    const { nodes, peak, barrier, losses } = await connect(lossGrad, deep, middle, {
      method: "neb",
      points: 9,
    });
    const highest = Math.max(...nodes.map(([x, y]) => mullerBrown.loss(x, y)));
    expect(highest).toBeCloseTo(saddle, 4);
    expect(peak.loss).toBeCloseTo(saddle, 1);
    expect(barrier).toBe(peak.loss - Math.max(losses[0], losses[losses.length - 1]));
    // On either side of the climber the springs keep the images apart, though the slope would collect them in the pits.
    const legs = nodes.slice(1).map(([x, y], k) => Math.hypot(x - nodes[k][0], y - nodes[k][1]));
    const top = nodes.findIndex(([x, y]) => mullerBrown.loss(x, y) === highest);
    for (const side of [legs.slice(0, top), legs.slice(top)]) {
      for (const leg of side) expect(leg / side[0]).toBeCloseTo(1, 2);
    }
  });

  it("double well: every path is over the saddle at 1", async () => {
    for (const method of ["segment", "chain", "bezier", "neb"] as const) {
      const { barrier } = await connect(lossGradOf(doubleWell), east, west, { method });
      expect(barrier).toBeCloseTo(1, 3);
    }
  });

  it("two bumps, high side: the best path stays at the saddle 2 exp(−a²) or above", async () => {
    const top = criticalPoint(twoBumps.gradient, [1.5, 0]);
    const [maximum, pass] = [twoBumps.loss(...top), 2 * Math.exp(-(1.5 ** 2))];
    const options = { sense: "super", method: "neb" } as const;
    const { barrier, peak } = await connect(lossGradOf(twoBumps), top, [-top[0], 0.0], options);
    expect(barrier).toBeCloseTo(maximum - pass, 6);
    expect(peak.loss).toBeCloseTo(pass, 6);
  });

  it("are 0 where the worst place is an end, and of unit 1 in the loss", async () => {
    const bowl: LossGrad = ([x, y]) => ({ loss: x * x + y * y, grads: [2 * x, 2 * y] });
    expect((await connect(bowl, [3, 1], [-1, 2])).barrier).toBe(0);
    const scaled = lossGradOf({ ...ring, loss: (x, y) => 1e-6 * ring.loss(x, y), gradient: (x, y) => ring.gradient(x, y).map((g) => 1e-6 * g) as [number, number] }); // prettier-ignore
    for (const method of ["chain", "neb"] as const) {
      const [one, small] = [await around({ method }), await connect(scaled, east, west, { method })];
      expect(small.barrier * 1e6).toBeCloseTo(one.barrier, 5);
    }
  });
});

describe("certificate", () => {
  it("bounds what lies between the samples", async () => {
    const wave = ([x]: Float64Array) => Math.cos(7 * x) + Math.sin(3 * x);
    const [M, samples] = [49 + 9, 12];
    await fc.assert(
      fc.asyncProperty(fc.double({ min: -3, max: 3, noNaN: true }), async (from) => {
        const coarse = await connect(wave, [from], [from + 2], { samples, hessianBound: M });
        const fine = await connect(wave, [from], [from + 2], { samples: 4001 });
        expect(coarse.certificate!.spacing).toBeCloseTo(2 / 11, 12);
        expect(coarse.certificate!.error).toBeCloseTo((M * (2 / 11) ** 2) / 8, 12);
        expect(coarse.certificate!.barrier).toBe(coarse.barrier + coarse.certificate!.error);
        expect(fine.barrier).toBeLessThanOrEqual(coarse.certificate!.barrier);
        expect(fine.certificate).toBeNull();
      }),
      { numRuns: 50 },
    );
  });
});

describe("equiconnect", () => {
  const arc = (sign: number): Path["nodes"] =>
    Array.from({ length: 65 }, (_, k) => Float64Array.of(Math.cos((Math.PI * k) / 64), sign * Math.sin((Math.PI * k) / 64))); // prettier-ignore
  const [upper, lower] = [arc(1), arc(-1)].map((nodes) => ({ kind: "polygon", nodes }) as const);
  /** The ring with a wall of height 10 on one half. */
  const walled = (side: number): Loss => ([x, y]) => ring.loss(x, y) + 10 * Math.max(0, side * y) ** 2; // prettier-ignore

  it("finds 0 for each arc alone, 10 for both walls at once, and 1 on the segment, which is the best", async () => {
    const samples = 65;
    expect((await equiconnect([walled(-1)], upper, { samples })).excess).toBeLessThan(1e-20);
    expect((await equiconnect([walled(1)], lower, { samples })).excess).toBeLessThan(1e-20);
    const both = [walled(1), walled(-1)];
    for (const [path, loss] of [
      [upper, 0],
      [lower, 1],
    ] as const) {
      const { excess, worst, barriers } = await equiconnect(both, path, { samples });
      expect(excess).toBeCloseTo(10, 10);
      expect(worst).toEqual({ loss, position: 0.5 });
      expect(barriers[1 - loss]).toBeLessThan(1e-20);
    }
    const segment = { kind: "polygon", nodes: [east, west] } as const;
    expect((await equiconnect(both, segment)).excess).toBe(1);
    // The larger of the two is the ring + 10 y². Every path crosses x = 0, where that is 1 + 8 y² + y⁴ ≥ 1.
    const worse: LossGrad = ([x, y]) => ({
      loss: ring.loss(x, y) + 10 * y * y,
      grads: [ring.gradient(x, y)[0], ring.gradient(x, y)[1] + 20 * y],
    });
    expect((await connect(worse, east, west, { method: "neb" })).barrier).toBeCloseTo(1, 6);
  });

  it("finds 0 for convex losses on a segment", async () => {
    const convex = [1, 5, 20].map(
      (a): Loss =>
        ([x, y]) =>
          a * (x - a) ** 2 + Math.abs(y + a),
    );
    const nodes = [[-3, 2], [4, 7]]; // prettier-ignore
    expect((await equiconnect(convex, { kind: "polygon", nodes })).excess).toBe(0);
  });

  it("scales with factors that change with time, and so never changes its mind", async () => {
    const segment = { kind: "polygon", nodes: [east, west] } as const;
    const epochs = [2, 1.5, 1].map(
      (gamma): Loss =>
        ([x, y]) =>
          gamma * ring.loss(x, y),
    );
    const { barriers } = await equiconnect(epochs, segment);
    expect(barriers).toEqual([2, 1.5, 1]);
    const good = await equiconnect(epochs, upper, { samples: 65 });
    expect(good.excess).toBeLessThan(1e-20);
  });

  it("certifies and mirrors", async () => {
    const segment = { kind: "polygon", nodes: [[-1], [1]] } as const;
    const { certificate, excess } = await equiconnect([([x]) => -x * x], segment, { samples: 2, hessianBound: 2 }); // prettier-ignore
    expect(excess).toBe(0);
    expect(certificate).toEqual({ spacing: 2, error: 1, barrier: 1 });
    expect((await equiconnect([([x]) => x * x], segment, { sense: "super" })).excess).toBe(1);
  });
});

describe("pathPoint", () => {
  it("walks a polygon leg by leg and a Bézier curve by its formula", () => {
    const nodes = [[0, 0], [2, 0], [2, 6]]; // prettier-ignore
    const on = (kind: "polygon" | "bezier", t: number) => [...pathPoint({ kind, nodes }, t)];
    expect([0, 0.25, 0.5, 0.75, 1].map((t) => on("polygon", t))).toEqual([[0, 0], [1, 0], [2, 0], [2, 3], [2, 6]]); // prettier-ignore
    expect([0, 0.5, 1].map((t) => on("bezier", t))).toEqual([[0, 0], [1.5, 1.5], [2, 6]]); // prettier-ignore
  });
});

describe("what goes wrong", () => {
  it("is told apart and stops the search", async () => {
    const noGradient = connect(([x]: Float64Array) => x, [0], [1], { method: "neb" });
    await expect(noGradient).rejects.toThrow(
      "lossGrad: expected it to return { loss, grads }, got the loss alone",
    );
    const broken = connect(() => ({ loss: 1, grads: [NaN] }), [0], [1], { method: "chain" });
    await expect(broken).rejects.toMatchObject({ name: "OptimizerError", code: "diverged" });
    const short = connect(() => ({ loss: 1, grads: [] }), [0], [1], { method: "chain" });
    await expect(short).rejects.toThrow("lossGrad: grads: expected 1 numbers, got 0");
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 40 && controller.abort();
    const stopped = around({
      method: "neb",
      signal: controller.signal,
      onProgress: (p) => void onProgress(p),
    });
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
  });

  it.each([
    [
      { method: "string" },
      'options.method: expected one of "segment", "chain", "bezier", "neb", got "string"',
    ],
    [{ samples: 1 }, "options.samples: expected a finite whole number >= 2, got 1"],
    [{ bend: 1 }, 'options: unknown option "bend"'],
    [{ hessianBound: NaN }, "options.hessianBound: expected a finite number >= 0, got NaN"],
  ])("is named: %j", async (options, message) => {
    await expect(around(options as never)).rejects.toThrow(message);
  });

  it("names wrong curves and losses", async () => {
    const nodes = [[0], [1]];
    expect(() => pathPoint({ kind: "bezier", nodes }, 0)).toThrow("curve.nodes: expected 3, got 2");
    expect(() => pathPoint({ kind: "line" as never, nodes }, 0)).toThrow("curve.kind: expected one of");
    expect(() => pathPoint({ kind: "polygon", nodes }, 2)).toThrow(
      "position: expected a finite number >= 0 and <= 1",
    );
    await expect(equiconnect([], { kind: "polygon", nodes })).rejects.toThrow(
      "losses: expected an array of functions",
    );
    await expect(equiconnect([3 as never], { kind: "polygon", nodes })).rejects.toThrow(
      "losses[0]: expected a function",
    );
    await expect(connect(() => 0, [1], [1, 2])).rejects.toThrow("to: expected 1 numbers, got 2");
  });

  it("takes not-a-number for the worst loss on either side", async () => {
    const hole = ([x]: Float64Array) => (Math.abs(x) < 0.1 ? NaN : 1);
    expect((await connect(hole, [-1], [1])).barrier).toBe(Infinity);
    expect((await connect(hole, [-1], [1], { sense: "super" })).barrier).toBe(Infinity);
  });

  it("stays put when both ends are the same point", async () => {
    for (const method of ["segment", "chain", "bezier", "neb"] as const) {
      const { barrier, arc } = await connect(lossGradOf(ring), east, east, { method });
      expect(barrier).toBe(0);
      expect(arc[arc.length - 1]).toBe(0);
    }
  });
});
