import { expectFunction, expectNumber, expectOptions } from "../common/expect.js";
import type { RunInfo, RunMonitor } from "../run/options.js";
import { norm } from "../stability/vectors.js";
import type { LyapunovMonitor } from "../stability/monitor/monitor.js";

/** Where values of a step go: Weights & Biases and those like it, or {@link eventFile}. */
export interface LogTarget {
  log(values: Record<string, number | string>, at: { readonly step: number }): unknown;
}

/** Options of {@link logTo}. */
export interface LogOptions {
  /** Steps from one that is logged to the next, ≥ 1; default 10. */
  every?: number;
  /** Its findings are logged as text, whenever there are others than before. List it before the logger. */
  monitor?: Pick<LyapunovMonitor, "summary">;
}

/** Tags of what is logged. */
export const TAGS = {
  loss: "loss",
  rate: "learning_rate",
  gradient: "grad_norm",
  update: "update_ratio",
  scale: "superlevel/scale",
  findings: "superlevel/findings",
  dead: "dead_units",
} as const;

export function expectTarget(name: string, target: LogTarget): void {
  expectFunction(`${name}.log`, (target as { log?: unknown } | undefined)?.log);
}

/** Logs findings as text where they have changed. */
export class FindingLog {
  readonly #monitor: LogOptions["monitor"];
  #last = "";

  constructor(monitor: LogOptions["monitor"]) {
    this.#monitor = monitor;
  }

  /** The new text, or nothing. */
  get changed(): Record<string, string> {
    const { findings = [] } = this.#monitor?.summary() ?? {};
    const codes = findings.map(({ code }) => code).join();
    if (codes === this.#last) return {};
    this.#last = codes;
    return { [TAGS.findings]: findings.map(({ message }) => message).join("\n\n") || "none" };
  }
}

/** ‖x_{t+1} − x_t‖ / ‖x_t‖ of all parameters, and with ‖g‖ of each tensor where there are some. */
function lengths(tensors: RunInfo["tensors"]): Record<string, number> {
  const values: Record<string, number> = {};
  if (!tensors) return values;
  const lengthOf = (of: "updateNorm" | "paramsNorm") => norm(tensors.map((tensor) => tensor[of]));
  values[TAGS.update] = lengthOf("updateNorm") / lengthOf("paramsNorm");
  for (const { name, gradNorm, updateRatio } of tensors.length > 1 ? tensors : []) {
    values[`${TAGS.gradient}/${name}`] = gradNorm;
    if (updateRatio < Infinity) values[`${TAGS.update}/${name}`] = updateRatio;
  }
  return values;
}

/**
 * A monitor for `minimize` that logs `loss`, `learning_rate`, `grad_norm`, `update_ratio` (‖S u‖ / ‖x‖), `superlevel/scale`, the
 * same by tensor, and findings as text.
 *
 * @param target what has `log(values, { step })`, as the run of Weights & Biases; promises that it returns are not awaited
 * @throws TypeError or RangeError naming what is wrong
 * @example
 * import { createOptimizer } from "superlevel";
 * import { logTo } from "superlevel/stability";
 * const seen: Record<string, unknown>[] = [];
 * const bowl = ([x]: Float32Array, g: Float32Array) => (g.set([x]), (x * x) / 2);
 * const logger = logTo({ log: (values) => seen.push(values) }, { every: 5 });
 * createOptimizer([1]).minimize(bowl, { steps: 10, monitors: [logger] });
 * seen.length; // → 3
 * seen[0].loss; // → 0.5
 */
export function logTo(
  target: LogTarget,
  options: LogOptions = {},
): Required<Pick<RunMonitor, "watches" | "afterStep">> {
  expectTarget("logTo(target)", target);
  expectOptions("logTo", options, ["every", "monitor"]);
  const every = expectNumber("logTo.every", options.every ?? 10, { min: 1, integer: true });
  const { monitor } = options;
  if (monitor !== undefined)
    expectFunction("logTo.monitor.summary", (monitor as { summary?: unknown }).summary);
  const findings = new FindingLog(monitor);
  const isDue = (step: number) => step === 1 || step % every === 0;
  return {
    watches: isDue,
    afterStep({ step, loss, learningRate, gradNorm, scale, skipped, tensors }: RunInfo) {
      if (skipped || !isDue(step)) return;
      const values = {
        [TAGS.loss]: loss,
        [TAGS.rate]: learningRate,
        [TAGS.gradient]: gradNorm,
        [TAGS.scale]: scale,
        ...lengths(tensors),
        ...findings.changed,
      };
      target.log(values, { step });
    },
  };
}
