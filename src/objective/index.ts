export { classWeights, type ClassWeightOptions } from "./class-weights.js";
export { dynamicCost, type DynamicCostOptions, type PerSampleSource } from "./dynamic-cost.js";
export { earlyLearning, type EarlyLearning } from "./early-learning.js";
export { confidence, fixedTrust, focal, gce, huber, none, trimmed, type Robust } from "./robust.js";
export { gammaDecay } from "./gamma-decay.js";
export { proximal, softThreshold } from "./proximal.js";
export { softmaxCrossEntropy, type SoftmaxOptions, type SoftmaxResult } from "./softmax.js";
