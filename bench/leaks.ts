/**
 * `npm run bench -- leaks`: what TensorFlow.js and JavaScript's heap hold after a tenth of the steps and after all of them, on every
 * backend, in Chromium with software adapters. Exits with 1 where tensors, buffers or bytes have become more.
 *
 *   --steps N          default 10 000
 *   --backends A,B     default cpu,wasm,webgl,webgpu
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { wholeNumber } from "../studies/kit/command-line.js";
import { launch } from "../test/support/chromium.js";
import { serve, visit } from "../test/support/page.js";

const { values: options } = parseArgs({
  options: { steps: { type: "string" }, backends: { type: "string", default: "cpu,wasm,webgl,webgpu" } },
});
const steps = wholeNumber("steps", options.steps, 10_000);

const ADAPTERS: Record<string, string[]> = {
  webgl: ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  webgpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
};

interface Held {
  readonly numTensors: number;
  readonly numDataBuffers: number;
  readonly numBytes: number;
  readonly numBytesInGPU: number | null;
  readonly heap: number;
}

const program = readFileSync("bench/leaks-page.mjs", "utf8");
const tenth = Math.ceil(steps / 10);
console.log(
  `| backend | tensors, buffers, bytes after ${tenth} | after ${steps} | on the GPU | heap, kB | loss |`,
);
console.log("| --- | --- | --- | --- | --- | ---: |");
for (const backend of options.backends.split(",")) {
  const server = await serve({ "/": { program } }, "node_modules/@tensorflow/tfjs-backend-wasm/dist");
  const flags = ["--js-flags=--expose-gc", "--enable-precise-memory-info", ...(ADAPTERS[backend] ?? [])];
  const browser = await launch(flags);
  try {
    const { logs } = await visit(browser, server, `/?backend=${backend}&steps=${steps}`, 1, 0);
    const { counts, loss } = JSON.parse(logs[0]) as { counts: [Held, Held]; loss: number };
    const text = ({ numTensors, numDataBuffers, numBytes }: Held) =>
      [numTensors, numDataBuffers, numBytes].join(", ");
    const [first, last] = counts;
    const cells = [
      text(first),
      text(last),
      counts.map(({ numBytesInGPU }) => numBytesInGPU ?? "–").join(" → "),
      counts.map(({ heap }) => (heap / 1000).toFixed(0)).join(" → "),
      loss.toExponential(1),
    ];
    console.log(`| ${backend} | ${cells.join(" | ")} |`);
    if (text(first) !== text(last)) process.exitCode = 1;
  } finally {
    await browser.close();
    server.close();
  }
}
