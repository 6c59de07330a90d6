import { largest as largestOf } from "../../common/extremes.js";
import { median } from "../vectors.js";
import { digits, percent, won, type Evidence } from "./evidence.js";
import type { LayerEvidence } from "./step-history.js";

/* What layers tell. Each returns the message, or undefined where it does not show. */

const isMatrix = ({ shape }: LayerEvidence) => shape !== undefined && shape.length > 1;
const learns = ({ frozen }: LayerEvidence) => !frozen;
/** The weights of layers, first to last; none where no tensors are known. */
const weightsOf = ({ layers }: Evidence) => layers.filter(isMatrix).filter(learns);
const list = (names: readonly string[]) => names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");

/** Share of a layer's units that may be dead in a run that goes well. */
const MANY_DEAD = 0.6;

/**
 * A dead unit gets no gradient at any example: not in its bias, and not in the weights that lead on from it. An input that is 0
 * throughout leaves weights without gradients too, but no bias; and a layer that is cut off leaves those behind it as they are.
 */
function deadLayers({ layers }: Evidence): { layer: LayerEvidence; share: number }[] {
  return layers.flatMap((layer, k) => {
    const next = layers.slice(k + 1).find(isMatrix);
    const before = layers.slice(0, k + 1).some(isMatrix);
    if (layer.frozen || !layer.shape || !next || !before) return [];
    // Weights are [inputs, outputs] with some, [outputs, inputs] with others.
    const onward = Math.max(next.zeroRows, next.zeroColumns);
    if (layer.shape.length === 1)
      return layer.size > 1 ? [{ layer, share: Math.min(layer.zeroShare, onward) }] : [];
    if (layers[k + 1].shape!.length === 1) return [];
    const share = Math.max(
      Math.min(layer.zeroColumns, next.zeroRows),
      Math.min(layer.zeroRows, next.zeroColumns),
    );
    return [{ layer, share }];
  });
}

/** Units of a hidden layer are dead, and no step that was too long has killed them. */
export function deadUnits(evidence: Evidence, pastEdge: string | undefined): string | undefined {
  const { layers, progress } = evidence;
  const cure = "begin anew with fresh weights, biases at 0 and a lower rate, or take leaky units";
  const still = evidence.deadUnits.find(({ share }) => share >= MANY_DEAD);
  if (still && !pastEdge)
    return `dead units: ${percent(still.share)} of those of ${still.name} return 0 at every example; ${cure}`;
  for (const { layer, share } of deadLayers(evidence)) {
    if (share < MANY_DEAD || (pastEdge && layer.firstGradient > 0)) continue;
    return `dead units: ${percent(share)} of those of ${layer.name} get no gradient at any example; ${cure}`;
  }
  const parts = layers.filter(({ shape }) => !shape);
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  const share = parts.reduce((sum, { size, zeroShare }) => sum + (zeroShare * size) / total, 0);
  if (progress || pastEdge || !(share >= MANY_DEAD && share < 1)) return undefined;
  return `dead units: the gradient of ${percent(share)} of the parameters is 0 at each step; ${cure}`;
}

/** By how much V changes, relative to itself, with the weights of a layer, at the start: about 1 where gradients are sound. */
const steepnessOf = ({ firstGradient, size, firstNorm }: LayerEvidence, { first, floor }: Evidence) =>
  (firstGradient * Math.sqrt(size) * firstNorm) / (first - floor);
const VANISHED = 2e-3;

/** Gradients get smaller from layer to layer on their way back. */
export function vanishing(evidence: Evidence): string | undefined {
  const weights = weightsOf(evidence);
  if (weights.length < 3 || won(evidence) > 0.5) return undefined;
  const early = weights.slice(0, Math.ceil(weights.length / 2));
  const steepness = early.map((layer) => steepnessOf(layer, evidence));
  if (
    !steepness.every((value) => value > 0 && value < 10 * VANISHED) ||
    !steepness.some((value) => value < VANISHED)
  )
    return undefined;
  return (
    `vanishing gradient: at the start the loss changed with ${early[0].name} by ${digits(steepness[0])} of itself, where about 1 is usual; ` +
    "start with larger weights (Glorot's or He's), or use residual connections, normalisation or ReLU"
  );
}

/** A loss that changes with all of x by more than this many times itself is too steep; in ten layers by about ten. */
const STEEP = 25;

/** Gradients grow on their way back through many layers or many turns of a recurrent one; later than at the start, also after a step too long. */
export function exploding(evidence: Evidence, pastEdge: string | undefined): string | undefined {
  const { seen, steepness, regressed, progress, spiked, nonFinite } = evidence;
  if (!(regressed || spiked || !progress || nonFinite || steepness.first > 4 * STEEP)) return undefined;
  const cure = "clip it, clip: { norm: 1 }, or start with smaller recurrent weights, or with orthogonal ones";
  if (steepness.first > STEEP)
    return `exploding gradient: at the start ‖g‖ ‖x‖ is ${digits(steepness.first)} times the loss, where less than ten times is usual; ${cure}`;
  const weights = weightsOf(evidence);
  const last = weights.at(-1)?.peakGradient ?? NaN;
  const steepest = weights.slice(0, -1).find(({ peakGradient }) => peakGradient > 30 * last);
  if (pastEdge || !steepest || !(steepness.max > 2 * STEEP)) return undefined;
  return (
    `exploding gradient: where ‖g‖ = ${digits(seen.gradNormMax)} was largest, it was ${digits(steepest.peakGradient)} a coordinate at ` +
    `${steepest.name}, and ${digits(last)} next to the loss; ${cure}`
  );
}

/** A layer whose updates are so many times shorter than those of the others does not learn. */
const STILL = 1e-3;

/** One layer stays where it is while others move. */
export function stillLayer(evidence: Evidence): string | undefined {
  const moving = evidence.layers.filter(({ shape, frozen }) => shape && !frozen);
  if (moving.length < 2) return undefined;
  const weights = moving.filter(isMatrix);
  const candidates = weights.length > 1 ? weights : moving;
  const typical = median(candidates.map(({ update }) => update));
  const largest = largestOf(moving.map(({ update }) => update));
  const still = candidates.filter(
    ({ update }) => update < STILL * Math.min(largest, Math.max(typical, largest / 10)),
  );
  if (still.length === 0 || !(largest > 0)) return undefined;
  const cause = still.every(({ gradient }) => gradient === 0)
    ? "its gradient is 0 at each step: is it written, and is nothing cut off on the way back"
    : "its updates are a thousandth of the others': look at its gradient and its learningRate";
  const names = list(still.map(({ name }) => name));
  return `a layer does not learn: ${names} stays as it is; ${cause}; write frozen: true if that is meant`;
}

/** The gradient of some layers points uphill. */
export function wrongSigned({ wrongSign }: Evidence): string | undefined {
  if (!wrongSign) return undefined;
  const { all, layers, left = 0, vain } = wrongSign;
  const whose = all ? "the whole gradient" : `the gradient of ${list(layers)}`;
  const why = vain
    ? `${whose} had its steps lower V by ${percent(vain.promised)} of its start in all, and V fell by ${percent(vain.fell)}`
    : `what V does fits ${whose} times −1, which leaves ${percent(left)} of what does not fit as it is`;
  return `wrong sign: ${why}; look for a minus in the way back, and compare with finiteDifferences`;
}

/** Inputs with a spread of 1 make the gradients of the first weights as long as those of the first biases, by a factor of ten. */
const LARGE_INPUT = 150;

/** The gradient of the first weights over that of their biases is the size of the inputs. */
export function largeInputs({ layers }: Evidence): string | undefined {
  const first = layers.findIndex(isMatrix);
  const [weights, bias] = [layers[first], layers[first + 1]];
  if (!weights || bias?.shape?.length !== 1 || !weights.shape!.includes(bias.size)) return undefined;
  const size = weights.firstGradient / bias.firstGradient;
  if (!(size > LARGE_INPUT) || bias.firstGradient === 0) return undefined;
  return (
    `inputs too large: the gradient of ${weights.name} is ${digits(size)} times that of ${bias.name}, as inputs of that size make it; ` +
    "scale each input to mean 0 and spread 1"
  );
}
