import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { GLSL, WGSL, type Dialect } from "./source.js";

/*
 * Programs of our own on the webgl and webgpu backends. Both backends run what their own operations are made of, by the
 * methods below; where one has them not, steps are taken in the backend's operations.
 */

/**
 * A program that runs for every `index` below `size`, from arrays named in `inputs`. Its code computes `value`, which is put
 * at that place of the output; or, where the output has several numbers for each, puts them there itself.
 */
export interface Shader {
  readonly inputs: readonly string[];
  readonly size: number;
  /** Numbers of the output for each index. */
  readonly outputs: number;
  readonly code: string;
}

/** How a backend runs them. */
export interface Runner {
  readonly dialect: Dialect;
  /** How code reads a number of an array. */
  readonly read: (name: string, index: string) => string;
  readonly loop: (variable: string, from: string, to: string, by: string, body: string) => string;
  readonly declare: string;
  /** Puts a number into the output, where code can put more than one. */
  readonly store?: (place: string, value: string) => string;
  /** Defines a whole number. */
  readonly int: (name: string, value: string) => string;
  run(shader: Shader, inputs: readonly Tensor[]): Tensor;
}

interface WebglBackend {
  compileAndRun(program: object, inputs: readonly TensorInfo[], dtype: "float32"): TensorInfo;
}

interface WebgpuBackend {
  runWebGPUProgram(program: object, inputs: readonly TensorInfo[], dtype: "float32"): TensorInfo;
}

const made = (info: TensorInfo): Tensor => tf.engine().makeTensorFromTensorInfo(info);

const webgl = (backend: WebglBackend): Runner => ({
  dialect: GLSL,
  read: (name, index) => `get${name}(${index})`,
  loop: (variable, from, to, by, body) =>
    `for (int ${variable} = ${from}; ${variable} < ${to}; ${variable} += ${by}) {\n${body}\n}`,
  declare: "float value = 0.0;",
  int: (name, value) => `int ${name} = ${value};`,
  run({ inputs, size, code }, tensors) {
    const userCode = `void main() {\nint index = getOutputCoords();\n${code}\nsetOutput(value);\n}`;
    const program = { variableNames: [...inputs], outputShape: [size], userCode };
    return made(backend.compileAndRun(program, tensors, "float32"));
  },
});

const WORKGROUP = 64;
/** Workgroups in one dimension, at most. */
const GROUPS = 65535;

const webgpu = (backend: WebgpuBackend): Runner => ({
  dialect: WGSL,
  read: (name, index) => `${name}[${index}]`,
  loop: (variable, from, to, by, body) =>
    `for (var ${variable}: i32 = ${from}; ${variable} < ${to}; ${variable} += ${by}) {\n${body}\n}`,
  declare: "var value: f32 = 0.0;",
  int: (name, value) => `let ${name}: i32 = ${value};`,
  store: (place, value) => `result[${place}] = ${value};`,
  run({ inputs, size, outputs, code }, tensors) {
    const groups = Math.ceil(size / WORKGROUP);
    const dispatch = groups <= GROUPS ? [groups, 1, 1] : [GROUPS, Math.ceil(groups / GROUPS), 1];
    const end = outputs === 1 ? "\nresult[index] = value;" : "";
    // The backend binds its uniforms, so they have to be used.
    const body = `if (index < min(uniforms.size, ${size})) {\n${code}${end}\n}`;
    const program = {
      variableNames: [...inputs],
      outputShape: [size * outputs],
      dispatchLayout: { x: [0] },
      dispatch,
      workgroupSize: [WORKGROUP, 1, 1],
      size: true,
      shaderKey: `superlevel ${code}`,
      getUserCode: () => `fn main(index: i32) {\n${body}\n}`,
    };
    return made(backend.runWebGPUProgram(program, tensors, "float32"));
  },
});

/** The way that the backend in use runs programs; undefined where it has none. */
export function findRunner(): Runner | undefined {
  const backend = tf.backend() as object;
  if ("runWebGPUProgram" in backend) return webgpu(backend as WebgpuBackend);
  if ("compileAndRun" in backend && tf.env().getNumber("WEBGL_VERSION") === 2)
    return webgl(backend as WebglBackend);
  return undefined;
}
