import { colour, html, short } from "../common/dom.js";
import type { Field } from "./field.js";
import { paintField } from "./paint.js";
import { colourOf, type Racer } from "./racers.js";
import { placeAt } from "./trace.js";
import type { OnPlace, Runner, Scene, View } from "./view.js";

const MARGIN = { left: 40, right: 10, top: 10, bottom: 26 };

type Place = readonly [number, number];

/** Where keys move the mark. */
const MOVES: Readonly<Record<string, Place>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1],
};
/** How far, in shares of the window; with the shift key a quarter of it. */
const STRIDE = 0.02;

/** The landscape from above. */
export class MapView implements View {
  readonly element: HTMLElement;
  readonly #canvas = html("canvas", {
    class: "map",
    role: "application",
    tabindex: 0,
    "aria-label": "Map of the landscape. Arrow keys move a mark; Enter starts there.",
  });
  /** What is at the mark. */
  readonly #said = html("p", { class: "note", role: "status" });
  /** The place that keys have chosen, in shares of the window. */
  #mark: Place | undefined;
  /** The landscape alone, painted when it or the level changes. */
  readonly #ground = document.createElement("canvas");
  readonly #size = new ResizeObserver(() => this.#scene && this.draw(this.#scene, false));
  #scene: Scene | undefined;

  constructor(onPlace: OnPlace) {
    this.element = html("div", {}, this.#canvas, this.#said);
    this.#canvas.addEventListener("click", (event) => {
      const box = this.#canvas.getBoundingClientRect();
      const u = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
      const v = 1 - (event.clientY - box.top - MARGIN.top) / (box.height - MARGIN.top - MARGIN.bottom);
      if (u >= 0 && u <= 1 && v >= 0 && v <= 1) onPlace(u, v);
    });
    this.#canvas.addEventListener("keydown", (event) => this.#press(event, onPlace));
    this.#canvas.addEventListener("blur", () => this.#put(undefined));
    this.#size.observe(this.#canvas);
  }

  #press(event: KeyboardEvent, onPlace: OnPlace): void {
    const move = MOVES[event.key];
    if (event.key === "Enter" && this.#mark) {
      const [u, v] = this.#mark;
      this.#put(undefined);
      onPlace(u, v);
    } else if (move && this.#scene) {
      const { field, start } = this.#scene;
      const far = event.shiftKey ? STRIDE / 4 : STRIDE;
      const [u, v] = (this.#mark ?? field.toWindow(...start)).map((share, k) =>
        Math.min(1, Math.max(0, share + far * move[k])),
      );
      this.#put([u, v]);
    } else return;
    event.preventDefault();
  }

  #put(mark: Place | undefined): void {
    this.#mark = mark;
    if (!this.#scene) return;
    const { field } = this.#scene;
    const [x, y] = mark ? field.toPlane(...mark) : [0, 0];
    const text = `x = ${short(x)}, y = ${short(y)}: the loss is ${short(field.landscape.loss(x, y))}. Enter starts here.`;
    this.#said.textContent = mark ? text : "";
    this.draw(this.#scene, true);
  }

  draw(scene: Scene, moved: boolean): void {
    this.#scene = scene;
    const { clientWidth, clientHeight } = this.#canvas;
    if (clientWidth === 0) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const width = clientWidth - MARGIN.left - MARGIN.right;
    const height = clientHeight - MARGIN.top - MARGIN.bottom;
    if (!moved) this.#paintGround(scene, width, height, ratio);
    this.#canvas.width = Math.round(clientWidth * ratio);
    this.#canvas.height = Math.round(clientHeight * ratio);
    const context = this.#canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    context.translate(MARGIN.left, MARGIN.top);
    context.drawImage(this.#ground, 0, 0, width, height);
    drawAxes(context, scene.field, width, height);
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    // The first racer comes last, on top of the others.
    const runners = [...scene.runners].reverse();
    const courses = runners.map((runner) => courseOf(scene, runner, width, height));
    courses.forEach((course, k) => drawCourse(context, course, runners[k].racer));
    courses.forEach((course, k) => drawMarker(context, course[course.length - 1], runners[k].racer));
    drawStart(context, scene, width, height);
    if (this.#mark) drawMark(context, this.#mark, width, height);
  }

  destroy(): void {
    this.#size.disconnect();
    this.element.remove();
  }

  #paintGround({ field, set }: Scene, width: number, height: number, ratio: number): void {
    this.#ground.width = Math.round(width * ratio);
    this.#ground.height = Math.round(height * ratio);
    const context = this.#ground.getContext("2d")!;
    context.scale(ratio, ratio);
    paintField(context, field, set, width, height);
  }
}

function drawAxes(context: CanvasRenderingContext2D, field: Field, width: number, height: number): void {
  context.fillStyle = colour("muted");
  context.font = "12px system-ui, sans-serif";
  for (const share of [0, 0.5, 1]) {
    const [x, y] = field.toPlane(share, share);
    context.textAlign = share === 0 ? "left" : share === 1 ? "right" : "center";
    context.textBaseline = "top";
    context.fillText(short(x, 2), share * width, height + 6);
    context.textAlign = "right";
    context.textBaseline = share === 0 ? "bottom" : share === 1 ? "top" : "middle";
    context.fillText(short(y, 2), -5, (1 - share) * height);
  }
}

/** Places in pixels up to the present step; what is far outside would only slow the canvas down. */
function courseOf({ field, step }: Scene, { trace }: Runner, width: number, height: number): Place[] {
  return Array.from({ length: placeAt(trace, step) + 1 }, (_, k) => {
    const [u, v] = field.toWindow(trace.x[k], trace.y[k]);
    const near = (share: number) => Math.min(20, Math.max(-20, share));
    return [near(u) * width, (1 - near(v)) * height];
  });
}

function drawCourse(context: CanvasRenderingContext2D, course: readonly Place[], racer: Racer): void {
  const first = racer.rate === undefined;
  context.lineJoin = "round";
  // A border, so that the line stands out from any ground.
  for (const [stroke, extra, dash] of [
    [colour("paper"), 2.5, []],
    [colour(colourOf(racer)), 0, racer.dash],
  ] as const) {
    context.strokeStyle = stroke;
    context.lineWidth = (first ? 3 : 2) + extra;
    context.setLineDash([...dash]);
    context.beginPath();
    for (const [x, y] of course) context.lineTo(x, y);
    context.stroke();
  }
  context.setLineDash([]);
}

function drawMarker(context: CanvasRenderingContext2D, [x, y]: Place, racer: Racer): void {
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.fillStyle = colour(colourOf(racer));
  context.fill();
  context.strokeStyle = colour("paper");
  context.lineWidth = 1.5;
  context.stroke();
  context.fillStyle = colour("paper");
  context.font = "bold 10px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(racer.letter, x, y + 0.5);
}

function drawStart(
  context: CanvasRenderingContext2D,
  { field, start }: Scene,
  width: number,
  height: number,
) {
  const [u, v] = field.toWindow(...start);
  context.beginPath();
  context.arc(u * width, (1 - v) * height, 4, 0, 2 * Math.PI);
  context.fillStyle = colour("paper");
  context.fill();
  context.strokeStyle = colour("ink");
  context.lineWidth = 2;
  context.stroke();
}

function drawMark(context: CanvasRenderingContext2D, [u, v]: Place, width: number, height: number): void {
  const [x, y] = [u * width, (1 - v) * height];
  for (const [stroke, lineWidth] of [
    ["paper", 5],
    ["ink", 2],
  ] as const) {
    context.strokeStyle = colour(stroke);
    context.lineWidth = lineWidth;
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [0, 1],
    ]) {
      context.moveTo(x - 9 * dx, y - 9 * dy);
      context.lineTo(x + 9 * dx, y + 9 * dy);
    }
    context.stroke();
  }
}
