/* `Math.max(...values)` puts all values on the stack, which holds some 120 000. */

export function largest(values: ArrayLike<number>, most = -Infinity): number {
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
  return most;
}

export function smallest(values: ArrayLike<number>): number {
  let least = Infinity;
  for (let i = 0; i < values.length; i++) least = Math.min(least, values[i]);
  return least;
}
