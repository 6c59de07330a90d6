import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers";
import { superlevelOptimizer } from "superlevel/tfjs";
const optimizer = superlevelOptimizer();
const x = tf.variable(tf.tensor1d([3, -2]));
for (let step = 0; step < 400; step++) optimizer.minimize(() => tf.sum(tf.square(x)));
console.log(x.dataSync(), tf.memory(), optimizer.effectiveLearningRate, optimizer.lastStep);
