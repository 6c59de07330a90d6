/**
 * The reference twin: one step of the method as the specification writes it, in plain TypeScript.
 *
 * Tests walk it beside the engine. It imports nothing from the package. Every elementwise operation is
 * followed by `round`, in the engine's order; sums and scalars are plain f64 and never rounded.
 * Numbers in brackets are the paper's equations.
 */
import { copyOf, momentsOf, ruleOf, type Moments } from "./reference/base.js";
import type {
  Adopted,
  AnchorOptions,
  BaseOptions,
  ClipOptions,
  ReferenceOptions,
  Round,
  TensorOptions,
  TunerOptions,
} from "./reference/options.js";
import { innerProduct, Tuner, type Sums } from "./reference/tuner.js";

export * from "./reference/options.js";

/** What a step measured by itself (gradNorm, h) and what it did (everything else). */
export interface ReferenceStep {
  /** The base's rate, after the schedule and the norm. */
  eta: number;
  /** |g| before clipping. */
  gradNorm: number;
  /** |g| after clipping. */
  clippedNorm: number;
  /** |x_t|, or |x_t + u_t| in the form "mechanic". */
  xNorm: number;
  h: number;
  /** S_{t+1}, the one that x_{t+1} is made with. */
  S: number;
  u: Float64Array;
  W: number[];
}

/** The running part of a tensor in the flat vectors. */
interface Range {
  start: number;
  end: number;
  learningRate: number;
  weightDecay: number;
}

/** |a|, right also where the squares overflow or vanish. */
export function norm(a: ArrayLike<number>): number {
  let sum = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    sum += a[i] * a[i];
    largest = Math.max(largest, Math.abs(a[i]));
  }
  if ((sum > 1e-280 && sum < Infinity) || largest === 0 || !(largest < Infinity)) return Math.sqrt(sum);
  sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The first step after t that ends a window: first * growth^k rounded up, or a multiple of `every`. */
export function nextAnchor(anchor: AnchorOptions, t: number): number {
  if ("every" in anchor) return (Math.floor(t / anchor.every) + 1) * anchor.every;
  const { first = 64, growth = 2 } = anchor;
  if (!(growth > 1)) throw new RangeError("growth must be above 1");
  let k = 0;
  while (Math.ceil(first * growth ** k) <= t) k++;
  return Math.ceil(first * growth ** k);
}

function rangesOf(tensors: readonly TensorOptions[], base: BaseOptions): Range[] {
  const ranges: Range[] = [];
  let end = 0;
  for (const tensor of tensors) {
    const start = end;
    end += tensor.size;
    if (tensor.frozen) continue;
    ranges.push({
      start,
      end,
      learningRate: tensor.learningRate ?? 1,
      weightDecay: tensor.weightDecay ?? base.weightDecay,
    });
  }
  return ranges;
}

export class Reference {
  readonly x: Float64Array;
  readonly xRef: Float64Array;
  readonly delta: Float64Array;
  iterations = 0;

  readonly #base: BaseOptions;
  readonly #options: TunerOptions | null;
  readonly #tuner: Tuner | null;
  readonly #ranges: Range[];
  readonly #normAdaptive: boolean;
  readonly #clip: ClipOptions;
  readonly #round: Round;
  #moments: Moments;

  constructor(x0: ArrayLike<number>, options: ReferenceOptions) {
    const { base, tuner, tensors = [{ size: x0.length }] } = options;
    const total = tensors.reduce((sum, tensor) => sum + tensor.size, 0);
    if (total !== x0.length) throw new RangeError(`tensors hold ${total} elements, x0 ${x0.length}`);
    this.#round = options.round ?? ((value) => value);
    this.x = Float64Array.from(x0, this.#round);
    this.xRef = this.x.slice();
    this.delta = new Float64Array(x0.length);
    this.#base = base;
    this.#options = tuner;
    this.#tuner = tuner && new Tuner(tuner, options.sStart);
    this.#ranges = rangesOf(tensors, base);
    this.#normAdaptive = options.normAdaptive ?? false;
    this.#clip = options.clip ?? {};
    this.#moments = momentsOf(x0.length);
  }

  get m(): number[] {
    return this.#tuner?.m ?? [];
  }
  get v(): number[] {
    return this.#tuner?.v ?? [];
  }
  get r(): number[] {
    return this.#tuner?.r ?? [];
  }
  get s(): number[] {
    return this.#tuner?.s ?? [];
  }
  /** Sum of s; 1 without a tuner, where the base's update is taken as it is. */
  get S(): number {
    return this.#tuner?.S ?? 1;
  }
  /** The base's moments. */
  get mu(): Float64Array {
    return this.#moments.mu;
  }
  get nu(): Float64Array {
    return this.#moments.nu;
  }

  /** One step; throws before any state changes when h is not finite. */
  step(gradient: ArrayLike<number>, alpha: number, adopt: Adopted = {}): ReferenceStep {
    const round = this.#round;
    const raw = this.#running(gradient);
    const gradNorm = norm(raw);
    const known = adopt.gradNorm ?? gradNorm;
    const g = this.#clipped(raw, known);
    const eta = this.#normAdaptive ? alpha / (1 + known) : alpha; // (14), Alg. 1 line 3
    const moments = copyOf(this.#moments);
    const u = this.#update(g, eta, moments); // Alg. 1 line 4
    const clippedNorm = norm(g);
    const tuner = this.#tuner;
    if (!tuner) {
      this.#keep(moments);
      const xNorm = norm(this.#running(this.x));
      this.#each((i) => (this.x[i] = round(this.x[i] + u[i])));
      return { eta, gradNorm, clippedNorm, xNorm, h: 0, S: 1, u, W: [] };
    }
    const delta = this.#accumulated(tuner.options);
    const sums = this.#sums(tuner.options, delta, g, u);
    const h = innerProduct(tuner.options, sums, this.S); // (26)
    const used = adopt.h ?? h;
    if (!Number.isFinite(used)) throw new Error(`h is ${used}: the step cannot be taken`);
    this.#keep(moments);
    tuner.advance(used); // (27)-(32)
    const S = tuner.S;
    this.#each((i) => {
      this.delta[i] = round(delta[i] + u[i]); // (24)
      this.x[i] = round(this.xRef[i] + round(round(S) * this.delta[i])); // (33)
    });
    this.#anchorOnBoundary();
    return { eta, gradNorm, clippedNorm, xNorm: sums.xNorm, h, S, u, W: tuner.W.slice() };
  }

  /** Moves the reference point to x and starts the tuner over; the base's moments stay. */
  anchor(): void {
    this.xRef.set(this.x);
    this.delta.fill(0);
    this.#tuner?.restart(this.#options?.anchor?.carry ?? 0.6);
  }

  #anchorOnBoundary(): void {
    const anchor = this.#options?.anchor;
    if (anchor && nextAnchor(anchor, this.iterations - 1) === this.iterations) this.anchor();
  }

  #keep(moments: Moments): void {
    this.iterations++;
    this.#moments = moments;
    // Moments that have all but vanished are let go, now and then.
    if (this.iterations % 256 > 0) return;
    for (const moment of [moments.mu, moments.nu, moments.third]) {
      this.#each((i) => (moment[i] = Math.abs(moment[i]) < 2 ** -120 ? 0 : moment[i]));
    }
  }

  /** Every coordinate that is not frozen. */
  #each(visit: (i: number) => void): void {
    for (const { start, end } of this.#ranges) for (let i = start; i < end; i++) visit(i);
  }

  /** A rounded copy in which frozen coordinates are 0, so that no sum sees them. */
  #running(values: ArrayLike<number>): Float64Array {
    const copy = new Float64Array(this.x.length);
    this.#each((i) => (copy[i] = this.#round(values[i])));
    return copy;
  }

  /** g within +-value, then within the ball of radius `norm`. */
  #clipped(raw: Float64Array, gradNorm: number): Float64Array {
    const round = this.#round;
    const value = round(this.#clip.value ?? Infinity);
    const g = raw.map((g) => Math.min(value, Math.max(-value, g)));
    if (this.#clip.norm === undefined) return g;
    const length = this.#clip.value === undefined ? gradNorm : norm(g);
    const scale = round(Math.min(1, this.#clip.norm / (length + 1e-6)));
    return scale === 1 ? g : g.map((g) => round(g * scale));
  }

  /** u_t = BASE(g_t; eta_t), tensor by tensor. */
  #update(g: Float64Array, eta: number, moments: Moments): Float64Array {
    const u = new Float64Array(g.length);
    for (const { start, end, learningRate, weightDecay } of this.#ranges) {
      const rates = { eta, multiplier: learningRate, weightDecay, t: this.iterations + 1 };
      const rule = ruleOf(this.#base, rates, this.#round);
      for (let i = start; i < end; i++) u[i] = rule(i, this.x[i], g[i], moments);
    }
    return u;
  }

  /** Delta_t: kept, or made again from where x is; "additive" is (25) as printed. */
  #accumulated({ delta, eps }: TunerOptions): Float64Array {
    if (delta === "stored") return this.delta;
    const { x, xRef, S } = this;
    const round = this.#round;
    const made = new Float64Array(x.length);
    const inverse = round(1 / (S + eps));
    const added = round(S + eps);
    this.#each((i) => {
      const moved = round(x[i] - xRef[i]);
      made[i] = delta === "additive" ? round(moved + added) : round(moved * inverse); // (25)
    });
    return made;
  }

  #sums({ form }: TunerOptions, delta: Float64Array, g: Float64Array, u: Float64Array): Sums {
    const at = this.#running(this.x);
    // The PyTorch implementation measures the point that the base has already moved.
    if (form === "mechanic") this.#each((i) => (at[i] = this.#round(at[i] + u[i])));
    return {
      dot: dot(delta, g),
      gNorm: norm(g),
      xNorm: norm(at),
      deltaNorm: norm(delta),
      dotX: dot(delta, at),
    };
  }
}
