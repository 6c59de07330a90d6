import type { Task } from "./compute.js";
import type { OnOutcome } from "./local.js";

export async function computeByRedis(
  _tasks: ReadonlyMap<string, Task>,
  _connection: { url: string; version: string },
  _onOutcome: OnOutcome,
): Promise<void> {
  throw new Error("REDIS_URL: not built yet");
}
