import { addN, dispose, mul, square, stack, sub, sum, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { expectOptions, expectNumber, expectFunction } from "../../common/expect.js";
import type { StepInfo } from "../../stepper/info.js";
import { expectTarget, FindingLog, TAGS, type LogTarget } from "../../loggers/log-to.js";
import { lyapunovMonitor, type LyapunovMonitor } from "../../stability/monitor/monitor.js";
import type { LyapunovSummary } from "../../stability/monitor/options.js";
import { variablesOf, type VariableLike } from "./source.js";

/** Options of {@link monitorCallback}. */
export interface MonitorCallbackOptions {
  /**
   * With it, rate, scale and ‖g‖ of its `superlevelOptimizer` are followed besides the loss, and of any optimizer how far a step
   * that is logged moves the weights: that one costs a copy of them, and two sums on the backend.
   */
  model?: { readonly optimizer: unknown; readonly trainableWeights?: readonly VariableLike[] };
  /** Default `lyapunovMonitor({ objective: "batch" })`. */
  monitor?: LyapunovMonitor;
  /** Where `loss`, `learning_rate`, `grad_norm`, `update_ratio`, `superlevel/scale` and findings are logged: see `logTo`. */
  target?: LogTarget;
  /** Batches from one that is logged to the next, ≥ 1; default 10. */
  every?: number;
  /** Called with each finding, once, when it is first seen. */
  onFinding?: (finding: LyapunovSummary["findings"][number]) => void;
}

/** What `model.fit` calls, and what has been seen. */
export interface MonitorCallback {
  onBatchBegin(): void;
  /** A promise where the weights are still to be read; `fit` awaits it. */
  onBatchEnd(batch: number, logs?: Readonly<Record<string, unknown>>): void | Promise<void>;
  onTrainEnd(): void;
  readonly monitor: LyapunovMonitor;
  summary(): LyapunovSummary;
}

const stepOf = (model: MonitorCallbackOptions["model"]) =>
  (model?.optimizer as { lastStep?: StepInfo } | undefined)?.lastStep;

/** What a run tells of its guard and level, which `fit` has none of. */
const UNGUARDED = { lossAfter: undefined, violated: false, rejections: 0, projected: false };

/** `fit` gives losses as numbers; its own loops may give scalars. */
const lossOf = (loss: unknown): number =>
  typeof loss === "number" ? loss : Number((loss as { dataSync?: () => ArrayLike<number> })?.dataSync?.()[0]);

/** Measures how far a step moves the weights, ‖d‖ / ‖x‖, where they are: nothing but two sums is read. */
class UpdateMeter {
  readonly #model: MonitorCallbackOptions["model"];
  #before: Tensor[] = [];

  constructor(model: MonitorCallbackOptions["model"]) {
    this.#model = model;
  }

  get #weights(): Tensor[] {
    const { trainableWeights = [] } = this.#model ?? {};
    return trainableWeights.length > 0 ? variablesOf(trainableWeights) : [];
  }

  begin(): void {
    dispose(this.#before);
    // Optimizers may write in place, so a clone would change with the weights.
    this.#before = tidy(() => this.#weights.map((weight) => mul(weight, 1)));
  }

  /** Undefined where the step's begin was not seen; nothing is logged where the weights were 0. */
  end(): Promise<Record<string, number>> | undefined {
    const before = this.#before;
    if (before.length === 0) return undefined;
    const squares = tidy(() => {
      const lengths = (tensors: Tensor[]) => addN(tensors.map((one) => sum(square(one))));
      return stack([lengths(this.#weights.map((now, k) => sub(now, before[k]))), lengths(before)]);
    });
    dispose(before);
    this.#before = [];
    return squares.data().then(([moved, whole]) => {
      squares.dispose();
      const ratio: Record<string, number> = whole > 0 ? { [TAGS.update]: Math.sqrt(moved / whole) } : {};
      return ratio;
    });
  }
}

/**
 * A callback for `model.fit` and `model.fitDataset` that follows the loss of each batch, and with `model` the steps of its
 * optimizer, and names what goes wrong. It sees no gradients; give a monitor a probe for more.
 *
 * @throws TypeError or RangeError naming the option that is wrong
 * @example
 * import { monitorCallback } from "superlevel/tfjs";
 * const callback = monitorCallback();
 * for (let batch = 0; batch < 40; batch++) callback.onBatchEnd(batch, { loss: batch < 20 ? 1 : NaN });
 * callback.summary().verdict; // → "non-finite"
 */
export function monitorCallback(options: MonitorCallbackOptions = {}): MonitorCallback {
  expectOptions("monitorCallback", options, ["model", "monitor", "target", "every", "onFinding"]);
  const { model, target, onFinding, monitor = lyapunovMonitor({ objective: "batch" }) } = options;
  const every = expectNumber("monitorCallback.every", options.every ?? 10, { min: 1, integer: true });
  if (target !== undefined) expectTarget("monitorCallback.target", target);
  if (onFinding !== undefined) expectFunction("monitorCallback.onFinding", onFinding);
  const findings = new FindingLog(monitor);
  const told = new Set<string>();
  const meter = new UpdateMeter(model);
  let step = 0;
  const isDue = (step: number) => step === 1 || step % every === 0;
  const tell = () => {
    for (const finding of monitor.summary().findings) {
      if (told.has(finding.code)) continue;
      told.add(finding.code);
      onFinding?.(finding);
    }
  };
  return {
    monitor,
    summary: () => monitor.summary(),
    onBatchBegin() {
      if (target && isDue(step + 1)) meter.begin();
    },
    onBatchEnd(_batch, logs = {}) {
      const loss = lossOf(logs.loss);
      step++;
      monitor.beforeStep({ step, loss, params: [], grads: [], deterministic: false });
      const info = stepOf(model);
      if (info) monitor.afterStep({ ...info, ...UNGUARDED, step, loss, evaluations: step });
      if (!isDue(step)) return undefined;
      if (onFinding) tell();
      const seen = info && {
        [TAGS.rate]: info.learningRate,
        [TAGS.gradient]: info.gradNorm,
        [TAGS.scale]: info.scale,
      };
      const values = { [TAGS.loss]: loss, ...seen, ...findings.changed };
      const log = (update = {}) => void target?.log({ ...values, ...update }, { step });
      return meter.end()?.then(log) ?? log();
    },
    onTrainEnd: tell,
  };
}
