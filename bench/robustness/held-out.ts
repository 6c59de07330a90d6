/** Problems on which nothing was chosen: real data only. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { encodeText, readRows, type Rows } from "../../examples/data.js";
import { classification, type Examples } from "./classify.js";
import type { Problem, Suite } from "./problem.js";

/** Rows of numbers with the class in the last column; every column is stretched to 0 … 255. */
export function table(rows: Rows): Examples {
  const pixels = rows[0].length - 1;
  const images = new Uint8Array(rows.length * pixels);
  for (let j = 0; j < pixels; j++) {
    const column = rows.map((row) => row[j]);
    const low = Math.min(...column);
    const range = Math.max(...column) - low || 1;
    column.forEach((value, i) => (images[i * pixels + j] = Math.round((255 * (value - low)) / range)));
  }
  return { count: rows.length, pixels, images, labels: Uint8Array.from(rows, (row) => row[pixels]) };
}

const [side, pool, colours] = [32, 4, 3];

/** CIFAR-10's binary format, each 4 × 4 square of a colour averaged: 192 inputs. */
export function readCifar(path: string, count: number): Examples {
  const bytes = gunzipSync(readFileSync(path));
  const across = side / pool;
  const pixels = colours * across * across;
  const record = 1 + colours * side * side;
  const sums = new Float64Array(count * pixels);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < record - 1; p++) {
      const [colour, row, column] = [Math.floor(p / side ** 2), Math.floor(p / side) % side, p % side];
      const cell = (colour * across + Math.floor(row / pool)) * across + Math.floor(column / pool);
      sums[i * pixels + cell] += bytes[i * record + 1 + p] / pool ** 2;
    }
  }
  const labels = Uint8Array.from({ length: count }, (_, i) => bytes[i * record]);
  return { count, pixels, images: Uint8Array.from(sums, Math.round), labels };
}

/** Each example is `context` characters, one input for each character and place, and the next one as class. */
function readText(path: string, count: number, context: number): Examples & { characters: number } {
  const { codes, alphabet } = encodeText(readFileSync(path, "utf8"));
  const characters = alphabet.length;
  const pixels = context * characters;
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < context; k++) {
      images[i * pixels + k * characters + codes[i + k]] = 255;
    }
    labels[i] = codes[i + context];
  }
  return { count, pixels, images, labels, characters };
}

const makers: Record<string, (path: string) => Problem[]> = {
  "cifar10/cifar10-train-10000.bin.gz"(path) {
    const data = readCifar(path, 5000);
    const sizes = [data.pixels, 32, 10];
    return [
      classification({
        name: "CIFAR-10, softmax",
        data,
        sizes: [data.pixels, 10],
        batchSize: 50,
        steps: 600,
      }),
      classification({ name: "CIFAR-10, MLP", data, sizes, batchSize: 50, steps: 800 }),
    ];
  },
  "tabular/iris.csv"(path) {
    const data = table(readRows(path, 1));
    return [
      classification({ name: "iris, MLP, batch 15", data, sizes: [4, 16, 3], batchSize: 15, steps: 500 }),
    ];
  },
  "tabular/wine_data.csv"(path) {
    const data = table(readRows(path, 1));
    return [classification({ name: "wine, softmax, full batch", data, sizes: [13, 3], steps: 500 })];
  },
  "tabular/digits.csv.gz"(path) {
    const data = table(readRows(path, 0));
    return [
      classification({
        name: "8×8 digits, MLP, batch 10",
        data,
        sizes: [64, 32, 10],
        batchSize: 10,
        steps: 2000,
      }),
      classification({
        name: "8×8 digits, deep MLP",
        data,
        sizes: [64, 32, 32, 10],
        batchSize: 50,
        steps: 800,
      }),
    ];
  },
  "text/tinyshakespeare.txt"(path) {
    const pairs = readText(path, 20000, 1);
    const triples = readText(path, 20000, 3);
    const sizes = [triples.pixels, 32, triples.characters];
    return [
      classification({
        name: "Shakespeare, bigrams",
        data: pairs,
        sizes: [pairs.pixels, pairs.characters],
        batchSize: 50,
        steps: 1000,
      }),
      classification({ name: "Shakespeare, MLP", data: triples, sizes, batchSize: 50, steps: 1000 }),
    ];
  },
};

export function heldOutSuite(folder: string): Suite {
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const [file, make] of Object.entries(makers)) {
    const path = join(folder, file);
    if (existsSync(path)) problems.push(...make(path));
    else notes.push(`${path}: no such file; its problems are skipped`);
  }
  return { problems, notes };
}
