/** A model.json comes from anywhere: whatever its configuration says is taken, or refused by name, and holds nobody up. */
import "@tensorflow/tfjs-backend-cpu";
import type { serialization } from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { adam, adamw, scheduleFree, superlevel, windowDecay } from "../../src/index.js";
import { SuperlevelOptimizer, superlevelOptimizer, type TfjsOptions } from "../../src/adapters/tfjs/index.js";

type Config = serialization.ConfigDict;

const load = (config: Config) => SuperlevelOptimizer.fromConfig(SuperlevelOptimizer, config);

const options: TfjsOptions[] = [
  {},
  { base: scheduleFree(adamw({ learningRate: 0.01 })), tuner: null, clip: { norm: 1 } },
  {
    base: adam({ learningRate: windowDecay(0.5) }),
    tuner: superlevel({ betas: [0.9, 0.99], granularity: "tensor" }),
    perVariable: [{ weightDecay: 0, frozen: true }, undefined, { learningRate: 2 }],
  },
];

/** Two hundred thousand of one another. */
function nested(wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let k = 0; k < 2e5; k++) value = wrap(value);
  return value;
}

const hostile: [what: string, value: unknown][] = [
  ...[null, true, "", "__proto__", -1, 0, 1e308, 1e-320, NaN, Infinity, 2 ** 53].map(
    (value): [string, unknown] => [String(value), value],
  ),
  ["1 MB of text", "x".repeat(1e6)],
  ["[]", []],
  ["{}", {}],
  ["[[]]", [[]]],
  ["a length of 1e9", { length: 1e9 }],
  ["a schedule", { kind: "constant", value: 1 }],
  ["a thousand keys", Object.fromEntries(Array.from({ length: 1000 }, (_, k) => [`key${k}`, k]))],
  ["deep lists", nested((inner) => [inner])],
  ["deep bases", nested((base) => ({ name: "scheduleFree", base }))],
];

/** Every place in a value, as the keys that lead to it. */
function* places(value: unknown, at: readonly string[] = []): Generator<readonly string[]> {
  yield at;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* places(inner, [...at, key]);
}

function withAt(value: unknown, [key, ...rest]: readonly string[], bad: unknown): unknown {
  if (key === undefined) return bad;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  copy[key] = withAt(copy[key], rest, bad);
  return copy;
}

describe.each(options.map((given) => superlevelOptimizer(given).getConfig()))("a configuration", (config) => {
  it.each(hostile)("with %s at any place is taken, or refused by name", (_what, bad) => {
    let refused = 0;
    for (const at of places(config)) {
      const spoilt = withAt(config, at, bad) as Config;
      try {
        const loaded = load(spoilt);
        // What is taken can be saved and loaded again; by layers only once there are variables.
        if (Array.isArray(spoilt.perVariable ?? [])) load(loaded.getConfig());
      } catch (error) {
        refused++;
        const { name, message } = error as Error;
        expect([name, at.join(".")]).toEqual([expect.stringMatching(/^(Type|Range)Error$/), at.join(".")]);
        expect(message).toMatch(/expected|unknown option|unknown/);
        expect(message.length).toBeLessThan(400);
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  it("as it is saved is loaded", () => {
    expect(load(config).getConfig()).toEqual(config);
  });
});
