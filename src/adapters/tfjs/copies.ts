import { engine, env, Environment } from "@tensorflow/tfjs-core";

/*
 * Copies of tfjs-core share one engine, which the first to load has made, so training works across them. But each has a
 * list of classes of its own, and a model is loaded by one that need not be ours.
 */

const { platform, platformName } = env();

/** Was another copy loaded: before ours, with the engine; or after it, with the platform. */
function hasOthers(): boolean {
  const { ENV } = engine();
  return ENV.constructor !== Environment || (ENV.platform !== platform && ENV.platformName === platformName);
}

let warned = false;

/** Tells once, before a model fails to load with a message that tells nothing of copies. */
export function warnOfCopies(): void {
  if (warned || !hasOthers()) return;
  warned = true;
  globalThis.console?.warn(
    "superlevel/tfjs: there are two copies of @tensorflow/tfjs-core here. Training works, but a model is loaded with " +
      '"Unknown layer: SuperlevelOptimizer" (or "Unknown optimizer"), unless you call ' +
      "tf.serialization.registerClass(SuperlevelOptimizer) of the copy that loads it. Better have one copy: " +
      "docs/tfjs.md#two-copies-of-tensorflowjs",
  );
}
