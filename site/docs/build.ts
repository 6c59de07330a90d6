/** Builds the site of the documentation. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

import { build } from "vitepress";

import { writeApi } from "./api.js";
import { writePages } from "./pages.js";
import { makePortable } from "./portable.js";

export async function buildDocs(out: string): Promise<void> {
  // In the repository, as pages import packages.
  mkdirSync("build", { recursive: true });
  const work = mkdtempSync("build/docs-");
  try {
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
  } finally {
    rmSync(work, { recursive: true });
  }
}
