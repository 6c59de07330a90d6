/** What an optimizer knows of its gradients. */
export type GradientKind = "exact" | "noisy" | "undecided";

/** What `createOptimizer` may be told of them: "auto" finds out at the second step. */
export const GRADIENTS = ["auto", "exact", "noisy"] as const;
