/**
 * `npm run study -- NAME`, for the studies that are made of jobs: computes the jobs that are missing, on this machine or
 * with others, and writes a page, its pictures and every run.
 *
 *   --quick          seconds: shows that the study runs, and nothing else
 *   --seeds N        repetitions of every setting; each study has a default
 *   --first-seed N   the least of the seeds, which follow one another; 1 by default. Others than the recorded ones show whether
 *                    intervals hold
 *   --only TEXT      jobs whose JSON contains it
 *   --workers N      on this machine; default: one for every core
 *   --out FOLDER     default build/studies/NAME, or NAME-quick; runs.jsonl in it keeps every run, so nothing is computed twice
 *   --docs           writes the page, pictures and runs to docs/results as well; of a whole study only
 *
 * With REDIS_URL the jobs go to whichever machines run `npm run study -- worker` with the same REDIS_URL.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wholeNumber } from "../command-line.js";
import { Journal } from "../journal.js";
import type { Json, Run, Study } from "../study.js";
import { packageVersion } from "../version.js";
import { loadStudy, taskId, type OnOutcome, type Task } from "./compute.js";
import { computeHere } from "./local.js";
import { progress } from "./progress.js";
import { computeByRedis } from "./redis.js";

interface Recorded {
  readonly id: string;
  readonly job: Json;
  readonly outcome: Json;
}

export async function runStudy(name: string): Promise<void> {
  const study = await loadStudy(name);
  const { values: options } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seeds: { type: "string" },
      "first-seed": { type: "string" },
      only: { type: "string", default: "" },
      workers: { type: "string" },
      out: { type: "string" },
      docs: { type: "boolean", default: false },
    },
  });
  const { quick, only, out = join("build/studies", quick ? `${name}-quick` : name) } = options;
  if (options.docs && (quick || only))
    throw new Error("--docs: a part of a study is no result; leave out --quick and --only");
  const first = wholeNumber("first-seed", options["first-seed"], 1);
  const count = wholeNumber("seeds", options.seeds, quick ? 1 : study.seeds);
  const seeds = Array.from({ length: count }, (_, k) => first + k);
  const workers = wholeNumber("workers", options.workers, availableParallelism());

  const version = packageVersion();
  const idOf = (job: Json) => taskId({ study: name, job }, study.edition, version);
  const journal = new Journal<Recorded>(join(out, "runs.jsonl"));
  const outcomes = new Map(journal.entries.map(({ id, outcome }) => [id, outcome]));
  const failed: string[] = [];

  async function computeMissing(jobs: ReadonlyMap<string, Json>): Promise<void> {
    const missing = new Map<string, Task>();
    for (const [id, job] of jobs) if (!outcomes.has(id)) missing.set(id, { study: name, job });
    if (missing.size === 0) return;
    const watch = progress(missing.size);
    const onOutcome: OnOutcome = (task, outcome) => {
      const text = JSON.stringify(task.job);
      if (outcome instanceof Error) failed.push(`${text}: ${outcome.message}`);
      else {
        const id = idOf(task.job);
        outcomes.set(id, outcome);
        journal.add({ id, job: task.job, outcome });
      }
      watch(text);
    };
    const url = process.env.REDIS_URL;
    if (url) await computeByRedis(missing, { url, version }, onOutcome);
    else await computeHere(missing, { workers, out }, onOutcome);
  }

  const jobs = new Map<string, Json>();
  const found = () =>
    [...jobs].flatMap(([id, job]): Run<Json, Json>[] => {
      const outcome = outcomes.get(id);
      return outcome === undefined ? [] : [{ job, outcome }];
    });
  let next = study.jobs({ quick, seeds });
  for (let known = -1; known < jobs.size && failed.length === 0;) {
    known = jobs.size;
    for (const job of next) if (JSON.stringify(job).includes(only)) jobs.set(idOf(job), job);
    await computeMissing(jobs);
    next = study.further?.(found(), { quick, seeds }) ?? [];
  }
  const runs = found();
  write(study, name, { runs, seeds, quick }, options.docs ? [out, "docs/results"] : [out]);
  if (failed.length > 0) {
    console.error(`${failed.length} of ${jobs.size} jobs failed:\n${failed.slice(0, 10).join("\n")}`);
    process.exitCode = 1;
  }
}

function write(
  study: Study,
  name: string,
  { runs, seeds, quick }: { runs: readonly Run<Json, Json>[]; seeds: readonly number[]; quick: boolean },
  folders: readonly string[],
): void {
  const { markdown, pictures } = study.report(runs);
  const [{ model }] = cpus();
  const machine = `${model}, ${availableParallelism()} cores, Node ${process.version}`;
  const count = seeds.length;
  const command = [
    `npm run study -- ${name}`,
    ...(quick ? ["--quick"] : []),
    ...(count === (quick ? 1 : study.seeds) ? [] : [`--seeds ${count}`]),
    ...(seeds[0] === 1 ? [] : [`--first-seed ${seeds[0]}`]),
  ].join(" ");
  const made = `${runs.length} runs, ${count} ${count === 1 ? "seed" : "seeds"}, by \`${command}\`, ${new Date().toISOString().slice(0, 10)}. Machine: ${machine}.`;
  const page = `# ${study.title}\n\n${markdown.trim()}\n\n${made} Every run: [${name}.json](${name}.json).\n`;
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.md`), page);
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine, seeds: count, runs })}\n`);
    for (const [file, svg] of Object.entries(pictures)) writeFileSync(join(folder, file), svg);
  }
  console.log(page);
}
