import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { format } from "prettier";

/** Writes results as JSON, and a picture. */
export function writeResults(out: string, results: unknown, picture: string): void {
  // Five digits are more than a machine has.
  const short = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.json`, `${JSON.stringify(results, short)}\n`);
  writeFileSync(`${out}.svg`, picture);
}

/** Puts a text between the comments `<!-- name -->` and `<!-- /name -->` of docs/results/performance.md. */
export async function writeSection(name: string, text: string): Promise<void> {
  const file = "docs/results/performance.md";
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const page = readFileSync(file, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file}: expected ${begin} and ${end}`);
  const changed = `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
  writeFileSync(file, await format(changed, { parser: "markdown", printWidth: 110 }));
}
