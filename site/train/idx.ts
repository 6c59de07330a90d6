import type { Digits } from "../../studies/kit/digits/draw.js";
import type { Data } from "./protocol.js";

/** More would take too long to send and to test with. */
const MOST_TRAIN = 10_000;
const MOST_TEST = 1000;

/** Reads MNIST's files, gzipped or not: images and labels of the training part at least. */
export async function readMnist(files: readonly File[]): Promise<Data> {
  const parts = new Map<string, Part>();
  for (const file of files) {
    const part = await readPart(file);
    parts.set(`${/t10k|test/i.test(file.name) ? "test" : "train"} ${part.kind}`, part);
  }
  const [images, labels] = [parts.get("train images"), parts.get("train labels")];
  if (!images || !labels) {
    throw new Error("expected train-images-idx3-ubyte and train-labels-idx1-ubyte (.gz too), got others");
  }
  const all = digitsOf(images, labels);
  const [testImages, testLabels] = [parts.get("test images"), parts.get("test labels")];
  if (testImages && testLabels) {
    const test = part(digitsOf(testImages, testLabels), 0, MOST_TEST);
    if (test.pixels !== all.pixels) throw new Error("training and test images differ in size");
    return { train: part(all, 0, MOST_TRAIN), test };
  }
  // Without test files, a tenth of the training part is kept aside.
  const kept = Math.min(MOST_TEST, Math.ceil(all.count / 10));
  const count = all.count - kept;
  return { train: part(all, 0, Math.min(count, MOST_TRAIN)), test: part(all, count, all.count) };
}

interface Part {
  readonly kind: "images" | "labels";
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/** IDX, big-endian: 0, 0, 8 for bytes, number of dimensions; each dimension as uint32; the values. */
async function readPart(file: File): Promise<Part> {
  const bytes = await unzipped(file);
  const view = new DataView(bytes.buffer);
  const magic = bytes.length >= 8 ? view.getUint32(0) : 0;
  if (magic !== 0x803 && magic !== 0x801) throw new Error(`${file.name}: not an IDX file of MNIST's kind`);
  const dimensions = magic & 0xff;
  const header = 4 + 4 * dimensions;
  if (bytes.length < header) throw new Error(`${file.name}: truncated`);
  const shape = Array.from({ length: dimensions }, (_, k) => view.getUint32(4 + 4 * k));
  const promised = shape.reduce((product, size) => product * size, 1);
  if (promised === 0 || bytes.length - header !== promised) {
    throw new Error(
      `${file.name}: its header says ${shape.join(" × ")} values but it holds ${bytes.length - header}`,
    );
  }
  return {
    kind: magic === 0x803 ? "images" : "labels",
    name: file.name,
    shape,
    values: bytes.subarray(header),
  };
}

async function unzipped(file: File): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function digitsOf(images: Part, labels: Part): Digits {
  const [count, rows, columns] = images.shape;
  if (labels.shape[0] !== count) {
    throw new Error(`${labels.name}: ${labels.shape[0]} labels, but ${images.name} has ${count} images`);
  }
  const odd = labels.values.find((label) => label > 9);
  if (odd !== undefined) throw new Error(`${labels.name}: holds the label ${odd}, expected 0 to 9`);
  return { count, pixels: rows * columns, images: images.values, labels: labels.values };
}

function part({ count, pixels, images, labels }: Digits, from: number, to: number): Digits {
  const end = Math.min(count, to);
  return {
    count: end - from,
    pixels,
    images: images.slice(from * pixels, end * pixels),
    labels: labels.slice(from, end),
  };
}
