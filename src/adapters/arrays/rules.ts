import { decaysOf } from "../../bases/adam.js";
import type { Decay } from "../../bases/base.js";
import type { Base } from "../../bases/index.js";
import type { SquareWeight } from "./average.js";
import { TINY, type Algebra, type Flag, type Value } from "./algebra.js";

/*
 * Rules of src/bases in operations on arrays. Where a step does not move, means stay as they are.
 */

/** Which of a rule's decays is that of its momentum, if it has any. */
export const MOMENTUM = 0;

/** What a rule sees of a step. */
export interface Seen<A> {
  readonly g: Value<A>;
  readonly slots: Value<A>[];
  /** 1 − β^t of the step before, in the order of the rule's `decays`. */
  readonly biases: Value<A>[];
  readonly weight: SquareWeight<A>;
  /** Does the step move, is it counted as one that does, and is it the first of these? */
  readonly moves: Flag<A>;
  readonly counts: Flag<A>;
  readonly first: Flag<A>;
  /** Is it one of the steps of exact gradients whose decays may be others? */
  readonly early: Flag<A>;
}

/** What a rule makes of it. */
export interface Ruled<A> {
  readonly biases: Value<A>[];
  /** Slots that hold no momentum, where they move to; the others as they are. */
  readonly slots: Value<A>[];
  /** −u / η of the base as it is, and its momentum, which is the first slot. */
  own(): { direction: Value<A>; momentum?: Value<A> };
  /** −u / η without momentum, each coordinate of a normalized direction within ±longest. */
  bare(longest: number): Value<A>;
}

type ArrayRule = <A>(algebra: Algebra<A>, seen: Seen<A>) => Ruled<A>;

/** β and 1 − β, one of two by a flag. */
interface Weights<A> {
  readonly kept: Value<A>;
  readonly fresh: Value<A>;
}

const weights = (decay: number) => ({ kept: decay, fresh: 1 - decay });

const weightsOf = <A>(c: Algebra<A>, { plain, early }: Decay, isEarly: Flag<A>): Weights<A> =>
  plain === early
    ? weights(plain)
    : { kept: c.where(isEarly, early, plain), fresh: c.where(isEarly, 1 - early, 1 - plain) };

/** β mean + (1 − β) value. */
function mean<A>(
  c: Algebra<A>,
  before: Value<A>,
  { kept, fresh }: Weights<A>,
  value: Value<A>,
  moves: Flag<A>,
): Value<A> {
  return c.add(c.mul(c.where(moves, kept, 1), before), c.mul(c.where(moves, fresh, 0), value));
}

/** The sum of the weights in a mean, 1 − β^t, from that of t − 1. */
const nextBias = <A>(
  c: Algebra<A>,
  before: Value<A>,
  { kept, fresh }: Weights<A>,
  counts: Flag<A>,
): Value<A> => c.where(counts, c.add(c.mul(kept, before), fresh), before);

const limited = <A>(c: Algebra<A>, direction: Value<A>, longest: number): Value<A> =>
  longest < 1e30 ? c.clamp(direction, longest) : direction;

function sgd({ momentum, dampening, nesterov }: Extract<Base, { name: "sgd" }>): ArrayRule {
  if (momentum === 0)
    return (_c, { g, slots }) => ({ biases: [], slots, own: () => ({ direction: g }), bare: () => g });
  return (c, { g, slots, moves, first }) => ({
    biases: [],
    slots,
    own() {
      const fresh = c.where(first, 1, 1 - dampening);
      const kept = c.mul(c.where(moves, momentum, 1), slots[0]);
      const b = c.add(kept, c.mul(c.where(moves, fresh, 0), g));
      return { momentum: b, direction: nesterov ? c.add(g, c.mul(momentum, b)) : b };
    },
    bare: () => g,
  });
}

function adam(base: Extract<Base, { name: "adam" | "adamw" }>, decays: readonly Decay[]): ArrayRule {
  const { eps } = base;
  return (c, { g, slots, biases, weight, moves, counts, early }) => {
    const [beta1, beta2] = decays.map((decay) => weightsOf(c, decay, early));
    const [bias1, bias2] = [nextBias(c, biases[0], beta1, counts), nextBias(c, biases[1], beta2, counts)];
    const { varies } = weight;
    const squares = {
      kept: c.where(varies, weight.kept, beta2.kept),
      fresh: c.where(varies, weight.fresh, beta2.fresh),
    };
    const nu = mean(c, slots[1], squares, c.square(g), moves);
    // Before anything has moved the biases are 0, and so are the means.
    const root = () => c.add(c.div(c.sqrt(nu), c.sqrt(c.where(varies, 1, c.max(bias2, TINY)))), eps);
    return {
      biases: [bias1, bias2],
      slots: [slots[0], nu],
      own() {
        const momentum = mean(c, slots[0], beta1, g, moves);
        return { momentum, direction: c.div(c.div(momentum, c.max(bias1, TINY)), root()) };
      },
      bare: (longest) => limited(c, c.div(g, root()), longest),
    };
  };
}

function rmsprop({ alpha, eps }: Extract<Base, { name: "rmsprop" }>): ArrayRule {
  return (c, { g, slots, moves }) => {
    const nu = mean(c, slots[0], weights(alpha), c.square(g), moves);
    const direction = () => c.div(g, c.add(c.sqrt(nu), eps));
    return {
      biases: [],
      slots: [nu, ...slots.slice(1)],
      own: () => ({ direction: direction() }),
      bare: (longest) => limited(c, direction(), longest),
    };
  };
}

function lion({ beta1, beta2 }: Extract<Base, { name: "lion" }>): ArrayRule {
  return (c, { g, slots, moves }) => ({
    biases: [],
    slots,
    own: () => ({
      momentum: mean(c, slots[0], weights(beta2), g, moves),
      direction: c.sign(c.add(c.mul(beta1, slots[0]), c.mul(1 - beta1, g))),
    }),
    bare: () => c.sign(g),
  });
}

/** A base in operations on arrays, and the decays whose biases it corrects; undefined where it has none. */
export function arrayRuleOf(base: Base): { rule: ArrayRule; decays: readonly Decay[] } | undefined {
  switch (base.name) {
    case "scheduleFree":
      return arrayRuleOf(base.base);
    case "sgd":
      return { rule: sgd(base), decays: [] };
    case "adam":
    case "adamw": {
      if (base.amsgrad || base.nesterov) return undefined;
      const { beta1, beta2 } = decaysOf(base, true);
      return { rule: adam(base, [beta1, beta2]), decays: [beta1, beta2] };
    }
    case "rmsprop":
      return base.momentum !== 0 || base.centered ? undefined : { rule: rmsprop(base), decays: [] };
    case "lion":
      return { rule: lion(base), decays: [] };
    default:
      return undefined;
  }
}
