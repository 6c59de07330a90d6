// Compiles the kernels and embeds them, unless what they are made of is what it was at the last build.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const STAMP = "build/inputs.sha256";
/** A target of asconfig.json each, and the file that it begins with. */
const TARGETS = {
  release: "assembly/index.ts",
  relaxed: "assembly/index.ts",
  threads: "assembly/threads/threads.ts",
};
const OUTPUTS = [
  ...["superlevel", "superlevel-relaxed", "threads"].map((name) => `build/${name}.wasm`),
  ...["engine/binary", "engine/relaxed-binary", "threads/binary", "bases/kernels", "engine/records"].map(
    (name) => `src/${name}.ts`,
  ),
];

const run = promisify(execFile);
const node = (...args) => run(process.execPath, args);

function digest() {
  const sources = readdirSync("assembly", { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `assembly/${file}`);
  const scripts = ["build-wasm", "bases", "records", "embed"].map((name) => `scripts/${name}.mjs`);
  const others = ["asconfig.json", "src/threads/worker.ts", "node_modules/assemblyscript/package.json"];
  const hash = createHash("sha256");
  for (const file of [...sources.sort(), ...scripts, ...others]) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

const isUpToDate = () =>
  OUTPUTS.every((file) => existsSync(file)) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest();

if (!isUpToDate()) {
  // It writes to assembly/, so it comes before the digest.
  await node("scripts/bases.mjs");
  await node("scripts/records.mjs");
  const asc = "node_modules/assemblyscript/bin/asc.js";
  const compile = ([target, entry]) => node(asc, entry, "--config", "asconfig.json", "--target", target);
  await Promise.all(Object.entries(TARGETS).map(compile));
  await node("scripts/embed.mjs");
  writeFileSync(STAMP, digest());
}
