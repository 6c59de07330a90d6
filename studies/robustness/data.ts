/* Real data as rows of numbers; what is missing is made up where that is easy. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCifar } from "../kit/cifar.js";
import { encodeText, readRows } from "../kit/data.js";
import { readText } from "../kit/data-file.js";
import { drawDigits } from "../kit/digits/draw.js";
import { readMnist } from "../kit/digits/idx.js";
import type { Examples } from "./network.js";

export type Labelled = Examples & { readonly labels: Uint8Array };

/** Square pictures of one colour, made smaller: each value is the mean of `pool` × `pool` pixels, 255 being 1. */
function pooled(images: Uint8Array, count: number, side: number, pool: number): Float64Array {
  const across = side / pool;
  const inputs = new Float64Array(count * across * across);
  for (let i = 0; i < count * side * side; i++) {
    const [image, row, column] = [
      Math.floor(i / side ** 2),
      Math.floor((i % side ** 2) / side / pool),
      Math.floor((i % side) / pool),
    ];
    inputs[(image * across + row) * across + column] += images[i] / (255 * pool * pool);
  }
  return inputs;
}

/** `count` digits of MNIST, or drawn ones where it is missing. */
export function digits(folder: string, count: number, pool: number): { examples: Labelled; note?: string } {
  const path = join(folder, "mnist");
  const found = existsSync(path);
  const { images, labels } = found ? readMnist(path).train : drawDigits(count, 1);
  const inputs = pooled(images, count, 28, pool);
  return {
    examples: { count, size: inputs.length / count, inputs, labels: labels.slice(0, count) },
    note: found ? undefined : `${path}: no such folder; drawn digits instead of MNIST`,
  };
}

/** CIFAR-10, grey, each square of `pool` × `pool` pixels averaged. */
export function readGreyCifar(path: string, count: number, pool: number): Labelled {
  const { images, labels } = readCifar(path, count);
  const grey = Uint8Array.from({ length: images.length / 3 }, (_, p) =>
    Math.round((images[3 * p] + images[3 * p + 1] + images[3 * p + 2]) / 3),
  );
  const inputs = pooled(grey, count, 32, pool);
  return { count, size: inputs.length / count, inputs, labels };
}

/** Rows with the class in the last column; the others are brought to mean 0 and deviation 1. */
export function readTable(path: string, headerLines: number): Labelled {
  const rows = readRows(path, headerLines);
  const size = rows[0].length - 1;
  const inputs = new Float64Array(rows.length * size);
  for (let j = 0; j < size; j++) {
    const column = rows.map((row) => row[j]);
    const mean = column.reduce((sum, value) => sum + value, 0) / rows.length;
    const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows.length);
    column.forEach((value, i) => (inputs[i * size + j] = (value - mean) / (deviation || 1)));
  }
  return { count: rows.length, size, inputs, labels: Uint8Array.from(rows, (row) => row[size]) };
}

/** 8×8 digits with values from 0 to 1. */
export function readSmallDigits(path: string): Labelled {
  const rows = readRows(path, 0);
  const size = rows[0].length - 1;
  const inputs = Float64Array.from(rows.flatMap((row) => row.slice(0, size).map((value) => value / 16)));
  return { count: rows.length, size, inputs, labels: Uint8Array.from(rows, (row) => row[size]) };
}

/** `count` places of a text, `stride` apart: `context` characters as numbers, and the next one as class. */
export function readCharacters(
  path: string,
  { count, context, first, stride }: { count: number; context: number; first: number; stride: number },
): Labelled & { characters: number } {
  const { codes, alphabet } = encodeText(readText(path));
  const inputs = new Float64Array(count * context);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const from = first + i * stride;
    for (let k = 0; k < context; k++) inputs[i * context + k] = codes[from + k];
    labels[i] = codes[from + context];
  }
  return { count, size: context, inputs, labels, characters: alphabet.length };
}

/** The same inputs as targets. */
export function selfTaught({ count, size, inputs }: Examples): Examples {
  return { count, size, inputs, targets: inputs };
}

export function firstOf(examples: Labelled, count: number): Labelled {
  const { size, inputs, labels } = examples;
  return { count, size, inputs: inputs.subarray(0, count * size), labels: labels.subarray(0, count) };
}
