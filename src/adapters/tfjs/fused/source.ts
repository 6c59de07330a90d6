import type { Value } from "../../arrays/algebra.js";
import type { Node } from "./trace.js";

/** What differs between the languages of shaders. */
export interface Dialect {
  readonly define: (name: string, isFlag: boolean, value: string) => string;
  readonly choose: (condition: string, a: string, b: string) => string;
  readonly finite: (a: string) => string;
}

export const WGSL: Dialect = {
  define: (name, isFlag, value) => `let ${name}: ${isFlag ? "bool" : "f32"} = ${value};`,
  choose: (condition, a, b) => `select(${b}, ${a}, ${condition})`,
  // By its bits, as a compiler may take every number for finite.
  finite: (a) => `((bitcast<u32>(${a}) & 0x7f800000u) != 0x7f800000u)`,
};

export const GLSL: Dialect = {
  define: (name, isFlag, value) => `${isFlag ? "bool" : "float"} ${name} = ${value};`,
  choose: (condition, a, b) => `(${condition} ? ${a} : ${b})`,
  finite: (a) => `((floatBitsToUint(${a}) & 0x7f800000u) != 0x7f800000u)`,
};

const OPERATORS: Record<string, string> = {
  ...{ add: "+", sub: "-", mul: "*", div: "/", less: "<", equal: "==", and: "&&" },
};

/** A number as both languages have it. */
export function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Statements that compute nodes, each once, from what `known` says of those that need not be computed. */
export class Source {
  readonly lines: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #dialect: Dialect;
  readonly #known: (node: Node, beta: number) => string | undefined;
  readonly #betas: number;

  constructor(dialect: Dialect, betas: number, known: (node: Node, beta: number) => string | undefined) {
    this.#dialect = dialect;
    this.#betas = betas;
    this.#known = known;
  }

  /** The name of a value, or of its part for one beta. */
  of(value: Value<Node>, beta = 0): string {
    if (typeof value === "number") return literal(value);
    const part = value.span === "betas" ? beta : 0;
    const key = `${value.id}_${part}`;
    const name = this.#names.get(key) ?? this.#known(value, part);
    if (name !== undefined) return name;
    const made = `t${key}`;
    const text = this.#compute(value, part);
    this.lines.push(this.#dialect.define(made, value.isFlag, text));
    this.#names.set(key, made);
    return made;
  }

  #compute({ op, args, numbers, name }: Node, beta: number): string {
    if (op === "list") return literal(numbers![beta]);
    if (op === "input") throw new Error(`no place for ${name}`);
    if (op === "sum") return Array.from({ length: this.#betas }, (_, k) => this.of(args[0], k)).join(" + ");
    const [a, b, c] = args.map((arg) => this.of(arg, beta));
    if (op === "where") return this.#dialect.choose(a, b, c);
    if (op === "finite") return this.#dialect.finite(a);
    if (op === "not") return `!${a}`;
    return OPERATORS[op] ? `(${a} ${OPERATORS[op]} ${b})` : `${op}(${b === undefined ? a : `${a}, ${b}`})`;
  }
}
