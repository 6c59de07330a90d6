/** What an optimizer knows of its gradients. */
export type GradientKind = "exact" | "noisy" | "undecided";

/** All of these. */
export const KINDS: readonly GradientKind[] = ["undecided", "exact", "noisy"];

/** What `createOptimizer` may be told of them: "auto" finds out at the second step. */
export const GRADIENTS = ["auto", "exact", "noisy"] as const;
