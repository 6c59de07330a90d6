import { Tensor, type NamedTensorMap, type Scalar } from "@tensorflow/tfjs-core";
import { expectNumber, expectOptions } from "../../common/expect.js";
import type { Found } from "./variables.js";

/** What a step may be told besides the gradients. */
export interface TfjsSeen {
  /**
   * L(x_t), a number or a scalar, which stays yours. Where it is ≥ 0, S does not grow at a step that promises more than
   * a fifth of it; where it is not finite, the step is not taken.
   */
  loss?: number | Scalar;
}

/** Checks what the caller knows of the loss. */
export function lossOf(seen: TfjsSeen): number | Scalar | undefined {
  expectOptions("seen", seen, ["loss"]);
  const { loss } = seen;
  if (loss === undefined || typeof loss === "number") return loss;
  if (!(loss instanceof Tensor)) expectNumber("seen.loss", loss);
  if (loss.size !== 1 || loss.isDisposed) {
    const what = loss.isDisposed ? "one disposed of" : `one of shape [${loss.shape.join(", ")}]`;
    throw new TypeError(`seen.loss: expected a number or a scalar tensor, got ${what}`);
  }
  return loss;
}

/** The loss that the last gradients were computed of. It owns no tensor, and knows only those that it was shown. */
export class LastLoss {
  #value: Scalar | undefined;
  #gradients: ReadonlySet<unknown> = new Set();

  remember(value: Scalar, gradients: NamedTensorMap): void {
    this.#value = value;
    this.#gradients = new Set(Object.values(gradients));
  }

  /** The loss, if these are its gradients and nothing else, and it is still there. It is forgotten then. */
  take(found: Found): Scalar | undefined {
    const [value, known] = [this.#value, this.#gradients];
    this.forget();
    const given = Array.from(found.values()).filter((gradient) => gradient !== undefined);
    const own = given.length > 0 && given.every((gradient) => known.has(gradient));
    return own && value && !value.isDisposed ? value : undefined;
  }

  forget(): void {
    this.#value = undefined;
    this.#gradients = new Set();
  }
}
