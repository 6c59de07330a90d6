import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // No verdict depends on how fast a machine is: only what hangs is ended.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // All cores: by default one of them would be kept free.
    maxWorkers: "100%",
    include: ["test/**/*.test.ts"],
    silent: "passed-only",
    // The JSON file lets .ci/run print the counts on one plain line.
    reporters: ["default", ["json", { outputFile: "build/test-results.json" }]],
  },
});
