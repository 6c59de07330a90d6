/** Schedules against values worked out by hand. */
import { readFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import {
  constant,
  cosineDecay,
  cosineRestarts,
  createOptimizer,
  cyclical,
  exponentialDecay,
  inverseTimeDecay,
  perEpoch,
  sgd,
  warmup,
  windowDecay,
  type Schedule,
} from "../src/index.js";
import * as schedules from "../src/schedules.js";

const endless = { start: 0, length: Infinity };

/** α at steps 1, 2, 3, … */
function first(schedule: Schedule, steps: number): number[] {
  return Array.from({ length: steps }, (_, k) => schedule(k + 1, endless));
}

function mustBeNear(actual: number[], expected: number[], tolerance = 1e-14): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, k) => {
    const error = Math.abs(value - expected[k]);
    if (!(error <= tolerance * Math.max(1, Math.abs(expected[k])))) {
      throw new Error(`step ${k + 1}: ${value}, not ${expected[k]}`);
    }
  });
}

/** One row for each schedule: the rates of the first steps by hand, and calls that are refused. */
const ROWS: Readonly<Record<keyof typeof schedules, Row>> = {
  constant: [constant(0.3), [0.3, 0.3], { "value)": () => constant(-1) }],
  windowDecay: [windowDecay(2), [2, 2], { "initial)": () => windowDecay(NaN) }],
  exponentialDecay: [
    exponentialDecay({ initial: 1, rate: Math.LN2 }),
    [1 / 2, 1 / 4, 1 / 8],
    { rate: () => exponentialDecay({ initial: 1, rate: -1 }) },
  ],
  inverseTimeDecay: [
    inverseTimeDecay({ initial: 6, rate: 0.5 }),
    [4, 3, 2.4],
    { rate: () => inverseTimeDecay({ initial: 1, rate: -1 }) },
  ],
  cosineDecay: [
    cosineDecay({ initial: 2, steps: 2 }),
    [2, 1, 0, 0],
    { steps: () => cosineDecay({ initial: 1, steps: 0 }) },
  ],
  cosineRestarts: [
    cosineRestarts({ max: 2, period: 2 }),
    [2, 1, 2, 1],
    { period: () => cosineRestarts({ max: 1, period: 0 }) },
  ],
  cyclical: [
    cyclical({ min: 0, max: 1, halfPeriod: 2 }),
    [0, 0.5, 1, 0.5],
    { max: () => cyclical({ min: 1, max: 0, halfPeriod: 2 }) },
  ],
  warmup: [warmup(constant(1), 2), [0.5, 1, 1], { "steps)": () => warmup(constant(1), 0) }],
  perEpoch: [
    perEpoch((epoch) => epoch, 2),
    [1, 1, 2, 2],
    { "stepsPerEpoch)": () => perEpoch(constant(1), 0) },
  ],
};
type Row = readonly [schedule: Schedule, rates: number[], refused: Readonly<Record<string, () => Schedule>>];

test.each(Object.entries(ROWS))("%s, and what it refuses", (name, [schedule, rates, refused]) => {
  mustBeNear(first(schedule, rates.length), rates);
  for (const [argument, call] of Object.entries(refused)) {
    const place = argument.endsWith(")") ? `${name}(${argument}` : `${name}.${argument}`;
    expect(call).toThrow(`${place}: expected `);
  }
});

/** How a schedule is called, and its docstring up to the first tag, in a row of a table. */
function rowOf(node: ts.FunctionDeclaration): string {
  const [{ type }] = node.parameters;
  const members =
    type && ts.isTypeLiteralNode(type) ? type.members.map((member) => member.name!.getText()) : [];
  const names = node.parameters.map((parameter) => parameter.name.getText()).join(", ");
  const call = `${node.name!.text}(${members.length > 0 ? `{ ${members.join(", ")} }` : names})`;
  const comment = ts.getJSDocCommentsAndTags(node)[0] as ts.JSDoc;
  const text = ts.getTextOfJSDocComment(comment.comment)!.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
  return `| \`${call}\` | ${text} |`;
}

test("docs/notation.md has a row for each: `npx vitest run test/schedules.test.ts -u` writes them", async () => {
  const file = "docs/notation.md";
  const source = ts.createSourceFile(
    "",
    readFileSync("src/schedules.ts", "utf8"),
    ts.ScriptTarget.ES2022,
    true,
  );
  const functions = source.statements.filter(ts.isFunctionDeclaration);
  const rows = functions.filter(({ name }) => name && name.text in schedules).map(rowOf);
  const table = ["| schedule | α_t |", "| --- | --- |", ...rows].join("\n");
  const text = readFileSync(file, "utf8");
  expect(text).toMatch(/^\| schedule .*\n(\|.*\n)+/m);
  const written = text.replace(/^\| schedule .*\n(\|.*\n)+/m, () => `${table}\n`);
  const options = { ...(await resolveConfig(file)), parser: "markdown" };
  await expect(await format(written, options)).toMatchFileSnapshot(`../${file}`);
});

describe("decays", () => {
  test("constant", () => {
    expect(first(constant(0.3), 3)).toEqual([0.3, 0.3, 0.3]);
    expect(first(constant(0), 1)).toEqual([0]);
  });

  test("exponential: a factor e after 1 / rate steps, half after ln 2 / rate", () => {
    const schedule = exponentialDecay({ initial: 2, rate: 0.01 });
    mustBeNear(
      [1, 100, 69.31471805599453, 1000].map((t) => schedule(t, endless)),
      [2 / Math.exp(0.01), 2 / Math.E, 1, 2 * 4.5399929762484854e-5],
    );
    expect(first(exponentialDecay({ initial: 2, rate: 0 }), 2)).toEqual([2, 2]);
  });

  test("exponential in Keras's words, r^(t/s): rate −ln r / s, or −ln(final) / T", () => {
    const [r, s] = [0.96, 250];
    const keras = exponentialDecay({ initial: 0.1, rate: -Math.log(r) / s });
    mustBeNear(
      [1, 250, 1000].map((t) => keras(t, endless)),
      [1, 250, 1000].map((t) => 0.1 * r ** (t / s)),
    );
    expect(exponentialDecay({ initial: 1, rate: -Math.log(0.01) / 5000 })(5000, endless)).toBeCloseTo(
      0.01,
      14,
    );
  });

  test("inverse time: half after 1 / rate steps", () => {
    mustBeNear(first(inverseTimeDecay({ initial: 6, rate: 0.5 }), 4), [4, 3, 2.4, 2]);
  });

  test("window: from its window alone", () => {
    const schedule = windowDecay(3);
    expect(schedule(10, endless)).toBe(3);
    mustBeNear(
      [1, 32, 64].map((t) => schedule(t, { start: 0, length: 64 })),
      [3 * Math.exp(-1 / 64), 3 * Math.exp(-0.5), 3 / Math.E],
    );
    mustBeNear(
      [65, 96, 128].map((t) => schedule(t, { start: 64, length: 64 })),
      [3 * Math.exp(-1 / 64), 3 * Math.exp(-0.5), 3 / Math.E],
    );
  });

  test("half a cosine: whole, √¾, half, zero; and on as it ends", () => {
    const quarter = (1 + Math.SQRT1_2) / 2;
    mustBeNear(first(cosineDecay({ initial: 1, steps: 4 }), 7), [1, quarter, 0.5, 1 - quarter, 0, 0, 0]);
    mustBeNear(first(cosineDecay({ initial: 3, steps: 2, final: 1 }), 4), [3, 2, 1, 1]);
    // Upwards, too.
    mustBeNear(first(cosineDecay({ initial: 0, steps: 2, final: 1 }), 3), [0, 0.5, 1]);
  });
});

describe("cosine restarts (SGDR)", () => {
  test("as a public implementation has it, in float32", () => {
    const schedule = cosineRestarts({ max: 0.005, period: 10, factor: 2 });
    // Steps count from 1 here: t = 1 and t = 15.
    mustBeNear([schedule(2, endless), schedule(16, endless)], [0.0048776437, 0.0042677815], 2e-8);
  });

  test("restarts at 0, 10, 30, 70, 150 with factor 2, and every 10 with factor 1", () => {
    const growing = cosineRestarts({ max: 4, min: 2, period: 10, factor: 2 });
    for (const t of [0, 10, 30, 70, 150, 310]) expect(growing(t + 1, endless)).toBe(4);
    for (const t of [5, 20, 50, 110]) expect(growing(t + 1, endless)).toBeCloseTo(3, 14);
    for (const t of [9, 29, 69, 149]) expect(growing(t + 1, endless)).toBeLessThan(2.06);
    const even = cosineRestarts({ max: 1, period: 10 });
    expect(first(even, 40).filter((alpha) => alpha === 1)).toHaveLength(4);
  });

  test.each([1, 1.1, 1.5, 2, 3, 10])("factor %d: as counted period by period", (factor) => {
    for (const period of [1, 7, 10]) {
      const schedule = cosineRestarts({ max: 1, period, factor });
      let begin = 0;
      let length = period;
      for (let t = 0; t < 5000; t++) {
        while (begin + length <= t + 1e-6) {
          begin += length;
          length *= factor;
        }
        const expected = (1 + Math.cos((Math.PI * Math.max(0, t - begin)) / length)) / 2;
        const alpha = schedule(t + 1, endless);
        if (!(Math.abs(alpha - expected) < 1e-9))
          throw new Error(`t = ${t}, period ${period}: ${alpha}, not ${expected}`);
      }
    }
  });
});

describe("cyclical", () => {
  const shape = { min: 1, max: 5, halfPeriod: 4 };

  test("triangular: up in h steps, down in h", () => {
    mustBeNear(first(cyclical(shape), 17), [1, 2, 3, 4, 5, 4, 3, 2, 1, 2, 3, 4, 5, 4, 3, 2, 1]);
  });

  test("triangular2: half as high each time", () => {
    mustBeNear(first(cyclical({ ...shape, mode: "triangular2" }), 25), [
      ...[1, 2, 3, 4, 5, 4, 3, 2],
      ...[1, 1.5, 2, 2.5, 3, 2.5, 2, 1.5],
      ...[1, 1.25, 1.5, 1.75, 2, 1.75, 1.5, 1.25, 1],
    ]);
  });

  test("exponential: peaks at gamma^t", () => {
    const alphas = first(cyclical({ ...shape, mode: "exponential", gamma: 0.9 }), 9);
    mustBeNear(
      alphas,
      [0, 1, 2, 3, 4, 3, 2, 1, 0].map((height, t) => 1 + height * 0.9 ** t),
    );
  });
});

describe("schedules of schedules", () => {
  test("warm-up: in equal parts, then the schedule itself", () => {
    mustBeNear(first(warmup(constant(2), 4), 6), [0.5, 1, 1.5, 2, 2, 2]);
    mustBeNear(first(warmup(inverseTimeDecay({ initial: 1, rate: 1 }), 2), 3), [1 / 4, 1 / 3, 1 / 4]);
    expect(first(warmup(constant(2), 1), 2)).toEqual([2, 2]);
  });

  test("per epoch: the same for all of an epoch's steps", () => {
    const schedule = perEpoch(inverseTimeDecay({ initial: 12, rate: 1 }), 3);
    expect(first(schedule, 10)).toEqual([6, 6, 6, 4, 4, 4, 3, 3, 3, 2.4]);
    // Windows are counted in epochs as well.
    const decay = perEpoch(windowDecay(1), 100);
    expect(decay(250, { start: 200, length: 400 })).toBe(Math.exp(-1 / 4));
    expect(decay(250, endless)).toBe(1);
    mustBeNear(first(warmup(perEpoch(constant(1), 2), 4), 5), [0.25, 0.5, 0.75, 1, 1]);
  });
});

test("the optimizer asks for steps 1, 2, 3, …, and reports what it was told", () => {
  const schedules = [
    exponentialDecay({ initial: 1, rate: 0.1 }),
    cosineRestarts({ max: 0.5, period: 5, factor: 2 }),
    warmup(cyclical({ min: 0, max: 1, halfPeriod: 3 }), 4),
    perEpoch(cosineDecay({ initial: 1, steps: 5 }), 3),
  ];
  for (const learningRate of schedules) {
    const optimizer = createOptimizer([0], { base: sgd({ learningRate }), tuner: null });
    let x = 0;
    for (let step = 1; step <= 40; step++) {
      const expected = learningRate(step, endless);
      expect(optimizer.step([1]).learningRate).toBe(expected);
      expect(optimizer.learningRate).toBe(expected);
      x = Math.fround(x - Math.fround(expected));
      expect(optimizer.params[0]).toBe(x);
    }
  }
});
