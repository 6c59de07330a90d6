/** Whether two optimizers are in the same state. */
import type { Optimizer } from "../../src/index.js";

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Steps, and returns what became of it. */
function outcome(optimizer: Optimizer, g: Float32Array): string {
  try {
    return JSON.stringify(optimizer.step(g));
  } catch (error) {
    return String(error);
  }
}

/**
 * Throws unless both are in the same state: one more equal step ends in the same way and leaves both with the same
 * bytes.
 */
export function mustMatch(actual: Optimizer, expected: Optimizer, what = ""): void {
  for (const member of ["iterations", "learningRate"] as const) {
    const [one, other] = [actual[member], expected[member]];
    if (one !== other) throw new Error(`${what}: ${member} is ${one}, not ${other}`);
  }
  const g = actual.params.map((_, i) => Math.cos(i));
  const [one, other] = [outcome(actual, g), outcome(expected, g)];
  if (one !== other) throw new Error(`${what}: one more step ends with ${one}, and with ${other}`);
  if (sameBytes(actual.save(), expected.save())) return;
  const at = actual.params.findIndex((x, i) => x !== expected.params[i]);
  const difference =
    at < 0 ? "the saved states" : `x[${at}], ${actual.params[at]} and ${expected.params[at]},`;
  throw new Error(`${what}: after one more step, ${difference} differ`);
}

/** A saved state as src/stepper/checkpoint.ts describes it: where its description ends. */
export function payloadBegin(state: Uint8Array): number {
  return 16 + new DataView(state.buffer, state.byteOffset).getUint32(12, true);
}

export function descriptionOf(state: Uint8Array): Record<string, unknown> {
  const text = new TextDecoder().decode(state.slice(16, payloadBegin(state)));
  return JSON.parse(text) as Record<string, unknown>;
}

/** The same state with another description, and with a checksum that fits. */
export function redescribed(state: Uint8Array, description: unknown): Uint8Array {
  const text = new TextEncoder().encode(
    typeof description === "string" ? description : JSON.stringify(description),
  );
  const payload = state.subarray(payloadBegin(state));
  const bytes = new Uint8Array(16 + text.length + payload.length);
  bytes.set(state.subarray(0, 16));
  bytes.set(text, 16);
  bytes.set(payload, 16 + text.length);
  new DataView(bytes.buffer).setUint32(12, text.length, true);
  return sealed(bytes);
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Writes the checksum that belongs to the bytes into them. */
export function sealed(state: Uint8Array): Uint8Array {
  let hash = 0;
  const whole = state.length - (state.length % 4);
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  for (let at = 12; at < whole; at += 4) hash = mix(hash, view.getUint32(at, true));
  for (let at = whole; at < state.length; at++) hash = mix(hash, state[at]);
  view.setUint32(8, hash >>> 0, true);
  return state;
}
