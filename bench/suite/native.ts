import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import type { Contender } from "./contender.js";

/* C, compiled here from bench/c as a module for Node, so that it runs in this process and on memory of the same kind. */

interface Module {
  create(memory: ArrayBuffer, size: number, gap: number, hasMoments: boolean, rate: number): unknown;
  step(handle: unknown): number;
}

export interface NativeBuild {
  readonly name: string;
  readonly flags: string;
  readonly module: Module;
}

/** Sums may be reordered, as SIMD lanes need; nothing is approximated and denormals stay. */
const MATH = "-fno-math-errno -fno-trapping-math -fno-signed-zeros -fassociative-math";
/** What makes a sum run over several registers: the best of the flags that were tried. */
const UNROLL = "-funroll-loops -fvariable-expansion-in-unroller";
const NARROW = "-msse4.1 -mno-avx";

const builds = [
  { name: "C, 128-bit", flags: `-O3 ${NARROW} ${MATH} ${UNROLL}` },
  { name: "C, 128-bit, not unrolled", flags: `-O3 ${NARROW} ${MATH}` },
  {
    name: "C, 128-bit, non-temporal stores",
    flags: `-O3 ${NARROW} ${MATH} ${UNROLL} -DNON_TEMPORAL`,
  },
  {
    name: "C, AVX-512",
    flags: `-O3 -march=native -mprefer-vector-width=512 ${MATH} ${UNROLL}`,
    needs: "avx512f",
  },
];

const folder = resolve(import.meta.dirname, "../c");
const output = resolve(import.meta.dirname, "../../build/bench-c");

function headers(): string {
  const { execPath, env } = process;
  const roots = [env.npm_config_nodedir, env.NODE_DIR, dirname(dirname(execPath)), "/usr", "/usr/local"];
  const folders = roots.filter((root) => root !== undefined).map((root) => join(root, "include/node"));
  const found = folders.find((path) => existsSync(join(path, "node_api.h")));
  if (!found)
    throw new Error("no node_api.h: install Node's headers, or set NODE_DIR to where include/node is");
  return found;
}

function cpuHas(flag: string): boolean {
  return (
    existsSync("/proc/cpuinfo") &&
    new RegExp(`^flags.*\\b${flag}\\b`, "m").test(readFileSync("/proc/cpuinfo", "utf8"))
  );
}

function compile(name: string, flags: string, include: string): Module {
  const file = join(output, `${name.replace(/\W+/g, "-")}.node`);
  const sources = ["superlevel.c", "addon.c"].map((source) => join(folder, source));
  const common = "-std=gnu11 -shared -fPIC -fvisibility=hidden".split(" ");
  mkdirSync(output, { recursive: true });
  execFileSync("gcc", [...common, ...flags.split(" "), `-I${include}`, ...sources, "-o", file, "-lm"], {
    stdio: "pipe",
  });
  return createRequire(import.meta.url)(file) as Module;
}

/** What this machine can build and run. */
export function buildNative(notes: string[]): NativeBuild[] {
  if (process.arch !== "x64") notes.push(`C: written for x64, this is ${process.arch}`);
  if (process.arch !== "x64") return [];
  return builds.flatMap(({ name, flags, needs }) => {
    if (needs && !cpuHas(needs)) {
      notes.push(`${name}: this machine has no ${needs}`);
      return [];
    }
    try {
      return [{ name, flags, module: compile(name, flags, headers()) }];
    } catch (error) {
      notes.push(`${name}: ${(error as Error).message.split("\n")[0]}`);
      return [];
    }
  });
}

/** superlevel over Adam (with moments) or SGD, in a WebAssembly memory laid out as the package's own. */
export function native(
  { name, module }: NativeBuild,
  size: number,
  hasMoments: boolean,
  rate: number,
): Contender {
  const padded = Math.ceil(size / 16) * 16;
  const bytes = 4 * padded * (hasMoments ? 6 : 4);
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  const [g, x, reference] = [0, 1, 2].map((k) => new Float32Array(buffer, 4 * padded * k, size));
  x.fill(0.5);
  reference.fill(0.5);
  const handle = module.create(buffer, padded, padded, hasMoments, rate);
  return {
    name,
    vectors: { x, g },
    step: () => {
      if (!Number.isFinite(module.step(handle))) throw new Error(`${name}: diverged`);
    },
  };
}
