/* What a worker runs in a process of its own for each job. */
import type { SandboxedJob } from "bullmq";
import type { Json } from "../study.js";
import { packageVersion } from "../version.js";
import { compute, type Task } from "./compute.js";
import { keptKey, KEPT_FOR, patient } from "./redis.js";

/** Of the code that this process runs. */
const version = packageVersion();
const redis = patient(process.env.REDIS_URL!);
// It tries again by itself.
redis.on("error", () => undefined);

export default async function ({ id, data }: SandboxedJob<Task, Json>): Promise<Json> {
  if (version !== process.env.SUPERLEVEL_VERSION) {
    throw new Error("the package has been built anew since this worker began: start the worker again");
  }
  const key = keptKey(id);
  const kept = await redis.getBuffer(key);
  if (kept)
    console.log(`goes on where another worker was cut short: ${data.study} ${JSON.stringify(data.job)}`);
  const outcome = await compute(data, {
    kept: kept ? new Uint8Array(kept) : undefined,
    keep: async (state) => void (await redis.set(key, Buffer.from(state), "EX", KEPT_FOR)),
  });
  await redis.del(key);
  return outcome;
}
