import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  readonly gcc: string | null;
  readonly packages: Readonly<Record<string, string>>;
  readonly commit: string | null;
  readonly date: string;
  /** Of the last minute, as the run began: others' work disturbs it. */
  readonly load: number;
}

const root = join(import.meta.dirname, "../..");
const others = [
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-backend-cpu",
  "@tensorflow/tfjs-backend-wasm",
  "@jax-js/jax",
  "assemblyscript",
  "tinybench",
];

function said(command: string, ...args: string[]): string | null {
  try {
    return execFileSync(command, args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { version: string })
    .version;
}

export function machine(): Machine {
  const changed = said("git", "status", "--porcelain", "--untracked-files=no");
  const commit = said("git", "rev-parse", "--short=12", "HEAD");
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    gcc: said("gcc", "--version")?.split("\n")[0] ?? null,
    packages: {
      superlevel: versionIn("."),
      ...Object.fromEntries(others.map((name) => [name, versionIn(`node_modules/${name}`)])),
    },
    commit: commit && changed ? `${commit}, with changes` : commit,
    date: new Date().toISOString(),
    load: loadavg()[0],
  };
}

/** With other work going on, if there was any: such numbers are to be measured again. */
export function inWords({ cpu, cores, node, date, load }: Machine): string {
  const busy = load > cores / 2 ? `, busy with other work (load ${load.toFixed(1)})` : "";
  return `${cpu}, ${cores} cores, Node ${node.replace(/^v/, "")}, ${date.slice(0, 10)}${busy}`;
}
