import { button, choice, html, prefersStill, short } from "../common/dom.js";
import { landscapes } from "./landscapes.js";
import { presets } from "./presets.js";
import { defaultState, SPEEDS, STEPS, type RaceState } from "./state.js";
import type { Scene } from "./view.js";

type Change = (changed: Partial<RaceState>) => void;

/** Everything that is set by hand, but for the racers. */
export class Controls {
  readonly top: HTMLElement;
  readonly side: HTMLElement;
  readonly play: HTMLElement;
  #state: RaceState = defaultState();
  readonly #note = html("p", { class: "note" });
  readonly #told = html("p", { class: "preset-note", role: "status" });
  readonly #landscape;
  readonly #view;
  readonly #side;
  readonly #level = html("input", { type: "range", min: 0, max: 1, step: 0.005, "aria-label": "Level λ" });
  readonly #value = html("output", { class: "value" });
  readonly #count = html("p", { class: "count", "aria-live": "polite" });
  readonly #flood = html("input", { type: "checkbox" });
  readonly #start: readonly HTMLInputElement[];
  readonly #play: HTMLButtonElement;
  readonly #step = html("input", { type: "range", min: 0, step: 1, "aria-label": "Step shown" });
  readonly #at = html("output", { class: "value" });
  readonly #speed;
  readonly #steps;

  constructor(change: Change) {
    this.#landscape = choice(
      "Landscape",
      landscapes.map(({ id, name }) => [id, name]),
      (landscape) => this.#fresh(change, landscape),
    );
    this.#view = choice("Picture", [["surface", "3-D surface"], ["map", "map"]], (view) =>
      change({ view: view as RaceState["view"] }),
    ); // prettier-ignore
    this.#side = choice("Colour the points", [["sub", "at or below λ"], ["super", "at or above λ"]], (side) =>
      change({ side: side as RaceState["side"] }),
    ); // prettier-ignore
    this.#speed = choice("Speed", SPEEDS.map((one) => [String(one), `${one} steps/s`]), (speed) =>
      change({ speed: Number(speed) }),
    ); // prettier-ignore
    this.#steps = choice("Length", STEPS.map((one) => [String(one), `${one} steps`]), (steps) =>
      change({ steps: Number(steps), step: Math.min(this.#state.step, Number(steps)) }),
    ); // prettier-ignore
    this.#start = [this.#coordinate(change, 0), this.#coordinate(change, 1)];
    this.#level.addEventListener("input", () => change({ level: this.#level.valueAsNumber }));
    this.#flood.addEventListener("change", () => change({ flood: this.#flood.checked, step: 0 }));
    this.#step.addEventListener("input", () => change({ step: this.#step.valueAsNumber, playing: false }));
    this.#play = button("Play", () => this.#toggle(change), { class: "primary" });
    this.top = this.#topOf(change);
    this.side = this.#sideOf();
    this.play = this.#playOf(change);
  }

  draw(state: RaceState, { field, set }: Scene): void {
    this.#state = state;
    this.#landscape.select.value = state.landscape;
    this.#note.textContent = field.landscape.note;
    this.#view.select.value = state.view;
    this.#side.select.value = state.side;
    this.#level.valueAsNumber = state.level;
    this.#level.setAttribute("aria-valuetext", short(set.level));
    this.#value.textContent = `λ = ${short(set.level)}`;
    const pieces =
      set.count === 1 ? "1 piece (a connected component)" : `${set.count} pieces (connected components)`;
    if (this.#count.textContent !== pieces) this.#count.textContent = pieces;
    this.#count.dataset.components = String(set.count);
    this.#flood.checked = state.flood;
    this.#start.forEach((input, k) => {
      if (document.activeElement !== input) input.value = String(Number(state.start[k].toPrecision(4)));
    });
    this.#play.textContent = state.playing ? "Pause" : state.step >= state.steps ? "Play again" : "Play";
    this.#step.max = String(state.steps);
    this.#step.valueAsNumber = Math.floor(state.step);
    this.#at.textContent = `step ${Math.floor(state.step)} of ${state.steps}`;
    this.#speed.select.value = String(state.speed);
    this.#steps.select.value = String(state.steps);
  }

  #fresh(change: Change, landscape: string): void {
    const { start } = defaultState(landscape);
    this.#told.textContent = "";
    change({ landscape, start, step: 0, playing: !prefersStill() });
  }

  #toggle(change: Change): void {
    const { playing, step, steps } = this.#state;
    change({ playing: !playing, step: !playing && step >= steps ? 0 : Math.floor(step) });
  }

  #topOf(change: Change): HTMLElement {
    const buttons = presets.map(({ id, name, note, state }) =>
      button(
        name,
        () => {
          this.#told.textContent = note;
          const still = prefersStill();
          change({ ...state, playing: !still, step: still ? state.steps : 0 });
        },
        { "data-preset": id },
      ),
    );
    const label = html("span", { class: "label", id: "presets" }, "Shown in one click:");
    const group = html(
      "div",
      { class: "row", role: "group", "aria-labelledby": "presets" },
      label,
      ...buttons,
    );
    const row = html("div", { class: "row" }, this.#landscape.element, this.#view.element);
    const what =
      "Each line is an optimizer walking downhill from the same start. The height of the ground is the loss, a number that " +
      "says how wrong a model with two parameters, x and y, is.";
    return html("section", { class: "top" }, html("p", {}, what), row, this.#note, group, this.#told);
  }

  #sideOf(): HTMLElement {
    const flood = html("label", {}, this.#flood, " the loss may not fall below λ (flooding)");
    const level =
      "λ is a level of the loss. The points below it are the sub-level set, those above it the super-level set.";
    return html(
      "section",
      { class: "side" },
      html("h2", {}, "Start"),
      html(
        "p",
        { class: "note" },
        "Click into the picture, move over the map with arrow keys and press Enter, or type:",
      ),
      html(
        "div",
        { class: "row" },
        ...this.#start.map((input, k) => html("label", {}, `${"xy"[k]} `, input)),
      ),
      html("h2", {}, "Level sets"),
      html("p", { class: "note" }, level),
      html("div", { class: "level" }, this.#level, this.#value),
      this.#side.element,
      this.#count,
      flood,
    );
  }

  #playOf(change: Change): HTMLElement {
    const step = button("Step", () => {
      change({ step: Math.min(this.#state.steps, Math.floor(this.#state.step) + 1), playing: false });
    });
    const restart = button("Restart", () => change({ step: 0 }));
    return html(
      "div",
      { class: "play", role: "group", "aria-label": "Play" },
      html("div", { class: "row" }, this.#play, step, restart, this.#at),
      this.#step,
      html("div", { class: "row" }, this.#speed.element, this.#steps.element),
    );
  }

  #coordinate(change: Change, k: 0 | 1): HTMLInputElement {
    const input = html("input", { type: "number", step: "any", "data-start": "xy"[k] });
    input.addEventListener("change", () => {
      if (!Number.isFinite(input.valueAsNumber)) return;
      const start: [number, number] = [...this.#state.start];
      start[k] = input.valueAsNumber;
      change({ start, step: 0 });
    });
    return input;
  }
}
