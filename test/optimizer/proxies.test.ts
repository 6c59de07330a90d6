/** What is called on something else than the object itself: a Proxy, a copy, nothing. */
import { numpy as np } from "@jax-js/jax";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import { createOptimizer } from "../../src/index.js";
import { gradientTransformation } from "../../src/adapters/jax/index.js";
import { superlevelOptimizer } from "../../src/adapters/tfjs/index.js";
import { createThreadedOptimizer } from "superlevel/threads";

/** As Vue's `reactive`: methods and getters see the Proxy as `this`. */
const reactive = <T extends object>(target: T): T =>
  new Proxy(target, { get: (object, key, receiver): unknown => Reflect.get(object, key, receiver) });

const named = {
  name: "TypeError",
  message: expect.stringMatching(
    /^optimizer: called on a Proxy or a copy of it; call it on the optimizer itself \(with Vue, keep markRaw\(optimizer\)/,
  ) as string,
};

/** Every public member of a class and of those it extends, but for those of the library `ends` is from. */
function membersOf(object: object, ends: object = Object.prototype): (string | symbol)[] {
  const found: (string | symbol)[] = [];
  for (
    let at = Object.getPrototypeOf(object) as object;
    at !== ends;
    at = Object.getPrototypeOf(at) as object
  )
    found.push(...Reflect.ownKeys(at));
  const own = found.filter((key) => key !== "constructor" && key !== Symbol.toStringTag);
  return [...new Set(own)];
}

/** What a member throws where it is used. */
function use(object: object, key: string | symbol): unknown {
  try {
    const member = (object as Record<string | symbol, unknown>)[key];
    if (typeof member === "function")
      return (member as (this: object, ...args: unknown[]) => unknown).call(object, [1, 1]);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a Proxy of an optimizer", () => {
  const optimizer = createOptimizer([1, 2]);

  test.each(membersOf(optimizer))("%s says what is wrong", (key) => {
    expect(use(reactive(optimizer), key)).toMatchObject(named);
    expect(use({ ...optimizer, __proto__: Object.getPrototypeOf(optimizer) as object }, key)).toMatchObject(
      named,
    );
  });

  test("leaves the optimizer as it is", () => {
    expect(optimizer.iterations).toBe(0);
    expect(optimizer.step([1, 1]).step).toBe(1);
  });
});

test("a Proxy of a threaded optimizer", async () => {
  const optimizer = await createThreadedOptimizer(100, { threads: 2, threshold: 0 });
  const proxy = reactive(optimizer);
  await expect(proxy.stepAsync()).rejects.toMatchObject(named);
  expect(use(proxy, "dispose")).toMatchObject(named);
  expect((await optimizer.stepAsync(new Float32Array(100).fill(1))).step).toBe(1);
  optimizer.dispose();
});

describe("a Proxy of an optimizer for TensorFlow.js", () => {
  const optimizer = superlevelOptimizer();

  test.each(membersOf(optimizer, tf.Optimizer.prototype))("%s says what is wrong", async (key) => {
    expect(
      await Promise.resolve(use(reactive(optimizer), key)).catch((error: unknown) => error),
    ).toMatchObject(named);
  });

  test("minimize leaves nothing behind", () => {
    const x = tf.variable(tf.scalar(1));
    const before = tf.memory().numTensors;
    expect(() => reactive(optimizer).minimize(() => tf.square(x))).toThrow("called on a Proxy");
    expect(tf.memory().numTensors).toBe(before);
  });
});

test("a Proxy of a state for jax-js", () => {
  const state = reactive(gradientTransformation().init({ w: np.zeros([2]) }));
  for (const call of [() => state.save(), () => state.dispose()])
    expect(call).toThrow("state: called on a Proxy or a copy of it");
});

test("Vue makes no Proxy of any of them: their tag is none that it knows", () => {
  const all = [
    createOptimizer(1),
    superlevelOptimizer(),
    gradientTransformation().init({ w: np.zeros([2]) }),
  ];
  expect(all.map(String)).toEqual(["[object Optimizer]", "[object SuperlevelOptimizer]", "[object State]"]);
});
