import * as tf from "@tensorflow/tfjs-core";

/** What distinguishes one small Transformer from another. */
interface TransformerShape {
  readonly characters: number;
  /** Longest input, in characters. */
  readonly context: number;
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
}

export interface Model {
  readonly variables: readonly tf.Variable[];
  /** One-hot rows [batch, time, characters] → logits of the character that follows. */
  readonly apply: (inputs: tf.Tensor) => tf.Tensor;
}

/** Reads characters from left to right: attention and a small network in each block, norms before them. */
export function createTransformer(shape: TransformerShape, seed: number): Model {
  const { characters, context, width, heads, blocks } = shape;
  const variables: tf.Variable[] = [];
  const add = (values: tf.Tensor): tf.Variable => {
    variables.push(tf.variable(values));
    values.dispose();
    return variables[variables.length - 1];
  };
  const weights = (rows: number, columns: number, spread = Math.sqrt(1 / rows)) =>
    add(tf.randomNormal([rows, columns], 0, spread, "float32", 1000 * seed + variables.length + 1));
  const createNorm = () => ({ gain: add(tf.ones([width])), bias: add(tf.zeros([width])) });

  const embedding = weights(characters, width, 1);
  const positions = weights(context, width, 1);
  const layers = Array.from({ length: blocks }, () => ({
    attentionNorm: createNorm(),
    queries: weights(width, width),
    keys: weights(width, width),
    values: weights(width, width),
    joined: weights(width, width, 0.1 / Math.sqrt(width)),
    networkNorm: createNorm(),
    hidden: weights(width, 4 * width),
    output: weights(4 * width, width, 0.1 / Math.sqrt(4 * width)),
  }));
  const lastNorm = createNorm();
  const logits = weights(width, characters);

  return {
    variables,
    apply: (inputs) =>
      tf.tidy(() => {
        const [batch, time] = inputs.shape;
        const rows = batch * time;
        const embedded = tf.matMul(tf.reshape(inputs, [rows, characters]), embedding);
        const placed = tf.add(tf.reshape(embedded, [batch, time, width]), tf.slice(positions, 0, time));
        let x: tf.Tensor = tf.reshape(placed, [rows, width]);
        for (const layer of layers) {
          const y = normalise(x, layer.attentionNorm);
          const split = (by: tf.Variable) => splitHeads(tf.matMul(y, by), batch, heads);
          const mixed = attend(split(layer.queries), split(layer.keys), split(layer.values));
          x = tf.add(x, tf.matMul(joinHeads(mixed), layer.joined));
          const hidden = tf.relu(tf.matMul(normalise(x, layer.networkNorm), layer.hidden));
          x = tf.add(x, tf.matMul(hidden, layer.output));
        }
        return tf.reshape(tf.matMul(normalise(x, lastNorm), logits), [batch, time, characters]);
      }),
  };
}

function normalise(x: tf.Tensor, { gain, bias }: { gain: tf.Variable; bias: tf.Variable }): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const spread = tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
  return tf.add(tf.mul(tf.div(centred, spread), gain), bias);
}

/** [batch · time, width] → [batch, heads, time, width / heads]. */
function splitHeads(x: tf.Tensor, batch: number, heads: number): tf.Tensor {
  const [rows, width] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, rows / batch, heads, width / heads]), [0, 2, 1, 3]);
}

function joinHeads(x: tf.Tensor): tf.Tensor {
  const [batch, heads, time, size] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * time, heads * size]);
}

/** Each place takes a mean of the values at places up to its own, weighted by softmax(queries · keys / √size). */
function attend(queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor): tf.Tensor {
  const [, , time, size] = queries.shape;
  const likeness = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(size));
  return tf.matMul(tf.softmax(tf.add(likeness, futureMask(time))), values);
}

/** 0 where a row may look, −10⁹ at places after its own. */
function futureMask(time: number): tf.Tensor2D {
  const values = Float32Array.from({ length: time * time }, (_, k) =>
    k % time > Math.floor(k / time) ? -1e9 : 0,
  );
  return tf.tensor2d(values, [time, time]);
}
