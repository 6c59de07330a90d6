/**
 * The reference twin: one step of the method as the specification writes it, in plain TypeScript.
 *
 * Tests walk it beside the engine. It takes nothing from the package but the type of a base's options. Every elementwise operation is
 * followed by `round`, in the engine's order; sums and scalars are plain f64 and never rounded.
 * Numbers in brackets are the paper's equations.
 */
import { scalingOf } from "./reference/coordinates.js";
import { carryOf, changeOf, CHOICES, decides, kindOf, modeOf, nextAnchor } from "./reference/kinds.js";
import { ratioOf } from "./reference/kinds.js";
import type { Kind, Mode } from "./reference/kinds.js";
import type { Adopted, ReferenceOptions, Round } from "./reference/options.js";
import { madeAgain, type Drive, type Limited, type Point, type Scaling } from "./reference/scaling.js";
import { runningOf, Updates, type Effects, type Tensor } from "./reference/updates.js";
import { clipped, norm, within } from "./reference/vectors.js";

export * from "./reference/options.js";
export { nextAnchor, type Choices, type Kind } from "./reference/kinds.js";
export { dot, norm } from "./reference/vectors.js";

/** The scheduled rate: a number, or what a schedule says of the step. */
export type Alpha = number | ((step: number, window: Window, kind: Kind) => number);

export interface Window {
  start: number;
  length: number;
}

/** What a step measured by itself (gradNorm, h, sInit) and what it did (everything else). */
export interface ReferenceStep {
  /** The base's rate, after the schedule and the norm. */
  eta: number;
  /** |g| before clipping. */
  gradNorm: number;
  /** |g| after clipping. */
  clippedNorm: number;
  /** |x_t|, or |x_t + u_t| in the form "mechanic". */
  xNorm: number;
  /** Summed over all tuners, and of each. */
  h: number;
  each: number[];
  /** S_{t+1}, the one that x_{t+1} is made with; the mean, where there are several. */
  S: number;
  u: Float64Array;
  effects?: Effects;
  W: number[];
  /** s_init, at the step that finds it. */
  sInit?: number;
  limited?: Limited;
}

export class Reference {
  readonly x: Float64Array;
  readonly xRef: Float64Array;
  readonly delta: Float64Array;
  /** Steps, those included that waited for a gradient. */
  iterations = 0;
  kind: Kind;

  readonly #options: ReferenceOptions;
  readonly #tensors: Tensor[];
  readonly #updates: Updates;
  readonly #scaling: Scaling | null;
  readonly #modes: Readonly<Record<Kind, Mode>>;
  readonly #round: Round;
  /** The gradient of the first step, until it is known what gradients are. */
  #first: Float64Array | null = null;
  /** What S was multiplied by before this step. */
  #rescaling = 1;
  #waited = 0;
  #windowStart = 0;
  #anchors = 0;
  #eta = 0;

  constructor(x0: ArrayLike<number>, options: ReferenceOptions) {
    const { base, tensors = [{ size: x0.length }], gradients = "auto", round = (value) => value } = options;
    const total = tensors.reduce((sum, tensor) => sum + tensor.size, 0);
    if (total !== x0.length) throw new RangeError(`tensors hold ${total} elements, x0 ${x0.length}`);
    this.#round = round;
    this.#options = options;
    this.x = Float64Array.from(x0, round);
    this.xRef = this.x.slice();
    this.delta = new Float64Array(x0.length);
    this.#tensors = runningOf(tensors, base.weightDecay);
    this.#updates = new Updates(options, x0.length, this.#tensors, round);
    this.#scaling = scalingOf(options, x0.length, this.#tensors, round);
    const choices = { ...CHOICES, ...options.choices };
    const mode = (kind: Kind) => modeOf(kind, gradients, base, options.tuner, choices);
    this.#modes = { undecided: mode("undecided"), exact: mode("exact"), noisy: mode("noisy") };
    this.kind = gradients === "auto" || decides(options.tuner, gradients) ? "undecided" : gradients;
  }

  /** The one tuner of all coordinates, where there is one. */
  get #tuner() {
    return this.#scaling?.tuners[0];
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
  /** Sum of s, the mean where there are several; 1 without a tuner, where the base's update is taken as it is. */
  get S(): number {
    return this.#scaling?.mean ?? 1;
  }
  /** S of every tuner that has one. */
  get scales(): number[] {
    return this.#scaling?.tuners.map(({ S }) => S) ?? [];
  }
  /** S of coordinate i. */
  scaleAt(i: number): number {
    return this.#scaling?.at(i) ?? 1;
  }
  /** The base's moments. */
  get mu(): Float64Array {
    return this.#updates.moments.mu;
  }
  get nu(): Float64Array {
    return this.#updates.moments.nu;
  }
  /** What is counted between steps. */
  get clock() {
    const { age, sum: weightSum, rateMax } = this.#updates.weights;
    const { iterations } = this;
    const steps = {
      iterations,
      skipped: this.#waited,
      windowStart: this.#windowStart,
      anchors: this.#anchors,
    };
    return { ...steps, age, weightSum, rateMax, slopes: this.#updates.slope.steps };
  }
  /** s_init is to be found by the next step that moves. */
  get unstarted(): boolean {
    return this.#mode.start > 0 && this.#scaling!.unstarted;
  }

  get #mode(): Mode {
    return this.#modes[this.kind];
  }

  /** The average of the parameters, where one is kept. */
  average(): Float64Array | null {
    const mode = this.#mode;
    if (!mode.averaging) return null;
    const average = this.x.slice();
    this.#each((i) => (average[i] += this.scaleAt(i) * this.#updates.offset(i, mode)));
    return average;
  }

  /** One step, `loss` where it is known; throws before any state changes when h is not finite. */
  step(gradient: ArrayLike<number>, alpha: Alpha, adopt: Adopted = {}, loss?: number): ReferenceStep {
    const round = this.#round;
    const raw = this.#running(gradient);
    const gradNorm = norm(raw);
    const known = adopt.gradNorm ?? gradNorm;
    const still = this.#undecided && gradNorm === 0;
    if (still) this.#windowStart = this.iterations + 1;
    if (still || (alpha === 0 && this.#scaling)) return this.#wait(gradNorm, still ? this.#eta : 0);
    const whole = clipped(raw, known, this.#options.clip, round);
    this.#decide(this.#updates.seen(whole.g, this.x));
    const mode = this.#mode;
    const eta = this.#rate(alpha, known);
    const t = this.iterations + 1 - this.#waited;
    const limits = this.#updates.limits(mode, t, adopt.gNorm ?? whole.gNorm);
    const { g } = clipped(raw, known, this.#options.clip, round, limits.clip);
    const seen = this.#updates.seen(g, this.x);
    const conditions = { x: this.x, eta, t, mode, limits };
    const { keep, ...update } = this.#updates.find(seen, conditions); // Alg. 1 line 4
    const found = { eta, gradNorm, clippedNorm: norm(g), ...update };
    const scaling = this.#scaling;
    if (!scaling) {
      this.#keep(keep, eta);
      const xNorm = norm(this.#running(this.x));
      this.#each((i) => (this.x[i] = round(this.x[i] + update.u[i])));
      return { ...found, xNorm, h: 0, each: [], S: 1, W: [] };
    }
    const point = this.#point(g, update.u, scaling);
    const sInit = this.unstarted ? this.#start(point, mode, adopt) : undefined;
    const gNorm = adopt.gNorm && adopt.gNorm * limits.clip;
    const measured = scaling.measure(point, { ...adopt, gNorm }); // (26)
    const wrong = measured.h.find((h) => !Number.isFinite(h));
    if (wrong !== undefined) throw new Error(`h is ${wrong}: the step cannot be taken`);
    this.#keep(keep, eta);
    const limited = scaling.advance(measured, point, this.#drive(mode, loss), adopt); // (27)-(32)
    const S = scaling.mean;
    const W = this.#tuner?.W.slice() ?? [];
    this.delta.set(point.next);
    this.#each((i) => (this.x[i] = round(this.xRef[i] + round(round(scaling.at(i)) * this.delta[i])))); // (33)
    if (this.#undecided) this.#first = this.#updates.first(g, this.x);
    this.#anchorOnBoundary(mode);
    const { own, xNorm } = measured;
    return { ...found, xNorm, h: own.reduce((a, b) => a + b), each: own, S, W, sInit, limited };
  }

  /** Moves the reference point to x and starts the tuner over; the base's moments stay, and averages go on. */
  anchor(): void {
    this.#anchors++;
    this.#windowStart = this.iterations;
    if (!this.#scaling) return;
    this.xRef.set(this.x);
    this.#updates.anchorAt(this.delta);
    this.delta.fill(0);
    this.#scaling.restart(carryOf(this.#mode));
  }

  #anchorOnBoundary({ anchor }: Mode): void {
    if (this.iterations >= nextAnchor(anchor, this.#windowStart)) this.anchor();
  }

  /** What gradients are taken to be: what is known beforehand counts. */
  get told(): Kind {
    return this.#options.gradients === "exact" ? "exact" : this.kind;
  }

  get #undecided(): boolean {
    const { tuner, gradients = "auto" } = this.#options;
    return this.kind === "undecided" && decides(tuner, gradients);
  }

  /** A gradient of 0 decides nothing and moves nothing; nor does a rate of 0. */
  #wait(gradNorm: number, eta: number): ReferenceStep {
    this.#count();
    this.#eta = eta;
    this.#waited++;
    const nothing = {
      gradNorm,
      clippedNorm: 0,
      xNorm: norm(this.#running(this.x)),
      h: 0,
      each: this.scales.map(() => 0),
      W: [],
    };
    const u = new Float64Array(this.x.length);
    return { ...nothing, eta, S: this.S, u };
  }

  /** What gradients are, once there are two; steps were short until then. */
  #decide(seen: Float64Array): void {
    this.#rescaling = 1;
    if (!this.#undecided || !this.#first) return;
    const before = this.#mode;
    const change = changeOf(this.#first, seen);
    this.kind = this.#options.gradients === "exact" ? "exact" : kindOf(change);
    this.#rescaling = ratioOf(before, this.#mode, this.kind, change);
    this.#scaling!.rescale(this.#rescaling);
    this.#first = null;
    if (!before.averaging) this.#updates.beginAt(this.delta);
  }

  /** eta_t: the schedule (34), warmed up, and scaled by the gradient's norm (14), Alg. 1 line 3. */
  #rate(alpha: Alpha, gradNorm: number): number {
    const { base, normAdaptive } = this.#options;
    const step = this.iterations + 1;
    const start = this.#windowStart;
    const window = { start, length: nextAnchor(this.#mode.anchor, start) - start };
    const scheduled = typeof alpha === "number" ? alpha : alpha(step, window, this.told);
    const warmup = base.name === "scheduleFree" ? base.warmupSteps : 0;
    const warmed = scheduled * Math.min(1, step / warmup);
    return normAdaptive ? warmed / (1 + gradNorm) : warmed;
  }

  /** s_init = start |x| / |u_1|: the first step is a share of x long, whatever the rate and the units of x. */
  #start({ x, next }: Point, { start }: Mode, adopt: Adopted): number | undefined {
    const moved = norm(next);
    if (moved === 0) return undefined;
    const active = this.#tensors.reduce((sum, tensor) => sum + tensor.end - tensor.start, 0);
    const length = norm(this.#running(x)) || Math.sqrt(active);
    const sInit = Math.min((start * length) / moved, 1e30);
    this.#scaling!.start(adopt.sInit ?? sInit);
    return sInit;
  }

  #point(g: Float64Array, u: Float64Array, scaling: Scaling): Point {
    const round = this.#round;
    const { x, xRef } = this;
    const tuner = this.#options.tuner!;
    const { delta: kept } = this;
    const made = tuner.delta === "stored" ? kept : madeAgain(tuner, scaling, x, xRef, round);
    const delta = within(this.#tensors, made);
    const next = delta.map((delta, i) => round(delta + u[i])); // (24)
    const lambda = tuner.lambda / this.#rescaling;
    return { lambda, g, x: x.slice(), ahead: x.map((x, i) => round(x + u[i])), delta, next };
  }

  #drive(mode: Mode, loss: number | undefined): Drive {
    const { growthLimit, promise, catchUp } = mode;
    const growth = growthLimit ? (this.#anchors === 0 ? growthLimit.first : growthLimit.later) : Infinity;
    // How many times as fast as its evidence S may grow; this step is counted by now.
    const age = this.iterations - 1 - this.#windowStart;
    const pace = loss !== undefined && loss < 0 ? Infinity : 1 + catchUp / age;
    return { mode, growth, pace, promise: loss !== undefined && loss >= 0 ? promise * loss : Infinity };
  }

  #keep(keep: () => void, eta: number): void {
    keep();
    this.#eta = eta;
    this.#count();
  }

  #count(): void {
    this.iterations++;
    if (this.iterations % 256 === 0) this.#updates.flush();
  }

  /** Every coordinate that is not frozen. */
  #each(visit: (i: number) => void): void {
    for (const { start, end } of this.#tensors) for (let i = start; i < end; i++) visit(i);
  }

  /** A rounded copy in which frozen coordinates are 0, so that no sum sees them. */
  #running(values: ArrayLike<number>): Float64Array {
    return within(this.#tensors, values).map(this.#round);
  }
}
