import { isAlive, labelComponents, touchesBoundary } from "../../stability/landscape/components.js";
import type { MergeTree, Sense } from "../../stability/landscape/merge-tree.js";
import type { PageLandscape } from "../data.js";
import { largest } from "../../common/extremes.js";
import { Barcode } from "./barcode.js";
import { Chart } from "./chart.js";
import { componentColour, html, short, svg } from "./dom.js";
import { Levels } from "./levels.js";

const STEPS = 1000;

/** Contours with a level to move, the components of the level set, and their barcode. */
export function drawLandscape(landscape: PageLandscape, name: string): HTMLElement {
  const levels = new Levels(landscape.values);
  const trees = { super: revived(landscape.trees.super), sub: revived(landscape.trees.sub) };
  const chart = new Chart(landscape, levels);
  chart.canvas.setAttribute("aria-label", `${name}: contours and level set`);
  const barcode = new Barcode(levels);
  const count = html("output", { class: "count", "aria-live": "polite" });
  const legend = html("ul", { class: "components" });

  let drawn: Sense | undefined;
  function update(sense: Sense, level: number): void {
    const tree = trees[sense];
    const labels = labelComponents(tree, landscape.values, level);
    const isInside = (value: number) => (sense === "super" ? value >= level : value <= level);
    chart.draw({ level, labels, isInside });
    if (drawn !== sense) barcode.draw(tree);
    drawn = sense;
    barcode.move(level);
    const alive = tree.bars.map((bar, k) => ({ bar, k })).filter(({ bar }) => isAlive(tree, bar, level));
    count.value = `${alive.length} ${alive.length === 1 ? "component" : "components"}`;
    count.dataset.components = String(alive.length);
    legend.replaceChildren(...componentItems(tree, alive, labels, level));
  }
  const controls = new Controls(levels, name, update);
  controls.announce();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => controls.announce());

  const plot = html("div", { class: "plot" }, chart.canvas, readoutOf(chart), lineLegend(landscape));
  const side = html("div", { class: "levels" }, controls.element, count, legend);
  side.append(html("h3", {}, "Barcode"), barcode.element, html("p", { class: "caption" }, CAPTION));
  side.append(errorNote(trees.sub));
  return html("div", { class: "landscape" }, plot, side);
}

const CAPTION =
  "Each bar is a component, from the level of its extremum to the level where it merges with an older one. " +
  "Below the levels: the share of the window that lies lower.";

/** A line of text that follows the pointer over the chart. */
function readoutOf(chart: Chart): HTMLElement {
  const blank = "\u00a0";
  const readout = html("p", { class: "readout" }, blank);
  chart.canvas.addEventListener("pointermove", (event) => (readout.textContent = chart.read(event) || blank));
  chart.canvas.addEventListener("pointerleave", () => (readout.textContent = blank));
  return readout;
}

const revived = (tree: PageLandscape["trees"][Sense]): MergeTree => ({
  ...tree,
  branch: Int32Array.from(tree.branch),
});

/** Which side, and which level. */
class Controls {
  readonly element = html("fieldset", { class: "controls" });
  readonly #slider: HTMLInputElement;
  readonly #number: HTMLInputElement;
  readonly #update: (sense: Sense, level: number) => void;
  #sense: Sense = "sub";
  #level: number;

  constructor(levels: Levels, name: string, update: (sense: Sense, level: number) => void) {
    this.#update = update;
    this.#level = levels.at(0.15);
    this.#slider = html("input", {
      type: "range",
      min: 0,
      max: STEPS,
      step: 1,
      "aria-label": `${name}: level`,
    });
    this.#slider.value = String(0.15 * STEPS);
    this.#number = html("input", { type: "number", step: "any", "aria-label": `${name}: level as a number` });
    this.#slider.addEventListener("input", () => {
      this.#level = levels.at(Number(this.#slider.value) / STEPS);
      this.announce();
    });
    this.#number.addEventListener("change", () => {
      if (!Number.isFinite(this.#number.valueAsNumber)) return;
      this.#level = this.#number.valueAsNumber;
      this.#slider.value = String(levels.share(this.#level) * STEPS);
      this.announce();
    });
    const level = html("label", { class: "level" }, "level λ ", this.#slider, this.#number);
    this.element.append(
      this.#choice("sub", "{L\u00a0≤\u00a0λ}", name),
      this.#choice("super", "{L\u00a0≥\u00a0λ}", name),
      level,
    );
  }

  announce(): void {
    this.#number.value = String(Number(this.#level.toPrecision(4)));
    this.#update(this.#sense, this.#level);
  }

  #choice(sense: Sense, text: string, name: string): HTMLLabelElement {
    const radio = html("input", { type: "radio", name: `sense of ${name}`, value: sense });
    radio.checked = sense === this.#sense;
    radio.addEventListener("change", () => {
      this.#sense = sense;
      this.announce();
    });
    return html("label", {}, radio, ` ${text}`);
  }
}

function componentItems(
  tree: MergeTree,
  alive: readonly { bar: MergeTree["bars"][number]; k: number }[],
  labels: Int32Array,
  level: number,
): HTMLElement[] {
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return alive.slice(0, 8).map(({ bar, k }) => {
    const share = (100 * (sizes.get(k) ?? 0)) / labels.length;
    const edge = touchesBoundary(tree, bar, level) ? ", touches the window's edge" : "";
    const text = `${k + 1}: ${share > 0 && share < 0.1 ? "< 0.1" : share.toFixed(1)} % of the window${edge}`;
    const chip = html("span", { class: "chip" });
    chip.style.background = componentColour(k);
    return html("li", {}, chip, text);
  });
}

function lineLegend({ lines }: PageLandscape): HTMLElement {
  const items = lines.map(({ name, residual, barrier }, k) => {
    const { colour, dash } = Chart.styleOf(k);
    const stroke = { stroke: colour, "stroke-width": 2, "stroke-dasharray": dash.join(" ") };
    const sample = svg(
      "svg",
      { width: 28, height: 10 },
      svg("line", { x1: 1, x2: 27, y1: 5, y2: 5, ...stroke }),
    );
    const farthest =
      residual &&
      largest(
        Array.from(residual).filter((value) => Number.isFinite(value)),
        0,
      );
    const away =
      farthest === undefined || farthest < 0.005 ? "" : `, residual up to ${(100 * farthest).toFixed(0)} %`;
    const height = barrier === undefined ? "" : `, barrier ${short(barrier)}`;
    return html("li", {}, sample, `${name}${height}${away}`);
  });
  return html("ul", { class: "lines" }, ...items);
}

function errorNote({ error }: MergeTree): HTMLElement {
  const text =
    error === null
      ? "Components of the grid's interpolation; no bound of the Hessian is given, so none is certified."
      : `Interpolation error ≤ ${short(error)}: the function has a component for each bar longer than ` +
        `${short(2 * error)}; shorter ones are drawn dashed.`;
  return html("p", { class: "caption" }, text);
}
