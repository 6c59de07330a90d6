/** States go by tensors' names, in any order, and by what else is known of them; states of version 2 by sizes. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer, lion, mechanic, sgd, superlevel } from "../../src/index.js";
import type { Optimizer, OptimizerOptions, TensorSpec } from "../../src/index.js";
import version2 from "../golden/states-version-2.json" with { type: "json" };
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { descriptionOf, redescribed, sameBytes } from "../support/state.js";

const w: TensorSpec = { name: "w", shape: [2, 2], values: [1, -2, 3, -4] };
const b: TensorSpec = { name: "b", shape: [2, 2], values: [0.5, 0.25, -0.5, 1] };
const c: TensorSpec = { name: "c", shape: [19], values: Array.from({ length: 19 }, (_, i) => Math.cos(i)) };

/** ½ Σ k x², k = 1, 2, … within each tensor. */
function descend(optimizer: Optimizer, steps: number): void {
  for (let k = 0; k < steps; k++) {
    for (const { params, grads } of optimizer.tensors) grads.set(params.map((x, i) => x * (i + 1)));
    optimizer.step();
  }
}

function lossOf({ tensors }: Optimizer): number {
  let loss = 0;
  for (const { params } of tensors) params.forEach((x, i) => (loss += (x * x * (i + 1)) / 2));
  return loss;
}

function valuesOf({ tensors }: Optimizer, name: string): number[] {
  return [...tensors.find((tensor) => tensor.name === name)!.params];
}

const optionSets: [string, OptimizerOptions][] = [
  ["one tuner", { gradients: "exact" }],
  ["undecided", {}],
  ["noisy", { gradients: "noisy" }],
  ["a tuner for each tensor", { tuner: superlevel({ granularity: "tensor" }) }],
  ["a tuner for each coordinate", { tuner: superlevel({ granularity: "parameter" }) }],
  ["coordinates without bounds", { tuner: superlevel({ granularity: "parameter", spread: null }) }],
  ["Δ reconstructed", { tuner: superlevel({ delta: "reconstructed", granularity: "tensor" }) }],
  ["no tuner", { tuner: null, base: sgd({ momentum: 0.9, learningRate: 0.02 }) }],
  ["mechanic", { tuner: mechanic({ sInit: 1e-2 }), base: lion({ learningRate: 0.1 }) }],
];

describe.each(engines)("%s engine", (engine) => {
  describe.each(optionSets)("%s", (_name, given) => {
    const options = { engine, ...given };

    test.each([1, 2, 40])("after %i steps, in another order it goes on as it would have", (steps) => {
      const first = createOptimizer([w, b, c], options);
      descend(first, steps);
      const other = createOptimizer([c, w, b], options).restore(first.save());
      for (const name of ["w", "b", "c"]) expect(valuesOf(other, name)).toEqual(valuesOf(first, name));
      for (const optimizer of [first, other]) descend(optimizer, 20);
      // Sums are taken in another order.
      for (const name of ["w", "b", "c"])
        valuesOf(other, name).forEach((x, i) => expect(x).toBeCloseTo(valuesOf(first, name)[i], 3));
    });

    test.each([1, 40])("after %i steps, what was frozen goes on from where it was", (steps) => {
      const frozen = createOptimizer([w, { ...b, frozen: true }, c], options);
      descend(frozen, steps);
      const loose = createOptimizer([w, b, c], options).restore(frozen.save());
      expect(valuesOf(loose, "b")).toEqual(b.values);
      const before = lossOf(loose);
      loose.step(new Float32Array(loose.size));
      expect(valuesOf(loose, "b")).toEqual(b.values);
      descend(loose, 3);
      expect(lossOf(loose)).toBeLessThan(1.2 * before);
      descend(loose, 400);
      expect(
        valuesOf(loose, "b")
          .map(Math.abs)
          .every((x, i) => x < Math.abs((b.values as number[])[i]) / 2),
      ).toBe(true);
    });

    test("what is frozen now stays where it was", () => {
      const first = createOptimizer([w, b], options);
      descend(first, 16);
      const [kept] = [valuesOf(first, "b")];
      const frozen = createOptimizer([w, { ...b, frozen: true }], options).restore(first.save());
      descend(frozen, 16);
      expect(valuesOf(frozen, "b")).toEqual(kept);
      // And goes on from there.
      const loose = createOptimizer([b, w], options).restore(frozen.save());
      const before = lossOf(loose);
      descend(loose, 3);
      expect(lossOf(loose)).toBeLessThan(1.2 * before);
    });

    test.each([1, 40])("after %i steps, what is new starts afresh, where that is asked for", (steps) => {
      const first = createOptimizer([w, b], options);
      descend(first, steps);
      const larger = createOptimizer([c, b, w], options);
      const kept = larger.save();
      expect(errorOf(() => larger.restore(first.save())).message).toBe(
        'state: it has no tensor "c"; restore(state, { partial: true }) lets it start afresh',
      );
      expect(sameBytes(larger.save(), kept)).toBe(true);
      larger.restore(first.save(), { partial: true });
      expect(valuesOf(larger, "w")).toEqual(valuesOf(first, "w"));
      expect(valuesOf(larger, "c")).toEqual(Array.from(c.values!, Math.fround));
      const before = lossOf(larger);
      descend(larger, 3);
      expect(lossOf(larger)).toBeLessThan(1.2 * before);
      descend(larger, 400);
      expect(lossOf(larger)).toBeLessThan(before / 4);
    });
  });

  const create = (tensors: TensorSpec[], options: OptimizerOptions = {}) =>
    createOptimizer(tensors, { engine, ...options });
  const refused: [string, TensorSpec[], string][] = [
    ["another name", [w, { ...b, name: "d" }], 'it has a tensor "b"; this optimizer has none of that name'],
    [
      "another shape",
      [w, { ...b, shape: [4] }],
      'tensor "b" was saved with shape [2,2]; this optimizer has [4]',
    ],
    [
      "another multiplier",
      [{ ...w, learningRate: 0.5 }, b],
      'tensor "w" was saved with learningRate 1; this optimizer has 0.5',
    ],
    [
      "another decay",
      [w, { ...b, weightDecay: 0.5 }],
      'tensor "b" was saved with weightDecay 0; this optimizer has 0.5',
    ],
    ["one tensor too many", [w], 'it has a tensor "b"; this optimizer has none of that name'],
    [
      "no names",
      [
        { ...w, name: undefined },
        { ...b, name: undefined },
      ],
      'it has a tensor "w"; this optimizer has none of that name',
    ],
  ];

  test.each(refused)("%s is refused", (_what, tensors, message) => {
    const state = create([w, b]).save();
    for (const partial of [false, true]) {
      const optimizer = create(tensors);
      const kept = optimizer.save();
      const error = errorOf(() => optimizer.restore(state, { partial }));
      expect(error.message).toBe(`state: ${message}`);
      expect(sameBytes(optimizer.save(), kept)).toBe(true);
    }
  });

  test("rates, anchors and limits of growth may be others", () => {
    const first = create([w, b], { base: adam({ learningRate: 0.5 }), tuner: superlevel({ anchor: null }) });
    descend(first, 5);
    const options = { base: adam(), tuner: superlevel({ growthLimit: null, anchor: { every: 7 } }) };
    expect(create([w, b], options).restore(first.save()).iterations).toBe(5);
  });

  test("what was saved without names goes by places", () => {
    const unnamed = [w, b].map((spec) => ({ ...spec, name: undefined }));
    const state = create(unnamed).save();
    expect(valuesOf(create([b, w]).restore(state), "b")).toEqual(w.values);
    expect(create([{ name: "all", shape: [3] }]).restore(createOptimizer([1, 2, 3]).save()).params[2]).toBe(
      3,
    );
  });

  test("tensors that make no sense, with a checksum that fits", () => {
    const optimizer = create([w, b]);
    const state = optimizer.save();
    const description = descriptionOf(state);
    const [first, second] = description.tensors as object[];
    for (const tensors of [
      null,
      5,
      "ab",
      {},
      [],
      [null],
      [first],
      [first, first],
      [{ ...first, frozen: 1 }, second],
    ])
      expect(errorOf(() => optimizer.restore(redescribed(state, { ...description, tensors })))).toMatchObject(
        {
          code: "state",
        },
      );
    expect(sameBytes(optimizer.save(), state)).toBe(true);
  });

  test("an option that is none", () => {
    const optimizer = create([w]);
    expect(errorOf(() => optimizer.restore(optimizer.save(), { partial: 1 as never })).message).toBe(
      "options.partial: expected true or false, got 1",
    );
    expect(() => optimizer.restore(optimizer.save(), { part: true } as never)).toThrow(
      /unknown option "part"/,
    );
  });

  describe("states of version 2", () => {
    const tensors: TensorSpec[] = [
      { name: "w", shape: [2, 2] },
      { name: "still", shape: [3], frozen: true },
      { name: "b", shape: [2], learningRate: 0.5 },
    ];
    // The decay factors of their time.
    const base = adam({ beta1: 0.9, beta2: 0.999 });
    const older: Record<string, OptimizerOptions> = {
      global: { base },
      tensor: { base, tuner: superlevel({ granularity: "tensor" }) },
      parameter: { base, tuner: superlevel({ granularity: "parameter" }) },
      "no tuner": { tuner: null },
      "mechanic, sgd": { tuner: mechanic(), base: sgd({ momentum: 0.9, learningRate: 1 }) },
    };

    test.each(Object.entries(version2))("%s", (name, { state, params, next }) => {
      const bytes = new Uint8Array(Buffer.from(state, "base64"));
      const options = { gradients: "exact", ...older[name] } as const;
      const optimizer = create(tensors, options).restore(bytes);
      expect([...optimizer.params]).toEqual(params);
      optimizer.step(optimizer.params.map((x, i) => x * (1 + (i % 3))));
      expect([...optimizer.params]).toEqual(next);
      // What was frozen, goes on from where it was.
      const loose = create(
        tensors.map((spec) => ({ ...spec, frozen: false })),
        options,
      ).restore(bytes);
      expect([...loose.params]).toEqual(params);
      const before = lossOf(loose);
      descend(loose, 3);
      expect(lossOf(loose)).toBeLessThan(1.2 * before);
      const swapped = [tensors[0], tensors[2], tensors[1]];
      expect(errorOf(() => create(swapped, options).restore(bytes)).message).toBe(
        "state: it was saved with sizes [4,3,2]; this optimizer has [4,2,3]",
      );
    });
  });
});
