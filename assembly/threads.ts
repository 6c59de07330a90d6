import { Accumulate } from "./accumulate";
import { Advance, Coordinates, CoordinatesAhead, Follow, LookAhead } from "./coordinates";
import { step } from "./index";
import { Move } from "./move";
import { Slope } from "./promise";
import { Measure, Scan, scan, ScanClipped, scanExactly } from "./scan";
import { Task } from "./sweep";
import { leave, led, nextTask, share } from "./team";

/* The entry of the binary for threads: what one thread exports, and the life of the others. */

export * from "./index";
export { setThread } from "./layout";
export { command, countRuns, quit, result, setSleep } from "./team";

/** What a thread may lead while the host's does something else. */
export enum Command {
  SCAN = 1,
  SCAN_EXACTLY,
  STEP,
}

/** Tells the host that a command was carried out. */
declare function announce(): void;

function lead(command: i32): void {
  if (command == Command.SCAN) led(scan());
  else if (command == Command.SCAN_EXACTLY) led(scanExactly());
  else {
    step();
    led(0);
  }
  announce();
}

function help(task: i32): void {
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
    if (task < 0) lead(-task);
    else {
      help(task);
      leave();
    }
  }
}
