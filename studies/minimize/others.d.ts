/* The parts of packages without types that studies/minimize/main.ts uses. */

declare module "numeric" {
  const numeric: {
    /** BFGS. */
    uncmin(
      f: (x: number[]) => number,
      start: number[],
      tolerance: number | undefined,
      gradient: (x: number[]) => number[],
      iterations: number,
    ): { solution: number[]; f: number };
  };
  export default numeric;
}

declare module "nlopt-js" {
  interface Optimize {
    /** `grad` is given by methods that use gradients. */
    setMinObjective(f: (x: number[], grad?: number[]) => number, tolerance: number): void;
    setMaxeval(evaluations: number): void;
    optimize(start: number[]): { success: boolean; x: number[]; value: number };
  }
  const nlopt: {
    readonly ready: Promise<void>;
    readonly Optimize: new (algorithm: number, dimensions: number) => Optimize;
    readonly Algorithm: Readonly<Record<"LD_LBFGS" | "LN_BOBYQA", number>>;
    readonly GC: { flush(): void };
  };
  export default nlopt;
}

declare module "fmin/index.js" {
  interface Options {
    maxIterations?: number;
  }
  export function conjugateGradient(
    f: (x: number[], gradient: number[]) => number,
    start: number[],
    options?: Options,
  ): { x: number[]; fx: number };
  export function nelderMead(
    f: (x: number[]) => number,
    start: number[],
    options?: Options,
  ): number[] & { fx: number };
}
