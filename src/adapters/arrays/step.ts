import { KINDS } from "../../common/kinds.js";
import { NOISE_LIMIT, startRatio } from "../../stepper/gradients.js";
import { ENDLESS, TINY, type Algebra, type Flag, type Value } from "./algebra.js";
import { shortened, weighedSquare } from "./average.js";
import { ByKind, windowEnd } from "./kinds.js";
import type { Plan } from "./plan.js";
import type { ArrayState } from "./state.js";
import { advanced, choose, limited, rescaled, restarted, started, type TunerState } from "./tuner.js";
import { updated, type Given } from "./update.js";

export interface Taken<A> {
  readonly state: ArrayState<Value<A>>;
  /** x_{t+1} − x_t */
  readonly move: Value<A>;
  readonly gradNorm: Value<A>;
  readonly h: Value<A>;
  readonly learningRate: Value<A>;
  readonly finite: Flag<A>;
  /** As it was given; 0 where it is not known. */
  readonly loss: Value<A>;
}

/** Clips, as PyTorch does; `norm` is what the base sees of ‖g‖. */
function clipped<A>(c: Algebra<A>, { clip }: Plan, given: Value<A>, gradNorm: Value<A>, size: number) {
  const bounded = clip.value === undefined ? given : c.clamp(given, clip.value);
  const length = clip.value === undefined ? gradNorm : c.sqrt(c.sum(c.square(bounded), size));
  if (clip.norm === undefined) return { g: bounded, norm: length };
  const factor = c.min(1, c.div(clip.norm, c.add(length, 1e-6)));
  return { g: c.mul(factor, bounded), norm: c.mul(factor, length) };
}

/** What gradients are from here on, whether this step has found it out, and what S is multiplied by then. */
function judged<A>(
  c: Algebra<A>,
  plan: Plan,
  state: ArrayState<Value<A>>,
  seen: Value<A>,
  moves: Flag<A>,
  size: number,
) {
  const fixed = plan.kind;
  if (fixed) return { kind: KINDS.indexOf(fixed), rescaling: 1, decides: false };
  const decides = c.and(c.equal(state.kind, 0), c.less(state.momentumStart, state.applied), moves);
  if (decides === false) return { kind: state.kind, rescaling: 1, decides };
  const { slot, times } = plan.firstGradient ?? { slot: plan.leadSlot, times: 1 };
  const first = c.mul(times, state.slots[slot]);
  const apart = c.sum(c.square(c.sub(seen, first)), size);
  const both = c.add(c.sum(c.square(first), size), c.sum(c.square(seen), size));
  const noisy = plan.exact ? false : c.less(c.mul(NOISE_LIMIT, both), apart);
  const turning = c.sqrt(c.div(both, c.mul(2, c.max(apart, TINY))));
  const ratio = c.where(
    noisy,
    startRatio(plan.modes, "noisy"),
    c.min(startRatio(plan.modes, "exact", 0), turning),
  );
  const kind = c.where(decides, c.where(noisy, 2, 1), state.kind);
  return { kind, rescaling: c.where(decides, ratio, 1), decides };
}

/** What a step finds out before it changes anything. */
function observed<A>(c: Algebra<A>, plan: Plan, state: ArrayState<Value<A>>, given: Given<A>) {
  const { x, size, loss } = given;
  const squares = c.sum(c.square(given.g), size);
  const finite = c.and(c.finite(squares), loss === undefined ? true : c.finite(loss));
  const gradNorm = c.where(finite, c.sqrt(squares), 0);
  const whole = clipped(c, plan, c.where(finite, given.g, 0), gradNorm, size);
  const decayed = (g: Value<A>) => (plan.decoupled ? g : c.add(g, c.mul(given.weightDecay, x)));
  // A gradient of 0 decides nothing and moves nothing; nor does a rate of 0.
  const idle = plan.kind ? false : c.and(c.equal(state.kind, 0), c.equal(gradNorm, 0));
  const able = c.and(finite, c.not(idle));
  const { kind, rescaling, decides } = judged(c, plan, state, decayed(whole.g), able, size);
  const by = new ByKind(c, plan, kind);
  const step = c.add(state.iterations, 1);
  const start = state.windowStart;
  const end = by.number((mode) => windowEnd(c, mode, start));
  const scheduled = given.rate({ step, start, length: c.sub(end, start), exact: plan.exact || by.exact });
  const eta = plan.normAdaptive ? c.div(scheduled, c.add(1, gradNorm)) : scheduled;
  const wanted = c.and(c.not(idle), plan.tuner ? c.less(0, scheduled) : true);
  const moves = c.and(wanted, finite);
  const counts = given.trusts ? wanted : moves;
  const clips = by.flag((mode) => mode.clipsLong);
  const limits = { limit: by.gradientLimit, clips };
  const varies = by.flag((mode) => mode.weighsSquares);
  const weighed = weighedSquare(c, state.average, state.applied, whole.norm, { varies, moves });
  const { weight } = weighed;
  const { average, factor } = shortened(c, weighed.average, limits, whole.norm, { moves, counts, weight });
  const kept = c.where(clips, factor, 1);
  const [g, norm] = [c.mul(kept, whole.g), c.mul(kept, whole.norm)];
  const limited = { g, norm, seen: decayed(g), average, weight, factor: c.where(clips, 1, factor) };
  return { ...limited, finite, gradNorm, idle, decides, rescaling, by, step, eta, moves, counts };
}

type Observed<A> = ReturnType<typeof observed<A>>;

/** h, and S after the step: (26)–(32). `next` is Δ_{t+1}. */
function tuned<A>(
  c: Algebra<A>,
  plan: Plan,
  state: ArrayState<Value<A>>,
  given: Given<A>,
  { g, norm, rescaling, by, moves }: Observed<A>,
  { u, next }: { u: Value<A>; next: Value<A> },
): { h: Value<A>; tuner: TunerState<Value<A>> } {
  const { size, loss, betas, ones } = given;
  const {
    lambda,
    eps,
    betas: { length: count },
  } = plan.tuner!;
  const squaresOf = (vector: Value<A>) => c.sum(c.square(vector), size);
  const xNorm = c.sqrt(squaresOf(given.x));
  const before = rescaled(c, state.tuner, rescaling);
  const begun = given.started
    ? before
    : started(c, before, {
        start: by.number((mode) => mode.start),
        length: c.where(c.less(0, xNorm), xNorm, Math.sqrt(size)),
        moved: c.where(moves, c.sqrt(squaresOf(next)), 0),
        betas: count,
      });
  // x is still where S had it before.
  const weight = c.mul(c.div(lambda, rescaling), c.div(norm, c.max(xNorm, TINY)));
  const pull = c.mul(weight, c.mul(begun.scale, squaresOf(state.delta)));
  const h = c.add(c.sum(c.mul(state.delta, g), size), c.where(c.less(0, xNorm), pull, 0));
  const grown = advanced(c, begun, h, {
    ...{ betas, ones, count, eps, mFloor: plan.mFloor },
    ownFloor: by.flag(({ ownFloor }) => ownFloor),
    rewardLimit: by.number(({ rewardLimit }) => rewardLimit),
    catchUp: paceOf(c, state, by, loss),
    growth: by.number(({ growthLimit }) =>
      growthLimit ? c.where(c.equal(state.anchors, 0), growthLimit.first, growthLimit.later) : ENDLESS,
    ),
  });
  const kept = promising(c, begun, grown, by, { u, g, size, loss });
  return { h, tuner: choose(c, c.and(moves, c.finite(h)), kept, begun) };
}

/**
 * One step of the corrected form, or of the base alone, as operations on arrays. Nothing is read back: a gradient or a
 * loss that is not finite moves nothing, and is counted. Numbers in brackets are the paper's equations.
 *
 * There is no x_ref: x_{t+1} = x_t + S_{t+1} Δ_{t+1} − S_t Δ_t. So whoever moves x between steps moves x_ref with it.
 */
export function takeStep<A>(
  c: Algebra<A>,
  plan: Plan,
  state: ArrayState<Value<A>>,
  given: Given<A>,
): Taken<A> {
  const seen = observed(c, plan, state, given);
  const { by, step, idle, finite, counts, gradNorm, eta: learningRate } = seen;
  const { u, ...kept } = updated(c, plan, state, given, seen);
  const counted = {
    iterations: step,
    applied: c.add(state.applied, c.where(counts, 1, 0)),
    skipped: c.add(state.skipped, c.where(finite, 0, 1)),
    momentumStart: state.momentumStart,
    kind: by.kind,
    ...kept,
  };
  const shared = { gradNorm, learningRate, finite, loss: given.loss ?? 0 };
  if (!plan.tuner) {
    const { windowStart, anchors, tuner, delta } = state;
    return { ...shared, move: u, h: 0, state: { ...counted, windowStart, anchors, tuner, delta } };
  }
  const next = c.add(state.delta, u); // (24)
  const { h, tuner } = tuned(c, plan, state, given, seen, { u, next });
  const opened = c.where(idle, step, state.windowStart);
  const end = by.number((mode) => windowEnd(c, mode, opened));
  const anchored = c.not(c.less(step, end));
  const carry = by.number((mode) => mode.carry);
  const restart = anchored === false ? tuner : restarted(c, tuner, carry, plan.tuner.betas.length);
  return {
    ...shared,
    h,
    move: c.sub(c.mul(tuner.scale, next), c.mul(state.tuner.scale, state.delta)), // (33)
    state: {
      ...counted,
      windowStart: c.where(anchored, step, opened),
      anchors: c.add(state.anchors, c.where(anchored, 1, 0)),
      tuner: choose(c, anchored, restart, tuner),
      delta: c.where(anchored, 0, next),
    },
  };
}

/** How many times as fast as its evidence S may grow; as it likes where the loss is below 0. */
function paceOf<A>(
  c: Algebra<A>,
  { iterations, windowStart }: ArrayState<Value<A>>,
  by: ByKind<A>,
  loss: Value<A> = 0,
): Value<A> {
  const steps = c.max(c.sub(iterations, windowStart), TINY);
  const paceAt = (catchUp: number) => c.where(c.less(loss, 0), ENDLESS, c.add(1, c.div(catchUp, steps)));
  return by.number(({ catchUp }) => (catchUp === Infinity ? ENDLESS : paceAt(catchUp)));
}

/** Where the loss is known and not negative, S does not grow at a step that promises more than a share of it. */
function promising<A>(
  c: Algebra<A>,
  before: TunerState<Value<A>>,
  grown: TunerState<Value<A>>,
  by: ByKind<A>,
  { u, g, size, loss }: { u: Value<A>; g: Value<A>; size: number; loss?: Value<A> },
): TunerState<Value<A>> {
  if (loss === undefined) return grown;
  const share = by.number(({ promise }) => Math.min(promise, ENDLESS));
  const known = c.not(c.less(loss, 0));
  const limit = c.where(known, c.mul(share, c.max(0, loss)), ENDLESS);
  const promise = c.sub(0, c.mul(grown.scale, c.sum(c.mul(u, g), size)));
  const most = c.max(before.scale, c.mul(grown.scale, c.div(limit, c.max(promise, TINY))));
  return choose(
    c,
    c.and(c.less(limit, promise), c.less(before.scale, grown.scale)),
    limited(c, grown, most),
    grown,
  );
}
