import type { TensorStep } from "../../stepper/info.js";
import { median } from "../vectors.js";
import type { Layer, StepSums } from "./layers.js";

/** What the last steps say of a layer. */
export interface LayerEvidence extends Pick<Layer, "name" | "shape" | "frozen"> {
  readonly size: number;
  /** Median of ‖g‖ / √size over the last steps, and at the first step. */
  readonly gradient: number;
  readonly firstGradient: number;
  /** ‖g‖ / √size where the whole ‖g‖ was largest. */
  readonly peakGradient: number;
  /** Median ‖d‖ / √size. */
  readonly update: number;
  /** Median ‖d‖ / ‖x‖, the update ratio ‖S u‖ / ‖x‖; Infinity for a layer of zeros. */
  readonly ratio: number;
  /** ‖x‖ at the start and now, and λ ‖x‖. */
  readonly firstNorm: number;
  readonly norm: number;
  readonly decay: number;
  /** Share of the coordinates whose gradient was 0 at each of the last steps. */
  readonly zeroShare: number;
  /** Share of its rows and of its columns, for a matrix, that are such coordinates alone. */
  readonly zeroRows: number;
  readonly zeroColumns: number;
}

/** Steps in which a coordinate's gradient has to be 0: between one and two times so many. */
const GENERATION = 20;

const gradientOf = (sums: StepSums[]) => sums.reduce((total, { gg }) => total + gg, 0);

/** What steps did to each layer. */
export class StepHistory {
  readonly layers: readonly Layer[];
  readonly #window: number;
  #first: StepSums[] = [];
  /** Where ‖g‖ was largest. */
  #peak: StepSums[] = [];
  #last: StepSums[][] = [];
  /** Those of them that were measured. */
  #measured: StepSums[][] = [];
  #count = 0;
  /** Coordinates whose gradient was not 0 in this generation of steps, and in the one before. */
  #alive: Uint8Array;
  #before: Uint8Array | undefined;

  constructor(layers: readonly Layer[], window: number) {
    this.layers = layers;
    this.#window = window;
    this.#alive = new Uint8Array(layers.at(-1)!.last);
  }

  /** Where the next step notes which gradients are not 0. */
  nextAlive(): Uint8Array {
    if (this.#count > 0 && this.#count % GENERATION === 0) {
      this.#before = this.#alive;
      this.#alive = new Uint8Array(this.#alive.length);
    }
    this.#count++;
    return this.#alive;
  }

  /** Gradients and lengths at the first point of the run. */
  begin(sums: StepSums[]): void {
    this.#first = sums;
    this.#peak = sums;
  }

  /** A step that was measured. */
  add(sums: StepSums[]): void {
    this.#keep(this.#measured, sums);
    this.#addAny(sums);
  }

  /** One that was not, by what it tells of its tensors; layers that take no part stay as they were. */
  addTold(tensors: readonly TensorStep[]): StepSums[] {
    let next = 0;
    const sums = this.layers.map(({ told }, k): StepSums => {
      if (!told) return { ...this.#first[k], dd: 0 };
      const { gradNorm, paramsNorm, updateNorm } = tensors[next++];
      const [gg, xx, dd] = [gradNorm, paramsNorm, updateNorm].map((norm) => norm * norm);
      return { gg, xx, dd, gd: NaN, xd: NaN, arrival: NaN };
    });
    this.#addAny(sums);
    return sums;
  }

  #addAny(sums: StepSums[]): void {
    if (gradientOf(sums) > gradientOf(this.#peak)) this.#peak = sums;
    this.#keep(this.#last, sums);
  }

  #keep(list: StepSums[][], sums: StepSums[]): void {
    list.push(sums);
    if (list.length > this.#window) list.shift();
  }

  /** Median over the last steps of the length of a whole step relative to x. */
  get updateRatio(): number {
    const total = (sums: StepSums[], of: "dd" | "xx") => sums.reduce((sum, layer) => sum + layer[of], 0);
    return median(this.#last.map((sums) => Math.sqrt(total(sums, "dd") / total(sums, "xx"))));
  }

  /** Median of ‖d + η λ x‖, what steps would be without their decoupled weight decay. */
  withoutDecay(rate: number): number {
    const squares = (sums: StepSums[]) =>
      sums.reduce((sum, { dd, xd, xx }, k) => {
        const c = rate * this.layers[k].decay;
        return sum + dd + 2 * c * xd + c * c * xx;
      }, 0);
    return median(this.#measured.map((sums) => Math.sqrt(Math.max(0, squares(sums)))));
  }

  get evidence(): LayerEvidence[] {
    const steps = this.#last.length > 0 ? this.#last : [this.#first];
    return this.layers.map((layer, k): LayerEvidence => {
      const { name, shape, frozen, first, last, decay } = layer;
      const size = last - first;
      const typical = (of: (sums: StepSums) => number) => median(steps.map((sums) => of(sums[k])));
      const now = steps[steps.length - 1][k];
      return {
        ...{ name, shape, frozen, size },
        gradient: typical(({ gg }) => Math.sqrt(gg / size)),
        peakGradient: Math.sqrt(this.#peak[k].gg / size),
        firstGradient: Math.sqrt(this.#first[k].gg / size),
        update: typical(({ dd }) => Math.sqrt(dd / size)),
        ratio: typical(({ dd, xx }) => (xx > 0 ? Math.sqrt(dd / xx) : dd > 0 ? Infinity : 0)),
        firstNorm: Math.sqrt(this.#first[k].xx),
        norm: Math.sqrt(now.xx),
        decay: decay * Math.sqrt(now.xx),
        ...this.#zeros(layer),
      };
    });
  }

  #zeros({ first, last, shape }: Layer): Pick<LayerEvidence, "zeroShare" | "zeroRows" | "zeroColumns"> {
    const none = { zeroShare: 0, zeroRows: 0, zeroColumns: 0 };
    // A few gradients may be 0 by chance.
    if (this.#count < GENERATION / 2) return none;
    const columns = shape && shape.length > 1 ? shape.at(-1)! : 1;
    const rows = (last - first) / columns;
    const [inRow, inColumn] = [new Uint32Array(rows), new Uint32Array(columns)];
    let alive = 0;
    for (let i = first, k = 0; i < last; i++, k++) {
      if (!this.#alive[i] && !this.#before?.[i]) continue;
      alive++;
      inRow[Math.floor(k / columns)]++;
      inColumn[k % columns]++;
    }
    const empty = (counts: Uint32Array) => counts.filter((count) => count === 0).length / counts.length;
    return { zeroShare: 1 - alive / (last - first), zeroRows: empty(inRow), zeroColumns: empty(inColumn) };
  }
}
