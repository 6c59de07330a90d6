import { html } from "../common/dom.js";
import { Strip } from "../common/strips.js";
import { colourOf } from "./racers.js";
import { placeAt, type Trace } from "./trace.js";
import type { Runner } from "./view.js";

const KINDS: readonly { title: string; values: (trace: Trace) => readonly number[] }[] = [
  { title: "V, the loss, at each step (log scale)", values: ({ losses }) => losses },
  { title: "Rate of each step: η, times S where there is a tuner (log scale)", values: ({ rates }) => rates },
  { title: "S, the scale that the tuner found (log scale)", values: ({ scales }) => scales },
];

/** Loss, rate and scale over the steps that have been played. */
export class RaceStrips {
  readonly element = html("section", { class: "strips", "aria-label": "Curves" });
  #strips: Strip[] = [];
  #drawn = "";
  readonly #fit = () => this.#strips.forEach((strip) => strip.fit());

  constructor() {
    addEventListener("resize", this.#fit);
  }

  draw(runners: readonly Runner[], step: number, last: number): void {
    if (!this.element.isConnected) return;
    const ids = runners.map(({ racer }) => racer.id).join();
    if (ids !== this.#drawn || this.#strips.length === 0) this.#open(runners);
    this.#drawn = ids;
    const played = runners.map(({ trace }) => placeAt(trace, step) + 1);
    const steps = Array.from({ length: Math.max(1, ...played) }, (_, k) => k);
    this.#strips.forEach((strip, k) => {
      const lines = runners.map(({ trace }, i) => {
        const values = KINDS[k].values(trace);
        return steps.map((s) => (s < played[i] && s < values.length ? values[s] : NaN));
      });
      strip.draw(steps, lines, last);
    });
  }

  destroy(): void {
    removeEventListener("resize", this.#fit);
    this.#strips.forEach((strip) => strip.destroy());
  }

  #open(runners: readonly Runner[]): void {
    this.#strips.forEach((strip) => strip.destroy());
    const lines = runners.map(({ racer }) => ({
      label: racer.name,
      colour: colourOf(racer),
      dash: racer.dash,
      width: racer.rate === undefined ? 2.5 : 1.5,
    }));
    this.#strips = KINDS.map(({ title }) => new Strip(this.element, { title, lines, log: true }));
  }
}
