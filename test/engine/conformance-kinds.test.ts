/** Every rule that depends on the kind of gradients, in walks that are sure to get there; and with all other options. */
import { describe, expect, test } from "vitest";
import { superlevel, type Tuner } from "../../src/index.js";
import { averagedBases, bases, kinds, layoutOf, tuners } from "../support/cases.js";
import { engines, stepsOf } from "../support/engines.js";
import { walk, type Run, type Walked } from "../support/walk.js";

const granularities = ["global", "tensor", "parameter"] as const;
/** A rate of its own, momentum, none, averaging, and decay of both kinds. */
const chosen = [
  "adam",
  "adamw",
  "momentum with dampening",
  "sgd",
  "lion with weight decay",
  "schedule-free adamw",
].map((name) => ({ ...bases, ...averagedBases })[name]);

/** Tensors that begin and end inside turns and behind a block. */
const tensors = [
  { size: 3, learningRate: 2 },
  { size: 14, weightDecay: 0.3 },
  { size: 1, frozen: true },
  { size: 1030, learningRate: 0.5 },
  { size: 16, weightDecay: 0 },
  { size: 2, frozen: true },
  { size: 7 },
];
const whole = tensors.reduce((sum, tensor) => sum + tensor.size, 0);

describe.each(engines)("%s engine", (engine) => {
  test("second moments forget a past that no gradient of late comes near", () => {
    // A fifth of the run is remembered: only of a long one is that longer than "of late".
    const run = {
      size: 9,
      steps: 700,
      faint: 400,
      gradients: "noisy",
      unrated: true,
    } as const;
    for (const base of [bases.adam, bases.nadam, bases.adamw])
      expect(walk(engine, { ...run, base, tuner: superlevel() }).stale).toBeGreaterThan(0);
    const given = { ...bases.adam, beta2: 0.999 };
    expect(walk(engine, { ...run, base: given, tuner: superlevel() }).stale).toBe(0);
  });

  describe.each(Object.entries(kinds))("gradients %s", (_kind, { kind, ...given }) => {
    describe.each(granularities)("a tuner for each: %s", (granularity) => {
      const each = (run: Pick<Run, "size"> & Partial<Run>, tuner: Tuner = superlevel({ granularity })) =>
        chosen.map((base) => {
          const layout = granularity === "tensor" ? layoutOf(run.size) : undefined;
          const walked = walk(engine, { steps: 30, base, tuner, tensors: layout, ...given, ...run });
          expect(walked.twin.kind).toBe(kind);
          return walked;
        });
      const sum = (walks: Walked[], count: Exclude<keyof Walked, "twin">) =>
        walks.reduce((sum, walked) => sum + walked[count], 0);

      test("the default's anchors and rates", () => {
        // Beyond the early steps. Coordinates each of which has a scale leave float32's range before.
        const steps = stepsOf(engine, granularity === "parameter" ? 100 : 150);
        for (const size of [5, 17]) each({ size, steps, unrated: true });
      });

      test("S grows no further than it may", () => {
        // Gradients that hardly turn; and a second window, where less is allowed.
        const walks = each(
          { size: 9, steps: 60, pace: 0.2 },
          superlevel({ granularity, anchor: { every: 30 } }),
        );
        expect(sum(walks, "byGrowth")).toBeGreaterThan(0);
        const own = superlevel({ granularity, growthLimit: { first: 2, later: 1 } });
        expect(sum(each({ size: 9, pace: 0.2 }, own), "byGrowth")).toBeGreaterThan(
          sum(walks, "byGrowth") / 4,
        );
        const free = superlevel({ granularity, growthLimit: null });
        expect(sum(each({ size: 9, pace: 0.2 }, free), "byGrowth")).toBe(0);
      });

      test("S does not grow where a step promises too much of a known loss", () => {
        const losses = [1e-4, -1, 3, undefined, 1e-3, 0, 0.02];
        const lossAt = (step: number) => losses[step % losses.length];
        const walks = each({ size: 9, pace: 0.2, lossAt });
        expect(sum(walks, "byPromise") > 0).toBe(kind === "noisy");
        // What it was denied it makes up for slowly.
        expect(sum(walks, "byPace") > 0).toBe(kind === "noisy");
      });

      test("long gradients make shorter steps or are clipped, and no coordinate of a direction is longer than it may be", () => {
        const walks = each({ size: 9, steps: 165, spikes: [20, 60, 61, 160] });
        const limits = chosen.map(({ name }) =>
          kind === "exact" ? name === "sgd" : !["lion", "scheduleFree"].includes(name),
        );
        expect(walks.map(({ shortened }) => shortened > 0)).toEqual(limits);
        expect(sum(walks, "bounded") > 0).toBe(kind === "noisy");
      });

      test("an average that lags behind forgets", () => {
        // Gradients that hardly turn: z is ahead of the average.
        const walks = each({ size: 9, steps: 230, pace: 0.01 });
        expect(sum(walks, "forgot") > 0).toBe(kind === "noisy");
        expect(Math.max(...walks.map(({ forgot }) => forgot))).toBe(kind === "noisy" ? 2 : 0);
      });

      test("gradients of 0 put the decision off, and nothing else", () => {
        for (const zeros of [[1], [1, 2, 4, 5], [2, 3], [6, 7]]) each({ size: 6, zeros });
        // Past the step at which what has all but vanished is let go.
        each({ size: 6, steps: 262, zeros: Array.from({ length: 256 }, (_, k) => 2 + k) });
      });

      test("Δ reconstructed, one beta, s_init given", () => {
        const changes: Partial<Tuner>[] = [
          { delta: "reconstructed" },
          { betas: [0.99] },
          { sInit: 1e-3 },
          ...(granularity === "parameter" ? [{ spread: null }, { spread: 1.1 }] : []),
        ];
        for (const change of changes)
          for (const size of [5, 33]) each({ size, pace: 8 }, superlevel({ granularity, ...change }));
      });

      test("tensors with options of their own, at every alignment", () => {
        each({ size: whole, steps: stepsOf(engine, 40), tensors, pace: 8 });
      });

      test.each([
        { normAdaptive: true },
        { clip: { norm: 0.5 } },
        { clip: { value: 0.25 } },
        { clip: { norm: 2, value: 0.75 }, normAdaptive: true },
      ])("%j", (more) => {
        // What coordinates' pull goes by is not known where the norm is clipped.
        const lambda = granularity === "parameter" && more.clip?.norm !== undefined ? 0 : 0.01;
        const tuner = superlevel({ granularity, lambda });
        for (const size of [5, 130])
          each({ size, coarse: true, pace: 6, more: { ...given.more, ...more } }, tuner);
      });
    });
  });

  describe.each(Object.entries(tuners))("%s", (_form, tuner) => {
    test.each(Object.entries(averagedBases))("%s", (_base, base) => {
      for (const size of [1, 7, 16, 33, 1030])
        walk(engine, { size, steps: stepsOf(engine, 60), base, tuner });
    });
  });
});
