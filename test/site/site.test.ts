/** The site's parts that need no browser. */
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { createOptimizer } from "superlevel";
import { report } from "superlevel/stability";

import { drawDigits } from "../../studies/kit/digits/draw.js";
import { readAddress, writeAddress } from "../../site/common/address.js";
import { short } from "../../site/common/dom.js";
import { eraseTypes } from "../../site/docs/live/erase.js";
import { run, runsInPage } from "../../site/docs/live/instrument.js";
import { placed } from "../../site/docs/portable.js";
import { Field } from "../../site/race/field.js";
import { landscapeOf, landscapes } from "../../site/race/landscapes.js";
import { presets } from "../../site/race/presets.js";
import { racers } from "../../site/race/racers.js";
import { defaultState, exponentOf, formatState, parseState, rateOf } from "../../site/race/state.js";
import { runTrace, sourceOf } from "../../site/race/trace.js";
import { rebuilt } from "../../site/stability/rebuild.js";
import { readMnist } from "../../site/train/idx.js";

describe("the address", () => {
  test.each(presets)("holds all of the preset $name", ({ state }) => {
    const hash = writeAddress("race", formatState(state));
    const { page, values } = readAddress(hash);
    expect(page).toBe("race");
    expect(parseState(values)).toEqual(state);
  });

  test("holds whatever was set", () => {
    const usual = defaultState("noisy");
    const state = {
      ...usual,
      start: [-0.125, 1e-7] as const,
      on: ["adam", "equations"],
      rates: { ...usual.rates, adam: 0.178, equations: 31.6 },
      steps: 50,
      step: 17,
      speed: 10,
      playing: true,
      view: "map" as const,
      side: "super" as const,
      level: 0.735,
      flood: true,
    };
    expect(parseState(readAddress(writeAddress("race", formatState(state))).values)).toEqual(state);
    expect(writeAddress("race", formatState(defaultState()))).toBe("#race");
  });

  test("is as usual where it is senseless", () => {
    const values = new URLSearchParams(
      "on=x&start=1,a&steps=7&step=1e9&speed=no&level=-3&rates=adam:-1,sgd,superlevel:1,x:1",
    );
    const { steps } = defaultState();
    expect(parseState(values)).toEqual({ ...defaultState(), level: 0, step: steps });
  });

  test("holds every rate of the sliders", () => {
    for (let e = -5; e <= 1.5; e += 0.25) expect(exponentOf(rateOf(e))).toBe(e);
  });
});

describe("landscapes", () => {
  test.each(landscapes)("$name has the gradient that its loss has", ({ id }) => {
    const { x, y, loss, gradient } = landscapeOf(id);
    const [a, b] = [x[0] + 0.37 * (x[1] - x[0]), y[0] + 0.61 * (y[1] - y[0])];
    const d = 1e-5 * (x[1] - x[0]);
    const [gx, gy] = gradient(a, b);
    const size = 1e-5 * (1 + Math.hypot(gx, gy));
    expect(Math.abs((loss(a + d, b) - loss(a - d, b)) / (2 * d) - gx)).toBeLessThan(size);
    expect(Math.abs((loss(a, b + d) - loss(a, b - d)) / (2 * d) - gy)).toBeLessThan(size);
  });

  test("level sets have as many areas as components", () => {
    const field = new Field(landscapeOf("himmelblau"));
    for (const [side, level, count] of [
      ["sub", 1, 4],
      ["sub", 50, 3],
      ["sub", 150, 1],
      ["super", 50, 1],
      ["super", 180, 2],
    ] as const) {
      const set = field.levelSet(side, level);
      const seen = new Set(set.parts.map(({ label }) => label));
      expect([side, level, set.count, seen.has(-1)]).toEqual([side, level, count, false]);
    }
    const sub = field.levelSet("sub", 50).parts;
    expect(new Set(sub.map(({ label }) => label)).size).toBe(3);
  });
});

describe("races", () => {
  const landscape = landscapeOf("rosenbrock");
  const run = { landscape, start: landscape.start, steps: 200 };

  test("superlevel's is the package's own run", () => {
    const { x, y, losses } = runTrace(run, racers[0], 1);
    const optimizer = createOptimizer([...landscape.start]);
    const { loss } = optimizer.minimize(sourceOf(landscape), { steps: 200 });
    expect([x[200], y[200]]).toEqual([...optimizer.params]);
    expect(losses[200]).toBe(loss);
    expect(losses).toHaveLength(201);
  });

  test("Algorithm 1 as printed stays, a rate that is too large diverges, flooding ends at the level", () => {
    const [adam, sgd, printed] = ["adam", "sgd", "algorithm1"].map((id) =>
      racers.find((one) => one.id === id)!,
    );
    expect(runTrace(run, printed, 1).losses[200]).toBeCloseTo(24.2, 4);
    expect(runTrace(run, sgd, 0.01).ended).toMatch(/^diverged at step \d+$/);
    const { losses } = runTrace({ ...run, floor: 3 }, adam, 0.1);
    expect(Math.min(...losses)).toBeGreaterThan(3 - 1e-6);
    expect(losses[200]).toBeLessThan(3.1);
    expect(runTrace({ ...run, start: [0, 0] }, printed, 1).ended).toBe("cannot start where x is 0");
  });
});

test("Figure 1 d: rates decay, and the energy is bounded by the level and the start", () => {
  const { state } = presets.find(({ id }) => id === "figure-1-d")!;
  const landscape = landscapeOf(state.landscape);
  const floor = new Field(landscape).levelAt(state.level);
  for (const racer of racers.filter(({ id }) => state.on.includes(id))) {
    const run = { landscape, start: state.start, steps: state.steps };
    const { losses } = runTrace({ ...run, floor }, racer, state.rates[racer.id] ?? 1);
    const above = losses.slice(1).filter((loss) => loss < floor - 1e-6 || loss > losses[0] + 1e-6);
    expect([racer.id, above]).toEqual([racer.id, []]);
    const free = runTrace(run, racer, state.rates[racer.id] ?? 1).losses;
    expect([racer.id, free[state.steps] < floor]).toEqual([racer.id, racer.id !== "algorithm1"]);
  }
});

test("numbers", () => {
  const texts = [0, 1.5, -0.0123, 1e-7, 123456, -3.24e-9, NaN, Infinity].map((value) => short(value));
  expect(texts).toEqual(["0", "1.5", "−0.0123", "10⁻⁷", "1.2·10⁵", "−3.2·10⁻⁹", "–", "∞"]);
});

describe("saved reports", () => {
  const results = [{ name: "A </script> run", steps: [{ step: 1, before: 2, ratio: NaN }] }];
  const saved = report(results, { title: "Mine" });

  test("are shown as they were, by the package's own script", () => {
    expect(rebuilt(saved).replace(/<title>.*?<\/title>/, "")).toBe(saved.replace(/<title>.*?<\/title>/, ""));
    const hostile = saved.replace("</body>", "<script>alert(1)</script></body>");
    expect(rebuilt(hostile)).not.toContain("alert(1)");
    expect(rebuilt(JSON.stringify([{ name: "plain" }]))).toContain('"name":"plain"');
  });

  test("are refused with what was expected", () => {
    expect(() => rebuilt("<p>hello</p>")).toThrow("expected a report");
    expect(() => rebuilt('{"nam":1}')).toThrow(/results\[0\]/);
  });
});

describe("MNIST's files", () => {
  const { images, labels } = drawDigits(40, 1);
  const idx = (magic: number, shape: number[], values: Uint8Array) => {
    const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
    const view = new DataView(bytes.buffer);
    [magic, ...shape].forEach((value, k) => view.setUint32(4 * k, value));
    bytes.set(values, 4 + 4 * shape.length);
    return bytes;
  };
  const file = (name: string, bytes: Uint8Array) => new File([Uint8Array.from(bytes)], name);
  const imageFile = file("train-images-idx3-ubyte.gz", gzipSync(idx(0x803, [40, 28, 28], images)));
  const labelFile = file("train-labels-idx1-ubyte", idx(0x801, [40], labels));

  test("are read, zipped or not, and a part is kept for testing", async () => {
    const { train, test: held } = await readMnist([labelFile, imageFile]);
    expect([train.count, held.count, train.pixels]).toEqual([36, 4, 784]);
    expect([...train.labels, ...held.labels]).toEqual([...labels]);
    expect(held.images).toEqual(images.subarray(36 * 784));
  });

  test("are refused with what is wrong", async () => {
    await expect(readMnist([imageFile])).rejects.toThrow("expected train-images-idx3-ubyte and");
    const short = file("train-labels", idx(0x801, [41], labels));
    await expect(readMnist([imageFile, short])).rejects.toThrow("its header says 41 values but it holds 40");
    const odd = file(
      "train-labels",
      idx(
        0x801,
        [40],
        labels.map(() => 11),
      ),
    );
    await expect(readMnist([imageFile, odd])).rejects.toThrow("holds the label 11");
    await expect(readMnist([file("a.txt", new Uint8Array(20))])).rejects.toThrow("a.txt: not an IDX file");
  });
});

describe("examples in pages", () => {
  test("are JavaScript that shows results in order", async () => {
    const code = eraseTypes(`import { type Kind, half as other } from "superlevel";
      interface Pair { a: number }
      const double = (x: number, _?: Pair): number => (2 * x) as number;
      const seen: number[] = [];
      double(other(3)!); // → 3
      await Promise.reject(new RangeError("far")); // → throws RangeError
      console.log(new Map<string, number>().size, seen, Float32Array.of(0.5));`);
    const lines: string[] = [];
    const half = (x: number) => x / 2;
    await run(code, { superlevel: { half } }, (line) => lines.push(line));
    expect(lines).toEqual([
      "double(other(3)) → 3",
      'await Promise.reject(new RangeError("far")) → throws RangeError: far',
      "0 [] Float32Array [0.5]",
    ]);
    expect(runsInPage(code)).toBe(true);
    expect(runsInPage(code.replace('"superlevel"', '"superlevel/tfjs"'))).toBe(false);
    expect(runsInPage("function f(x?): Adam; // → 1")).toBe(false);
  });

  test("know their place in every kind of string", () => {
    const code = placed('const [a, b, c] = ["/__docs__/a", `/__docs__/b`, `${1}/__docs__/c`]; // /__docs__/');
    const context = { docsPlace: "/x y/" };
    expect(runInNewContext(`${code}\n[a, b, c].join();`, context)).toBe("/x y/a,/x y/b,1/x y/c");
  });
});
