import { engine, Tensor, type Optimizer, type Variable } from "@tensorflow/tfjs-core";
import { expectVector, show } from "../../common/expect.js";

export type NamedTensor = Awaited<ReturnType<Optimizer["getWeights"]>>[number];

/** What `applyGradients` takes: a map from the variables' names, as `tf.variableGrads` returns it, or a list. */
export type Gradients = Record<string, Tensor | null | undefined> | readonly NamedTensor[];

/** Gradients by name; undefined where a variable has none. */
export type Found = ReadonlyMap<string, Tensor | undefined>;

/** The host's numbers of tensors, by the data they hold. */
export type Readings = Map<object, Float32Array>;

const SHOWN = 8;

/** Of many names, the first. */
function quote(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, … (${names.length} of them)` : "";
  return names.slice(0, SHOWN).map(show).join(", ") + more;
}

const shapeOf = ({ shape }: Tensor): string => `[${shape.join(", ")}]`;

export function gradientsByName(gradients: Gradients): Found {
  if (typeof gradients !== "object" || gradients === null) {
    throw new TypeError(
      "gradients: expected a map from variables' names to tensors, or a list of { name, tensor }",
    );
  }
  const entries = Array.isArray(gradients)
    ? (gradients as readonly NamedTensor[]).map(({ name, tensor }) => [name, tensor] as const)
    : Object.entries(gradients as Record<string, Tensor | null | undefined>);
  const found = new Map<string, Tensor | undefined>();
  for (const [name, tensor] of entries) {
    const before = found.get(name);
    // A variable may be listed twice, as a shared layer's is by who joins the lists of two models.
    if (before && tensor && before !== tensor)
      throw new RangeError(`gradients: ${quote([name])} has two different ones`);
    found.set(name, before ?? tensor ?? undefined);
  }
  return found;
}

function registered(name: string): Variable {
  const variable = engine().registeredVariables[name] as Variable | undefined;
  if (variable) return variable;
  throw new RangeError(
    `gradients: there is no variable ${quote([name])}: it was disposed of, or is of another copy of tfjs-core`,
  );
}

/** A gradient makes a variable take part; without one it does while it is trainable, but does not move. */
function takesPart(variable: Variable, gradient: Tensor | undefined): boolean {
  return variable.size > 0 && (gradient !== undefined || variable.trainable);
}

function expectGradient(variable: Variable, gradient: Tensor): void {
  const place = `gradients[${quote([variable.name])}]`;
  if (!(gradient instanceof Tensor))
    throw new TypeError(`${place}: expected a tensor, got ${show(gradient)}`);
  if (gradient.isDisposed) throw new TypeError(`${place}: expected a tensor, got one disposed of`);
  if (gradient.dtype !== "float32")
    throw new TypeError(`${place}: expected dtype float32, got ${gradient.dtype}`);
  if (shapeOf(gradient) !== shapeOf(variable)) {
    throw new RangeError(`${place}: expected shape ${shapeOf(variable)}, got ${shapeOf(gradient)}`);
  }
}

export function expectFinite({ name, size }: Variable, values: Float32Array): void {
  expectVector(`variable ${quote([name])}`, values, size);
}

/** The variables that an optimizer moves: those it was first given, in that order. */
export class VariableList {
  readonly variables: readonly Variable[];
  /** The data each was left with; other data are somebody else's. */
  readonly #left: (object | undefined)[] = [];

  constructor(found: Found) {
    this.variables = Array.from(found.keys(), registered).filter((variable) =>
      takesPart(variable, found.get(variable.name)),
    );
    if (this.variables.length === 0) throw new RangeError("gradients: expected at least one");
    for (const { name, dtype } of this.variables) {
      if (dtype !== "float32")
        throw new TypeError(`variable ${quote([name])}: expected dtype float32, got ${dtype}`);
    }
  }

  /** The gradient of each variable. Throws when there are other variables than before. */
  match(found: Found): (Tensor | undefined)[] {
    const known = new Set(this.variables.map(({ name }) => name));
    const gained = Array.from(found.keys()).filter(
      (name) => !known.has(name) && takesPart(registered(name), found.get(name)),
    );
    const lost = this.variables.filter(
      (variable) =>
        !found.has(variable.name) ||
        engine().registeredVariables[variable.name] !== variable ||
        !takesPart(variable, found.get(variable.name)),
    );
    if (gained.length > 0 || lost.length > 0) this.#refuse(gained, lost);
    return this.variables.map((variable) => {
      const gradient = found.get(variable.name);
      if (gradient) expectGradient(variable, gradient);
      return gradient;
    });
  }

  #refuse(gained: readonly string[], lost: readonly Variable[]): never {
    const changes = [
      gained.length > 0 && `${quote(gained)} came in`,
      lost.length > 0 &&
        `${quote(lost.map(({ name }) => name))} left (not given, frozen, replaced or disposed of)`,
    ];
    throw new RangeError(
      `gradients: the variables are not those of the steps before: ${changes.filter(Boolean).join(", ")}; ` +
        "give a changed model an optimizer of its own, or call reset() to start afresh with the new variables; " +
        "a variable that only lacks a gradient has to be listed, with null",
    );
  }

  /** Those whose data are not what they were left with, and not read yet. */
  unread(frozen: readonly boolean[], readings: Readings): Variable[] {
    return this.variables.filter(
      ({ dataId }, k) => !frozen[k] && dataId !== this.#left[k] && !readings.has(dataId),
    );
  }

  /** The numbers of a variable, where it was written to since it was left. */
  changed(k: number, readings: Readings): Float32Array | undefined {
    const variable = this.variables[k];
    const values = variable.dataId === this.#left[k] ? undefined : readings.get(variable.dataId);
    if (values) expectFinite(variable, values);
    return values;
  }

  leave(k: number): void {
    this.#left[k] = this.variables[k].dataId;
  }

  /** Takes all data for somebody else's. */
  forget(): void {
    this.#left.length = 0;
  }
}
