/** What pages of studies are made of: tables, intervals and charts. */
import { format } from "prettier";
import { describe, expect, it } from "vitest";

import { bandChart } from "../../studies/kit/chart.js";
import { roundTicks } from "../../studies/kit/svg.js";
import { bySetting, clearlyBelow, interval, listed, rounded, table } from "../../studies/kit/outcomes.js";

describe("outcomes", () => {
  it("are put together by setting, in the order in which these come", () => {
    const runs = [
      { job: { rate: 2, seed: 1 }, outcome: 5 },
      { job: { rate: 1, seed: 1 }, outcome: 6 },
      { job: { rate: 2, seed: 2 }, outcome: 7 },
    ];
    const found = bySetting(runs, ({ rate }) => `rate ${rate}`);
    expect([...found]).toEqual([
      ["rate 2", [5, 7]],
      ["rate 1", [6]],
    ]);
  });

  it("have intervals by Student's t: 12.71 · deviation / √2 of two", () => {
    expect(interval([1, 3], 2)).toBe("2.00 ± 12.71");
    expect(interval([], 2)).toBe("–");
  });

  it("are below others by what differs seed by seed, and never by one seed alone", () => {
    const [low, high] = [
      [1, 11, 21],
      [2, 12.1, 21.9],
    ];
    expect(clearlyBelow(low, high)).toBe(true);
    expect(clearlyBelow(high, low)).toBe(false);
    expect(clearlyBelow(low, [2, 11, 21])).toBe(false);
    expect(clearlyBelow(low, [2, 12])).toBe(false);
    expect(clearlyBelow([1], [2])).toBe(false);
  });

  it("keep five digits, and nothing that JSON has no name for", () => {
    expect([rounded(1 / 3), rounded(123456.7), rounded(NaN), rounded(-Infinity)]).toEqual([
      0.33333,
      123460,
      null,
      null,
    ]);
  });

  it("are listed", () => {
    expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])]).toEqual([
      "none",
      "a",
      "a and b",
      "a, b and c",
    ]);
  });
});

it("tables are as prettier leaves them", async () => {
  const text = table(["rate", "kind", "loss"], [["0.1", "first of all", "1 ± 2"], ["∞", "b", "–"]], 2); // prettier-ignore
  expect(await format(text, { parser: "markdown" })).toBe(`${text}\n`);
  expect(text.split("\n")[1]).toMatch(/^\| -+ \| -+ \| -+: \|$/);
});

describe("charts", () => {
  const point = (x: number, y: number) => ({ x, y, half: 1 });
  const chart = (values: readonly number[]) =>
    bandChart({
      title: "a < b",
      note: "note",
      x: { title: "steps", ticks: [0, 1], label: (tick) => `tick ${tick}` },
      y: { title: "loss" },
      panels: [
        {
          title: "panel",
          lines: [{ name: "one & two", points: values.map((value, k) => point(k, value)) }],
        },
      ],
    });

  it("have titled axes, ticks, a band and a line", () => {
    const svg = chart([2, 4]);
    for (const text of [
      "a &lt; b",
      ">steps<",
      ">loss<",
      ">tick 1<",
      ">4<",
      "one &amp; two",
      "<polygon",
      "<polyline",
    ])
      expect(svg).toContain(text);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("leave out what is not finite, and stand without any point", () => {
    expect(chart([2, NaN, 4]).match(/<circle/g)).toHaveLength(2);
    for (const svg of [chart([]), chart([Infinity])]) {
      expect(svg).not.toMatch(/NaN|Infinity/);
      expect(svg).not.toContain("<polyline");
    }
  });

  it("have round ticks", () => {
    expect(roundTicks(0, 10)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(roundTicks(-0.13, 0.21)).toEqual([-0.1, 0, 0.1, 0.2]);
    expect(roundTicks(3, 3)).toEqual([3]);
  });
});
