// `npm version` runs it: what is unreleased in CHANGELOG.md becomes the section of the version that package.json now has.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const heading = "## [Unreleased]\n";

/** The changelog with a section for `version`, and room for what comes next. */
export function released(changelog, version, date) {
  const [before, rest] = changelog.split(heading);
  if (rest === undefined) throw new Error("CHANGELOG.md: there is no section [Unreleased]");
  if (rest.includes(`## [${version}]`))
    throw new Error(`CHANGELOG.md: there is a section [${version}] already`);
  const [changes] = rest.split("\n## [");
  if (changes.trim() === "") throw new Error("CHANGELOG.md: nothing is unreleased");
  return `${before}${heading}\n## [${version}] - ${date}\n${rest}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync("CHANGELOG.md", released(readFileSync("CHANGELOG.md", "utf8"), version, today));
}
