// Builds the site to build/site; with --open also serves it from there and opens a browser.
import { build, preview } from "vite";

const configFile = new URL("vite.config.ts", import.meta.url).pathname;
await build({ configFile, logLevel: "warn" });
console.log("The site is in build/site: open its index.html, or copy the folder to any web server.");
if (process.argv.includes("--open")) {
  const server = await preview({ configFile, preview: { open: true, host: "127.0.0.1" } });
  server.printUrls();
}
