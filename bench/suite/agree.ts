import { sgd } from "superlevel";
import type { Contender } from "./contender.js";
import { native } from "./native.js";
import { global, ours, plainAdam } from "./ours.js";
import { loops } from "./loops.js";
import type { Field } from "./scenes.js";

const [size, steps, rate] = [2000, 50, 1e-3];

/**
 * Walks against gradients that do not depend on the point, so that rounding does not grow. They turn, and keep their length: a
 * longer one would be clipped under sgd(), which the loops and C leave out.
 */
function walk({ vectors, step }: Contender): Float32Array {
  const { x, g } = vectors!;
  for (let t = 1; t <= steps; t++) {
    for (let i = 0; i < size; i += 2) {
      const length = 1 + 0.5 * Math.sin(i);
      g[i] = length * Math.sin(1.7 * i + 0.05 * t);
      g[i + 1] = length * Math.cos(1.7 * i + 0.05 * t);
    }
    step();
  }
  return x;
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / Math.max(...b.map(Math.abs));
}

/** Who is compared takes the same steps: throws if a contender ends elsewhere than the default engine. */
export function agree({ engines, native: builds }: Field): void {
  for (const name of ["adam", "sgd"] as const) {
    const base = name === "adam" ? plainAdam(rate) : sgd({ learningRate: rate });
    const [first, ...rest] = engines.map((engine) =>
      ours(engine, size, { label: "superlevel", base, tuner: global() }),
    );
    const end = walk(first);
    for (const contender of [
      ...rest,
      loops("plain JS", { kind: `superlevel ${name}`, size, rate }),
      ...builds.map((build) => native(build, size, name === "adam", rate)),
    ]) {
      const found = distance(walk(contender), end);
      if (!(found < 1e-5))
        throw new Error(`${contender.name} over ${name} ends ${found} away from superlevel`);
    }
  }
}
