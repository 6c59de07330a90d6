import { alignUp, FIRST_BYTE } from "./layout.js";
import { newMemory } from "./wasm.js";

/** Where kernels live: from this byte of a memory on. */
export interface Place {
  readonly memory: WebAssembly.Memory;
  readonly from: number;
}

/*
 * A memory reserves some 10 GB of addresses, however small it is: a page of Chromium gets 123 of them, and a process some
 * ten thousand. So kernels of few bytes share memories. Such a memory is filled up once and never again, so there is
 * nothing to keep account of: it goes when the last of those who live in it does.
 */
const SMALL = 2 ** 18;
const LARGEST = 2 ** 23;

let shared: WebAssembly.Memory | undefined;
let free = FIRST_BYTE;
let next = 2 ** 20;

/** @throws RangeError when the machine refuses memory */
export function placeFor(bytes: number): Place {
  // One page more than needed keeps every end pointer below 2³².
  if (bytes > SMALL) return { memory: newMemory(bytes + 2 ** 16), from: FIRST_BYTE };
  if (!shared || free + bytes > shared.buffer.byteLength) {
    shared = newMemory(next);
    free = FIRST_BYTE;
    next = Math.min(2 * next, LARGEST);
  }
  const place = { memory: shared, from: free };
  free = alignUp(free + bytes);
  return place;
}
