/** What the kernels found in the last step, as a saved state has it: assembly/records.ts says where. */
import type { Optimizer, Tuner } from "../../src/index.js";
import { payloadBegin } from "./state.js";

/** Places of a group's fields, and how many there are before its betas' and for each pair of these. */
const FIELDS = { gg: 0, dg: 1, xx: 3, h: 7, nextDg: 9, scale: 12, sInit: 13 };
const OWN = 15;
const PAIR = 10;

/** The sums of a group of coordinates, and its tuner's S and s_init. */
export type Group = Record<keyof typeof FIELDS, number>;

/** The groups of a state: as many as there are tuners, and one where each coordinate has its own. */
export function groupsOf(optimizer: Pick<Optimizer, "save">, tuner: Tuner, count: number): Group[] {
  const state = optimizer.save();
  const view = new DataView(state.buffer, state.byteOffset + payloadBegin(state));
  const alone = tuner.granularity === "parameter" && tuner.spread === null;
  const betas = tuner.form === "algorithm1" ? 1 : tuner.betas.length;
  const length = OWN + (alone ? 0 : PAIR * Math.ceil(betas / 2));
  return Array.from({ length: count }, (_, k) => {
    const read = ([name, field]: [string, number]) => [name, view.getFloat64(8 * (k * length + field), true)];
    return Object.fromEntries(Object.entries(FIELDS).map(read)) as Group;
  });
}
