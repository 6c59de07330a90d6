import type { Digits } from "../../studies/kit/digits/draw.js";

export interface Data {
  readonly train: Digits;
  readonly test: Digits;
}

export type Spoil = "labels" | "rate" | "units";

/** From the page to the worker. */
export type Command =
  | { readonly type: "start"; readonly units: number; readonly seed: number; readonly data?: Data }
  | { readonly type: "pause"; readonly paused: boolean }
  | { readonly type: "spoil"; readonly kind: Spoil };

/** How one optimizer fares. */
export interface Standing {
  readonly step: number;
  /** Mean loss of the latest batches. */
  readonly loss: number;
  /** Part of the test images that are read right, 0 to 1; NaN until it is known. */
  readonly accuracy: number;
  readonly verdict: string;
  readonly findings: readonly string[];
  /** Why it ended before the last step; empty if it did not. */
  readonly ended: string;
}

export interface Picture {
  readonly image: Uint8Array;
  readonly label: number;
  /** What the network takes it for; undefined for an example. */
  readonly read?: number;
}

/** From the worker to the page. */
export type Report =
  | { readonly type: "ready"; readonly examples: readonly Picture[]; readonly size: number }
  | { readonly type: "progress"; readonly step: number; readonly standings: readonly Standing[] }
  | { readonly type: "misread"; readonly pictures: readonly Picture[]; readonly total: number }
  | { readonly type: "spoilt"; readonly kind: Spoil; readonly step: number }
  | { readonly type: "done"; readonly step: number }
  | { readonly type: "failed"; readonly message: string };

export const STEPS = 1000;

/** superlevel, then Adam at each of the rates. */
export const ADAM_RATES = [0.0001, 0.001, 0.01, 0.1, 1];
export const NAMES = ["superlevel", ...ADAM_RATES.map((rate) => `Adam at ${rate}`)];
