import type { Stepper } from "../stepper/stepper.js";
import type { LossRequests, RunCounts } from "./trial.js";

/** How far a probe goes, in units of 1 + |x_i|. */
const [FAR, NEAR] = [1e-3, 1e-4];
/** Of the loss: what it has to fall by, at least, to be no rounding. */
const ROUNDING = 1e-6;
/** Ten times as far, a slope makes ten times the fall, and a hilltop a hundred times. */
const SLOPE = 30;

/**
 * Where a run begins with a gradient of 0: does the loss fall nearby, as along a slope? Then nobody has written the gradient.
 * At a minimum it rises, a kink's included, and on a hilltop it falls with the square of the distance. Asks the source
 * at most four times more, and leaves x and the gradient as they were.
 */
export function* fallsNearby(stepper: Stepper, loss: number, counts: RunCounts): LossRequests<boolean> {
  const { params, grads } = stepper.engine;
  const x = params.slice();
  const step = stepper.clock.iterations + 1;
  function* lossAt(distance: number): LossRequests<number> {
    for (let i = 0; i < x.length; i++) params[i] = x[i] + distance * (1 + Math.abs(x[i]));
    return yield* counts.ask(step);
  }
  try {
    // A source that draws another batch at each call tells nothing.
    if ((yield* lossAt(0)) !== loss) return false;
    const [ahead, behind] = [yield* lossAt(FAR), yield* lossAt(-FAR)];
    const fall = loss - Math.min(ahead, behind);
    if (!(fall > ROUNDING * Math.max(1, Math.abs(loss)))) return false;
    const near = loss - (yield* lossAt(ahead < behind ? NEAR : -NEAR));
    return fall < SLOPE * near;
  } finally {
    params.set(x);
    grads.fill(0);
  }
}
