/** Runs shaders as scripts, on the cpu backend's tensors. */
import * as tf from "@tensorflow/tfjs-core";

import type { Runner } from "../../src/adapters/tfjs/fused/shaders.js";

const MATH = "const { abs, sqrt, exp, floor, sign, max, min, pow } = Math;";

const plain: Runner = {
  dialect: {
    define: (name, _isFlag, value) => `const ${name} = ${value};`,
    choose: (condition, a, b) => `(${condition} ? ${a} : ${b})`,
    finite: (a) => `Number.isFinite(${a})`,
  },
  read: (name, index) => `${name}[${index}]`,
  loop: (variable, from, to, by, body) =>
    `for (let ${variable} = ${from}; ${variable} < ${to}; ${variable} += ${by}) {\n${body}\n}`,
  declare: "let value = 0;",
  int: (name, value) => `const ${name} = Math.trunc(${value});`,
  run({ inputs, size, outputs, code }, tensors) {
    const end = outputs === 1 ? "result[index] = value;" : "";
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const one = new Function("index", "result", ...inputs, `${MATH}\n${code}\n${end}`);
    const arrays = tensors.map((tensor) => tensor.dataSync());
    const result = new Float32Array(size * outputs);
    for (let index = 0; index < size; index++)
      (one as (...given: unknown[]) => void)(index, result, ...arrays);
    return tf.tensor1d(result);
  },
};

/** `stores`: a script puts several numbers into its output, as on webgpu. */
export const scriptRunner = (stores: boolean): Runner =>
  stores ? { ...plain, store: (place, value) => `result[${place}] = ${value};` } : plain;
