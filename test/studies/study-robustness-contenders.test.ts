/** The optimizers that exist in the benchmark only, against steps worked out by hand. */
import { describe, expect, it } from "vitest";
import { contenders } from "../../studies/robustness/contenders.js";
import { dAdaptation } from "../../studies/robustness/d-adaptation.js";
import type { Descent } from "../../studies/robustness/descent.js";
import { dog } from "../../studies/robustness/dog.js";
import { prodigy, prodigyScheduleFree } from "../../studies/robustness/prodigy.js";
import { scheduleFree } from "../../studies/robustness/schedule-free.js";

/** One step against this gradient. */
function move({ grads, step }: Descent, ...gradient: number[]): void {
  grads.set(gradient);
  step(1);
}

/** Equal to five digits. */
const near = (value: number, expected: number) => expect(value / expected).toBeCloseTo(1, 5);

describe("prodigy", () => {
  it("makes its first two steps as worked out by hand", () => {
    const descent = prodigy(() => 1)(Float32Array.of(0), 2);
    move(descent, 2);
    // d = 1e-6: mu = 2e-7, √nu = √(0.001 · 4) 1e-6; x = −1e-6 · 2e-7 / (√nu + 1e-14).
    const first = -2e-7 / (Math.sqrt(0.004) + 1e-8);
    near(descent.params[0], first);
    move(descent, 3);
    // ⟨g, x0 − x⟩ = −3 x; s = (2 √0.999 + 3) 1e-6, both over d0: d = 1e-6 · 3 |x| / s.
    const distance = (3 * -first * 1e-6) / ((2 * Math.sqrt(0.999) + 3) * 1e-6);
    expect(distance).toBeGreaterThan(1e-6);
    const mu = 0.9 * 2e-7 + 0.1 * 3e-6;
    const root = Math.sqrt(0.999 * 0.004e-12 + 0.001 * 9e-12);
    near(descent.params[0], first - (1e-6 * mu) / (root + distance * 1e-8));
  });

  it("takes its rate from the decay, and Adam's correction where it is asked for", () => {
    const decayed = prodigy((step, steps) => step / steps)(Float32Array.of(0), 4);
    move(decayed, 2);
    near(decayed.params[0], (-2e-7 / Math.sqrt(0.004)) * 0.25);
    const corrected = prodigy(() => 1, true)(Float32Array.of(0), 4);
    move(corrected, 2);
    near(corrected.params[0], -1e-6);
  });
});

describe("schedule-free AdamW", () => {
  it("makes its first two steps as worked out by hand", () => {
    const descent = scheduleFree(0.5)(Float32Array.of(1));
    move(descent, 4);
    // γ_1 g / √nu = 0.5 √0.001 · 4 / (√0.001 · 4) = 0.5, and c = 1.
    near(descent.params[0], 0.5);
    near(descent.result!()[0], 0.5);
    descent.step(1);
    // The same again: z = 0; c = 0.001999 / (0.001 + 0.001999), x = 0.5 (1 − c), y = 0.9 x + 0.1 z.
    const x = 0.5 * (1 - 1.999 / 2.999);
    near(descent.result!()[0], x);
    near(descent.params[0], 0.9 * x);
  });
});

describe("prodigy over schedule-free", () => {
  it("makes its first two steps as worked out by hand", () => {
    const descent = prodigyScheduleFree(Float32Array.of(0), 2);
    move(descent, 2);
    // γ d² g / √nu = √0.001 · 1e-12 · 2 / (√0.001 · 2e-6) = 1e-6, and c = 1.
    near(descent.params[0], -1e-6);
    near(descent.result!()[0], -1e-6);
    move(descent, 3);
    const rates = [Math.sqrt(0.001), Math.sqrt(1 - 0.999 ** 2)];
    const s = Math.sqrt(0.999) * rates[0] * 2 + rates[1] * 3;
    const distance = Math.max(1e-6, (rates[1] * 3 * 1e-6) / s);
    const nu = 0.999 * 0.004 + 0.001 * 9;
    const z = -1e-6 - (rates[1] * 3e-6) / (Math.sqrt(nu) + 1e-8 * (distance / 1e-6));
    const [before, now] = [(rates[0] * 1e-6) ** 2, (rates[1] * distance) ** 2];
    const x = -1e-6 + (now / (before + now)) * (z + 1e-6);
    near(descent.result!()[0], x);
    near(descent.params[0], 0.1 * z + 0.9 * x);
  });
});

describe("D-Adaptation", () => {
  it("makes its first three steps as worked out by hand", () => {
    const descent = dAdaptation(Float32Array.of(0));
    const beta = Math.sqrt(0.999);
    move(descent, 2);
    // mu = 0.1 · 1e-6 · 2, √nu = √0.004; the reward is 0, as s was.
    let [mu, nu, s, d, reward] = [2e-7, 0.004, (1 - beta) * 2e-6, 1e-6, 0];
    let x = -mu / Math.sqrt(nu);
    near(descent.params[0], x);
    for (const g of [3, 3]) {
      move(descent, g);
      reward = beta * reward + (1 - beta) * d * g * (s / Math.sqrt(nu));
      mu = 0.9 * mu + 0.1 * d * g;
      nu = 0.999 * nu + 0.001 * g * g;
      s = beta * s + (1 - beta) * d * g;
      x -= mu / Math.sqrt(nu);
      d = Math.max(d, reward / ((1 - beta) * s));
      near(descent.params[0], x);
    }
  });

  it("finds how far it is to a minimum", () => {
    const descent = dAdaptation(Float32Array.of(0));
    for (let t = 0; t < 1000; t++) move(descent, Math.sign(descent.params[0] - 3));
    expect(Math.abs(descent.params[0] - 3)).toBeLessThan(2);
  });
});

describe("DoG", () => {
  it("makes its first two steps as worked out by hand, and averages them", () => {
    const descent = dog(Float32Array.of(3, 4));
    move(descent, 0, 2);
    // r̄ = 1e-6 (1 + 5), over ‖g‖ = 2: a step of 6e-6. float32 holds 4 to 5e-7, so a longer way is looked at.
    expect(descent.params[1]).toBeCloseTo(4 - 6e-6, 6);
    const far = dog(Float32Array.of(0));
    move(far, 2);
    near(far.params[0], -1e-6);
    move(far, 1);
    const x = -1e-6 - 1e-6 / Math.sqrt(5);
    near(far.params[0], x);
    // The second weight is 9 / (2 + 8).
    near(far.result!()[0], -1e-6 + 0.9 * (x + 1e-6));
  });
});

describe("contenders of the package", () => {
  const all = contenders(false, "now");
  const find = (family: string, rate = 1) =>
    all.find((contender) => contender.family === family && contender.rate === rate)!;

  it("take plain rates, constant or falling to 0", () => {
    const constant = find("Adam", 0.1).create(Float32Array.of(0), 2);
    const falling = find("Adam, linear decay", 0.1).create(Float32Array.of(0), 2);
    for (let t = 0; t < 2; t++) [constant, falling].forEach((descent) => move(descent, 5));
    near(constant.params[0], -0.2);
    near(falling.params[0], -0.15);
    const decayed = find("AdamW", 0.1).create(Float32Array.of(1), 2);
    move(decayed, 5);
    near(decayed.params[0], 1 - 0.1 * 0.01 - 0.1);
  });

  it("pin version 0.1", () => {
    const descent = find("superlevel 0.1").create(Float32Array.of(0), 1);
    move(descent, 5);
    // S = s_init, and the rate has decayed for one step of 64.
    near(descent.params[0], -1e-6 * Math.exp(-1 / 64));
  });

  it("differ in family, rate or version, and say whether they know the length", () => {
    const names = all.map(({ family, rate }) => `${family} ${rate}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { family, knowsLength } of all) expect(knowsLength).toBe(family.includes("linear decay"));
    expect(find("superlevel").version).toBe("now");
    expect(find("superlevel, told its loss").version).toBe("now");
    expect(find("Prodigy").version).toBe("1");
  });

  it("learn a bowl, each of them but those whose rate is far off", () => {
    for (const { family, rate, create } of all.filter(({ rate }) => rate === 1 || rate === 0.1)) {
      const descent = create(Float32Array.of(1, -2), 300);
      for (let t = 0; t < 300; t++) move(descent, ...descent.params);
      const [x, y] = descent.result?.() ?? descent.params;
      expect(x * x + y * y, `${family} ${rate}`).toBeLessThan(3);
    }
  });
});
