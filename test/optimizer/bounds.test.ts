/** What comes from outside has bounds, and messages stay short, whatever came. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer, minibatches, scheduleFree, sgd, superlevel } from "../../src/index.js";
import type { Base, Monitor } from "../../src/index.js";
import { errorOf } from "../support/errors.js";
import { descriptionOf, redescribed, sealed } from "../support/state.js";

const long = "x".repeat(1e6);
const deep = () => {
  let value: unknown[] = [];
  for (let k = 0; k < 1e5; k++) value = [value];
  return value;
};

/** What is shown of these has to be short, and may not fail. */
const shown: [what: string, value: unknown][] = [
  ["a long text", long],
  ["an array of it", [long]],
  ["a deep array", deep()],
  ["a long array", new Float32Array(1e6)],
  ["an object that calls itself so", { toString: () => long }],
  ["an object without a prototype", Object.create(null)],
  ["a symbol", Symbol(long)],
  ["a large bigint", 10n ** 5000n],
  ["a view with a class of its own", Object.assign(new Float32Array(2), { constructor: { name: long } })],
  ["a view without a class", Object.setPrototypeOf(new Float32Array(2), null)],
];

describe.each(shown)("%s", (_what, value) => {
  const calls: [string, () => unknown][] = [
    [
      "base.learningRate: expected",
      () => createOptimizer(2, { base: sgd({ learningRate: () => value as number }) }).step([1, 1]),
    ],
    ["superlevel.spread: expected", () => superlevel({ spread: value as number })],
    ["engine: expected", () => createOptimizer(2, { engine: value as never })],
    ["run.monitors", () => createOptimizer(2).minimize(() => 1, { steps: 1, monitors: [value as Monitor] })],
  ];
  test.each(calls)("%s", (begin, call) => {
    const { message } = errorOf(call);
    expect(message.startsWith(begin)).toBe(true);
    expect(message.length).toBeLessThan(300);
  });
});

describe("too many", () => {
  test("monitors, also where there are none in an array", () => {
    const run = (monitors: Monitor[]) => createOptimizer(2).minimize(() => 1, { steps: 1, monitors });
    const holes: Monitor[] = [];
    holes.length = 4e9;
    expect(() => run(holes)).toThrow("run.monitors: expected at most 1000, got 4000000000");
    holes.length = 3;
    expect(() => run(holes)).toThrow("run.monitors[0]: expected a function");
  });

  test("examples", () => {
    expect(() => minibatches({ examples: 1e300, batchSize: 1 }, () => 1)).toThrow(
      "minibatches.examples: expected a finite whole number >= 1 and <= 134217728",
    );
  });

  test("bases in each other", () => {
    let base: unknown = scheduleFree(adam());
    for (let k = 0; k < 1e5; k++) base = { ...scheduleFree(adam()), base };
    expect(() => createOptimizer(2, { base: base as Base })).toThrow(
      "scheduleFree(base).name: expected one of",
    );
    const text = { ...scheduleFree(adam()), base: long as never };
    expect(() => createOptimizer(2, { base: text })).toThrow("scheduleFree(base): expected a base such as");
  });
});

describe("a state with a checksum that fits", () => {
  const state = createOptimizer([1, 2, 3]).save();
  const description = descriptionOf(state) as { clock: object };
  const spoilt = (changes: object) => redescribed(state, { ...description, ...changes });
  const restore = (changes: object) => errorOf(() => createOptimizer(3).restore(spoilt(changes)));

  test("that claims a billion tensors", () => {
    for (const tensors of [{ length: 1e9 }, { length: 1 }, "frozen", [], [null], [[]]])
      expect(restore({ tensors }).message).toBe("state: it is damaged (tensors)");
  });

  test.each(["iterations", "skipped", "rateFactor", "age", "watch"])(
    "whose %s is nested so deep that a stack ends",
    (name) => {
      for (const value of [[[[]]], { length: 1e9 }, "9", true]) {
        const clock = { ...description.clock, [name]: value };
        expect(restore({ clock }).message).toBe("state: it is damaged (clock)");
      }
      // JSON.stringify would not write it.
      const place = `"${name}":"here"`;
      const text = JSON.stringify({ ...description, clock: { ...description.clock, [name]: "here" } });
      expect(text).toContain(place);
      const nested = text.replace(place, `"${name}":${"[".repeat(3e4)}${"]".repeat(3e4)}`);
      expect(errorOf(() => createOptimizer(3).restore(described(state, nested))).message).toMatch(
        /^state: it is damaged/,
      );
    },
  );

  test("whose guard's factor is above 1", () => {
    const clock = { ...description.clock, rateFactor: 2 };
    expect(restore({ clock }).message).toBe("state: it is damaged (clock)");
  });
});

/** The state with another text for a description. */
function described(state: Uint8Array, text: string): Uint8Array {
  const begin = 16 + new DataView(state.buffer).getUint32(12, true);
  const length = 8 * Math.ceil(text.length / 8);
  const bytes = new Uint8Array(16 + length + state.length - begin).fill(32, 16, 16 + length);
  bytes.set(state.subarray(0, 16));
  bytes.set(new TextEncoder().encode(text), 16);
  bytes.set(state.subarray(begin), 16 + length);
  new DataView(bytes.buffer).setUint32(12, length, true);
  return sealed(bytes);
}
