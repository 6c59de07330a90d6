/** The end of threads, in processes that count them: by `await using`, and of optimizers that were dropped. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Counts the threads that run, and makes optimizers that have taken steps. */
const COUNTING = `
  import workerThreads from "node:worker_threads";
  import { syncBuiltinESMExports } from "node:module";
  import { createThreadedOptimizer } from "superlevel/threads";
  const { Worker } = workerThreads;
  let running = 0;
  workerThreads.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      running++;
      this.on("exit", () => running--);
    }
  };
  syncBuiltinESMExports();
  async function make() {
    const optimizer = await createThreadedOptimizer(5000, { threads: 3, threshold: 0 });
    optimizer.grads.fill(1);
    optimizer.step();
    await optimizer.stepAsync();
    return optimizer;
  }`;

const printed = (program: string): string =>
  execFileSync("node", ["--expose-gc", "--input-type=module", "--eval", COUNTING + program], {
    encoding: "utf8",
    timeout: 120_000,
  });

/** Collects until a condition holds; gives up after so many turns that something is wrong. */
const COLLECT = `
  async function collectUntil(done) {
    for (let turn = 0; turn < 2000 && !done(); turn++) {
      gc();
      await new Promise((next) => setTimeout(next, 5));
    }
  }`;

test("threads of dropped optimizers end, and views that were kept stay", () => {
  const program = `${COLLECT}
    const kept = (await make()).params;
    for (let k = 0; k < 4; k++) await make();
    const most = running;
    await collectUntil(() => running === 0);
    console.log(most, running, kept[0] < 0);`;
  expect(printed(program)).toBe("10 0 true\n");
});

test("those of an optimizer that is in use do not, nor while a step is under way", () => {
  const program = `${COLLECT}
    const optimizer = await make();
    let turns = 0;
    await collectUntil(() => ++turns > 20);
    console.log(running, optimizer.step().step);
    const pending = (await make()).stepAsync();
    gc();
    console.log((await pending).step);
    optimizer.dispose();`;
  expect(printed(program)).toBe("2 3\n3\n");
});

test("after dispose nothing is left to do", () => {
  const program = `${COLLECT}
    for (let k = 0; k < 3; k++) (await make()).dispose();
    await collectUntil(() => running === 0);
    gc();
    console.log(running);`;
  expect(printed(program)).toBe("0\n");
});

test("`await using` waits until they have ended", () => {
  // As compilers write it for engines that do not know it.
  const program = `
    const optimizer = await make();
    const before = running;
    await optimizer[Symbol.asyncDispose]();
    console.log(before, running);
    await optimizer[Symbol.asyncDispose]();
    optimizer.dispose();
    try {
      optimizer.step();
    } catch ({ code }) {
      console.log(code);
    }`;
  expect(printed(program)).toBe("2 0\ndisposed\n");
});
