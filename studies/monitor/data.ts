/** Data sets on which the monitor is tried, and labels made wrong on purpose. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { drawDigits, type Digits } from "../kit/digits/draw.js";
import { readMnist } from "../kit/digits/idx.js";
import { readRows, type Rows } from "../kit/data.js";
import { seededRandom, shuffle } from "../../src/sources/random.js";
import { normals } from "../../src/stability/vectors.js";

/** Rows of inputs around 0, and a class for each. */
export interface Labelled {
  readonly count: number;
  readonly width: number;
  readonly classes: number;
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
}

/** Columns with mean 0 and standard deviation 1; the class is last. */
function standardised(rows: Rows): Labelled {
  const width = rows[0].length - 1;
  const inputs = new Float32Array(rows.length * width);
  for (let j = 0; j < width; j++) {
    const column = rows.map((row) => row[j]);
    const mean = column.reduce((a, b) => a + b) / rows.length;
    const spread = Math.sqrt(column.reduce((a, b) => a + (b - mean) ** 2, 0) / rows.length) || 1;
    column.forEach((value, i) => (inputs[i * width + j] = (value - mean) / spread));
  }
  const labels = Uint8Array.from(rows, (row) => row[width]);
  return { count: rows.length, width, classes: Math.max(...labels) + 1, inputs, labels };
}

/** Pictures, each `pool` × `pool` square averaged. */
function pooled({ count, pixels, images, labels }: Digits, pool: number): Labelled {
  const side = Math.sqrt(pixels);
  const across = side / pool;
  const inputs = new Float32Array(count * across ** 2);
  for (let i = 0; i < count * pixels; i++) {
    const [row, column] = [Math.floor((i % pixels) / side), i % side];
    const cell = Math.floor(row / pool) * across + Math.floor(column / pool);
    inputs[Math.floor(i / pixels) * across ** 2 + cell] += images[i] / 255 / pool ** 2;
  }
  return { count, width: across ** 2, classes: 10, inputs, labels };
}

/** Gaussian clouds, `distance` standard deviations of a coordinate between two centres' coordinates. */
function blobs(seed: number, count: number, classes: number, width: number, distance: number): Labelled {
  const normal = normals(seed);
  const centres = Float64Array.from({ length: classes * width }, () => distance * normal());
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  const inputs = Float32Array.from(
    { length: count * width },
    (_, k) => centres[labels[Math.floor(k / width)] * width + (k % width)] + normal(),
  );
  return { count, width, classes, inputs, labels };
}

/** `count` of the examples, in another order for each seed. */
export function some(data: Labelled, count: number, seed: number): Labelled {
  const order = Uint32Array.from({ length: data.count }, (_, i) => i);
  shuffle(order, seededRandom(seed + 1000));
  const chosen = order.subarray(0, Math.min(count, data.count));
  const inputs = new Float32Array(chosen.length * data.width);
  chosen.forEach((from, i) =>
    inputs.set(data.inputs.subarray(from * data.width, (from + 1) * data.width), i * data.width),
  );
  return { ...data, count: chosen.length, inputs, labels: Uint8Array.from(chosen, (i) => data.labels[i]) };
}

/** A share of the labels replaced by other ones, all alike likely. */
export function spoilt(data: Labelled, share: number, seed: number): Labelled {
  const random = seededRandom(seed + 2000);
  const wrong = Uint32Array.from({ length: data.count }, (_, i) => i);
  shuffle(wrong, random);
  const labels = data.labels.slice();
  for (const i of wrong.subarray(0, Math.round(share * data.count)))
    labels[i] = (labels[i] + 1 + Math.floor((data.classes - 1) * random())) % data.classes;
  return { ...data, labels };
}

/** Data by name; real ones come from a folder. */
export function readData(name: string, folder: string): Labelled | undefined {
  const path = (file: string) => join(folder, file);
  switch (name) {
    case "drawn digits":
      return pooled(drawDigits(1500, 1), 4);
    case "blobs":
      return blobs(1, 1500, 5, 20, 0.8);
    case "overlapping blobs":
      return blobs(2, 1500, 4, 10, 0.7);
  }
  const files: Record<string, [string, () => Labelled]> = {
    "8×8 digits": ["tabular/digits.csv.gz", () => standardised(readRows(path("tabular/digits.csv.gz"), 0))],
    MNIST: ["mnist", () => pooled(readMnist(path("mnist")).train, 4)],
    wine: ["tabular/wine_data.csv", () => standardised(readRows(path("tabular/wine_data.csv"), 1))],
    iris: ["tabular/iris.csv", () => standardised(readRows(path("tabular/iris.csv"), 1))],
  };
  const [file, read] = files[name];
  return existsSync(path(file)) ? read() : undefined;
}
