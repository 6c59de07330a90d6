import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataFolder, readText } from "./data-file.js";
import { drawDigits, type Digits } from "./digits/draw.js";
import { readMnist } from "./digits/idx.js";
import { createRandom } from "./random.js";

/** What is at `path` in the data folder; where nothing is, says what to do and makes something up. */
function realOr<T>(path: string, read: (path: string) => T, fallback: () => T, cure: string): T {
  const whole = join(dataFolder, path);
  if (existsSync(whole)) return read(whole);
  console.warn(`${whole} is not there: ${cure}, or set SUPERLEVEL_DATA to a folder that has it.`);
  return fallback();
}

/** MNIST, or digits drawn by the example of that name. */
export function loadDigits(): { train: Digits; test: Digits } {
  return realOr(
    "mnist",
    readMnist,
    () => ({ train: drawDigits(6000, 1), test: drawDigits(1000, 2) }),
    "digits are drawn instead; for MNIST put its four files there, gzipped or not",
  );
}

/** A text as numbers, each of which stands for one character of the alphabet. */
export interface Text {
  readonly codes: Uint8Array;
  readonly alphabet: readonly string[];
}

/** Tiny Shakespeare, or sentences of a small grammar. */
export function loadText(): Text {
  return realOr(
    "text/tinyshakespeare.txt",
    (path) => encodeText(readText(path)),
    () => encodeText(makeSentences(5000)),
    "sentences are made up instead; put any text of 100 kB or more there",
  );
}

export function encodeText(text: string): Text {
  const alphabet = [...new Set(text)].sort();
  const codeOf = new Map(alphabet.map((character, code) => [character, code]));
  return { codes: Uint8Array.from(text, (character) => codeOf.get(character)!), alphabet };
}

function makeSentences(count: number): string {
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
