import { colour } from "../common/dom.js";
import { componentColour, css, mix, rgb } from "../common/palette.js";
import type { Area, Field, LevelSet } from "./field.js";

/** Shades of the loss with contours, the components of a level set, and its border. */
export function paintField(
  context: CanvasRenderingContext2D,
  field: Field,
  { parts }: LevelSet,
  width: number,
  height: number,
  strength = 1,
): void {
  const [low, high] = [rgb(colour("low")), rgb(colour("high"))];
  context.fillStyle = css(low);
  context.fillRect(0, 0, width, height);
  for (const { height: share, areas } of field.isolines) {
    context.fillStyle = css(mix(low, high, share));
    context.fill(pathOf(areas, width, height), "evenodd");
  }
  for (const { area, label } of parts) {
    if (label < 0) continue;
    context.globalAlpha = 0.72;
    context.fillStyle = componentColour(label);
    context.fill(pathOf([area], width, height), "evenodd");
    context.globalAlpha = 1;
  }
  context.strokeStyle = colour("isoline");
  context.lineWidth = strength;
  for (const { areas } of field.isolines) context.stroke(pathOf(areas, width, height));
  context.strokeStyle = colour("ink");
  context.lineWidth = 1.8 * strength;
  for (const { area } of parts) context.stroke(pathOf([area], width, height));
}

function pathOf(areas: readonly Area[], width: number, height: number): Path2D {
  const path = new Path2D();
  for (const ring of areas.flat()) {
    ring.forEach(([u, v], k) => {
      if (k === 0) path.moveTo(u * width, (1 - v) * height);
      else path.lineTo(u * width, (1 - v) * height);
    });
    path.closePath();
  }
  return path;
}
