/* Jobs of studies over many machines: BullMQ's queue in Redis, which the runner fills and workers empty. */
import { setTimeout } from "node:timers/promises";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { Json } from "../study.js";
import type { OnOutcome, Task } from "./compute.js";

const DAY = 24 * 60 * 60;
/** How long Redis keeps outcomes, states and errors that nobody fetched, in seconds. */
export const KEPT_FOR = 7 * DAY;

/** One queue for each build of the package: a worker of another build never sees its jobs. */
export const queueName = (version: string) => `superlevel-studies-${version}`;

/** The key of a job's state. */
export const keptKey = (id: string) => `superlevel-studies:kept:${id}`;

/** Waits for a server that went away, for as long as it takes. */
export const patient = (url: string): Redis => new Redis(url, { maxRetriesPerRequest: null });

/** Fails at once, naming the address, where nothing answers at all. */
export async function reachable(url: string): Promise<void> {
  const probe = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let reason = "";
  probe.on("error", (error: Error & { code?: string }) => (reason = error.message || (error.code ?? "")));
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`REDIS_URL: no Redis answers at ${url} (${reason || message})`, { cause: error });
  } finally {
    probe.disconnect();
  }
}

interface Finished {
  readonly finishedOn?: number;
  readonly failedReason?: string;
  readonly returnvalue: Json;
}

/**
 * Has tasks computed by the workers at a Redis server. What is in the queue already is not added again, so a runner that was
 * killed finds what was finished since; what Redis has lost (it was restarted without persistence) is added anew.
 */
export async function computeByRedis(
  tasks: ReadonlyMap<string, Task>,
  { url, version, pause = 1000 }: { url: string; version: string; pause?: number },
  onOutcome: OnOutcome,
): Promise<void> {
  await reachable(url);
  const connection = patient(url);
  connection.on("error", () => undefined);
  const queue = new Queue<Task, Json>(queueName(version), { connection });
  queue.on("error", () => undefined);
  const pending = new Map(tasks);
  try {
    await retryFailed(queue, pending);
    await addTo(queue, pending);
    for (let round = 0; pending.size > 0; round++) {
      const lost = new Map<string, Task>();
      for (const [id, task] of pending) {
        const job = (await queue.getJob(id)) as Finished | undefined;
        if (!job) lost.set(id, task);
        if (job?.finishedOn === undefined) continue;
        pending.delete(id);
        onOutcome(task, job.failedReason ? new Error(job.failedReason) : job.returnvalue);
      }
      if (lost.size > 0) await addTo(queue, lost);
      if (round === 0 && pending.size > 0) await askForWorkers(queue, url);
      if (pending.size > 0) await setTimeout(pause);
    }
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

async function addTo(queue: Queue<Task, Json>, tasks: ReadonlyMap<string, Task>): Promise<void> {
  await queue.addBulk(
    [...tasks].map(([id, task]) => ({
      name: task.study,
      data: task,
      opts: {
        jobId: id,
        attempts: 3,
        backoff: { type: "exponential", delay: 1000 },
        removeOnComplete: { age: KEPT_FOR },
        removeOnFail: { age: KEPT_FOR },
      },
    })),
  );
}

/** Gives jobs that failed in an earlier run of the study another try. */
async function retryFailed(queue: Queue<Task, Json>, pending: ReadonlyMap<string, Task>): Promise<void> {
  for (const job of await queue.getFailed()) {
    if (job.id !== undefined && pending.has(job.id)) await job.retry("failed", { resetAttemptsMade: true });
  }
}

async function askForWorkers(queue: Queue, url: string): Promise<void> {
  if ((await queue.getWorkersCount()) > 0) return;
  console.error(
    `no worker is connected for this build of the package. Start one, here or on another machine:\n` +
      `  REDIS_URL=${url} npm run study -- worker`,
  );
}
