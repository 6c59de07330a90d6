// What every bundle and dev server runs of the threads: prints how many there are, and a digest of the bits.
import { createOptimizer } from "superlevel";
import { createThreadedOptimizer } from "superlevel/threads";

/** Words mixed into a hash, as in program.mjs. */
function digest(bytes) {
  let hash = 0;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) | 0;
  return (hash >>> 0).toString(16);
}

const size = 5003;
const gradient = (step) =>
  Float32Array.from({ length: size }, (_, i) => Math.fround((i % 97) / 97 - step / 7));

try {
  const one = createOptimizer(size);
  const many = await createThreadedOptimizer(size, { threads: 3, threshold: 0 });
  for (let step = 1; step <= 9; step++) {
    one.step(gradient(step));
    if (step % 3 === 0) await many.stepAsync(gradient(step));
    else many.step(gradient(step));
  }
  const bits = [one, many].map((optimizer) => digest(optimizer.save()));
  console.log(JSON.stringify({ threads: many.threads, same: bits[0] === bits[1], bits: bits[1] }));
  many.dispose();
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: String(error) }));
}
