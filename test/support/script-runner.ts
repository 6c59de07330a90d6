/** Runs shaders as scripts, on the cpu backend's tensors. */
import * as tf from "@tensorflow/tfjs-core";

import type { Runner } from "../../src/adapters/tfjs/fused/shaders.js";

const MATH = "const { abs, sqrt, exp, floor, sign, max, min, pow } = Math;";

export const scriptRunner: Runner = {
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
  run({ inputs, size, code }, tensors) {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const one = new Function("index", ...inputs, `${MATH}\n${code}\nreturn value;`) as (
      ...given: unknown[]
    ) => number;
    const arrays = tensors.map((tensor) => tensor.dataSync());
    return tf.tensor1d(Float32Array.from({ length: size }, (_, index) => one(index, ...arrays)));
  },
};
