/** Walks a stepper beside recorded columns: on the recorded gradients, or on its own. */
import { Reference, type ReferenceStep } from "../reference.js";
import { assertClose } from "./close.js";
import type { Setup } from "./config.js";
import { problems, type Problem } from "./problems.js";
import type { Cell } from "./load.js";
import type { Run } from "./runs.js";

/** What the columns record, as it stands after a step; a stepper may leave out what it cannot see. */
export type Observed = Partial<Record<string, number | ArrayLike<number>>>;

/** The twin, or an engine behind the same two calls. */
export interface Stepper {
  readonly x: ArrayLike<number>;
  step(g: ArrayLike<number>, alpha: number): Observed;
}

export interface Precision {
  relative: number;
  /** The spacing of numbers at 1; a column is allowed 16 of them at the largest value that it has had. */
  ulp: number;
}

export interface Walk {
  steps: number;
  /** The worst error in units of what is allowed. */
  worst: number;
  /** The columns that were compared. */
  columns: string[];
}

/** A twin as a run was set up; a run in f32 rounds every operation. */
export function twinOf(setup: Setup, run: Run): Stepper {
  const round = run.precision === "f32" ? Math.fround : undefined;
  const twin = new Reference(setup.x0, { ...setup, round });
  return { x: twin.x, step: (g, alpha) => observe(twin, twin.step(g, alpha)) };
}

function observe(twin: Reference, step: ReferenceStep): Observed {
  return {
    params: twin.x,
    average: twin.average() ?? undefined,
    u: step.u,
    delta_next: twin.delta,
    h: step.h,
    m: twin.m,
    v: twin.v,
    r: twin.r,
    wealth: step.W,
    s: twin.s,
    sum_s: step.S,
    eta: step.eta,
    grad_norm: step.clippedNorm,
    x_norm: step.xNorm,
  };
}

/** Feeds the recorded gradients, which are clipped already, for as long as they were recorded. */
export function openLoop(setup: Setup, run: Run, make = twinOf): Walk {
  const stepper = make({ ...setup, clip: {} }, run);
  const { columns } = run;
  const comparison = new Comparison(setup, run, openPrecision(setup, run));
  let t = 1;
  for (; t <= columns.g.length && columns.step[t - 1] === t; t++) {
    const g = spread(columns.g[t - 1], setup);
    const alpha = setup.schedule(t);
    comparison.row(t, { ...stepper.step(g, alpha), alpha }, (name) => columns[name]?.[t - 1]);
  }
  return comparison.walk(t - 1);
}

/** Follows its own gradients for as long as two implementations agree, and at most to the given step. */
export function closedLoop(setup: Setup, run: Run, problem: Problem, last: number, make = twinOf): Walk {
  const stepper = make(setup, run);
  const { columns, tail } = run;
  const comparison = new Comparison(setup, run, closedPrecision(run));
  let t = 1;
  for (; t <= last; t++) {
    const { loss, gradient } = problems[problem.kind](problem, stepper.x, setup.samples(t));
    const { params, sum_s } = stepper.step(gradient, setup.schedule(t));
    const row = columns.step.indexOf(t);
    const tailRow = tail.step?.indexOf(t) ?? -1;
    comparison.row(t, { loss_before: loss, params, sum_s }, (name) =>
      row >= 0 ? columns[name]?.[row] : tail[name]?.[tailRow],
    );
  }
  return comparison.walk(t - 1);
}

const ulp32 = 2 ** -23;
const ulp64 = 2 ** -52;

/**
 * f64 runs agree to rounding. f32 runs differ by the order of sums and by their f32 tuner state, as does a
 * f32 tuner beside f64 parameters. PyTorch's u is a difference of parameters: where |u| is far below |x| it
 * carries the rounding of x, and everything made of it too.
 */
function openPrecision(setup: Setup, run: Run): Precision {
  if (run.mixed) return { relative: 1e-5, ulp: ulp32 };
  const [relative, ulp] = run.precision === "f32" ? [1e-3, ulp32] : [1e-10, ulp64];
  const u = run.columns.u?.[0];
  if (u === undefined || run.kind !== "mechanic_torch") return { relative, ulp };
  return { relative: relative + (2 * ulp * largest(setup.x0)) / largest(running(u, setup)), ulp };
}

/** A closed loop multiplies rounding; the recorded last step is where 1e-9 (f64) and 1e-3 (f32) were reached. */
function closedPrecision(run: Run): Precision {
  return run.precision === "f32" || run.mixed
    ? { relative: 1e-3, ulp: 1e-3 / 16 }
    : { relative: 1e-8, ulp: 1e-10 / 16 };
}

function largest(values: number | ArrayLike<number>): number {
  return typeof values === "number"
    ? Math.abs(values)
    : Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

const differences = new Set(["u", "delta_next", "x_norm"]);

class Comparison {
  readonly #setup: Setup;
  readonly #run: Run;
  readonly #precision: Precision;
  readonly #largest: Record<string, number> = {};
  #worst = 0;

  constructor(setup: Setup, run: Run, precision: Precision) {
    this.#setup = setup;
    this.#run = run;
    this.#precision = precision;
  }

  /** Compares whatever is both observed and recorded. */
  row(t: number, observed: Observed, recordedAt: (name: string) => Cell | undefined): void {
    for (const [name, actual] of Object.entries(observed)) {
      const expected = recordedAt(name);
      if (actual === undefined || expected === undefined) continue;
      this.#compare(`${this.#run.name} step ${t} ${name}`, name, actual, expected);
    }
  }

  walk(steps: number): Walk {
    return { steps, worst: this.#worst, columns: Object.keys(this.#largest) };
  }

  #compare(label: string, name: string, actual: number | ArrayLike<number>, expected: Cell): void {
    const { relative, ulp } = this.#precision;
    if (name === "u" || name === "delta_next") {
      actual = running(actual, this.#setup);
      expected = running(expected, this.#setup);
    }
    this.#largest[name] = Math.max(this.#largest[name] ?? 0, largest(expected));
    let absolute = 16 * ulp * this.#largest[name];
    // Differences of parameters, or a sum of few: they keep the rounding of x however small they are.
    if (differences.has(name)) absolute += 16 * ulp * largest(this.#setup.x0);
    if (name === "params" && this.#setup.tuner?.delta === "additive") {
      // These forms barely move: only the movement says anything.
      const { x0 } = this.#setup;
      actual = Array.from(actual as ArrayLike<number>, (x, i) => x - x0[i]);
      expected = (expected as number[]).map((x, i) => x - x0[i]);
      absolute = 4 * ulp64 * largest(x0);
    }
    this.#worst = Math.max(this.#worst, assertClose(label, actual, expected, { relative, absolute }));
  }
}

/** A recorded gradient over all tensors: frozen ones may be left out, or hold no number. */
export function spread(g: number | ArrayLike<number>, setup: Setup): Float64Array {
  const full = new Float64Array(setup.x0.length);
  const values = running(g, setup);
  let from = 0;
  let start = 0;
  for (const { size, frozen } of setup.tensors) {
    if (!frozen) for (let i = 0; i < size; i++) full[start + i] = values[from++];
    start += size;
  }
  return full;
}

/** The coordinates that are not frozen, of a vector over all tensors or over those only. */
function running(vector: number | ArrayLike<number>, setup: Setup): number[] {
  const values = typeof vector === "number" ? [vector] : Array.from(vector);
  if (values.length < setup.x0.length) return values;
  let start = 0;
  return setup.tensors.flatMap(({ size, frozen }) => {
    const part = frozen ? [] : values.slice(start, start + size);
    start += size;
    return part;
  });
}
