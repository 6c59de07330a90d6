export { createThreadedOptimizer } from "./optimizer.js";
export type { ThreadedOptimizer, ThreadedOptions } from "./optimizer.js";
