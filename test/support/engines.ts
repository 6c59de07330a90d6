/** The engines that the suites of this folder run over. */
export const engines = ["wasm", "js"] as const;

export type EngineName = (typeof engines)[number];

/** How many of a long walk's steps an engine takes: engines.test.ts holds the slow one to the other's bytes as well. */
export function stepsOf(engine: EngineName, steps: number): number {
  return Math.ceil(engine === "js" ? steps / 5 : steps);
}
