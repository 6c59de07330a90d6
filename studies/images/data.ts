import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCifar } from "../kit/cifar.js";
import { dataFolder } from "../kit/data-file.js";
import { drawDigits, type Digits } from "../kit/digits/draw.js";
import { readMnist } from "../kit/digits/idx.js";

/** Pictures with their classes; colours, if any, last: rows, columns, colours. */
export type Images = Digits;

export interface Data {
  readonly train: Images;
  readonly test: Images;
  /** Pixels across and down, and colours. */
  readonly shape: readonly [side: number, side: number, colours: number];
}

export type DataName = "drawn digits" | "MNIST" | "CIFAR-10";

const firstOf = (count: number, { pixels, images, labels }: Images): Images => ({
  count,
  pixels,
  images: images.subarray(0, count * pixels),
  labels: labels.subarray(0, count),
});

const makers: Record<DataName, () => Data> = {
  "drawn digits": () => ({ train: drawDigits(2000, 1), test: drawDigits(500, 2), shape: [28, 28, 1] }),
  MNIST() {
    const { train, test } = readMnist(join(dataFolder, "mnist"));
    return { train: firstOf(10_000, train), test: firstOf(2000, test), shape: [28, 28, 1] };
  },
  "CIFAR-10": () => ({
    train: readCifar(join(dataFolder, "cifar10/cifar10-train-10000.bin.gz"), 10_000),
    test: readCifar(join(dataFolder, "cifar10/cifar10-test-2000.bin.gz"), 2000),
    shape: [32, 32, 3],
  }),
};

/** The data that are there: a study without them is about drawn digits. */
export function available(): DataName[] {
  const real: [DataName, string][] = [
    ["MNIST", "mnist"],
    ["CIFAR-10", "cifar10"],
  ];
  const found = real.filter(([, folder]) => existsSync(join(dataFolder, folder))).map(([name]) => name);
  return found.length > 0 ? found : ["drawn digits"];
}

const loaded = new Map<DataName, Data>();

/** Read once for all jobs of a process. */
export function load(name: DataName): Data {
  const data = loaded.get(name) ?? makers[name]();
  loaded.set(name, data);
  return data;
}
