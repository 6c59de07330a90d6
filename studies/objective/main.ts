/**
 * When class weights, robust weights and regularisation help on MNIST, and when they hurt: means over seeds, default
 * optimizer, a network 784-32-10 on 2 000 digits. `npm run study -- objective`; SUPERLEVEL_DATA names the data's folder.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readMnist } from "../kit/digits/idx.js";
import type { Digits } from "../kit/digits/draw.js";
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
import { dataFolder } from "../kit/data-file.js";

const [INPUTS, HIDDEN, CLASSES] = [784, 32, 10];
const EXAMPLES = 2000;
const BATCH = 32;
const STEPS = 1200;
const WARM_UP = 120;

const { values } = parseArgs({ options: { seeds: { type: "string", default: "5" } } });
const SEEDS = Array.from({ length: Number(values.seeds) }, (_, k) => k + 1);

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

/** x → ReLU → logits, and back. Parameters: W1 [784, 32], b1, W2 [32, 10], b2. */
class Network {
  readonly size = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES;
  readonly #hidden = new Float64Array(BATCH * HIDDEN);

  start(seed: number): Float32Array {
    const normal = normals(seed);
    const [w1, w2] = [INPUTS * HIDDEN, INPUTS * HIDDEN + HIDDEN];
    return Float32Array.from({ length: this.size }, (_, i) => {
      if (i < w1) return Math.sqrt(2 / INPUTS) * normal();
      return i >= w2 && i < w2 + HIDDEN * CLASSES ? Math.sqrt(2 / HIDDEN) * normal() : 0;
    });
  }

  forward(params: Float32Array, { images }: Digits, batch: ArrayLike<number>): Float64Array {
    const logits = new Float64Array(batch.length * CLASSES);
    const [b1, w2] = [INPUTS * HIDDEN, INPUTS * HIDDEN + HIDDEN];
    const b2 = w2 + HIDDEN * CLASSES;
    for (let k = 0; k < batch.length; k++) {
      const row = this.#hidden.subarray((k % BATCH) * HIDDEN, ((k % BATCH) + 1) * HIDDEN);
      row.set(params.subarray(b1, w2));
      for (let p = 0; p < INPUTS; p++) {
        const value = images[batch[k] * INPUTS + p] / 255;
        if (value === 0) continue;
        for (let j = 0; j < HIDDEN; j++) row[j] += value * params[p * HIDDEN + j];
      }
      for (let c = 0; c < CLASSES; c++) logits[k * CLASSES + c] = params[b2 + c];
      for (let j = 0; j < HIDDEN; j++) {
        row[j] = Math.max(0, row[j]);
        for (let c = 0; c < CLASSES; c++) logits[k * CLASSES + c] += row[j] * params[w2 + j * CLASSES + c];
      }
    }
    return logits;
  }

  backward(
    params: Float32Array,
    grads: Float32Array,
    { images }: Digits,
    batch: ArrayLike<number>,
    delta: Float64Array,
  ): void {
    grads.fill(0);
    const [b1, w2] = [INPUTS * HIDDEN, INPUTS * HIDDEN + HIDDEN];
    const b2 = w2 + HIDDEN * CLASSES;
    const back = new Float64Array(HIDDEN);
    for (let k = 0; k < batch.length; k++) {
      const row = this.#hidden.subarray(k * HIDDEN, (k + 1) * HIDDEN);
      for (let c = 0; c < CLASSES; c++) grads[b2 + c] += delta[k * CLASSES + c];
      for (let j = 0; j < HIDDEN; j++) {
        back[j] = 0;
        if (row[j] === 0) continue;
        for (let c = 0; c < CLASSES; c++) {
          grads[w2 + j * CLASSES + c] += row[j] * delta[k * CLASSES + c];
          back[j] += params[w2 + j * CLASSES + c] * delta[k * CLASSES + c];
        }
        grads[b1 + j] += back[j];
      }
      for (let p = 0; p < INPUTS; p++) {
        const value = images[batch[k] * INPUTS + p] / 255;
        if (value === 0) continue;
        for (let j = 0; j < HIDDEN; j++) grads[p * HIDDEN + j] += value * back[j];
      }
    }
  }
}

const network = new Network();

/** Mean over the classes of the share classified right. */
function balancedAccuracy(params: Float32Array, test: Digits): number {
  const [right, all] = [new Float64Array(CLASSES), new Float64Array(CLASSES)];
  for (let i = 0; i < test.count; i++) {
    const logits = network.forward(params, test, [i]);
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
    const logits = network.forward(x, data, indices);
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
    network.backward(x, grads, data, indices, result.grads);
    if (method.l2) for (let i = 0; i < x.length; i++) grads[i] += method.l2 * x[i];
    return loss;
  });
  const optimizer = createOptimizer(network.start(seed));
  optimizer.minimize(source, { steps: STEPS });
  return balancedAccuracy(optimizer.params, test);
}

const { train: data, test: all } = readMnist(join(dataFolder, "mnist"));
const test: Digits = { ...all, count: 3000 };
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
