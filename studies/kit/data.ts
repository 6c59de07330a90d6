import { readText } from "./data-file.js";
import { createRandom } from "./random.js";

/** A text as numbers, each of which stands for one character of the alphabet. */
export interface Text {
  readonly codes: Uint8Array;
  readonly alphabet: readonly string[];
}

export function encodeText(text: string): Text {
  const alphabet = [...new Set(text)].sort();
  const codeOf = new Map(alphabet.map((character, code) => [character, code]));
  return { codes: Uint8Array.from(text, (character) => codeOf.get(character)!), alphabet };
}

/** Of a small grammar: words that depend on the one before alone. */
export function makeSentences(count: number): string {
  const random = createRandom(1);
  const one = (of: string): string => of.split(" ")[random.below(of.split(" ").length)];
  const thing = () =>
    `${one("the a one")} ${one("old red little quiet")} ${one("king ship river horse door")}`;
  const sentence = () => `${thing()} ${one("saw met left found")} ${thing()}.\n`;
  return Array.from({ length: count }, sentence).join("");
}

/** Rows of numbers; the last is the class. */
export type Rows = readonly (readonly number[])[];

/** Comma-separated numbers, gzipped or not. */
export function readRows(path: string, headerLines: number): Rows {
  const lines = readText(path).trim().split("\n").slice(headerLines);
  return lines.map((line) => line.split(",").map(Number));
}
