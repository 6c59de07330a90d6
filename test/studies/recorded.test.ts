/** Pages and pictures in docs/results are what studies make of the runs that are recorded beside them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { format } from "prettier";
import { expect, it } from "vitest";

import type { Json, Run, Study } from "../../studies/kit/study.js";

/** Those that are made of jobs. */
const studies = readdirSync("studies").filter((name) => {
  const file = `studies/${name}/study.ts`;
  return existsSync(file) && readFileSync(file, "utf8").includes("export const study: Study");
});

it("there are some", () => expect(studies).toContain("decay"));

it.each(studies)("%s", async (name) => {
  const { study } = (await import(`../../studies/${name}/study.ts`)) as { study: Study };
  const text = readFileSync(`docs/results/${name}.json`, "utf8");
  const { markdown, pictures } = study.report((JSON.parse(text) as { runs: Run<Json, Json>[] }).runs);
  const page = readFileSync(`docs/results/${name}.md`, "utf8");
  expect(page).toContain((await format(markdown, { parser: "markdown", printWidth: 110 })).trim());
  for (const [file, svg] of Object.entries(pictures))
    expect(readFileSync(`docs/results/${file}`, "utf8").trim(), file).toBe(svg.trim());
});
