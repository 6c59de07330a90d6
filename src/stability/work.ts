import { expectFunction, expectSignal, type AbortSignalLike } from "../common/expect.js";

/** How far a long computation is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What every long computation takes. */
export interface WorkOptions {
  /** Ends the computation: its promise rejects with the signal's reason. */
  signal?: AbortSignalLike;
  /** Called after each part, with how many there are at most. */
  onProgress?: (progress: Progress) => void;
}

/** The names of {@link WorkOptions}. */
export const WORK_KEYS = ["signal", "onProgress"] as const;

/** A long computation leaves the thread to others so often, in ms: pages stay alive and aborts arrive. */
const YIELD_AFTER_MS = 12;

/** As `signal.throwIfAborted` does, which not every signal has. */
function stopIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw (signal.reason ?? new Error("aborted")) as Error;
}

/** Reports progress, stops when aborted, and lets others run. */
export class Work {
  readonly #options: WorkOptions;
  readonly #total: number;
  #done = 0;
  #since = Date.now();

  constructor(name: string, options: WorkOptions, total: number) {
    const { signal, onProgress } = options;
    if (signal !== undefined) expectSignal(`${name}.signal`, signal);
    if (onProgress !== undefined) expectFunction(`${name}.onProgress`, onProgress);
    stopIfAborted(signal);
    this.#options = options;
    this.#total = total;
  }

  /** One part is done. */
  async tick(): Promise<void> {
    const { signal, onProgress } = this.#options;
    this.#done++;
    onProgress?.({ done: this.#done, total: Math.max(this.#done, this.#total) });
    if (Date.now() - this.#since > YIELD_AFTER_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve));
      this.#since = Date.now();
    }
    stopIfAborted(signal);
  }
}
