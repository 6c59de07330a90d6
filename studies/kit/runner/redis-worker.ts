/**
 * `npm run study -- worker`: computes jobs of studies for whoever asks at the same REDIS_URL, each in a process of its own.
 *
 *   --processes N         at the same time; default: one for every core
 *   --stalled-after S     seconds after which another worker takes up the job of one that no longer answers; default 30
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { availableParallelism, hostname } from "node:os";
import { Worker } from "bullmq";
import { wholeNumber } from "../command-line.js";
import type { Json } from "../study.js";
import { packageVersion } from "../version.js";
import type { Task } from "./compute.js";
import { patient, queueName, reachable } from "./redis.js";

const { values: options } = parseArgs({
  options: { processes: { type: "string" }, "stalled-after": { type: "string" } },
});
const concurrency = wholeNumber("processes", options.processes, availableParallelism());
const lockDuration = 1000 * wholeNumber("stalled-after", options["stalled-after"], 30);

const url = process.env.REDIS_URL;
if (!url)
  throw new Error("REDIS_URL is not set: expected the address of a Redis server, as redis://host:6379");
await reachable(url);

const version = packageVersion();
const worker = new Worker<Task, Json>(
  queueName(version),
  // A process of its own: one that computes for minutes cannot renew its lock, its parent can.
  fileURLToPath(new URL("./redis-job.ts", import.meta.url)),
  {
    connection: patient(url),
    // A dashboard shows by it who computes what.
    name: `${hostname()}:${process.pid}`,
    concurrency,
    lockDuration,
    stalledInterval: lockDuration,
    // A job survives any number of workers.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    workerForkOptions: { env: { ...process.env, SUPERLEVEL_VERSION: version } },
  },
);
const say = (what: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${what}`);
const text = (job?: { data: Task }) => (job ? `${job.data.study} ${JSON.stringify(job.data.job)}` : "a job");
worker.on("active", (job) => say(`begins ${text(job)}`));
worker.on("completed", (job) => say(`has finished ${text(job)}`));
worker.on("failed", (job, error) => say(`failed at ${text(job)}: ${error.message}`));
worker.on("stalled", (id) => say(`takes up ${id}, whose worker no longer answers`));
let lost = false;
worker.on("error", ({ message }) => {
  if (!lost) say(`waits for Redis: ${message}`);
  lost = true;
});
worker.on("ready", () => (lost = false));

let ending = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (ending) process.exit(1);
    ending = true;
    say("finishes what it has begun; once more to stop at once");
    void worker.close().then(() => process.exit());
  });
}
await worker.waitUntilReady();
say(`waits for jobs at ${url}, ${concurrency} at a time, build ${version}`);
