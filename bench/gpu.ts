/**
 * `npm run bench -- gpu`: a step of TensorFlow.js on webgl and webgpu against that of tf.train.adam, in one page of
 * Chromium. Gradients are given; contenders take turns; ratios are medians over rounds, with their quartiles.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { launch } from "../test/support/chromium.js";
import { serve, visit } from "../test/support/page.js";

const { values: options } = parseArgs({
  options: {
    backends: { type: "string", default: "webgl,webgpu" },
    rounds: { type: "string", default: "15" },
    sizes: { type: "string", default: "10000,100000,1000000" },
    // Chromium's own adapters by default; --hardware asks for the machine's.
    hardware: { type: "boolean", default: false },
  },
});

const SOFTWARE: Record<string, string[]> = {
  webgl: ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  webgpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
};
const HARDWARE = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"];

interface Row {
  size: number;
  name: string;
  ms: number;
  ratio: number;
  low: number;
  high: number;
}

const program = readFileSync("bench/gpu-page.mjs", "utf8");
console.log(
  `${cpus()[0].model.trim()}, ${options.hardware ? "its GPU" : "SwiftShader"}, ${options.rounds} rounds\n`,
);
console.log("| backend | parameters | optimizer | ms | ÷ tf.train.adam |");
console.log("| --- | ---: | --- | ---: | ---: |");
for (const backend of options.backends.split(",")) {
  const server = await serve({ "/": { program } });
  const browser = await launch(options.hardware ? HARDWARE : SOFTWARE[backend]);
  try {
    const address = `/?backend=${backend}&sizes=${options.sizes}&rounds=${options.rounds}`;
    const { logs } = await visit(browser, server, address);
    for (const { size, name, ms, ratio, low, high } of JSON.parse(logs[0]) as Row[]) {
      const spread = `${ratio.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;
      console.log(`| ${backend} | ${size} | ${name} | ${ms.toFixed(2)} | ${spread} |`);
    }
  } finally {
    await browser.close();
    server.close();
  }
}
