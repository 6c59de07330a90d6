// What every runtime, bundle and page runs: trains, saves, restores, goes on, minimizes. Prints digests of the bits,
// which have to be the same everywhere. The arithmetic of the losses is exact or correctly rounded on every machine.
import { adamw, createOptimizer, lion, mechanic, minibatches, sgd, superlevel } from "superlevel";
import { minimize } from "superlevel/minimize";

/** MurmurHash3's mix over 32-bit words. */
function digest(...vectors) {
  let hash = 0;
  for (const vector of vectors) {
    for (const word of new Uint32Array(
      vector.buffer.slice(vector.byteOffset, vector.byteOffset + vector.byteLength),
    )) {
      const scrambled = Math.imul(word, 0xcc9e2d51);
      const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
      hash = (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
    }
  }
  return (hash >>> 0).toString(16);
}

const size = 1003;
const at = (i) => ((i * 7919) % 1009) / 1009 - 0.5;
const source = minibatches({ examples: 64, batchSize: 8 }, (x, grads, batch) => {
  let loss = 0;
  for (let i = 0; i < size; i++) {
    grads[i] = (x[i] - at(i)) * (1 + (i % 7)) + (batch[i % 8] - 31.5) / 64;
    loss += 0.5 * (1 + (i % 7)) * (x[i] - at(i)) * (x[i] - at(i));
  }
  return loss;
});

const runs = {
  default: {},
  tensors: { base: adamw({ weightDecay: 0.25 }), tuner: superlevel({ granularity: "tensor" }) },
  coordinates: { base: sgd({ momentum: 0.9 }), tuner: superlevel({ granularity: "parameter" }) },
  lion: { base: lion(), tuner: mechanic(), clip: { norm: 2 } },
};
const specs = [{ shape: [3, 41] }, { shape: [877], learningRate: 0.5 }, { shape: [3] }];
const found = {};
for (const [name, options] of Object.entries(runs)) {
  const first = createOptimizer(specs, options);
  first.minimize(source, { steps: 70 });
  const second = createOptimizer(specs, options).restore(first.save());
  first.minimize(source, { steps: 70 });
  second.minimize(source, { steps: 70 });
  if (digest(first.params) !== digest(second.params))
    throw new Error(`${name}: the resumed run went elsewhere`);
  found[name] = digest(first.params);
}

const rosenbrock = ([x, y]) => [
  (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x),
  [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
];
const solution = minimize(rosenbrock, [-1.2, 1], { jac: true });
if (!solution.success) throw new Error(solution.message);
found.minimize = digest(solution.x);
console.log(JSON.stringify(found));
