/** The engines are one for every kind of gradients: the same bytes, also after a state went on in the other at any step. */
import { describe, expect, test } from "vitest";
import { createOptimizer, superlevel, type Tuner } from "../../src/index.js";
import { averagedBases, bases, kinds, noise, startAt, type Kind } from "../support/cases.js";
import { mustSaveAlike, pairOf, specsOf, walkPair } from "../support/pairs.js";
import { gradientsOf } from "../support/walk.js";

const all = Object.entries({ ...bases, ...averagedBases });

/** Anchors after 8 steps, and later. */
const tuners: Record<string, Tuner> = {
  "one tuner": superlevel({ anchor: { first: 8 } }),
  "each tensor": superlevel({ granularity: "tensor", anchor: { first: 8 } }),
  "each coordinate": superlevel({ granularity: "parameter", anchor: { first: 8 } }),
  "each coordinate, free": superlevel({ granularity: "parameter", spread: null, anchor: { first: 8 } }),
  "Δ reconstructed": superlevel({ delta: "reconstructed", anchor: { first: 8 } }),
};

/** Sometimes known, sometimes so small that S may not grow, and once below 0. */
const losses = [1e-4, -1, 3, undefined, 1e-3, 0, 0.02];
const lossAt = (step: number) => losses[step % losses.length];

/** Gradients of a kind, for a run of so many coordinates; with spikes, and zeros before the first and the second. */
const gradientsFor = (size: number, { second }: Kind, base = bases.sgd) =>
  gradientsOf({ size, steps: 0, base, tuner: null, second, zeros: [1, 3], spikes: [9, 22, 23] });

describe.each(Object.entries(kinds))("gradients %s", (_kind, kind) => {
  describe.each(Object.entries(tuners))("%s", (_tuner, tuner) => {
    test.each(all)("%s: wasm and js save the same bytes, the loss known or not", (_base, base) => {
      for (const size of [1, 7, 33]) {
        const gradientOf = gradientsFor(size, kind);
        const pair = pairOf(startAt(size, noise(size)), { base, tuner, ...kind.more });
        walkPair(pair, 25, noise(0), { gradientOf, lossAt });
        expect(pair[0].gradients).toBe(kind.kind);
        expect(pair[1].average()).toEqual(pair[0].average());
      }
      const params = specsOf(1100, noise(5));
      const pair = pairOf(params, { base, tuner, ...kind.more, clip: { value: 0.8, norm: 3 } });
      walkPair(pair, 11, noise(0), { gradientOf: gradientsFor(1100, kind), lossAt });
    });

    test.each(all)("%s: a state of any step goes on in the other engine", (_base, base) => {
      const steps = 12;
      const params = specsOf(45, noise(7));
      const options = { base, tuner, ...kind.more };
      const [wasm, js] = pairOf(params, options);
      const gradientOf = gradientsFor(45, kind);
      const gradients = Array.from({ length: steps }, (_, k) => gradientOf(k + 1));
      const states: Uint8Array[] = [];
      for (const [k, g] of gradients.entries()) {
        states.push(k % 2 ? wasm.save() : js.save());
        for (const optimizer of [wasm, js]) optimizer.step(g, { loss: lossAt(k) });
      }
      states.forEach((state, from) => {
        const other = createOptimizer(params, { ...options, engine: from % 2 ? "js" : "wasm" });
        other.restore(state);
        for (let k = from; k < steps; k++) other.step(gradients[k], { loss: lossAt(k) });
        mustSaveAlike(wasm, other);
      });
    });
  });
});

test.each(["adam", "sgd", "schedule-free adamw"])("%s: an average that forgets does so in both", (name) => {
  const base = { ...bases, ...averagedBases }[name];
  const size = 20;
  const gradientOf = gradientsOf({ size, steps: 0, base, tuner: null, pace: 0.01 });
  const gradients = Array.from({ length: 240 }, (_, k) => gradientOf(k + 1));
  const options = { base, gradients: "noisy" } as const;
  const pair = pairOf(startAt(size, noise(2)), options);
  walkPair(pair, 150, noise(0), { gradientOf: (step) => gradients[step - 1] });
  const other = createOptimizer(size, { ...options, engine: "js" }).restore(pair[0].save());
  walkPair([pair[0], other], 240, noise(0), { gradientOf: (step) => gradients[step - 1], from: 151 });
});
