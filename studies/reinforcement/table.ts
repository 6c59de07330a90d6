/** Half of a 95 % interval for the mean, by Student's t; 0 for a single value. */
function halfWidth(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) return 0;
  // The 97.5 % quantile for n − 1 degrees of freedom, up to 9 of them; beyond, a bound for it.
  const quantile = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26][n - 2] ?? 2.26;
  const mean = meanOf(values);
  return quantile * Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n * (n - 1)));
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean steps a game after so many updates, with a 95 % interval over seeds; null is superlevel. */
export function markdown(
  runs: ReadonlyMap<number | null, readonly (readonly number[])[]>,
  updates: readonly number[],
): string {
  const rows = [...runs].map(([rate, found]) => {
    const cells = updates.map((update) => {
      const values = found.map((lengths) => lengths[update]);
      return `${meanOf(values).toFixed(0)} ± ${halfWidth(values).toFixed(0)}`;
    });
    return `| ${rate === null ? "superlevel" : `Adam, ${rate}`} | ${cells.join(" | ")} |`;
  });
  const head = `| | ${updates.map((update) => `after ${update} updates`).join(" | ")} |`;
  return [head, `|---|${updates.map(() => "---:").join("|")}|`, ...rows].join("\n");
}
