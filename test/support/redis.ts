import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { reachable } from "../../studies/kit/runner/redis.js";
import { start, testFolder, until, type Program } from "./processes.js";

const server = process.env.REDIS_SERVER ?? "redis-server";

/** There is no Redis server here. */
export const missing = spawnSync(server, ["--version"]).error !== undefined;
if (missing) {
  const reason = `${server} is not there (Debian: apt-get install redis-server; or set REDIS_SERVER)`;
  // What may be skipped by hand must run in CI.
  if (process.env.CI) throw new Error(reason);
  console.warn(`skipped: what goes through Redis, as ${reason}`);
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

/** A server at a port; one that lasts finds what it was told before it was killed. */
export async function serve(port: number, lasting = false): Promise<Program & { url: string }> {
  const lasts = lasting ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  const where = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", testFolder()];
  const url = `redis://127.0.0.1:${port}`;
  const program = start(server, [...where, ...lasts]);
  await until(() =>
    reachable(url).then(
      () => true,
      () => false,
    ),
  );
  return { ...program, url };
}
