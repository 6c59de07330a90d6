// The public interface of every entry, as a report in etc/: a change of it shows in a diff, or fails here.
//   node scripts/api.mjs           fails where a report is not what it was
//   node scripts/api.mjs --write   writes the reports
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const write = process.argv.includes("--write");
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.entries(exports).filter(([name, { types }]) => types && !name.endsWith(".js"));
const silent = { default: { logLevel: "none" } };

/** The build's last file: the reports are of the declarations in dist/. */
const BUILT = "dist/superlevel.wasm";
const newer = (file) => statSync(file).mtimeMs > statSync(BUILT).mtimeMs;
const sources = readdirSync("src", { recursive: true }).filter((file) => file.endsWith(".ts"));
const changedSince = existsSync(BUILT) ? sources.find((file) => newer(`src/${file}`)) : "";
if (changedSince !== undefined) {
  const reason = changedSince ? `src/${changedSince} is newer than dist/` : "there is no dist/";
  console.error(`${reason}: npm run build:ts first`);
  process.exit(1);
}

function check(name, types) {
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: resolve("package.json"),
    configObjectFullPath: resolve("api-extractor.json"),
    configObject: {
      projectFolder: resolve("."),
      mainEntryPointFilePath: resolve(types),
      apiReport: {
        enabled: true,
        reportFileName: name === "." ? "superlevel" : `superlevel-${name.slice(2)}`,
        reportFolder: resolve("etc"),
        reportTempFolder: resolve("build/api"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: { tsconfigFilePath: resolve("tsconfig.build.json") },
      messages: {
        extractorMessageReporting: silent,
        tsdocMessageReporting: silent,
        compilerMessageReporting: { default: { logLevel: "error" } },
      },
    },
  });
  const { succeeded, apiReportChanged } = Extractor.invoke(config, {
    localBuild: write,
    messageCallback: (message) => {
      if (message.logLevel !== "error") message.handled = true;
    },
  });
  return succeeded && (write || !apiReportChanged);
}

const changed = entries.filter(([name, { types }]) => !check(name, types)).map(([name]) => name);
if (changed.length > 0) {
  console.error(`the public interface of ${changed.join(", ")} is not that of its report in etc/`);
  console.error("where that is meant: node scripts/api.mjs --write, and a line in CHANGELOG.md");
  process.exitCode = 1;
} else console.log(`${entries.length} entries, ${write ? "written" : "as their reports say"}`);
