import { expectFunction, show } from "../expect.js";

/** How far a long computation is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What every long computation takes. */
export interface WorkOptions {
  /** Ends the computation: its promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called after each part, with how many there are at most. */
  onProgress?: (progress: Progress) => void;
}

/** The names of {@link WorkOptions}. */
export const WORK_KEYS = ["signal", "onProgress"] as const;

/** A long computation leaves the thread to others so often, in ms: pages stay alive and aborts arrive. */
const TURN_MS = 12;

/** Reports progress, stops when aborted, and lets others run. */
export class Work {
  readonly #options: WorkOptions;
  readonly #total: number;
  #done = 0;
  #since = performance.now();

  constructor(name: string, options: WorkOptions, total: number) {
    const { signal, onProgress } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw new TypeError(`${name}.signal: expected an AbortSignal, got ${show(signal)}`);
    if (onProgress !== undefined) expectFunction(`${name}.onProgress`, onProgress);
    signal?.throwIfAborted();
    this.#options = options;
    this.#total = total;
  }

  /** One part is done. */
  async tick(): Promise<void> {
    const { signal, onProgress } = this.#options;
    this.#done++;
    onProgress?.({ done: this.#done, total: Math.max(this.#done, this.#total) });
    if (performance.now() - this.#since > TURN_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve));
      this.#since = performance.now();
    }
    signal?.throwIfAborted();
  }
}
