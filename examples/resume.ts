/**
 * Checkpoint and resume. A process that trains is killed; another goes on from its file, and ends at the same bits as
 * one that was never stopped.
 *
 *   npm run example -- resume                            all three
 *   npm run example -- resume --checkpoint FILE          trains, or goes on where FILE ends
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createOptimizer, minibatches } from "superlevel";

const { values: options } = parseArgs({
  options: { checkpoint: { type: "string" }, "kill-at": { type: "string" }, quick: { type: "boolean" } },
});
const steps = options.quick ? 100 : 1000;
const every = steps / 5;

// A line through 2 000 points of 20 dimensions: the same ones in every process.
const [rows, features] = [2000, 20];
const input = (row: number, j: number) => Math.sin(row * (j + 1) + j * j);
const target = (row: number) => 3 * input(row, 0) - 2 * input(row, 7) + 0.3 * Math.sin(row * row);

/** Half of the mean squared distance over some rows; writes its gradient. */
function squares(params: Float32Array, grads: Float32Array, batch: ArrayLike<number>): number {
  grads.fill(0);
  let loss = 0;
  for (let k = 0; k < batch.length; k++) {
    let error = -target(batch[k]);
    for (let j = 0; j < features; j++) error += params[j] * input(batch[k], j);
    loss += (0.5 * error * error) / batch.length;
    for (let j = 0; j < features; j++) grads[j] += (error * input(batch[k], j)) / batch.length;
  }
  return loss;
}

const all = Array.from({ length: rows }, (_, row) => row);
const wholeLoss = (params: Float32Array) => squares(params, new Float32Array(features), all);

function train(file: string, killAt: number): void {
  const optimizer = createOptimizer(features);
  const first = wholeLoss(optimizer.params);
  if (existsSync(file)) {
    optimizer.restore(readFileSync(file));
    console.log(`goes on from step ${optimizer.iterations}`);
  }
  // Which examples a step sees depends on seed and step alone, so a resumed run sees what it would have seen.
  const source = minibatches({ examples: rows, batchSize: 50, seed: 1 }, squares);
  while (optimizer.iterations < steps) {
    const { loss } = optimizer.minimize(source, { steps: Math.min(every, steps - optimizer.iterations) });
    save(file, optimizer.save());
    console.log(`step ${optimizer.iterations}: loss ${loss.toFixed(4)}, saved`);
    // No time to clean up, as when a machine goes down.
    if (optimizer.iterations >= killAt) process.kill(process.pid, "SIGKILL");
  }
  const loss = wholeLoss(optimizer.params);
  const digest = createHash("sha256").update(optimizer.save()).digest("hex").slice(0, 16);
  console.log(`result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, state ${digest}`);
}

/** Under another name first: a process killed while it writes leaves the older file whole. */
function save(file: string, bytes: Uint8Array): void {
  writeFileSync(`${file}.part`, bytes);
  renameSync(`${file}.part`, file);
}

function run(title: string, file: string, ...more: string[]): string {
  const args = ["--import", "tsx", fileURLToPath(import.meta.url), "--checkpoint", file, ...more];
  if (options.quick) args.push("--quick");
  const { stdout, signal } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  console.log(`${title}:\n${stdout.replaceAll(/^/gm, "  ").trimEnd()}`);
  if (signal) console.log(`  (killed: ${signal})`);
  return stdout.trimEnd().split("\n").at(-1);
}

function demonstrate(): void {
  const folder = mkdtempSync(join(tmpdir(), "superlevel-"));
  try {
    const file = join(folder, "checkpoint");
    run("first process", file, "--kill-at", String(2 * every));
    const resumed = run("second process", file);
    const whole = run("a process that is not stopped", join(folder, "other"));
    if (resumed !== whole) throw new Error("the resumed run ended elsewhere");
    console.log(`${resumed}: the same bits, stopped or not`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (options.checkpoint === undefined) demonstrate();
else train(options.checkpoint, Number(options["kill-at"] ?? Infinity));
