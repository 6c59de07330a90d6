import { env, getBackend } from "@tensorflow/tfjs-core";
import type { Resolved } from "../../stepper/config.js";
import { whyNot } from "../arrays/plan.js";
import { CopyingTraining } from "./copying.js";
import { DeviceTraining, type DeviceRate } from "./device.js";
import type { DeviceRun } from "./device-step.js";
import { findRunner } from "./fused/shaders.js";
import { FusedState } from "./fused/state.js";
import { HostedTraining } from "./hosted.js";
import { findMemory } from "./memory.js";
import { OperationsState } from "./operations-state.js";
import type { Training } from "./training.js";
import type { VariableList } from "./variables.js";

/** Backends whose tensors are on a GPU, and hold float32 there. */
function isOnDevice(): boolean {
  const backend = getBackend();
  return backend === "webgpu" || (backend === "webgl" && env().getBool("WEBGL_RENDER_FLOAT32_ENABLED"));
}

/**
 * Where the backend is a GPU's and the options allow it, on that; by an engine inside the backend's memory
 * where that is possible; else by one beside it.
 */
export function bind(list: VariableList, resolved: Resolved, rate: DeviceRate): Training {
  const { engine } = resolved.config;
  if (engine === "auto" && isOnDevice() && !whyNot(resolved)) {
    const runner = findRunner();
    const make = (run: DeviceRun) => (runner ? new FusedState(run, runner) : new OperationsState(run));
    return new DeviceTraining(list, resolved, rate, make);
  }
  const memory = engine === "auto" || engine === "wasm" ? findMemory() : undefined;
  try {
    if (memory) return new HostedTraining(list, resolved, memory);
  } catch {
    // There may be room elsewhere.
  }
  return new CopyingTraining(list, resolved);
}
