import { EARLY_STEPS } from "../../bases/base.js";
import type { Algebra, Flag, Value } from "./algebra.js";
import { interpolationOf, lookedBack, weighed, type Average, type SquareWeight } from "./average.js";
import type { ByKind } from "./kinds.js";
import type { Plan } from "./plan.js";
import type { Place } from "./rate.js";
import type { ArrayState } from "./state.js";

/** What a step is given besides the state. */
export interface Given<A> {
  readonly x: Value<A>;
  readonly g: Value<A>;
  readonly size: number;
  readonly loss?: Value<A>;
  /** The host counts a step as one that moved before it knows that its gradient was finite. */
  readonly trusts?: boolean;
  /** s_init is known to have been found. */
  readonly started?: boolean;
  /** β of every tuner, and as many ones. */
  readonly betas: Value<A>;
  readonly ones: Value<A>;
  /** Multiplier of the rate and weight decay, of each coordinate where they differ. */
  readonly multiplier: Value<A>;
  readonly weightDecay: Value<A>;
  rate(place: Place<A>): Value<A>;
}

/** What of a step the base needs to know. */
interface Found<A> {
  /** The gradient, clipped, with the weight decay that joins it. */
  readonly seen: Value<A>;
  readonly eta: Value<A>;
  /** What shortens the step. */
  readonly factor: Value<A>;
  readonly average: Average<Value<A>>;
  readonly weight: SquareWeight<A>;
  readonly moves: Flag<A>;
  /** Is it counted as one that moves? */
  readonly counts: Flag<A>;
  readonly decides: Flag<A>;
  readonly by: ByKind<A>;
}

/** The weight of z in the average, and what it leaves behind. */
function averaged<A>(c: Algebra<A>, { modes, kind }: Plan, { by, eta, counts, average }: Found<A>) {
  // A step that may turn out to have been the first of an average counts, too.
  const { averaging } = modes[by.exact === true || kind === "exact" ? "exact" : "noisy"];
  const averages = by.flag((mode) => mode.averages);
  const matters = averages !== false || by.exact !== true;
  return { averages, averaging, ...weighed(c, average, matters ? averaging : undefined, eta, counts) };
}

/** The base's side of a step: from the gradient to u, with what it remembers. */
export function updated<A>(
  c: Algebra<A>,
  plan: Plan,
  state: ArrayState<Value<A>>,
  { x, size, multiplier, weightDecay }: Given<A>,
  found: Found<A>,
) {
  const { seen, eta, factor, weight, moves, counts, decides, by } = found;
  const { leadSlot, modes } = plan;
  const first = c.equal(state.applied, state.momentumStart);
  const isYoung = c.and(c.less(0, state.applied), c.less(state.applied, EARLY_STEPS));
  const early = c.and(plan.exactDecays && by.exact, isYoung);
  const ruled = plan.rule(c, { ...state, g: seen, weight, moves, counts, first, early });
  const { averages, averaging, share, average } = averaged(c, plan, found);
  const gated = c.mul(c.where(moves, eta, 0), multiplier);
  const rate = c.mul(factor, gated);
  const decay = plan.decoupled ? c.mul(gated, c.mul(weightDecay, x)) : 0;
  const stepAlong = (direction: Value<A>) => c.sub(c.mul(c.sub(0, rate), direction), decay);

  const own = averages === true ? undefined : ruled.own();
  const slots = ruled.slots.map((slot, k) => (k === 0 ? (own?.momentum ?? slot) : slot));
  const plain = own && stepAlong(own.direction);
  const { biases } = ruled;
  if (averages === false) return { u: plain!, biases, average, slots: withFirst(c, plan, slots, found) };
  const d = stepAlong(ruled.bare(plan.decays ? Infinity : modes.noisy.longest));
  // After one step z is where y is; the slot of the lead has held something else.
  const lead = c.mul(c.where(decides, 0, 1), state.slots[leadSlot]);
  const rest = c.sub(1, share);
  const shortens = by.flag((mode) => mode.shortensAverage);
  const looks = c.and(shortens, moves);
  const slope = looks === false ? 0 : c.sum(c.mul(lead, seen), size);
  const before = c.sub(state.applied, state.momentumStart);
  const steps = c.add(before, c.where(counts, 1, 0));
  const { average: looked, left } = lookedBack(c, average, averaging!, { slope, looks, steps });
  const beta = interpolationOf(c, averaging!.interpolation, state.average.age, before, shortens);
  const near = c.sub(1, c.mul(beta, rest));
  const mixed = c.add(c.mul(near, d), c.mul(c.where(moves, share, 0), lead));
  const nextLead = c.mul(c.mul(left, c.where(moves, rest, 1)), c.add(lead, c.mul(beta, d)));
  slots[leadSlot] = c.where(averages, nextLead, slots[leadSlot]);
  return {
    u: plain === undefined ? mixed : c.where(averages, mixed, plain),
    biases,
    average: looked,
    slots: withFirst(c, plan, slots, found),
  };
}

/** The first gradient is kept where no momentum does it, until the second tells what they are. */
function withFirst<A>(
  c: Algebra<A>,
  { kind, firstGradient, leadSlot }: Plan,
  slots: Value<A>[],
  { by, seen, moves }: Found<A>,
): Value<A>[] {
  if (kind || firstGradient) return slots;
  const keeps = c.and(c.equal(by.kind, 0), moves);
  return slots.map((slot, k) => (k === leadSlot ? c.where(keeps, seen, slot) : slot));
}
