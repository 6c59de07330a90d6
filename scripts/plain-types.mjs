// TypeScript before 5.7 has no type parameters on typed arrays: takes them out of the declarations, where the compiler has
// written what it inferred. Later ones read the same without.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const parameter = /\b((?:Float|Uint|Int|BigUint|BigInt)\d+(?:Clamped)?Array)<ArrayBuffer(?:Like)?>/g;
for (const file of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".d.ts")) continue;
  const path = join("dist", file);
  const text = readFileSync(path, "utf8");
  if (parameter.test(text)) writeFileSync(path, text.replace(parameter, "$1"));
}
