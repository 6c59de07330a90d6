import { expectNumber, expectOptions } from "../../common/expect.js";
import { expectPoint, LossFunction, type Loss } from "../loss-grad.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/** Where a point lies with respect to the level sets of one level. */
export interface Membership {
  readonly loss: number;
  /** L − level: ≥ 0 in the superlevel set, ≤ 0 in the sublevel set. */
  readonly margin: number;
  readonly inSuper: boolean;
  readonly inSub: boolean;
}

/**
 * Whether a point belongs to {L ≥ level} and to {L ≤ level}. One evaluation of the loss; where that is NaN, to neither.
 *
 * @param params θ
 * @throws TypeError or RangeError for bad arguments, as rejections
 * @example
 * import { levelSets } from "superlevel/stability";
 * const { margin, inSuper, inSub } = await levelSets(([x, y]) => x * x + y * y, [1, 2], 4);
 * [margin, inSuper, inSub]; // → [1, true, false]
 */
export async function levelSets(
  loss: Loss,
  params: ArrayLike<number>,
  level: number,
  options: WorkOptions = {},
): Promise<Membership> {
  expectOptions("options", options, WORK_KEYS);
  expectNumber("level", level);
  const point = expectPoint("params", params);
  const work = new Work("options", options, 1);
  const value = await new LossFunction("loss", loss, point.length).loss(point);
  await work.tick();
  return { loss: value, margin: value - level, inSuper: value >= level, inSub: value <= level };
}
