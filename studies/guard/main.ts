/**
 * `npm run study -- guard`: what the guard's "reject" costs and gains in full-batch runs: calls of the source until the
 * loss is within 1e-6 of its minimum, and the share of steps at which it rose by more than the guard tolerates. Counts, so every machine prints the same.
 * `--quick` gives up after 50 calls.
 */
import { parseArgs } from "node:util";
import {
  adam,
  createOptimizer,
  lion,
  OptimizerError,
  sgd,
  superlevel,
  type Base,
  type GradientSource,
  type OptimizerOptions,
} from "superlevel";
import { problems, type Problem } from "./problems.js";

const GAP = 1e-6;
const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const LIMIT = values.quick ? 50 : 20_000;

interface Outcome {
  /** Calls of the source until the gap is reached; undefined when it is not within LIMIT, or the run diverges. */
  calls: number | undefined;
  rises: number;
  steps: number;
  rejections: number;
}

function run({ start, source, minimum }: Problem, options: OptimizerOptions, guarded: boolean): Outcome {
  const optimizer = createOptimizer(start, options);
  let calls = 0;
  let reached: number | undefined;
  const counted: GradientSource = (x, grads, step) => {
    const loss = source(x, grads, step);
    calls++;
    if (loss - minimum <= GAP) reached ??= calls;
    return loss;
  };
  let rises = 0;
  let before = Infinity;
  const watch = ({ loss }: { loss: number }) => {
    if (loss > before + 2 ** -20 * Math.max(1, before)) rises++;
    before = loss;
  };
  const outcome = (steps: number, rejections = 0) => ({ calls: reached, rises, steps, rejections });
  try {
    const { steps, rejections } = optimizer.minimize(counted, {
      deterministic: true,
      guard: guarded ? { policy: "reject" } : null,
      steps: LIMIT,
      monitors: [watch],
      until: () => reached !== undefined || calls >= LIMIT,
    });
    return outcome(steps, rejections);
  } catch (error) {
    if (error instanceof OptimizerError && error.code === "diverged") return outcome(optimizer.iterations);
    throw error;
  }
}

const show = ({ calls }: Outcome) => (calls === undefined ? "–" : String(calls));
const share = ({ rises, steps }: Outcome) => `${Math.round((100 * rises) / steps)} %`;

/** Calls at the best constant rate of 10^-4, 10^-3.75, …, 10^1. */
function bestRate(problem: Problem, base: (rate: number) => Base): string {
  const found = Array.from({ length: 21 }, (_, k) => {
    return run(problem, { base: base(10 ** (k / 4 - 4)), tuner: null }, false).calls ?? Infinity;
  });
  const best = Math.min(...found);
  return best === Infinity ? "–" : String(best);
}

const bases: Record<string, (learningRate?: number) => Base> = {
  adam: (learningRate) => adam({ learningRate }),
  momentum: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  sgd: (learningRate) => sgd({ learningRate }),
  lion: (learningRate) => lion({ learningRate }),
};

console.log(
  `calls of the source until the loss is within ${GAP} of its minimum; – : not within ${LIMIT}, or diverged`,
);
for (const [name, base] of Object.entries(bases)) {
  const rows = problems.map((problem) => {
    const options = { base: base(), tuner: superlevel() };
    const guarded = run(problem, options, true);
    const free = run(problem, options, false);
    return {
      problem: problem.name,
      "with guard": show(guarded),
      "of them rejected": guarded.rejections,
      "rises ": share(guarded),
      without: show(free),
      rises: share(free),
      "best rate alone": bestRate(problem, base),
    };
  });
  console.log(`\n${name}`);
  console.table(rows);
}
