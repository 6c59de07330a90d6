/** States that do not fit or are damaged: an OptimizerError "state", and nothing has changed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  createOptimizer,
  equations,
  lion,
  mechanic,
  OptimizerError,
  sgd,
  superlevel,
} from "../../src/index.js";
import type { Optimizer, OptimizerOptions, TensorSpec } from "../../src/index.js";
import { Group } from "../../src/engine/records.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { descriptionOf, mustMatch, payloadBegin, redescribed, sameBytes, sealed } from "../support/state.js";

describe.each(engines)("%s engine", (engine) => {
  const size = 3;

  /** Some steps into a run, in a window of its own. */
  function walked(options: OptimizerOptions = {}, params: number | TensorSpec[] = size): Optimizer {
    const optimizer = createOptimizer(params, { engine, ...options });
    optimizer.setParams(Float32Array.from({ length: optimizer.size }, (_, i) => 1 + i));
    for (let k = 1; k <= 9; k++) optimizer.step(optimizer.params.map((x, i) => x * Math.sin(k + i)));
    return optimizer;
  }

  const [optimizer, untouched] = [walked(), walked()];
  const state = optimizer.save();

  /** Refuses, and is afterwards what it was before. */
  function mustRefuse(bytes: Uint8Array, message?: RegExp): void {
    const error = errorOf(() => optimizer.restore(bytes));
    const refused =
      error instanceof OptimizerError && error.code === "state" && /^state: /.test(error.message);
    if (!refused || (message && !message.test(error.message))) throw error;
    if (!sameBytes(optimizer.save(), state))
      throw new Error(`it changed by what it refused: ${error.message}`);
  }

  test("its own state is taken", () => {
    expect(optimizer.restore(state)).toBe(optimizer);
    mustMatch(optimizer, walked());
    optimizer.restore(state);
  });

  test("what is no Uint8Array", () => {
    const wrong: [unknown, string][] = [
      [undefined, "undefined"],
      [null, "null"],
      ["SLVL", '"SLVL"; text such as base64 has to be decoded first'],
      [Array.from(state), `an array of ${state.length}`],
      [state.buffer, "an object"],
      [new Float32Array(4), "Float32Array"],
      [new DataView(state.buffer), "DataView"],
    ];
    for (const [value, shown] of wrong) {
      const error = errorOf(() => optimizer.restore(value as Uint8Array));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe(`state: expected a Uint8Array, got ${shown}`);
    }
    expect(sameBytes(optimizer.save(), state)).toBe(true);
  });

  test("truncated at any byte, or with bytes behind", () => {
    for (let length = 0; length < state.length; length++) {
      mustRefuse(
        state.subarray(0, length),
        length < 16
          ? /bytes are too few for a saved state/
          : /truncated or damaged \(checksum\)|bytes of payload/,
      );
    }
    for (const more of [1, 4, 64]) {
      const longer = new Uint8Array(state.length + more);
      longer.set(state);
      mustRefuse(longer);
      mustRefuse(sealed(longer), /damaged \(\d+ bytes of payload\)$/);
    }
    const whole = state.slice(0, -64);
    mustRefuse(sealed(whole), /damaged \(\d+ bytes of payload\)$/);
  });

  test("any single bit flipped", () => {
    for (let bit = 0; bit < 8 * state.length; bit++) {
      const flipped = state.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      mustRefuse(flipped);
    }
  });

  test("other bytes and other versions say what they are", () => {
    mustRefuse(
      new TextEncoder().encode("hello, this is no saved state"),
      /not a saved state \(no magic number\)/,
    );
    for (const version of [0, 1, 4, 7, 2 ** 32 - 1]) {
      const other = state.slice();
      new DataView(other.buffer).setUint32(4, version, true);
      mustRefuse(
        sealed(other),
        new RegExp(`^state: it has version ${version}; this package reads versions 2 and 3$`),
      );
    }
  });

  const bigger: TensorSpec[] = [{ shape: [2] }, { shape: [1] }];
  const others: [what: string, saved: () => Optimizer, message: string][] = [
    ["another size", () => walked({}, 4), "shape [4]; this optimizer has [3]"],
    ["other tensors", () => walked({}, bigger), "shape [2]; this optimizer has [3]"],
    ["another base", () => walked({ base: lion() }), 'base.name "lion"; this optimizer has "adam"'],
    [
      "another base of the same kernel",
      () => walked({ base: adamw() }),
      'base.name "adamw"; this optimizer has "adam"',
    ],
    [
      "another form",
      () => walked({ tuner: mechanic({ delta: "stored" }) }),
      'tuner.form "mechanic"; this optimizer has "superlevel"',
    ],
    ["no tuner", () => walked({ tuner: null }), 'tuner.form null; this optimizer has "superlevel"'],
    [
      "another Δ",
      () => walked({ tuner: superlevel({ delta: "reconstructed" }) }),
      'tuner.delta "reconstructed"; this optimizer has "stored"',
    ],
    [
      "fewer betas",
      () => walked({ tuner: superlevel({ betas: [0.9, 0.99] }) }),
      "tuner.betas [0.9,0.99]; this optimizer has [0.9,0.99,0.999,0.9999,0.99999,0.999999]",
    ],
    [
      "other betas",
      () => walked({ tuner: superlevel({ betas: [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.5] }) }),
      "tuner.betas [0.9,0.99,0.999,0.9999,0.99999,0.5]; this optimizer has [0.9,0.99,0.999,0.9999,0.99999,0.999999]",
    ],
    [
      "another decay of a moment",
      () => walked({ base: adam({ beta2: 0.99 }) }),
      "base.beta2 0.99; this optimizer has none",
    ],
  ];

  test.each(others)("%s", (_what, saved, message) => {
    const other = saved();
    const pattern = new RegExp(
      `^state: (it|tensor "params") was saved with ${message.replaceAll(/[[\].]/g, "\\$&")}$`,
    );
    mustRefuse(other.save(), pattern);
    // And the other way round.
    const kept = other.save();
    expect(errorOf(() => other.restore(state))).toMatchObject({ code: "state" });
    expect(sameBytes(other.save(), kept)).toBe(true);
  });

  test("sgd with and without momentum are not the same", () => {
    const [plain, heavy] = [walked({ base: sgd() }), walked({ base: sgd({ momentum: 0.9 }) })];
    expect(errorOf(() => plain.restore(heavy.save())).message).toMatch(
      /^state: it was saved with base.momentum 0.9; this optimizer has 0$/,
    );
    const printed = [walked({ tuner: equations() }), walked({ tuner: equations({ delta: "additive" }) })];
    expect(errorOf(() => printed[0].restore(printed[1].save()))).toMatchObject({ code: "state" });
  });

  test("descriptions that make no sense, with a checksum that fits", () => {
    const description = descriptionOf(state);
    const clock = description.clock as Record<string, unknown>;
    const clocks = [undefined, null, 5, [], {}].map((each) => ({ ...description, clock: each }));
    const values = [undefined, null, -1, "5", NaN, true, {}, [1], -1e-300];
    const counts = [0.5, 1e300, 2 ** 60];
    for (const key of Object.keys(clock)) {
      const whole = /^(iterations|skipped|windowStart|momentumStart|anchors|slopes)$/.test(key);
      // A mean of what has any sign.
      const wrong = key === "slopeMean" ? values.filter((value) => !(Number(value) < 0)) : values;
      for (const value of [...wrong, ...(whole ? counts : [])]) {
        clocks.push({ ...description, clock: { ...clock, [key]: value } });
      }
    }
    for (const each of clocks) mustRefuse(redescribed(state, each), /damaged \(clock\)/);
    mustRefuse(
      redescribed(state, { ...description, clock: { ...clock, windowStart: 10 } }),
      /damaged \(clock\)/,
    );
    // Where no step moved anything, nothing was averaged and no rate was used.
    mustRefuse(redescribed(state, { ...description, clock: { ...clock, skipped: 9 } }), /damaged \(clock\)/);
    // A JSON number may be infinite.
    const text = JSON.stringify(description);
    for (const key of Object.keys(clock)) {
      mustRefuse(
        redescribed(state, text.replace(new RegExp(`"${key}":[^,}]+`), `"${key}":1e999`)),
        /damaged \(clock\)/,
      );
    }
    for (const junk of ["", "{", "null", "7", '"SLVL"', "[]", "{}", "{}{}", "\u0000"])
      mustRefuse(redescribed(state, junk));
    for (const key of Object.keys(description))
      mustRefuse(redescribed(state, { ...description, [key]: undefined }));
    // The description's length may point anywhere.
    for (const length of [0, 8, payloadBegin(state), state.length - 16, state.length, 2 ** 31, 2 ** 32 - 1]) {
      const other = state.slice();
      new DataView(other.buffer).setUint32(12, length, true);
      mustRefuse(sealed(other));
    }
  });

  test("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2 * state.length }), fc.boolean(), (bytes, headed) => {
        if (headed && bytes.length >= 16) {
          bytes.set(state.subarray(0, 8));
          sealed(bytes);
        }
        mustRefuse(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  const edits = fc.array(
    fc.record({ at: fc.nat(state.length - 1), value: fc.integer({ min: 0, max: 255 }) }),
    {
      minLength: 1,
      maxLength: 8,
    },
  );

  test("valid states with some bytes changed", () => {
    fc.assert(
      fc.property(edits, (changes) => {
        const other = state.slice();
        for (const { at, value } of changes) other[at] = value;
        fc.pre(!sameBytes(other, state));
        mustRefuse(other);
      }),
      { numRuns: 2000 },
    );
  });

  test("the same with a checksum that fits: refused, or taken whole", () => {
    let taken = 0;
    fc.assert(
      fc.property(edits, (changes) => {
        const other = state.slice();
        for (const { at, value } of changes) other[at] = value;
        sealed(other);
        try {
          optimizer.restore(other);
        } catch {
          mustRefuse(other);
          return;
        }
        taken++;
        // Nobody can tell that these numbers are others. They are as good as any, or fail as clearly.
        const again = optimizer.save();
        // Sums that every step clears are not kept.
        const sums = new DataView(other.buffer, payloadBegin(other));
        for (const sum of [Group.gg, Group.yy, Group.dy]) sums.setFloat64(8 * sum, 0);
        if (!sameBytes(again.subarray(payloadBegin(again)), other.subarray(payloadBegin(other))))
          throw new Error("half of it is there");
        try {
          optimizer.step([1, -1, 0.5]);
        } catch (error) {
          if (!(error instanceof OptimizerError && ["diverged", "singular"].includes(error.code)))
            throw error;
        }
        optimizer.restore(state);
        mustRefuse(state.subarray(1));
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test("numbers that are none: a step says so, and does not take them for somebody's writing", () => {
    for (let at = payloadBegin(state); at + 4 <= state.length; at += 4) {
      const other = state.slice();
      new DataView(other.buffer).setFloat32(at, NaN, true);
      sealed(other);
      try {
        optimizer.restore(other).step([1, -1, 0.5]);
      } catch (error) {
        expect(error).toBeInstanceOf(OptimizerError);
        expect(["diverged", "singular", "state"]).toContain((error as OptimizerError).code);
      }
      optimizer.restore(state);
    }
  });

  test("after all of that, it is as it was", () => {
    mustMatch(optimizer, untouched);
  });
});

/** A sum or a product alone would let the changes of the highest bits cancel. */
test("damage in the highest bit of two words is noticed", () => {
  const optimizer = createOptimizer([1, 2, 3]);
  optimizer.step([1, 1, 1]);
  const state = optimizer.save();
  for (const [one, other] of [
    [19, 23],
    [state.length - 5, state.length - 1],
    [40, 41],
  ]) {
    const damaged = state.slice();
    damaged[one] ^= 0x80;
    damaged[other] ^= 0x80;
    expect(() => optimizer.restore(damaged)).toThrow(/damaged/);
  }
});
