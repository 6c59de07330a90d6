import { KINDS } from "../../common/kinds.js";
import type { Mode } from "../../stepper/gradients.js";
import { behind, interpolationOf } from "./average.js";
import { ENDLESS, type Algebra, type Flag, type Value } from "./algebra.js";
import type { Plan } from "./plan.js";
import type { ArrayState } from "./state.js";

/** What depends on the kind of gradients, which the host may not know. */
export class ByKind<A> {
  readonly noisy: Flag<A>;
  readonly exact: Flag<A>;

  constructor(
    readonly c: Algebra<A>,
    readonly plan: Plan,
    readonly kind: Value<A>,
  ) {
    this.noisy = plan.exact ? false : c.equal(kind, KINDS.indexOf("noisy"));
    this.exact = c.equal(kind, KINDS.indexOf("exact"));
  }

  number(pick: (mode: Mode) => Value<A>): Value<A> {
    const { undecided, exact, noisy } = this.plan.modes;
    return this.c.where(this.noisy, pick(noisy), this.c.where(this.exact, pick(exact), pick(undecided)));
  }

  /** The longest gradient over the usual one; undefined where gradients of no kind that these may be have a limit. */
  get gradientLimit(): Value<A> | undefined {
    const { kind, modes } = this.plan;
    const known = this.exact === true ? "exact" : kind;
    const possible = known ? [modes[known]] : Object.values(modes);
    if (possible.every(({ gradientLimit }) => gradientLimit === Infinity)) return undefined;
    return this.number(({ gradientLimit }) => Math.min(gradientLimit, ENDLESS));
  }

  flag(pick: (mode: Mode) => boolean): Flag<A> {
    const { undecided, exact, noisy } = this.plan.modes;
    // Only noise differs from the others in what is a matter of yes and no.
    const [some, others] = [pick(noisy), pick(exact)];
    if (some === others && others === pick(undecided)) return some;
    return some ? this.noisy : this.c.not(this.noisy);
  }
}

/** The step that ends a window, or far away where none does. */
export function windowEnd<A>(c: Algebra<A>, { anchor }: Mode, start: Value<A>): Value<A> {
  if (anchor === null) return ENDLESS;
  if ("every" in anchor) return c.mul(c.add(c.floor(c.div(start, anchor.every)), 1), anchor.every);
  const grown = c.floor(c.add(c.mul(start, anchor.growth - 1), 0.5));
  return c.add(start, c.max(anchor.first, grown));
}

/** The average minus x, over S; 0 where there is no average. The first step leaves it where x is. */
export function averageOffset<A>(c: Algebra<A>, plan: Plan, state: ArrayState<Value<A>>): Value<A> {
  const by = new ByKind(c, plan, plan.kind ? KINDS.indexOf(plan.kind) : state.kind);
  const averages = by.flag((mode) => mode.averages);
  if (averages === false) return 0;
  const { interpolation } = (plan.modes.noisy.averaging ?? plan.modes.exact.averaging)!;
  const shortens = by.flag((mode) => mode.shortensAverage);
  const steps = c.sub(state.applied, state.momentumStart);
  const beta = interpolationOf(c, interpolation, state.average.age, steps, shortens);
  const known = plan.kind ? averages : c.and(averages, c.less(1, state.applied));
  const share = c.where(known, c.sub(0, behind(c, beta)), 0);
  return c.mul(c.mul(share, plan.tuner ? state.tuner.scale : 1), state.slots[plan.leadSlot]);
}
