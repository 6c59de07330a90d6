import { addN, dispose, mul, square, stack, sub, sum, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { expectOptions, expectNumber, expectFunction, show } from "../../common/expect.js";
import type { StepInfo } from "../../stepper/info.js";
import { expectTarget, FindingLog, TAGS, type LogTarget } from "../../loggers/log-to.js";
import { lyapunovMonitor, type LyapunovMonitor } from "../../stability/monitor/monitor.js";
import type { LyapunovSummary } from "../../stability/monitor/options.js";
import type { MonitorPoint } from "../../stability/monitor/point.js";
import { deadUnits, type UnitModel } from "./dead-units.js";
import type { LayerLike } from "./layer-calls.js";
import { variablesOf, type VariableLike } from "./source.js";

/** Options of {@link monitorCallback}. */
export interface MonitorCallbackOptions {
  /**
   * With it, rate, scale and ‖g‖ of its `superlevelOptimizer` are followed besides the loss, and of any optimizer how far a step
   * that is logged moves the weights: that one costs a copy of them, and two sums on the backend.
   */
  model?: {
    readonly optimizer: unknown;
    readonly trainableWeights?: readonly VariableLike[];
    readonly layers?: readonly LayerLike[];
    predict?(inputs: Tensor | Tensor[]): Tensor | Tensor[];
  };
  /**
   * Inputs of the model, some hundred of those that are trained on: every `every` batches a forward pass of them tells which share
   * of each layer's units returns 0 at all of them. Needs `model`, a LayersModel. The caller disposes of them after the training.
   */
  examples?: Tensor | Tensor[];
  /** Default `lyapunovMonitor({ objective: "batch" })`. */
  monitor?: LyapunovMonitor;
  /**
   * Where `loss`, `learning_rate`, `grad_norm`, `update_ratio`, `superlevel/scale`, findings, and with `examples` `dead_units/LAYER`
   * are logged: see `logTo`.
   */
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

/** What is logged of a step. */
function valuesOf(
  loss: number,
  info: StepInfo | undefined,
  deadUnits: MonitorPoint["deadUnits"] = [],
): Record<string, number> {
  const values: Record<string, number> = { [TAGS.loss]: loss };
  if (info) {
    const { learningRate, gradNorm, scale } = info;
    Object.assign(values, { [TAGS.rate]: learningRate, [TAGS.gradient]: gradNorm, [TAGS.scale]: scale });
  }
  for (const { name, share } of deadUnits) values[`${TAGS.dead}/${name}`] = share;
  return values;
}

function expectUnits(model: MonitorCallbackOptions["model"]): void {
  if (Array.isArray(model?.layers) && typeof model.predict === "function") return;
  throw new TypeError(`monitorCallback.examples: expected model besides, a LayersModel, got ${show(model)}`);
}

/**
 * A callback for `model.fit` and `model.fitDataset` that follows the loss of each batch, and with `model` the steps of its
 * optimizer, and names what goes wrong, with `examples` dead units by layer. It sees no gradients; give a monitor a probe for more.
 *
 * @throws TypeError or RangeError naming the option that is wrong
 * @example
 * import { monitorCallback } from "superlevel/tfjs";
 * const callback = monitorCallback();
 * for (let batch = 0; batch < 40; batch++) callback.onBatchEnd(batch, { loss: batch < 20 ? 1 : NaN });
 * callback.summary().verdict; // → "non-finite"
 */
export function monitorCallback(options: MonitorCallbackOptions = {}): MonitorCallback {
  expectOptions("monitorCallback", options, ["model", "examples", "monitor", "target", "every", "onFinding"]);
  const { model, examples, target, onFinding, monitor = lyapunovMonitor({ objective: "batch" }) } = options;
  if (examples !== undefined) expectUnits(model);
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
  const end = (step: number, loss: number, deadUnits?: MonitorPoint["deadUnits"]) => {
    monitor.beforeStep({ step, loss, params: [], grads: [], deterministic: false, deadUnits });
    const info = stepOf(model);
    if (info) monitor.afterStep({ ...info, ...UNGUARDED, step, loss, evaluations: step });
    if (!isDue(step)) return undefined;
    if (onFinding) tell();
    const values = { ...valuesOf(loss, info, deadUnits), ...findings.changed };
    const log = (update = {}) => void target?.log({ ...values, ...update }, { step });
    return meter.end()?.then(log) ?? log();
  };
  return {
    monitor,
    summary: () => monitor.summary(),
    onBatchBegin() {
      if (target && isDue(step + 1)) meter.begin();
    },
    onBatchEnd(_batch, logs = {}) {
      const loss = lossOf(logs.loss);
      const now = ++step;
      if (examples === undefined || !isDue(now)) return end(now, loss);
      return deadUnits(model as UnitModel, examples).then((dead) => end(now, loss, dead));
    },
    onTrainEnd: tell,
  };
}
