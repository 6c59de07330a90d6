import {
  backend,
  dispose,
  engine,
  keep,
  matMul,
  reshape,
  tensor1d,
  type KernelBackend,
  type Tensor,
} from "@tensorflow/tfjs-core";

/** What this file knows of the wasm backend's inside. Every use is behind {@link findMemory}'s trials. */
interface WasmBackend extends KernelBackend {
  readonly wasm: {
    readonly asm: { readonly memory: WebAssembly.Memory };
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: object): { readonly id: number; readonly memoryOffset: number } };
}

/** In place of values, it leaves the memory as it is. */
const UNSET = null as unknown as Float32Array;

/** The memory of the wasm backend, with its tensors where they lie. It grows, so no view is kept. */
export class TensorMemory {
  readonly memory: WebAssembly.Memory;
  readonly #backend: WasmBackend;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
    this.memory = backend.wasm.asm.memory;
  }

  /** Whether it is that of the backend in use. */
  get current(): boolean {
    return backend() === this.#backend;
  }

  addressOf({ dataId }: Pick<Tensor, "dataId">): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  /** The numbers of a tensor, until the memory grows. */
  floats(tensor: Tensor): Float32Array {
    return new Float32Array(this.memory.buffer, this.addressOf(tensor), tensor.size);
  }

  /** How many tensors share these data. */
  sharers({ dataId }: Tensor): number {
    return this.#backend.refCount(dataId);
  }

  /**
   * Tells the backend that a tensor's numbers have changed. It takes tensors for constant, and products and convolutions
   * remember a packed copy of their weights until these are disposed of.
   */
  refresh({ dataId, size }: Tensor): void {
    const { id, memoryOffset } = this.#backend.dataIdMap.get(dataId);
    this.#backend.wasm.tfjs.disposeData(id);
    this.#backend.wasm.tfjs.registerTensor(id, size, memoryOffset);
  }

  /** A tensor with whatever the memory holds there. */
  allocate(shape: number[], dtype: "float32" | "int32"): Tensor {
    const dataId = this.#backend.write(UNSET, shape, dtype);
    const made = engine().makeTensorFromDataId(dataId, shape, dtype, this.#backend);
    if (this.addressOf(made) > 0) return made;
    made.dispose();
    throw new RangeError("the wasm backend has no memory left");
  }

  copyOf(tensor: Tensor): Tensor {
    const copy = this.allocate(tensor.shape, "float32");
    this.floats(copy).set(this.floats(tensor));
    return copy;
  }
}

/** What is written on one side has to be read on the other. */
function agrees(memory: TensorMemory): boolean {
  const tensors = [tensor1d([1.5, -2]), memory.allocate([2, 2], "float32")];
  const [trial, weights] = tensors;
  const alias = reshape(trial, [1, 2]);
  const product = (): string => {
    const result = matMul(alias, weights);
    tensors.push(result);
    return result.dataSync().join();
  };
  try {
    const shared = memory.sharers(trial) === 2 && memory.addressOf(alias) === memory.addressOf(trial);
    if (!shared || memory.sharers(weights) !== 1 || memory.floats(trial).join() !== "1.5,-2") return false;
    memory.floats(weights).set([1, 2, 3, 4]);
    if (product() !== "-4.5,-5") return false;
    memory.floats(weights).set([5, 0, 0, 7]);
    memory.refresh(weights);
    return product() === "7.5,-14" && weights.dataSync().join() === "5,0,0,7";
  } finally {
    dispose([alias, ...tensors]);
  }
}

/** Threads do not share it. */
const isOwn = ({ buffer }: WebAssembly.Memory) => buffer[Symbol.toStringTag] === "ArrayBuffer";

/** The memory of the backend in use, if that is the wasm backend and its inside is as known; not where it is shared. */
export function findMemory(): TensorMemory | undefined {
  try {
    const memory = new TensorMemory(backend() as WasmBackend);
    return isOwn(memory.memory) && agrees(memory) ? memory : undefined;
  } catch {
    return undefined;
  }
}

/** A second name for a variable's data, which keeps them when the variable gets others. */
export const aliasOf = (tensor: Tensor): Tensor => keep(reshape(tensor, [tensor.size]));
