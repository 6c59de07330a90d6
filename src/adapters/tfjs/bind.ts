import type { Resolved } from "../../stepper/config.js";
import { CopyingTraining } from "./copying.js";
import { HostedTraining } from "./hosted.js";
import { findMemory } from "./memory.js";
import type { Training } from "./training.js";
import type { VariableList } from "./variables.js";

/** An engine inside the backend's memory where that is possible, else one beside it. */
export function bind(list: VariableList, resolved: Resolved): Training {
  const { engine } = resolved.config;
  const memory = engine === "auto" || engine === "wasm" ? findMemory() : undefined;
  try {
    if (memory) return new HostedTraining(list, resolved, memory);
  } catch {
    // There may be room elsewhere.
  }
  return new CopyingTraining(list, resolved);
}
