/** Threads: the bits of one, whatever their number; and how they begin and end. Uses the built package, for its worker. */
import { execFile } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { promisify } from "node:util";
import workerThreads, { type Worker } from "node:worker_threads";
import { createThreadedOptimizer, type ThreadedOptimizer } from "superlevel/threads";
import { Workers } from "../../dist/threads/workers.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  adam,
  adamw,
  createOptimizer,
  lion,
  scheduleFree,
  sgd,
  superlevel,
  type GradientKind,
  type OptimizerOptions,
  type TensorSpec,
  type Tuner,
} from "../../src/index.js";
import { rows } from "../support/bases.js";
import { bases, gradientAt, noise, startAt, tuners } from "../support/cases.js";
import { forms } from "../support/forms.js";
import { sameBytes } from "../support/state.js";
import { argumentsOf, walkWith } from "../support/walk.js";

const mixed = [
  { size: 3, learningRate: 2 },
  { size: 14, weightDecay: 0.3 },
  { size: 1, frozen: true },
  { size: 5030, learningRate: 0.5 },
  { size: 16, weightDecay: 0 },
  { size: 2100, frozen: true },
  { size: 1007, learningRate: 0.1, weightDecay: 0.2 },
];
const layouts: Record<string, { size: number; learningRate?: number; frozen?: boolean }[]> = {
  mixed,
  "300 small ones": Array.from({ length: 300 }, (_, k) => ({ size: 1 + (k % 40), frozen: k % 7 === 0 })),
};
for (const size of [5, 1023, 1024, 1025, 4097, 10000, 100003]) layouts[size] = [{ size }];

function specsOf(layout: (typeof layouts)[string], x0: Float32Array): TensorSpec[] {
  let first = 0;
  return layout.map(({ size, ...options }) => {
    first += size;
    return { shape: [size], values: x0.subarray(first - size, first), ...options };
  });
}

/** Steps beside an optimizer of one thread; every fifth step without this thread. `shaken`: gradients' noise. */
async function walkBeside(
  threads: number,
  layout: string,
  options: Omit<OptimizerOptions, "engine">,
  shaken = true,
): Promise<GradientKind> {
  const size = layouts[layout].reduce((sum, tensor) => sum + tensor.size, 0);
  const random = noise(size);
  const specs = specsOf(layouts[layout], startAt(size, random));
  const one = createOptimizer(specs, options);
  const many = await createThreadedOptimizer(specs, { ...options, threads, threshold: 0 });
  for (let step = 1; step <= (size > 50_000 ? 6 : 20); step++) {
    const g = shaken ? gradientAt(step, size, random) : one.params.map((x, i) => x - Math.sin(i));
    // So small that a step promises more than a tenth of it, every other time.
    const seen = step % 2 ? { loss: 1e-3 * size } : undefined;
    // The second step finds out what gradients are, so that is led by each in turn.
    const async = step % 5 === 0 || (step === 2 && threads % 2 === 0);
    const info = async ? await many.stepAsync(g, seen) : many.step(g, seen);
    expect(info).toEqual(one.step(g, seen));
    if (!sameBytes(many.save(), one.save())) throw new Error(`the states differ after step ${step}`);
  }
  expect(many.gradients).toBe(one.gradients);
  expect(many.average()).toEqual(one.average());
  many.dispose();
  return one.gradients;
}

const base = bases["adam with weight decay"];
const chosen: Record<string, Omit<OptimizerOptions, "engine">> = {
  superlevel: { base },
  "each tensor": { base, tuner: forms["superlevel, each tensor"] },
  "each coordinate": { base: adam({ learningRate: 0.01 }), tuner: forms["superlevel, each coordinate"] },
  "mechanic, each coordinate": { base, tuner: forms["mechanic, each coordinate"] },
  "mechanic, clipped": { base, tuner: tuners.mechanic, clip: { value: 0.9, norm: 3 }, normAdaptive: true },
  "without a tuner": { base: bases.momentum, tuner: null },
};

describe.each([2, 3, 4])("%i threads give the bits of one", (threads) => {
  describe.each(Object.keys(layouts))("%s", (layout) => {
    test.each(Object.keys(chosen))(
      "%s",
      async (name) => void (await walkBeside(threads, layout, chosen[name])),
    );
  });
});

const anchor = { first: 6 };
const kinds: Record<string, Omit<OptimizerOptions, "engine">> = {
  "all of it": { tuner: superlevel({ anchor }) },
  "each tensor": { tuner: superlevel({ granularity: "tensor", anchor }) },
  "each coordinate": { tuner: superlevel({ granularity: "parameter", anchor }) },
  "each coordinate, free": { tuner: superlevel({ granularity: "parameter", spread: null, anchor }) },
  "Δ reconstructed, clipped": {
    tuner: superlevel({ delta: "reconstructed", anchor }),
    clip: { norm: 9, value: 0.9 },
  },
  "sgd, which keeps the first gradient": { base: sgd({ weightDecay: 0.1 }) },
  adamw: { base: adamw({ weightDecay: 0.1 }) },
  lion: { base: lion() },
};

test.each(Object.entries(rows))("two threads run %s", async (_name, { factory, averaged }) => {
  for (const base of [factory(), ...Object.values(averaged)])
    expect(await walkBeside(2, "mixed", { base })).toBe("noisy");
});

describe.each([2, 3, 4])(
  "%i threads find out the same of gradients, and do the same with them",
  (threads) => {
    describe.each(Object.keys(kinds))("%s", (name) => {
      test.each(["mixed", "10000"])("%s", async (layout) => {
        expect(await walkBeside(threads, layout, kinds[name])).toBe("noisy");
        expect(await walkBeside(threads, layout, kinds[name], false)).toBe("exact");
        for (const gradients of ["exact", "noisy"] as const) {
          expect(await walkBeside(threads, layout, { ...kinds[name], gradients })).toBe(gradients);
        }
      });
    });

    test("an average of the base's own, without a tuner", async () => {
      const base = scheduleFree(adam({ learningRate: 0.01 }));
      await walkBeside(threads, "mixed", { base, tuner: null });
    });
  },
);

describe.each([1, 2, 3, 4])("%i threads walk beside the twin", (threads) => {
  test.each(Object.entries(tuners))("%s", async (_form, tuner: Tuner | null) => {
    for (const run of [
      { size: 33, steps: 30, base: bases.lion, tuner },
      { size: 4099, steps: 30, base: bases.adamw, tuner },
    ]) {
      const [params, options] = argumentsOf(run);
      const optimizer = await createThreadedOptimizer(params, { ...options, threads, threshold: 0 });
      expect(optimizer.threads).toBe(threads);
      walkWith(optimizer, run);
      optimizer.dispose();
    }
  });
});

describe("the rest of an optimizer", () => {
  test("minimize with a guard, anchors, save and restore", async () => {
    const options = { base, tuner: forms["superlevel, Δ reconstructed"] };
    const bowl = (x: Float32Array, grads: Float32Array) => {
      let loss = 0;
      for (let i = 0; i < x.length; i++) {
        grads[i] = (1 + (i % 9)) * (x[i] - 1);
        loss += 0.5 * grads[i] * (x[i] - 1);
      }
      return loss;
    };
    const one = createOptimizer(3000, options);
    const many = await createThreadedOptimizer(3000, { ...options, threads: 2, threshold: 0 });
    const run = { steps: 60, deterministic: true };
    expect(many.minimize(bowl, run)).toEqual(one.minimize(bowl, run));
    const state = many.anchor().save();
    many.step();
    many.restore(state).step();
    one.restore(state).step();
    expect(sameBytes(many.save(), one.save())).toBe(true);
    many.dispose();
  });

  test("gradients whose squares leave float32, and failing steps", async () => {
    const many = await createThreadedOptimizer(5000, { threads: 2, threshold: 0, tuner: null });
    const one = createOptimizer(5000, { tuner: null });
    const huge = new Float32Array(5000).fill(1e19);
    for (const optimizer of [one, many]) expect(() => optimizer.step(huge)).toThrow("the gradient's norm is");
    await expect(many.stepAsync(huge)).rejects.toThrow("the gradient's norm is");
    await expect(many.stepAsync([1, 2])).rejects.toThrow("grads");
    await expect(many.stepAsync(huge, { lost: 1 } as never)).rejects.toThrow('unknown option "lost"');
    const lost = { code: "diverged", message: "step 1: the loss is NaN" };
    await expect(many.stepAsync(huge, { loss: NaN })).rejects.toMatchObject(lost);
    await expect(many.stepAsync(huge, { loss: 3 })).rejects.toMatchObject({ code: "diverged", loss: 3 });
    huge[4000] = NaN;
    await expect(many.stepAsync(huge)).rejects.toMatchObject({ code: "diverged" });
    const small = new Float32Array(5000).fill(0.5);
    expect(await many.stepAsync(small)).toEqual(one.step(small));
    many.dispose();
  });

  test("one thread below the threshold", async () => {
    const optimizer = await createThreadedOptimizer(100, { threads: 4 });
    expect(optimizer.threads).toBe(1);
    const info = optimizer.step(new Float32Array(100).fill(1));
    expect(info.step).toBe(1);
    expect((await optimizer.stepAsync()).step).toBe(2);
    optimizer.dispose();
    await expect(createThreadedOptimizer(2, { threads: 0 })).rejects.toThrow("threads: expected");
    await expect(createThreadedOptimizer(2, { threshold: -1 })).rejects.toThrow("threshold: expected");
    await expect(createThreadedOptimizer(2, { thread: 2 } as object)).rejects.toThrow("thread");
  });

  test("a step while another is under way is refused", async () => {
    const optimizer = await createThreadedOptimizer(5000, { threads: 2, threshold: 0 });
    optimizer.grads.fill(1);
    const pending = optimizer.stepAsync();
    expect(() => optimizer.step()).toThrow("a stepAsync is under way");
    await expect(optimizer.stepAsync()).rejects.toMatchObject({ code: "threads" });
    expect((await pending).step).toBe(1);
    expect(optimizer.step().step).toBe(2);
    optimizer.dispose();
  });
});

describe("beginning and end", () => {
  afterEach(() => vi.unstubAllGlobals());

  test("60 times: create, step, dispose", async () => {
    for (let round = 0; round < 60; round++) {
      const threads = 2 + (round % 3);
      const optimizer = await createThreadedOptimizer(2500, { threads, threshold: 0 });
      for (let step = 1; step <= 5; step++) {
        optimizer.grads.fill(step % 2);
        expect(optimizer.step().step).toBe(step);
      }
      if (round % 2 === 0) expect((await optimizer.stepAsync()).step).toBe(6);
      optimizer.dispose();
    }
  });

  test("dispose: twice, in the middle of a step, and every later use", async () => {
    const disposed = { name: "OptimizerError", code: "disposed" };
    const optimizer = await createThreadedOptimizer(5000, { threads: 2, threshold: 0 });
    const pending = optimizer.stepAsync();
    optimizer.dispose();
    optimizer.dispose();
    await expect(pending).rejects.toMatchObject(disposed);
    await expect(optimizer.stepAsync()).rejects.toMatchObject(disposed);
    expect(() => optimizer.step()).toThrow("disposed");
    expect(() => optimizer.params).toThrow("disposed");
  });

  test("`using` ends the threads", async () => {
    let kept: ThreadedOptimizer;
    {
      using optimizer = await createThreadedOptimizer(5000, { threads: 2, threshold: 0 });
      kept = optimizer;
    }
    expect(() => kept.step()).toThrow("disposed");
  });

  const child = (end: string) => `
    import { createThreadedOptimizer } from "superlevel/threads";
    const optimizer = await createThreadedOptimizer(50_000, { threads: 3 });
    optimizer.grads.fill(1);
    optimizer.step();
    console.log((await optimizer.stepAsync()).step);
    ${end}`;

  test.each([
    ["with dispose", "optimizer.dispose();"],
    ["without dispose", ""],
    ["with an error that nobody catches", "throw new Error('on purpose');"],
  ])(
    "a process ends by itself %s",
    async (_name, end) => {
      const run = promisify(execFile)("node", ["--input-type=module", "--eval", child(end)], {
        timeout: 150_000,
      });
      const ended = await run.catch((error: { stdout: string; killed: boolean }) => error);
      expect(ended.stdout).toBe("2\n");
      expect("killed" in ended && ended.killed).toBe(false);
    },
    40_000,
  );

  test("a thread that dies: the next step says so, and a pending one is rejected", async () => {
    const started: Worker[] = [];
    const { Worker: Original } = workerThreads;
    workerThreads.Worker = class extends Original {
      constructor(...args: ConstructorParameters<typeof Original>) {
        super(...args);
        started.push(this);
      }
    };
    syncBuiltinESMExports();
    const tuner = superlevel({ sInit: 0.01 });
    const [first, second] = [
      await createThreadedOptimizer(5000, { threads: 3, threshold: 0, gradients: "exact", tuner }),
      await createThreadedOptimizer(1e6, { threads: 2, threshold: 0, gradients: "exact", tuner }),
    ];
    workerThreads.Worker = Original;
    syncBuiltinESMExports();
    expect(first.step().step).toBe(1);
    await started[1].terminate();
    const failed = { name: "OptimizerError", code: "threads", message: /^a thread has failed: it ended/ };
    expect(() => first.step()).toThrow(failed.message);
    await expect(first.stepAsync()).rejects.toMatchObject(failed);
    const pending = second.stepAsync();
    await started[2].terminate();
    await expect(pending).rejects.toMatchObject(failed);
    expect(() => second.save()).toThrow("a thread has failed");
    first.dispose();
    second.dispose();
  });

  test("a thread that cannot start, or not in time", async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    const setup = { module, memory, from: 64, thread: 1 };
    const failed = (reason: RegExp) => ({ name: "OptimizerError", code: "threads", message: reason });
    await expect(Workers.start([setup])).rejects.toMatchObject(failed(/failed: .*not a function/));
    await expect(Workers.start([setup], 1)).rejects.toMatchObject(failed(/failed: not ready after 0.001 s/));
  });

  test("a page without cross-origin isolation is told what is missing", async () => {
    const wanted = {
      name: "OptimizerError",
      code: "threads",
      message: /Cross-Origin-Opener-Policy: same-origin/,
    };
    vi.stubGlobal("crossOriginIsolated", false);
    await expect(createThreadedOptimizer(5e4, { threads: 2 })).rejects.toMatchObject(wanted);
    vi.unstubAllGlobals();
    vi.stubGlobal("SharedArrayBuffer", undefined);
    await expect(createThreadedOptimizer(5e4, { threads: 2 })).rejects.toMatchObject(wanted);
    const small = await createThreadedOptimizer(10);
    expect(small.threads).toBe(1);
  });
});
