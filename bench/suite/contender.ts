export interface Effort {
  readonly rounds: number;
  /** Milliseconds of a contender's turn, and of its warm-up. */
  readonly turn: number;
  readonly warmUp: number;
}

/** A turn: nanoseconds a step. */
export type Take = () => Promise<number>;

/** Something whose steps are timed. */
export interface Contender {
  readonly name: string;
  /** One step. What returns a promise is awaited. */
  readonly step: () => unknown;
  /** The point, and the gradient to write before steps are timed. Without them the gradient is prepared once. */
  readonly vectors?: { readonly x: Float32Array; readonly g: Float32Array };
  readonly isAsync?: boolean;
  /** Warms up and takes its turns by itself. */
  readonly prepare?: (steps: number, effort: Effort) => Promise<Take>;
  readonly dispose?: () => void;
}

/** Contenders that take turns. */
export interface Scene {
  readonly name: string;
  readonly size: number;
  /** The contender that stands for the machine's mood when two runs are compared. */
  readonly reference: string;
  /** Bytes that each parameter's step has to move at least, where that is known. */
  readonly bytesPerParameter?: number;
  /** Steps that are timed at once, if not as their size suggests. */
  readonly stepsAtOnce?: number;
  create(): Promise<Contender[]>;
}

const noise = Float32Array.from({ length: 8192 }, (_, i) => Math.sin(i * i + 1));
let draws = 0;

/**
 * A gradient that changes with every call, and pulls back what has moved far: no contender runs away or comes to rest.
 * Bounded, as a step is repeated against the same gradient.
 */
export function refresh({ x, g }: { x: Float32Array; g: Float32Array }): void {
  const shift = (draws++ * 2477) & 8191;
  for (let i = 0; i < g.length; i++) {
    const xi = x[i];
    g[i] = (xi > 1 ? 1 : xi < -1 ? -1 : xi) + noise[(i + shift) & 8191];
  }
}

/** The same for contenders whose gradient is prepared. */
export const preparedGradient = (size: number) =>
  Float32Array.from({ length: size }, (_, i) => noise[i & 8191]);
