import "uplot/dist/uPlot.min.css";

import uPlot from "uplot";

import { colour, html, short } from "./dom.js";

/** One line of a strip; `colour` is a variable of the style sheet. */
export interface Line {
  readonly label: string;
  readonly colour: string;
  readonly dash: readonly number[];
  readonly width?: number;
}

export interface StripOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** What a log scale cannot show is left out. */
  readonly log: boolean;
  readonly height?: number;
}

/** A chart over steps, which can be given other data at any time. */
export class Strip {
  readonly element: HTMLElement;
  readonly #options: StripOptions;
  readonly #plot: uPlot;

  constructor(box: HTMLElement, options: StripOptions) {
    this.#options = options;
    this.element = html("figure", { class: "strip", role: "img", "aria-label": options.title });
    box.append(this.element);
    this.#plot = new uPlot(settings(options, this.#width()), [[]], this.element);
  }

  /** `last` is the end of the axis of steps. */
  draw(steps: readonly number[], lines: readonly ArrayLike<number>[], last: number): void {
    const positive = this.#options.log;
    const shown = lines.map((values) =>
      Array.from(values, (value) => (Number.isFinite(value) && (!positive || value > 0) ? value : null)),
    );
    this.#plot.setData([[...steps], ...shown] as uPlot.AlignedData, false);
    this.#plot.setScale("x", { min: 0, max: Math.max(1, last) });
  }

  fit(): void {
    this.#plot.setSize({ width: this.#width(), height: this.#options.height ?? HEIGHT });
  }

  destroy(): void {
    this.#plot.destroy();
    this.element.remove();
  }

  #width(): number {
    return Math.max(200, this.element.clientWidth || this.element.parentElement!.clientWidth);
  }
}

const HEIGHT = 150;

function settings({ title, lines, log, height = HEIGHT }: StripOptions, width: number): uPlot.Options {
  return {
    title,
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { distr: log ? 3 : 1, range: log ? logRange : undefined } },
    axes: [axis({ size: 26 }), axis({ size: 62, ...(log && { splits: decades, filter: (_, all) => all }) })],
    series: [
      {},
      ...lines.map(({ label, colour: name, dash, width = 1.5 }) => ({
        label,
        stroke: () => colour(name),
        dash: [...dash],
        width,
        points: { show: false },
        spanGaps: true,
      })),
    ],
  };
}

/** Whole powers of ten around the data, and at least one of them. */
function logRange(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  const [least, most] = [low ?? 0.1, high ?? 1];
  const from = Math.max(Math.floor(Math.log10(least)), Math.ceil(Math.log10(most)) - 20);
  return [10 ** from, 10 ** Math.max(from + 1, Math.ceil(Math.log10(most)))];
}

/** Powers of ten, at most five of them. */
function decades(_: uPlot, __: number, low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first + 1) / 5));
  const count = Math.floor((last - first) / every) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, k) => Number(`1e${first + k * every}`));
}

function axis(options: uPlot.Axis): uPlot.Axis {
  return {
    ...options,
    font: "12px system-ui, sans-serif",
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { stroke: () => colour("grid"), width: 1 },
    values: (_, splits) => splits.map((value) => (value === null ? "" : short(value))),
  };
}
