import { numpy as np, tree, type Array as JaxArray } from "@jax-js/jax";
import type { Binary, Operations, Unary, Value } from "../arrays/algebra.js";

const UNARY: Record<Unary, (a: JaxArray) => JaxArray> = {
  abs: np.abs,
  sqrt: np.sqrt,
  exp: np.exp,
  floor: np.floor,
  sign: np.sign,
  finite: np.isfinite,
  not: np.logicalNot,
};

const BINARY: Record<Binary, (a: Value<JaxArray>, b: Value<JaxArray>) => JaxArray> = {
  add: np.add,
  sub: np.subtract,
  mul: np.multiply,
  div: np.divide,
  max: np.maximum,
  min: np.minimum,
  pow: np.power,
  less: np.less,
  equal: np.equal,
  and: np.logicalAnd,
};

const kept = (value: Value<JaxArray>): Value<JaxArray> => (typeof value === "number" ? value : value.ref);

/** Operations of jax-js that leave their inputs alone. What they made is let go of by `dispose`. */
export class Scope implements Operations<JaxArray> {
  readonly #made: JaxArray[] = [];

  /** Takes an array's ownership. */
  own(array: JaxArray): JaxArray {
    this.#made.push(array);
    return array;
  }

  /** Takes the ownership of all arrays in a tree, also where there is something else besides. */
  ownAll(given: unknown): void {
    for (const leaf of tree.leaves(given as JaxArray)) if (typeof leaf === "object") this.own(leaf);
  }

  unary(name: Unary, a: JaxArray): JaxArray {
    return this.own(UNARY[name](a.ref));
  }

  binary(name: Binary, a: Value<JaxArray>, b: Value<JaxArray>): JaxArray {
    return this.own(BINARY[name](kept(a), kept(b)));
  }

  where(condition: JaxArray, a: Value<JaxArray>, b: Value<JaxArray>): JaxArray {
    return this.own(np.where(condition.ref, kept(a), kept(b)));
  }

  sum(a: JaxArray): JaxArray {
    return this.own(a.ref.sum());
  }

  dispose(): void {
    for (const array of this.#made.splice(0)) array.dispose();
  }
}
