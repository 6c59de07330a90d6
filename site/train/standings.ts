import { html, short } from "../common/dom.js";
import { NAMES, type Standing } from "./protocol.js";

const DASHES = [[], [2, 2], [9, 3], [5, 3], [9, 3, 2, 3], [3, 5]];

export const dashOf = (k: number): readonly number[] => DASHES[k];

const WORDS: Record<string, string> = {
  healthy: "goes well",
  "past-edge": "steps too long",
  edge: "at the edge of stability",
  "non-finite": "not a number",
  diverging: "diverges",
  frozen: "rate too small to arrive",
  "label-noise": "wrong labels",
  overfitting: "learns by heart",
  noise: "noise only",
  stalled: "stands still",
  kinks: "kinks",
};

/** The table of the six trainings. */
export class Standings {
  readonly element: HTMLElement;
  readonly #rows: readonly HTMLTableRowElement[];

  constructor() {
    const names = ["optimizer", "loss", "accuracy", "the monitor says"];
    const head = html("tr", {}, ...names.map((text) => html("th", { scope: "col" }, text)));
    this.#rows = NAMES.map((name, k) => {
      const line = html("span", { class: "chip", "aria-hidden": "true" }, k === 0 ? "S" : "A");
      line.style.background = `var(--train-${k})`;
      return html(
        "tr",
        { "data-contender": k },
        html("th", { scope: "row" }, html("span", { class: "who" }, line, html("b", {}, name))),
        html("td", { class: "number", "data-label": "loss" }, "–"),
        html("td", { class: "number", "data-label": "accuracy" }, "–"),
        html("td", { class: "verdict" }, "–"),
      );
    });
    const body = html("tbody", {}, ...this.#rows);
    this.element = html("section", { class: "racers" }, html("table", {}, html("thead", {}, head), body));
  }

  draw(standings: readonly Standing[]): void {
    standings.forEach(({ loss, accuracy, verdict, findings, ended }, k) => {
      const [, lossCell, accuracyCell, verdictCell] = Array.from(this.#rows[k].cells);
      lossCell.textContent = ended || short(loss);
      accuracyCell.textContent = Number.isNaN(accuracy) ? "–" : `${(100 * accuracy).toFixed(1)} %`;
      const key = [verdict, ...findings].join("|");
      if (verdictCell.dataset.key === key) return;
      verdictCell.dataset.key = key;
      verdictCell.replaceChildren(html("b", {}, ended ? "diverged" : (WORDS[verdict] ?? verdict)));
      if (findings.length > 0) {
        verdictCell.append(
          html(
            "details",
            {},
            html("summary", {}, findings.length === 1 ? "why" : `why, and ${findings.length - 1} more`),
            html("ul", {}, ...findings.map((text) => html("li", {}, text))),
          ),
        );
      }
    });
  }
}
