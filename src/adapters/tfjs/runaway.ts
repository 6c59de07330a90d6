/** So many times the first loss is no fluctuation any more. */
const FAR = 1e4;

/** Warns once where the loss that a run is told of has left for good: no step is refused for it. */
export class RunawayWatch {
  #first: number | undefined;
  #warned = false;

  see(loss: number | undefined): void {
    if (loss === undefined || !Number.isFinite(loss) || this.#warned) return;
    this.#first ??= Math.abs(loss);
    if (!(loss > FAR * Math.max(this.#first, 1e-3))) return;
    this.#warned = true;
    globalThis.console?.warn(
      `superlevel/tfjs: the loss is ${loss.toPrecision(3)}, and was ${this.#first.toPrecision(3)} at first: the run has left. ` +
        "Labels or inputs may be wrong, or the loss may fall without end; clip: { norm: 1 } bounds a step",
    );
  }
}
