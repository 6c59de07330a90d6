import { expectNumber, expectNumbers, expectOneOf, expectOptions, show } from "../common/expect.js";
import { expectGrid, type Grid } from "../stability/landscape/grid.js";
import { mergeTree, type MergeTreeOptions, type Sense } from "../stability/landscape/merge-tree.js";
import { PAGE_SCRIPT, PAGE_STYLE } from "./page-bundle.js";
import {
  encode,
  type PageLandscape,
  type PageSubject,
  type PlaneLine,
  type ReportFinding,
  type Strip,
} from "./data.js";

/** A step as the report shows it: a {@link StepRecord} as the Lyapunov monitor's `onStep` gets it, or made by hand. */
export interface ReportStep {
  readonly step: number;
  /** V before the step. */
  readonly before: number;
  /** ρ = ΔV / (g·d). */
  readonly ratio: number;
  /** Steps with status "violation" are marked; those with "converged" have no edge ratio, which would be one of roundings. */
  readonly status?: string;
}

/** A slice with what is known about it. */
export interface ReportLandscape extends Pick<MergeTreeOptions, "outer" | "hessianBound"> {
  readonly slice: Grid;
  /** What the directions are; default x and y. */
  readonly axes?: readonly [string, string];
  /** Trajectories, and paths between points. */
  readonly lines?: readonly PlaneLine[];
}

/** One part of a report: a run, a landscape, or a run on its landscape. */
export interface ReportSubject {
  readonly name: string;
  readonly note?: string;
  /** What a monitor found: `monitor.summary().findings`. An empty list is shown as "nothing found". */
  readonly findings?: readonly ReportFinding[];
  /**
   * Drawn as two strips: the energy V, and the edge ratio 1 − ρ, ½ η β̂ for descent: 1 at the edge of stability. Where no
   * ratio is known, as with minibatches, there is only the first.
   */
  readonly steps?: readonly ReportStep[];
  /** More strips, such as learning rates. */
  readonly strips?: readonly Strip[];
  /** Drawn as contours with a level to move, the components of the level set in colours, and their barcode. */
  readonly landscape?: ReportLandscape;
}

/** Words around a {@link report}. */
export interface ReportOptions {
  /** Default "Stability report". */
  title?: string;
  note?: string;
}

/**
 * A page that shows results: strips of energy and edge ratio, contours of slices whose level can be moved, the
 * components of the level set, and barcodes. One HTML text with everything in it; it loads nothing.
 *
 * The components are those of {@link mergeTree}, for both senses.
 *
 * @throws TypeError or RangeError naming what is wrong in the results
 * @example
 * import { report } from "superlevel/stability";
 * const slice = { columns: 3, rows: 3, values: [0, 1, 0, 1, 2, 1, 0, 1, 0] };
 * const html = report([{ name: "A bump", landscape: { slice } }], { title: "Bumps" });
 * html.startsWith("<!doctype html>"); // → true
 */
export function report(results: readonly ReportSubject[], options: ReportOptions = {}): string {
  expectOptions("options", options, ["title", "note"]);
  if (!Array.isArray(results)) throw new TypeError(`results: expected an array, got ${show(results)}`);
  const title = expectText("options.title", options.title ?? "Stability report");
  const note = expectText("options.note", options.note ?? "");
  const subjects = results.map((subject: ReportSubject, k) => checkSubject(`results[${k}]`, subject));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>${title.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<noscript>This report is drawn by a script in the page.</noscript>
<script type="application/json" id="data">${encode({ title, note, subjects })}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

function expectText(name: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${name}: expected a string, got ${show(value)}`);
  return value;
}

function checkSubject(name: string, subject: ReportSubject): PageSubject {
  expectOptions(name, subject, ["name", "note", "findings", "steps", "strips", "landscape"]);
  const { findings, steps, strips = [], landscape } = subject;
  const own = steps ? stepStrips(`${name}.steps`, steps) : [];
  strips.forEach((strip, k) => checkStrip(`${name}.strips[${k}]`, strip));
  return {
    name: expectText(`${name}.name`, subject.name),
    note: expectText(`${name}.note`, subject.note ?? ""),
    findings: findings ? checkFindings(`${name}.findings`, findings) : null,
    strips: [...own, ...strips],
    landscape: landscape ? checkLandscape(`${name}.landscape`, landscape) : null,
  };
}

function checkFindings(name: string, findings: readonly ReportFinding[]): ReportFinding[] {
  if (!Array.isArray(findings)) throw new TypeError(`${name}: expected an array, got ${show(findings)}`);
  return (findings as readonly ReportFinding[]).map(({ code, severity, message }, k) => ({
    code: expectText(`${name}[${k}].code`, code),
    severity: expectOneOf(`${name}[${k}].severity`, severity, ["problem", "note"]),
    message: expectText(`${name}[${k}].message`, message),
  }));
}

function checkStrip(name: string, strip: Strip): void {
  expectOptions(name, strip, ["title", "xLabel", "x", "series", "reference", "scale", "range"]);
  expectText(`${name}.title`, strip.title);
  if (strip.xLabel !== undefined) expectText(`${name}.xLabel`, strip.xLabel);
  if (strip.scale !== undefined) expectOneOf(`${name}.scale`, strip.scale, ["linear", "log"]);
  if (!Array.isArray(strip.series)) {
    throw new TypeError(`${name}.series: expected an array, got ${show(strip.series)}`);
  }
  const { length } = expectNumbers(`${name}.x`, strip.x, strip.x?.length);
  strip.series.forEach(({ label, values }: Strip["series"][number], k) => {
    expectText(`${name}.series[${k}].label`, label);
    expectNumbers(`${name}.series[${k}].values`, values, length);
  });
}

/** Ratios far past the edge are cut off, so that those around 1 can be told apart. */
const EDGE_RANGE = [-0.5, 2.5] as const;

function stepStrips(name: string, steps: readonly ReportStep[]): Strip[] {
  if (!Array.isArray(steps)) throw new TypeError(`${name}: expected an array, got ${show(steps)}`);
  const points = steps as readonly ReportStep[];
  const x = points.map(({ step }, k) => expectNumber(`${name}[${k}].step`, step));
  const energies = points.map(({ before }) => before);
  const violations = points.map(({ status, before }) => (status === "violation" ? before : NaN));
  const ratios = points.map(({ status, ratio }) => (status === "converged" ? NaN : 1 - ratio));
  const some = (values: readonly number[]) => values.some((value) => Number.isFinite(value));
  const energy: Strip = {
    title: "Energy V",
    x,
    series: [
      { label: "V before the step", values: energies },
      ...(some(violations) ? [{ label: "violation: V rises", values: violations, points: true }] : []),
    ],
  };
  const edge: Strip = {
    title: "Edge ratio 1 − ΔV / (g·d)",
    x,
    series: [{ label: "edge ratio", values: ratios }],
    reference: { label: "edge of stability", value: 1 },
    scale: "linear",
    range: EDGE_RANGE,
  };
  return some(ratios) ? [energy, edge] : [energy];
}

function checkLandscape(name: string, landscape: ReportLandscape): PageLandscape {
  expectOptions(name, landscape, ["slice", "axes", "lines", "outer", "hessianBound"]);
  const { slice, axes = ["x", "y"], lines = [], outer, hessianBound } = landscape;
  expectGrid(`${name}.slice`, slice);
  if (slice.columns < 2 || slice.rows < 2) {
    throw new RangeError(
      `${name}.slice: expected at least 2 columns and rows, got ${slice.columns} and ${slice.rows}`,
    );
  }
  lines.forEach((line, k) => {
    expectOptions(`${name}.lines[${k}]`, line, ["name", "x", "y", "residual", "barrier"]);
    expectNumbers(`${name}.lines[${k}].y`, line.y, line.x?.length);
  });
  const treeOf = (sense: Sense) => {
    const tree = mergeTree(slice, { sense, outer, hessianBound });
    return { ...tree, branch: Array.from(tree.branch) };
  };
  const { columns, rows, values, x = [0, columns - 1], y = [0, rows - 1] } = slice;
  const trees = { super: treeOf("super"), sub: treeOf("sub") };
  return { columns, rows, x, y, axes, values: Array.from(values), trees, lines };
}
