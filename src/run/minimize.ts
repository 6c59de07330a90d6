import { expectFunction } from "../common/expect.js";
import { nextFactor, Probe, type Seen } from "./guard.js";
import { checkRun, type RunInfo, type RunOptions, type CheckedRun, type Solution } from "./options.js";
import type { Watch } from "../stepper/clock.js";
import type { AsyncGradientSource, GradientSource } from "../sources/source.js";
import type { Stepper } from "../stepper/stepper.js";
import {
  complete,
  expectIdle,
  letMove,
  takeStep,
  RunCounts,
  Trials,
  untried,
  type LossRequests,
  type Trial,
} from "./trial.js";
import { fallsNearby } from "./zero-gradient.js";

const PATIENCE = 200;
/** A deterministic run that the level held in place for so many steps in a row is at its end. */
const HELD = 20;

/** The lowest loss so far, and whether it still falls. */
class StallDetector {
  #first: number | undefined;
  #best: number;
  #reference: number;
  #waited: number;

  constructor({ first, best = Infinity, reference = Infinity, waited = 0 }: Watch) {
    this.#first = first;
    this.#best = best;
    this.#reference = reference;
    this.#waited = waited;
  }

  get watch(): Watch {
    const known = { first: this.#first, best: this.#best, reference: this.#reference, waited: this.#waited };
    return this.#first === undefined ? {} : known;
  }

  /** Whether the loss is above the first one, and was never below it. */
  hasRisen(loss: number): boolean {
    return loss > this.#first! && this.#best >= this.#first!;
  }

  stalls(loss: number, tolerance: number): boolean {
    this.#first ??= loss;
    this.#best = Math.min(this.#best, loss);
    if (this.#reference - this.#best > tolerance) {
      this.#reference = this.#best;
      this.#waited = 0;
    }
    return this.#waited++ >= PATIENCE;
  }
}

/** Thrown into a loop whose source does not answer while its signal is aborted. */
class Aborted extends Error {}

/** What a run knows between steps. */
class RunState {
  taken = 0;
  /** The last finite loss. */
  lastLoss: number | undefined;
  /** Loss at the present parameters, where it is known together with the gradient. */
  known: number | undefined;
  #progress = new StallDetector({});
  #held = 0;
  /** For a run that goes on from here, and looks at the loss here itself; `#watches`: if there is anything to know. */
  #watch: Watch = {};
  #watches = false;

  /** Goes on from a run that ended here; where its loss is not known, it was saved or broke off on its way. */
  begin({ lossTolerance, level }: CheckedRun, stepper: Stepper, loss: number, probe?: Probe): void {
    const { watch: last, iterations } = stepper.clock;
    const watch = last && (last.loss ?? loss) === loss ? last : {};
    if (lossTolerance !== undefined) this.#progress = new StallDetector(watch);
    if (level) this.#held = watch.held ?? 0;
    this.#watches = lossTolerance !== undefined || level !== null || probe !== undefined;
    this.#keep();
    probe?.begin(iterations, stepper.engine.params, watch.probed);
  }

  #keep(): void {
    if (this.#watches) this.#watch = { ...this.#progress.watch, held: this.#held };
  }

  /** What a run is to know that goes on from here; `loss` where this one ends. */
  watchAt(probe: Probe | undefined, loss?: number): Watch | undefined {
    return this.#watches ? { ...this.#watch, probed: probe?.measured, loss } : undefined;
  }

  /** Why the run ends here, if it does. */
  reason(run: CheckedRun, loss: number, stepper: Stepper): Solution["reason"] | undefined {
    const { steps = Infinity, signal, deterministic } = run;
    if (signal?.aborted) return "aborted";
    if (Number.isFinite(loss) && this.#converged(run, loss, stepper))
      return this.#progress.hasRisen(loss) ? "risen" : "converged";
    if (this.taken >= steps) return "steps";
    return deterministic && this.#held >= HELD ? "stalled" : undefined;
  }

  #converged({ gradientTolerance, lossTolerance }: CheckedRun, loss: number, stepper: Stepper): boolean {
    if (gradientTolerance !== undefined && gradNorm(stepper) <= gradientTolerance) return true;
    return lossTolerance !== undefined && this.#progress.stalls(loss, lossTolerance);
  }

  moveOn(loss: number, { info, known, held }: Trial): void {
    this.taken++;
    if (!info.skipped) this.lastLoss = loss;
    this.known = known;
    this.#held = held ? this.#held + 1 : 0;
    this.#keep();
  }
}

/**
 * The loop, without the source: yields the number of each step whose loss and gradient it wants at the present
 * parameters, and is sent the loss. So one loop serves sources that answer at once and sources that do not.
 */
function* descend(stepper: Stepper, options: RunOptions): LossRequests<Solution> {
  const run = checkRun(options);
  expectIdle(stepper, "minimize");
  stepper.task = "run";
  try {
    stepper.setRejects(run.guard?.policy === "reject");
    stepper.setExact(run.deterministic);
    return yield* takeSteps(stepper, run);
  } finally {
    stepper.setRejects(false);
    stepper.setExact(false);
    stepper.task = "";
  }
}

function* takeSteps(stepper: Stepper, run: CheckedRun): LossRequests<Solution> {
  const counts = new RunCounts();
  const state = new RunState();
  try {
    return yield* stepOn(stepper, run, counts, state);
  } catch (error) {
    if (!(error instanceof Aborted)) throw error;
    return { loss: state.lastLoss ?? NaN, steps: state.taken, ...counts, reason: "aborted" };
  }
}

function* stepOn(
  stepper: Stepper,
  run: CheckedRun,
  counts: RunCounts,
  state: RunState,
): LossRequests<Solution> {
  const { until, signal, monitors } = run;
  const probe = run.guard?.probe && new Probe(run.guard, run.guard.probe);
  const watched = (run.guard && !probe) || run.level;
  const trials = watched ? new Trials(stepper, run, counts, probe !== undefined) : undefined;
  for (let { moves } = stepper, begins = true; ; begins = false) {
    const loss = yield* arrive(stepper, run, state.known, counts);
    if (begins) state.begin(run, stepper, loss, probe);
    const solution = (reason: Solution["reason"], last = loss): Solution => {
      const cut = ["steps", "until", "aborted"].includes(reason);
      stepper.setWatch(cut ? state.watchAt(probe, last) : undefined);
      return { loss: last, steps: state.taken, ...counts, reason };
    };
    if (stepper.clock.iterations === 0 && gradNorm(stepper) === 0)
      yield* expectGradient(stepper, loss, counts);
    const reason = state.reason(run, loss, stepper);
    if (reason) return solution(reason);
    if (stepper.moves !== moves) probe?.forget();
    const trial = trials
      ? yield* trials.step(loss, state.lastLoss)
      : untried(
          complete(stepper, run, takeStep(stepper, loss, state.lastLoss, probe && stepper.clock.rateFactor)),
        );
    ({ moves } = stepper);
    if (!trial) return solution(signal?.aborted ? "aborted" : "stalled");
    state.moveOn(loss, trial);
    const seen = probe?.look(trial.info.step, stepper.engine.params);
    stepper.setWatch(state.watchAt(probe));
    if (seen) heed(seen, run, stepper, counts);
    const info = runInfo(trial, seen, loss, counts.evaluations);
    let ends = false;
    const moved = letMove(stepper, () => {
      for (const monitor of monitors) monitor.afterStep?.(info);
      ends = until?.(info) ?? false;
    });
    if (moved) state.known = undefined;
    if (ends) return solution("until", yield* arrive(stepper, run, state.known, counts));
  }
}

/** What the guard does about what its probe has shown. */
function heed(seen: Seen, { guard }: CheckedRun, stepper: Stepper, counts: RunCounts): void {
  const { step, before, after, violated } = seen;
  if (guard?.policy === "shrink") stepper.setRateFactor(nextFactor(stepper.clock.rateFactor, violated));
  if (!violated) return;
  counts.violations++;
  guard?.onViolation?.({ step, before, after });
}

/** A loss that falls where its gradient is 0 has none written. */
function* expectGradient(stepper: Stepper, loss: number, counts: RunCounts): LossRequests<void> {
  if (!Number.isFinite(loss) || !(yield* fallsNearby(stepper, loss, counts))) return;
  const cure = "it has to write the gradient to its second argument, every coordinate of it";
  throw new TypeError(`source: its gradient is 0 at the start, yet its loss falls nearby; ${cure}`);
}

/** Loss and gradient at the present point, which the monitors see; where they move it, of where they leave it. */
function* arrive(
  stepper: Stepper,
  { monitors, deterministic }: CheckedRun,
  known: number | undefined,
  counts: RunCounts,
): LossRequests<number> {
  const step = stepper.clock.iterations + 1;
  const loss = known ?? (yield* counts.ask(step));
  const { params, grads } = stepper.engine;
  const { tensors, config } = stepper;
  const moved = letMove(stepper, () => {
    for (const monitor of monitors)
      monitor.beforeStep?.({ step, loss, params, grads, deterministic, tensors, config });
  });
  stepper.watch(monitors.some((monitor) => monitor.watches?.(step)));
  return moved ? yield* counts.ask(step) : loss;
}

/** What monitors see. */
function runInfo(trial: Trial, seen: Seen | undefined, loss: number, evaluations: number): RunInfo {
  const { info, after, violated, rejections, projected } = trial;
  return {
    ...info,
    loss,
    evaluations,
    lossAfter: seen ? seen.after : after,
    violated: seen ? seen.violated : violated,
    rejections,
    projected,
  };
}

/** ‖g‖ over the tensors that are not frozen, in float64. */
function gradNorm({ config, tensors }: Stepper): number {
  let squares = 0;
  tensors.forEach(({ grads }, k) => {
    if (config.tensors[k].frozen) return;
    for (let i = 0; i < grads.length; i++) squares += grads[i] * grads[i];
  });
  return Math.sqrt(squares);
}

export function minimize(stepper: Stepper, source: GradientSource, run: RunOptions): Solution {
  expectFunction("source", source);
  const { params, grads } = stepper.engine;
  const loop = descend(stepper, run);
  try {
    let wanted = loop.next();
    while (!wanted.done) wanted = loop.next(source(params, grads, wanted.value));
    return wanted.value;
  } finally {
    close(loop);
  }
}

export async function minimizeAsync(
  stepper: Stepper,
  source: AsyncGradientSource,
  run: RunOptions,
): Promise<Solution> {
  expectFunction("source", source);
  const { params, grads } = stepper.engine;
  const loop = descend(stepper, run);
  const signal = run?.signal;
  let abort: (() => void) | undefined;
  const onAbort = () => abort?.();
  try {
    let wanted = loop.next();
    signal?.addEventListener?.("abort", onAbort);
    while (!wanted.done) {
      const asked = source(params, grads, wanted.value);
      const aborted = new Promise<undefined>((resolve) => (abort = () => resolve(undefined)));
      const loss = await Promise.race([asked, aborted]);
      wanted = loss === undefined && signal?.aborted ? loop.throw(new Aborted()) : loop.next(loss as number);
    }
    return wanted.value;
  } finally {
    signal?.removeEventListener?.("abort", onAbort);
    close(loop);
  }
}

/** Where the source threw in the middle of a trial, the loop takes the trial back. */
function close(loop: LossRequests<Solution>): void {
  loop.return(undefined as never);
}
