import uPlot from "uplot";

import type { Strip } from "../data.js";
import { colour, html, short } from "./dom.js";

const HEIGHT = 150;
const LINES = ["accent", "second", "third"];

const finite = (values: ArrayLike<number>): (number | null)[] =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : null));

/** Strips that share a cursor. */
export function drawStrips(strips: readonly Strip[], group: string): HTMLElement {
  const box = html("div", { class: "strips" });
  const sync = uPlot.sync(group);
  // uPlot measures its box, so that has to be in the page.
  requestAnimationFrame(() => {
    const plots = strips.map((strip) => drawStrip(strip, box, sync));
    const fit = () => plots.forEach((plot) => plot.setSize({ width: box.clientWidth, height: HEIGHT }));
    addEventListener("resize", fit);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      plots.forEach((plot) => plot.redraw(false)),
    );
  });
  return box;
}

function drawStrip(strip: Strip, box: HTMLElement, sync: uPlot.SyncPubSub): uPlot {
  const { title, xLabel = "step", x, series, reference, range } = strip;
  const values = series.map((one) => finite(one.values));
  const lines: uPlot.Series[] = series.map(({ label, points }, k) => lineOf(label, LINES[k], points));
  if (reference) {
    values.push(Array.from(x, () => reference.value));
    lines.push({ ...lineOf(`${reference.label} (${short(reference.value)})`, "muted"), dash: [5, 4] });
  }
  const present = values.flat().filter((value) => value !== null);
  const scale = strip.scale ?? (present.every((value) => value > 0) ? "log" : "linear");
  const options: uPlot.Options = {
    title: scale === "log" ? `${title}, log scale` : title,
    width: box.clientWidth,
    height: HEIGHT,
    cursor: { sync: { key: sync.key }, drag: { x: true, y: false } },
    scales: {
      x: { time: false },
      y: { distr: scale === "log" ? 3 : 1, ...(range && { range: within(range) }) },
    },
    axes: [
      axis({ label: xLabel, size: 34, labelSize: 16 }),
      axis({
        size: 64,
        ...(scale === "log" && { splits: decades, filter: (_: uPlot, all: number[]) => all }),
      }),
    ],
    series: [{ label: xLabel, value: (_, value) => shown(value) }, ...lines],
  };
  return new uPlot(options, [finite(x), ...values] as uPlot.AlignedData, box);
}

/** The data's range, but no more than is allowed. */
function within([least, most]: readonly [number, number]): uPlot.Scale.Range {
  return (_, low, high) => [Math.max(least, Math.min(0, low ?? 0)), Math.min(most, Math.max(1.1, high ?? 1))];
}

/** Powers of ten, at most six of them. */
function decades(_: uPlot, __: number, low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const every = Math.ceil((last - first + 1) / 6);
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, k) => 10 ** (first + k * every));
}

const shown = (value: number | null) => (value === null || value === undefined ? "–" : short(value));

function lineOf(label: string, name: string, points = false): uPlot.Series {
  const stroke = () => colour(points ? "alarm" : name);
  return {
    label,
    stroke,
    width: points ? 0 : 1.5,
    points: { show: points, size: 6, fill: stroke, stroke },
    value: (_, value) => shown(value),
  };
}

function axis(options: uPlot.Axis): uPlot.Axis {
  return {
    ...options,
    font: "11px system-ui, sans-serif",
    labelFont: "11px system-ui, sans-serif",
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { stroke: () => colour("grid"), width: 1 },
    values: (_, splits) => splits.map((value) => (value === null ? "" : short(value))),
  };
}
