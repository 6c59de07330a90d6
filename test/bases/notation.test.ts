/** The tables of bases in docs/notation.md are what src/bases says. */
import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { slotsWithLead, type Notation } from "../../src/bases/base.js";
import { resolveBase } from "../../src/bases/index.js";
import type { BaseName } from "../../src/bases/list.js";
import { records } from "../../src/bases/records.js";

const unpadded = (line: string) => line.replaceAll(/ +/g, " ");

/** The rows under a table's head, sorted and without their padding. */
function tableUnder(text: string, head: RegExp): string[] {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => head.test(line)) + 2;
  const to = lines.findIndex((line, k) => k >= from && !line.startsWith("|"));
  return lines.slice(from, to).map(unpadded).sort();
}

const row = (...cells: (string | number)[]) => unpadded(`| ${cells.join(" | ")} |`);
const nameOf = ({ base }: Notation) => base.slice(0, base.indexOf("("));

describe("docs/notation.md", () => {
  const text = readFileSync("docs/notation.md", "utf8");
  const names = Object.keys(records);
  let notation: Notation[];

  beforeAll(async () => {
    const files = readdirSync("src/bases").map((file) => file.replace(/\.ts$/, ""));
    const modules = await Promise.all(files.map((file) => import(`../../src/bases/${file}.ts`)));
    notation = modules.flatMap(({ notation = [] }: { notation?: Notation[] }) => notation);
  });

  const ruleOf = (of: Notation) => resolveBase(records[nameOf(of) as BaseName].factory(of.options)).rule;

  test("each base has a row in its file: `export const notation`", () => {
    expect(new Set(notation.map(nameOf))).toEqual(new Set(names));
  });

  test("the rows of the first table are those", () => {
    const expected = notation.map((of) => {
      const { plainRate, slots } = ruleOf(of);
      const rate = plainRate === 1 ? 1 : plainRate.toExponential();
      return row(`\`${of.base}\``, of.update, slots.length, of.defaults, rate, of.source);
    });
    expect(tableUnder(text, /^\| base .*\| rate alone/)).toEqual(expected.sort());
  });

  test("and those of the second, with slots for a lead", () => {
    const expected = notation.map((of) => row(`\`${of.base}\``, of.bare, slotsWithLead(ruleOf(of))));
    expect(tableUnder(text, /^\| base .*\| slots with e/)).toEqual(expected.sort());
  });
});
