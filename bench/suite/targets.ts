import { BYTES_PER_FLOAT } from "./bandwidth.js";
import { ratio, spreadOf, type Measured, type Spread } from "./results.js";

/** A target, and what was measured. */
export interface Verdict extends Spread {
  readonly what: string;
  readonly size: number;
  readonly bound: string;
  readonly met: boolean;
}

interface Target {
  readonly what: string;
  readonly scene: string;
  readonly value: (scene: Measured) => Spread | undefined;
  /** [from this size on, bound]: the last that applies counts; none, if the bound is null. */
  readonly bounds: readonly (readonly [from: number, bound: number | null])[];
  readonly kind: "≥" | "≤";
}

const between = (over: string, under: string) => (scene: Measured) =>
  over in scene.times && under in scene.times ? ratio(scene, over, under) : undefined;

/** Time at the measured bandwidth over time taken. */
export function rooflineShare(scene: Measured, contender: string): Spread | undefined {
  const { times, bytesPerParameter } = scene;
  if (!bytesPerParameter || !("read-modify-write" in times)) return undefined;
  const vectors = scene.name === "adam" ? 6 : 4;
  return ratio(scene, "read-modify-write", contender, bytesPerParameter / (vectors * BYTES_PER_FLOAT));
}

const perBase = (["adam", "sgd"] as const).flatMap((scene): Target[] => [
  {
    what: `plain JS ÷ superlevel, ${scene}`,
    scene,
    value: between("superlevel, plain JS", "superlevel"),
    bounds: [
      [1e3, 6],
      [1e7, scene === "adam" ? 4.5 : 2.8],
    ],
    kind: "≥",
  },
  {
    what: `C, 128-bit, plain -O3 ÷ superlevel, ${scene}`,
    scene,
    value: between("C, 128-bit, not unrolled", "superlevel"),
    bounds: [[0, 1]],
    kind: "≥",
  },
  {
    what: `C, AVX-512 ÷ superlevel, ${scene}`,
    scene,
    value: between("C, AVX-512", "superlevel"),
    bounds: [[1e7, 0.8]],
    kind: "≥",
  },
  {
    what: `share of the bandwidth roofline, ${scene}`,
    scene,
    value: (measured) => rooflineShare(measured, "superlevel"),
    bounds: [[1e7, scene === "adam" ? 0.88 : 0.92]],
    kind: "≥",
  },
]);

const targets: Target[] = [
  ...perBase,
  {
    what: "tfjs wasm Adam ÷ superlevel + Adam",
    scene: "adam",
    value: between("tfjs wasm", "superlevel"),
    bounds: [
      [1e3, 50],
      [1e4, 12],
      [1e5, 6],
    ],
    kind: "≥",
  },
  {
    what: "tfjs cpu Adam ÷ superlevel + Adam",
    scene: "adam",
    value: between("tfjs cpu", "superlevel"),
    bounds: [[0, 100]],
    kind: "≥",
  },
  {
    what: "superlevel + Adam, noisy gradients ÷ exact ones",
    scene: "adam",
    value: between("superlevel, noisy gradients", "superlevel"),
    bounds: [[1e4, 1.05]],
    kind: "≤",
  },
  {
    what: "the tuner's price: superlevel + Adam ÷ Adam",
    scene: "adam",
    value: between("superlevel", "base alone"),
    bounds: [
      [0, 1.3],
      [1e6, null],
      [1e7, 1.65],
    ],
    kind: "≤",
  },
  ...[1, 6].map((count): Target => ({
    what: `plain JS ÷ superlevel, a tuner for each parameter, K = ${count}`,
    scene: "parameter",
    value: between(`K = ${count}, plain JS`, `K = ${count}`),
    bounds: [[0, 6]],
    kind: "≥",
  })),
  {
    what: "a call of step(), ns",
    scene: "call",
    value: ({ times }) => spreadOf(times.superlevel),
    bounds: [[0, 1000]],
    kind: "≤",
  },
  {
    what: "1000 tensors ÷ one of the same size",
    scene: "tensors",
    value: between("1000 tensors", "one tensor"),
    bounds: [[0, 1.05]],
    kind: "≤",
  },
];

/** How the scenes stand to the targets, as far as they hold what is needed. */
export function judge(scenes: readonly Measured[]): Verdict[] {
  return targets.flatMap(({ what, scene, value, bounds, kind }) =>
    scenes
      .filter(({ name }) => name === scene)
      .flatMap((measured) => {
        const bound = bounds.filter(([from]) => measured.size >= from).at(-1)?.[1] ?? null;
        const found = value(measured);
        if (bound === null || !found) return [];
        const met = kind === "≥" ? found.median >= bound : found.median <= bound;
        return [{ what, size: measured.size, bound: `${kind} ${bound}`, met, ...found }];
      }),
  );
}
