import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

/** Folders of the built package without which a step is the same. */
const beside = /^(adapters|loggers|report|stability)\b/;

/** Changes with whatever of the built package takes part in a step. */
export function packageVersion(): string {
  const hash = createHash("sha256");
  const files = (readdirSync(dist, { recursive: true }) as string[]).filter(
    (name) => /\.(js|wasm)$/.test(name) && !beside.test(name),
  );
  for (const name of files.sort()) hash.update(readFileSync(join(dist, name)));
  return hash.digest("hex").slice(0, 12);
}
