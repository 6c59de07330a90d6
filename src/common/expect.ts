/* Argument checks. A wrong kind is a TypeError, a wrong value a RangeError; both name the argument first. */

/** A message is to be read, so longer texts are cut. */
const LONGEST = 80;

/** The beginning of a text that is too long. */
export function cut(text: string, quote: (part: string) => string = String): string {
  const shown = quote(text.slice(0, LONGEST));
  return text.length > LONGEST ? `${shown}… (${text.length} characters)` : shown;
}

/** How a bad value is shown in a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return cut(value, JSON.stringify);
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? `${value}n` : "a large bigint";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return cut(Object.prototype.toString.call(value).slice(8, -1));
  if (isPromise(value)) return "a promise";
  if (typeof value === "object" && value !== null) return "an object";
  return cut(String(value));
}

/*
 * Values come from other realms, too, such as a frame's or a test runner's, whose classes are not those of this one: in
 * place of `instanceof`, these ask what a value is or does.
 */

const isPromise = (value: unknown): boolean =>
  typeof (value as { then?: unknown } | null | undefined)?.then === "function";

interface Kinds {
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  Uint8Array: Uint8Array;
}

export function isKind<K extends keyof Kinds>(value: unknown, kind: K): value is Kinds[K] {
  return ArrayBuffer.isView(value) && (value as Kinds[K])[Symbol.toStringTag] === kind;
}

/** Of an AbortSignal, what is used here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  readonly addEventListener?: (type: "abort", listener: () => void) => void;
  readonly removeEventListener?: (type: "abort", listener: () => void) => void;
}

/** What a number may be. */
export interface Range {
  /** Smallest value allowed, or bound that must be exceeded. */
  min?: number;
  above?: number;
  /** Largest value allowed, or bound that must not be reached. */
  max?: number;
  below?: number;
  integer?: boolean;
}

function describe({ min, above, max, below, integer }: Range): string {
  const bounds = [
    min !== undefined && `>= ${min}`,
    above !== undefined && `> ${above}`,
    max !== undefined && `<= ${max}`,
    below !== undefined && `< ${below}`,
  ].filter(Boolean);
  return `a finite ${integer ? "whole number" : "number"}${bounds.length ? ` ${bounds.join(" and ")}` : ""}`;
}

export function expectNumber(name: string, value: unknown, range: Range = {}): number {
  if (typeof value !== "number") throw new TypeError(`${name}: expected a number, got ${show(value)}`);
  const { min = -Infinity, above = -Infinity, max = Infinity, below = Infinity, integer = false } = range;
  const inside = value >= min && value <= max && value > above && value < below;
  if (!Number.isFinite(value) || !inside || (integer && !Number.isInteger(value))) {
    throw new RangeError(`${name}: expected ${describe(range)}, got ${value}`);
  }
  return value;
}

export function expectBoolean(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name}: expected true or false, got ${show(value)}`);
  return value;
}

/** What a source or a loss returned. */
export function expectLoss(
  name: string,
  value: unknown,
  forPromises = "minimizeAsync takes sources that return promises",
): number {
  if (typeof value === "number") return value;
  const hint = isPromise(value) ? `; ${forPromises}` : "";
  throw new TypeError(`${name}: expected it to return the loss, a number, got ${show(value)}${hint}`);
}

export function expectFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`${name}: expected a function, got ${show(value)}`);
}

export function expectSignal(name: string, value: unknown): void {
  if (typeof (value as AbortSignalLike | null)?.aborted !== "boolean")
    throw new TypeError(`${name}: expected an AbortSignal, got ${show(value)}`);
}

/** `show` for what is made by calling a function: people forget to. */
export const showUncalled = (value: unknown): string =>
  typeof value === "function" ? "a function: call it" : show(value);

/** As a Uint8Array of this realm, over the same memory: a Buffer's `slice`, for one, copies nothing. */
export function expectBytes(name: string, value: unknown): Uint8Array {
  if (!isKind(value, "Uint8Array")) {
    const hint = typeof value === "string" ? "; text such as base64 has to be decoded first" : "";
    throw new TypeError(`${name}: expected a Uint8Array, got ${show(value)}${hint}`);
  }
  return new Uint8Array(value.buffer, value.byteOffset, value.length);
}

export function expectOneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (typeof value !== "string") throw new TypeError(`${name}: expected a string, got ${show(value)}`);
  if (!(allowed as readonly string[]).includes(value)) {
    throw new RangeError(`${name}: expected one of ${allowed.map(show).join(", ")}, got ${show(value)}`);
  }
  return value as T;
}

/**
 * An object with no other keys than these: a misspelt option must not be silently ignored. `hint`: what to write instead,
 * for keys that belong elsewhere.
 */
export function expectOptions(
  name: string,
  value: unknown,
  keys: readonly string[],
  hint: (key: string) => string = () => "",
): void {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw new TypeError(`${name}: expected an object, got ${show(value)}`);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      throw new TypeError(`${name}: unknown option ${show(key)}; known are ${keys.join(", ")}${hint(key)}`);
    }
  }
}

export function isArrayLike(value: unknown): value is ArrayLike<number> {
  return (
    typeof value === "object" && value !== null && Number.isInteger((value as { length?: unknown }).length)
  );
}

/** Numbers of the right count, be they finite or not: what is no typed array is copied, so that it stays what was checked. */
export function expectNumbers(name: string, values: unknown, length: number): ArrayLike<number> {
  if (!isArrayLike(values)) throw new TypeError(`${name}: expected an array of numbers, got ${show(values)}`);
  if (values.length !== length) {
    const nested = typeof values[0] === "object" ? " arrays: they have to be one flat array" : "";
    throw new RangeError(`${name}: expected ${length} numbers, got ${values.length}${nested}`);
  }
  // These two hold nothing else.
  if (isKind(values, "Float32Array") || isKind(values, "Float64Array")) return values;
  const copy: number[] = [];
  for (let i = 0; i < length; i++) {
    const value: unknown = values[i];
    if (typeof value !== "number")
      throw new TypeError(`${name}[${i}]: expected a number, got ${show(value)}`);
    copy.push(value);
  }
  return copy;
}

/** Numbers of the right count that are finite in float32. */
export function expectVector(name: string, values: unknown, length: number): ArrayLike<number> {
  const numbers = expectNumbers(name, values, length);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(Math.fround(numbers[i]))) {
      throw new RangeError(`${name}[${i}]: expected a number within float32's range, got ${numbers[i]}`);
    }
  }
  return numbers;
}

/** Options given as `undefined` count as not given. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** Freezes an object of our own making, and all objects and arrays in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
