import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { frameOf, heightOf, spreadLabels, type Curve } from "../../studies/digits/curves.js";
import { logChart } from "../../studies/kit/log-chart.js";
import { logTicks } from "../../studies/kit/svg.js";
import { drawDigits, type Digits } from "../../studies/kit/digits/draw.js";
import { DataError } from "../../studies/kit/data-file.js";
import { readIdx, readMnist } from "../../studies/kit/digits/idx.js";
import { createNetwork, softmaxCrossEntropy, type Network } from "../../studies/digits/network.js";
import { parseOptions, UsageError } from "../../studies/digits/options.js";
import { terminalPlot } from "../../studies/digits/plot.js";
import { createRandom } from "../../studies/kit/random.js";
import { svgPlot } from "../../studies/digits/svg.js";

const repository = fileURLToPath(new URL("../..", import.meta.url));

describe("network", () => {
  const data = randomDigits(7, 9, 11);
  const batch = Uint32Array.of(0, 3, 4, 6, 3);

  // One linear model, one hidden layer, two; widths that are and are not multiples of four.
  it.each([[[9, 10]], [[9, 8, 10]], [[9, 7, 5, 10]]])(
    "gradient of %j agrees with central differences",
    (sizes) => {
      const network = createNetwork(sizes);
      const params = initialParams(network, 5);
      const grads = new Float64Array(network.size).fill(NaN);
      const scratch = new Float64Array(network.size);
      network.gradient(params, grads, data, batch);
      const step = 1e-6;
      for (let i = 0; i < network.size; i++) {
        const value = params[i];
        params[i] = value + step;
        const above = network.gradient(params, scratch, data, batch);
        params[i] = value - step;
        const below = network.gradient(params, scratch, data, batch);
        params[i] = value;
        // Double precision: rounding gives about 1e-16 / 1e-6, the curvature about 1e-12.
        expect(Math.abs(grads[i] - (above - below) / (2 * step)), `component ${i}`).toBeLessThan(1e-8);
      }
      expect(grads.some((g) => Math.abs(g) > 1e-3)).toBe(true);
    },
  );

  it("gives the same gradient in single precision, to its rounding", () => {
    const network = createNetwork([9, 7, 10]);
    const params = initialParams(network, 5);
    const double = new Float64Array(network.size);
    const single = new Float32Array(network.size);
    const loss = network.gradient(params, double, data, batch);
    expect(network.gradient(Float32Array.from(params), single, data, batch)).toBeCloseTo(loss, 5);
    for (let i = 0; i < network.size; i++) expect(Math.abs(single[i] - double[i])).toBeLessThan(1e-6);
  });

  it("evaluates what gradient returns, and counts right answers", () => {
    const network = createNetwork([9, 10]);
    const params = initialParams(network, 5);
    const all = Uint32Array.from({ length: data.count }, (_, i) => i);
    const loss = network.gradient(params, new Float64Array(network.size), data, all);
    expect(network.evaluate(params, data).loss).toBeCloseTo(loss, 12);
    // With zero weights the biases decide: always class 4, at a loss that can be written down.
    params.fill(0);
    params[9 * 10 + 4] = 1;
    const fours = data.labels.filter((label) => label === 4).length;
    expect(fours).toBeGreaterThan(0);
    const evaluation = network.evaluate(params, data);
    expect(evaluation.accuracy).toBeCloseTo(fours / data.count, 12);
    expect(evaluation.loss).toBeCloseTo(Math.log(9 + Math.E) - fours / data.count, 12);
  });

  it("names its tensors in the order of the parameter vector", () => {
    const network = createNetwork([784, 64, 10]);
    const tensors = network.initialTensors(1);
    expect(tensors.map(({ name, shape }) => [name, ...shape])).toEqual([
      ["weights1", 784, 64],
      ["biases1", 64],
      ["weights2", 64, 10],
      ["biases2", 10],
    ]);
    expect(tensors.reduce((sum, tensor) => sum + tensor.values.length, 0)).toBe(network.size);
    const rms = Math.hypot(...tensors[2].values) / Math.sqrt(640);
    expect(rms).toBeGreaterThan(0.9 * Math.sqrt(2 / 64));
    expect(rms).toBeLessThan(1.1 * Math.sqrt(2 / 64));
  });

  it("takes logits that overflow an exponential", () => {
    const delta = new Float64Array(3);
    expect(softmaxCrossEntropy(Float64Array.of(1000, 0, -1000), 1, delta)).toBe(1000);
    expect([...delta]).toEqual([1, -1, 0]);
    expect(softmaxCrossEntropy(Float64Array.of(-1e30, -1e30, -1e30), 2, delta)).toBeCloseTo(Math.log(3), 12);
    expect(softmaxCrossEntropy(Float64Array.of(0, 1e30, 0), 1, delta)).toBe(0);
    expect(softmaxCrossEntropy(Float64Array.of(NaN, 0, 0), 1, delta)).toBeNaN();
  });
});

describe("drawn digits", () => {
  it("are the same for a seed and differ between seeds", () => {
    const digits = drawDigits(50, 3);
    expect(drawDigits(50, 3)).toEqual(digits);
    const other = drawDigits(50, 4);
    expect(other.labels).not.toEqual(digits.labels);
    expect(other.images).not.toEqual(digits.images);
    // A longer set begins with the shorter one.
    expect(drawDigits(60, 3).images.subarray(0, digits.images.length)).toEqual(digits.images);
  });

  it("show all ten labels about equally often, with ink on every picture and two never alike", () => {
    const digits = drawDigits(1000, 1);
    const counts = new Array<number>(10).fill(0);
    const seen = new Set<string>();
    for (let i = 0; i < digits.count; i++) {
      counts[digits.labels[i]]++;
      const image = digits.images.subarray(i * digits.pixels, (i + 1) * digits.pixels);
      seen.add(Buffer.from(image).toString("base64"));
      const dark = image.filter((value) => value > 64).length / digits.pixels;
      expect(dark, `image ${i}`).toBeGreaterThan(0.02);
      expect(dark, `image ${i}`).toBeLessThan(0.5);
    }
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(140);
    expect(seen.size).toBe(1000);
  });

  it("look like their label: the nearest mean picture is right far more often than by chance", () => {
    const train = drawDigits(1000, 1);
    const test = drawDigits(200, 2);
    const means = meanPictures(train);
    let right = 0;
    for (let i = 0; i < test.count; i++) if (nearest(means, test, i) === test.labels[i]) right++;
    expect(right / test.count).toBeGreaterThan(0.4);
    // Were it near 1, the images would be too easy to tell optimizers apart.
    expect(right / test.count).toBeLessThan(0.9);
  });
});

describe("IDX files", () => {
  const folders: string[] = [];
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "digits-"));
    folders.push(folder);
  });
  afterAll(() => folders.forEach((path) => rmSync(path, { recursive: true })));

  const put = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  /** Two training images of 2 x 3 pixels and one test image; `change` replaces files. */
  const putMnist = (change: Record<string, Uint8Array> = {}) => {
    const files: Record<string, Uint8Array> = {
      "train-images-idx3-ubyte": idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]),
      "train-labels-idx1-ubyte": idx([2], [7, 0]),
      "t10k-images-idx3-ubyte": idx([1, 2, 3], [6, 5, 4, 3, 2, 1]),
      "t10k-labels-idx1-ubyte": idx([1], [9]),
      ...change,
    };
    for (const [name, bytes] of Object.entries(files)) put(name, bytes);
  };
  const failure = (read: () => unknown): string => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return (error as Error).message;
    }
    throw new Error("was read without an error");
  };

  it("reads plain files", () => {
    putMnist();
    const { train, test } = readMnist(folder);
    expect([train.count, train.pixels, [...train.images], [...train.labels]]).toEqual([
      2,
      6,
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255],
      [7, 0],
    ]);
    expect([test.count, [...test.images], [...test.labels]]).toEqual([1, [6, 5, 4, 3, 2, 1], [9]]);
  });

  it("reads gzipped files, with or without .gz in the name", () => {
    const bytes = idx([3], [4, 5, 6]);
    expect([...readIdx(put("a.gz", gzipSync(bytes)), 0x801).values]).toEqual([4, 5, 6]);
    expect([...readIdx(put("b", gzipSync(bytes)), 0x801).values]).toEqual([4, 5, 6]);
    expect([...readIdx(put("c.gz", bytes), 0x801).values]).toEqual([4, 5, 6]);
  });

  it("says which folder or file is missing", () => {
    expect(failure(() => readMnist(join(folder, "none")))).toMatch(/none: no such directory/);
    expect(failure(() => readMnist(put("file", Uint8Array.of(1))))).toMatch(/file: not a directory/);
    put("train-images-idx3-ubyte", idx([1, 1, 1], [0]));
    expect(failure(() => readMnist(folder))).toMatch(/train-labels-idx1-ubyte: no such file/);
  });

  it("says what is wrong with a file", () => {
    const good = idx([2, 2, 3], new Array<number>(12).fill(1));
    const read = (bytes: Uint8Array) => failure(() => readIdx(put("x", bytes), 0x803));
    expect(read(good.subarray(0, 20))).toMatch(
      /x: truncated, its header says 2 x 2 x 3 = 12 values but it holds 4/,
    );
    expect(read(good.subarray(0, 10))).toMatch(/x: truncated, 10 bytes/);
    expect(read(new Uint8Array(0))).toMatch(/x: truncated, 0 bytes/);
    expect(read(Buffer.concat([good, Uint8Array.of(0)]))).toMatch(/x: too long/);
    expect(read(gzipSync(good).subarray(0, 25))).toMatch(/x: truncated gzip stream/);
    expect(read(Buffer.from("\x1f\x8bnot really compressed", "latin1"))).toMatch(/x: damaged gzip stream/);
    expect(read(Buffer.from("<!doctype html><title>404</title>"))).toMatch(/x: not an IDX file.*0x3c21646f/);
    expect(read(Buffer.concat([idx([2], [1, 2]), new Uint8Array(8)]))).toMatch(
      /another kind.*0x00000801 instead/,
    );
    expect(read(idx([0, 2, 3], []))).toMatch(/x: empty/);
    expect(failure(() => readIdx(folder, 0x803))).toMatch(/cannot be read \(EISDIR\)/);
  });

  it("notices files that do not belong together", () => {
    putMnist({ "train-labels-idx1-ubyte": idx([3], [1, 2, 3]) });
    expect(failure(() => readMnist(folder))).toMatch(/3 labels, but .* has 2 images/);
    putMnist({ "t10k-images-idx3-ubyte": idx([1, 1, 3], [1, 2, 3]) });
    expect(failure(() => readMnist(folder))).toMatch(/training images have 6 pixels and test images 3/);
    putMnist({ "t10k-labels-idx1-ubyte": idx([1], [10]) });
    expect(failure(() => readMnist(folder))).toMatch(/holds the label 10/);
  });
});

// Two of these start a process of their own.
describe("command line", () => {
  it("has defaults and takes every option", () => {
    const defaults = {
      mnist: undefined,
      seeds: 1,
      epochs: 5,
      quick: false,
      out: "build/digits",
      help: false,
    };
    expect(parseOptions([])).toEqual(defaults);
    const args = ["--mnist", "m", "--seeds", "3", "--epochs", "2", "--quick", "--out", "o", "--help"];
    expect(parseOptions(args)).toEqual({
      mnist: "m",
      seeds: 3,
      epochs: 2,
      quick: true,
      out: "o",
      help: true,
    });
  });

  it.each([
    [["--nonsense"]],
    [["--seeds", "0"]],
    [["--epochs", "1.5"]],
    [["--epochs", ""]],
    [["stray"]],
    [["--out"]],
  ])("refuses %j", (args) => expect(() => parseOptions(args)).toThrow(UsageError));

  it("begins with what it does, and ends with what to do next", () => {
    const out = mkdtempSync(join(tmpdir(), "superlevel-digits-"));
    try {
      const { status, stdout } = runExample(["--quick", "--epochs", "1", "--out", out]);
      expect(status).toBe(0);
      const lines = stdout.trim().split("\n");
      expect(lines[0]).toContain("by superlevel, which is given no learning rate, and by Adam and SGD");
      expect(lines.at(-2)).toBe(`Plot: ${join(out, "loss.svg")}`);
      expect(lines.at(-1)).toMatch(/^Next: npm run site -- --open/);
    } finally {
      rmSync(out, { recursive: true });
    }
  });

  it("exits 1 when MNIST is not there, with one line and no stack trace", () => {
    const { status, stdout, stderr } = runExample(["--mnist", "/nonexistent"]);
    expect(stderr).toBe("digits: /nonexistent: no such directory\n");
    expect(stdout).toBe("");
    expect(status).toBe(1);
  });

  it("exits 2 on an unknown option", () => {
    const { status, stderr } = runExample(["--nonsense"]);
    expect(stderr).toBe("digits: Unknown option '--nonsense'; --help lists the options\n");
    expect(status).toBe(2);
  });
});

describe("plots", () => {
  const curve = (name: string, losses: number[], divergedAt?: number): Curve => ({
    name,
    family: "adam",
    color: "#2f6fd0",
    points: losses.map((loss, i) => ({ step: i, loss })),
    divergedAt,
  });
  const curves = [curve("good", [2, 0.5, 0.02]), curve("lost", [2, 500], 2), curve("<&>", [2, 2, 2])];
  const frame = frameOf(curves, 2);

  it("put the loss on a logarithmic axis that shows every curve but what blows up", () => {
    expect(frame.low).toBeLessThan(0.02);
    expect(frame.high).toBeCloseTo(11.5, 12);
    expect(logTicks(frame.low, frame.high)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]);
    expect(heightOf(Math.sqrt(frame.low * frame.high), frame)).toBeCloseTo(0.5, 12);
    expect([heightOf(0, frame), heightOf(Infinity, frame)]).toEqual([0, 1]);
  });

  it("a logarithmic axis under a decade has more than one label", () => {
    const series = [
      {
        name: "a",
        bold: true,
        points: [
          [100, 3],
          [800, 9],
        ] as const,
      },
    ];
    const chart = logChart({ title: "t", note: "n", panels: [{ title: "p", series }] });
    expect(chart).toContain(">2e2</text>");
    expect(chart).toContain(">5e2</text>");
    expect(chart).toContain(">5</text>");
  });

  it("keep labels apart, in order and inside", () => {
    expect(spreadLabels([5, 0, 5, 1], 2, 10)).toEqual([5, 0, 7, 2]);
    expect(spreadLabels([9, 9, 9], 2, 10)).toEqual([6, 8, 10]);
    expect(spreadLabels([0, 5, 10], 2, 10)).toEqual([0, 5, 10]);
  });

  it("name every curve and mark what diverged", () => {
    const text = terminalPlot(curves, frame, { columns: 80, rows: 12, color: false });
    for (const name of ["good", "lost × at step 2", "<&>"]) expect(text).toContain(name);
    expect(text.split("\n")).toHaveLength(14);
    expect(text).not.toContain("\x1b");
    expect(terminalPlot(curves, frame, { columns: 80, rows: 12, color: true })).toContain("\x1b[38;5;");
    const svg = svgPlot(curves, frame, "title", "subtitle");
    for (const name of [">good<", "lost, diverged at step 2", "&lt;&amp;&gt;"]) expect(svg).toContain(name);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("show a curve that diverged at its first step", () => {
    const odd = [curve("none", [], 1)];
    const oddFrame = frameOf(odd, 10);
    expect(svgPlot(odd, oddFrame, "", "")).not.toMatch(/NaN|Infinity|undefined/);
    expect(terminalPlot(odd, oddFrame, { columns: 60, rows: 8, color: false })).toContain("none × at step 1");
  });
});

function randomDigits(count: number, pixels: number, seed: number): Digits {
  const random = createRandom(seed);
  const images = Uint8Array.from({ length: count * pixels }, () =>
    random.uniform() < 0.3 ? 0 : random.below(256),
  );
  return { count, pixels, images, labels: Uint8Array.from({ length: count }, (_, i) => (4 + 3 * i) % 10) };
}

function initialParams(network: Network, seed: number): Float64Array {
  const random = createRandom(seed);
  const values = network.initialTensors(seed).flatMap((tensor) => [...tensor.values]);
  // Biases start at 0, where every ReLU of a blank input would sit exactly on its kink.
  return Float64Array.from(values, (value) => value || 0.1 * random.normal());
}

function meanPictures({ count, pixels, images, labels }: Digits): Float64Array[] {
  const sums = Array.from({ length: 10 }, () => new Float64Array(pixels));
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < count; i++) {
    counts[labels[i]]++;
    for (let p = 0; p < pixels; p++) sums[labels[i]][p] += images[i * pixels + p];
  }
  return sums.map((sum, digit) => sum.map((value) => value / counts[digit]));
}

function nearest(means: readonly Float64Array[], data: Digits, example: number): number {
  const distances = means.map((mean) =>
    mean.reduce((sum, value, p) => sum + (value - data.images[example * data.pixels + p]) ** 2, 0),
  );
  return distances.indexOf(Math.min(...distances));
}

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x800 + shape.length, 0);
  shape.forEach((size, k) => header.writeUInt32BE(size, 4 + 4 * k));
  return Buffer.concat([header, Uint8Array.from(values)]);
}

function runExample(args: readonly string[]) {
  const command = ["--import", "tsx", "studies/digits/main.ts", ...args];
  return spawnSync(process.execPath, command, { cwd: repository, encoding: "utf8" });
}
