/** The tables of docs/results/monitor.md are those of the recorded runs. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { table, type Recording } from "../../studies/monitor/table.js";

const recorded = JSON.parse(readFileSync("docs/results/monitor.json", "utf8")) as Record<string, Recording>;
/** Without the alignment of columns. */
const plain = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");

describe.each(Object.keys(recorded))("%s", (name) => {
  it.each([true, false])("is in the documentation as recorded, healthy: %s", (healthy) => {
    expect(plain(readFileSync("docs/results/monitor.md", "utf8"))).toContain(
      plain(table(recorded[name], healthy)),
    );
    expect(recorded[name].seeds).toBeGreaterThanOrEqual(2);
  });

  it("accuses at most one in fifty of the runs that go well at a rate that is right", () => {
    const own = recorded[name].scores.filter(
      ({ kind, watching }) => kind === "goes well" && watching !== "held-out probe",
    );
    const total = (of: "runs" | "right") => own.reduce((sum, score) => sum + score[of], 0);
    expect(1 - total("right") / total("runs")).toBeLessThanOrEqual(0.02);
  });
});
