import { compute, keptInFile } from "./compute.js";
import type { LocalTask } from "./local.js";

export default ({ file, ...task }: LocalTask) => compute(task, keptInFile(file));
