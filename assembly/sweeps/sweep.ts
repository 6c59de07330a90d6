import { sweepAlone } from "./segments";
import { sweepShared } from "../threads/pool";

/** The sweeps that threads share, by number: a class cannot be handed to another thread. */
export enum Task {
  SCAN = 1,
  SCAN_CLIPPED,
  MEASURE,
  ACCUMULATE,
  MOVE,
  COORDINATES,
  ADVANCE,
  FOLLOW,
  LOOK_AHEAD,
  COORDINATES_AHEAD,
  SLOPE,
}

/** Sweeps all segments. S is the class of the task. */
export function sweep<S>(task: Task): void {
  if (ASC_FEATURE_THREADS) sweepShared<S>(task);
  else sweepAlone<S>();
}
