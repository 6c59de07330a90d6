import { createOptimizer, type OptimizerOptions } from "superlevel";

/** What a run needs of an optimizer. */
export interface Descent {
  /** Where gradients are taken. */
  readonly params: Float32Array;
  /** The next step's gradient is written here. */
  readonly grads: Float32Array;
  /** `loss` is that of the examples the gradient comes from. */
  readonly step: (loss: number) => void;
  /** The point that counts, where it is not `params`. */
  readonly result?: () => Float32Array;
  /** Nothing of it is used any more. */
  readonly end?: () => void;
}

export type Create = (start: Float32Array, steps: number) => Descent;

export function ofPackage(options?: OptimizerOptions): (start: Float32Array) => Descent {
  return (start) => {
    const optimizer = createOptimizer(start, options);
    const { params, grads } = optimizer;
    return { params, grads, step: () => void optimizer.step(), end: () => optimizer.dispose() };
  };
}

/** As `ofPackage`, and each step is told its loss. A version that takes no loss ignores it. */
export function ofPackageTold(options?: OptimizerOptions): (start: Float32Array) => Descent {
  return (start) => {
    const optimizer = createOptimizer(start, options);
    const { params, grads } = optimizer;
    const told = optimizer as unknown as { step(grads: undefined, known: { loss: number }): unknown };
    return {
      params,
      grads,
      step: (loss) => void told.step(undefined, { loss }),
      end: () => optimizer.dispose(),
    };
  };
}
