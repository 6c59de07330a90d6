/** The layers: imports go one way only, from later to earlier. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import ts from "typescript";
import { describe, expect, it } from "vitest";

const MAX_LINES = 300;

/** The files of one layer may import those of earlier layers and, where `siblings`, each other. */
interface Layer {
  files: string[];
  siblings?: boolean;
}

const LAYERS: Record<string, Layer[]> = {
  src: [
    { files: ["common/*.ts"], siblings: true },
    // Parts that never know the engine.
    { files: ["schedules.ts", "tensors.ts"] },
    { files: ["tuners/*.ts"], siblings: true },
    { files: ["bases/*.ts", "sources/*.ts"], siblings: true },
    {
      files: ["stepper/checkpoint.ts", "stepper/clock.ts", "stepper/info.ts", "stepper/safety.ts"],
      siblings: true,
    },
    { files: ["engine/kernels.ts", "engine/program.ts", "engine/records.ts"], siblings: true },
    { files: ["engine/js/*.ts"], siblings: true },
    { files: ["engine/*.ts"], siblings: true },
    { files: ["relaxed.ts"] },
    // What a step does with each kind of gradients.
    { files: ["stepper/gradients.ts"] },
    { files: ["stepper/config.ts"] },
    { files: ["stepper/mode.ts"] },
    { files: ["stepper/tensor-steps.ts", "stepper/writes.ts"] },
    { files: ["stepper/state.ts"] },
    { files: ["stepper/rewind.ts"] },
    { files: ["stepper/stepper.ts"] },
    { files: ["run/guard.ts", "run/level.ts", "run/options.ts"], siblings: true },
    { files: ["run/trial.ts"] },
    { files: ["run/zero-gradient.ts"] },
    { files: ["run/minimize.ts"] },
    { files: ["optimizer.ts"] },
    { files: ["create.ts"] },
    { files: ["index.ts"] },
    { files: ["adapters/minimize/*.ts"], siblings: true },
    { files: ["adapters/arrays/*.ts"], siblings: true },
    { files: ["adapters/jax/*.ts"], siblings: true },
    // Diagnostics, an entry of their own.
    { files: ["objective/*.ts"], siblings: true },
    { files: ["stability/loss-grad.ts", "stability/vectors.ts", "stability/work.ts"], siblings: true },
    { files: ["stability/curvature/*.ts"], siblings: true },
    { files: ["stability/landscape/*.ts"], siblings: true },
    { files: ["stability/trajectories/*.ts"], siblings: true },
    { files: ["stability/monitor/*.ts"], siblings: true },
    { files: ["stability/constraints/*.ts"], siblings: true },
    { files: ["loggers/*.ts"], siblings: true },
    { files: ["report/data.ts"] },
    // The script of the page, and the module with its bundle.
    { files: ["report/page/*.ts"], siblings: true },
    { files: ["report/page-bundle.ts"] },
    { files: ["report/report.ts"] },
    { files: ["stability/index.ts"] },
    // Steps in shaders, and all else of this adapter.
    { files: ["adapters/tfjs/fused/*.ts", "adapters/tfjs/*.ts"], siblings: true },
    { files: ["threads/*.ts"], siblings: true },
  ],
  assembly: [
    { files: ["vec.ts", "memory/records.ts", "memory/form.ts"] },
    { files: ["memory/layout.ts"] },
    { files: ["memory/betas.ts", "memory/held.ts", "memory/step.ts"] },
    { files: ["sweeps/segments.ts", "sweeps/sums.ts", "sweeps/reconstruct.ts", "rules/*.ts"] },
    { files: ["sweeps/tensors.ts"] },
    { files: ["threads/pool.ts"] },
    { files: ["sweeps/sweep.ts"] },
    { files: ["sweeps/scan.ts", "sweeps/point.ts"] },
    { files: ["sweeps/update.ts"] },
    { files: ["sweeps/accumulate.ts", "sweeps/move.ts", "tuner/coordinate-tuners.ts"] },
    // What looks at more than one step, or ahead of it.
    { files: ["sweeps/compare.ts", "tuner/promise.ts"] },
    { files: ["tuner/tuner.ts"] },
    { files: ["tuner/start.ts"] },
    { files: ["sweeps/coordinates.ts"] },
    { files: ["index.ts"] },
    { files: ["threads/threads.ts"] },
  ],
};

/** What may be imported from outside the folder. */
const PACKAGES: Record<string, string[]> = { src: ["@assemblyscript/loader"], assembly: [] };

/** What adapters may import besides: the library they adapt to. */
const HOSTS: { files: string; package: string }[] = [
  { files: "adapters/jax/*.ts", package: "@jax-js/jax" },
  { files: "adapters/tfjs/*.ts", package: "@tensorflow/tfjs-core" },
  { files: "adapters/tfjs/fused/*.ts", package: "@tensorflow/tfjs-core" },
  { files: "report/page/*.ts", package: "d3-contour" },
  { files: "report/page/*.ts", package: "uplot" },
];

function matches(file: string, pattern: string): boolean {
  const source = pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
  return new RegExp(`^${source}$`).test(file);
}

/** No one's code. */
const GENERATED = [
  "engine/binary.ts",
  "engine/relaxed-binary.ts",
  "threads/binary.ts",
  "bases/kernels.ts",
  "bases/records.ts",
  "engine/records.ts",
  "rules/index.ts",
  "report/page-bundle.ts",
];

function list(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts") && !GENERATED.includes(file)).sort();
}

/** Imports of a file, type-only ones too; relative ones as paths from the folder. */
function importsOf(folder: string, file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), "utf8"), true, true);
  return importedFiles.map(({ fileName }) =>
    fileName.startsWith(".") ? `${join(dirname(file), fileName).replace(/\.[jt]s$/, "")}.ts` : fileName,
  );
}

/** Why `file` may not import `target`, or nothing. */
function objection(folder: string, file: string, target: string): string | undefined {
  const layers = LAYERS[folder];
  const layerOf = (name: string) =>
    layers.findIndex((layer) => layer.files.some((pattern) => matches(name, pattern)));
  if (!target.endsWith(".ts")) {
    const host = HOSTS.some((host) => matches(file, host.files) && host.package === target);
    if (PACKAGES[folder].includes(target) || host) return undefined;
    return `${folder}/${file} imports ${target}: only [${PACKAGES[folder].join(", ")}] may come from outside`;
  }
  const [own, other] = [layerOf(file), layerOf(target)];
  if (own === -1) return undefined;
  if (other === -1) return `${folder}/${file} imports ${target}, which belongs to no layer of ${folder}`;
  if (other < own || (other === own && layers[own].siblings)) return undefined;
  return `${folder}/${file} (layer ${own}) imports ${target} (layer ${other})`;
}

describe.each(Object.keys(LAYERS))("%s", (folder) => {
  const files = list(folder);
  const imports = new Map(files.map((file) => [file, importsOf(folder, file)]));

  it("has a layer for every file", () => {
    const patterns = LAYERS[folder].flatMap((layer) => layer.files);
    const strangers = files.filter((file) => !patterns.some((pattern) => matches(file, pattern)));
    expect(strangers, "add them to LAYERS in test/package/architecture.test.ts").toEqual([]);
  });

  it("imports earlier layers only", () => {
    const objections = files.flatMap((file) =>
      (imports.get(file) ?? []).map((target) => objection(folder, file, target)),
    );
    expect(objections.filter((text) => text !== undefined)).toEqual([]);
  });

  it("has no import cycle", () => {
    const settled = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, trail: string[]): void => {
      if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
      else if (!settled.has(file)) {
        for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
        settled.add(file);
      }
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe("files", () => {
  it.each(["src", "assembly", "bench", "examples"])(`of %s have at most ${MAX_LINES} lines`, (folder) => {
    const long = list(folder)
      .map((file) => ({ file, lines: readFileSync(join(folder, file), "utf8").split("\n").length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });
});
