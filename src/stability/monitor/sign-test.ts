import { smallest } from "../../common/extremes.js";
import type { LayerEvidence } from "./step-history.js";

/** Layers whose gradient has the wrong sign. */
export interface WrongSign {
  readonly layers: readonly string[];
  /** They are all layers. */
  readonly all: boolean;
  /** Share of the misfit that is left with the other sign; undefined where V tells by `vain` alone. */
  readonly left?: number;
  /** By how much the layer's steps were to lower V in all, and by how much V fell, both over V at the start. */
  readonly vain?: { readonly promised: number; readonly fell: number };
}

/** ΔV of a step or of some, what each layer's gradient says of it, ½ (g + g')·d, and the variance that ΔV has by itself. */
export interface Account {
  readonly change: number;
  readonly parts: readonly number[];
  readonly noise: number;
}

type Named = Pick<LayerEvidence, "name">;

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** A misfit that counts: a share of Σ |p_l|, and standard deviations. So many of them, and such a share of all. */
const [MISFIT, DEVIATIONS, FEWEST, OFTEN] = [0.3, 3, 4, 0.3];
/** Share of the misfit that the right signs leave; and what a layer more has to explain. */
const [LEFT, LAYER] = [0.2, 0.01];

/**
 * ΔV = Σ_l p_l up to the third order in d, p_l = ½ (g_l + g'_l)·d_l: the work along each layer's part of the step. Where a
 * neighbourhood of layers has the wrong sign, ΔV = Σ_l c_l p_l with c_l = −1 there. Of all neighbourhoods the one that fits best is
 * taken, where it explains nearly all that the signs as they are do not. Each step counts alike, by its misfit over Σ |p_l|, 1 at
 * most: a wrong sign soon leads to where few steps are as long as all others.
 *
 * With minibatches (`noisy`) g is of the batch that made d, and g'·d stands for p, which is ½ d'Hd too large; so what counts there
 * is where V did not fall as it was to.
 */
export function turnedLayers(
  accounts: readonly Account[],
  layers: readonly Named[],
  noisy: boolean,
): WrongSign | undefined {
  const steps = accounts
    .map(({ change, parts, noise }) => {
      const [promised, size] = [total(parts), total(parts.map(Math.abs))];
      return { parts, promised, size, missed: change - promised, chance: DEVIATIONS * Math.sqrt(noise) };
    })
    .filter(({ missed, size }) => Number.isFinite(missed) && size > 0);
  const misfits = (turned: readonly number[]) =>
    steps.map(({ missed, size, chance }, k) => {
      const rest = Math.abs(missed + turned[k]);
      return rest > chance ? Math.min(1, rest / size) ** 2 : 0;
    });
  const asItIs = misfits(steps.map(() => 0));
  const wrong = steps.filter(
    ({ missed, promised }, k) => asItIs[k] > MISFIT ** 2 && (!noisy || (missed > 0 && promised < 0)),
  );
  if (steps.length < 5 || wrong.length < Math.max(FEWEST, OFTEN * steps.length)) return undefined;
  let best = { cost: Infinity, left: Infinity, from: 0, to: 0 };
  for (let from = 0; from < layers.length; from++) {
    let turned = steps.map(() => 0);
    for (let to = from + 1; to <= layers.length; to++) {
      turned = turned.map((sum, k) => sum + 2 * steps[k].parts[to - 1]);
      const left = total(misfits(turned)) / total(asItIs);
      const cost = left + LAYER * (to - from);
      if (cost < best.cost) best = { cost, left, from, to };
    }
  }
  if (!(best.left < LEFT)) return undefined;
  const names = layers.slice(best.from, best.to).map(({ name }) => name);
  return { layers: names, all: names.length === layers.length, left: best.left };
}

/** A layer's promise that is worth a word, over V at the start; the share of it that V has to keep; and standard deviations. */
const [PROMISED, KEPT, STEADY] = [0.2, 0.3, 4];

/** Blocks that a run is seen as, and steps of each before it is as long as that. */
const [BLOCKS, SHORTEST] = [16, 4];

interface Block {
  /** Σ and Σ of squares of the steps' losses. */
  loss: number;
  squares: number;
  steps: number;
  measured: number;
  /** Σ p_s by layer, and Σ w_s p_s with weights w that rise from 0 to 1 through the block. */
  parts: number[];
  rising: number[];
}

/**
 * Mean losses of minibatches over blocks of steps, and what the gradients said of the way from one to the next. The mean of a block
 * is by Σ w_s ΔL_s below that of the block before, with weights that rise through that one and fall through this one.
 */
export class BlockAccounts {
  #blocks: Block[] = [];
  #length = SHORTEST;
  /** Σ p_s and Σ p_s² by layer. */
  #sums: number[] = [];
  #squares: number[] = [];

  /** The loss of one step's batch. */
  addLoss(loss: number): void {
    let block = this.#blocks.at(-1);
    if (!block || block.steps >= this.#length) {
      if (this.#blocks.length === BLOCKS) this.#merge();
      this.#blocks.push((block = { loss: 0, squares: 0, steps: 0, measured: 0, parts: [], rising: [] }));
    }
    block.loss += loss;
    block.squares += loss * loss;
    block.steps++;
  }

  /** The step that has led to the loss that came last. */
  addParts(parts: readonly number[]): void {
    const block = this.#blocks[this.#blocks.length - 1];
    const weight = (block.steps - 1) / this.#length;
    block.parts = parts.map((part, l) => part + (block.parts[l] ?? 0));
    block.rising = parts.map((part, l) => weight * part + (block.rising[l] ?? 0));
    block.measured++;
    this.#sums = parts.map((part, l) => part + (this.#sums[l] ?? 0));
    this.#squares = parts.map((part, l) => part * part + (this.#squares[l] ?? 0));
  }

  #merge(): void {
    this.#length *= 2;
    const blocks = this.#blocks;
    this.#blocks = [];
    const sum = (a: number[], b: number[]) =>
      Array.from({ length: Math.max(a.length, b.length) }, (_, l) => (a[l] ?? 0) + (b[l] ?? 0));
    for (let k = 0; k < blocks.length; k += 2) {
      const [a, b] = [blocks[k], blocks[k + 1]];
      this.#blocks.push({
        loss: a.loss + b.loss,
        squares: a.squares + b.squares,
        steps: a.steps + b.steps,
        measured: a.measured + b.measured,
        parts: sum(a.parts, b.parts),
        rising: sum(sum(a.rising, b.rising), b.parts).map((value) => value / 2),
      });
    }
  }

  get #whole(): Block[] {
    return this.#blocks.filter(({ steps, measured }) => steps >= this.#length && measured > 0);
  }

  /** The layer whose steps were to lower V most, where they were to do so steadily, and V fell by far less. */
  vainLayer(layers: readonly Named[], floor: number): WrongSign | undefined {
    const blocks = this.#whole;
    if (blocks.length < 4) return undefined;
    const [start, end] = [blocks[0], blocks[blocks.length - 1]].map(
      ({ loss, steps }) => loss / steps - floor,
    );
    const l = this.#sums.indexOf(smallest(this.#sums));
    const every = total(blocks.map(({ steps }) => steps)) / total(blocks.map(({ measured }) => measured));
    const promised = (-this.#sums[l] * every) / start;
    const fell = 1 - end / start;
    const steady = -this.#sums[l] > STEADY * Math.sqrt(this.#squares[l]);
    if (!(start > 0 && steady && promised > PROMISED && fell < Math.min(KEPT * promised, 0.5)))
      return undefined;
    return { layers: [layers[l].name], all: layers.length === 1, vain: { promised, fell } };
  }

  /** ΔV from block to block. */
  get accounts(): Account[] {
    const blocks = this.#whole;
    const variance = ({ loss, squares, steps }: Block) => (squares / steps - (loss / steps) ** 2) / steps;
    return blocks.slice(1).map((block, k): Account => {
      const before = blocks[k];
      const parts = block.parts.map((part, l) => {
        const rising = (before.steps / before.measured) * before.rising[l];
        return rising + (block.steps / block.measured) * (part - block.rising[l]);
      });
      const change = block.loss / block.steps - before.loss / before.steps;
      return { change, parts, noise: variance(before) + variance(block) };
    });
  }
}
