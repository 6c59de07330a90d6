import { numpy as np, tree, type Array as JaxArray } from "@jax-js/jax";
import { sizeOf } from "../../tensors.js";
import { shapesOf, waysTo, type Layout, type Tree } from "./trees.js";

/** Where the leaves of a tree lie in one vector of those that are not frozen. */
export interface FlatLayout extends Layout {
  readonly frozen: readonly boolean[];
  readonly size: number;
}

/** An array, or what jit, grad and vmap have in its place. */
const isArray = (leaf: unknown): boolean =>
  typeof leaf === "object" && leaf !== null && "ref" in leaf && "dtype" in leaf && "shape" in leaf;

/** The leaves of a tree of float32 arrays, whose ownership stays with the tree, and what is known of them. */
export function leavesOf(name: string, given: Tree): Layout & { leaves: JaxArray[] } {
  const [leaves, structure] = tree.flatten<JaxArray>(given);
  const names = waysTo(structure);
  return { leaves, names, structure, shapes: shapesOf(name, leaves, names, isArray) };
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
