/** An engine in another library's memory, with gradients and parameters wherever that has put them. */
import { describe, expect, test } from "vitest";
import { adam, type Base, type Tuner } from "../../src/index.js";
import { resolve } from "../../src/stepper/config.js";
import { createEngine, createHostedEngine, type Engine } from "../../src/engine/engine.js";
import { Optimizer } from "../../src/optimizer.js";
import { Stepper } from "../../src/stepper/stepper.js";
import { bases, gradientAt, noise, startAt } from "../support/cases.js";
import { forms, scalesOf } from "../support/forms.js";

const FOREIGN = 0xa5;
const GAP = 36;

interface Layout {
  readonly sizes: readonly number[];
  readonly frozen?: number;
}

const layouts: Record<string, Layout> = {
  "one tensor of 5": { sizes: [5] },
  "whole turns": { sizes: [64] },
  "a block and a bit": { sizes: [1029] },
  "many, at every alignment": { sizes: [3, 14, 1030, 5, 16, 2100, 7], frozen: 4 },
};

/** A memory that is full of someone else's bytes. Allocates from the front; tensors lie between guards. */
class ForeignMemory {
  readonly memory = new WebAssembly.Memory({ initial: 12, maximum: 1000 });
  #end = 1028;

  constructor() {
    new Uint8Array(this.memory.buffer).fill(FOREIGN);
  }

  readonly allocate = (bytes: number): number => {
    const at = this.#end;
    this.#end += bytes + GAP;
    return at;
  };

  grow(): void {
    const pages = this.memory.grow(1);
    new Uint8Array(this.memory.buffer, 65536 * pages).fill(FOREIGN);
  }

  floats(at: number, size: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, size);
  }

  /** The first byte outside of the parts given that is no longer what it was; −1 where there is none. */
  damage(parts: readonly (readonly [at: number, bytes: number])[]): number {
    const bytes = new Uint8Array(this.memory.buffer).slice();
    for (const [at, length] of parts) bytes.fill(FOREIGN, at, at + length);
    return bytes.findIndex((byte) => byte !== FOREIGN);
  }
}

interface Tenant {
  readonly optimizer: Optimizer;
  readonly engine: Engine;
  readonly host: ForeignMemory;
  /** Places of parameters and gradients of every tensor. */
  readonly params: number[];
  readonly grads: number[];
  readonly parts: [number, number][];
}

type Options = Parameters<typeof resolve>[1];

function specsOf({ sizes, frozen }: Layout, x0: Float32Array) {
  let first = 0;
  return sizes.map((size, k) => {
    first += size;
    return { shape: [size], values: x0.subarray(first - size, first), frozen: k === frozen };
  });
}

function hosted(layout: Layout, options: Options, x0: Float32Array, external: boolean): Tenant {
  const host = new ForeignMemory();
  const { sizes, frozen } = layout;
  const parts: [number, number][] = [];
  const allocate = (bytes: number): number => {
    const at = host.allocate(bytes);
    parts.push([at, bytes]);
    return at;
  };
  const specs = specsOf(layout, x0).map(({ shape, frozen }) => ({ shape, frozen }));
  const resolved = resolve(specs, options, true);
  const engine = createHostedEngine(resolved.program, { memory: host.memory, allocate, external });
  const params = sizes.map((size) => allocate(4 * size));
  const grads = sizes.map((size) => allocate(4 * size));
  let segment = 0;
  sizes.forEach((_, k) => {
    if (k !== frozen) engine.kernels.setPlace(segment++, grads[k], params[k]);
  });
  let first = 0;
  sizes.forEach((size, k) => {
    host.floats(params[k], size).set(x0.subarray(first, first + size));
    first += size;
  });
  return { optimizer: new Optimizer(new Stepper(resolved, engine)), engine, host, params, grads, parts };
}

/** `expect` would take most of the time. */
function mustEqual(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) if (actual[i] !== expected[i]) expect(actual).toEqual(expected);
}

function walkBeside(layout: Layout, options: Options, external: boolean): void {
  const size = layout.sizes.reduce((sum, each) => sum + each, 0);
  const random = noise(size);
  const x0 = startAt(size, random);
  const resolved = resolve(specsOf(layout, x0), options, true);
  const own = new Optimizer(new Stepper(resolved, createEngine(resolved.program)));
  const tenant = hosted(layout, options, x0, external);
  const { host, optimizer, parts } = tenant;
  for (let step = 1; step <= 60; step++) {
    const g = gradientAt(step, size, random);
    // The host's memory grows, and what it held moves for JavaScript.
    if (step === 20) host.grow();
    let first = 0;
    layout.sizes.forEach((each, k) => {
      host.floats(tenant.grads[k], each).set(g.subarray(first, first + each));
      first += each;
    });
    const [info, expected] = [optimizer.step(), own.step(g)];
    if (info.h !== expected.h || info.gradNorm !== expected.gradNorm) expect(info).toEqual(expected);
    first = 0;
    layout.sizes.forEach((each, k) => {
      mustEqual(host.floats(tenant.params[k], each), own.params.subarray(first, first + each));
      mustEqual(host.floats(tenant.grads[k], each), g.subarray(first, first + each));
      first += each;
    });
    mustEqual(scalesOf(optimizer), scalesOf(own));
  }
  expect(host.damage(parts)).toBe(-1);
}

const chosen: Record<string, Base> = {
  sgd: bases["sgd with weight decay"],
  adam: adam({ learningRate: 0.01 }),
  adamw: bases.adamw,
  rmsprop: bases["rmsprop, centered with momentum"],
};

describe.each(Object.entries(layouts))("%s", (_name, layout) => {
  describe.each(Object.entries(forms))("%s", (_form, tuner: Tuner | null) => {
    test.each(Object.entries(chosen))("%s: the bits of an engine at home", (_base, base) => {
      walkBeside(layout, { base, tuner }, true);
    });
  });

  test("with vectors of its own beside them, clipping, and rates from the norm", () => {
    walkBeside(layout, { clip: { norm: 0.5, value: 0.7 }, normAdaptive: true }, false);
  });
});

test("needs no more than it allocates, and less without vectors of its own", () => {
  const [x0, layout] = [new Float32Array(5000).fill(1), { sizes: [5000] }];
  const [bare, whole] = [hosted(layout, {}, x0, true), hosted(layout, {}, x0, false)];
  expect(bare.optimizer.bytesPerParameter).toBe(whole.optimizer.bytesPerParameter - 8);
  expect(whole.parts[0][1] - bare.parts[0][1]).toBe(2 * 4 * 5008);
  expect(whole.engine.params.length).toBe(5000);
  expect(bare.engine.params.length).toBe(0);
});

test("an allocation that fails leaves the host as it was", () => {
  const host = new ForeignMemory();
  const allocate = () => {
    throw new RangeError("full");
  };
  const { program } = resolve(10, {});
  const create = () => createHostedEngine(program, { memory: host.memory, allocate, external: true });
  expect(create).toThrow("full");
  expect(host.damage([])).toBe(-1);
});
