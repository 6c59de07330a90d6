/** Arrays of the plainest library: numbers in a list, each rounded to float32. */
import type { Binary, Operations, Unary } from "../../src/adapters/arrays/algebra.js";

export interface Plain {
  readonly list: readonly number[];
}

const round = Math.fround;
const unary: Record<Unary, (a: number) => number> = {
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  floor: Math.floor,
  sign: Math.sign,
  finite: (a) => Number(Number.isFinite(a)),
  not: (a) => 1 - a,
};
const binary: Record<Binary, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  pow: Math.pow,
  less: (a, b) => Number(a < b),
  equal: (a, b) => Number(a === b),
  and: (a, b) => a * b,
};

const at = ({ list }: Plain, i: number): number => (list.length === 1 ? list[0] : list[i]);
export const plain = (...list: readonly number[]): Plain => ({ list: list.map(round) });
const asPlain = (value: Plain | number): Plain => (typeof value === "number" ? plain(value) : value);

function each(f: (...values: number[]) => number, ...given: (Plain | number)[]): Plain {
  const all = given.map(asPlain);
  const length = all.reduce((most, { list }) => Math.max(most, list.length), 0);
  return plain(...Array.from({ length }, (_, i) => f(...all.map((one) => at(one, i)))));
}

export const plainOperations: Operations<Plain> = {
  unary: (name, a) => each(unary[name], a),
  binary: (name, a, b) => each(binary[name], a, b),
  where: (condition, a, b) => each((yes, a, b) => (yes ? a : b), condition, a, b),
  sum: ({ list }) => plain(list.reduce((sum, value) => sum + value, 0)),
};
