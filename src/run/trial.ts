import { OptimizerError } from "../common/errors.js";
import { expectBoolean, expectLoss, expectNumber, expectOptions } from "../common/expect.js";
import { nextFactor, rises, type Violation } from "./guard.js";
import type { Backoff, Snapshot } from "../engine/snapshot.js";
import type { Seen, StepInfo } from "../stepper/info.js";
import { bisect, leaves } from "./level.js";
import type { CheckedRun } from "./options.js";
import type { Stepper } from "../stepper/stepper.js";

/** Yields the number of each step whose loss and gradient are wanted at the present parameters; is sent the loss. */
export type LossRequests<Result> = Generator<number, Result, number>;

/** What a run counts. */
export class RunCounts {
  evaluations = 0;
  violations = 0;
  rejections = 0;
  projections = 0;

  *ask(step: number): LossRequests<number> {
    const loss = expectLoss("source", yield step);
    this.evaluations++;
    return loss;
  }
}

/**
 * Refuses what would disturb an optimizer at work, or one whose thread has died. Monitors may move the point, but take no
 * step: `moves` says that the call does no more than that.
 */
export function expectIdle(stepper: Stepper, call: string, moves = false): Stepper {
  stepper.expectEngine();
  const { task } = stepper;
  if (task && !(moves && stepper.open)) {
    if (task === "stepAsync")
      throw new OptimizerError("threads", `${call}: a stepAsync is under way; await it first`);
    const cure = "wait until it has ended, and step from no source or monitor of its own";
    throw new OptimizerError("busy", `${call}: a ${task} of this optimizer is under way; ${cure}`);
  }
  if (moves) stepper.moves++;
  return stepper;
}

/** Takes what is known and wanted of a step; returns the loss. That it is not finite is no mistake of the caller's, but a run that diverged. */
export function lossSeen(stepper: Stepper, seen: Seen | undefined): number | undefined {
  if (seen === undefined) return void stepper.watch();
  expectOptions("seen", seen, ["loss", "tensors"]);
  const { loss, tensors = false } = seen;
  if (loss !== undefined && typeof loss !== "number") expectNumber("seen.loss", loss);
  stepper.watch(expectBoolean("seen.tensors", tensors));
  return loss;
}

/** What becomes of a step whose loss is known not to be finite; undefined where it may be taken. */
export function refuseLoss(stepper: Stepper, loss?: number, lastLoss?: number): StepInfo | undefined {
  if (loss === undefined || Number.isFinite(loss)) return undefined;
  const step = stepper.clock.iterations + 1;
  const before = lastLoss === undefined ? "" : `; the last finite one was ${lastLoss}`;
  const message = `step ${step}: the loss is ${loss}${before}`;
  return stepper.refuse(new OptimizerError("diverged", message, { step, loss: lastLoss }));
}

/** What a step threw, and the finite loss that it was taken at. */
export function atLoss(error: unknown, loss?: number): unknown {
  if (loss === undefined || !(error instanceof OptimizerError) || error.code !== "diverged") return error;
  return new OptimizerError("diverged", error.message, { step: error.step, loss });
}

/** A step at a known loss; an error also says the last finite loss. */
export function takeStep(stepper: Stepper, loss?: number, lastLoss?: number, factor = 1): StepInfo {
  const refused = refuseLoss(stepper, loss, lastLoss);
  if (refused) return refused;
  try {
    return stepper.step(factor, loss);
  } catch (error) {
    throw atLoss(error, loss);
  }
}

/** Calls those who may move the point; have they. */
export function letMove(stepper: Stepper, call: () => void): boolean {
  const { moves } = stepper;
  stepper.open = true;
  try {
    call();
  } finally {
    stepper.open = false;
  }
  return stepper.moves !== moves;
}

/** Monitors have their part of a step. */
export function complete(stepper: Stepper, { monitors }: CheckedRun, info: StepInfo): StepInfo {
  if (!info.skipped) letMove(stepper, () => monitors.forEach((monitor) => monitor.complete?.(info)));
  return info;
}

/** A try of a step, and where it led. */
interface Try {
  readonly info: StepInfo;
  /** L(x_{t+1}); undefined where the step was skipped. */
  readonly after?: number;
  /** The same, where the next step can use it together with the gradient in the engine. */
  readonly known?: number;
  /** The level cut the step short; `held`: to nothing. */
  readonly projected: boolean;
  readonly held: boolean;
}

/** A step that stays. */
export interface Trial extends Try {
  readonly violated: boolean;
  readonly rejections: number;
}

/** A step that nobody looks after. */
export function untried(info: StepInfo): Trial {
  return { info, projected: false, held: false, violated: false, rejections: 0 };
}

/** What a try starts from: L(x_t), the last finite loss before it, and the way back. */
interface Start {
  readonly loss: number;
  /** What monitors add to it. */
  readonly penalty: number | undefined;
  readonly lastLoss: number | undefined;
  readonly snapshot: Snapshot;
}

/** Takes steps that a guard or a level looks after. */
export class Trials {
  readonly #stepper: Stepper;
  readonly #run: CheckedRun;
  readonly #counts: RunCounts;
  /** A guard may have changed the rate. */
  readonly #rated: boolean;
  #snapshot: Snapshot | undefined;
  /** Whether it is known that the step stays. */
  #settled = false;
  #secondSnapshot: Snapshot | undefined;

  /** `probed`: the guard looks after each step, and judges no tries. */
  constructor(stepper: Stepper, run: CheckedRun, counts: RunCounts, probed: boolean) {
    this.#stepper = stepper;
    this.#run = probed ? { ...run, guard: null } : run;
    this.#counts = counts;
    this.#rated = run.guard !== null;
  }

  /** One step. Undefined when the guard finds none that it lets pass: then, and after an error, nothing has changed. */
  *step(loss: number, lastLoss: number | undefined): LossRequests<Trial | undefined> {
    // What somebody has written to the point must not count as settled.
    this.#stepper.lookAtAll();
    const snapshot = (this.#snapshot = this.#stepper.snapshot(this.#snapshot));
    this.#settled = false;
    try {
      return yield* this.#guarded({ loss, penalty: this.#penalty, lastLoss, snapshot });
    } finally {
      if (!this.#settled) this.#stepper.rollBack(snapshot);
    }
  }

  /** Tries until the guard is content. */
  *#guarded(start: Start): LossRequests<Trial | undefined> {
    const { guard, signal } = this.#run;
    let backoff: Backoff | undefined;
    for (let rejections = 0; ;) {
      const found = yield* this.#levelled(start, rejections);
      const violation = this.#violationOf(start, found);
      this.#settled = !violation || guard?.policy !== "reject";
      if (this.#settled) this.#adjustRate(violation !== undefined, rejections);
      // It may throw: by now everything else is done.
      if (violation) guard?.onViolation?.(violation);
      if (this.#settled || !guard)
        return { ...found, violated: violation !== undefined || rejections > 0, rejections };
      this.#counts.rejections++;
      if (++rejections >= guard.tries || signal?.aborted) return undefined;
      backoff = this.#stepper.backOff(start.snapshot, backoff);
    }
  }

  /** Undefined where no monitor has one. */
  get #penalty(): number | undefined {
    const { params } = this.#stepper.engine;
    const penalties = this.#run.monitors.filter((monitor) => "penalty" in monitor);
    return penalties[0] && penalties.reduce((sum, monitor) => sum + (monitor.penalty?.(params) ?? 0), 0);
  }

  #violationOf({ loss: before, penalty }: Start, { info, after }: Try): Violation | undefined {
    const { guard } = this.#run;
    if (!guard || after === undefined) return undefined;
    // The next step could not be taken, so going back is better.
    const broken = guard.policy === "reject" && !Number.isFinite(this.#stepper.gradSquares());
    const { params } = this.#stepper.engine;
    const attempt = { step: info.step, before, after, params };
    const risesWith = (more: number) =>
      rises(guard, { ...attempt, before: before + more, after: after + this.#penalty! });
    const risen = () => rises(guard, attempt) && (penalty === undefined || risesWith(penalty));
    if (!broken && !risen()) return undefined;
    this.#counts.violations++;
    return { step: info.step, before, after: broken ? NaN : after };
  }

  /** With "shrink", and with "reject" where there is no S to lower. */
  #adjustRate(violated: boolean, rejections: number): void {
    const { guard } = this.#run;
    const { config, clock } = this.#stepper;
    const adjusts = guard?.policy === "shrink" || (guard?.policy === "reject" && config.tuner === null);
    if (adjusts && rejections === 0) this.#stepper.setRateFactor(nextFactor(clock.rateFactor, violated));
  }

  /** One try, corrected where it falls below the level. */
  *#levelled(start: Start, rejections: number): LossRequests<Try> {
    const { level } = this.#run;
    // After a rejection a shorter try starts from the way back, too.
    const snapshot =
      level && rejections > 0
        ? (this.#secondSnapshot = this.#stepper.snapshot(this.#secondSnapshot))
        : start.snapshot;
    const found = yield* this.#plain(start, 1);
    if (!level || !leaves(level, start.loss, found.after)) return found;
    this.#counts.projections++;
    if (level.action === "project") return yield* this.#project(snapshot, start.loss, found.info);
    for (let k = 1; k <= level.tries; k++) {
      this.#stepper.rollBack(snapshot);
      const shorter = yield* this.#plain(start, 0.5 ** k);
      if (shorter.after !== undefined && shorter.after >= level.value) return { ...shorter, projected: true };
    }
    return this.#place(snapshot, found.info, 0, start.loss, true);
  }

  *#plain({ loss, lastLoss }: Start, factor: number): LossRequests<Try> {
    const { deterministic } = this.#run;
    const rateFactor = this.#rated ? this.#stepper.clock.rateFactor : 1;
    const info = complete(
      this.#stepper,
      this.#run,
      takeStep(this.#stepper, loss, lastLoss, factor * rateFactor),
    );
    if (info.skipped) return { info, projected: false, held: false };
    const after = yield* this.#askAfter(info);
    return { info, after, known: deterministic ? after : undefined, projected: false, held: false };
  }

  /** The loss after a step. Another step's batch would give another V, so it is asked for this one's again. */
  *#askAfter({ step }: StepInfo): LossRequests<number> {
    return yield* this.#counts.ask(this.#run.deterministic ? step + 1 : step);
  }

  *#project(snapshot: Snapshot, loss: number, info: StepInfo): LossRequests<Try> {
    const { params } = this.#stepper.engine;
    const end = params.slice();
    const search = bisect(this.#run.level!, loss);
    let asked = 1;
    let point = search.next();
    while (!point.done) {
      asked = point.value;
      interpolate(snapshot.copy.params, end, asked, params);
      point = search.next(yield* this.#askAfter(info));
    }
    interpolate(snapshot.copy.params, end, point.value.theta, params);
    return this.#place(snapshot, info, point.value.theta, point.value.loss, asked === point.value.theta);
  }

  /** Makes x, which is at `theta` between x_t and x_{t+1}, the reference. */
  #place(snapshot: Snapshot, info: StepInfo, theta: number, loss: number, fresh: boolean): Try {
    const { params, grads } = this.#stepper.engine;
    const held = theta === 0;
    if (held) grads.set(snapshot.copy.grads);
    if (held) params.set(snapshot.copy.params);
    this.#stepper.takeReference();
    const known = this.#run.deterministic && (held || fresh) ? loss : undefined;
    return { info, after: loss, known, projected: true, held };
  }
}

/** out ← from + theta (to − from), rounded once. */
function interpolate(from: Float32Array, to: Float32Array, theta: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = from[i] + theta * (to[i] - from[i]);
}
