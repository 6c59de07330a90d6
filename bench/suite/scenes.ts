import { adadelta, adagrad, adam, adamax, lion, rmsprop, sgd, type Base } from "superlevel";
import { SIX_BETAS } from "../plain.js";
import { bandwidth } from "./bandwidth.js";
import type { Scene } from "./contender.js";
import { isolated } from "./isolate.js";
import { alternating, loops } from "./loops.js";
import { native, type NativeBuild } from "./native.js";
import { global, ours, plainAdam, type Engine, type Setup } from "./ours.js";
import { jax, tfjs } from "./others.js";

/** What runs here. */
export interface Field {
  readonly engines: readonly Engine[];
  readonly native: readonly NativeBuild[];
}

const rate = 1e-3;
const bases = { adam: plainAdam(rate), sgd: sgd({ learningRate: rate }) };

/** What minibatches get: no decay factor is given, so that the step says what squares weigh. */
const noisy: Setup = {
  label: "superlevel, noisy gradients",
  base: adam({ learningRate: rate }),
  tuner: global(),
  gradients: "noisy",
};

/** tfjs's cpu backend takes a second for so many parameters; what it lets rest in memory is not worth it. */
const SLOW_LIMIT = 1e6;

/** One tuner for all, over Adam or SGD, and everything that there is to compare it with. */
export function globalScene({ engines, native: builds }: Field, name: "adam" | "sgd", size: number): Scene {
  const isAdam = name === "adam";
  const base = bases[name];
  const vectors = isAdam ? 6 : 4;
  return {
    name,
    size,
    reference: "superlevel, plain JS",
    bytesPerParameter: isAdam ? 44 : 28,
    create: async () => [
      ...engines.flatMap((engine) => [
        ours(engine, size, { label: "superlevel", base, tuner: global() }),
        ours(engine, size, { label: "base alone", base, tuner: null }),
        ...(isAdam ? [ours(engine, size, noisy)] : []),
      ]),
      isolated("superlevel, plain JS", { kind: `superlevel ${name}`, size, rate }),
      loops("superlevel, plain JS, same thread", { kind: `superlevel ${name}`, size, rate }),
      isolated("base alone, plain JS", { kind: name, size, rate }),
      ...builds.map((build) => native(build, size, isAdam, rate)),
      ...(await bandwidth(size, vectors)),
      await tfjs("wasm", size, name),
      ...(size <= SLOW_LIMIT ? [await tfjs("cpu", size, name)] : []),
      ...(isAdam ? [await jax(size)] : []),
    ],
  };
}

/** A tuner for each coordinate. */
export function parameterScene({ engines }: Field, size: number): Scene {
  const counts = [1, 6];
  const betasOf = (count: number) => (count === 1 ? [0.99] : SIX_BETAS);
  return {
    name: "parameter",
    size,
    reference: "K = 1, plain JS",
    create: () =>
      Promise.resolve(
        counts.flatMap((count) => {
          const tuner = global({ granularity: "parameter", spread: null, betas: betasOf(count) });
          return [
            ...engines.map((engine) =>
              ours(engine, size, { label: `K = ${count}`, base: bases.adam, tuner }),
            ),
            isolated(`K = ${count}, plain JS`, { kind: "parameter", size, rate, betas: betasOf(count) }),
          ];
        }),
      ),
  };
}

const everyBase: Record<string, Base> = {
  ...bases,
  momentum: sgd({ learningRate: rate, momentum: 0.9 }),
  lion: lion({ learningRate: rate }),
  amsgrad: adam({ learningRate: rate, amsgrad: true }),
  nadam: adam({ learningRate: rate, nesterov: true }),
  adamax: adamax({ learningRate: rate }),
  rmsprop: rmsprop({ learningRate: rate }),
  adagrad: adagrad({ learningRate: rate }),
  adadelta: adadelta({ learningRate: rate }),
};

const split = (size: number, parts: number) => {
  const part = Math.floor(size / parts);
  return Array.from({ length: parts }, (_, k) => (k < parts - 1 ? part : size - part * (parts - 1)));
};

/** Every base under every granularity, base by base, so that memory is that of one. */
export function baseScenes({ engines }: Field, size: number): Scene[] {
  const settings = [
    { label: "no tuner", tuner: null },
    { label: "global", tuner: global() },
    { label: "10 tensors", tuner: global({ granularity: "tensor" }), tensors: split(size, 10) },
    { label: "parameter", tuner: global({ granularity: "parameter" }) },
  ];
  return Object.entries(everyBase).map(([name, base]) => ({
    name: `base ${name}`,
    size,
    reference: "Adam, plain JS",
    create: () =>
      Promise.resolve([
        ...engines.flatMap((engine) => settings.map((setting) => ours(engine, size, { base, ...setting }))),
        isolated("Adam, plain JS", { kind: "adam", size, rate }),
      ]),
  }));
}

/** Many tensors against one of the same size. */
export function tensorScene({ engines }: Field, count: number, each: number): Scene {
  const tensors = new Array<number>(count).fill(each);
  const base = bases.adam;
  return {
    name: "tensors",
    size: count * each,
    reference: "plain JS",
    create: () =>
      Promise.resolve([
        ...engines.flatMap((engine) => [
          ours(engine, count * each, { label: "one tensor", base, tuner: global() }),
          ours(engine, count * each, { label: `${count} tensors`, base, tuner: global(), tensors }),
          ours(engine, count * each, {
            label: `${count} tensors with a tuner each`,
            base,
            tuner: global({ granularity: "tensor" }),
            tensors,
          }),
        ]),
        isolated("plain JS", { kind: "superlevel adam", size: count * each, rate }),
      ]),
  };
}

/** What a call costs: sixteen parameters. */
export function callScene({ engines, native: builds }: Field): Scene {
  return {
    name: "call",
    size: 16,
    stepsAtOnce: 500,
    reference: "plain JS",
    create: () =>
      Promise.resolve([
        ...engines.flatMap((engine) => [
          alternating(ours(engine, 16, { label: "superlevel", base: bases.adam, tuner: global() })),
          alternating(ours(engine, 16, { label: "base alone", base: bases.adam, tuner: null })),
          alternating(ours(engine, 16, noisy)),
        ]),
        isolated("plain JS", { kind: "superlevel adam", size: 16, rate }, true),
        ...builds.slice(0, 1).map((build) => alternating(native(build, 16, true, rate))),
      ]),
  };
}
