import type { Field, LevelSet } from "./field.js";
import type { Racer } from "./racers.js";
import type { Trace } from "./trace.js";

export interface Runner {
  readonly racer: Racer;
  readonly trace: Trace;
}

/** What both pictures of a landscape show. */
export interface Scene {
  readonly field: Field;
  readonly set: LevelSet;
  readonly runners: readonly Runner[];
  readonly start: readonly [number, number];
  readonly step: number;
}

/** A picture of a race; both kinds report where somebody clicks, in shares of the window. */
export interface View {
  readonly element: HTMLElement;
  /** Draws all of it; with `moved`, only what changes while a race is played. */
  draw(scene: Scene, moved: boolean): void;
  destroy(): void;
}

export type OnPlace = (u: number, v: number) => void;
