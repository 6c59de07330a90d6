// Ships the binaries as files too, for pages that stream them or forbid inlined code.
import { copyFileSync } from "node:fs";

for (const file of ["superlevel.wasm", "superlevel-relaxed.wasm"])
  copyFileSync(`build/${file}`, `dist/${file}`);
