import asc from "assemblyscript/asc";
import type { Contender } from "./contender.js";

/** x ← x + 1 over the whole memory: each float is read and written once. And a sum: each is read. */
const source = `
  export function add(bytes: usize): void {
    const one = f32x4.splat(1);
    for (let at: usize = 0; at < bytes; at += 64) {
      v128.store(at, f32x4.add(v128.load(at), one));
      v128.store(at, f32x4.add(v128.load(at, 16), one), 16);
      v128.store(at, f32x4.add(v128.load(at, 32), one), 32);
      v128.store(at, f32x4.add(v128.load(at, 48), one), 48);
    }
  }

  export function read(bytes: usize): f32 {
    let sum = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 64) {
      const half = f32x4.add(v128.load(at), v128.load(at, 16));
      sum = f32x4.add(sum, f32x4.add(half, f32x4.add(v128.load(at, 32), v128.load(at, 48))));
    }
    return f32x4.extract_lane(sum, 0);
  }`;

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  const options = { optimizeLevel: 3, runtime: "stub", enable: ["simd"], importMemory: true, memoryBase: 0 };
  const { error, binary } = await asc.compileString(source, options);
  if (error || !binary) throw error ?? new Error("asc made no binary");
  return new WebAssembly.Module(binary.slice().buffer);
}

/** Bytes that "read-modify-write" moves for each parameter and vector. */
export const BYTES_PER_FLOAT = 8;

/** The machine's bandwidth, on as many vectors of `size` floats as the contenders have. */
export async function bandwidth(size: number, vectors: number): Promise<Contender[]> {
  const bytes = Math.ceil((4 * size * vectors) / 64) * 64;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) + 1 });
  const { exports } = new WebAssembly.Instance(await (compiled ??= compile()), { env: { memory } });
  const { add, read } = exports as Record<"add" | "read", (bytes: number) => void>;
  return [
    { name: "read-modify-write", step: () => add(bytes) },
    { name: "read", step: () => read(bytes) },
  ];
}
