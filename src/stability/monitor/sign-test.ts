import type { LayerEvidence } from "./step-history.js";

/** Layers whose gradient has the wrong sign: what V did fits their gradients times −1. */
export interface WrongSign {
  readonly layers: readonly string[];
  /** They are all layers. */
  readonly all: boolean;
  /** Share of Σ (ΔV − p)² that is left with the other sign. */
  readonly left: number;
}

/** ΔV of a step or of some, and what each layer's gradient says of it, ½ (g + g')·d. */
export interface Account {
  readonly change: number;
  readonly parts: readonly number[];
}

/** Share of the misfit that the right signs leave, and share of ΔV that a misfit has to be. */
const [LEFT, LEAST] = [0.15, 0.3];
/** Share of the steps that have to fit better. */
const MOST = 0.8;

/**
 * ΔV = Σ_l p_l up to the third order in d, p_l = ½ (g_l + g'_l)·d_l: the work along each layer's part of the step. Where a
 * neighbourhood of layers has the wrong sign, ΔV = Σ_l c_l p_l with c_l = −1 there. Of all neighbourhoods the one that fits best is
 * taken, where it explains nearly all that the signs as they are do not.
 *
 * `noise` is the variance that ΔV has by itself. In minibatches g is of the batch that made d, and g'·d stands for p, which is
 * ½ d'Hd too large; so there only what V did not fall counts, where it is not little beside the first loss.
 */
export function wrongSign(
  accounts: readonly Account[],
  layers: readonly Pick<LayerEvidence, "name">[],
  noise: number,
  batches: { readonly first: number } | undefined,
): WrongSign | undefined {
  if (accounts.length < 5) return undefined;
  const missed = (from: number, to: number) =>
    accounts.map(({ change, parts }) =>
      parts.reduce((rest, part, l) => rest - (l >= from && l < to ? -part : part), change),
    );
  const squares = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
  const asItIs = missed(0, 0);
  const size = squares(accounts.map(({ parts }) => parts.reduce((sum, part) => sum + Math.abs(part), 0)));
  const chance = noise * accounts.length;
  if (!(squares(asItIs) > LEAST ** 2 * size && squares(asItIs) > 4 * chance)) return undefined;
  if (batches && !promisedInVain(accounts, asItIs, Math.max(5 * Math.sqrt(chance), 0.1 * batches.first)))
    return undefined;
  let best = { misfit: Infinity, from: 0, to: 0 };
  for (let from = 0; from < layers.length; from++) {
    for (let to = from + 1; to <= layers.length; to++) {
      const misfit = squares(missed(from, to));
      if (misfit < best.misfit) best = { misfit, from, to };
    }
  }
  const { misfit, from, to } = best;
  const left = batches ? 0.5 : LEFT;
  if (!(misfit - chance < left * (squares(asItIs) - chance))) return undefined;
  const better = missed(from, to).filter((value, k) => Math.abs(value) < Math.abs(asItIs[k]) / 2).length;
  if (!batches && better < MOST * accounts.length) return undefined;
  const names = layers.slice(from, to).map(({ name }) => name);
  return { layers: names, all: names.length === layers.length, left: misfit / squares(asItIs) };
}

/** Gradients promised that V would fall, and it fell by far less, and not by chance. */
function promisedInVain(accounts: readonly Account[], missed: readonly number[], least: number): boolean {
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const promised = total(accounts.map(({ parts }) => total(parts)));
  return promised < 0 && total(missed) > Math.max(-0.5 * promised, least);
}

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
    const block = this.#blocks.at(-1);
    const weight = (block.steps - 1) / this.#length;
    block.parts = parts.map((part, l) => part + (block.parts[l] ?? 0));
    block.rising = parts.map((part, l) => weight * part + (block.rising[l] ?? 0));
    block.measured++;
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

  /** ΔV from block to block, and the variance that chance gives it. */
  get accounts(): { accounts: Account[]; noise: number } {
    const blocks = this.#blocks.filter(({ steps, measured }) => steps >= this.#length && measured > 0);
    let noise = 0;
    const accounts = blocks.slice(1).map((block, k): Account => {
      const before = blocks[k];
      const parts = block.parts.map((part, l) => {
        const rising = (before.steps / before.measured) * before.rising[l];
        return rising + (block.steps / block.measured) * (part - block.rising[l]);
      });
      for (const { loss, squares, steps } of [before, block])
        noise += (squares / steps - (loss / steps) ** 2) / steps / (blocks.length - 1);
      return { change: block.loss / block.steps - before.loss / before.steps, parts };
    });
    return { accounts, noise };
  }
}
