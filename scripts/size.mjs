// Holds the package to its size budget. Bytes; a kB is 1000 of them.
import { readdirSync, readFileSync } from "node:fs";
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
const hex = embedded("src/engine/binary.ts");
const wasm = readFileSync("dist/superlevel.wasm");
const relaxed = readFileSync("dist/superlevel-relaxed.wasm");
const threads = Buffer.from(embedded("src/threads/binary.ts"), "hex");
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** A limit is so much for each rule of a base, and so much for the rest. */
const rules = readdirSync("assembly/rules").filter((file) => file !== "index.ts").length;
const budget = [
  {
    what: "code with the loader, minified, gzip",
    bytes: gzip(bundle.replace(hex, "")),
    rule: 250,
    rest: 29_850,
  },
  { what: "superlevel.wasm", bytes: wasm.length, rule: 850, rest: 18_950 },
  { what: "superlevel.wasm, gzip", bytes: gzip(wasm), rule: 220, rest: 7_360 },
  { what: "superlevel-relaxed.wasm", bytes: relaxed.length, rule: 850, rest: 18_400 },
  {
    what: "all of it in one file, the kernels as hexadecimal text, gzip",
    bytes: gzip(bundle),
    rule: 600,
    rest: 38_500,
  },
  { what: "the kernels for threads", bytes: threads.length, rule: 850, rest: 24_300 },
  { what: "the kernels for threads, gzip", bytes: gzip(threads), rule: 220, rest: 9_080 },
];
for (const item of budget) {
  item.limit = item.rest + rules * item.rule;
  item.verdict = item.bytes > item.limit ? "OVER" : "  ok";
  console.log(`${item.verdict} ${String(item.bytes).padStart(6)} of ${item.limit} B  ${item.what}`);
}
process.exitCode = budget.some(({ verdict }) => verdict === "OVER") ? 1 : 0;
