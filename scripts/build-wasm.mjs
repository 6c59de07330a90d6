// Compiles the kernels and embeds them, unless what they are made of is what it was at the last build.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const STAMP = "build/inputs.sha256";
/** A target of asconfig.json each: the file that it begins with, what it makes, and features beside those of all. */
const TARGETS = {
  release: { entry: "assembly/index.ts", made: "superlevel", features: [] },
  relaxed: { entry: "assembly/index.ts", made: "superlevel-relaxed", features: ["relaxed-simd"] },
  threads: { entry: "assembly/threads/threads.ts", made: "threads", features: ["threads"] },
};
const FEATURES = ["simd", "bulk-memory", "nontrapping-float-to-int", "sign-ext"];
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
  const wasmOpt = "node_modules/binaryen/bin/wasm-opt";
  /** A second run of the optimizer that asc has makes the code a twentieth smaller, and changes no instruction's meaning. */
  const compile = async ([target, { entry, made, features }]) => {
    await node(asc, entry, "--config", "asconfig.json", "--target", target);
    const enabled = [...FEATURES, ...features].map((feature) => `--enable-${feature}`);
    const text = `build/${made}.wat`;
    // The text has names, which the binary has not.
    const from = existsSync(text) ? text : `build/${made}.wasm`;
    const options = ["-O3", ...enabled, "--print-stack-ir", "-o", `build/${made}.wasm`];
    const { stdout } = await run(process.execPath, [wasmOpt, from, ...options], {
      maxBuffer: 2 ** 26,
    });
    if (from === text) writeFileSync(text, stdout);
  };
  await Promise.all(Object.entries(TARGETS).map(compile));
  await node("scripts/embed.mjs");
  writeFileSync(STAMP, digest());
}
