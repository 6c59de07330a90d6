export { classWeights, type ClassWeightOptions } from "./class-weights.js";
export { dynamicCost, proximal, type DynamicCostOptions, type PerSampleSource } from "./dynamic-cost.js";
export { earlyLearning, type EarlyLearning } from "./early-learning.js";
export { confidence, fixedTrust, focal, gce, huber, none, trimmed, type Robust } from "./robust.js";
export { gammaDecay, softThreshold } from "./schedule.js";
export { softmaxCrossEntropy, type SoftmaxOptions, type SoftmaxResult } from "./softmax.js";
