/** What people get wrong on the first day: every message says what to do instead. */
import { describe, test } from "vitest";

import { minimize } from "../../src/adapters/minimize/index.js";
import { adam, createOptimizer, OptimizerError, superlevel } from "../../src/index.js";
import { OPTIONS } from "../../src/stepper/config.js";
import { mustThrow } from "../support/errors.js";

type Loose = (...args: unknown[]) => unknown;
const create = createOptimizer as unknown as Loose;
const known = `known are ${OPTIONS.join(", ")}`;
const params =
  'params: expected a count of parameters, an array of start values, or an array of tensors such as [{ name: "w", shape: [2, 3] }]';
const perTensor = "write { shape: [2], values } for each tensor, or a flat array of numbers for one";
const alone = "optimizer: a method was called without it; call optimizer.method(), or bind the method to it";
const tensors = [
  { name: "w", shape: [2, 2] },
  { name: "b", shape: [2] },
];

const mistakes: [what: string, run: () => unknown, Class: new (message: string) => Error, message: string][] =
  [
    [
      "a learning rate",
      () => create(2, { learningRate: 0.1 }),
      TypeError,
      `options: unknown option "learningRate"; ${known}; none is needed: base: adam({ learningRate: 0.5 }) would halve what is found`,
    ],
    [
      "a learning rate, in short",
      () => create(2, { lr: 0.1 }),
      TypeError,
      `options: unknown option "lr"; ${known}; none is needed: base: adam({ learningRate: 0.5 }) would halve what is found`,
    ],
    [
      "a base's option",
      () => create(2, { eps: 1e-8 }),
      TypeError,
      `options: unknown option "eps"; ${known}; write base: adam({ eps })`,
    ],
    [
      "momentum",
      () => create(2, { momentum: 0.9 }),
      TypeError,
      `options: unknown option "momentum"; ${known}; write base: sgd({ momentum })`,
    ],
    [
      "a tuner's option",
      () => create(2, { sInit: 1 }),
      TypeError,
      `options: unknown option "sInit"; ${known}; write tuner: superlevel({ sInit })`,
    ],
    [
      "a base in place of options",
      () => create(2, adam()),
      TypeError,
      `options: unknown option "beta1"; ${known}; write base: adam({ beta1 })`,
    ],
    [
      "a base that was not called",
      () => create(2, { base: adam }),
      TypeError,
      "base: expected a base such as adam(), got a function: call it",
    ],
    [
      "a tuner that was not called",
      () => create(2, { tuner: superlevel }),
      TypeError,
      "tuner: expected a tuner such as superlevel(), or null, got a function: call it",
    ],
    [
      "a list of arrays",
      () => create([new Float32Array(2)]),
      TypeError,
      `params[0]: expected an object, got Float32Array; ${perTensor}`,
    ],
    [
      "nested arrays",
      () => create([[1, 2]]),
      TypeError,
      `params[0]: expected an object, got an array of 2; ${perTensor}`,
    ],
    ["an object of arrays", () => create({ w: [1, 2] }), TypeError, `${params}, got an object`],
    ["nothing", () => create(), TypeError, `${params}, got undefined`],
    [
      "a method without its optimizer",
      () => {
        // eslint-disable-next-line @typescript-eslint/unbound-method -- that is the mistake
        const { step } = createOptimizer(2);
        return step([1, 1]);
      },
      TypeError,
      alone,
    ],
    [
      "a getter's method without its optimizer",
      () => {
        // eslint-disable-next-line @typescript-eslint/unbound-method -- that is the mistake
        const { save } = createOptimizer(2);
        return save();
      },
      TypeError,
      alone,
    ],
    [
      "a gradient for each tensor",
      () =>
        (createOptimizer(tensors).step as unknown as Loose).call(createOptimizer(tensors), [
          [1, 1, 1, 1],
          [1, 1],
        ]),
      RangeError,
      "grads: expected 6 numbers, got 2 arrays: they have to be one flat array",
    ],
    [
      "NaN in a tensor that has a name",
      () => createOptimizer(tensors).step([1, 1, 1, 1, 1, NaN]),
      OptimizerError as never,
      'step 1: grads[5], at 1 in "b", is NaN',
    ],
    [
      "NaN where there is one tensor",
      () => createOptimizer(2).step([1, Infinity]),
      OptimizerError as never,
      "step 1: grads[1] is Infinity",
    ],
    [
      "a state as text",
      () => createOptimizer(2).restore("A".repeat(3e6) as never),
      TypeError,
      `state: expected a Uint8Array, got "${"A".repeat(80)}"… (3000000 characters); text such as base64 has to be decoded first`,
    ],
    [
      "a number of steps",
      () => createOptimizer(2).minimize(() => 0, 100 as never),
      TypeError,
      "run: expected an object such as { steps: 100 }, got 100",
    ],
    [
      "a source that is async",
      () => createOptimizer(2).minimize((() => Promise.resolve(1)) as never, { steps: 1 }),
      TypeError,
      "source: expected it to return the loss, a number, got a promise; minimizeAsync takes sources that return promises",
    ],
    [
      "a function that is async, for superlevel/minimize",
      () => minimize((() => Promise.resolve(1)) as never, [1]),
      TypeError,
      "fun: expected it to return the loss, a number, got a promise; it has to be there at once: createOptimizer(…).minimizeAsync waits for promises",
    ],
  ];

describe("a first mistake is answered with what to do", () => {
  test.each(mistakes)("%s", (_what, run, Class, message) => mustThrow(run, Class, message));
});
