import { getBackend, type Tensor } from "@tensorflow/tfjs-core";

/** What a step wants to read, and what it gets: the numbers of tensors. */
export type Reader<Result> = Generator<readonly Tensor[], Result, readonly Float32Array[]>;

function read(wanted: readonly Tensor[]): Float32Array[] {
  const backend = getBackend();
  const cure = "use `await optimizer.applyGradientsAsync(gradients)` in a loop of your own, in place of fit";
  if (backend === "webgpu") throw new Error(`the webgpu backend reads tensors only asynchronously: ${cure}`);
  try {
    return wanted.map((one) => one.dataSync<"float32">());
  } catch (cause) {
    throw new Error(`the ${backend} backend could not read a tensor synchronously: ${cure}`, { cause });
  }
}

/** Reads at once. */
export function readNow<Result>(reader: Reader<Result>): Result {
  let turn = reader.next();
  while (!turn.done) turn = reader.next(read(turn.value));
  return turn.value;
}

/** Reads as the backend likes. What is wanted first may be disposed of as soon as this has returned. */
export async function readLater<Result>(reader: Reader<Result>): Promise<Result> {
  let turn = reader.next();
  while (!turn.done) {
    turn = reader.next(await Promise.all(turn.value.map((one) => one.data<"float32">())));
  }
  return turn.value;
}
