import { serialization } from "@tensorflow/tfjs-core";
import { NAMED } from "./train.js";

/*
 * `model.compile({ optimizer: "superlevel" })`. TensorFlow.js has a fixed list of names, and none may be added. So `compile`
 * of its models is told of ours: a name that is in our list becomes an optimizer before TensorFlow.js looks for it. The
 * class of models registers itself with tfjs-core, where it is found whether it was loaded before or is loaded later.
 */

interface Compiled {
  isOptimizerOwned?: boolean;
}

interface ModelClass {
  readonly className: string;
  readonly prototype: { compile?: (this: Compiled, settings?: { optimizer: unknown }) => void };
}

const taught = new WeakSet<object>();

function teach(model: ModelClass | undefined): void {
  const compile = model?.prototype.compile;
  if (!compile || taught.has(model)) return;
  taught.add(model);
  model.prototype.compile = function (settings) {
    const optimizer = settings?.optimizer;
    const known = typeof optimizer === "string" && Object.hasOwn(NAMED, optimizer);
    compile.call(this, known ? { ...settings, optimizer: NAMED[optimizer]() } : settings);
    // As with names of its own, the model disposes of it.
    if (known) this.isOptimizerOwned = true;
  };
}

interface Registry {
  readonly classNameMap: Record<string, readonly [unknown, unknown] | undefined>;
}

/** Names of {@link NAMED} are understood from here on. */
export function teachNames(): void {
  const map = serialization.SerializationMap as unknown as {
    getMap(): Registry;
    register: (model: ModelClass) => void;
  };
  const { register } = map;
  map.register = function (this: unknown, model) {
    register.call(this, model);
    if (model.className === "Model") teach(model);
  };
  const known = map.getMap().classNameMap.Model;
  // The entry holds the class's `fromConfig`, bound to it, behind the class.
  teach(known?.[0] as ModelClass | undefined);
}
