export const ENGINES = ["wasm", "wasm-relaxed", "js"] as const;

/** What runs the arithmetic: docs/engines.md. */
export type EngineName = (typeof ENGINES)[number];

/** What a step asks of every engine; assembly/index.ts says what each does. */
export interface Kernels {
  scan(): number;
  scanExactly(): number;
  clippedSquares(): number;
  pointHash(): number;
  step(): void;
  scanAndStep(limit: number): number;
  start(sInit: number, share: number): void;
  rebase(): void;
  anchor(carry: number): void;
  rescale(factor: number): void;
  keepGradient(slot: number): void;
  gradientChange(slot: number, times: number): number;
  lowerScale(group: number, other: number): void;
  flushMoments(): void;
  scaleSlot(index: number, factor: number): void;
  scaleOf(group: number): number;
  summarize(): void;
}

export { Scalar, Summary } from "./records.js";
