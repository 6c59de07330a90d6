import { resolve } from "node:path";

import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const dist = (path: string) => resolve(here, "../dist", path);

/** Module scripts do not load from a folder on disk; a classic one does, and there is only one. */
const classicScript: Plugin = {
  name: "classic-script",
  enforce: "post",
  transformIndexHtml: (html) =>
    html
      .replace(/<script type="module" crossorigin/g, "<script defer")
      .replace(/<link rel="stylesheet" crossorigin/g, '<link rel="stylesheet"'),
};

export default defineConfig({
  root: here,
  base: "./",
  plugins: [classicScript],
  resolve: {
    alias: [
      { find: /^superlevel\/stability$/, replacement: dist("stability/index.js") },
      { find: /^superlevel$/, replacement: dist("index.js") },
    ],
  },
  worker: { format: "iife" },
  build: {
    outDir: resolve(here, "../build/site"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 2000,
    rollupOptions: { output: { format: "iife" } },
  },
});
