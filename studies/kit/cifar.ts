import { readData } from "./data-file.js";
import type { Digits } from "./digits/draw.js";

const [side, colours] = [32, 3];

/** CIFAR-10's binary records (a class, then red, green and blue as planes) as pictures: rows, columns, colours. */
export function readCifar(path: string, count: number): Digits {
  const bytes = readData(path);
  const plane = side * side;
  const pixels = colours * plane;
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const record = i * (1 + pixels);
    labels[i] = bytes[record];
    for (let p = 0; p < pixels; p++)
      images[i * pixels + p] = bytes[record + 1 + (p % colours) * plane + Math.floor(p / colours)];
  }
  return { count, pixels, images, labels };
}
