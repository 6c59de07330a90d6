import { plainAdam, plainParameter, plainSgd, plainSuperlevel, type Plain } from "../plain.js";
import type { Contender } from "./contender.js";

/** Which of the plain loops, as data that a worker can be sent. */
export interface LoopSpec {
  readonly kind: "superlevel adam" | "superlevel sgd" | "adam" | "sgd" | "parameter";
  readonly size: number;
  readonly rate: number;
  readonly betas?: readonly number[];
}

function plainOf({ kind, size, rate, betas = [] }: LoopSpec): Plain {
  switch (kind) {
    case "superlevel adam":
      return plainSuperlevel(size, rate, "adam");
    case "superlevel sgd":
      return plainSuperlevel(size, rate, "sgd");
    case "adam":
      return plainAdam(size, rate);
    case "sgd":
      return plainSgd(size, rate);
    case "parameter":
      return plainParameter(size, rate, betas);
  }
}

/** Plain loops in this thread. */
export function loops(name: string, spec: LoopSpec): Contender {
  const plain = plainOf(spec);
  const g = new Float32Array(spec.size);
  return { name, vectors: { x: plain.x, g }, step: () => plain.step(g) };
}

/** Hundreds of steps go by between two gradients: against one that changes its sign, none runs away. */
export function alternating({ name, vectors, step, dispose }: Contender): Contender {
  const { g } = vectors!;
  g[0] = 0.1;
  return {
    name,
    step: () => {
      g[0] = -g[0];
      step();
    },
    dispose,
  };
}
