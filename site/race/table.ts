import { html, short } from "../common/dom.js";
import { colourOf, racers, type Racer } from "./racers.js";
import { exponentOf, LEAST_RATE, MOST_RATE, rateOf, type RaceState } from "./state.js";
import { placeAt } from "./trace.js";
import type { Scene } from "./view.js";

type Change = (changed: Partial<RaceState>) => void;

interface Row {
  readonly racer: Racer;
  readonly element: HTMLTableRowElement;
  readonly on: HTMLInputElement;
  readonly slider: HTMLInputElement | undefined;
  readonly rate: HTMLElement;
  readonly loss: HTMLElement;
  readonly place: HTMLElement;
}

/** Who runs, at which rate, and where they are: the pictures in numbers. */
export class Table {
  readonly element: HTMLElement;
  readonly #rows: readonly Row[];
  readonly #change: Change;
  #state: RaceState | undefined;

  constructor(change: Change) {
    this.#change = change;
    this.#rows = racers.map((racer) => this.#row(racer));
    const head = html(
      "tr",
      {},
      ...["optimizer", "learning rate", "loss V now", "where"].map((text) =>
        html("th", { scope: "col" }, text),
      ),
    );
    const rows = this.#rows.map(({ element }) => element);
    const note =
      "The learning rate is how long steps are; whoever needs one has a slider. Too small creeps, too large diverges.";
    this.element = html(
      "section",
      { class: "racers", "aria-label": "Optimizers" },
      html("p", { class: "note" }, note),
      html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows)),
    );
  }

  draw(state: RaceState, { runners, step }: Scene): void {
    this.#state = state;
    for (const { racer, element, on, slider, rate, loss, place } of this.#rows) {
      const runner = runners.find((one) => one.racer === racer);
      on.checked = runner !== undefined;
      element.classList.toggle("off", !runner);
      if (slider) {
        slider.value = String(exponentOf(state.rates[racer.id]));
        slider.setAttribute("aria-valuetext", String(state.rates[racer.id]));
        rate.textContent = short(state.rates[racer.id]);
      }
      if (!runner) {
        loss.textContent = place.textContent = "";
        delete element.dataset.loss;
        continue;
      }
      const { trace } = runner;
      const k = placeAt(trace, step);
      element.dataset.loss = String(trace.losses[k]);
      loss.textContent = short(trace.losses[k]);
      const over = trace.ended && k === trace.x.length - 1;
      place.textContent = over ? trace.ended : `(${short(trace.x[k])}, ${short(trace.y[k])})`;
    }
  }

  #row(racer: Racer): Row {
    const { id, name, letter, note } = racer;
    const on = html("input", { type: "checkbox" });
    on.addEventListener("change", () => this.#toggle(id, on.checked));
    const chip = html("span", { class: "chip", "aria-hidden": "true" }, letter);
    chip.style.background = `var(--${colourOf(racer)})`;
    const who = html("label", {}, on, chip, html("span", {}, html("b", {}, name), html("small", {}, note)));
    const slider = racer.rate === undefined ? undefined : this.#slider(racer);
    const rate = html("output", {}, slider ? "" : "none needed");
    const loss = html("td", { class: "number", "data-label": "loss" });
    const place = html("td", { class: "number", "data-label": "at" });
    const element = html(
      "tr",
      { "data-racer": id },
      html("th", { scope: "row" }, who),
      html("td", { class: "rate" }, ...(slider ? [slider] : []), rate),
      loss,
      place,
    );
    return { racer, element, on, slider, rate, loss, place };
  }

  #slider({ id, name }: Racer): HTMLInputElement {
    const slider = html("input", {
      ...{ type: "range", min: LEAST_RATE, max: MOST_RATE, step: 0.25 },
      "aria-label": `Learning rate of ${name}`,
    });
    slider.addEventListener("input", () => {
      const rates = { ...this.#state!.rates, [id]: rateOf(slider.valueAsNumber) };
      this.#change({ rates });
    });
    return slider;
  }

  #toggle(id: string, on: boolean): void {
    const chosen = racers
      .map((racer) => racer.id)
      .filter((one) => (one === id ? on : this.#state!.on.includes(one)));
    this.#change({ on: chosen });
  }
}
