/** What gradients are is told by two of them at one place: what moves the point, or takes a step back, begins anew. */
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  createOptimizer,
  lion,
  sgd,
  type Base,
  type GradientSource,
} from "../../src/index.js";
import { engines } from "../support/engines.js";

const bases: Record<string, Base> = {
  adam: adam(),
  amsgrad: adam({ amsgrad: true }),
  momentum: sgd({ momentum: 0.9 }),
  lion: lion(),
  // These keep the first gradient in a place of its own.
  sgd: sgd(),
  adagrad: adagrad(),
};

const bowl: GradientSource = (x, g) => {
  g.set(Array.from(x, (value, i) => (1 + i) * (value - i)));
  return g.reduce((sum, value, i) => sum + (value * value) / (2 + 2 * i), 0);
};

const noisy: GradientSource = (x, g, step) => {
  const loss = bowl(x, g, step);
  for (let i = 0; i < g.length; i++) g[i] += 3 * Math.sin(7 * step + i);
  return loss;
};

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(bases))("%s", (_name, base) => {
    const make = () => createOptimizer([3, -2, 5], { base, engine });

    test.each([
      ["exact", bowl],
      ["noisy", noisy],
    ] as const)("a point that is moved after the first step: %s", (kind, source) => {
      const optimizer = make();
      optimizer.minimize(source, { steps: 1 });
      optimizer.setParams([-40, 7, 0.5]);
      optimizer.minimize(source, { steps: 1 });
      expect(optimizer.gradients).toBe("undecided");
      optimizer.setParams([3, 2, 9]);
      optimizer.minimize(source, { steps: 1 });
      expect(optimizer.gradients).toBe("undecided");
      const again = make().restore(optimizer.save());
      for (const each of [optimizer, again]) {
        each.minimize(source, { steps: 1 });
        expect(each.gradients).toBe(kind);
      }
      // Then it is known.
      optimizer.setParams([-40, 7, 0.5]);
      optimizer.minimize(source, { steps: 3 });
      expect(optimizer.gradients).toBe(kind);
    });

    test("a second step that is taken back, in a run that was not told of its source", () => {
      const optimizer = make();
      const seen: string[] = [];
      optimizer.minimize(bowl, {
        steps: 4,
        guard: { policy: "reject", violates: () => optimizer.iterations === 2 && seen.push("") < 3 },
      });
      expect(seen).toHaveLength(3);
      expect(optimizer.gradients).toBe("exact");
    });
  });
});
