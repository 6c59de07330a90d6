/*
 * Arithmetic on arrays of another library: what is known on the host is computed there, everything else becomes an
 * operation of the library. So one text of a step serves libraries that run each operation at once and those that trace.
 */

/** A number that the host knows, or an array of the library's: of all coordinates, of a tuner's betas, or a scalar. */
export type Value<A> = A | number;
/** A condition, of the same kinds. */
export type Flag<A> = A | boolean;

export type Unary = "abs" | "sqrt" | "exp" | "floor" | "sign" | "finite" | "not";
export type Binary = "add" | "sub" | "mul" | "div" | "max" | "min" | "pow" | "less" | "equal" | "and";

/** What stands for infinity: GPUs may know none. */
export const ENDLESS = 1e30;
/** What stands for 0 in a divisor. */
export const TINY = 1e-37;

/** What a library has to offer. Operations broadcast scalars, and none of them changes its inputs. */
export interface Operations<A> {
  /** "finite" and "not" give and take conditions. */
  unary(name: Unary, a: A): A;
  /** At least one is an array. "less" and "equal" give conditions, "and" takes them. */
  binary(name: Binary, a: Value<A>, b: Value<A>): A;
  where(condition: A, a: Value<A>, b: Value<A>): A;
  /** Over all elements, a scalar. */
  sum(a: A): A;
}

const isNumber = (value: unknown): value is number => typeof value === "number";

const HOST: Record<Exclude<Binary, "less" | "equal" | "and">, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  pow: Math.pow,
};

/** {@link Operations} with what the host knows worked out beforehand. */
export class Algebra<A> {
  constructor(readonly operations: Operations<A>) {}

  #two(name: keyof typeof HOST, a: Value<A>, b: Value<A>): Value<A> {
    return isNumber(a) && isNumber(b) ? HOST[name](a, b) : this.operations.binary(name, a, b);
  }

  add = (a: Value<A>, b: Value<A>): Value<A> => (a === 0 ? b : b === 0 ? a : this.#two("add", a, b));
  sub = (a: Value<A>, b: Value<A>): Value<A> => (b === 0 ? a : this.#two("sub", a, b));
  mul = (a: Value<A>, b: Value<A>): Value<A> =>
    a === 0 || b === 0 ? 0 : a === 1 ? b : b === 1 ? a : this.#two("mul", a, b);
  div = (a: Value<A>, b: Value<A>): Value<A> => (a === 0 ? 0 : b === 1 ? a : this.#two("div", a, b));
  max = (a: Value<A>, b: Value<A>): Value<A> => this.#two("max", a, b);
  min = (a: Value<A>, b: Value<A>): Value<A> => this.#two("min", a, b);
  pow = (a: Value<A>, power: number): Value<A> =>
    power === 0 ? 1 : power === 1 ? a : power === 2 ? this.mul(a, a) : this.#two("pow", a, power);
  square = (a: Value<A>): Value<A> => this.mul(a, a);

  sqrt = (a: Value<A>): Value<A> => (isNumber(a) ? Math.sqrt(a) : this.operations.unary("sqrt", a));
  abs = (a: Value<A>): Value<A> => (isNumber(a) ? Math.abs(a) : this.operations.unary("abs", a));
  exp = (a: Value<A>): Value<A> => (isNumber(a) ? Math.exp(a) : this.operations.unary("exp", a));
  floor = (a: Value<A>): Value<A> => (isNumber(a) ? Math.floor(a) : this.operations.unary("floor", a));
  sign = (a: Value<A>): Value<A> => (isNumber(a) ? Math.sign(a) : this.operations.unary("sign", a));

  /** Within ±most. */
  clamp = (a: Value<A>, most: Value<A>): Value<A> => this.max(this.sub(0, most), this.min(most, a));

  less = (a: Value<A>, b: Value<A>): Flag<A> =>
    isNumber(a) && isNumber(b) ? a < b : this.operations.binary("less", a, b);
  equal = (a: Value<A>, b: Value<A>): Flag<A> =>
    isNumber(a) && isNumber(b) ? a === b : this.operations.binary("equal", a, b);
  finite = (a: Value<A>): Flag<A> => (isNumber(a) ? Number.isFinite(a) : this.operations.unary("finite", a));
  not = (a: Flag<A>): Flag<A> => (typeof a === "boolean" ? !a : this.operations.unary("not", a));

  and(...flags: readonly Flag<A>[]): Flag<A> {
    return flags.reduce((all, flag) => {
      if (typeof all === "boolean") return all && flag;
      if (typeof flag === "boolean") return flag && all;
      return this.operations.binary("and", all, flag);
    }, true as Flag<A>);
  }

  where(condition: Flag<A>, a: Value<A>, b: Value<A>): Value<A> {
    if (typeof condition === "boolean") return condition ? a : b;
    return a === b ? a : this.operations.where(condition, a, b);
  }

  /** √(a² + b²) of what is not negative, whatever its size. */
  hypot(a: Value<A>, b: Value<A>): Value<A> {
    const larger = this.max(this.max(a, b), TINY);
    return this.mul(
      larger,
      this.sqrt(this.add(this.square(this.div(a, larger)), this.square(this.div(b, larger)))),
    );
  }

  /** Of all coordinates; of a number it is that of `size` times the number. */
  sum = (a: Value<A>, size: number): Value<A> => (isNumber(a) ? a * size : this.operations.sum(a));
}
