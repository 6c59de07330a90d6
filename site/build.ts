/** Builds the site, with the documentation in its folder docs; with --open also serves it and opens a browser. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { build, preview } from "vite";

import { buildDocs } from "./docs/build.js";

const { values } = parseArgs({
  options: { out: { type: "string", default: "build/site" }, open: { type: "boolean" } },
});
const outDir = resolve(values.out);
const configFile = new URL("vite.config.ts", import.meta.url).pathname;
await build({ configFile, logLevel: "warn", build: { outDir, emptyOutDir: true } });
await buildDocs(join(outDir, "docs"));
console.log(`The site is in ${values.out}: open its index.html, or copy the folder to any web server.`);
if (values.open) {
  const server = await preview({
    configFile,
    build: { outDir },
    preview: { open: true, host: "127.0.0.1" },
  });
  server.printUrls();
}
