import * as superlevel from "superlevel";
import { createOptimizer, type Base, type Granularity, type Tuner, type TunerOptions } from "superlevel";
import { markdown } from "./results.js";

const bases: Record<string, Base> = {
  sgd: superlevel.sgd(),
  "sgd, momentum": superlevel.sgd({ momentum: 0.9 }),
  lion: superlevel.lion(),
  "adam, adamw": superlevel.adam(),
};

const tuners: [name: string, make: (options: TunerOptions) => Tuner][] = [
  ["superlevel, Δ stored", (options) => superlevel.superlevel(options)],
  ["superlevel, Δ reconstructed", (options) => superlevel.superlevel({ delta: "reconstructed", ...options })],
  ["mechanic, Δ reconstructed", (options) => superlevel.mechanic(options)],
  ["mechanize, Δ reconstructed", (options) => superlevel.mechanize(options)],
  ["equations, Δ stored", (options) => superlevel.equations(options)],
  ["algorithm1, Δ additive", (options) => superlevel.algorithm1(options)],
];

const granularities: [name: string, options: TunerOptions][] = [
  ["global or tensor", {}],
  ["parameter", { granularity: "parameter" }],
  ["parameter, one beta", { granularity: "parameter", betas: [0.99] }],
];

function bytes(base: Base, tuner: Tuner | null): number {
  using optimizer = createOptimizer(1, { base, tuner });
  return optimizer.bytesPerParameter;
}

function defined(
  form: string,
  { granularity, betas }: { granularity?: Granularity; betas?: readonly number[] },
): boolean {
  if (form.startsWith("mechanize") && granularity === "parameter") return false;
  return !(form.startsWith("algorithm1") && betas !== undefined);
}

/** Bytes per parameter of every base, granularity and form, read from the optimizers; in Markdown. */
export function memoryTable(): string {
  const names = Object.keys(bases);
  const row = (form: string, granularity: string, tuner: Tuner | null) => [
    form,
    granularity,
    ...names.map((name) => String(bytes(bases[name], tuner))),
  ];
  const rows = tuners.flatMap(([form, make]) =>
    granularities
      .filter(([, options]) => defined(form, options))
      .map(([granularity, options]) => row(form, granularity, make(options))),
  );
  return markdown(["form", "granularity", ...names], [row("none (`tuner: null`)", "–", null), ...rows]);
}
