import * as tf from "@tensorflow/tfjs-core";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataFolder, readText } from "../kit/data-file.js";
import { encodeText, makeSentences, type Text } from "../kit/data.js";
import { createRandom } from "../kit/random.js";

export type TextName = "tiny Shakespeare" | "made-up sentences";

const shakespeare = join(dataFolder, "text/tinyshakespeare.txt");

/** The text that is there: without one the study is about sentences of a small grammar. */
export const available = (): TextName => (existsSync(shakespeare) ? "tiny Shakespeare" : "made-up sentences");

export const load = (name: TextName): Text =>
  encodeText(name === "tiny Shakespeare" ? readText(shakespeare) : makeSentences(5000));

/** What a model reads, and the right answers as one-hot rows. */
export interface Batch {
  readonly inputs: tf.Tensor;
  readonly targets: tf.Tensor;
}

/** Characters of a piece. */
export const LENGTH = 16;

/** A piece from each of `starts`, [count, length, characters], and for each character the one that follows it. */
function batchAt({ codes, alphabet }: Text, starts: readonly number[]): Batch {
  const read = (shift: number) => {
    const rows = new Float32Array(starts.length * LENGTH * alphabet.length);
    for (const [k, start] of starts.entries()) {
      for (let at = 0; at < LENGTH; at++)
        rows[(k * LENGTH + at) * alphabet.length + codes[start + at + shift]] = 1;
    }
    return tf.tensor3d(rows, [starts.length, LENGTH, alphabet.length]);
  };
  return { inputs: read(0), targets: read(1) };
}

/** The last tenth of a text is kept apart, to see how a model does on what it has not read. */
const knownOf = ({ codes }: Text): number => Math.floor(0.9 * codes.length);

/** Pieces of what a model may read: those of a step are the same wherever a run begins. */
export function randomBatch(text: Text, count: number, seed: number, step: number): Batch {
  const random = createRandom(1e6 * seed + step);
  return batchAt(
    text,
    Array.from({ length: count }, () => random.below(knownOf(text) - LENGTH)),
  );
}

/** `count` pieces, evenly spread over what a model may read, or over what is kept apart. */
export function evenBatch(text: Text, part: "known" | "held out", count: number): Batch {
  const [from, to] = part === "known" ? [0, knownOf(text)] : [knownOf(text), text.codes.length];
  const stride = Math.floor((to - from - LENGTH - 1) / count);
  return batchAt(
    text,
    Array.from({ length: count }, (_, k) => from + k * stride),
  );
}
