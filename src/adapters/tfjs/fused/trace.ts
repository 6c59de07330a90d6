import type { Binary, Operations, Unary, Value } from "../../arrays/algebra.js";

/*
 * A step on arrays, taken down instead of done: a graph of operations, of which shaders are made.
 */

/** One number, one for each beta, or one for each coordinate. */
export type Span = "scalar" | "betas" | "vector";

/** An operation on others, or an input. */
export interface Node {
  readonly id: number;
  readonly op: Unary | Binary | "where" | "sum" | "input" | "list";
  readonly args: readonly Value<Node>[];
  readonly span: Span;
  readonly isFlag: boolean;
  /** How many sums over all coordinates have to be known before it can be computed. */
  readonly level: number;
  /** Of an input, its name; of a list, its numbers. */
  readonly name?: string;
  readonly numbers?: readonly number[];
}

const FLAGS = new Set(["finite", "not", "less", "equal", "and"]);
const isNode = (value: Value<Node>): value is Node => typeof value !== "number";

function spanOf(args: readonly Value<Node>[]): Span {
  const spans = args.filter(isNode).map(({ span }) => span);
  if (spans.includes("vector")) return "vector";
  return spans.includes("betas") ? "betas" : "scalar";
}

/** Operations that are taken down. The same operation on the same things is one node. */
export class Trace implements Operations<Node> {
  readonly #known = new Map<string, Node>();

  #node(node: Omit<Node, "id">): Node {
    const ids = node.args.map((arg) => (isNode(arg) ? `#${arg.id}` : arg));
    const key = [node.op, node.name, node.numbers, ...ids].join();
    const known = this.#known.get(key) ?? { ...node, id: this.#known.size };
    this.#known.set(key, known);
    return known;
  }

  #operation(op: Node["op"], args: readonly Value<Node>[]): Node {
    const level = args.filter(isNode).reduce((most, arg) => Math.max(most, arg.level), 0);
    return this.#node({ op, args, span: spanOf(args), isFlag: FLAGS.has(op), level });
  }

  input(name: string, span: Span): Node {
    return this.#node({ op: "input", args: [], span, isFlag: false, level: 0, name });
  }

  list(numbers: readonly number[]): Node {
    return this.#node({ op: "list", args: [], span: "betas", isFlag: false, level: 0, numbers });
  }

  unary(name: Unary, a: Node): Node {
    return this.#operation(name, [a]);
  }

  binary(name: Binary, a: Value<Node>, b: Value<Node>): Node {
    return this.#operation(name, [a, b]);
  }

  where(condition: Node, a: Value<Node>, b: Value<Node>): Node {
    return this.#operation("where", [condition, a, b]);
  }

  sum(a: Node): Node {
    const level = a.level + Number(a.span === "vector");
    return this.#node({ op: "sum", args: [a], span: "scalar", isFlag: false, level });
  }
}

/** Every sum over coordinates that values come from, by the level of what is summed. */
export function sumsOf(values: readonly Value<Node>[]): Node[][] {
  const found: Node[][] = [];
  const seen = new Set<Node>();
  const visit = (value: Value<Node>): void => {
    if (!isNode(value) || seen.has(value)) return;
    seen.add(value);
    value.args.forEach(visit);
    if (value.op !== "sum" || value.level === (value.args[0] as Node).level) return;
    (found[value.level - 1] ??= []).push(value);
  };
  values.forEach(visit);
  return Array.from(found, (sums) => sums ?? []);
}
