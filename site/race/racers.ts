import {
  adam,
  algorithm1,
  createOptimizer,
  equations,
  exponentialDecay,
  sgd,
  type Optimizer,
  type Tuner,
} from "superlevel";

/** One of the optimizers of a race. */
export interface Racer {
  readonly id: string;
  readonly name: string;
  /** On the marker at its head. */
  readonly letter: string;
  readonly note: string;
  /** Dashes of its line, so that colour is not the only difference. */
  readonly dash: readonly number[];
  /** The rate before anyone moves the slider; none for superlevel. */
  readonly rate: number | undefined;
  create(start: ArrayLike<number>, rate: number): Optimizer;
}

/** The paper's own rate, α e^(−0.01 t) / (1 + ‖g‖), equations (34) and (14), with Adam as its BASE. */
function literal(start: ArrayLike<number>, rate: number, tuner: Tuner): Optimizer {
  const learningRate = exponentialDecay({ initial: rate, rate: 0.01 });
  return createOptimizer(start, { base: adam({ learningRate }), normAdaptive: true, tuner });
}

export const racers: readonly Racer[] = [
  {
    id: "superlevel",
    name: "superlevel",
    letter: "S",
    note: "as it comes: no rate to set",
    dash: [],
    rate: undefined,
    create: (start) => createOptimizer(start),
  },
  {
    id: "adam",
    name: "Adam",
    letter: "A",
    note: "divides each gradient by its usual size",
    dash: [9, 3],
    rate: 0.01,
    create: (start, learningRate) => createOptimizer(start, { base: adam({ learningRate }), tuner: null }),
  },
  {
    id: "sgd",
    name: "SGD",
    letter: "G",
    note: "plain descent: a step is the rate times the gradient",
    dash: [3, 3],
    rate: 0.001,
    create: (start, learningRate) => createOptimizer(start, { base: sgd({ learningRate }), tuner: null }),
  },
  {
    id: "momentum",
    name: "SGD with momentum",
    letter: "M",
    note: "each step keeps 0.9 of the last one",
    dash: [9, 3, 2, 3],
    rate: 0.001,
    create: (start, learningRate) =>
      createOptimizer(start, { base: sgd({ learningRate, momentum: 0.9 }), tuner: null }),
  },
  {
    id: "algorithm1",
    name: "Algorithm 1 as printed",
    letter: "P",
    note: "the paper's pseudocode, letter by letter",
    dash: [2, 2],
    rate: 1,
    create: (start, rate) => literal(start, rate, algorithm1()),
  },
  {
    id: "stored",
    name: "Algorithm 1, updates summed",
    letter: "Q",
    note: "the same, but with the sum of updates (Δ) kept, as the text means it",
    dash: [12, 3],
    rate: 1,
    create: (start, rate) => literal(start, rate, algorithm1({ delta: "stored" })),
  },
  {
    id: "equations",
    name: "Equations (24)–(33)",
    letter: "E",
    note: "the paper's equations, with the sum of updates kept",
    dash: [5, 2, 2, 2],
    rate: 1,
    create: (start, rate) => literal(start, rate, equations({ delta: "stored" })),
  },
];

/** Its colour in the style sheet. */
export const colourOf = ({ id }: Racer): string => `racer-${id}`;
