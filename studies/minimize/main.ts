/**
 * `npm run study -- minimize`: `minimize` beside other small minimizers, each as it stops by default (iteration limits are
 * raised, and nlopt is given a tolerance of 1e-8). A call is one fun, one fun with its gradient, or one pass of the model or its Jacobian over the residuals.
 * `--quick` gives up after 200 calls, and measures no time twice.
 */
import { parseArgs } from "node:util";
import { conjugateGradient, nelderMead } from "fmin/index.js";
import { levenbergMarquardt } from "ml-levenberg-marquardt";
import nlopt from "nlopt-js";
import numeric from "numeric";
import { minimize } from "superlevel/minimize";
import { gradientOf, problems, valueOf, type Problem } from "./problems.js";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const LIMIT = values.quick ? 200 : 10_000;
const ROUNDS = values.quick ? 1 : 8;

class OutOfCalls extends Error {}

/** A problem that counts calls, keeps the lowest value, and gives up at the limit. */
class Counted {
  calls = 0;
  lowest = Infinity;
  readonly problem: Problem;

  constructor(problem: Problem) {
    this.problem = problem;
  }

  count(): void {
    if (this.calls === LIMIT) throw new OutOfCalls();
    this.calls++;
  }

  readonly fun = (x: ArrayLike<number>): number => {
    this.count();
    const value = valueOf(this.problem, x);
    this.lowest = Math.min(this.lowest, value);
    return value;
  };

  readonly both = (x: ArrayLike<number>): [number, number[]] => [this.fun(x), gradientOf(this.problem, x)];
}

const contenders: Record<string, (counted: Counted) => unknown> = {
  "minimize, with gradient": ({ both, problem }) => minimize(both, problem.start, { jac: true }),
  "minimize, without": ({ fun, problem }) => minimize(fun, problem.start),
  'minimize, method: "superlevel"': ({ both, problem }) =>
    minimize(both, problem.start, { jac: true, method: "superlevel" }),
  "fmin, conjugateGradient": ({ both, problem }) => {
    const into = (x: number[], grads: number[] = []) => {
      const [value, gradient] = both(x);
      gradient.forEach((g, i) => (grads[i] = g));
      return value;
    };
    return conjugateGradient(into, [...problem.start], { maxIterations: Infinity });
  },
  "fmin, nelderMead": ({ fun, problem }) => nelderMead(fun, [...problem.start], { maxIterations: Infinity }),
  // A call more for each gradient, which it asks for by itself.
  "numeric, uncmin": ({ fun, both, problem }) =>
    numeric.uncmin(fun, [...problem.start], undefined, (x) => both(x)[1], LIMIT),
  "nlopt-js, LD_LBFGS": (counted) => byNlopt("LD_LBFGS", counted),
  "nlopt-js, LN_BOBYQA": (counted) => byNlopt("LN_BOBYQA", counted),
  "ml-levenberg-marquardt": (counted) => {
    const { problem } = counted;
    const rows = problem.residuals(problem.start).map((_, row) => row);
    const model = (x: number[]) => {
      counted.count();
      const residuals = problem.residuals(x);
      return (row: number) => residuals[row];
    };
    const jacobianFunction = (x: number[]) => {
      counted.count();
      const jacobian = problem.jacobian(x);
      return (row: number) => jacobian[row];
    };
    const options = { initialValues: problem.start, errorTolerance: 1e-15, jacobianFunction };
    const { parameterValues } = levenbergMarquardt({ x: rows, y: rows.map(() => 0) }, model, options);
    counted.lowest = valueOf(problem, parameterValues);
  },
};

/** It has no default tolerance; 1e-8 is numeric's. */
function byNlopt(algorithm: keyof typeof nlopt.Algorithm, { both, fun, problem }: Counted): void {
  const search = new nlopt.Optimize(nlopt.Algorithm[algorithm], problem.start.length);
  search.setMinObjective((x, grad) => {
    if (!grad) return fun(x);
    const [value, gradient] = both(x);
    gradient.forEach((g, i) => (grad[i] = g));
    return value;
  }, 1e-8);
  search.setMaxeval(LIMIT);
  search.optimize([...problem.start]);
  nlopt.GC.flush();
}

function run(name: string, problem: Problem): Counted {
  const counted = new Counted(problem);
  try {
    contenders[name](counted);
  } catch (error) {
    if (!(error instanceof OutOfCalls)) throw error;
  }
  return counted;
}

/** Contenders take turns, so that the machine's moods hit all alike; the fastest of a contender's runs counts. */
function measure(problem: Problem) {
  const names = Object.keys(contenders).filter(
    (name) => problem.loss === "squares" || name !== "ml-levenberg-marquardt",
  );
  const times = new Map(names.map((name) => [name, [] as number[]]));
  const outcomes = new Map<string, Counted>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const begin = performance.now();
      outcomes.set(name, run(name, problem));
      times.get(name)!.push(performance.now() - begin);
    }
  }
  const lowest = Math.min(...[...outcomes.values()].map((counted) => counted.lowest));
  const rows = [...outcomes].map(([name, { calls, lowest: value }]) => {
    const ms = Math.min(...times.get(name)!).toPrecision(2);
    return [name, { calls, "above the lowest": (value - lowest).toExponential(1), ms }] as const;
  });
  return { lowest, table: Object.fromEntries(rows) };
}

await nlopt.ready;
for (const problem of problems) {
  const { lowest, table } = measure(problem);
  console.log(`\n${problem.name}: lowest value found ${lowest.toPrecision(4)}`);
  console.table(table);
}
