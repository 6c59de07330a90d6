import { html } from "../common/dom.js";
import type { Picture } from "./protocol.js";

/** Draws digits with what they are, and what they are taken for. */
export function drawPictures(box: HTMLElement, pictures: readonly Picture[]): void {
  box.replaceChildren(...pictures.map(figureOf));
}

function figureOf({ image, label, read }: Picture): HTMLElement {
  const side = Math.round(Math.sqrt(image.length));
  const says = read === undefined ? String(label) : `${label} read as ${read < 0 ? "nothing" : read}`;
  const canvas = html("canvas", { width: side, height: side, role: "img", "aria-label": `A drawn ${says}` });
  const data = new ImageData(side, side);
  image.forEach((ink, p) => data.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * p));
  canvas.getContext("2d")!.putImageData(data, 0, 0);
  return html("figure", {}, canvas, html("figcaption", { "aria-hidden": "true" }, says));
}
