/** The part of fmin that studies/minimize/main.ts uses; the package has no types. */
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
