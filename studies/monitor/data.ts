/** Data that the study draws itself, and ways to spoil it. */
import { drawDigits, type Digits } from "../kit/digits/draw.js";
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

/** Rows one by one. */
function drawn(
  count: number,
  classes: number,
  row: (i: number) => { inputs: number[]; label: number },
): Labelled {
  const rows = Array.from({ length: count }, (_, i) => row(i));
  const inputs = Float32Array.from(rows.flatMap((each) => each.inputs));
  const labels = Uint8Array.from(rows, ({ label }) => label);
  return { count, width: rows[0].inputs.length, classes, inputs, labels };
}

/** Gaussian clouds, `distance` standard deviations of a coordinate between two centres' coordinates. */
function blobs(seed: number, count: number, classes: number, width: number, distance: number): Labelled {
  const normal = normals(seed);
  const centres = Array.from({ length: classes }, () =>
    Array.from({ length: width }, () => distance * normal()),
  );
  return drawn(count, classes, (i) => {
    const label = i % classes;
    return { inputs: centres[label].map((centre) => centre + normal()), label };
  });
}

/** Three half circles that reach into each other, in the plane. */
function moons(seed: number, count: number): Labelled {
  const [normal, random] = [normals(seed), seededRandom(seed + 1)];
  return drawn(count, 3, (i) => {
    const label = i % 3;
    const angle = Math.PI * (random() + (label % 2));
    const inputs = [Math.cos(angle) + label - 1, Math.sin(angle) + (label % 2 ? 0.4 : -0.2)];
    return { inputs: inputs.map((value) => value + 0.12 * normal()), label };
  });
}

/** Rings around 0, and two coordinates that say nothing. */
function rings(seed: number, count: number): Labelled {
  const [normal, random] = [normals(seed), seededRandom(seed + 1)];
  return drawn(count, 3, (i) => {
    const [label, angle] = [i % 3, 2 * Math.PI * random()];
    const radius = 0.4 + 0.8 * label + 0.12 * normal();
    return { inputs: [radius * Math.cos(angle), radius * Math.sin(angle), normal(), normal()], label };
  });
}

/** What a network with random weights says of random inputs; at its borders classes touch. */
function taught(seed: number, count: number): Labelled {
  const normal = normals(seed);
  const [width, units, classes] = [6, 10, 4];
  const matrix = (rows: number, columns: number) =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => normal()));
  const [first, second] = [matrix(units, width), matrix(classes, units)];
  const times = (rows: number[][], x: number[]) =>
    rows.map((row) => row.reduce((sum, w, i) => sum + w * x[i], 0));
  return drawn(count, classes, () => {
    const inputs = Array.from({ length: width }, () => normal());
    const outputs = times(second, times(first, inputs).map(Math.tanh));
    return { inputs, label: outputs.indexOf(Math.max(...outputs)) };
  });
}

/** Three arms that wind around each other. */
function spirals(seed: number, count: number): Labelled {
  const [normal, random] = [normals(seed), seededRandom(seed + 1)];
  return drawn(count, 3, (i) => {
    const [label, along] = [i % 3, 0.15 + random()];
    const angle = (2 * Math.PI * label) / 3 + 3 * along;
    return {
      inputs: [Math.cos(angle), Math.sin(angle)].map((c) => 1.6 * along * c + 0.05 * normal()),
      label,
    };
  });
}

/** A wave of one of four shapes, its phase and height unknown, at 16 moments. */
function waves(seed: number, count: number): Labelled {
  const [normal, random] = [normals(seed), seededRandom(seed + 1)];
  const shapes = [
    Math.sin,
    (t: number) => Math.sign(Math.sin(t)),
    (t: number) => Math.sin(2 * t),
    (t: number) => Math.sin(t) ** 3,
  ];
  return drawn(count, 4, (i) => {
    const [label, phase, height] = [i % 4, 1.5 * random(), 1 + random()];
    const at = (k: number) => height * shapes[label]((2 * Math.PI * k) / 16 + phase) + 0.2 * normal();
    return { inputs: Array.from({ length: 16 }, (_, k) => at(k)), label };
  });
}

/** Squares of a board of three by three, in five classes, and two coordinates that say nothing. */
function board(seed: number, count: number): Labelled {
  const [normal, random] = [normals(seed), seededRandom(seed + 1)];
  return drawn(count, 5, () => {
    const inputs = [3 * random() - 1.5, 3 * random() - 1.5, normal(), normal()];
    const [row, column] = inputs.map((value) => Math.floor(value + 1.5));
    return { inputs, label: (2 * row + column) % 5 };
  });
}

/** Pictures, each `pool` × `pool` square averaged. */
export function pooled({ count, pixels, images, labels }: Digits, pool: number): Labelled {
  const side = Math.sqrt(pixels);
  const across = side / pool;
  const inputs = new Float32Array(count * across ** 2);
  for (let i = 0; i < count * pixels; i++) {
    const [row, column] = [Math.floor((i % pixels) / side), i % side];
    const cell = Math.floor(row / pool) * across + Math.floor(column / pool);
    inputs[Math.floor(i / pixels) * across ** 2 + cell] += images[i] / 128 / pool ** 2;
  }
  return { count, width: across ** 2, classes: 10, inputs, labels };
}

const kinds = {
  blobs: (seed: number, count: number) => blobs(seed, count, 5, 12, 0.9),
  "overlapping blobs": (seed: number, count: number) => blobs(seed, count, 4, 8, 0.6),
  moons,
  rings,
  taught,
  spirals,
  waves,
  board,
  "drawn digits": (seed: number, count: number) => pooled(drawDigits(count, seed), 4),
};

export type DataName = keyof typeof kinds;

/** `count` examples, others for each seed. */
export const draw = (name: DataName, seed: number, count: number): Labelled => kinds[name](seed, count);

/** A share of the labels replaced by other ones, all alike likely. */
export function mislabelled(data: Labelled, share: number, seed: number): Labelled {
  const random = seededRandom(seed + 2000);
  const wrong = Uint32Array.from({ length: data.count }, (_, i) => i);
  shuffle(wrong, random);
  const labels = data.labels.slice();
  for (const i of wrong.subarray(0, Math.round(share * data.count)))
    labels[i] = (labels[i] + 1 + Math.floor((data.classes - 1) * random())) % data.classes;
  return { ...data, labels };
}

/** All inputs times a factor. */
export const scaled = (data: Labelled, factor: number): Labelled => ({
  ...data,
  inputs: data.inputs.map((value) => factor * value),
});

/** Of class 0 only one example in `keep` stays; others take the places. */
export function imbalanced(data: Labelled, keep: number): Labelled {
  const kept = Array.from({ length: data.count }, (_, i) => i).filter(
    (i) => data.labels[i] !== 0 || i % keep === 0,
  );
  const { width } = data;
  const inputs = Float32Array.from(
    kept.flatMap((i) => [...data.inputs.subarray(i * width, (i + 1) * width)]),
  );
  return { ...data, count: kept.length, inputs, labels: Uint8Array.from(kept, (i) => data.labels[i]) };
}
