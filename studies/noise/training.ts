/* Digits with wrong labels and rare classes, and networks that are trained on them. */
import { adamw, createOptimizer, minibatches, OptimizerError, type GradientSource } from "superlevel";
import { classWeights, dynamicCost, gce } from "superlevel/objective";
import { connect } from "superlevel/stability";
import { createClassifier, smallDigits, type DigitsName } from "../kit/classifier.js";
import { rounded } from "../kit/outcomes.js";
import { createRandom } from "../kit/random.js";
import { mean } from "../kit/statistics.js";
import { mislabelled } from "../monitor/data.js";

export type Condition = {
  readonly data: DigitsName;
  /** Share of wrong labels. */
  readonly wrong: number;
  /** Of digit c a share of 0.6^c is there. */
  readonly unbalanced: boolean;
};

export type Training = Condition & {
  /** AdamW's; null is superlevel. */
  readonly rate: number | null;
  /** Class weights and GCE's trust, as (8)–(12) have them. */
  readonly cost: boolean;
  readonly steps: number;
  readonly seed: number;
};

const [batchSize, hidden, thinning] = [32, 16, 0.6];

/** The numbers of the training digits, and their labels as the network is told them. */
export function taughtBy({ data, wrong, unbalanced, seed }: Omit<Training, "rate" | "cost" | "steps">) {
  const { train, held } = smallDigits(data);
  const { labels } = mislabelled(train, wrong, seed);
  const random = createRandom(seed + 500);
  const chosen = Array.from({ length: train.count }, (_, i) => i).filter(
    (i) => !unbalanced || random.uniform() < thinning ** train.labels[i],
  );
  return { train: { ...train, labels }, held, chosen };
}

export interface Trained {
  readonly params: Float32Array;
  readonly network: ReturnType<typeof createClassifier>;
  readonly taught: ReturnType<typeof taughtBy>;
}

/** `start` is the seed of weights and batches, where it is another than that of the wrong labels. */
export function train(training: Training, start = training.seed): Trained {
  const { rate, cost, steps } = training;
  const taught = taughtBy(training);
  const { train, chosen } = taught;
  const network = createClassifier([train.width, hidden, train.classes], "relu");
  const weights = network.start(createRandom(start).normal);
  let batch: number[] = [];
  const plain: GradientSource = (params, grads) => network.gradient(params, grads, train, batch);
  const counts = Array.from({ length: train.classes }, (_, c) =>
    chosen.reduce((count, i) => count + Number(train.labels[i] === c), 0),
  );
  const weighted = dynamicCost(
    {
      losses: (params) => network.losses(params, train, batch),
      backward: (params, grads, factors) => void network.gradient(params, grads, train, batch, factors),
      indices: () => batch,
    },
    { classWeights: classWeights(counts), labels: train.labels, robust: gce(), from: steps / 10 },
  );
  const source = minibatches(
    { examples: chosen.length, batchSize, seed: start },
    (params, grads, some, step) => {
      batch = Array.from(some, (k) => chosen[k]);
      return (cost ? weighted : plain)(params, grads, step);
    },
  );
  const options = rate === null ? {} : { base: adamw({ learningRate: rate }), tuner: null };
  const optimizer = createOptimizer(weights, options);
  try {
    optimizer.minimize(source, { steps });
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
  }
  const params = optimizer.params.slice();
  optimizer.dispose();
  return { params, network, taught };
}

/** Of the held-out digits, all of whose labels are right. */
export type Score = {
  readonly loss: number | null;
  /** Mean share of each class that is told right. */
  readonly accuracy: number | null;
};

export function scoreOf({ network, params, taught }: Trained): Score {
  const { loss, recalls } = network.score(params, taught.held);
  return { loss: rounded(loss), accuracy: rounded(mean(recalls)) };
}

/** Highest training loss on the way from one minimum to another, above the higher of the two. */
export type Barriers = Score & { readonly straight: number | null; readonly bent: number | null };

/** Two trainings on the same labels that differ in their weights at the start and in their batches. */
export async function barriersOf(training: Training): Promise<Barriers> {
  const [a, b] = [train(training), train(training, training.seed + 1000)];
  const { network, taught } = a;
  const some = taught.chosen.slice(0, 200);
  const lossGrad = (params: Float64Array) => {
    const grads = new Float64Array(params.length);
    return { loss: network.gradient(params, grads, taught.train, some), grads };
  };
  const straight = await connect(lossGrad, a.params, b.params, { samples: 21 });
  const bent = await connect(lossGrad, a.params, b.params, {
    ...{ method: "chain", points: 8, iterations: 30, samples: 21 },
  });
  const [first, second] = [scoreOf(a), scoreOf(b)];
  return {
    straight: rounded(straight.barrier),
    bent: rounded(bent.barrier),
    loss: rounded((first.loss! + second.loss!) / 2),
    accuracy: rounded((first.accuracy! + second.accuracy!) / 2),
  };
}
