import { Mesh, MeshBasicMaterial, SphereGeometry, Vector2, type Scene as World } from "three";
import { Line2 } from "three/addons/lines/Line2.js";
import { LineGeometry } from "three/addons/lines/LineGeometry.js";
import { LineMaterial } from "three/addons/lines/LineMaterial.js";

import { colour } from "../common/dom.js";
import { colourOf, type Racer } from "./racers.js";
import { spot } from "./space.js";
import { placeAt } from "./trace.js";
import type { Runner, Scene } from "./view.js";

/** Lines lie a little above the surface. */
const LIFT = 0.015;

/** A racer's line and head on the surface. */
export class Course {
  readonly #world: World;
  readonly #racer: Racer;
  readonly #material: LineMaterial;
  readonly #head = new Mesh(new SphereGeometry(0.035), new MeshBasicMaterial());
  #line: Line2 | undefined;
  #drawn = -1;

  constructor(world: World, racer: Racer) {
    this.#world = world;
    this.#racer = racer;
    const linewidth = racer.rate === undefined ? 4 : 2.5;
    this.#material = new LineMaterial({ linewidth, resolution: new Vector2(800, 500) });
    world.add(this.#head);
  }

  draw({ field, step }: Scene, { trace }: Runner, moved: boolean): void {
    const place = placeAt(trace, step);
    if (moved && place === this.#drawn) return;
    this.#drawn = place;
    const points: number[] = [];
    // What leaves the window is not on the surface.
    let inside = true;
    for (let k = 0; k <= place && inside; k++) {
      const [u, v] = field.toWindow(trace.x[k], trace.y[k]);
      inside = u >= 0 && u <= 1 && v >= 0 && v <= 1;
      if (inside) points.push(...spot(u, v, field.heightOf(trace.losses[k]) + LIFT));
    }
    const paint = colour(colourOf(this.#racer));
    this.#material.color.set(paint);
    this.#head.material.color.set(paint);
    this.#head.visible = inside && points.length > 0;
    if (points.length > 0) this.#head.position.fromArray(points, points.length - 3);
    this.#removeLine();
    if (points.length < 6) return;
    // Its geometry cannot grow, so each line is a new one.
    this.#line = new Line2(new LineGeometry(), this.#material);
    this.#line.geometry.setPositions(points);
    this.#line.frustumCulled = false;
    this.#world.add(this.#line);
  }

  destroy(): void {
    this.#removeLine();
    this.#world.remove(this.#head);
    this.#head.geometry.dispose();
    this.#head.material.dispose();
    this.#material.dispose();
  }

  #removeLine(): void {
    if (!this.#line) return;
    this.#world.remove(this.#line);
    this.#line.geometry.dispose();
    this.#line = undefined;
  }
}
