/** The robustness study: its problems' gradients, what it counts, what it remembers, what its tables say. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { contenders, type Contender } from "../../studies/robustness/contenders.js";
import { fineTuning, ramp, turnedTable } from "../../studies/robustness/hard.js";
import { learning } from "../../studies/robustness/learning.js";
import { train } from "../../studies/robustness/measure.js";
import { createTrainer, initialParameters, type Architecture } from "../../studies/robustness/network.js";
import { gapChart } from "../../studies/robustness/plot.js";
import type { Problem } from "../../studies/robustness/problem.js";
import { allRuns, Records, runsOf } from "../../studies/robustness/runs.js";
import { xorExamples, xorProblem } from "../../studies/robustness/small.js";
import { study, type Study } from "../../studies/robustness/study.js";
import { summaries } from "../../studies/robustness/summary.js";
import { report } from "../../studies/robustness/table.js";
import { trainingSuite } from "../../studies/robustness/training.js";
import { heldOutSuite } from "../../studies/robustness/held-out.js";
import { createRandom } from "../../studies/kit/random.js";
import { dataFolder } from "../../studies/kit/data-file.js";

const folder = mkdtempSync(join(tmpdir(), "robustness-"));
afterAll(() => rmSync(folder, { recursive: true }));

const random = createRandom(3);
const count = 70;
const examples = {
  count,
  size: 6,
  inputs: Float64Array.from({ length: 6 * count }, () => random.normal()),
  labels: Uint8Array.from({ length: count }, () => random.below(3)),
  targets: Float64Array.from({ length: 3 * count }, () => random.normal()),
};

describe("networks of the benchmark", () => {
  const architectures: [string, Architecture][] = [
    ["softmax", { sizes: [6, 3], hidden: "relu", loss: "cross-entropy" }],
    ["ReLU", { sizes: [6, 7, 5, 3], hidden: "relu", loss: "cross-entropy" }],
    ["tanh", { sizes: [6, 5, 3], hidden: "tanh", loss: "squares" }],
    ["sigmoids", { sizes: [6, 5, 3], hidden: "sigmoid", loss: "squares", squash: true }],
    [
      "embedding",
      { sizes: [12, 5, 3], hidden: "tanh", loss: "cross-entropy", embedding: { characters: 4, width: 2 } },
    ],
  ];

  it.each(architectures)("%s: the gradient is that of the loss", (_, architecture) => {
    const codes = { ...examples, inputs: examples.inputs.map((value) => Math.floor(Math.abs(value)) % 4) };
    const trainer = createTrainer(architecture, architecture.embedding ? codes : examples);
    const x = initialParameters(architecture, 1);
    // More rows than go through at a time, and not a multiple of four.
    const rows = Uint32Array.from({ length: 69 }, (_, k) => (7 * k) % count);
    const grads = new Float32Array(x.length);
    trainer(x, rows, grads);
    for (let i = 0; i < x.length; i++) {
      const at = (move: number) => {
        const moved = x.slice();
        moved[i] += move;
        return { value: moved[i], loss: trainer(moved, rows) };
      };
      const [up, down] = [at(1e-3), at(-1e-3)];
      expect(grads[i]).toBeCloseTo((up.loss - down.loss) / (up.value - down.value), 3);
    }
  });

  it("switches examples where it is told to, and judges by the later ones", () => {
    const problem = turnedTable(xorExamples);
    const [x, grads] = [problem.start(1), new Float32Array(33)];
    const source = problem.source(1);
    // Four steps show all examples, before the change and after.
    const lossFrom = (first: number) => [0, 1, 2, 3].reduce((sum, k) => sum + source(x, grads, first + k), 0);
    expect(lossFrom(2001) / 4).toBeCloseTo(problem.loss(x), 6);
    expect(Math.abs(lossFrom(1997) / 4 - problem.loss(x))).toBeGreaterThan(1e-4);
  });

  it("starts fine-tuning where training ended", () => {
    const architecture: Architecture = { sizes: [6, 8, 3], hidden: "relu", loss: "cross-entropy" };
    const problem = fineTuning("small", examples, architecture);
    const fresh = learning({ name: "", group: "hard", lengths: [], examples, architecture });
    expect(problem.loss(problem.start(1))).toBeLessThan(0.2 * fresh.loss(fresh.start(1)));
    problem.start(1).fill(0);
    expect(problem.start(1).some((value) => value !== 0)).toBe(true);
  });

  it("sets coordinates beside a network that do not count", () => {
    const inner = xorProblem();
    const problem = ramp("XOR", inner, 5);
    const x = problem.start(1);
    const grads = new Float32Array(x.length);
    problem.source(1)(x, grads, 1);
    expect(Array.from(grads.subarray(-5))).toEqual(new Array(5).fill(Math.fround(0.05)));
    const loss = problem.loss(x);
    expect(problem.loss(x.fill(9, x.length - 5))).toBe(loss);
    expect(loss).toBe(inner.loss(inner.start(1)));
  });
});

describe("suites", () => {
  it("have names that are told apart, and ascending lengths", () => {
    const problems = [...trainingSuite(dataFolder).problems, ...heldOutSuite(dataFolder).problems];
    expect(new Set(problems.map(({ name }) => name)).size).toBe(problems.length);
    for (const { name, lengths, sizes } of problems) {
      expect(lengths, name).toEqual([...new Set(lengths)].sort((a, b) => a - b));
      expect(sizes ?? [1], name).not.toContain(0);
    }
  });

  it("do without the data where it is missing", () => {
    const { problems, notes } = trainingSuite("/nowhere");
    expect(notes.length).toBe(3);
    expect(problems.map(({ name }) => name)).toContain("MLP (drawn digits)");
    expect(problems.map(({ name }) => name)).not.toContain("next character");
  });
});

/** A problem whose loss is what `losses` says, and a contender that does nothing. */
function course(losses: readonly number[]): Problem {
  return {
    name: "course",
    group: "hard",
    lengths: [losses.length],
    start: () => new Float32Array(1),
    source: () => (_x, _grads, step) => losses[step - 1],
    loss: () => 1,
  };
}

const idle = { create: (params: Float32Array) => ({ params, grads: params.slice(), step: () => {} }) };
const spikes = (losses: readonly number[]) => {
  return train(course(losses), idle, 1, losses.length, [losses.length]).spikes;
};

describe("late spikes", () => {
  const flat = (loss: number, steps: number) => new Array<number>(steps).fill(loss);

  it("counts each rise of the smoothed loss above three times the least", () => {
    const spike = [...flat(20, 20), ...flat(1, 150)];
    expect(spikes([...flat(1, 300), ...spike, ...spike])).toBe(2);
  });

  it("counts none early, none for one bad batch, none where the loss only falls", () => {
    expect(spikes([...flat(1, 50), ...flat(20, 20), ...flat(1, 300)])).toBe(0);
    expect(spikes([...flat(1, 200), 20, ...flat(1, 100)])).toBe(0);
    expect(spikes(Array.from({ length: 300 }, (_, t) => 1 / (1 + t)))).toBe(0);
  });
});

describe("a run", () => {
  it("is read on its way; from where it diverged on there is nothing to read", () => {
    const { losses } = train(course([1, 1, 1, NaN, 1]), idle, 1, 5, [2, 4]);
    expect(losses).toEqual([
      [2, 1],
      [4, null],
    ]);
  });

  const [plain, falling] = ["Adam", "Adam, linear decay"].map((name) => {
    return contenders(true, "a").find(({ family }) => family === name)!;
  });

  it("serves all lengths, unless the contender knows the length", () => {
    const problem = xorProblem();
    expect(runsOf(problem, plain, 1).map(({ steps, lengths }) => [steps, lengths])).toEqual([
      [1000, [100, 300, 1000]],
    ]);
    expect(runsOf(problem, falling, 1).map(({ steps, lengths }) => [steps, lengths])).toEqual([
      [100, [100]],
      [300, [300]],
      [1000, [1000]],
    ]);
  });

  it("is remembered, also after a process that was killed, until its contender changes", () => {
    const path = join(folder, "some", "runs.jsonl");
    const problem = { ...xorProblem(), lengths: [5, 10] };
    const [run] = runsOf(problem, plain, 1);
    const made = new Records(path).make(run);
    appendFileSync(path, readFileSync(path, "utf8").slice(0, 50));
    const records = new Records(path);
    expect(records.find(run)).toMatchObject(made);
    expect(records.find({ ...run, seed: 2 })).toBeUndefined();
    expect(records.find({ ...run, lengths: [7, 10] })).toBeUndefined();
    const newer = { ...run, contender: { ...plain, version: "2" } };
    expect(records.find(newer)).toBeUndefined();
    records.make(newer);
    expect(new Records(path).find(newer)).toBeDefined();
    expect(new Records(path).find(run)).toMatchObject(made);
  });
});

describe("summaries", () => {
  const reading = (...logs: number[]) => ({ logs, diverged: 0, spikes: 1 });
  const cell = (problem: string, length: number) => ({ problem, group: "hard", length, initial: 0 }) as const;
  const example: Study = {
    cells: [cell("a", 100), cell("a", 300), cell("b", 100)],
    anchors: [[-1, -1], [-2, -2], undefined],
    rows: [
      { label: "one", kind: "untuned", readings: [reading(-1, 0), reading(-9, -7), reading(0, 0)] },
      { label: "two", kind: "superlevel", readings: [undefined, undefined, reading(0, 0)] },
      { label: "three", kind: "untuned", readings: [reading(-1, -1), reading(5, 5), undefined] },
    ],
  };

  it("are of gaps to the tuned run of the same seed, kept between −1 and 4", () => {
    const rows = summaries(example, () => true);
    expect(rows.map(({ label, mean, worst, even, cells }) => [label, mean, worst, even, cells])).toEqual([
      ["one", -0.25, 0.5, 0.5, 2],
      ["three", 2, 7, 0.5, 2],
    ]);
    expect(rows[1].worstCell.length).toBe(300);
    expect(rows[0].spikes).toBe(2);
  });

  it("have an interval over problems and seeds", () => {
    const [one, three] = summaries(example, ({ length }) => length === 100);
    // The gaps of the two seeds are 0 and 1.
    expect([one.low, one.high]).toEqual([0, 1]);
    expect([three.low, three.high]).toEqual([0, 0]);
  });
});

describe("the study", () => {
  it("makes tables and a picture of what is known", () => {
    const records = new Records(join(folder, "runs.jsonl"));
    const problems = [{ ...xorProblem(), lengths: [20, 100] }, turnedTable(xorExamples)].slice(0, 1);
    const all: Contender[] = contenders(true, "a");
    const chosen = all.filter(({ family }) => /^(Adam|superlevel|DoG)/.test(family));
    for (const run of allRuns(problems, chosen, 2)) records.make(run);
    const result = study(problems, all, 2, records);
    expect(result.cells.map(({ length }) => length)).toEqual([20, 100]);
    const labels = result.rows.map(({ label }) => label);
    expect(labels).toContain("superlevel, told its loss");
    expect(labels).toContain("Adam, 1e−3");
    expect(labels).not.toContain("Prodigy");
    const [best] = summaries(result, () => true);
    expect([best.label, best.mean, best.worst, best.low, best.high]).toEqual([
      "best tuned Adam or AdamW",
      0,
      0,
      0,
      0,
    ]);
    for (const { kind, mean } of summaries(result, () => true)) {
      if (kind === "anchor") expect(mean).toBeGreaterThanOrEqual(0);
    }
    const text = report(result, "heading");
    expect(text).toMatch(/^\| XOR, 100 steps {0,9}\|/m);
    expect(text).toContain("## 100 steps");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    const svg = gapChart(result);
    expect(svg).toContain("</svg>");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
