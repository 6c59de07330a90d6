import { expectNumber } from "../../common/expect.js";
import type { Bar, MergeTree } from "./merge-tree.js";

/** Whether the component is there and on its own: birth ≥ level > death, mirrored for "sub". */
export function isAlive({ sense }: Pick<MergeTree, "sense">, bar: Bar, level: number): boolean {
  return sense === "super"
    ? bar.birth >= level && level > bar.death
    : bar.birth <= level && level < bar.death;
}

/** Whether the component touches the boundary of the window on this level. */
export function touchesBoundary(
  { sense }: Pick<MergeTree, "sense">,
  { boundary }: Bar,
  level: number,
): boolean {
  if (boundary === null) return false;
  return sense === "super" ? boundary >= level : boundary <= level;
}

/**
 * The number of components of {f ≥ level} or {f ≤ level}: of the bars with birth ≥ level > death, or birth ≤ level <
 * death.
 *
 * @throws TypeError or RangeError when `level` is not a finite number
 * @example
 * import { countComponents, mergeTree } from "superlevel/stability";
 * const tree = mergeTree({ columns: 5, rows: 1, values: [0, 2, 1, 3, 0] }, { sense: "super" });
 * [0, 1.5, 2.5, 4].map((level) => countComponents(tree, level)); // → [1, 2, 1, 0]
 */
export function countComponents(tree: MergeTree, level: number): number {
  expectNumber("level", level);
  return tree.bars.filter((bar) => isAlive(tree, bar, level)).length;
}

/**
 * For each grid point the component of the level set that it lies in, named by the bar that is alive there (an index
 * into `tree.bars`), and −1 outside the level set.
 *
 * @param values those the tree was made of
 * @throws TypeError or RangeError when `level` is not a finite number
 * @example
 * import { labelComponents, mergeTree } from "superlevel/stability";
 * const grid = { columns: 5, rows: 1, values: [0, 2, 1, 3, 0] };
 * labelComponents(mergeTree(grid, { sense: "super" }), grid.values, 1.5); // → Int32Array [-1, 1, -1, 0, -1]
 */
export function labelComponents(tree: MergeTree, values: ArrayLike<number>, level: number): Int32Array {
  expectNumber("level", level);
  const { branch, sense } = tree;
  const survivor = survivors(tree, level);
  const labels = new Int32Array(branch.length);
  for (let i = 0; i < labels.length; i++) {
    const inside = sense === "super" ? values[i] >= level : values[i] <= level;
    labels[i] = inside ? survivor[branch[i]] : -1;
  }
  return labels;
}

/** Who has swallowed each bar on this level: the first of its elders that is alive. */
function survivors(tree: MergeTree, level: number): Int32Array {
  const found = new Int32Array(tree.bars.length);
  tree.bars.forEach((_, i) => {
    let elder = i;
    // Where it merges exactly on the level it is swallowed already.
    while (tree.bars[elder].parent !== -1 && !isAlive(tree, tree.bars[elder], level)) {
      elder = tree.bars[elder].parent;
    }
    found[i] = elder;
  });
  return found;
}
