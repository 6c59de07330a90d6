/** `npm run bench -- memory`: bytes per parameter of every base, granularity and form, read from the optimizers. */
import { memoryTable } from "./suite/memory.js";

console.log(memoryTable());
