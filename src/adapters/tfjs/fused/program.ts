import { EARLY_STEPS, type Decay } from "../../../bases/base.js";
import { KINDS } from "../../../common/kinds.js";
import { Algebra, type Flag, type Value } from "../../arrays/algebra.js";
import { SQUARES_DECAY } from "../../../stepper/mode.js";
import type { Plan } from "../../arrays/plan.js";
import { MOMENTUM } from "../../arrays/rules.js";
import { defaultRate } from "../../arrays/rate.js";
import { mapState, newState, type ArrayState, type Extent } from "../../arrays/state.js";
import { takeStep } from "../../arrays/step.js";
import type { Runner, Shader } from "./shaders.js";
import { Source } from "./source.js";
import { sumsOf, Trace, type Node } from "./trace.js";

/*
 * A step as a few shaders. Every sum over coordinates ends a stage: what it is of is added up in strips, and the strips'
 * sums by the backend; then one small shader computes the numbers that the next stage wants. The last two make all numbers
 * of the next state, and all its vectors with x behind them.
 */

/** What the shaders are made for. */
export interface Setting {
  readonly plan: Plan;
  readonly size: number;
  /** Where no array `Multiplier` or `Decay` says otherwise. */
  readonly multiplier: number | undefined;
  readonly weightDecay: number | undefined;
  readonly knowsLoss: boolean;
  /** s_init is known to have been found. */
  readonly started: boolean;
  /** Is there an array `Rates`, with the rate of exact gradients and of others? */
  readonly givesRates: boolean;
}

/** Numbers of a step that are no part of a state, behind it. */
export const FOUND = ["gradNorm", "h", "learningRate", "loss"] as const;

/** Where each number and each vector of a state is, and how many there are. */
export function layoutOf(plan: Plan): { places: ArrayState<number>; numbers: number; vectors: number } {
  const betas = plan.tuner?.betas.length ?? 1;
  const widths: Record<Extent, number> = { counted: 1, scalar: 1, betas, vector: 0 };
  let [numbers, vectors] = [0, 0];
  const places = mapState(newState(plan), (_, extent) => {
    if (extent === "vector") return vectors++;
    numbers += widths[extent];
    return numbers - widths[extent];
  });
  return { places, numbers, vectors };
}

/** A stage: strips of sums, and before them the numbers that they need, `Live`. */
export interface Stage {
  readonly numbers: Shader | undefined;
  readonly strips: Shader;
  readonly sums: number;
}

export interface Program {
  readonly stages: readonly Stage[];
  /** The state's numbers, {@link FOUND}, and what the last shader needs. */
  readonly numbers: Shader;
  readonly vectors: Shader;
  /** In how many strips sums are. */
  readonly strips: number;
}

/** Strips enough to keep a GPU busy. */
const STRIPS = 4096;
const COORDINATES_A_STRIP = 16;

/**
 * 1 − e^−z in float32, where it is small by its series: a sum over the steps would depend on where it began, and
 * a run that goes on from a saved state has to find the same bits.
 */
function risen(c: Algebra<Node>, z: Value<Node>): Value<Node> {
  // z − z²/2 + z³/6 − …
  const series = [6, 5, 4, 3, 2].reduce<Value<Node>>((sum, k) => c.sub(1, c.mul(c.mul(1 / k, z), sum)), 1);
  return c.where(c.less(z, 0.25), c.mul(z, series), c.sub(1, c.exp(c.sub(0, z))));
}

/** 1 − β^t of a count. */
function biasAt(c: Algebra<Node>, count: Value<Node>, decay: number): Value<Node> {
  if (decay === 0) return c.where(c.less(0, count), 1, 0);
  return risen(c, c.mul(-Math.log(decay), count));
}

/** The same of the steps after so many, where some of exact gradients have another decay. */
function biasOf(
  c: Algebra<Node>,
  { from, to }: { from: Value<Node>; to: Value<Node> },
  exact: Flag<Node>,
  { plain, early }: Decay,
): Value<Node> {
  if (exact === false || plain === early) return biasAt(c, c.sub(to, from), plain);
  const decayed = (count: Value<Node>) => {
    const most = c.where(c.less(count, EARLY_STEPS), c.sub(count, 1), EARLY_STEPS - 1);
    const some = c.where(c.and(exact, c.less(0, count)), most, 0);
    return c.add(c.mul(-Math.log(early), some), c.mul(-Math.log(plain), c.sub(count, some)));
  };
  return risen(c, c.sub(decayed(to), decayed(from)));
}

function traced({ plan, size, multiplier, weightDecay, knowsLoss, givesRates, started }: Setting) {
  const trace = new Trace();
  const c = new Algebra<Node>(trace);
  const before = mapState<number, Node>(layoutOf(plan).places, (place, extent) => {
    if (extent === "vector") return trace.input(`Vectors ${place}`, "vector");
    return trace.input(`Numbers ${place}`, extent === "betas" ? "betas" : "scalar");
  });
  const count = before.applied;
  const kind = plan.kind ? KINDS.indexOf(plan.kind) : before.kind;
  const exact = plan.exactDecays && c.equal(kind, KINDS.indexOf("exact"));
  const state = {
    ...before,
    biases: plan.biasDecays.map((decay, k) => {
      const from = k === MOMENTUM ? before.momentumStart : 0;
      return biasOf(c, { from, to: count }, exact, decay);
    }),
    average: { ...before.average, squaresBias: biasAt(c, count, SQUARES_DECAY) },
  };
  const betas = plan.tuner?.betas ?? [1];
  const x = trace.input("Point", "vector");
  const taken = takeStep<Node>(c, plan, state, {
    ...{ x, g: trace.input("Gradient", "vector"), size, started },
    loss: knowsLoss ? trace.input("Loss 0", "scalar") : undefined,
    betas: trace.list(betas),
    ones: trace.list(betas.map(() => 1)),
    multiplier: multiplier ?? trace.input("Multiplier", "vector"),
    weightDecay: weightDecay ?? trace.input("Decay", "vector"),
    rate: (place) =>
      givesRates
        ? c.where(place.exact, trace.input("Rates 0", "scalar"), trace.input("Rates 1", "scalar"))
        : defaultRate(c, plan.learningRate as "byKind" | "windows", place),
  });
  return { state: taken.state, found: FOUND.map((key) => taken[key]), point: c.add(x, taken.move) };
}

/** Code of shaders in one language. */
class Writer {
  readonly #runner: Runner;
  readonly #size: number;
  readonly #betas: number;
  /** The stage and place of every sum over coordinates. */
  readonly #sums: ReadonlyMap<Node, readonly [stage: number, place: number]>;

  constructor(runner: Runner, { plan, size }: Setting, sums: readonly (readonly Node[])[]) {
    this.#runner = runner;
    this.#size = size;
    this.#betas = plan.tuner?.betas.length ?? 1;
    this.#sums = new Map(
      sums.flatMap((nodes, stage) => nodes.map((node, place) => [node, [stage, place] as const])),
    );
  }

  #shader(size: number, body: string, outputs = 1): Shader {
    const code = `${this.#runner.declare}\n${body}`;
    const all = ["Numbers", "Vectors", "Point", "Gradient", "Loss", "Rates", "Multiplier", "Decay", "Live"];
    const names = [...all, ...Array.from(this.#sums.values(), ([stage]) => `Sums${stage}`)];
    // A shader is given what it reads and nothing else.
    const inputs = [...new Set(names)].filter((name) =>
      code.includes(this.#runner.read(name, "").slice(0, -1)),
    );
    return { inputs, size, outputs, code };
  }

  /** Where a number is read: of the state before, of what the step is given, or of sums. */
  #number = (node: Node, beta: number): string | undefined => {
    const { read } = this.#runner;
    const sum = this.#sums.get(node);
    if (sum) return read(`Sums${sum[0]}`, String(sum[1]));
    if (node.op !== "input") return undefined;
    const [name, place] = node.name!.split(" ");
    return read(name, String(Number(place) + beta));
  };

  /** Computes numbers, each in its place; a condition is 0 or 1. */
  numbers(parts: readonly (readonly [value: Value<Node>, beta: number])[]): Shader {
    const source = new Source(this.#runner.dialect, this.#betas, this.#number);
    const results = parts.map(([value, beta]) => {
      const name = source.of(value, beta);
      return typeof value !== "number" && value.isFlag
        ? this.#runner.dialect.choose(name, "1.0", "0.0")
        : name;
    });
    const chosen = results.map((result, place) => `if (index == ${place}) { value = ${result}; }`);
    return this.#shader(parts.length, [...source.lines, ...chosen].join("\n"));
  }

  /** Computes values of coordinate i. What is a number comes from `Live`, at the place that `live` gives it. */
  #source(live: (node: Node) => number | undefined): Source {
    const { read } = this.#runner;
    return new Source(this.#runner.dialect, this.#betas, (node) => {
      if (node.span !== "vector") {
        const place = live(node);
        if (place === undefined) return this.#number(node, 0);
        const number = read("Live", String(place));
        return node.isFlag ? `(${number} > 0.5)` : number;
      }
      if (node.op !== "input") return undefined;
      const [name, place] = node.name!.split(" ");
      return read(name, place === undefined ? "i" : `i + ${Number(place) * this.#size}`);
    });
  }

  /** Sums of each strip, one behind the other. At the first stage no number has to be computed before. */
  strips(nodes: readonly Node[], stage: number, strips: number): { shader: Shader; live: Node[] } {
    const live: Node[] = [];
    const { loop, int } = this.#runner;
    const blocks = nodes.map((node, k) => {
      const source = this.#source(stage === 0 ? () => undefined : placing(live));
      const name = source.of(node.args[0]);
      const body = [...source.lines, `value = value + ${name};`].join("\n");
      return `if (section == ${k}) {\n${loop("i", "strip", String(this.#size), String(strips), body)}\n}`;
    });
    const place = [int("section", `index / ${strips}`), int("strip", `index - section * ${strips}`)];
    return { shader: this.#shader(nodes.length * strips, [...place, ...blocks].join("\n")), live };
  }

  /** Vectors, one behind the other; `first` is the place of their numbers in `Live`. */
  vectors(values: readonly Value<Node>[], first: number): { shader: Shader; live: Node[] } {
    const live: Node[] = [];
    const place = placing(live);
    const { int, store } = this.#runner;
    if (store) {
      const source = this.#source((node) => first + place(node));
      const names = values.map((value) => source.of(value));
      const stores = names.map((name, k) => store(`i + ${k * this.#size}`, name));
      const body = [int("i", "index"), ...source.lines, ...stores].join("\n");
      return { shader: this.#shader(this.#size, body, values.length), live };
    }
    const blocks = values.map((value, k) => {
      const source = this.#source((node) => first + place(node));
      const name = source.of(value);
      return `if (section == ${k}) {\n${[...source.lines, `value = ${name};`].join("\n")}\n}`;
    });
    const where = [int("section", `index / ${this.#size}`), int("i", `index - section * ${this.#size}`)];
    return { shader: this.#shader(values.length * this.#size, [...where, ...blocks].join("\n")), live };
  }
}

/** Gives nodes places as they come. */
const placing =
  (live: Node[]) =>
  (node: Node): number => {
    if (!live.includes(node)) live.push(node);
    return live.indexOf(node);
  };

const alone = (nodes: readonly Node[]) => nodes.map((node) => [node, 0] as const);

/** The shaders of a step. */
export function programOf(runner: Runner, setting: Setting): Program {
  const { plan, size } = setting;
  const betas = plan.tuner?.betas.length ?? 1;
  const { state, found, point } = traced(setting);
  const vectors: Value<Node>[] = [];
  const parts: [Value<Node>, number][] = [];
  mapState(state, (value, extent) => {
    if (extent === "vector") vectors.push(value);
    else for (let k = 0; k < (extent === "betas" ? betas : 1); k++) parts.push([value, k]);
  });
  found.forEach((value) => parts.push([value, 0]));
  vectors.push(point);

  const sums = sumsOf([...parts.map(([value]) => value), ...vectors]);
  const writer = new Writer(runner, setting, sums);
  const strips = Math.min(STRIPS, Math.ceil(size / COORDINATES_A_STRIP));
  const stages = sums.map((nodes, stage) => {
    const { shader, live } = writer.strips(nodes, stage, strips);
    return {
      strips: shader,
      sums: nodes.length,
      numbers: live.length > 0 ? writer.numbers(alone(live)) : undefined,
    };
  });
  const { shader, live } = writer.vectors(vectors, parts.length);
  return { stages, strips, vectors: shader, numbers: writer.numbers([...parts, ...alone(live)]) };
}
