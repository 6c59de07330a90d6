/** A residual network by hand, x ← x − h Wᵀ tanh(W x + b), with a step h above the CFL limit, and one that is kept below. */
import { createOptimizer } from "superlevel";
import { blockProfile, box, cflNumber, constrain, denseOperator, depthProfile, operatorNorm } from "superlevel/stability"; // prettier-ignore

const [width, depth, count] = [4, 12, 120];
const steps = process.argv.includes("--quick") ? 100 : 1000;
const noise = () => Math.random() + Math.random() + Math.random() + Math.random() - 2;

// A disk inside of a ring, in the first two of four coordinates.
const inputs = Array.from({ length: count }, (_, k) => {
  const [radius, angle] = [k % 2 ? 2 : 0.7 * Math.random(), 2 * Math.PI * Math.random()];
  return Float64Array.of(radius * Math.cos(angle), radius * Math.sin(angle), 0, 0);
});

// Of each block a matrix and biases; then weights and a bias of the logit.
const perBlock = width * (width + 1);
const out = depth * perBlock;
const start = Float32Array.from({ length: out + width + 1 }, (_, i) => (i < out ? 1 : 0.1) * noise());

/** W v and Wᵀ v of block l, and tanh(W v + b). */
const times = (p: ArrayLike<number>, l: number, v: Float64Array, row: number, column: number) =>
  v.map((_, r) => v.reduce((sum, value, c) => sum + p[l * perBlock + r * row + c * column] * value, 0));
const forth = (p: ArrayLike<number>, l: number, v: Float64Array) => times(p, l, v, width, 1);
const back = (p: ArrayLike<number>, l: number, v: Float64Array) => times(p, l, v, 1, width);
const biasAt = (l: number, r: number) => l * perBlock + width * width + r;
const unitsOf = (p: ArrayLike<number>, l: number, v: Float64Array) =>
  forth(p, l, v).map((sum, r) => Math.tanh(sum + p[biasAt(l, r)]));

/** Mean cross-entropy of disk and ring; writes its gradient. */
const sourceOf = (h: number) => (p: Float32Array, grads: Float32Array) => {
  grads.fill(0);
  let loss = 0;
  inputs.forEach((input, k) => {
    const [xs, units] = [[input], [] as Float64Array[]];
    for (let l = 0; l < depth; l++) {
      units.push(unitsOf(p, l, xs[l]));
      xs.push(back(p, l, units[l]).map((v, i) => xs[l][i] - h * v));
    }
    const sign = k % 2 ? 1 : -1;
    const margin = sign * xs[depth].reduce((sum, v, i) => sum + v * p[out + i], p[out + width]);
    loss += Math.log1p(Math.exp(-margin)) / count;
    const slope = -sign / (1 + Math.exp(margin)) / count;
    xs[depth].forEach((v, i) => (grads[out + i] += slope * v));
    grads[out + width] += slope;
    let g = xs[depth].map((_, i) => slope * p[out + i]);
    for (let l = depth - 1; l >= 0; l--) {
      const inner = forth(p, l, g).map((v, r) => (1 - units[l][r] ** 2) * v);
      for (let r = 0; r < width; r++) {
        for (let c = 0; c < width; c++)
          grads[l * perBlock + r * width + c] -= h * (units[l][r] * g[c] + inner[r] * xs[l][c]);
        grads[biasAt(l, r)] -= h * inner[r];
      }
      const through = back(p, l, inner);
      g = g.map((v, i) => v - h * through[i]);
    }
  });
  return loss;
};

/** CFL numbers of the blocks, and norms and gains through depth, at some parameters. */
async function show(when: string, p: Float32Array, h: number): Promise<void> {
  const seen = inputs.slice(0, 20);
  const blocks = Array.from({ length: depth }, (_, l) => {
    const { value: norm } = operatorNorm(denseOperator(p.slice(l * perBlock, biasAt(l, 0)), width, width));
    const branch = (x: Float64Array) => back(p, l, unitsOf(p, l, x)).map((v) => -v);
    const map = (x: Float64Array) => branch(x).map((v, i) => x[i] + h * v);
    return { number: cflNumber({ step: h, norm }), branch, map };
  });
  const { gain, verdict } = await blockProfile(blocks[0].branch, seen, { step: h });
  const maps = blocks.map(({ map }) => map);
  const { layers, perLayer } = await depthProfile(maps, seen);
  const list = (values: number[]) => values.map((value) => value.toFixed(2)).join(" ");
  console.log(`${when}: the first block has gain ${gain.toFixed(2)}, ${verdict}`);
  console.log(`  CFL      ${list(blocks.map(({ number }) => number))}`);
  console.log(`  ‖x‖      ${list(layers.map(({ activation }) => activation))}`);
  console.log(`  ‖∂L/∂x‖  ${list(layers.map(({ gradient }) => gradient))}`);
  console.log(`  ‖J‖      ${list(layers.map(({ norm }) => norm))}`);
  console.log(`  a small change of the input grows ${perLayer.response.toFixed(2)}-fold in each block`);
}

for (const h of [2, 0.1]) {
  const isStable = h < 1;
  console.log(`${isStable ? "stable" : "unstable"}: h = ${h}`);
  await show("at the start", start, h);
  const optimizer = createOptimizer(start);
  const first = sourceOf(h)(optimizer.params, optimizer.grads);
  // ‖W‖ ≤ width · max |w|: with these bounds no CFL number gets above 1.
  const upper = start.map((_, i) => (isStable && i < out ? Math.sqrt(2 / h) / width : Infinity));
  const monitors = [constrain(optimizer, box({ lower: upper.map((v) => -v), upper }))];
  const { loss } = optimizer.minimize(sourceOf(h), { steps, deterministic: true, monitors });
  await show("after training", optimizer.params, h);
  console.log(`${isStable ? "result: " : ""}loss ${first.toFixed(4)} → ${loss.toFixed(4)}\n`);
}
