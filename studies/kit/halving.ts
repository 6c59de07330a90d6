/** The step counts at which the worse half is dropped, as shares of a whole run. */
const RUNGS = [1 / 8, 1 / 4, 1 / 2, 1] as const;

/** Whole runs that a start with so many contenders costs: those who stay go on from where they are. */
export function costOf(contenders: number): number {
  const left = (rung: number) => Math.max(1, Math.floor(contenders / 2 ** rung));
  return RUNGS.reduce((sum, share, k) => sum + left(k) * (share - (RUNGS[k - 1] ?? 0)), 0);
}

/** The most contenders that cost no more than so many whole runs. */
export function contendersFor(budget: number): number {
  let most = 1;
  while (costOf(most + 1) <= budget) most++;
  return most;
}

/**
 * Successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, 2016): all
 * contenders take an eighth of the steps, the better half of them a fourth in all, and so on. `lossAfter(contender, share)` is
 * the loss after that share of a whole run; less is better, and NaN is worst. Returns who is best after the whole.
 */
export function successiveHalving(
  contenders: number,
  lossAfter: (contender: number, share: number) => number,
): number {
  let left = Array.from({ length: contenders }, (_, k) => k);
  for (const share of RUNGS) {
    const found = left.map((contender) => {
      const loss = lossAfter(contender, share);
      return { contender, loss: Number.isNaN(loss) ? Infinity : loss };
    });
    // Whoever came first stays first among equals.
    left = found.sort((a, b) => a.loss - b.loss).map(({ contender }) => contender);
    if (share < 1) left = left.slice(0, Math.max(1, Math.floor(left.length / 2)));
  }
  return left[0];
}
