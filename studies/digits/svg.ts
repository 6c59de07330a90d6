import { finalLoss, heightOf, isOffScale, spreadLabels, type Curve, type Frame } from "./curves.js";
import { roundTicks } from "../kit/chart.js";
import { escapeXml, logTicks, picture, place, polyline } from "../kit/svg.js";

const width = 960;
const height = 540;
const plot = { left: 70, right: 700, top: 70, bottom: 480 };
const ink = "#333";
const faint = "#e4e4e0";

/** The loss curves as an SVG file; each curve is named at its right end. */
export function svgPlot(curves: readonly Curve[], frame: Frame, title: string, subtitle: string): string {
  // The first curve comes last in the file, on top of the others.
  const inOrder = [...curves].reverse();
  return picture(width, height, escapeXml(title), [
    `<g font-size="13">`,
    `<text x="14" y="45" fill="#666">${escapeXml(subtitle)}</text>`,
    ...lossAxis(frame),
    ...stepAxis(frame),
    ...inOrder.flatMap((curve) => curveShapes(curve, frame)),
    ...legend(curves, frame),
    ...offScaleNote(curves, frame),
    "</g>",
  ]);
}

const x = (step: number, { steps }: Frame) => place(step, 0, steps, plot.left, plot.right);
const y = (loss: number, frame: Frame) => place(heightOf(loss, frame), 0, 1, plot.bottom, plot.top);

function lossAxis(frame: Frame): string[] {
  const middle = (plot.top + plot.bottom) / 2;
  const lines = logTicks(frame.low, frame.high).flatMap((tick) => {
    const at = y(tick, frame);
    return [
      `<line x1="${plot.left}" y1="${at}" x2="${plot.right}" y2="${at}" stroke="${faint}"/>`,
      `<text x="${plot.left - 9}" y="${at + 4.5}" text-anchor="end">${tick}</text>`,
    ];
  });
  return [
    ...lines,
    `<line x1="${plot.left}" y1="${plot.top}" x2="${plot.left}" y2="${plot.bottom}" stroke="${ink}"/>`,
    `<text transform="translate(20 ${middle}) rotate(-90)" text-anchor="middle">training loss (log scale)</text>`,
  ];
}

function stepAxis(frame: Frame): string[] {
  const middle = (plot.left + plot.right) / 2;
  const lines = roundTicks(0, frame.steps).flatMap((tick) => {
    const at = x(tick, frame);
    return [
      `<line x1="${at}" y1="${plot.bottom}" x2="${at}" y2="${plot.bottom + 5}" stroke="${ink}"/>`,
      `<text x="${at}" y="${plot.bottom + 21}" text-anchor="middle">${tick}</text>`,
    ];
  });
  return [
    `<line x1="${plot.left}" y1="${plot.bottom}" x2="${plot.right}" y2="${plot.bottom}" stroke="${ink}"/>`,
    ...lines,
    `<text x="${middle}" y="${plot.bottom + 44}" text-anchor="middle">step</text>`,
  ];
}

function curveShapes(curve: Curve, frame: Frame): string[] {
  const { points, color, family, divergedAt } = curve;
  const places = points.map(({ step, loss }) => ({ x: x(step, frame), y: y(loss, frame) }));
  const style = `fill="none" stroke="${color}" stroke-linejoin="round" ${strokeOf(family)}`;
  const line = polyline(places, style);
  if (divergedAt === undefined) return [line];
  const last = points.length > 0 ? points[points.length - 1].loss : Infinity;
  return [line, cross(x(divergedAt, frame), y(last, frame), color)];
}

function strokeOf(family: Curve["family"]): string {
  if (family === "superlevel") return 'stroke-width="3.5"';
  return family === "sgd" ? 'stroke-width="1.5" stroke-dasharray="5 3"' : 'stroke-width="1.5"';
}

function cross(cx: number, cy: number, color: string): string {
  return `<path d="M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10" stroke="${color}" stroke-width="2.5" fill="none"/>`;
}

/** The name of each curve, with a line from its end. One that diverged has no end: its name stands alone. */
function legend(curves: readonly Curve[], frame: Frame): string[] {
  const ends = curves.map((curve) => y(finalLoss(curve), frame));
  return spreadLabels(ends, 19, plot.bottom).flatMap((at, i) => {
    const { name, color, family, points, divergedAt } = curves[i];
    const elbow = plot.right + 14;
    const weight = family === "superlevel" ? ' font-weight="700"' : "";
    const text = divergedAt === undefined ? name : `${name}, diverged at step ${divergedAt}`;
    const lead =
      divergedAt === undefined
        ? `M${x(points[points.length - 1].step, frame)} ${ends[i]}L${elbow} ${at}`
        : `M${elbow} ${at}`;
    return [
      `<path d="${lead}h24" fill="none" stroke="${color}" stroke-linejoin="round" ${strokeOf(family)}/>`,
      `<text x="${elbow + 30}" y="${at + 4.5}" fill="${color}"${weight}>${escapeXml(text)}</text>`,
    ];
  });
}

/** Curves above the frame run along its top edge; without a word that would look like their loss. */
function offScaleNote(curves: readonly Curve[], frame: Frame): string[] {
  if (!isOffScale(curves, frame)) return [];
  return [
    `<text x="${plot.right}" y="${plot.top + 30}" text-anchor="end" fill="#666">top edge: off the scale</text>`,
  ];
}
