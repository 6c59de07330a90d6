/** The tables of docs/stability.md are those of the recorded runs, and false alarms are as rare as it says. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { tables, together, type Recording, type Watching } from "../bench/monitor/table.js";

const recorded = JSON.parse(readFileSync("docs/monitor.json", "utf8")) as Record<string, Recording>;
/** Without the alignment of columns. */
const plain = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");

describe.each(Object.keys(recorded))("%s", (name) => {
  it("is in the documentation as recorded", () => {
    expect(plain(readFileSync("docs/stability.md", "utf8"))).toContain(plain(tables(recorded[name])));
    expect(recorded[name].seeds).toBeGreaterThanOrEqual(8);
  });

  it("has at most 5 % of false alarms, but for examples that are not trained on", () => {
    const confusion = together(recorded[name]);
    const kinds = ["up to the best rate", "superlevel as it comes", "rate that falls to 5 %"];
    for (const watching of ["full batch", "minibatches", "minibatches, probe"] satisfies Watching[]) {
      const tallies = kinds.map((kind) => confusion[kind][watching]!);
      const [alarms, runs] = [tallies.reduce((sum, { other }) => sum + other, 0), tallies.reduce((sum, { runs }) => sum + runs, 0)]; // prettier-ignore
      expect(alarms / runs, watching).toBeLessThanOrEqual(0.05);
    }
  });
});
