import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** Kept, as it takes some seconds to install. */
const kept = resolve("build/tensorboard");
const MODULE = "tensorboard.backend.event_processing.event_accumulator";

/** What a program prints; throws with what it says where it fails. */
function output(program: string, ...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 240_000 });
  if (error) throw error;
  if (status === 0) return stdout;
  throw new Error(stderr.trim().split("\n").at(-1) || `${program} ended with ${status}`);
}

/** A Python that has the package `tensorboard`: the one of TENSORBOARD_PYTHON, or one of our own. */
function install(): string {
  const given = process.env.TENSORBOARD_PYTHON;
  const python = given ?? join(kept, "bin/python");
  if (!given && !existsSync(python)) output("python3", "-m", "venv", kept);
  try {
    output(python, "-c", `import ${MODULE}`);
  } catch (error) {
    if (given) throw error;
    output(python, "-m", "pip", "install", "--quiet", "--retries", "1", "tensorboard");
    output(python, "-c", `import ${MODULE}`);
  }
  return python;
}

let python = "";
/** Why TensorBoard cannot be installed here; undefined where it is there. */
export let reason: string | undefined;
try {
  python = install();
} catch (error) {
  reason = `TensorBoard needs Python with venv and pip (Debian: apt-get install python3-venv), and a registry: ${String(error)}`;
  console.warn(`skipped: reading event files with TensorBoard, as ${reason}`);
}

/** What TensorBoard finds in a folder of event files: by tag, [step, value] of numbers, and [step, text] of texts. */
export interface Found {
  readonly numbers: Record<string, [number, number | string][]>;
  readonly texts: Record<string, [number, string][]>;
  /** By the plugin that shows them. */
  readonly plugins: Record<string, string>;
  /** Of the first event of each file. */
  readonly versions: string[];
  readonly times: number[];
}

const READ = `
import json, sys, glob
from ${MODULE} import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.util import tensor_util
folder = sys.argv[1]
seen = EventAccumulator(folder, size_guidance={"tensors": 0, "scalars": 0})
seen.Reload()
text = lambda event: tensor_util.make_ndarray(event.tensor_proto).item().decode()
number = lambda value: value if value == value and abs(value) != float("inf") else str(value)
files = [list(LegacyEventFileLoader(file).Load()) for file in sorted(glob.glob(folder + "/*tfevents*"))]
tags = seen.Tags()
print(json.dumps({
    "numbers": {tag: [[e.step, number(e.value)] for e in seen.Scalars(tag)] for tag in tags["scalars"]},
    "texts": {tag: [[e.step, text(e)] for e in seen.Tensors(tag)] for tag in tags["tensors"]},
    "plugins": {tag: seen.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags["tensors"]},
    "versions": [events[0].file_version for events in files],
    "times": [event.wall_time for events in files for event in events],
}))
`;

/** Reads the event files of a folder with the package `tensorboard`. */
export const readFolder = (folder: string): Found => JSON.parse(output(python, "-c", READ, folder)) as Found;
