/**
 * When class weights, robust weights and regularisation help on MNIST, and when they hurt: means over seeds, default
 * optimizer, a network 784-32-10 on 2 000 digits. `npm run study -- objective`; SUPERLEVEL_DATA names the data's folder.
 * `--quick` takes 10 steps with one seed, on drawn digits.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readMnist } from "../kit/digits/idx.js";
import { drawDigits, readImage, type Digits } from "../kit/digits/draw.js";
import { createOptimizer, minibatches } from "../../src/index.js";
import {
  classWeights,
  earlyLearning,
  focal,
  gce,
  none,
  softmaxCrossEntropy,
  trimmed,
  type Robust,
} from "../../src/objective/index.js";
import { seededRandom } from "../../src/sources/random.js";
import { normals } from "../../src/stability/vectors.js";
import { wholeNumber } from "../kit/command-line.js";
import { dataFolder } from "../kit/data-file.js";
import { createMlp } from "../kit/mlp.js";

const [INPUTS, HIDDEN, CLASSES] = [784, 32, 10];
const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, seeds: { type: "string" } },
});
const { quick } = values;
const EXAMPLES = quick ? 200 : 2000;
const BATCH = 32;
const STEPS = quick ? 10 : 1200;
const WARM_UP = STEPS / 10;
const SEEDS = Array.from({ length: wholeNumber("seeds", values.seeds, quick ? 1 : 5) }, (_, k) => k + 1);

interface Method {
  readonly weights?: (counts: number[]) => Float64Array;
  readonly robust?: () => Robust;
  readonly elr?: boolean;
  readonly l2?: number;
}

const METHODS: Record<string, Method> = {
  "cross-entropy": {},
  "class weights, inverse": { weights: (counts) => classWeights(counts) },
  "class weights, effective": { weights: (counts) => classWeights(counts, { scheme: "effective" }) },
  "GCE, q = 0.7": { robust: () => gce() },
  "trimmed, keep 0.7": { robust: () => trimmed({ keep: 0.7 }) },
  "ELR, λ = 3": { elr: true },
  "focal, γ = 2": { robust: () => focal() },
  "L2, λ = 0.01": { l2: 0.01 },
};

/** Numbers of examples: those of digit c thin out by 0.6^c where unbalanced. */
function draw(data: Digits, seed: number, unbalanced: boolean): number[] {
  const random = seededRandom(seed);
  const order = Array.from({ length: data.count }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const total = Array.from({ length: CLASSES }, (_, c) => 0.6 ** c).reduce((a, b) => a + b);
  const share = (c: number) => (unbalanced ? 0.6 ** c / total : 1 / CLASSES);
  const room = Array.from({ length: CLASSES }, (_, c) => Math.max(5, Math.round(EXAMPLES * share(c))));
  return order.filter((i) => room[data.labels[i]]-- > 0);
}

/** Of 784-32-10 with ReLU; each row of a batch has units of its own, so that all logits are known before the way back. */
const network = Array.from({ length: BATCH }, () => createMlp([INPUTS, HIDDEN, CLASSES], "relu"));

const image = new Float64Array(INPUTS);

function forward(params: Float32Array, digits: Digits, batch: ArrayLike<number>): Float64Array {
  const logits = new Float64Array(batch.length * CLASSES);
  for (let k = 0; k < batch.length; k++) {
    readImage(digits, batch[k], image);
    network[k].forward(params, image);
    logits.set(network[k].outputs, k * CLASSES);
  }
  return logits;
}

/** Writes the gradient for the batch that `forward` saw last. */
function backward(params: Float32Array, grads: Float32Array, delta: Float64Array): void {
  grads.fill(0);
  for (let k = 0; k * CLASSES < delta.length; k++) {
    network[k].delta.set(delta.subarray(k * CLASSES, (k + 1) * CLASSES));
    network[k].backward(params, grads, 1);
  }
}

/** Mean over the classes of the share classified right. */
function balancedAccuracy(params: Float32Array, test: Digits): number {
  const [right, all] = [new Float64Array(CLASSES), new Float64Array(CLASSES)];
  for (let i = 0; i < test.count; i++) {
    const logits = forward(params, test, [i]);
    all[test.labels[i]]++;
    if (logits.indexOf(Math.max(...logits)) === test.labels[i]) right[test.labels[i]]++;
  }
  return right.reduce((sum, value, c) => sum + value / all[c], 0) / CLASSES;
}

interface Setting {
  readonly unbalanced: boolean;
  readonly wrong: number;
}

function train(data: Digits, test: Digits, setting: Setting, method: Method, seed: number): number {
  const chosen = draw(data, seed, setting.unbalanced);
  const random = seededRandom(seed + 1000);
  const labels = Uint8Array.from(data.labels);
  for (const i of chosen) if (random() < setting.wrong) labels[i] = Math.floor(CLASSES * random());
  const counts = Array.from({ length: CLASSES }, (_, c) => chosen.filter((i) => labels[i] === c).length);
  const weights = method.weights?.(counts);
  const robust = method.robust?.() ?? none();
  const elr = method.elr ? earlyLearning({ examples: data.count, classes: CLASSES }) : undefined;
  const source = minibatches({ examples: chosen.length, batchSize: BATCH, seed }, (x, grads, batch, step) => {
    const indices = Array.from(batch, (k) => chosen[k]);
    const own = indices.map((i) => labels[i]);
    const logits = forward(x, data, indices);
    const options = { classWeights: weights, robust: step > WARM_UP ? robust : none(), indices };
    const result = softmaxCrossEntropy(logits, own, CLASSES, options);
    let { loss } = result;
    if (elr) {
      // p = ∂ℓ/∂z + e_y, as nothing else weighs the examples.
      const chances = result.grads.map(
        (g, k) => g * indices.length + Number(own[Math.floor(k / CLASSES)] === k % CLASSES),
      );
      loss += elr.add(indices, chances, result.grads);
    }
    backward(x, grads, result.grads);
    if (method.l2) for (let i = 0; i < x.length; i++) grads[i] += method.l2 * x[i];
    return loss;
  });
  const optimizer = createOptimizer(network[0].start(normals(seed)));
  optimizer.minimize(source, { steps: STEPS });
  return balancedAccuracy(optimizer.params, test);
}

const { train: data, test: all } = quick
  ? { train: drawDigits(500, 1), test: drawDigits(100, 2) }
  : readMnist(join(dataFolder, "mnist"));
const test: Digits = { ...all, count: quick ? 100 : 3000 };
const settings: Record<string, Setting> = {
  "clean, balanced": { unbalanced: false, wrong: 0 },
  "unbalanced 100 : 1": { unbalanced: true, wrong: 0 },
  "20 % random labels": { unbalanced: false, wrong: 0.2 },
  "40 % random labels": { unbalanced: false, wrong: 0.4 },
  "unbalanced, 20 % random": { unbalanced: true, wrong: 0.2 },
};
console.log(`| method | ${Object.keys(settings).join(" | ")} |`);
console.log(
  `| --- | ${Object.keys(settings)
    .map(() => "---: |")
    .join(" ")}`,
);
for (const [name, method] of Object.entries(METHODS)) {
  const cells = Object.values(settings).map((setting) => {
    const scores = SEEDS.map((seed) => 100 * train(data, test, setting, method, seed));
    const mean = scores.reduce((a, b) => a + b) / scores.length;
    const spread = Math.sqrt(scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / (scores.length - 1));
    return `${mean.toFixed(1)} ± ${spread.toFixed(1)}`;
  });
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
