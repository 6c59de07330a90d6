/** Exact or noisy: how an optimizer finds out, what puts it off, and that what it refuses tells it nothing. */
import { describe, expect, test } from "vitest";
import {
  createOptimizer,
  mechanic,
  OptimizerError,
  sgd,
  superlevel,
  type GradientSource,
  type Optimizer,
  type OptimizerOptions,
} from "../../src/index.js";
import { averagedBases, bases, noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { scalesOf } from "../support/forms.js";
import { mustMatch, sameBytes } from "../support/state.js";

const SIZE = 13;
const x0 = startAt(SIZE, noise(2));
const steady = Float32Array.from(x0, (_, i) => Math.sin(i + 1));
/** Nearly the same, and quite another. */
const again = steady.map((g, i) => g * (1 + 1e-3 * Math.cos(i)));
const other = steady.map((g, i) => (i % 3 ? g : -g));
const zero = new Float32Array(SIZE);
const granularities = ["global", "tensor", "parameter"] as const;
const everyBase = Object.entries({ ...bases, ...averagedBases });

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions = {}) => createOptimizer(x0, { engine, ...options });

  describe.each(granularities)("a tuner for each: %s", (granularity) => {
    const tuner = superlevel({ granularity });

    test.each(everyBase)("%s: the second gradient tells, whatever the units of the loss", (_name, base) => {
      for (const unit of [1e-9, 1, 1e9]) {
        for (const [second, kind] of [
          [again, "exact"],
          [other, "noisy"],
        ] as const) {
          const optimizer = create({ base, tuner });
          const seen = [steady, second].map((g) => {
            optimizer.step(g.map((value) => value * unit));
            return optimizer.gradients;
          });
          // Weight decay that joins the gradient is part of it, and outweighs a small one.
          if (unit < 1 && base.weightDecay > 0) continue;
          expect(seen).toEqual(["undecided", kind]);
        }
      }
    });

    test.each(everyBase)("%s: gradients of 0 put it off, and move nothing", (_name, base) => {
      for (const second of [again, other]) {
        const [optimizer, plain] = [create({ base, tuner }), create({ base, tuner })];
        plain.step(steady);
        plain.step(second);
        for (let k = 1; k <= 3; k++)
          expect(optimizer.step(zero)).toMatchObject({ step: k, gradNorm: 0, skipped: false });
        expect(optimizer.params).toEqual(x0);
        optimizer.step(steady);
        const before = optimizer.params.slice();
        optimizer.step(zero);
        expect([optimizer.params, optimizer.gradients]).toEqual([before, "undecided"]);
        optimizer.step(second);
        expect(optimizer.gradients).toBe(plain.gradients);
        expect(optimizer.iterations).toBe(6);
      }
    });
  });

  test("zeros before the first gradient change no step", () => {
    for (const second of [again, other]) {
      const [optimizer, plain] = [create(), create()];
      for (let k = 0; k < 20; k++) optimizer.step(zero);
      for (let k = 0; k < 12; k++) {
        for (const each of [optimizer, plain]) each.step(k % 2 ? second : steady);
        expect(optimizer.params).toEqual(plain.params);
        expect(optimizer.learningRate).toBeCloseTo(plain.learningRate, 12);
      }
    }
  });

  test("a gradient whose squares vanish in float32 is not 0", () => {
    for (const [second, kind] of [
      [again, "exact"],
      [other, "noisy"],
    ] as const) {
      const optimizer = create({ base: sgd() });
      for (const g of [steady, second]) optimizer.step(g.map((value) => value * 1e-30));
      expect(optimizer.gradients).toBe(kind);
    }
  });

  test("frozen tensors and clipped coordinates have no say", () => {
    const specs = [{ shape: [6] }, { shape: [7], frozen: true }];
    const optimizer = createOptimizer(specs, { engine });
    optimizer.params.set(x0);
    const turned = steady.map((g, i) => (i < 6 ? g : -g));
    for (const g of [steady, turned]) optimizer.step(g);
    expect(optimizer.gradients).toBe("exact");
    const clipped = create({ clip: { value: 1e-3 } });
    for (const g of [steady, steady.map((g) => 5 * g)]) clipped.step(g);
    expect(clipped.gradients).toBe("exact");
  });

  test("only superlevel makes a difference: other forms stay undecided", () => {
    for (const tuner of [null, mechanic()]) {
      const [optimizer, told] = [create({ tuner }), create({ tuner, gradients: "noisy" })];
      for (let k = 0; k < 9; k++) for (const each of [optimizer, told]) each.step(k % 2 ? other : steady);
      expect([optimizer.gradients, told.gradients]).toEqual(["undecided", "noisy"]);
      expect(told.params).toEqual(optimizer.params);
    }
  });

  describe("a run that is told that its source is deterministic", () => {
    const bowl: GradientSource = (x, grads) => {
      grads.set(x);
      return 0.5 * x.reduce((sum, value) => sum + value * value, 0);
    };

    test("has exact gradients from its first step on, and so has what follows", () => {
      const [told, known] = [create(), create({ gradients: "exact" })];
      for (const each of [told, known]) each.minimize(bowl, { steps: 20, deterministic: true });
      expect(told.gradients).toBe("exact");
      expect(told.params).toEqual(known.params);
      for (const each of [told, known]) each.minimize(bowl, { steps: 5 });
      expect(told.params).toEqual(known.params);
      // Others find it out.
      const found = create();
      found.minimize(bowl, { steps: 1 });
      expect(found.gradients).toBe("undecided");
      found.minimize(bowl, { steps: 1, deterministic: true });
      expect(found.gradients).toBe("exact");
    });

    test("leaves alone what was found out before, or said otherwise", () => {
      const noisy = create();
      for (const g of [steady, other]) noisy.step(g);
      const said = create({ gradients: "noisy" });
      for (const each of [noisy, said]) {
        each.minimize(bowl, { steps: 3, deterministic: true });
        expect(each.gradients).toBe("noisy");
        expect(each.average()).not.toBeNull();
      }
    });
  });

  test.each([1e-3, 3e-4, 1e-4])("a run that goes on %d from a minimum does not leave it", (distance) => {
    for (const gradients of ["auto", "exact"] as const) {
      const x0 = Float32Array.from({ length: 10 }, (_, i) => 1 + distance * Math.cos(3 * i));
      const optimizer = createOptimizer(x0, { engine, gradients });
      const losses: number[] = [];
      const quadratic: GradientSource = (x, grads) => {
        x.forEach((value, i) => (grads[i] = (i + 1) * (value - 1)));
        losses.push(x.reduce((sum, value, i) => sum + ((i + 1) * (value - 1) ** 2) / 2, 0));
        return losses[losses.length - 1];
      };
      const { loss } = optimizer.minimize(quadratic, { steps: 100 });
      expect(optimizer.gradients).toBe("exact");
      expect(Math.max(...losses)).toBe(losses[0]);
      expect(loss).toBeLessThan(1e-4 * losses[0]);
    }
  });

  describe("a state", () => {
    const after = (steps: Float32Array[], options?: OptimizerOptions) => {
      const optimizer = create(options);
      for (const g of steps) optimizer.step(g);
      return optimizer;
    };

    test("is refused where it contradicts what was said", () => {
      const states = {
        undecided: after([steady]).save(),
        exact: after([steady, again]).save(),
        noisy: after([steady, other]).save(),
      };
      for (const [kind, state] of Object.entries(states)) {
        for (const gradients of ["exact", "noisy"] as const) {
          const optimizer = create({ gradients });
          const kept = optimizer.save();
          if (kind === gradients) {
            expect(optimizer.restore(state).gradients).toBe(kind);
            continue;
          }
          // After one step, a run whose gradients are known to be exact waits for the second, too.
          if (kind === "undecided" && gradients === "exact") {
            optimizer.restore(state).step(other);
            expect(optimizer.gradients).toBe("exact");
            continue;
          }
          const error = errorOf(() => optimizer.restore(state)) as OptimizerError;
          expect(error).toBeInstanceOf(OptimizerError);
          expect(error.code).toBe("state");
          expect(error.message).toBe(
            `state: it was saved with gradients "${kind}"; this optimizer has "${gradients}"`,
          );
          expect(sameBytes(optimizer.save(), kept)).toBe(true);
        }
        // One that finds out takes up what was found out, or said.
        expect(create().restore(state).gradients).toBe(kind);
      }
      expect(create().restore(after([steady], { gradients: "noisy" }).save()).gradients).toBe("noisy");
    });

    test("of more anchors than steps is one", () => {
      for (const options of [{}, { gradients: "noisy" as const }, { tuner: null }]) {
        for (const steps of [0, 1, 2]) {
          const optimizer = after([steady, other].slice(0, steps), options);
          for (let k = 0; k < 5; k++) optimizer.anchor();
          mustMatch(create(options).restore(optimizer.save()), optimizer);
        }
      }
    });
  });

  test("reset forgets what was found out, and keeps what was said", () => {
    for (const [options, kind] of [
      [{}, "undecided"],
      [{ gradients: "noisy" as const }, "noisy"],
      [{ gradients: "exact" as const }, "exact"],
    ] as const) {
      for (const second of [again, other]) {
        const [optimizer, fresh] = [create(options), create(options)];
        for (let k = 0; k < 30; k++) optimizer.step(k % 2 ? second : steady);
        expect(optimizer.reset(x0).gradients).toBe(kind);
        expect(sameBytes(optimizer.save(), fresh.save())).toBe(true);
        for (const each of [optimizer, fresh]) for (const g of [steady, again]) each.step(g);
        expect(sameBytes(optimizer.save(), fresh.save())).toBe(true);
      }
    }
  });

  test("moving the point, or anchoring, between the first two steps", () => {
    const there = x0.map((x) => 3 - x);
    for (const second of [again, other]) {
      const plain = create();
      for (const g of [steady, second]) plain.step(g);
      const moves: ((optimizer: Optimizer) => unknown)[] = [
        (optimizer) => optimizer.translate(there),
        (optimizer) => optimizer.anchor(),
        (optimizer) => optimizer.save(),
        (optimizer) => optimizer.restore(optimizer.save()),
      ];
      for (const move of moves) {
        const optimizer = create();
        optimizer.step(steady);
        move(optimizer);
        optimizer.step(second);
        expect(optimizer.gradients).toBe(plain.gradients);
        expect(scalesOf(optimizer).every((scale) => scale > 0)).toBe(true);
      }
    }
  });
});
