/** The suites that need nothing of Node, run in real browsers: pages and workers, isolated from other origins or not. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { packAndInstall, run, type Installed } from "../support/packed.js";
import { browsers, bundleSuites, isMissing, reportOf } from "../support/pages/suites.js";

/** Seconds each; these run everywhere. */
const QUICK = [
  "optimizer/anchors",
  "bases/bases",
  "optimizer/errors",
  "optimizer/errors-vectors",
  "run/minimize",
  "optimizer/restore",
  "optimizer/resume",
  "sources/sources",
];
/** These run in a page. */
const THOROUGH = [
  "optimizer/checkpoint",
  "optimizer/errors-run",
  "run/level",
  "optimizer/optimizer",
  "adapters/scipy-minimize",
  "optimizer/skip",
];
/** A minute and more. These run where another engine than Node's runs JavaScript. */
const SLOW = ["engine/conformance", "run/guard"];

const PAGE = `<!doctype html><script type="module" src="/main.js"></script>`;
const WORKER = `<!doctype html><script type="module">
  const worker = new Worker("/main.js", { type: "module" });
  worker.onerror = ({ message }) => fetch("/report", { method: "POST", body: message });
</script>`;
const ISOLATING = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

interface Outcome {
  count: number;
  skipped: number;
  failures: string[];
  where: string;
  isolated: boolean;
}

let quick: string;
let thorough: Record<string, string>;
let installed: Installed;

beforeAll(async () => {
  quick = await bundleSuites(QUICK);
  const suites = [...QUICK, ...THOROUGH];
  thorough = { Chromium: await bundleSuites(suites), Firefox: await bundleSuites([...suites, ...SLOW]) };
  installed = packAndInstall();
});

afterAll(() => installed?.remove());

for (const [name, browser] of Object.entries(browsers)) {
  const missing = isMissing(browser);
  describe.skipIf(missing)(`${name}${missing ? ` (skipped: none at ${browser.path})` : ""}`, () => {
    test.each([
      { page: PAGE, where: "page", isolated: false, atLeast: name === "Firefox" ? 4500 : 2500 },
      { page: PAGE, where: "page", isolated: true, atLeast: 450 },
      { page: WORKER, where: "worker", isolated: false, atLeast: 450 },
      { page: WORKER, where: "worker", isolated: true, atLeast: 450 },
    ])(
      "$atLeast tests and more in a $where, isolated: $isolated",
      async ({ page, where, isolated, atLeast }) => {
        const script = atLeast >= 1000 ? thorough[name] : quick;
        const headers: Record<string, string> = isolated ? ISOLATING : {};
        const report = await reportOf(browser, page, { script, headers });
        expect(report).toMatch(/^\{/);
        const outcome = JSON.parse(report) as Outcome;
        expect(outcome).toMatchObject({ failures: [], where, isolated });
        // At most one for each engine.
        expect(outcome.skipped).toBeLessThanOrEqual(isolated ? 0 : 2);
        expect(outcome.count).toBeGreaterThanOrEqual(atLeast);
      },
      240_000,
    );

    test("the package's own files, in a plain page with an import map, give Node's bits", async () => {
      const { project } = installed;
      copyFileSync("test/support/program.mjs", join(project, "program.mjs"));
      const imports = {
        superlevel: "/node_modules/superlevel/dist/index.js",
        "superlevel/minimize": "/node_modules/superlevel/dist/adapters/minimize/index.js",
        "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js",
      };
      const page = `<!doctype html>
        <script type="importmap">${JSON.stringify({ imports })}</script>
        <script>
          console.log = (body) => fetch("/report", { method: "POST", body });
          onerror = (message) => console.log(String(message));
        </script>
        <script type="module" src="/program.mjs"></script>`;
      const report = await reportOf(browser, page, { folder: project });
      expect(report).toBe(run(project, "node", "program.mjs").trim());
    });
  });
}
