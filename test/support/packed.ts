/** What npm would publish, installed in an empty folder. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Installed {
  /** A project of its own, with the package in its node_modules. */
  readonly project: string;
  readonly files: readonly string[];
  remove(this: void): void;
}

/** Runs a command and returns what it printed; its own words are in the error when it fails. */
export function run(cwd: string, command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}

export function packAndInstall(): Installed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "superlevel-")));
  const report = run(".", "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder);
  const [{ filename, files }] = JSON.parse(report) as [{ filename: string; files: { path: string }[] }];
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // Optional peers are not installed, as for users who do not have them.
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  run(project, "npm", "install", ...quiet, join(folder, filename));
  return {
    project,
    files: files.map(({ path }) => path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
