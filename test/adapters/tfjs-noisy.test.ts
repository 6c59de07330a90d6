/** Kinds of gradients, known losses and the average in TensorFlow.js, with copies (cpu) and inside the wasm backend. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  adamw,
  createOptimizer,
  lion,
  mechanic,
  OptimizerError,
  scheduleFree,
  sgd,
  superlevel,
} from "../../src/index.js";
import { readParams, SuperlevelOptimizer, superlevelOptimizer } from "../../src/adapters/tfjs/index.js";
import type { TfjsOptions } from "../../src/adapters/tfjs/index.js";

const BACKENDS = ["cpu", "wasm"];

beforeEach(() => tf.engine().startScope());
afterEach(() => {
  vi.restoreAllMocks();
  tf.engine().endScope();
  tf.disposeVariables();
});

const variable = (values: ArrayLike<number>, name?: string): tf.Variable =>
  tf.variable(tf.tensor1d(Float32Array.from(values)), true, name);

const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());

const SIZES = [5, 64, 1100];
const starts = SIZES.map((size, k) => Float32Array.from({ length: size }, (_, i) => Math.cos(i + k)));
const makeVariables = (): tf.Variable[] => starts.map((values) => variable(values));

/** A bowl's gradient, and noise where it is asked for. */
const gradientAt = (x: ArrayLike<number>, step: number, noise: number): Float32Array =>
  Float32Array.from(x, (value, i) => {
    const random = 43758.5453 * Math.sin(12.9898 * i + 78.233 * step);
    return value - 1 + 6 * noise * (random - Math.floor(random) - 0.5);
  });

/** What the gradients are said to come from. */
const lossAt = (step: number): number => 0.5 / step;

type Kind = "exact" | "noisy";
const noiseOf = { exact: 0, noisy: 1 };

function stepOn(optimizer: SuperlevelOptimizer, variables: tf.Variable[], step: number, kind: Kind): void {
  tf.tidy(() => {
    const gradients = variables.map((x) => [
      x.name,
      tf.tensor1d(gradientAt(x.dataSync(), step, noiseOf[kind])),
    ]);
    optimizer.applyGradients(Object.fromEntries(gradients) as tf.NamedTensorMap, { loss: lossAt(step) });
  });
}

function walk(optimizer: SuperlevelOptimizer, variables: tf.Variable[], kind: Kind, from = 1, to = 40): void {
  for (let step = from; step <= to; step++) stepOn(optimizer, variables, step, kind);
}

describe.each(BACKENDS)("on the %s backend", (backend) => {
  beforeEach(async () => void (await tf.setBackend(backend)));

  describe("kinds of gradients", () => {
    it.each<Kind>(["exact", "noisy"])("are found out at the second step: %s", (kind) => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      expect(optimizer.gradients).toBe("undecided");
      walk(optimizer, variables, kind, 1, 1);
      expect(optimizer.gradients).toBe("undecided");
      walk(optimizer, variables, kind, 2, 2);
      expect(optimizer.gradients).toBe(kind);
      expect(optimizer.reset().gradients).toBe("undecided");
    });

    it("are not judged by gradients at other places", () => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, "exact", 1, 1);
      variables[1].assign(tf.fill([64], 7));
      walk(optimizer, variables, "exact", 2, 2);
      expect(optimizer.gradients).toBe("undecided");
      walk(optimizer, variables, "exact", 3, 3);
      expect(optimizer.gradients).toBe("exact");
    });

    it("are taken for what the options say", () => {
      const optimizer = superlevelOptimizer({ gradients: "noisy" });
      expect(optimizer.gradients).toBe("noisy");
      walk(optimizer, makeVariables(), "exact");
      expect(optimizer.gradients).toBe("noisy");
      const wrong = { gradients: "exakt" } as unknown as TfjsOptions;
      expect(() => superlevelOptimizer(wrong)).toThrow(
        'gradients: expected one of "auto", "exact", "noisy", got "exakt"',
      );
    });

    const perVariable = [
      { frozen: true },
      { learningRate: 0.5, weightDecay: 0.1 },
      { learningRate: 2, weightDecay: 0.01 },
    ];
    it.each<[string, TfjsOptions]>([
      ["defaults", {}],
      ["adamw", { base: adamw({ weightDecay: 0.2 }) }],
      ["lion", { base: lion() }],
      ["an average of its own", { base: scheduleFree(sgd({ learningRate: 0.1 })), tuner: null }],
      ["mechanic", { tuner: mechanic() }],
      ["tensors", { tuner: superlevel({ granularity: "tensor" }) }],
      ["coordinates", { tuner: superlevel({ granularity: "parameter" }) }],
      ["clipped", { clip: { norm: 3, value: 2 } }],
    ])("and options by variable do what they do in createOptimizer: %s", async (_, options) => {
      for (const kind of ["exact", "noisy"] as const) {
        const variables = makeVariables();
        const specs = starts.map((values, k) => ({ shape: [SIZES[k]], values, ...perVariable[k] }));
        const plain = createOptimizer(specs, options);
        const optimizer = superlevelOptimizer({ ...options, perVariable });
        for (let step = 1; step <= 60; step++) {
          stepOn(optimizer, variables, step, kind);
          plain.tensors.forEach(({ params, grads }) => grads.set(gradientAt(params, step, noiseOf[kind])));
          plain.step(undefined, { loss: lossAt(step) });
        }
        expect(optimizer.gradients).toBe(plain.gradients);
        expect(variables.flatMap(numbers)).toEqual(Array.from(plain.params));
        expect(numbers(variables[0])).toEqual(Array.from(starts[0]));
        const average = await optimizer.withAverage(() => variables.flatMap(numbers));
        expect(average).toEqual(Array.from(plain.average() ?? plain.params));
      }
    });

    it.each([
      ["undecided", "noisy", 1],
      ["exact", "exact", 12],
      ["noisy", "noisy", 12],
    ] as const)("are saved with the state, which other backends take up: %s", async (known, kind, at) => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, kind, 1, at);
      const [config, point] = [optimizer.getConfig(), variables.map((x) => x.dataSync())];
      const states = (await optimizer.getWeights()).map(({ tensor }) => tensor.dataSync());
      walk(optimizer, variables, kind, at + 1, at + 30);
      const expected = variables.map(numbers);
      for (const other of BACKENDS) {
        await tf.setBackend(other);
        const again = point.map((values) => variable(values));
        const loaded = superlevelOptimizer(config);
        const weights = states.map((values) => ({ name: "", tensor: tf.tensor(values, undefined, "int32") }));
        await loaded.setWeights(weights);
        expect(loaded.gradients).toBe(known);
        expect(loaded.iterations).toBe(at);
        walk(loaded, again, kind, at + 1, at + 30);
        expect(loaded.gradients).toBe(kind);
        expect(again.map(numbers)).toEqual(expected);
      }
    });
  });

  describe("a known loss", () => {
    /** So steep that a step promises more than a fifth of it: then S does not grow. */
    const steep = (x: tf.Variable) => tf.mul<tf.Scalar>(1e-3, tf.sum(tf.sub(tf.abs(x), 0.9)));
    const options: TfjsOptions = { gradients: "noisy" };
    const start = Float32Array.from({ length: 16 }, (_, i) => 1 + 0.1 * i);

    type Step = (optimizer: SuperlevelOptimizer, x: tf.Variable) => void | Promise<void>;

    async function pathOf(step: Step, steps = 8): Promise<number[]> {
      const x = variable(start);
      const optimizer = superlevelOptimizer(options);
      for (let k = 0; k < steps; k++) await step(optimizer, x);
      return [...numbers(x), optimizer.scale as number];
    }

    /** What `createOptimizer` does when it is told the loss, and when it is not. */
    function plain(tells: (step: number) => boolean, steps = 8): number[] {
      const optimizer = createOptimizer(start, options);
      for (let k = 1; k <= steps; k++) {
        const g = optimizer.params.map((x) => Math.fround(1e-3) * Math.sign(x));
        const loss = tf.tidy(() => steep(variable(optimizer.params)).dataSync()[0]);
        optimizer.step(g, tells(k) ? { loss } : undefined);
      }
      return [...optimizer.params, optimizer.scale as number];
    }

    const compute = (optimizer: SuperlevelOptimizer, x: tf.Variable) =>
      optimizer.computeGradients(() => steep(x), [x]);

    it.each<[string, Step]>([
      ["minimize", (optimizer, x) => void optimizer.minimize(() => steep(x), false, [x])],
      [
        "minimize that returns the cost",
        (optimizer, x) => optimizer.minimize(() => steep(x), true, [x])!.dispose(),
      ],
      ["computeGradients", (optimizer, x) => optimizer.applyGradients(compute(optimizer, x).grads)],
      [
        "computeGradients, a list",
        (optimizer, x) => {
          const { grads } = compute(optimizer, x);
          optimizer.applyGradients([{ name: x.name, tensor: grads[x.name] }]);
        },
      ],
      [
        "computeGradients, asynchronously",
        (optimizer, x) => {
          const { grads, value } = compute(optimizer, x);
          const step = optimizer.applyGradientsAsync(grads);
          tf.dispose([grads, value]);
          return step;
        },
      ],
      [
        "a number that is told",
        (optimizer, x) => {
          const { grads, value } = tf.variableGrads(() => steep(x), [x]);
          optimizer.applyGradients(grads, { loss: value.dataSync()[0] });
        },
      ],
      [
        "a scalar that is told",
        (optimizer, x) => {
          const { grads, value } = tf.variableGrads(() => steep(x), [x]);
          const step = optimizer.applyGradientsAsync(grads, { loss: value });
          tf.dispose([grads, value]);
          return step;
        },
      ],
    ])("keeps S from growing: by %s", async (_, step) => {
      expect(await pathOf(step)).toEqual(plain(() => true));
      expect(plain(() => true)).not.toEqual(plain(() => false));
    });

    it.each<[string, Step]>([
      [
        "other gradients",
        (optimizer, x) => {
          const { grads } = compute(optimizer, x);
          optimizer.applyGradients({ [x.name]: tf.clone(grads[x.name]) });
        },
      ],
      [
        "a value that was disposed of",
        (optimizer, x) => {
          const { grads, value } = compute(optimizer, x);
          value.dispose();
          optimizer.applyGradients(grads);
        },
      ],
      [
        "gradients before the last",
        (optimizer, x) => {
          const { grads } = compute(optimizer, x);
          compute(optimizer, x);
          optimizer.applyGradients(grads);
        },
      ],
      [
        "gradients after a reset",
        (optimizer, x) => {
          const { grads } = compute(optimizer, x);
          if (optimizer.iterations === 0) optimizer.reset();
          else tf.dispose(compute(optimizer, x));
          optimizer.applyGradients(grads);
        },
      ],
    ])("of computeGradients is not used for %s", async (_, step) => {
      expect(await pathOf(step)).toEqual(plain(() => false));
    });

    it("of computeGradients is used once", async () => {
      const twice: Step = (optimizer, x) => {
        const { grads } = compute(optimizer, x);
        optimizer.applyGradients(grads);
        optimizer.applyGradients(grads);
      };
      expect(await pathOf(twice, 3)).toEqual(plain((step) => step % 2 === 1, 6));
      expect(plain((step) => step % 2 === 1, 6)).not.toEqual(plain(() => true, 6));
      // Nor when the step it was for has failed.
      const x = variable([1], "failed");
      const optimizer = superlevelOptimizer();
      const { grads } = optimizer.computeGradients(() => tf.sum(tf.mul(x, NaN)), [x]);
      expect(() => optimizer.applyGradients(grads)).toThrow("is NaN, and the loss is NaN");
      expect(() => optimizer.applyGradients(grads)).toThrow(/is NaN$/);
    });

    it("that is not finite takes no step", () => {
      const x = variable([3, 4]);
      const broken = () => tf.sum<tf.Scalar>(tf.add(x, NaN));
      const before = tf.memory().numTensors;
      const optimizer = superlevelOptimizer();
      let error: unknown;
      try {
        optimizer.minimize(broken, true, [x]);
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(OptimizerError);
      expect(error).toMatchObject({ code: "diverged", step: 1, message: "step 1: the loss is NaN" });
      expect(numbers(x)).toEqual([3, 4]);
      expect(optimizer.iterations).toBe(0);
      optimizer.dispose();
      expect(tf.memory().numTensors).toBe(before);
      const skipping = superlevelOptimizer({ nonFinite: "skip" });
      skipping.minimize(broken, false, [x]);
      expect(skipping.lastStep).toMatchObject({ step: 1, skipped: true });
      expect(numbers(x)).toEqual([3, 4]);
    });

    it("has to be a number or a scalar", () => {
      const x = variable([1]);
      const optimizer = superlevelOptimizer();
      const apply = (seen: object) => optimizer.applyGradients({ [x.name]: tf.tensor1d([1]) }, seen);
      expect(() => apply({ loss: "1" })).toThrow('seen.loss: expected a number, got "1"');
      expect(() => apply({ loss: tf.tensor1d([1, 2]) })).toThrow("a scalar tensor, got one of shape [2]");
      const gone = tf.scalar(1);
      gone.dispose();
      expect(() => apply({ loss: gone })).toThrow("a scalar tensor, got one disposed of");
      expect(() => apply({ lost: 1 })).toThrow('seen: unknown option "lost"');
      expect(optimizer.iterations).toBe(0);
    });

    it("leaves no tensor behind", () => {
      const x = variable(start);
      const optimizer = superlevelOptimizer();
      const round = () => {
        optimizer.minimize(() => steep(x), false, [x]);
        const { grads, value } = compute(optimizer, x);
        optimizer.applyGradients(grads);
        tf.dispose([grads, value]);
      };
      round();
      const { numTensors } = tf.memory();
      for (let k = 0; k < 20; k++) round();
      expect(tf.memory().numTensors).toBe(numTensors);
    });
  });

  describe("the average", () => {
    const snapshot = (variables: tf.Variable[]) =>
      variables.map((x) => ({ dataId: x.dataId, bytes: new Uint32Array(x.dataSync().slice().buffer) }));

    it("is in the variables while a function runs, and only then", async () => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, "noisy");
      expect(optimizer.copies).toBe(backend === "cpu");
      const [before, lastStep] = [snapshot(variables), optimizer.lastStep];
      const average = await optimizer.withAverage(() => readParams(variables));
      expect(snapshot(variables)).toEqual(before);
      expect(optimizer.lastStep).toEqual(lastStep);
      expect(Array.from(average)).not.toEqual(variables.flatMap(numbers));
    });

    it("changes nothing in the steps that follow", async () => {
      const [looking, plain] = [makeVariables(), makeVariables()];
      const [one, other] = [superlevelOptimizer(), superlevelOptimizer()];
      for (let step = 1; step <= 40; step++) {
        stepOn(one, looking, step, "noisy");
        stepOn(other, plain, step, "noisy");
        // Saved meanwhile is the run itself.
        await one.withAverage(() => one.getWeights());
      }
      expect(looking.map(numbers)).toEqual(plain.map(numbers));
      const [states, expected] = await Promise.all([one.getWeights(), other.getWeights()]);
      expect(numbers(states[1].tensor)).toEqual(numbers(expected[1].tensor));
    });

    it("belongs to where the variables are", async () => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, "noisy");
      const average = await optimizer.withAverage(() => numbers(variables[0]));
      const x = numbers(variables[0]);
      variables[0].assign(tf.add(variables[0], 10));
      const moved = await optimizer.withAverage(() => numbers(variables[0]));
      moved.forEach((value, i) => expect(value - average[i]).toBeCloseTo(10, 5));
      expect(numbers(variables[0])).toEqual(x.map((value) => Math.fround(value + 10)));
    });

    it.each([
      ["before the first step", {}, "noisy", 0],
      ["before the kind is known", {}, "noisy", 1],
      ["with exact gradients", {}, "exact", 20],
      ["with other tuners", { tuner: mechanic() }, "noisy", 20],
    ] as const)(
      "is not there %s: the function finds the variables as they are",
      async (_, given, kind, to) => {
        const variables = makeVariables();
        const optimizer = superlevelOptimizer(given);
        walk(optimizer, variables, kind, 1, to);
        const before = snapshot(variables);
        expect(await optimizer.withAverage(() => snapshot(variables))).toEqual(before);
        expect(snapshot(variables)).toEqual(before);
      },
    );

    it("is taken out again when the function throws, at once or later, or writes, or disposes", async () => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, "noisy");
      const before = snapshot(variables);
      const { numTensors } = tf.memory();
      const fail = () => {
        throw new Error("at once");
      };
      await expect(optimizer.withAverage(fail)).rejects.toThrow("at once");
      const later = async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        throw new Error("later");
      };
      await expect(optimizer.withAverage(later)).rejects.toThrow("later");
      await optimizer.withAverage(() => tf.tidy(() => variables[1].assign(tf.zeros([64]))));
      expect(snapshot(variables)).toEqual(before);
      expect(tf.memory().numTensors).toBe(numTensors);
      await optimizer.withAverage(() => optimizer.dispose());
      expect(snapshot(variables)).toEqual(before);
      await expect(optimizer.withAverage(() => 1)).rejects.toThrow("this optimizer was disposed of");
    });

    it("lets no step and no second look in", async () => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, "noisy", 1, 10);
      const before = snapshot(variables);
      const gradients = () =>
        Object.fromEntries(variables.map((x) => [x.name, tf.onesLike(x)])) as tf.NamedTensorMap;
      await optimizer.withAverage(async () => {
        const message = "withAverage: the variables hold the average until it settles";
        expect(() => optimizer.applyGradients(gradients())).toThrow(message);
        const bowl = () => tf.sum<tf.Scalar>(tf.square(variables[0]));
        expect(() => optimizer.minimize(bowl, false, variables)).toThrow(message);
        await expect(optimizer.applyGradientsAsync(gradients())).rejects.toThrow(message);
        await expect(optimizer.withAverage(() => 1)).rejects.toThrow(message);
      });
      expect(snapshot(variables)).toEqual(before);
      expect(optimizer.iterations).toBe(10);
      const step = optimizer.applyGradientsAsync(gradients());
      await expect(optimizer.withAverage(() => 1)).rejects.toThrow("has not settled; await it");
      await step;
      walk(optimizer, variables, "noisy", 12, 13);
      await expect(optimizer.withAverage(3 as never)).rejects.toThrow("f: expected a function, got 3");
    });

    it("of a state that was loaded needs to be told its variables", async () => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      walk(optimizer, variables, "noisy");
      const average = await optimizer.withAverage(() => variables.flatMap(numbers));
      const loaded = superlevelOptimizer();
      await loaded.setWeights(await optimizer.getWeights());
      const look = () => again.flatMap(numbers);
      const again = variables.map((x) => variable(x.dataSync()));
      await expect(loaded.withAverage(look)).rejects.toThrow(
        "withAverage: the state was loaded, and its var",
      );
      await expect(loaded.withAverage(look, again.slice(1))).rejects.toThrow("was saved with shape");
      expect(await loaded.withAverage(look, again)).toEqual(average);
      walk(loaded, again, "noisy", 41, 45);
      walk(optimizer, variables, "noisy", 41, 45);
      expect(again.map(numbers)).toEqual(variables.map(numbers));
    });
  });
});

describe("a network whose statistics are not trained", () => {
  it.each(BACKENDS)("needs nothing: it is evaluated where gradients were taken (%s)", async (backend) => {
    await tf.setBackend(backend);
    const { layers, initializers } = tfl;
    const seeded = (seed: number) => initializers.glorotNormal({ seed });
    const model = tfl.sequential();
    model.add(layers.dense({ units: 16, inputShape: [6], kernelInitializer: seeded(1) }));
    model.add(layers.batchNormalization({ momentum: 0.9 }));
    model.add(layers.reLU());
    model.add(layers.dense({ units: 1, kernelInitializer: seeded(2) }));
    const optimizer = superlevelOptimizer();
    model.compile({ optimizer, loss: "meanSquaredError" });
    const x = tf.randomNormal([256, 6], 0, 1, "float32", 3);
    const y = tf.add(tf.mean(tf.square(x), 1, true), tf.randomNormal([256, 1], 0, 0.1, "float32", 4));
    const lossOf = () => (model.evaluate(x, y, { batchSize: 256 }) as tf.Scalar).dataSync()[0];
    const first = lossOf();
    const averages: number[] = [];
    const onEpochEnd = async () => void averages.push(await optimizer.withAverage(lossOf));
    const { history } = await model.fit(x, y, {
      ...{ epochs: 60, batchSize: 32, shuffle: false, verbose: 0 },
      ...{ validationData: [x, y], callbacks: { onEpochEnd } },
    });
    expect(optimizer.gradients).toBe("noisy");
    const [trained, evaluated] = [history.loss, history.val_loss].map((all) => (all as number[]).at(-1));
    expect(lossOf()).toBeCloseTo(evaluated, 6);
    expect(trained).toBeLessThan(0.2 * first);
    expect(evaluated).toBeLessThan(1.2 * trained);
    // Statistics are those of where gradients were taken, so at the average they are a little off.
    expect(averages.at(-1)).toBeLessThan(1.5 * trained);
  });
});

describe("a change of backends", () => {
  it("keeps the average", async () => {
    await tf.setBackend("wasm");
    const variables = makeVariables();
    const optimizer = superlevelOptimizer();
    walk(optimizer, variables, "noisy");
    const look = () => optimizer.withAverage(() => variables.flatMap(numbers));
    const average = await look();
    await tf.setBackend("cpu");
    expect(await look()).toEqual(average);
    await tf.setBackend("wasm");
    expect(await look()).toEqual(average);
  });
});

describe("backends that read only asynchronously", () => {
  it("are never made to read a loss or an average at once", async () => {
    await tf.setBackend("cpu");
    const variables = makeVariables();
    const optimizer = superlevelOptimizer({ gradients: "noisy" });
    const bowl = () => tf.addN(variables.map((x) => tf.sum<tf.Scalar>(tf.square(x))));
    const dataSync = vi.spyOn(tf.Tensor.prototype, "dataSync").mockImplementation(() => {
      throw new Error("only CPU-resident tensors");
    });
    for (let step = 1; step <= 5; step++) {
      const { grads, value } = optimizer.computeGradients(bowl, variables);
      await optimizer.applyGradientsAsync(grads);
      tf.dispose([grads, value]);
    }
    expect((await optimizer.withAverage(() => readParams(variables))).every(Number.isFinite)).toBe(true);
    expect(dataSync).not.toHaveBeenCalled();
    dataSync.mockRestore();
    expect(optimizer.iterations).toBe(5);
  });
});
