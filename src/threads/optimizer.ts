import { asyncDispose } from "../common/ambient.js";
import { OPTIONS, resolve, type OptimizerOptions } from "../stepper/config.js";
import { createEngine } from "../engine/engine.js";
import { expectNumber, expectNumbers, expectOneOf, expectOptions } from "../common/expect.js";
import type { Seen, StepInfo } from "../stepper/info.js";
import { notItself } from "../common/itself.js";
import { Optimizer } from "../optimizer.js";
import { Stepper } from "../stepper/stepper.js";
import type { TensorSpec } from "../tensors.js";
import { atLoss, expectIdle, lossSeen, refuseLoss } from "../run/trial.js";
import { createThreadedEngine, type ThreadedEngine } from "./engine.js";
import { parallelism } from "./workers.js";

/** Below so many parameters threads do not pay even in steps that follow each other: docs/engines.md. */
const THRESHOLD = 20_000;
const MOST_THREADS = 64;
const MOST_BY_DEFAULT = 8;

/** What {@link createThreadedOptimizer} takes besides the parameters. */
export interface ThreadedOptions extends Omit<OptimizerOptions, "engine"> {
  /** Threads run WebAssembly. Default "auto". */
  engine?: "auto" | "wasm";
  /** Threads that share a step, the calling one included; 1 … 64. Default: what the machine has, at most 8. */
  threads?: number;
  /** With fewer parameters than this there is one thread. Default: 20 000, from where on two were faster than one. */
  threshold?: number;
}

/** Ends the threads of optimizers that were dropped without `dispose`. */
const dropped = new FinalizationRegistry<ThreadedEngine>((pool) => void pool.end());

/** What {@link createThreadedOptimizer} resolves to. */
export class ThreadedOptimizer extends Optimizer implements AsyncDisposable {
  readonly #own: Stepper;
  readonly #pool: ThreadedEngine | undefined;
  /** Threads that share a step, the calling one included. */
  readonly threads: number;

  /** Use {@link createThreadedOptimizer}. */
  constructor(stepper: Stepper, threads: number, pool: ThreadedEngine | undefined) {
    super(stepper);
    this.#own = stepper;
    this.#pool = pool;
    this.threads = threads;
    if (pool) dropped.register(this, pool, this);
  }

  /**
   * `step`, taken by the other threads: the calling one is free until the promise settles, which is what a page's main
   * thread wants. Same result, to the last bit. Leave the optimizer alone until then.
   *
   * @param grads `size` numbers; default: what was written to `this.grads`
   * @param seen what is known besides, as for `step`
   * @throws what `step` throws, as a rejection; and OptimizerError "threads" when a thread has died or a step is
   *   under way
   * @example
   * import { createThreadedOptimizer } from "superlevel/threads";
   * const optimizer = await createThreadedOptimizer([1, -1], { threads: 2, threshold: 0 });
   * (await optimizer.stepAsync([0.3, 0.4])).step; // → 1
   * optimizer.dispose();
   */
  async stepAsync(grads?: ArrayLike<number>, seen?: Seen): Promise<StepInfo> {
    if (!(#own in this)) throw notItself("optimizer");
    this.#own.expectEngine();
    const pool = this.#pool;
    if (!pool) return Promise.resolve(this.step(grads, seen));
    expectIdle(this.#own, "stepAsync");
    const loss = lossSeen(this.#own, seen);
    if (grads !== undefined) this.grads.set(expectNumbers("grads", grads, this.size));
    const refused = refuseLoss(this.#own, loss);
    if (refused) return refused;
    this.#own.task = "stepAsync";
    try {
      return await this.#lead(pool, loss);
    } catch (error) {
      throw atLoss(error, loss);
    } finally {
      this.#own.task = "";
    }
  }

  async #lead(pool: ThreadedEngine, loss: number | undefined): Promise<StepInfo> {
    const stepper = this.#own;
    stepper.look();
    let squares = await pool.command("SCAN");
    if (!Number.isFinite(squares)) squares = await pool.command("SCAN_EXACTLY");
    const begun = stepper.begin(squares, 1, loss);
    if ("skipped" in begun) return begun;
    await pool.command("STEP");
    // By `this`, so that nobody takes it for dropped before.
    return this.#own.end(begun);
  }

  /** Ends the threads and lets go of the memory. Every later use throws an OptimizerError "disposed". */
  override dispose(): void {
    super.dispose();
    dropped.unregister(this);
    void this.#pool?.end();
  }

  /** `dispose`, for `await using`: settles when the threads have ended. */
  async [asyncDispose](): Promise<void> {
    this.dispose();
    await this.#pool?.end();
  }
}

/**
 * An optimizer whose steps are shared by threads: in Node by worker threads, in a page by web workers. Everything is as
 * with `createOptimizer`, every result is the same to the last bit, whatever the number of threads. The threads do not
 * keep a process alive; `dispose` ends them.
 *
 * A page needs cross-origin isolation for threads: the headers `Cross-Origin-Opener-Policy: same-origin` and
 * `Cross-Origin-Embedder-Policy: require-corp`.
 *
 * @throws as `createOptimizer`, and OptimizerError "threads" when they cannot be had; all as rejections
 * @example
 * import { createThreadedOptimizer } from "superlevel/threads";
 * const optimizer = await createThreadedOptimizer(50_000, { threads: 2 });
 * optimizer.grads.fill(0.5);
 * optimizer.step().step; // → 1
 * optimizer.threads; // → 2
 * optimizer.dispose();
 */
export async function createThreadedOptimizer(
  params: number | ArrayLike<number> | readonly TensorSpec[],
  options: ThreadedOptions = {},
): Promise<ThreadedOptimizer> {
  expectOptions("options", options, [...OPTIONS, "threads", "threshold"]);
  const { threads: wanted, threshold = THRESHOLD, ...others } = options;
  expectOneOf("engine", others.engine ?? "auto", ["auto", "wasm"]);
  expectNumber("threshold", threshold, { min: 0 });
  if (wanted !== undefined) expectNumber("threads", wanted, { min: 1, max: MOST_THREADS, integer: true });
  const resolved = resolve(params, others);
  const { program } = resolved;
  const most = wanted ?? Math.min(await parallelism(), MOST_BY_DEFAULT);
  const threads = program.size < threshold ? 1 : most;
  if (threads === 1) return new ThreadedOptimizer(new Stepper(resolved, createEngine(program)), 1, undefined);
  const pool = await createThreadedEngine(program, threads);
  return new ThreadedOptimizer(new Stepper(resolved, pool.engine), threads, pool);
}
