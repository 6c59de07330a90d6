import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError, readData } from "../data-file.js";
import type { Digits } from "./draw.js";

const imageMagic = 0x803;
const labelMagic = 0x801;

/** Reads the four files of MNIST, gzipped or not, under their original names. */
export function readMnist(directory: string): { train: Digits; test: Digits } {
  if (!existsSync(directory)) throw new DataError(`${directory}: no such directory`);
  if (!statSync(directory).isDirectory()) throw new DataError(`${directory}: not a directory`);
  const train = readDigits(directory, "train");
  const test = readDigits(directory, "t10k");
  if (train.pixels !== test.pixels) {
    throw new DataError(
      `${directory}: training images have ${train.pixels} pixels and test images ${test.pixels}`,
    );
  }
  return { train, test };
}

function readDigits(directory: string, part: string): Digits {
  const imagePath = findFile(directory, `${part}-images-idx3-ubyte`);
  const labelPath = findFile(directory, `${part}-labels-idx1-ubyte`);
  const images = readIdx(imagePath, imageMagic);
  const labels = readIdx(labelPath, labelMagic);
  const [count, rows, columns] = images.shape;
  if (labels.shape[0] !== count) {
    throw new DataError(`${labelPath}: ${labels.shape[0]} labels, but ${imagePath} has ${count} images`);
  }
  const odd = labels.values.find((label) => label > 9);
  if (odd !== undefined) throw new DataError(`${labelPath}: holds the label ${odd}, expected 0 to 9`);
  return { count, pixels: rows * columns, images: images.values, labels: labels.values };
}

function findFile(directory: string, name: string): string {
  const plain = join(directory, name);
  const path = [plain, `${plain}.gz`].find((candidate) => existsSync(candidate));
  if (path === undefined) throw new DataError(`${plain}: no such file, nor with .gz`);
  return path;
}

/**
 * One IDX file of unsigned bytes. The format, big-endian: 0, 0, type (8 for uint8), number of dimensions;
 * each dimension as uint32; the values.
 */
export function readIdx(path: string, magic: number): { shape: number[]; values: Uint8Array } {
  const bytes = readData(path);
  const dimensions = magic & 0xff;
  const header = 4 + 4 * dimensions;
  if (bytes.length < header) {
    throw new DataError(`${path}: truncated, ${bytes.length} bytes are too few for an IDX header`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkMagic(path, view.getUint32(0), magic);
  const shape = Array.from({ length: dimensions }, (_, k) => view.getUint32(4 + 4 * k));
  const promised = shape.reduce((product, size) => product * size, 1);
  const present = bytes.length - header;
  if (promised === 0) throw new DataError(`${path}: empty, its header says ${shape.join(" x ")}`);
  if (present !== promised) {
    const what = present < promised ? "truncated" : "too long";
    throw new DataError(
      `${path}: ${what}, its header says ${shape.join(" x ")} = ${promised} values but it holds ${present}`,
    );
  }
  return { shape, values: bytes.subarray(header) };
}

function checkMagic(path: string, found: number, expected: number): void {
  if (found === expected) return;
  const known = found >>> 16 === 0 ? "an IDX file of another kind" : "not an IDX file";
  const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
  throw new DataError(`${path}: ${known}, it starts with ${hex(found)} instead of ${hex(expected)}`);
}
