import { numpy as np, tree, type Array as JaxArray, type JsTreeDef } from "@jax-js/jax";
import { show } from "../../common/expect.js";
import { waysTo, type Tree } from "./trees.js";

/** Where the leaves of a tree lie in one vector of those that are not frozen. */
export interface FlatLayout {
  readonly structure: JsTreeDef;
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly frozen: readonly boolean[];
  readonly size: number;
}

/** Arrays, or what jit, grad and vmap have in their place. */
interface ArrayLike {
  readonly ref: JaxArray;
  readonly shape: number[];
  readonly dtype: unknown;
}

const isArray = (leaf: unknown): leaf is ArrayLike =>
  typeof leaf === "object" && leaf !== null && "ref" in leaf && "dtype" in leaf && "shape" in leaf;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);

/** The leaves of a tree of float32 arrays, whose ownership stays with the tree, and what is known of them. */
export function leavesOf(
  name: string,
  given: Tree,
): { leaves: JaxArray[]; names: string[]; structure: JsTreeDef } {
  const [leaves, structure] = tree.flatten(given) as [unknown[], JsTreeDef];
  const names = waysTo(structure);
  if (leaves.length === 0) throw new TypeError(`${name}: expected a tree with at least one array, got none`);
  leaves.forEach((leaf, k) => {
    const place = names[k] ? `${name}.${names[k]}` : name;
    if (!isArray(leaf)) throw new TypeError(`${place}: expected an array of jax-js, got ${show(leaf)}`);
    if (leaf.dtype !== np.float32)
      throw new TypeError(`${place}: expected an array of float32, got one of ${String(leaf.dtype)}`);
  });
  return { leaves: leaves as JaxArray[], names, structure };
}

/** One vector of all coordinates that are not frozen. The leaves stay. */
export function ravel(leaves: readonly JaxArray[], { frozen }: FlatLayout): JaxArray {
  const parts = leaves.filter((_, k) => !frozen[k]).map((leaf) => leaf.ref.ravel());
  return parts.length === 1 ? parts[0] : np.concatenate(parts);
}

/** The tree that a vector is of, which stays; frozen leaves are what `others` says. */
export function unravel<Params extends Tree>(
  vector: JaxArray,
  { structure, shapes, frozen }: FlatLayout,
  others: (k: number) => JaxArray,
): Params {
  let first = 0;
  const leaves = shapes.map((shape, k) => {
    if (frozen[k]) return others(k);
    const begin = first;
    first += sizeOf(shape);
    return vector.ref.slice([begin, first]).reshape([...shape]);
  });
  return tree.unflatten(structure, leaves) as Params;
}
