/** The tables of docs/results/monitor.md are those of the recorded runs, and false alarms other than of labels are rare. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { tables, together, type Recording, type Tally, type Watching } from "../../studies/monitor/table.js";

const recorded = JSON.parse(readFileSync("docs/results/monitor.json", "utf8")) as Record<string, Recording>;
/** Without the alignment of columns. */
const plain = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");

describe.each(Object.keys(recorded))("%s", (name) => {
  it("is in the documentation as recorded", () => {
    expect(plain(readFileSync("docs/results/monitor.md", "utf8"))).toContain(plain(tables(recorded[name])));
    expect(recorded[name].seeds).toBeGreaterThanOrEqual(8);
  });

  it("has at most 2 % of false alarms, but for labels", () => {
    const confusion = together(recorded[name]);
    const kinds = ["up to the best rate", "superlevel as it comes", "rate that falls to 5 %"];
    for (const watching of ["full batch", "minibatches", "minibatches, probe"] satisfies Watching[]) {
      const tallies = kinds.map((kind) => confusion[kind][watching]!);
      const total = (of: (tally: Tally) => number) => tallies.reduce((sum, tally) => sum + of(tally), 0);
      const alarms = total(({ other, verdicts }) => other - (verdicts["label-noise"] ?? 0));
      expect(alarms / total(({ runs }) => runs), watching).toBeLessThanOrEqual(0.02);
    }
  });
});
