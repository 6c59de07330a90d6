import { expectFunction, expectNumber, expectNumbers, expectOptions, show } from "../../common/expect.js";
import { norm, randomUnit } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";
import { expectPoints, largestSingularValue, linearize, product, type LayerMap } from "./jacobian.js";
import { denseOperator } from "./operators.js";

/** Options of {@link depthProfile}. */
export interface DepthProfileOptions extends WorkOptions {
  /** ∂L/∂output of input k, as many numbers as the network returns; default a random direction of length 1. */
  gradient?: (output: Float64Array, k: number) => ArrayLike<number>;
  /** ε of the differences, > 0; default u^⅓ (1 + |x_i|), u = 2⁻²⁴ for a layer that returns a Float32Array, else 2⁻⁵³. */
  epsilon?: number;
  /** Of the default gradient; default 0. */
  seed?: number;
}

/** Norms at one place of a network, root mean squares over the inputs. */
export interface DepthNorms {
  /** How many numbers there are at this place. */
  readonly width: number;
  /** ‖x_l‖. */
  readonly activation: number;
  /** ‖∂L/∂x_l‖. */
  readonly gradient: number;
}

/** What one layer does, from x_{l−1} to x_l. Norms are those of its output. */
export interface DepthLayer extends DepthNorms {
  /** ‖x_l‖ / ‖x_{l−1}‖, of root mean squares. */
  readonly activationGain: number;
  /** ‖∂L/∂x_{l−1}‖ / ‖∂L/∂x_l‖, of root mean squares: what the layer does to gradients on their way back. */
  readonly gradientGain: number;
  /** The largest ‖J_l‖₂: no small change of its input grows more in this layer. */
  readonly norm: number;
  /** The largest ‖J_l … J_1‖₂: no small change of the network's input grows more up to here. */
  readonly response: number;
}

/** A network by layers. */
export interface DepthProfile {
  /** Where the network begins. */
  readonly input: DepthNorms;
  readonly layers: readonly DepthLayer[];
  /** The largest ‖J_L … J_1‖₂, of the whole network. */
  readonly gain: number;
  /** Π ‖J_l‖₂, what the layers' norms alone allow: often far too large. */
  readonly bound: number;
  /** What a layer multiplies by in the geometric mean: the worst small change of the input, and gradients on their way back. */
  readonly perLayer: { readonly response: number; readonly gradient: number };
}

/** What is seen of one input, place by place from the input on. */
interface Pass {
  readonly values: readonly Float64Array[];
  readonly gradients: readonly Float64Array[];
  readonly norms: readonly number[];
  readonly responses: readonly number[];
}

/**
 * The profile of a network by layers: norms of activations and of gradients through depth, and how much each layer, and all up to
 * it, amplify a small change (the profile's response of representations, arXiv 2512.21208). Everything is measured at the
 * inputs: Jacobians by central differences, column by column, which are exact to some 10⁻⁹ where a layer is smooth and computes in
 * float64; their norms by Lanczos to 10⁻¹⁰. Gains of 1 keep signals through depth; below 1 they vanish, above 1 they explode,
 * by that factor a layer. Costs Σ (2 n_l + 1) calls of layers an input, so it is for layers of up to some hundred units; networks of
 * TensorFlow.js have `layersProfile` in superlevel/tfjs.
 *
 * @param layers from the first to the last; a residual block is one, x ↦ x + h F(x)
 * @param inputs where to look, each as many numbers as the first layer takes
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when a layer's output is not finite
 * @example
 * import { depthProfile } from "superlevel/stability";
 * const layer = ([x, y]: Float64Array) => [0.5 * x, 0.5 * y];
 * const { layers, gain, perLayer } = await depthProfile([layer, layer, layer], [[3, 4]]);
 * layers.map(({ activation }) => activation); // → [2.5, 1.25, 0.625]
 * gain; // → 0.125000
 * perLayer; // → { response: 0.500000, gradient: 0.500000 }
 */
export async function depthProfile(
  layers: readonly LayerMap[],
  inputs: readonly ArrayLike<number>[],
  options: DepthProfileOptions = {},
): Promise<DepthProfile> {
  const name = "depthProfile";
  expectLayers(layers);
  expectOptions(name, options, ["gradient", "epsilon", "seed", ...WORK_KEYS]);
  const { gradient, epsilon, seed = 0 } = options;
  if (gradient !== undefined) expectFunction(`${name}.gradient`, gradient);
  if (epsilon !== undefined) expectNumber(`${name}.epsilon`, epsilon, { above: 0 });
  expectNumber(`${name}.seed`, seed);
  const points = expectPoints("inputs", inputs);
  const work = new Work(name, options, points.length * layers.length);
  const passes: Pass[] = [];
  for (const [k, point] of points.entries()) {
    const gradientOf = (output: Float64Array) =>
      gradient
        ? Float64Array.from(
            expectNumbers(`${name}.gradient: what it returns`, gradient(output, k), output.length),
          )
        : randomUnit(output.length, seed + k);
    passes.push(await pass(layers, point, gradientOf, epsilon, work));
  }
  return summarize(passes);
}

function expectLayers(layers: readonly LayerMap[]): void {
  if (!Array.isArray(layers))
    throw new TypeError(`layers: expected an array of functions, got ${show(layers)}`);
  if (layers.length === 0) throw new RangeError("layers: expected at least 1 layer, got none");
  layers.forEach((layer, l) => expectFunction(`layers[${l}]`, layer));
}

/** Forth with the Jacobians, and back with the gradient. */
async function pass(
  layers: readonly LayerMap[],
  input: Float64Array,
  gradientOf: (output: Float64Array) => Float64Array,
  epsilon: number | undefined,
  work: Work,
): Promise<Pass> {
  const [values, norms, responses] = [[input], [] as number[], [] as number[]];
  const jacobians = [];
  let whole: Float64Array | undefined;
  for (const [l, layer] of layers.entries()) {
    const { value, jacobian, matrix } = await linearize(`layers[${l}]`, layer, values[l], epsilon);
    whole = whole ? product(matrix, whole, jacobian.columns) : matrix;
    norms.push(await largestSingularValue(jacobian));
    responses.push(await largestSingularValue(denseOperator(whole, value.length, input.length)));
    jacobians.push(jacobian);
    values.push(value);
    await work.tick();
  }
  const gradients = [gradientOf(values[layers.length].slice())];
  for (const { transpose } of jacobians.reverse())
    gradients.unshift(Float64Array.from(transpose(gradients[0])));
  return { values, gradients, norms, responses };
}

function summarize(passes: readonly Pass[]): DepthProfile {
  const rms = (of: (pass: Pass) => Float64Array) =>
    Math.sqrt(passes.reduce((sum, pass) => sum + norm(of(pass)) ** 2, 0) / passes.length);
  const largest = (of: (pass: Pass) => number) => passes.reduce((most, pass) => Math.max(most, of(pass)), 0);
  const places = passes[0].values.map(({ length: width }, l) => ({
    width,
    activation: rms(({ values }) => values[l]),
    gradient: rms(({ gradients }) => gradients[l]),
  }));
  const [input, ...outputs] = places;
  const layers = outputs.map((place, l) => ({
    ...place,
    activationGain: place.activation / places[l].activation,
    gradientGain: places[l].gradient / place.gradient,
    norm: largest(({ norms }) => norms[l]),
    response: largest(({ responses }) => responses[l]),
  }));
  const last = layers[layers.length - 1];
  const mean = (factor: number) => factor ** (1 / layers.length);
  return {
    input,
    layers,
    gain: last.response,
    bound: layers.reduce((product, { norm }) => product * norm, 1),
    perLayer: { response: mean(last.response), gradient: mean(input.gradient / last.gradient) },
  };
}
