/**
 * `npm run bench|study|example -- NAME …` runs a program of that folder; without a name it lists them. What follows the name
 * is the program's own.
 */
const programs: Record<string, Record<string, { file: string; what: string }>> = {
  bench: {
    suite: { file: "bench/suite.ts", what: "a step beside plain loops, C, TensorFlow.js and jax-js" },
    compare: { file: "bench/compare.ts", what: "two results of the suite: what became slower or faster" },
    growth: { file: "bench/growth.ts", what: "a step and a creation from 10² to 5·10⁷ parameters" },
    heap: { file: "bench/heap.ts", what: "what steps leave on JavaScript's heap, and what they let fall" },
    leaks: { file: "bench/leaks.ts", what: "what 10 000 steps leave behind on each backend, in Chromium" },
    memory: { file: "bench/memory.ts", what: "bytes per parameter of every base, granularity and form" },
    monitor: { file: "bench/monitor.ts", what: "what a monitor adds to a step" },
    tfjs: { file: "bench/tfjs.ts", what: "a step inside TensorFlow.js against tf.train.adam" },
    gpu: { file: "bench/gpu.ts", what: "a step on webgl and webgpu against tf.train.adam, in Chromium" },
    threads: { file: "bench/threads.ts", what: "a step shared by threads against one thread" },
  },
  study: {
    activations: {
      file: "studies/activations/study.ts",
      what: "activations, depth and residual connections",
    },
    beta: { file: "studies/beta/study.ts", what: "the decay constant over four decades" },
    connectivity: {
      file: "studies/connectivity/study.ts",
      what: "where descents end, through which components",
    },
    decay: { file: "studies/decay/study.ts", what: "rates that decay, and rates divided by 1 + ‖g‖" },
    robustness: { file: "studies/robustness/main.ts", what: "against Adam and others with tuned rates" },
    forms: { file: "studies/forms/main.ts", what: "every form of the method on a handful of problems" },
    granularity: {
      file: "studies/granularity/main.ts",
      what: "one tuner, one for each tensor or coordinate",
    },
    guard: { file: "studies/guard/main.ts", what: "what the guard's reject costs and gains" },
    images: {
      file: "studies/images/study.ts",
      what: "MNIST and CIFAR-10, an MLP and convolutional networks",
    },
    minimize: { file: "studies/minimize/main.ts", what: "superlevel/minimize beside other minimizers" },
    monitor: {
      file: "studies/monitor/main.ts",
      what: "runs spoilt in a known way, and the monitor's verdict",
    },
    noise: {
      file: "studies/noise/study.ts",
      what: "wrong labels, rare classes, and barriers between minima",
    },
    policies: {
      file: "studies/policies/study.ts",
      what: "superlevel sets of the return, on slices through trained policies",
    },
    programs: {
      file: "studies/programs/main.ts",
      what: "small TensorFlow.js programs with their own optimizers",
    },
    objective: { file: "studies/objective/main.ts", what: "the dynamic cost under noise and imbalance" },
    reinforcement: {
      file: "studies/reinforcement/study.ts",
      what: "cart-pole, also with hidden speeds, against Adam",
    },
    text: { file: "studies/text/study.ts", what: "a GRU, a Transformer and a GPT in TensorFlow.js" },
    tuning: { file: "studies/tuning/study.ts", what: "grid, random search and TPE against the default" },
    worker: {
      file: "studies/kit/runner/redis-worker.ts",
      what: "computes studies' jobs for others, at REDIS_URL",
    },
    report: { file: "studies/report/main.ts", what: "a report page about a network and landscapes" },
  },
  example: {
    logistic: { file: "examples/logistic.ts", what: "logistic regression by hand" },
    "curve-fit": { file: "examples/curve-fit.ts", what: "a curve through noisy points, without derivatives" },
    resume: { file: "examples/resume.ts", what: "a run that is killed and goes on, to the same bits" },
    accumulate: { file: "examples/accumulate.ts", what: "small batches that make the step of a large one" },
    residual: {
      file: "examples/residual.ts",
      what: "a residual network by hand, stable and unstable, layer by layer",
    },
    cnn: { file: "examples/cnn.ts", what: "TensorFlow.js: a convolutional network, by compile and fit" },
    gru: { file: "examples/gru.ts", what: "TensorFlow.js: a recurrent network, by optimizer.minimize" },
    cluster: { file: "examples/cluster/main.ts", what: "gradients of shards, by workers on any machines" },
    page: {
      file: "examples/page/serve.ts",
      what: "a web page: points to click and a curve that follows them",
    },
  },
};

const [kind, name] = process.argv.slice(2);
const listed = programs[kind];
if (name !== undefined && Object.hasOwn(listed, name)) {
  // The rest is for the program.
  process.argv.splice(2, 2);
  const { file } = listed[name];
  // A study that is made of jobs has no program of its own.
  if (file.endsWith("/study.ts")) await (await import("../studies/kit/runner/run-study.js")).runStudy(name);
  else await import(new URL(`../${file}`, import.meta.url).href);
} else {
  if (name !== undefined) {
    console.error(`there is no ${kind} ${JSON.stringify(name)}`);
    process.exitCode = 2;
  }
  console.log(`usage: npm run ${kind} -- NAME [options]\n`);
  const sorted = Object.entries(listed).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { what }] of sorted) console.log(`  ${name.padEnd(13)} ${what}`);
}
