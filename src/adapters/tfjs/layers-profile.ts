import {
  add,
  dispose,
  keep,
  square,
  sum,
  Tensor,
  tidy,
  variable,
  variableGrads,
  zeros,
  type NamedTensorMap,
  type Scalar,
  type Variable,
} from "@tensorflow/tfjs-core";
import { expectFunction, show } from "../../common/expect.js";
import { UnitPeaks } from "./dead-units.js";
import { floatsOf, hooked, isFloat, listOf, type Hook, type LayerLike, type Tensors } from "./layer-calls.js";
import { variablesOf, type VariableLike } from "./source.js";

/** Norms at one layer, over all examples and all calls of it. */
export interface LayerNorms {
  readonly name: string;
  /** How many numbers it returns of an example. */
  readonly width: number;
  /** Root mean square over the examples of ‖a‖, a what the layer returns of one. */
  readonly activation: number;
  /** ‖A‖ / ‖inputs of the layer‖, A what it returns of all examples. */
  readonly activationGain: number;
  /** ‖∂L/∂A‖. */
  readonly gradient: number;
  /** ‖∂L/∂inputs‖ / ‖∂L/∂A‖, by the way through this layer alone; NaN where inputs are whole numbers. */
  readonly gradientGain: number;
  /** ‖W‖ and ‖∂L/∂W‖ of the layer's trainable weights; 0 where it has none. */
  readonly weights: number;
  readonly weightGradient: number;
  /** Share of its units that return 0 at every example and place. A convolution's channel is one unit, as is a place on the last axis. */
  readonly deadUnits: number;
}

/** What is summed of one layer. */
interface Sums {
  readonly layer: LayerLike;
  examples: number;
  numbers: number;
  readonly inputs: Scalar[];
  readonly outputs: Scalar[];
  /** What is added to inputs and outputs, 0, to be differentiated by. */
  readonly before: Variable[];
  readonly after: Variable[];
  readonly units: UnitPeaks;
}

const squaresOf = (one: Tensor): Scalar => keep(sum(square(one)));

/** Inputs that can be differentiated by. Those of an embedding are whole numbers, of whatever type they come. */
const inputsOf = (layer: LayerLike, inputs: unknown): Tensor[] =>
  layer.getClassName?.() === "Embedding" ? [] : floatsOf(inputs);

/** A first pass: what is called, in which order, and the norms of what comes in and out. */
function measure(loss: () => Scalar, layers: readonly LayerLike[], found: Map<LayerLike, Sums>): void {
  const empty = (layer: LayerLike): Sums => ({ layer, examples: 0, numbers: 0, inputs: [], outputs: [], before: [], after: [], units: new UnitPeaks(layer) }); // prettier-ignore
  const hook: Hook = (layer, inputs, run) => {
    const outputs = run(inputs);
    const sums = found.get(layer) ?? empty(layer);
    found.set(layer, sums);
    sums.inputs.push(...floatsOf(inputs).map(squaresOf));
    sums.before.push(...inputsOf(layer, inputs).map(({ shape }) => variable(zeros(shape))));
    const returned = floatsOf(outputs);
    sums.outputs.push(...returned.map(squaresOf));
    sums.after.push(...returned.map(({ shape }) => variable(zeros(shape))));
    sums.numbers += returned.reduce((count, { size }) => count + size, 0);
    sums.examples += returned[0]?.shape[0] ?? 0;
    sums.units.add(outputs);
    return outputs;
  };
  tidy(() => void hooked(layers, hook, loss));
}

/** A second pass: the loss as a function of what is added at each layer, and of the weights. */
function differentiate(
  loss: () => Scalar,
  all: readonly Sums[],
  weights: readonly Variable[],
): NamedTensorMap {
  const left = new Map(all.map((sums) => [sums.layer, { before: [...sums.before], after: [...sums.after] }]));
  const plus = (tensors: Tensors, added: Variable[]): Tensors => {
    const moved = listOf(tensors).map((one) =>
      isFloat(one) && added.length > 0 ? add(one, added.shift()!) : (one as Tensor),
    );
    return Array.isArray(tensors) ? moved : moved[0];
  };
  const hook: Hook = (layer, inputs, run) => {
    const { before, after } = left.get(layer)!;
    return plus(run(plus(inputs, before)), after);
  };
  const variables = [...all.flatMap(({ before, after }) => [...before, ...after]), ...weights];
  const layers = all.map(({ layer }) => layer);
  return tidy(() => hooked(layers, hook, () => variableGrads(loss, variables)).grads);
}

async function total(scalars: readonly Tensor[]): Promise<number> {
  const values = await Promise.all(scalars.map((one) => one.data()));
  return Math.sqrt(values.reduce((whole, [value]) => whole + value, 0));
}

/** The norm of some gradients; those that are absent are 0. */
function normOf(variables: readonly Variable[], grads: NamedTensorMap): Promise<number> {
  const present = variables.map(({ name }) => (grads as Partial<NamedTensorMap>)[name]).filter(isFloat);
  const squares = tidy(() => present.map(squaresOf));
  return total(squares).finally(() => dispose(squares));
}

/** All variables of all layers that were called. */
const weightsOf = ({ layer }: Sums): Variable[] =>
  layer.trainableWeights.length > 0 ? variablesOf(layer.trainableWeights as VariableLike[]) : [];

async function normsOf(sums: Sums, grads: NamedTensorMap): Promise<LayerNorms> {
  const weights = weightsOf(sums);
  const values = tidy(() => weights.map(squaresOf));
  const [inputs, outputs] = [await total(sums.inputs), await total(sums.outputs)];
  const [back, gradient] = [await normOf(sums.before, grads), await normOf(sums.after, grads)];
  const [held, weightGradient] = [await total(values), await normOf(weights, grads)];
  dispose(values);
  return {
    name: sums.layer.name,
    width: sums.numbers / sums.examples,
    activation: outputs / Math.sqrt(sums.examples),
    activationGain: outputs / inputs,
    gradient,
    gradientGain: sums.before.length > 0 ? back / gradient : NaN,
    weights: held,
    weightGradient,
    deadUnits: await sums.units.deadShare(),
  };
}

/**
 * A network by layers, measured on given data: the norms of activations and of gradients, forth and back, those of weights and
 * their gradients, and which share of units is dead. Gains far below 1 at layer after layer are a signal that vanishes, far above 1 one that explodes. The loss is
 * called twice, and differentiated once; the model stays as it was. `depthProfile` in superlevel/stability measures Jacobians of
 * small networks besides.
 *
 * @param loss a scalar, of the same examples each time: calls the model, by `predict` or `apply`
 * @param model a LayersModel, or whatever has its `layers`
 * @returns a row for each layer that was called, in the order of the calls; a layer with several calls has their sums
 * @throws TypeError when an argument is not understood, or no layer was called
 * @example
 * import * as tf from "@tensorflow/tfjs-core";
 * import * as tfl from "@tensorflow/tfjs-layers";
 * import "@tensorflow/tfjs-backend-cpu";
 * import { layersProfile } from "superlevel/tfjs";
 * const half = () => tfl.layers.dense({ units: 2, inputShape: [2], useBias: false, weights: [tf.tensor2d([[0.5, 0], [0, 0.5]])] });
 * const model = tfl.sequential({ layers: [half(), half()] });
 * const x = tf.tensor2d([[3, 4]]);
 * const rows = await layersProfile(() => tf.sum(model.predict(x) as tf.Tensor), model);
 * rows.map(({ activation }) => activation); // → [2.5, 1.25]
 * rows.map(({ gradient }) => gradient); // → [0.7071, 1.4142]
 * rows.map(({ gradientGain }) => gradientGain); // → [0.5, 0.5]
 */
export async function layersProfile(
  loss: () => Scalar,
  model: { readonly layers: readonly LayerLike[] },
): Promise<LayerNorms[]> {
  expectFunction("loss", loss);
  const layers = (model as Partial<typeof model> | undefined)?.layers;
  if (!Array.isArray(layers)) throw new TypeError(`model: expected a model with layers, got ${show(model)}`);
  const found = new Map<LayerLike, Sums>();
  let grads: NamedTensorMap = {};
  try {
    measure(loss, layers as LayerLike[], found);
    if (found.size === 0)
      throw new TypeError("loss: expected it to call the model, but no layer of model.layers was called");
    const all = Array.from(found.values());
    grads = differentiate(loss, all, [...new Set(all.flatMap(weightsOf))]);
    const rows: LayerNorms[] = [];
    for (const sums of all) rows.push(await normsOf(sums, grads));
    return rows;
  } finally {
    for (const { inputs, outputs, before, after, units } of found.values()) {
      dispose([...inputs, ...outputs, ...before, ...after]);
      units.dispose();
    }
    dispose(grads);
  }
}
