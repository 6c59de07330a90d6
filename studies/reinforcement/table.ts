import { halfWidth, mean } from "../kit/statistics.js";

/** Mean steps a game after so many updates, with a 95 % interval over seeds; null is superlevel. */
export function markdown(
  runs: ReadonlyMap<number | null, readonly (readonly number[])[]>,
  updates: readonly number[],
): string {
  const rows = [...runs].map(([rate, found]) => {
    const cells = updates.map((update) => {
      const values = found.map((lengths) => lengths[update]);
      return `${mean(values).toFixed(0)} ± ${halfWidth(values).toFixed(0)}`;
    });
    return `| ${rate === null ? "superlevel" : `Adam, ${rate}`} | ${cells.join(" | ")} |`;
  });
  const head = `| | ${updates.map((update) => `after ${update} updates`).join(" | ")} |`;
  return [head, `|---|${updates.map(() => "---:").join("|")}|`, ...rows].join("\n");
}
