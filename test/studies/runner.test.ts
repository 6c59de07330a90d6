/** Studies that are made of jobs: the same outcomes whoever computes them, and whatever is killed on the way. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, it, vi } from "vitest";
import { study, type Job } from "../../studies/images/study.js";
import { readData } from "../../studies/kit/data-file.js";
import { compute, loadStudy, taskId, type Task } from "../../studies/kit/runner/compute.js";
import { computeHere } from "../../studies/kit/runner/local.js";
import { progress } from "../../studies/kit/runner/progress.js";
import { computeByRedis, keptKey, queueName } from "../../studies/kit/runner/redis.js";
import type { Json } from "../../studies/kit/study.js";
import { packageVersion } from "../../studies/kit/version.js";
import { kill, run, testFolder, until } from "../support/processes.js";
import { freePort, missing, serve } from "../support/redis.js";

const version = packageVersion();
const here = { kept: undefined, keep: () => Promise.resolve() };

const job = (steps: number, seed = 1, contender: Job["contender"] = "superlevel"): Job => ({
  data: "drawn digits",
  network: "MLP",
  steps,
  batch: 16,
  contender,
  rate: contender === "superlevel" ? null : 0.01,
  seed,
});

function tasksOf(jobs: readonly Job[]): Map<string, Task> {
  return new Map(
    jobs.map((one) => {
      const task: Task = { study: "images", job: one };
      return [taskId(task, study.edition, version), task];
    }),
  );
}

/** Outcomes by the job's text; an error as its message. */
const collect = () => {
  const found = new Map<string, Json>();
  const onOutcome = ({ job: one }: Task, outcome: Json | Error) =>
    void found.set(JSON.stringify(one), outcome instanceof Error ? outcome.message : outcome);
  return { found, onOutcome };
};

const alone = async (jobs: readonly Job[]) => {
  const outcomes = new Map<string, Json>();
  for (const one of jobs)
    outcomes.set(JSON.stringify(one), await compute({ study: "images", job: one }, here));
  return outcomes;
};

describe("a job", () => {
  it("that is cut short goes on where it was, to the same bits", async () => {
    const task: Task = { study: "images", job: job(100) };
    let kept: Uint8Array | undefined;
    let times = 0;
    const cut = compute(task, {
      kept: undefined,
      keep(state) {
        kept = state.slice();
        return ++times === 3 ? Promise.reject(new Error("cut short")) : Promise.resolve();
      },
    });
    await expect(cut).rejects.toThrow("cut short");
    let after = 0;
    const resumed = await compute(task, { kept, keep: () => Promise.resolve(void after++) });
    // Three of twenty parts were done before.
    expect(after).toBe(17);
    expect(resumed).toEqual(await compute(task, here));
  });

  it("is recognised by study, edition, package and what it is", () => {
    const id = taskId({ study: "images", job: job(1) }, 1, "a");
    expect(taskId({ study: "images", job: job(1) }, 1, "a")).toBe(id);
    expect(taskId({ study: "images", job: job(2) }, 1, "a")).not.toBe(id);
    expect(taskId({ study: "image", job: job(1) }, 1, "a")).not.toBe(id);
    expect(taskId({ study: "images", job: job(1) }, 2, "a")).not.toBe(id);
    expect(taskId({ study: "images", job: job(1) }, 1, "b")).not.toBe(id);
  });

  it("of a study that is not there is refused by name", async () => {
    await expect(loadStudy("nothing")).rejects.toThrow('there is no study "nothing" that is made of jobs');
    await expect(loadStudy("../kit")).rejects.toThrow('there is no study "../kit"');
  });
});

describe("on one machine", () => {
  it("a pool of processes computes what one process does, and a failure is that job's alone", async () => {
    const jobs = [job(10, 1), job(10, 2), job(10, 1, "AdamW")];
    const broken = { ...job(10), data: "no such data" } as unknown as Job;
    const { found, onOutcome } = collect();
    await computeHere(tasksOf([...jobs, broken]), { workers: 2, out: testFolder() }, onOutcome);
    expect(found.get(JSON.stringify(broken))).toContain("is not a function");
    found.delete(JSON.stringify(broken));
    expect(found).toEqual(await alone(jobs));
  });

  it("a process that is killed takes nothing with it: its job goes on from the state that it kept", async () => {
    const jobs = [job(1200)];
    const [id] = tasksOf(jobs).keys();
    const { found, onOutcome } = collect();
    const all = computeHere(tasksOf(jobs), { workers: 1, out: testFolder() }, onOutcome);
    await until(() => existsSync(join(testFolder(), "kept", id)));
    spawnSync("pkill", ["-KILL", "-P", `${process.pid}`, "-f", "tinypool"]);
    await all;
    expect(found).toEqual(await alone(jobs));
    expect(existsSync(join(testFolder(), "kept", id))).toBe(false);
  });

  it("a study that is killed goes on with the jobs that are missing, and with those that outcomes call for", async () => {
    const seeds = ["--seeds", "2", "--first-seed", "101"];
    const args = ["study", "images", "--quick", ...seeds, "--only", "SGD", "--out", testFolder()];
    const runs = join(testFolder(), "runs.jsonl");
    const lines = () => spawnSync("cat", [runs]).stdout.toString().split("\n").length - 1;
    const first = run([...args, "--workers", "1"]);
    await until(() => lines() >= 2);
    kill(first.child);
    await first.ended;
    const before = lines();
    const second = run([...args, "--workers", "2"]);
    await second.ended;
    const tried = study
      .jobs({ quick: true, seeds: [101, 102] })
      .filter(({ contender }) => contender.includes("SGD")).length;
    // The second seed of SGD and of SGDR, at their best rates.
    const count = tried + 2;
    expect(second.text()).toContain(`${count} runs, 2 seeds`);
    expect(second.text()).toContain("`npm run study -- images --quick --seeds 2 --first-seed 101`");
    expect(lines()).toBe(count);
    expect(before).toBeLessThan(tried);
    const { runs: all } = JSON.parse(readFileSync(join(testFolder(), "images.json"), "utf8")) as {
      runs: { job: Job; outcome: Json }[];
    };
    expect(all.slice(-2).map((run) => run.job.seed)).toEqual([102, 102]);
    expect(all.slice(0, -2).every((run) => run.job.seed === 101)).toBe(true);
    const outcomes = new Map(all.map((run) => [JSON.stringify(run.job), run.outcome]));
    expect(outcomes).toEqual(await alone(all.map((run) => run.job)));
  });
});

describe.skipIf(missing)("through Redis", () => {
  const work = async (url: string) => {
    const worker = run(["study", "worker", "--processes", "1", "--stalled-after", "2"], { REDIS_URL: url });
    await until(() => worker.text().includes("waits for jobs"));
    return worker;
  };

  it("three workers, one killed and the server killed, give what one process gives", async () => {
    const port = await freePort();
    let { child: redisServer, url } = await serve(port, true);
    const jobs = [job(1200, 1), ...[2, 3, 4, 5].map((seed) => job(150, seed))];
    const [long] = tasksOf(jobs).keys();
    const { found, onOutcome } = collect();
    const all = computeByRedis(tasksOf(jobs), { url, version, pause: 100 }, onOutcome);
    const workers = await Promise.all([work(url), work(url), work(url)]);

    const redis = new Redis(url, { maxRetriesPerRequest: null });
    redis.on("error", () => undefined);
    const queue = new Queue(queueName(version), { connection: redis });
    queue.on("error", () => undefined);
    // The long job has kept its state, and the one who computes it loses power.
    await until(async () => (await redis.exists(keptKey(long))) === 1);
    const { processedBy } = (await queue.getJob(long))!;
    const victim = workers.find(({ child }) => processedBy!.endsWith(`:${child.pid}`))!;
    kill(victim.child);
    await victim.ended;
    // Then the server does.
    kill(redisServer);
    await setTimeout(300);
    ({ child: redisServer, url } = await serve(port, true));

    await all;
    await queue.close();
    redis.disconnect();
    expect(found).toEqual(await alone(jobs));
    const others = workers.filter((worker) => worker !== victim).map(({ text }) => text());
    expect(others.join("")).toContain("goes on where another worker was cut short: images");
  });

  it("a server that lost everything is given what is missing again, and a runner that was killed finds what is done", async () => {
    const port = await freePort();
    const { child, url } = await serve(port);
    const jobs = [job(20, 1), job(20, 2)];
    const { found, onOutcome } = collect();
    const all = computeByRedis(tasksOf(jobs), { url, version, pause: 50 }, onOutcome);
    await setTimeout(300);
    kill(child);
    await setTimeout(100);
    await serve(port);
    const worker = await work(url);
    await all;
    expect(found).toEqual(await alone(jobs));
    // Nobody is left to compute anything.
    kill(worker.child);
    const again = collect();
    await computeByRedis(tasksOf(jobs), { url, version, pause: 50 }, again.onOutcome);
    expect(again.found).toEqual(found);
  });

  it("an address where nothing answers is named", async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    await expect(computeByRedis(tasksOf([job(1)]), { url, version }, () => undefined)).rejects.toThrow(
      `REDIS_URL: no Redis answers at ${url}`,
    );
    const worker = run(["study", "worker"], { REDIS_URL: "" });
    await worker.ended;
    expect(worker.text()).toContain("REDIS_URL is not set: expected the address of a Redis server");
  });
});

describe("progress", () => {
  it("says how many runs there are, how fast they come and how long the others take", () => {
    const lines: string[] = [];
    const print = console.error;
    console.error = (line: string) => lines.push(line);
    let time = 0;
    const watch = progress(4, () => time);
    for (let k = 0; k < 4; k++) {
      time += 30_000;
      watch("x");
    }
    console.error = print;
    expect(lines).toEqual([
      "1/4, 2.0 a minute, 2 min left: x",
      "2/4, 2.0 a minute, 1 min left: x",
      "3/4, 2.0 a minute, 30 s left: x",
      "4/4, 2.0 a minute, 0 s left: x",
    ]);
  });
});

describe("data", () => {
  it("that is not there is named", () => {
    expect(() => readData(join(testFolder(), "none.csv"))).toThrow(/none\.csv: cannot be read \(ENOENT\)/);
  });

  it("that is not what results were recorded with is refused; elsewhere it is nobody's business", async () => {
    mkdirSync(join(testFolder(), "tabular"));
    const file = join(testFolder(), "tabular/iris.csv");
    writeFileSync(file, "1,2\n");
    expect(readData(file)).toHaveLength(4);
    vi.stubEnv("SUPERLEVEL_DATA", testFolder());
    vi.resetModules();
    const { readData: checked } = await import("../../studies/kit/data-file.js");
    vi.unstubAllEnvs();
    expect(() => checked(file)).toThrow(
      /iris\.csv: not the file .* Expected 2734 bytes with SHA-256 f13ffa8f\w+, got 4 bytes with SHA-256 \w+\. Fetch it anew/,
    );
    writeFileSync(file, gzipSync("1,2\n"));
    expect(() => checked(file)).toThrow(/got 4 bytes/);
  });
});
