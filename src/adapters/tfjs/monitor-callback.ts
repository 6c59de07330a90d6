import { expectOptions, expectNumber, expectFunction } from "../../common/expect.js";
import type { StepInfo } from "../../stepper/info.js";
import { expectTarget, FindingLog, TAGS, type LogTarget } from "../../loggers/log-to.js";
import { lyapunovMonitor, type LyapunovMonitor } from "../../stability/monitor/monitor.js";
import type { LyapunovSummary } from "../../stability/monitor/options.js";

/** Options of {@link monitorCallback}. */
export interface MonitorCallbackOptions {
  /** With it, rate, scale and ‖g‖ of its `superlevelOptimizer` are followed besides the loss. */
  model?: { readonly optimizer: unknown };
  /** Default `lyapunovMonitor({ objective: "batch" })`. */
  monitor?: LyapunovMonitor;
  /** Where `loss`, `learning_rate`, `grad_norm`, `superlevel/scale` and findings are logged: see `logTo`. */
  target?: LogTarget;
  /** Batches from one that is logged to the next, ≥ 1; default 10. */
  every?: number;
  /** Called with each finding, once, when it is first seen. */
  onFinding?: (finding: LyapunovSummary["findings"][number]) => void;
}

/** What `model.fit` calls, and what has been seen. */
export interface MonitorCallback {
  onBatchEnd(batch: number, logs?: Readonly<Record<string, unknown>>): void;
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
  let step = 0;
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
    onBatchEnd(_batch, logs = {}) {
      const loss = lossOf(logs.loss);
      step++;
      monitor.beforeStep({ step, loss, params: [], grads: [], deterministic: false });
      const info = stepOf(model);
      if (info) monitor.afterStep({ ...info, ...UNGUARDED, step, loss, evaluations: step });
      if (step !== 1 && step % every !== 0) return;
      if (onFinding) tell();
      const seen = info && {
        [TAGS.rate]: info.learningRate,
        [TAGS.gradient]: info.gradNorm,
        [TAGS.scale]: info.scale,
      };
      target?.log({ [TAGS.loss]: loss, ...seen, ...findings.changed }, { step });
    },
    onTrainEnd: tell,
  };
}
