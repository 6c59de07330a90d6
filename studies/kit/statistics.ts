/** The arithmetic mean; NaN of nothing. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The middle of the sorted values, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Half of a 95 % interval for the mean, by Student's t; 0 for a single value. */
export function halfWidth(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) return 0;
  // The 97.5 % quantile for n − 1 degrees of freedom, up to 9 of them; beyond, a bound for it.
  const quantile = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26][n - 2] ?? 2.26;
  const centre = mean(values);
  return quantile * Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n * (n - 1)));
}

/** The values by what `key` says of them, in the order in which the keys come first. */
export function groupBy<Value, Key>(values: readonly Value[], key: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group) group.push(value);
    else groups.set(key(value), [value]);
  }
  return groups;
}

/** Pearson's coefficient of pairs; NaN where either does not vary. */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  const [x, y] = [mean(xs), mean(ys)];
  const products = (as: readonly number[], a: number, bs: readonly number[], b: number) =>
    as.reduce((sum, value, k) => sum + (value - a) * (bs[k] - b), 0);
  return products(xs, x, ys, y) / Math.sqrt(products(xs, x, xs, x) * products(ys, y, ys, y));
}
