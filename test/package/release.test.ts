import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
// @ts-expect-error A script has no types.
import { released as untyped } from "../../scripts/release.mjs";

const released = untyped as (changelog: string, version: string, date: string) => string;

describe("a release", () => {
  const log =
    "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\nFirst.\n";

  it("makes a section of what is unreleased, and leaves room for what comes next", () => {
    expect(released(log, "0.2.0", "2026-02-03")).toBe(
      log.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-02-03\n"),
    );
  });

  it("is refused where nothing is unreleased, or the version is there", () => {
    expect(() => released(released(log, "0.2.0", "2026-02-03"), "0.3.0", "2026-02-04")).toThrow(
      "nothing is unreleased",
    );
    expect(() => released(log, "0.1.0", "2026-02-03")).toThrow("there is a section [0.1.0] already");
    expect(() => released("# Changelog\n", "0.2.0", "2026-02-03")).toThrow("no section [Unreleased]");
  });

  it("is possible now", () => {
    expect(released(readFileSync("CHANGELOG.md", "utf8"), "99.0.0", "2026-02-03")).toContain("## [99.0.0]");
  });
});
