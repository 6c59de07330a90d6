/* What a study is: independent jobs, and what is said of their outcomes. */

/** What passes between processes and machines, and into files of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** How much of a study is asked for. */
export interface Extent {
  /** Seconds in place of minutes or hours: shows that it runs, and nothing else. */
  readonly quick: boolean;
  /** Repetitions of every setting, each from a seed of its own. */
  readonly seeds: readonly number[];
}

/** What a job has while it is computed. */
export interface JobContext {
  /** What this job kept last, where whoever computed it before was cut short. */
  readonly kept: Uint8Array | undefined;
  /** Keeps what the job needs to go on from here (as `optimizer.save()` gives it) in place of what was kept before. */
  readonly keep: (state: Uint8Array) => Promise<void>;
}

/** A job with what came of it. */
export interface Run<Job, Outcome> {
  readonly job: Job;
  readonly outcome: Outcome;
}

export interface Findings {
  /** The page of results, without its heading. */
  readonly markdown: string;
  /** Pictures by file name, as text of SVG; the page refers to them by these names. */
  readonly pictures: Readonly<Record<string, string>>;
}

/**
 * An experiment. Its jobs do not depend on each other, and the same job has the same outcome whoever computes it, and
 * whether or not it was cut short on the way: random numbers come from the job's seed alone.
 */
export interface Study<Job extends Json = Json, Outcome extends Json = Json> {
  /** The heading of its page. */
  readonly title: string;
  /** Another one makes what is recorded worthless: for changes of problems and of what is measured. */
  readonly edition: number;
  /** Seeds where none are asked for: at least ten where a run is short, otherwise five. */
  readonly seeds: number;
  /** Seed by seed, so that a study that was cut short has fewer seeds rather than fewer settings. */
  jobs(extent: Extent): readonly Job[];
  /** What outcomes so far call for besides, such as more seeds of what did best; asked again until there is nothing new. */
  further?(runs: readonly Run<Job, Outcome>[], extent: Extent): readonly Job[];
  run(job: Job, context: JobContext): Outcome | Promise<Outcome>;
  /** Takes what there is: runs may be missing. */
  report(runs: readonly Run<Job, Outcome>[]): Findings;
}
