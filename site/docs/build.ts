/** Builds the site of the documentation. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

import { build } from "vitepress";

import { writeApi } from "./api.js";
import { writePages } from "./pages.js";
import { makePortable } from "./portable.js";

/** `work` is a folder in the repository for what is made on the way. */
export async function buildDocs(out: string, work: string): Promise<void> {
  rmSync(work, { recursive: true, force: true });
  writePages(work);
  await writeApi(join(work, "api"));
  const own = (file: string) => relative(join(work, ".vitepress"), resolve(import.meta.dirname, file));
  mkdirSync(join(work, ".vitepress/theme"), { recursive: true });
  writeFileSync(join(work, ".vitepress/config.ts"), `export { default } from "${own("config.ts")}";\n`);
  writeFileSync(
    join(work, ".vitepress/theme/index.ts"),
    `export { default } from "../${own("theme.ts")}";\n`,
  );
  await build(work, { outDir: out });
  await makePortable(out);
}
