import { Array as JaxArray, numpy as np, tree, type JsTree, type JsTreeDef } from "@jax-js/jax";
import { show } from "../../common/expect.js";

/** Nested objects and arrays of jax-js arrays. */
export type Tree = JsTree<JaxArray>;

/** What a tree holds, without its arrays. */
export interface Layout {
  readonly structure: JsTreeDef;
  /** Each leaf's way from the root: "layers.0.weights". */
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
}

/** A tree's numbers, leaf by leaf. */
export interface Leaves extends Layout {
  readonly values: readonly Float32Array[];
}

export function waysTo({ nodeType, nodeMetadata, childTreedefs }: JsTreeDef): string[] {
  // The enum itself is not exported.
  const type = nodeType as string;
  if (type === "Leaf") return [""];
  const keys = type === "Object" ? (nodeMetadata as string[]) : childTreedefs.map((_, k) => String(k));
  return childTreedefs.flatMap((child, k) =>
    waysTo(child).map((way) => (way ? `${keys[k]}.${way}` : keys[k])),
  );
}

const placeOf = (name: string, way: string): string => (way ? `${name}.${way}` : name);

/** The shapes of leaves that have to be arrays of float32; `hint` is for objects that are something else. */
export function shapesOf(
  name: string,
  leaves: readonly unknown[],
  names: readonly string[],
  isArray: (leaf: unknown) => boolean,
  hint = "",
): number[][] {
  if (leaves.length === 0) throw new TypeError(`${name}: expected a tree with at least one array, got none`);
  return leaves.map((leaf, k) => {
    const place = placeOf(name, names[k]);
    if (!isArray(leaf)) {
      const more = typeof leaf === "object" && leaf !== null ? hint : "";
      throw new TypeError(`${place}: expected an array of jax-js, got ${show(leaf)}${more}`);
    }
    const { dtype, shape } = leaf as JaxArray;
    if (dtype !== np.float32)
      throw new TypeError(`${place}: expected an array of float32, got one of ${dtype}`);
    return [...shape];
  });
}

/** Takes a tree's ownership, also when it throws: the arrays' references are gone. */
export function consume(name: string, given: unknown): Leaves {
  const [leaves, structure] = tree.flatten(given);
  const names = waysTo(structure);
  const left = leaves.filter((leaf) => leaf instanceof JaxArray);
  try {
    const isArray = (leaf: unknown) => leaf instanceof JaxArray;
    const shapes = shapesOf(name, leaves, names, isArray, "; jit, grad and vmap cannot look inside");
    // Reading an array gives up a reference to it.
    const values = leaves.map(() => left.shift()!.dataSync() as Float32Array<ArrayBuffer>);
    return { structure, names, shapes, values };
  } finally {
    for (const leaf of left) if (leaf.refCount > 0) leaf.dispose();
  }
}

/** A number that may be an array, whose ownership is taken, also when it throws. */
export function consumeNumber(name: string, given: unknown): number | undefined {
  if (given === undefined || typeof given === "number") return given;
  if (!(given instanceof JaxArray))
    throw new TypeError(`${name}: expected a number or an array of jax-js, got ${show(given)}`);
  const { shape } = given;
  if (shape.some((extent) => extent !== 1)) {
    given.dispose();
    throw new RangeError(`${name}: expected a scalar, got an array of shape [${shape.join()}]`);
  }
  return (given.dataSync() as Float32Array)[0];
}

/** Calls both, whatever becomes of the first. */
function both<A, B>(first: () => A, second: () => B): [A, B] {
  let one: A;
  let other: B;
  try {
    one = first();
  } finally {
    other = second();
  }
  return [one, other];
}

/** Consumes everything, also when some of it is not understood. */
export function consumeAll(
  updates: unknown,
  params: unknown,
  value: unknown,
): [updates: Leaves, params: Leaves, value: number | undefined] {
  const [gradients, [point, loss]] = both(
    () => consume("updates", updates),
    () =>
      both(
        () => consume("params", params),
        () => consumeNumber("value", value),
      ),
  );
  return [gradients, point, loss];
}

/** Throws unless the tree is like the one that the state was made for. */
export function expectSame(name: string, { structure, names, shapes }: Layout, expected: Layout): void {
  if (!structure.equals(expected.structure)) {
    throw new TypeError(
      `${name}: expected the structure ${expected.structure.toString()}, got ${structure.toString()}`,
    );
  }
  shapes.forEach((shape, k) => {
    if (shape.join() === expected.shapes[k].join()) return;
    const place = placeOf(name, names[k]);
    throw new RangeError(
      `${place}: expected the shape [${expected.shapes[k].join()}], got [${shape.join()}]`,
    );
  });
}

/** A tree with these numbers. */
export function build<Params extends Tree>(
  { structure, shapes }: Layout,
  values: readonly Float32Array[],
): Params {
  const leaves = values.map((leaf, k) => np.array(leaf, { shape: [...shapes[k]] }));
  return tree.unflatten(structure, leaves) as Params;
}

/**
 * params + updates, leaf by leaf. Consumes both.
 *
 * @throws TypeError when the trees are not alike; nothing was consumed then
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { applyUpdates } from "superlevel/jax";
 * await init("wasm");
 * const params = applyUpdates({ w: np.array([1, 2]) }, { w: np.array([0.5, -1]) });
 * params.w.js(); // → [1.5, 1]
 */
export function applyUpdates<Params extends Tree>(params: Params, updates: Params): Params {
  const [own, other] = [tree.structure(params), tree.structure(updates)];
  if (!own.equals(other))
    throw new TypeError(`updates: expected the structure ${own.toString()}, got ${other.toString()}`);
  const add = (x: JaxArray, update: JaxArray) => np.add(x, update);
  return tree.map<JaxArray, JaxArray, Tree>(add, params, updates) as Params;
}
