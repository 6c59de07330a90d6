/**
 * Data-parallel steps over processes or machines, by BullMQ and Redis. Workers compute gradients of shards; the parent
 * of each flow of jobs sums them in a fixed order and steps. A worker may be killed: its shard is computed by another.
 *
 *   REDIS_URL=redis://host npm run example -- cluster worker     as many as you like, on any machines
 *   REDIS_URL=redis://host npm run example -- cluster            trains
 *   npm run example -- cluster --alone                           the same without Redis: the same losses, to the bit
 */
import { createHash, randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { FlowProducer, Worker, type Job } from "bullmq";
import { Redis } from "ioredis";
import { createOptimizer } from "superlevel";
import { features, partOf, shards, sumOf, type Part } from "./shards.js";

const { values: options, positionals } = parseArgs({
  options: { alone: { type: "boolean" }, quick: { type: "boolean" }, "stalled-after": { type: "string" } },
  allowPositionals: true,
});
const steps = options.quick ? 60 : 300;
const [STEPS, SHARDS] = ["superlevel-cluster-steps", "superlevel-cluster-shards"];
/** A worker that has not been heard of for so long has lost its job, in milliseconds. */
const lockDuration = 1000 * Number(options["stalled-after"] ?? 30);
/** The parameters of a run, at its latest step. */
const paramsKey = (run: string) => `superlevel-cluster:${run}`;
const text = (numbers: Float32Array) => Buffer.from(numbers.buffer).toString("base64");
const numbers = (base64: string) => new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

type Sent = { shard: number; loss: number; gradient: string };
type ShardJob = Job<{ run: string; step: number; shard: number }, Sent>;
type StepJob = Job<{ run: string; step: number }, void>;

const optimizer = createOptimizer(features);
const losses: number[] = [];

function stepWith(parts: readonly Part[]): void {
  losses.push(sumOf(parts, optimizer.grads));
  optimizer.step();
}

function report(): void {
  const digest = createHash("sha256").update(Float64Array.from(losses)).digest("hex").slice(0, 16);
  console.log(`result: loss ${losses[0].toFixed(4)} → ${losses[steps - 1].toFixed(4)}, all losses ${digest}`);
}

function alone(): void {
  for (let step = 0; step < steps; step++)
    stepWith(Array.from({ length: shards }, (_, shard) => partOf(optimizer.params, step, shard)));
  report();
}

function work(redis: Redis): void {
  const compute = async ({ data: { run, step, shard } }: ShardJob) => {
    const params = numbers((await redis.get(paramsKey(run)))!);
    const { loss, gradient } = partOf(params, step, shard);
    return { shard, loss, gradient: text(gradient) };
  };
  const settings = { lockDuration, stalledInterval: lockDuration, maxStalledCount: 1000 };
  new Worker(SHARDS, compute, { connection: redis.duplicate(), ...settings });
  console.log("waits for shards");
}

async function train(redis: Redis): Promise<void> {
  const run = randomUUID();
  const flows = new FlowProducer({ connection: redis.duplicate() });
  const begin = async (step: number) => {
    await redis.set(paramsKey(run), text(optimizer.params.slice()), "EX", 86_400);
    const opts = { removeOnComplete: true };
    const children = Array.from({ length: shards }, (_, shard) => {
      return { name: "shard", queueName: SHARDS, data: { run, step, shard }, opts };
    });
    await flows.add({ name: "step", queueName: `${STEPS}-${run}`, data: { run, step }, children, opts });
  };
  await new Promise<void>((done, failed) => {
    const finish = async (job: StepJob) => {
      const found = Object.values(await job.getChildrenValues<Sent>()).sort((a, b) => a.shard - b.shard);
      stepWith(found.map(({ loss, gradient }) => ({ loss, gradient: numbers(gradient) })));
      if (losses.length < steps) await begin(losses.length);
      else done();
    };
    const parent = new Worker(`${STEPS}-${run}`, finish, { connection: redis.duplicate() });
    parent.on("failed", (_, error) => failed(error));
    void begin(0);
  });
  report();
  process.exit();
}

const url = process.env.REDIS_URL;
if (options.alone) alone();
else if (!url) console.error("REDIS_URL is not set: give a Redis server's address, or --alone to do without");
else {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  if (positionals[0] === "worker") work(redis);
  else await train(redis);
}
