/** Arguments: a wrong kind is a TypeError, a wrong value a RangeError; both begin with the argument's name. */
import { describe, expect, test } from "vitest";
import * as api from "../../src/index.js";
import { OPTIONS } from "../../src/stepper/config.js";
import { rows } from "../support/bases.js";
import { errorOf, mustThrow } from "../support/errors.js";

const { createOptimizer, minibatches } = api;
const make = (options: object) => createOptimizer(2, options);
const spec = (options: object) => createOptimizer([{ shape: [2], ...options }]);
const run = (options: object) => createOptimizer(1).minimize(() => 0, { until: () => true, ...options });

/** Calls with the value to check in place of an option; typed so that a wrong one can be passed. */
type Call = (value: never) => unknown;

const baseRows = Object.entries(rows);

/** Every option of a base, but the switches. */
const baseNumbers = baseRows.flatMap(([name, { factory, options }]): [string, Call, string][] => [
  [`${name}.learningRate`, (learningRate: number) => make({ base: factory({ learningRate }) }), ">= 0"],
  ...Object.entries(options)
    .filter(([, allowed]) => allowed !== "switch")
    .map(([option, allowed]): [string, Call, string] => [
      `${name}.${option}`,
      (value: number) => factory({ [option]: value }),
      allowed,
    ]),
]);

const baseSwitches = baseRows.flatMap(([name, { factory, options }]) =>
  Object.keys(options)
    .filter((option) => options[option] === "switch")
    // What Nesterov's momentum needs.
    .map((option): [string, Call] => [
      `${name}.${option}`,
      (value) => factory({ ...(name === "sgd" && { momentum: 0.9 }), [option]: value }),
    ]),
);

const tunerNumbers = ["superlevel", "mechanic", "mechanize", "equations", "algorithm1"].flatMap(
  (name): [string, Call, string][] => {
    const factory = api[name as "superlevel"];
    const three = name === "algorithm1" ? [0.5, 0.5] : [];
    return [
      [`${name}.betas[0]`, (v: number) => factory({ betas: [v, ...three] }), ">= 0 and < 1"],
      [`${name}.sInit`, (v: number) => factory({ sInit: v }), "> 0"],
      [`${name}.lambda`, (v: number) => factory({ lambda: v }), ">= 0"],
      [`${name}.eps`, (v: number) => factory({ eps: v }), "> 0"],
      [`${name}.anchor.every`, (v: number) => factory({ anchor: { every: v } }), "whole >= 1"],
      [`${name}.anchor.first`, (v: number) => factory({ anchor: { first: v } }), "whole >= 1"],
      [`${name}.anchor.growth`, (v: number) => factory({ anchor: { growth: v } }), "> 1"],
      [`${name}.anchor.carry`, (v: number) => factory({ anchor: { carry: v } }), "> 0 and <= 1"],
      [`${name}.anchor.carry`, (v: number) => factory({ anchor: { every: 9, carry: v } }), "> 0 and <= 1"],
    ];
  },
);

const { cyclical, cosineDecay, cosineRestarts, exponentialDecay, inverseTimeDecay } = api;
const always = api.constant(1);

/** Every number that the package takes: its name in messages, how to pass it, and what it may be. */
const numbers: [name: string, call: Call, allowed: string][] = [
  ...baseNumbers,
  ...tunerNumbers,
  ["mechanize.numBetas", (numBetas: number) => api.mechanize({ numBetas }), "whole >= 1 and <= 16"],
  ["superlevel.spread", (spread) => api.superlevel({ granularity: "parameter", spread }), "> 1 or null"],
  ["constant(value)", api.constant, ">= 0"],
  ["windowDecay(initial)", api.windowDecay, ">= 0"],
  ["exponentialDecay.initial", (initial: number) => exponentialDecay({ initial, rate: 1 }), ">= 0"],
  ["exponentialDecay.rate", (rate: number) => exponentialDecay({ initial: 1, rate }), ">= 0"],
  ["inverseTimeDecay.initial", (initial: number) => inverseTimeDecay({ initial, rate: 1 }), ">= 0"],
  ["inverseTimeDecay.rate", (rate: number) => inverseTimeDecay({ initial: 1, rate }), ">= 0"],
  ["cosineDecay.initial", (initial: number) => cosineDecay({ initial, steps: 9 }), ">= 0"],
  ["cosineDecay.steps", (steps: number) => cosineDecay({ initial: 1, steps }), ">= 1"],
  ["cosineDecay.final", (final: number) => cosineDecay({ initial: 1, steps: 9, final }), ">= 0"],
  ["cosineRestarts.max", (max: number) => cosineRestarts({ max, period: 9 }), ">= 0"],
  ["cosineRestarts.min", (min: number) => cosineRestarts({ max: 9, period: 9, min }), ">= 0"],
  ["cosineRestarts.period", (period: number) => cosineRestarts({ max: 1, period }), ">= 1"],
  ["cosineRestarts.factor", (factor: number) => cosineRestarts({ max: 1, period: 9, factor }), ">= 1"],
  ["cyclical.min", (min: number) => cyclical({ min, max: 9, halfPeriod: 9 }), ">= 0"],
  ["cyclical.max", (max: number) => cyclical({ min: 0.5, max, halfPeriod: 9 }), ">= 0.5"],
  ["cyclical.halfPeriod", (halfPeriod: number) => cyclical({ min: 0, max: 1, halfPeriod }), ">= 1"],
  ["cyclical.gamma", (gamma: number) => cyclical({ min: 0, max: 1, halfPeriod: 9, gamma }), "> 0 and <= 1"],
  ["warmup(steps)", (steps: number) => api.warmup(always, steps), ">= 1"],
  ["perEpoch(stepsPerEpoch)", (steps: number) => api.perEpoch(always, steps), ">= 1"],
  ["params[0].learningRate", (learningRate: number) => spec({ learningRate }), ">= 0"],
  ["params[0].weightDecay", (weightDecay: number) => spec({ weightDecay }), ">= 0"],
  ["params[0].shape[1]", (extent: number) => spec({ shape: [1, extent] }), "whole >= 1"],
  ["clip.norm", (norm: number) => make({ clip: { norm } }), "> 0"],
  ["clip.value", (value: number) => make({ clip: { value } }), "> 0"],
  ["run.steps", (steps: number) => run({ steps }), "whole >= 1"],
  ["run.gradientTolerance", (gradientTolerance: number) => run({ gradientTolerance }), ">= 0"],
  ["run.lossTolerance", (lossTolerance: number) => run({ lossTolerance }), ">= 0"],
  ["accumulate(count)", (count: number) => api.accumulate(() => 0, count), "whole >= 1"],
  [
    "minibatches.examples",
    (n: number) => minibatches({ examples: n, batchSize: 1 }, () => 0),
    "whole >= 1 and <= 134217728",
  ],
  [
    "minibatches.batchSize",
    (n: number) => minibatches({ examples: 9, batchSize: n }, () => 0),
    "whole >= 1 and <= 9",
  ],
  [
    "minibatches.seed",
    (seed: number) => minibatches({ examples: 9, batchSize: 1, seed }, () => 0),
    "whole >= 0",
  ],
];

/** Values just inside and just outside of what is allowed. */
function edges(allowed: string): { good: number[]; bad: number[] } {
  const whole = allowed.startsWith("whole");
  const apart = whole ? 1 : 1e-6;
  const good: number[] = [];
  const bad = [NaN, Infinity, -Infinity, ...(whole ? [1.5] : [])];
  for (const [, relation, bound] of allowed.matchAll(/([<>]=?) (\S+)/g)) {
    const out = relation.startsWith(">") ? -apart : apart;
    const included = relation.endsWith("=");
    good.push(Number(bound) - (included ? 0 : out));
    bad.push(Number(bound) + (included ? out : 0));
  }
  return { good, bad };
}

/** Every value of a wrong kind, and how a message shows it. */
const kinds: [value: unknown, shown: string][] = [
  [null, "null"],
  ["0.5", '"0.5"'],
  [true, "true"],
  [1n, "1n"],
  [{}, "an object"],
  [[0.5], "an array of 1"],
  [() => 1, "a function"],
  [new Float32Array(1), "Float32Array"],
];

describe("numbers", () => {
  test.each(numbers)("%s", (name, call, allowed) => {
    const { good, bad } = edges(allowed);
    const bounds = allowed.replaceAll(/^whole | or null$/g, "");
    for (const value of good) call(value as never);
    for (const value of bad) {
      const kind = allowed.startsWith("whole") ? "whole number" : "number";
      mustThrow(
        () => call(value as never),
        RangeError,
        `${name}: expected a finite ${kind} ${bounds}, got ${value}`,
      );
    }
    for (const [value, shown] of kinds) {
      if (value === null && allowed.endsWith(" or null")) continue;
      // A schedule may stand for a rate.
      if (typeof value === "function" && name.endsWith(".learningRate") && !name.startsWith("params"))
        continue;
      mustThrow(() => call(value as never), TypeError, `${name}: expected a number, got ${shown}`);
    }
  });
});

const booleans: [string, Call][] = [
  ...baseSwitches,
  ["normAdaptive", (normAdaptive) => make({ normAdaptive })],
  ["params[1].frozen", (frozen) => createOptimizer([{ shape: [2] }, { shape: [2], frozen }])],
  ["minibatches.shuffle", (shuffle) => minibatches({ examples: 2, batchSize: 1, shuffle }, () => 0)],
];

const words: [string, Call, string][] = [
  ["nonFinite", (nonFinite) => make({ nonFinite }), '"throw", "skip"'],
  ["engine", (engine) => make({ engine }), '"auto", "wasm"'],
  ["gradients", (gradients) => make({ gradients }), '"auto", "exact", "noisy"'],
  [
    "base.name",
    (name) => make({ base: { name } }),
    Object.keys(rows)
      .sort()
      .map((name) => `"${name}"`)
      .join(", "),
  ],
  ["tuner.form", (form) => make({ tuner: { form } }), '"superlevel", "mechanic", "mechanize"'],
  ["superlevel.delta", (delta) => api.superlevel({ delta }), '"stored", "reconstructed"'],
  ["mechanic.delta", (delta) => api.mechanic({ delta }), '"reconstructed", "stored"'],
  ["mechanize.delta", (delta) => api.mechanize({ delta }), '"reconstructed", "stored"'],
  ["equations.delta", (delta) => api.equations({ delta }), '"stored", "additive"'],
  ["algorithm1.delta", (delta) => api.algorithm1({ delta }), '"additive", "stored"'],
  ["superlevel.granularity", (granularity) => api.superlevel({ granularity }), '"global"'],
  [
    "cyclical.mode",
    (mode) => cyclical({ min: 0, max: 1, halfPeriod: 1, mode }),
    '"triangular", "triangular2"',
  ],
  [
    "finiteDifferences.scheme",
    (scheme) => api.finiteDifferences(() => 0, { scheme }),
    '"central", "forward"',
  ],
];

const functions: [string, Call][] = [
  ["source", (source) => createOptimizer(1).minimize(source, { steps: 1 })],
  ["run.until", (until) => run({ until })],
  ["warmup(schedule)", (schedule) => api.warmup(schedule, 2)],
  ["perEpoch(schedule)", (schedule) => api.perEpoch(schedule, 2)],
  ["accumulate(source)", (source) => api.accumulate(source, 2)],
  ["finiteDifferences(loss)", (loss) => api.finiteDifferences(loss)],
  ["minibatches(gradient)", (gradient) => minibatches({ examples: 2, batchSize: 1 }, gradient)],
];

test("every option has a row of what it refuses, in `numbers`, `booleans`, `words` or `functions` above", () => {
  const checked = [...numbers, ...booleans, ...words, ...functions].map(([name]) => name.split(".")[0]);
  expect(OPTIONS.filter((option) => !checked.includes(option))).toEqual([]);
});

describe("other kinds of options", () => {
  test.each(booleans)("%s", (name, call) => {
    for (const value of [true, false]) call(value as never);
    for (const [value, shown] of kinds) {
      if (value !== true)
        mustThrow(() => call(value as never), TypeError, `${name}: expected true or false, got ${shown}`);
    }
  });

  test.each(words)("%s", (name, call, known) => {
    const error = errorOf(() => call("nothing" as never));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(`${name}: expected one of ${known}`);
    expect(error.message).toMatch(/, got "nothing"$/);
    for (const [value, shown] of kinds) {
      if (typeof value !== "string" && value !== null) {
        mustThrow(() => call(value as never), TypeError, `${name}: expected a string, got ${shown}`);
      }
    }
  });

  test.each(functions)("%s", (name, call) => {
    for (const [value, shown] of kinds) {
      if (typeof value !== "function")
        mustThrow(() => call(value as never), TypeError, `${name}: expected a function, got ${shown}`);
    }
  });

  const objects: [string, Call, allowsNull?: boolean][] = [
    ...baseRows.map(([name, { factory }]): [string, Call] => [name, factory]),
    ...["superlevel", "mechanic", "mechanize", "equations", "algorithm1"].map((name): [string, Call] => [
      name,
      (value: object) => api[name as "superlevel"](value),
    ]),
    ["superlevel.anchor", (anchor) => api.superlevel({ anchor }), true],
    ["options", (options) => createOptimizer(1, options)],
    ["clip", (clip) => make({ clip })],
    ["run", (options) => createOptimizer(1).minimize(() => 0, options)],
    ["exponentialDecay", exponentialDecay],
    ["inverseTimeDecay", inverseTimeDecay],
    ["cosineDecay", cosineDecay],
    ["cosineRestarts", cosineRestarts],
    ["cyclical", cyclical],
    ["finiteDifferences", (options) => api.finiteDifferences(() => 0, options)],
    ["minibatches", (options) => minibatches(options, () => 0)],
  ];

  test.each(objects)("%s", (name, call, allowsNull = false) => {
    for (const [value, shown] of kinds) {
      if ((value === null && allowsNull) || (typeof value === "object" && !Array.isArray(value) && value))
        continue;
      const example = name === "run" ? " such as { steps: 100 }" : "";
      mustThrow(() => call(value as never), TypeError, `${name}: expected an object${example}, got ${shown}`);
    }
    const misspelt = errorOf(() => call({ learnigRate: 1 } as never));
    expect(misspelt).toBeInstanceOf(TypeError);
    expect(misspelt.message).toMatch(`${name}: unknown option "learnigRate"; known are `);
  });

  test("options that do not go together", () => {
    for (const [name, { factory, conflicts = [] }] of baseRows) {
      for (const [options, message] of conflicts) {
        const error = errorOf(() => factory(options));
        expect(error).toBeInstanceOf(RangeError);
        expect(error.message).toContain(message);
        expect(error.message.startsWith(`${name}.`)).toBe(true);
      }
    }
    for (const call of [
      () => cyclical({ min: 2, max: 1, halfPeriod: 1 }),
      () => minibatches({ examples: 3, batchSize: 4 }, () => 0),
      () => api.superlevel({ spread: 2 }),
      () => api.mechanic({ granularity: "parameter", spread: 2 }),
      () => api.mechanize({ granularity: "parameter" }),
      () => api.algorithm1({ betas: [0.9, 0.99] }),
      () => api.superlevel({ betas: [] }),
      () => api.superlevel({ delta: "additive" }),
    ]) {
      const error = errorOf(call);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(
        /^(cyclical|minibatches|superlevel|mechanic|mechanize|algorithm1)\.\w+: expected .+/,
      );
    }
  });
});
