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
let free = 0;
let next = 2 ** 20;

/** @throws RangeError when the machine refuses memory */
export function placeFor(bytes: number): Place {
  // One page more than needed keeps every end pointer below 2³².
  if (bytes > SMALL) return { memory: newMemory(bytes + 2 ** 16), from: 0 };
  if (!shared || free + bytes > shared.buffer.byteLength) {
    shared = newMemory(next);
    free = 0;
    next = Math.min(2 * next, LARGEST);
  }
  const place = { memory: shared, from: free };
  free = 64 * Math.ceil((free + bytes) / 64);
  return place;
}
