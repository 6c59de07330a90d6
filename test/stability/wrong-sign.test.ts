/** Gradients of some layers with the wrong sign, told from what V does. */
import { describe, expect, test } from "vitest";

import { BlockAccounts, turnedLayers, type Account } from "../../src/stability/monitor/sign-test.js";

const layers = ["w1", "b1", "w2", "b2"].map((name) => ({ name }));
/** A step in which w2 lowers V by what it says, or raises it. */
const step = (size: number, turned: boolean, k = 0): Account => {
  const parts = [-size, -0.1 * size, (1 + 0.2 * Math.sin(k)) * -size, -0.1 * size];
  const change = parts.reduce((sum, part, l) => sum + (turned && l === 2 ? -part : part), 0);
  return { change: change + 0.01 * size * Math.cos(7 * k), parts, noise: 0 };
};
const many = (turned: boolean) => Array.from({ length: 20 }, (_, k) => step(0.1, turned, k));

describe("steps that fit better with the sign of some layers turned", () => {
  test("name these, and none where all is right", () => {
    expect(turnedLayers(many(true), layers, false)).toMatchObject({ layers: ["w2"], all: false });
    expect(turnedLayers(many(false), layers, false)).toBeUndefined();
  });

  test("count alike, however long one of them was", () => {
    const leap: Account = { change: 500, parts: [-1, -1, -900, -1], noise: 0 };
    expect(turnedLayers([...many(true), leap], layers, false)!.layers).toEqual(["w2"]);
  });

  test("have to be many, and more than chance", () => {
    const few = [...many(false), step(0.1, true), step(0.1, true)];
    expect(turnedLayers(few, layers, false)).toBeUndefined();
    const noisy = many(true).map((account) => ({ ...account, noise: 1 }));
    expect(turnedLayers(noisy, layers, false)).toBeUndefined();
  });

  test("with minibatches only where V does not fall as it was to", () => {
    expect(turnedLayers(many(true), layers, true)!.layers).toEqual(["w2"]);
    // V falls though it was to rise: g'·d is too large.
    const falls = many(true).map(({ change, parts, noise }) => ({
      change: -change,
      parts: parts.map((part) => -part),
      noise,
    }));
    expect(turnedLayers(falls, layers, true)).toBeUndefined();
  });
});

describe("a layer whose steps are to lower V, and V does not fall", () => {
  const vain = (loss: (k: number) => number, part: (k: number) => number) => {
    const blocks = new BlockAccounts();
    for (let k = 0; k < 200; k++) {
      blocks.addLoss(loss(k));
      blocks.addParts([0.02, part(k), 0, 0]);
    }
    return blocks.vainLayer(layers, 0);
  };
  const steadily = () => -0.02;

  test("is named, with what it promised", () => {
    const found = vain(() => 2, steadily)!;
    expect(found.layers).toEqual(["b1"]);
    expect(found.vain!.promised).toBeCloseTo(2, 6);
    expect(found.vain!.fell).toBeCloseTo(0, 6);
  });

  test("is none where V falls, where little was promised, or by chance", () => {
    expect(vain((k) => 2 * Math.exp(-k / 100), steadily)).toBeUndefined();
    expect(vain(() => 2, () => -0.001)).toBeUndefined(); // prettier-ignore
    expect(vain(() => 2, (k) => (k === 100 ? -4 : 0))).toBeUndefined(); // prettier-ignore
  });
});
