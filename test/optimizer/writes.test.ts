/** What is written to `params` between steps counts, or is named: never undone or spread in silence. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer, mechanic, sgd, superlevel } from "../../src/index.js";
import type { Optimizer, OptimizerOptions, Tuner } from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { forms } from "../support/forms.js";
import { mustMatch, sameBytes } from "../support/state.js";

const stored: Record<string, Tuner> = {
  global: superlevel(),
  tensor: superlevel({ granularity: "tensor" }),
  parameter: superlevel({ granularity: "parameter" }),
  mechanic: mechanic({ delta: "stored" }),
};

/** One that has taken steps, and all its coordinates differ. */
function stepped(options: OptimizerOptions, size: number, steps = 3): Optimizer {
  const optimizer = createOptimizer(
    Float32Array.from({ length: size }, (_, i) => 1 + i / size),
    options,
  );
  for (let k = 0; k < steps; k++)
    optimizer.step(Float32Array.from({ length: size }, (_, i) => Math.sin(2 * i + k / 9)));
  return optimizer;
}

/** What may be done to the parameters, and the first coordinate that is then another. */
const writes: [what: string, write: (x: Float32Array, place: number) => void][] = [
  ["another number", (x, i) => (x[i] = 5)],
  ["the next float", (x, i) => (new Int32Array(x.buffer, x.byteOffset)[i] += 1)],
  ["the opposite", (x, i) => (x[i] *= -1)],
  ["0", (x, i) => (x[i] = 0)],
  ["an exchange", (x, i) => ([x[i], x[i + 16]] = [x[i + 16], x[i]])],
  ["an exchange of neighbours", (x, i) => ([x[i], x[i + 1]] = [x[i + 1], x[i]])],
];

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(stored))("Δ has a vector: %s", (_name, tuner) => {
    test.each(writes)("%s is named, wherever it is, and nothing has changed", (what, write) => {
      const size = 700;
      const [optimizer, other] = [stepped({ tuner, engine }, size), stepped({ tuner, engine }, size)];
      const { params } = optimizer;
      const before = params.slice();
      for (let place = 0; place < size - 16; place += 37) {
        // Gets hold of the parameters before the step, so that nothing tells that they are written to after it.
        write(params, place);
        for (const call of [
          () => optimizer.step(new Float32Array(size)),
          () => optimizer.minimize(() => 1, { steps: 1 }),
          () => optimizer.minimize(() => 1, { steps: 1, deterministic: true }),
          () => optimizer.translate(new Float32Array(size)),
          () => optimizer.save(),
        ]) {
          const error = errorOf(call);
          expect(error).toMatchObject({ name: "OptimizerError", code: "moved" });
          const named = what === "the next float" ? "" : `${place}`;
          expect(error.message).toContain(`params[${named}`);
        }
        params.set(before);
      }
      mustMatch(optimizer, other);
    });

    test("many at once", () => {
      const optimizer = stepped({ tuner, engine }, 5000);
      const { params } = optimizer;
      for (const [from, to] of [
        [0, 5000],
        [1, 4999],
        [2500, 5000],
      ]) {
        const before = params.slice();
        params.fill(0.5, from, to);
        expect(errorOf(() => optimizer.step()).message).toMatch(
          new RegExp(`^params\\[${from}\\] was written to `),
        );
        params.set(before);
      }
      optimizer.step();
    });

    test("of many coordinates: whoever asks for them is watched, and who writes again and again is seen", () => {
      const size = 20_000;
      const optimizer = stepped({ tuner, engine }, size);
      for (const place of [3, 9_999, 19_999]) {
        const before = optimizer.params[place];
        optimizer.params[place] = 7;
        expect(errorOf(() => optimizer.step()).message).toMatch(new RegExp(`^params\\[${place}\\] was `));
        optimizer.params[place] = before;
        optimizer.tensors[0].params[place] = 7;
        expect(errorOf(() => optimizer.step())).toMatchObject({ code: "moved" });
        optimizer.params[place] = before;
        optimizer.step();
      }
    });

    // Mechanic's pull uses x, and so does weight decay: then a look comes before the step.
    const looksBefore = tuner === stored.mechanic;
    test.runIf(!looksBefore)(
      "of many: the step that undoes a write through an older view says so, and is whole",
      () => {
        const size = 20_000;
        const [optimizer, other] = [stepped({ tuner, engine }, size), stepped({ tuner, engine }, size)];
        const { params } = optimizer;
        const gradient = Float32Array.from({ length: size }, (_, i) => Math.cos(i));
        for (const place of [0, 15, 777, 1023, 1024, 9_999, 19_983]) {
          for (const [, write] of writes) {
            for (const each of [optimizer, other]) each.step(gradient);
            write(params, place);
            const error = errorOf(() => optimizer.step(gradient));
            const { step } = other.step(gradient);
            expect(error).toMatchObject({ name: "OptimizerError", code: "moved" });
            expect(error.message).toMatch(`params was written to before step ${step}, which has undone that`);
          }
        }
        mustMatch(optimizer, other);
      },
    );

    test("of many, where the step uses them: nothing has changed", () => {
      const size = 20_000;
      const options = { tuner, engine, base: adam({ weightDecay: looksBefore ? 0 : 0.1 }) };
      const [optimizer, other] = [stepped(options, size), stepped(options, size)];
      const { params } = optimizer;
      for (const [, write] of [...writes, ["NaN", (x: Float32Array, i: number) => (x[i] = NaN)] as const]) {
        for (const each of [optimizer, other]) each.step(new Float32Array(size).fill(0.1));
        const before = params.slice();
        write(params, 777);
        expect(errorOf(() => optimizer.step())).toMatchObject({ code: "moved" });
        params.set(before);
      }
      mustMatch(optimizer, other);
    });

    test("of many coordinates: a write is found by whatever is no step", () => {
      const optimizer = stepped({ tuner, engine }, 20_000);
      const { params } = optimizer;
      optimizer.step();
      params[777] = 7;
      for (const call of [
        () => optimizer.save(),
        () => optimizer.translate(new Float32Array(20_000)),
        () => optimizer.minimize(() => 1, { steps: 1, guard: { policy: "reject" } }),
      ])
        expect(errorOf(call).message).toMatch(/^params\[777\] was written to/);
    });

    test("what setParams is given counts, also what was written already; so does what an anchor finds", () => {
      for (const settle of [
        (optimizer: Optimizer) => optimizer.setParams(optimizer.params),
        (optimizer: Optimizer) => optimizer.anchor(),
        (optimizer: Optimizer) => optimizer.reset(),
      ]) {
        const optimizer = stepped({ tuner, engine, base: sgd() }, 40);
        optimizer.params[33] = 100;
        settle(optimizer).step(new Float32Array(40));
        expect(Math.abs(optimizer.params[33] - 100)).toBeLessThan(1);
      }
    });
  });

  test("frozen tensors may be written to, whatever is around them", () => {
    const specs = [
      { shape: [3], frozen: true },
      { shape: [40] },
      { shape: [5], frozen: true },
      { shape: [50], learningRate: 2 },
    ];
    const optimizer = createOptimizer(specs, { engine });
    const [head, , frozen, last] = optimizer.tensors;
    for (let k = 0; k < 9; k++) {
      head.params.fill(k);
      frozen.params.fill(-k);
      optimizer.grads.fill(1);
      optimizer.step();
    }
    last.params[49] += 1;
    expect(errorOf(() => optimizer.step()).message).toMatch(/^params\[97\] was /);
  });

  describe.each(Object.entries(forms))("a number that is not finite, under %s", (_name, tuner) => {
    test.each([NaN, Infinity, -Infinity])("%d is refused by name, and changes nothing", (bad) => {
      for (const nonFinite of ["throw", "skip"] as const)
        for (const base of [adam(), sgd({ momentum: 0.9, learningRate: 0.01 })]) {
          const options = { tuner, base, nonFinite, engine };
          const [optimizer, other] = [stepped(options, 40), stepped(options, 40)];
          const { params } = optimizer;
          const before = params[13];
          params[13] = bad;
          for (const call of [
            () => optimizer.step(new Float32Array(40).fill(1)),
            () => optimizer.minimize(() => 1, { steps: 1 }),
            () => optimizer.anchor(),
            () => optimizer.save(),
          ]) {
            expect(errorOf(call).message).toBe(`params[13] is ${bad}, which would spread; use setParams`);
          }
          expect(errorOf(() => optimizer.reset()).message).toMatch(/^params\[13\]: expected a number within/);
          params[13] = before;
          mustMatch(optimizer, other);
          expect(sameBytes(optimizer.save(), other.save())).toBe(true);
        }
    });

    test("setParams mends it", () => {
      const optimizer = stepped({ tuner, engine, base: sgd({ learningRate: 0.01 }) }, 40);
      const point = optimizer.params.slice();
      optimizer.params[13] = NaN;
      optimizer.setParams(point).step(new Float32Array(40).fill(1e-3));
      expect(optimizer.params.every(Number.isFinite)).toBe(true);
    });
  });

  test("a number that is not finite is found among many, where Δ is made from x", () => {
    for (const tuner of Object.values(forms)) {
      if (!tuner || tuner.delta === "stored") continue;
      const optimizer = stepped({ tuner, engine }, 20_000);
      const { params } = optimizer;
      optimizer.step();
      params[12_345] = NaN;
      expect(() => optimizer.step()).toThrow("params[12345] is NaN");
    }
  });
});
