/** What the kernels found in the last step, as a saved state has it: assembly/memory/records.ts says where. */
import type { Optimizer, Tuner } from "../../src/index.js";
import { BETAS, DG, H, LEAD_DG, NEXT_DG, S_INIT, SCALE, XX } from "../../src/engine/js/memory.js";
import { Beta } from "../../src/engine/records.js";
import { payloadBegin } from "./state.js";

/** Places of a group's fields, which are the same in all engines. */
const PLACES = {
  dg: DG,
  xx: XX,
  h: H,
  nextDg: NEXT_DG,
  leadDg: LEAD_DG,
  scale: SCALE,
  sInit: S_INIT,
};

/** The sums of a group of coordinates, and its tuner's S and s_init. */
export type Group = Record<keyof typeof PLACES, number>;

/** The groups of a state: as many as there are tuners, and one where each coordinate has its own. */
export function groupsOf(optimizer: Pick<Optimizer, "save">, tuner: Tuner, count: number): Group[] {
  const state = optimizer.save();
  const view = new DataView(state.buffer, state.byteOffset + payloadBegin(state));
  const alone = tuner.granularity === "parameter" && tuner.spread === null;
  const betas = tuner.form === "algorithm1" ? 1 : tuner.betas.length;
  // Betas go in pairs.
  const length = BETAS + (alone ? 0 : Beta.count * Math.ceil(betas / 2));
  return Array.from({ length: count }, (_, k) => {
    const read = ([name, field]: [string, number]) => [name, view.getFloat64(8 * (k * length + field), true)];
    return Object.fromEntries(Object.entries(PLACES).map(read)) as Group;
  });
}
