export const ENGINES = ["wasm", "wasm-relaxed", "js"] as const;

/** What runs the arithmetic: docs/engines.md. */
export type EngineName = (typeof ENGINES)[number];

/** What a step asks of every engine; assembly/index.ts says what each does. */
export interface Kernels {
  scan(): number;
  scanExactly(): number;
  clippedSquares(): number;
  step(): void;
  start(sInit: number, share: number): void;
  rebase(): void;
  anchor(carry: number): void;
  rescale(factor: number): void;
  keepGradient(slot: number): void;
  gradientChange(slot: number, times: number): number;
  lowerScale(group: number, other: number): void;
  flushMoments(): void;
  clearSlot(index: number): void;
  bytesPerCoordinate(): number;
  scaleOf(group: number): number;
  takeStock(): void;
}

/** Places in a step's scalars, which the host writes: the rule's step size and eight constants, and these. */
export const Scalar = {
  learningRate: 9,
  clipScale: 10,
  base: 11,
  firstSlot: 12,
  leadSlot: 13,
  interpolation: 14,
  weight: 15,
  ownFloor: 16,
  rewardLimit: 17,
  growthLimit: 18,
  promiseLimit: 19,
  start: 20,
  count: 21,
} as const;

/** Places in the report, which the kernels write; assembly/records.ts says what is there. */
export const Report = {
  h: 0,
  scaleMean: 1,
  scaleMax: 2,
  paramsSquares: 3,
  paramsSquaresMin: 4,
  deltaSquares: 5,
  vitality: 6,
  leadSlope: 7,
  sInitMax: 8,
  count: 9,
} as const;
