/** Data-parallel steps: the losses do not tell who computed which shard, nor who was killed meanwhile. */
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { partOf, shards, sumOf } from "../../examples/cluster/shards.js";
import { kill, run, until } from "../support/processes.js";
import { freePort, missing, serve } from "../support/redis.js";

const result = (text: string) => /^result: .*$/m.exec(text)?.[0];

describe("shards", () => {
  it("add up to the gradient of their batch, in any order that they come", () => {
    const params = Float32Array.from({ length: 20 }, (_, j) => Math.sin(j));
    const loss = (x: Float32Array) =>
      Array.from({ length: shards }, (_, shard) => partOf(x, 3, shard).loss).reduce((a, b) => a + b);
    const grads = new Float32Array(20);
    const parts = Array.from({ length: shards }, (_, shard) => partOf(params, 3, shard));
    expect(sumOf(parts, grads)).toBe(loss(params));
    for (let j = 0; j < 20; j++) {
      const [up, down] = [1, -1].map((sign) => {
        const moved = params.slice();
        moved[j] += sign / 64;
        return { at: moved[j], loss: loss(moved) };
      });
      expect((up.loss - down.loss) / (up.at - down.at)).toBeCloseTo(grads[j], 5);
    }
  });
});

describe.skipIf(missing)("the cluster", () => {
  it("of three workers, one of them killed, has the losses of a single process, to the bit", async () => {
    const { url } = await serve(await freePort());
    const env = { REDIS_URL: url };
    const worker = () => run(["example", "cluster", "worker", "--stalled-after", "2"], env);
    const workers = [worker(), worker(), worker()];
    await Promise.all(workers.map(({ text }) => until(() => text().includes("waits for shards"))));
    const training = run(["example", "cluster"], env);
    await setTimeout(1500);
    expect(result(training.text())).toBeUndefined();
    kill(workers[0].child);
    await training.ended;
    const alone = run(["example", "cluster", "--alone"]);
    await alone.ended;
    expect(result(training.text()), training.text()).toMatch(/all losses [0-9a-f]{16}$/);
    expect(result(training.text())).toBe(result(alone.text()));
  });

  it("says what to do without a server", async () => {
    const training = run(["example", "cluster"], { REDIS_URL: "" });
    await training.ended;
    expect(training.text()).toContain("REDIS_URL is not set: give a Redis server's address, or --alone");
  });
});
