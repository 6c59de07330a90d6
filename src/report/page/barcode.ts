import { isAlive } from "../../stability/landscape/components.js";
import type { MergeTree } from "../../stability/landscape/merge-tree.js";
import { componentColour, short, svg } from "./dom.js";
import type { Levels } from "./levels.js";

const MOST = 16;
const ROW = 14;
const EDGE = 24;
const WIDTH = 440;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** The bars of a tree over levels, the longest first, and where the level is. */
export class Barcode {
  readonly element = svg("svg", { class: "barcode", role: "img" });
  readonly #levels: Levels;
  #tree!: MergeTree;
  #bars: SVGGElement[] = [];
  readonly #needle = svg("line", { class: "needle" });
  #height = 0;

  constructor(levels: Levels) {
    this.#levels = levels;
  }

  #x(level: number): number {
    return EDGE + this.#levels.share(level) * (WIDTH - 2 * EDGE);
  }

  draw(tree: MergeTree): void {
    this.#tree = tree;
    const shown = tree.bars.slice(0, MOST);
    this.#height = shown.length * ROW + 6;
    this.#bars = shown.map((_, k) => this.#bar(k));
    const hidden = tree.bars.length - shown.length;
    const height = this.#height + (hidden > 0 ? 46 : 32);
    this.element.replaceChildren(this.#axis(), ...this.#bars, this.#needle);
    if (hidden > 0) {
      const text = `${hidden} shorter ${hidden === 1 ? "bar is" : "bars are"} not drawn`;
      this.element.append(svg("text", { x: WIDTH / 2, y: height - 3, class: "tick" }, text));
    }
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    this.element.setAttribute("aria-label", `Barcode: ${tree.bars.length} components over all levels`);
  }

  move(level: number): void {
    const x = this.#x(level);
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: 0, y2: this.#height })) {
      this.#needle.setAttribute(name, String(value));
    }
    this.#bars.forEach((bar, k) => {
      bar.classList.toggle("alive", isAlive(this.#tree, this.#tree.bars[k], level));
    });
  }

  #bar(k: number): SVGGElement {
    const { birth, death, certified, birthVertex } = this.#tree.bars[k];
    const [from, to] = [this.#x(birth), this.#x(death)];
    const y = 4 + ROW * k;
    const [left, width] = [Math.min(from, to), Math.max(Math.abs(to - from), 1.5)];
    const fill = componentColour(k);
    const proof = this.#tree.error === null ? "" : certified ? ", certified" : ", not certified";
    const where = birthVertex === -1 ? "outside the window" : `born at ${short(birth)}`;
    const end = Number.isFinite(death) ? `merges at ${short(death)}` : "never merges";
    return svg(
      "g",
      { class: certified || this.#tree.error === null ? "bar" : "bar unsure" },
      svg("title", {}, `${k + 1}: ${where}, ${end}${proof}`),
      svg("rect", { x: left, y, width, height: ROW - 5, rx: 2, fill, stroke: fill }),
      svg("text", { x: left - 4, y: y + 8, class: "number" }, String(k + 1)),
    );
  }

  #axis(): SVGGElement {
    const group = svg("g", { class: "axis" });
    for (const share of TICKS) {
      const x = EDGE + share * (WIDTH - 2 * EDGE);
      group.append(
        svg("line", { x1: x, x2: x, y1: 0, y2: this.#height }),
        svg("text", { x, y: this.#height + 12, class: "tick" }, short(this.#levels.at(share))),
        svg("text", { x, y: this.#height + 25, class: "tick faint" }, `${100 * share} %`),
      );
    }
    return group;
  }
}
