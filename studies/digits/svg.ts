import { finalLoss, heightOf, isOffScale, spreadLabels, type Curve, type Frame } from "./curves.js";
import { escapeXml, frame, logTicks, picture, polyline, roundTicks } from "../kit/svg.js";

const box = { left: 54, right: 540, top: 56, bottom: 360 };

/** The loss curves as an SVG file; each curve is named at its right end. */
export function svgPlot(curves: readonly Curve[], view: Frame, title: string, subtitle: string): string {
  const steps = { ticks: roundTicks(0, view.steps), label: String, at: (step: number) => x(step, view) };
  const losses = {
    ticks: logTicks(view.low, view.high),
    label: String,
    at: (loss: number) => y(loss, view),
  };
  return picture(740, 405, title, [
    `<text x="14" y="40" fill="#666">${escapeXml(subtitle)}</text>`,
    ...frame("", box, steps, losses, { x: "step", y: "training loss (log scale)" }),
    // The first curve comes last in the file, on top of the others.
    ...[...curves].reverse().flatMap((curve) => curveShapes(curve, view)),
    ...legend(curves, view),
    ...offScaleNote(curves, view),
  ]);
}

function x(step: number, view: Frame): number {
  return round(box.left + (step / view.steps) * (box.right - box.left));
}

function y(loss: number, view: Frame): number {
  return round(box.bottom - heightOf(loss, view) * (box.bottom - box.top));
}

function curveShapes(curve: Curve, view: Frame): string[] {
  const { points, color, family, divergedAt } = curve;
  const places = points.map(({ step, loss }) => ({ x: x(step, view), y: y(loss, view) }));
  const style = `fill="none" stroke="${color}" stroke-linejoin="round" ${strokeOf(family)}`;
  const line = polyline(places, style);
  if (divergedAt === undefined) return [line];
  const last = points.length > 0 ? points[points.length - 1].loss : Infinity;
  return [line, cross(x(divergedAt, view), y(last, view), color)];
}

function strokeOf(family: Curve["family"]): string {
  if (family === "superlevel") return 'stroke-width="2.7"';
  return family === "sgd" ? 'stroke-width="1.2" stroke-dasharray="4 2"' : 'stroke-width="1.2"';
}

function cross(cx: number, cy: number, color: string): string {
  return `<path d="M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10" stroke="${color}" stroke-width="2.5" fill="none"/>`;
}

/** The name of each curve, with a line from its end. One that diverged has no end: its name stands alone. */
function legend(curves: readonly Curve[], view: Frame): string[] {
  const ends = curves.map((curve) => y(finalLoss(curve), view));
  return spreadLabels(ends, 15, box.bottom).flatMap((at, i) => {
    const { name, color, family, points, divergedAt } = curves[i];
    const elbow = box.right + 11;
    const weight = family === "superlevel" ? ' font-weight="700"' : "";
    const text = divergedAt === undefined ? name : `${name}, diverged at step ${divergedAt}`;
    const lead =
      divergedAt === undefined
        ? `M${x(points[points.length - 1].step, view)} ${ends[i]}L${elbow} ${at}`
        : `M${elbow} ${at}`;
    return [
      `<path d="${lead}h18" fill="none" stroke="${color}" stroke-linejoin="round" ${strokeOf(family)}/>`,
      `<text x="${elbow + 23}" y="${at + 3.5}" fill="${color}"${weight}>${escapeXml(text)}</text>`,
    ];
  });
}

/** Curves above the frame run along its top edge; without a word that would look like their loss. */
function offScaleNote(curves: readonly Curve[], view: Frame): string[] {
  if (!isOffScale(curves, view)) return [];
  return [
    `<text x="${box.right}" y="${box.top + 30}" text-anchor="end" fill="#666">top edge: off the scale</text>`,
  ];
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}
