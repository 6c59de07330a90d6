// Holds the package to its size budget. Bytes; a kB is 1000 of them.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const { outputFiles } = await build({
  entryPoints: ["dist/index.js"],
  bundle: true,
  minify: true,
  format: "esm",
  write: false,
});
const bundle = outputFiles[0].text;
const embedded = (file) => readFileSync(file, "utf8").match(/"(.*)"/)[1];
const base64 = embedded("src/engine/binary.ts");
const wasm = readFileSync("dist/superlevel.wasm");
const relaxed = readFileSync("dist/superlevel-relaxed.wasm");
const threads = Buffer.from(embedded("src/threads/binary.ts"), "base64");
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

const budget = [
  { what: "code with the loader, minified, gzip", bytes: gzip(bundle.replace(base64, "")), limit: 27_000 },
  { what: "superlevel.wasm", bytes: wasm.length, limit: 30_000 },
  { what: "superlevel.wasm, gzip", bytes: gzip(wasm), limit: 10_000 },
  { what: "superlevel-relaxed.wasm", bytes: relaxed.length, limit: 30_000 },
  { what: "all of it in one file, the kernels as base64, gzip", bytes: gzip(bundle), limit: 42_500 },
  { what: "the kernels for threads", bytes: threads.length, limit: 33_000 },
  { what: "the kernels for threads, gzip", bytes: gzip(threads), limit: 11_500 },
];
for (const { what, bytes, limit } of budget) {
  console.log(`${bytes > limit ? "OVER" : "  ok"} ${String(bytes).padStart(6)} of ${limit} B  ${what}`);
}
process.exitCode = budget.some(({ bytes, limit }) => bytes > limit) ? 1 : 0;
