import {
  dispose,
  tensor,
  tidy,
  variableGrads,
  Variable,
  zerosLike,
  type Scalar,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { expectFunction, expectNumbers, show } from "../../common/expect.js";
import type { AsyncGradientSource } from "../../sources/source.js";

/** A variable, or a layer's weight, which has one: an entry of `model.trainableWeights`. */
export type VariableLike = Variable | { read(): Tensor };

const isVariable = (value: unknown): value is Variable => value instanceof Variable;

/** The variables themselves. */
export function variablesOf(given: readonly VariableLike[]): Variable[] {
  if (!Array.isArray(given) || given.length === 0)
    throw new TypeError(`variables: expected an array of variables, got ${show(given)}`);
  return given.map((one: Partial<VariableLike> | null | undefined, k) => {
    const variable = isVariable(one) ? one : (one as { read?(): Tensor } | undefined)?.read?.();
    if (!isVariable(variable)) throw new TypeError(`variables[${k}]: expected a variable, got ${show(one)}`);
    if (variable.dtype !== "float32")
      throw new TypeError(`variables[${k}]: expected dtype float32, got ${variable.dtype}`);
    return variable;
  });
}

const readAll = (tensors: readonly Tensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map((one) => one.data<"float32">()));

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The loss, and its gradients, where the variables hold `params`; they are put back before anyone else runs. */
function differentiate(loss: () => Scalar, variables: Variable[], params: Float32Array): Tensor[] {
  return tidy(() => {
    const before = variables.map((variable) => variable.clone());
    try {
      let at = 0;
      for (const variable of variables) {
        // A copy: the cpu backend keeps the array it is given.
        const values = params.slice(at, (at += variable.size));
        variable.assign(tensor(values, variable.shape, "float32"));
      }
      const { value, grads } = variableGrads(loss, variables);
      const found = grads as Partial<Record<string, Tensor | null>>;
      return [value, ...variables.map((variable) => found[variable.name] ?? zerosLike(variable))];
    } finally {
      variables.forEach((variable, k) => variable.assign(before[k]));
    }
  });
}

/**
 * A model as a source of gradients, for `minimizeAsync`, and wrapped in `fromSource` for `superlevel/stability`: writes ∇L with respect to the variables,
 * one after the other, and returns L. The model is left as it was: variables get the parameters for the time of one
 * synchronous call, and no tensor stays behind. Answers are awaited, as backends on a GPU need it.
 *
 * @param loss a scalar; of the same examples each time, and without dropout, as `model.predict` has it
 * @param variables float32; `model.trainableWeights` of a layers model. Where one has no gradient, it is 0
 * @throws TypeError or RangeError when an argument is not understood
 * @example
 * import * as tf from "@tensorflow/tfjs-core";
 * import "@tensorflow/tfjs-layers"; // with it come the gradients
 * import "@tensorflow/tfjs-backend-cpu";
 * import { fromSource, sharpness } from "superlevel/stability";
 * import { gradientSource, readParams } from "superlevel/tfjs";
 * const x = tf.variable(tf.tensor1d([3, -2]));
 * const source = gradientSource(() => tf.sum(tf.mul([1, 5], tf.square(x))), [x]);
 * (await sharpness(fromSource(source), await readParams([x]))).lambdaMax; // → 10.0
 * Array.from(x.dataSync()); // → [3, -2]
 */
export function gradientSource(loss: () => Scalar, variables: readonly VariableLike[]): AsyncGradientSource {
  expectFunction("loss", loss);
  const settled = variablesOf(variables);
  const size = settled.reduce((sum, variable) => sum + variable.size, 0);
  return async (params, grads) => {
    expectNumbers("params", params, size);
    const answer = differentiate(loss, settled, params);
    try {
      const [[value], ...gradients] = await readAll(answer);
      grads.set(join(gradients));
      return value;
    } finally {
      dispose(answer);
    }
  };
}

/**
 * The numbers that variables hold, one after the other: where a {@link gradientSource} of them stands.
 *
 * @param variables as for {@link gradientSource}
 * @throws TypeError when they are not variables
 * @example
 * import * as tf from "@tensorflow/tfjs-core";
 * import "@tensorflow/tfjs-backend-cpu";
 * import { readParams } from "superlevel/tfjs";
 * await readParams([tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(3))]); // → Float32Array [1, 2, 3]
 */
export async function readParams(variables: readonly VariableLike[]): Promise<Float32Array> {
  return join(await readAll(variablesOf(variables)));
}
