import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Binary, Operations, Unary, Value } from "../arrays/algebra.js";

const UNARY: Record<Unary, (a: Tensor) => Tensor> = {
  abs: tf.abs,
  sqrt: tf.sqrt,
  exp: tf.exp,
  floor: tf.floor,
  sign: tf.sign,
  finite: tf.isFinite,
  not: tf.logicalNot,
};

const BINARY: Record<Binary, (a: Tensor, b: Tensor) => Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  max: tf.maximum,
  min: tf.minimum,
  pow: tf.pow,
  less: tf.less,
  equal: tf.equal,
  and: tf.logicalAnd,
};

const asTensor = (value: Value<Tensor>): Tensor =>
  typeof value === "number" ? tf.scalar(value, "float32") : value;

/** Operations of TensorFlow.js, to be used inside of `tidy`. */
export const tensorOperations: Operations<Tensor> = {
  unary: (name, a) => UNARY[name](a),
  binary: (name, a, b) => BINARY[name](asTensor(a), asTensor(b)),
  where: (condition, a, b) => tf.where(condition, asTensor(a), asTensor(b)),
  sum: (a) => tf.sum(a),
};
