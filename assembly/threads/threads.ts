import { Accumulate } from "../sweeps/accumulate";
import { Advance, Coordinates, CoordinatesAhead, Follow, LookAhead } from "../sweeps/coordinates";
import { step } from "../index";
import { Move } from "../sweeps/move";
import { Slope } from "../tuner/promise";
import { Measure, Scan, scan, ScanClipped, scanExactly } from "../sweeps/scan";
import { Task } from "../sweeps/sweep";
import { holdConstants } from "../sweeps/update";
import { finishCommand, leave, nextTask, share } from "./pool";

/* The entry of the binary for threads: what one thread exports, and the life of the others. */

export * from "../index";
export { command, countSpans, quit, result, setSleep } from "./pool";

/** Commands that another thread carries out as the leader while the host's does something else. */
export enum Command {
  SCAN = 1,
  SCAN_EXACTLY,
  STEP,
}

/** Tells the host that a command was carried out. Its module is called as this file is. */
declare function announce(): void;

function carryOut(command: i32): void {
  if (command == Command.SCAN) finishCommand(scan());
  else if (command == Command.SCAN_EXACTLY) finishCommand(scanExactly());
  else {
    step();
    finishCommand(0);
  }
  announce();
}

function help(task: i32): void {
  holdConstants();
  switch (task) {
    case Task.SCAN:
      return share<Scan>();
    case Task.SCAN_CLIPPED:
      return share<ScanClipped>();
    case Task.MEASURE:
      return share<Measure>();
    case Task.ACCUMULATE:
      return share<Accumulate>();
    case Task.MOVE:
      return share<Move>();
    case Task.COORDINATES:
      return share<Coordinates>();
    case Task.ADVANCE:
      return share<Advance>();
    case Task.FOLLOW:
      return share<Follow>();
    case Task.LOOK_AHEAD:
      return share<LookAhead>();
    case Task.COORDINATES_AHEAD:
      return share<CoordinatesAhead>();
    case Task.SLOPE:
      return share<Slope>();
  }
}

/** Helps until it is told to quit. */
export function work(): void {
  while (true) {
    const task = nextTask();
    if (task == 0) return;
    if (task < 0) carryOut(-task);
    else {
      help(task);
      leave();
    }
  }
}
