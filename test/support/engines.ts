/** The engines that the suites of this folder run over. */
export const engines = ["wasm", "js"] as const;

export type EngineName = (typeof engines)[number];
