/**
 * `npm run bench:forms`: every form of the method on a handful of problems, with an equal number of gradients, and the
 * plain base optimizer at a few rates beside them. Prints the tables of docs/forms.md; the same numbers every time.
 */
import { parseArgs } from "node:util";
import {
  adam,
  algorithm1,
  cosineDecay,
  createOptimizer,
  equations,
  exponentialDecay,
  mechanic,
  mechanize,
  minibatches,
  OptimizerError,
  sgd,
  superlevel,
  windowDecay,
  type Base,
  type GradientSource,
  type LearningRate,
  type Tuner,
} from "superlevel";

const { values: options } = parseArgs({
  options: { steps: { type: "string", default: "2000" }, rows: { type: "string", default: "" } },
});
const steps = Number(options.steps);
/** Of "table: row". */
const rows = new RegExp(options.rows);

interface Problem {
  name: string;
  start: Float64Array;
  /** What a step sees. */
  source: GradientSource;
  /** What is reported, where it is not what a step sees. */
  loss?: (params: Float32Array) => number;
}

type Vector = Float32Array | Float64Array;

/** Numbers in (0, 1) from a seed: a linear congruential generator's high bits. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * ½ (x − c)ᵀ H (x − c) in 20 dimensions, with eigenvalues from 1 to `condition` in equal ratios. Three reflections turn
 * the axes, or Adam, which scales each coordinate by itself, would see a problem of condition 1.
 */
function quadratic(condition: number): Problem {
  const n = 20;
  const random = normal(1);
  const draw = () => Float64Array.from({ length: n }, random);
  const centre = draw();
  const mirrors = [draw(), draw(), draw()];
  const reflect = (x: Float64Array, mirror: Float64Array): void => {
    const factor = (2 * dot(x, mirror)) / dot(mirror, mirror);
    for (let i = 0; i < n; i++) x[i] -= factor * mirror[i];
  };
  const source: GradientSource = (params, grads) => {
    const x = Float64Array.from(params, (value, i) => value - centre[i]);
    for (const mirror of mirrors) reflect(x, mirror);
    const pull = x.map((value, i) => value * condition ** (i / (n - 1)));
    const loss = 0.5 * dot(x, pull);
    for (const mirror of [...mirrors].reverse()) reflect(pull, mirror);
    grads.set(pull);
    return loss;
  };
  return { name: `quadratic ${condition}`, start: draw(), source };
}

const rosenbrock: Problem = {
  name: "Rosenbrock",
  start: Float64Array.of(-1.2, 1),
  source([x, y], grads) {
    const valley = y - x * x;
    grads.set([-2 * (1 - x) - 400 * x * valley, 200 * valley]);
    return (1 - x) ** 2 + 100 * valley ** 2;
  },
};

const himmelblau: Problem = {
  name: "Himmelblau",
  start: Float64Array.of(-1, -1),
  source([x, y], grads) {
    const [a, b] = [x * x + y - 11, x + y * y - 7];
    grads.set([4 * x * a + 2 * b, 2 * a + 4 * y * b]);
    return a * a + b * b;
  },
};

/** Turns logits into P − 1{c = label} in place; returns −log P(label). */
function softmaxLoss(logits: Float64Array, label: number): number {
  const top = Math.max(...logits);
  const shifted = logits[label] - top;
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += logits[c] = Math.exp(logits[c] - top);
  for (let c = 0; c < logits.length; c++) logits[c] /= sum;
  logits[label] -= 1;
  return Math.log(sum) - shifted;
}

/** Three classes, ten features of scales 0.1 to 10, all 300 examples at every step. One label in ten is wrong. */
function softmaxRegression(): Problem {
  const [features, classes, examples] = [10, 3, 300];
  const random = normal(2);
  const data = Array.from({ length: examples }, (_, k) => {
    const label = k % classes;
    const x = Float64Array.from({ length: features }, (_, j) => {
      const scale = 10 ** (-1 + (2 * j) / (features - 1));
      return scale * (random() + (j % classes === label ? 1.5 : 0));
    });
    return { x, label: k % 10 === 0 ? (label + 1) % classes : label };
  });
  const logits = new Float64Array(classes);
  const source: GradientSource = (params, grads) => {
    grads.fill(0);
    let loss = 0;
    for (const { x, label } of data) {
      for (let c = 0; c < classes; c++) logits[c] = dot(x, params.subarray(c * features));
      loss += softmaxLoss(logits, label) / examples;
      for (let c = 0; c < classes; c++) {
        for (let j = 0; j < features; j++) grads[c * features + j] += (logits[c] * x[j]) / examples;
      }
    }
    return loss;
  };
  return {
    name: "softmax regression",
    start: Float64Array.from({ length: 30 }, () => 0.1 * random()),
    source,
  };
}

/** A 2-16-3 tanh network on three arms of a spiral, 30 of 300 examples a step. One label in ten is wrong. */
function spiral(): Problem {
  const [hidden, classes, examples] = [16, 3, 300];
  const random = normal(3);
  const data = Array.from({ length: examples }, (_, k) => {
    const radius = 0.1 + (0.9 * k) / examples;
    const angle = 5 * radius + (2 * Math.PI * (k % classes)) / classes + 0.2 * random();
    const label = k % 10 === 0 ? (k + 1) % classes : k % classes;
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), label };
  });
  const [inWeights, outWeights] = [3 * hidden, classes * (hidden + 1)];
  const units = new Float64Array(hidden + 1);
  const logits = new Float64Array(classes);

  /** Adds the gradient of one example, divided by `count`, and returns its loss, likewise. */
  function example(k: number, params: Float32Array, grads: Vector, count: number): number {
    const { x, y, label } = data[k];
    const out = (c: number) => inWeights + c * (hidden + 1);
    for (let i = 0; i < hidden; i++) {
      units[i] = Math.tanh(params[3 * i] * x + params[3 * i + 1] * y + params[3 * i + 2]);
    }
    units[hidden] = 1;
    for (let c = 0; c < classes; c++) logits[c] = dot(units, params.subarray(out(c)));
    const loss = softmaxLoss(logits, label) / count;
    for (let i = 0; i <= hidden; i++) {
      let back = 0;
      for (let c = 0; c < classes; c++) {
        grads[out(c) + i] += (logits[c] * units[i]) / count;
        back += logits[c] * params[out(c) + i];
      }
      if (i === hidden) break;
      back *= (1 - units[i] ** 2) / count;
      grads[3 * i] += back * x;
      grads[3 * i + 1] += back * y;
      grads[3 * i + 2] += back;
    }
    return loss;
  }

  const mean = (batch: Iterable<number>, count: number, params: Float32Array, grads: Vector): number => {
    grads.fill(0);
    let loss = 0;
    for (const k of batch) loss += example(k, params, grads, count);
    return loss;
  };
  const source = minibatches({ examples, batchSize: 30 }, (params, grads, batch) =>
    mean(batch, batch.length, params, grads),
  );
  const unused = new Float32Array(inWeights + outWeights);
  const loss = (params: Float32Array) => mean(data.keys(), examples, params, unused);
  const start = Float64Array.from({ length: inWeights + outWeights }, () => 0.5 * random());
  return { name: "spiral MLP", start, source, loss };
}

const problems = [
  quadratic(1),
  quadratic(100),
  quadratic(10_000),
  rosenbrock,
  himmelblau,
  softmaxRegression(),
  spiral(),
];

interface Contender {
  name: string;
  tuner: Tuner | null;
  /** Left out: what the form has of its own, which for `superlevel` depends on the gradients. */
  rate?: LearningRate;
  normAdaptive?: boolean;
  gradients?: "exact" | "noisy";
}

/** Without anchors windowDecay(1) is 1 at every step: each form gets the rate that needs no choice. */
const own = windowDecay(1);
/** The default of version 0.1. */
const first = superlevel({
  sInit: 1e-6,
  anchor: { first: 64, growth: 2, carry: 0.6 },
  growthLimit: null,
});
/** Algorithm 1, lines 2 and 3: α0 e^(−λt) / (1 + ‖g‖), with the paper's λ. */
const asPrinted = { rate: exponentialDecay({ initial: 1, rate: 0.01 }), normAdaptive: true };

/** To 0 at the run's end, which must be known for it. */
const decayed = (initial: number) => cosineDecay({ initial, steps });

const forms: Contender[] = [
  { name: "superlevel", tuner: superlevel() },
  { name: "superlevel, no anchors", tuner: superlevel({ anchor: null }) },
  { name: "superlevel, as exact", tuner: superlevel(), gradients: "exact" },
  { name: "superlevel, as noisy", tuner: superlevel(), gradients: "noisy" },
  { name: "superlevel of version 0.1", tuner: first, gradients: "exact" },
  { name: "mechanic", tuner: mechanic(), rate: own },
  { name: "mechanic, Δ stored", tuner: mechanic({ delta: "stored" }), rate: own },
  { name: "mechanic, cosine decay", tuner: mechanic(), rate: decayed(1) },
  { name: "mechanize", tuner: mechanize(), rate: own },
  { name: "equations, Δ stored", tuner: equations(), rate: own },
  { name: "equations, Δ stored, (34), (14)", tuner: equations(), ...asPrinted },
  { name: "equations, Δ additive", tuner: equations({ delta: "additive" }), rate: own },
  { name: "algorithm1, Δ stored", tuner: algorithm1({ delta: "stored" }), rate: own },
  { name: "algorithm1, Δ stored, (34), (14)", tuner: algorithm1({ delta: "stored" }), ...asPrinted },
  { name: "algorithm1, as printed", tuner: algorithm1(), ...asPrinted },
];

const plain = (name: string, rates: number[]): Contender[] => [
  ...rates.map((rate) => ({ name: `${name} alone, ${rate}`, tuner: null, rate })),
  { name: `${name} alone, ${rates[2]}, cosine decay`, tuner: null, rate: decayed(rates[2]) },
];

const tables: { title: string; base: (learningRate?: LearningRate) => Base; contenders: Contender[] }[] = [
  {
    title: "Adam",
    base: (learningRate) => adam({ learningRate }),
    contenders: [...forms, ...plain("Adam", [0.001, 0.01, 0.1, 1])],
  },
  {
    title: "SGD with momentum 0.9",
    base: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
    contenders: [...forms, ...plain("SGD", [0.0001, 0.001, 0.01, 0.1])],
  },
];

/** The final loss; a string where the run ended before. */
function train(problem: Problem, base: Base, { tuner, normAdaptive, gradients }: Contender): number | string {
  const optimizer = createOptimizer(problem.start, { base, tuner, normAdaptive, gradients });
  try {
    const { loss } = optimizer.minimize(problem.source, { steps });
    return problem.loss?.(optimizer.params) ?? loss;
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    return `${error.code} at ${error.step}`;
  } finally {
    optimizer.dispose();
  }
}

function cell(loss: number | string): string {
  if (typeof loss === "string") return loss;
  if (loss === 0) return "0";
  return loss >= 0.001 && loss < 999 ? loss.toPrecision(3) : loss.toExponential(1).replace("e+", "e");
}

const row = (cells: string[]) => `| ${cells.join(" | ")} |`;

console.log(`Final loss after ${steps} steps.`);
const startLosses = problems.map(({ source, start, loss }) => {
  const params = Float32Array.from(start);
  return loss?.(params) ?? source(params, new Float32Array(params.length), 1);
});
for (const { title, base, contenders: all } of tables) {
  const contenders = all.filter(({ name }) => rows.test(`${title}: ${name}`));
  if (contenders.length === 0) continue;
  console.log(`\n${row([title, ...problems.map(({ name }) => name)])}`);
  console.log(row(["---", ...problems.map(() => "---:")]));
  console.log(row(["start", ...startLosses.map(cell)]));
  for (const contender of contenders) {
    const losses = problems.map((problem) => train(problem, base(contender.rate), contender));
    console.log(row([contender.name, ...losses.map(cell)]));
  }
}
