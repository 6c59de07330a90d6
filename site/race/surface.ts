import {
  BufferAttribute,
  BufferGeometry,
  CanvasTexture,
  DoubleSide,
  Mesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  AmbientLight,
  DirectionalLight,
  PerspectiveCamera,
  PlaneGeometry,
  Raycaster,
  Scene as World,
  SphereGeometry,
  SRGBColorSpace,
  Vector2,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

import { colour, html } from "../common/dom.js";
import { Course } from "./course.js";
import { COLUMNS, type Field } from "./field.js";
import { paintField } from "./paint.js";
import { FLOOR, spot } from "./space.js";
import type { OnPlace, Scene, View } from "./view.js";

const FLOOR_PIXELS = 1024;

/** The landscape as a surface, with its contours on the floor beneath. Throws where there is no WebGL. */
export class SurfaceView implements View {
  readonly element: HTMLElement;
  readonly #renderer: WebGLRenderer;
  readonly #world = new World();
  readonly #camera = new PerspectiveCamera(38, 1, 0.1, 20);
  readonly #controls: OrbitControls;
  readonly #ground: Mesh<BufferGeometry, MeshLambertMaterial>;
  readonly #floor = document.createElement("canvas");
  readonly #texture = new CanvasTexture(this.#floor);
  readonly #start = new Mesh(new SphereGeometry(0.025), new MeshBasicMaterial());
  readonly #courses = new Map<string, Course>();
  readonly #size = new ResizeObserver(() => this.#fit());

  constructor(onPlace: OnPlace) {
    this.#renderer = new WebGLRenderer({ antialias: true, alpha: true });
    const canvas = this.#renderer.domElement;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The landscape as a surface. Arrow keys turn it.");
    canvas.tabIndex = 0;
    this.element = html("div", { class: "surface" }, canvas);
    this.#ground = new Mesh(
      gridGeometry(),
      new MeshLambertMaterial({ map: this.#texture, side: DoubleSide }),
    );
    this.#floor.width = this.#floor.height = FLOOR_PIXELS;
    this.#texture.colorSpace = SRGBColorSpace;
    this.#texture.anisotropy = 8;
    const floor = new Mesh(
      new PlaneGeometry(2, 2),
      new MeshBasicMaterial({ map: this.#texture, side: DoubleSide }),
    );
    floor.rotation.x = -Math.PI / 2;
    floor.position.y = FLOOR;
    const sun = new DirectionalLight(0xffffff, 1.6);
    sun.position.set(-1.5, 3, 1);
    this.#world.add(this.#ground, floor, this.#start, new AmbientLight(0xffffff, 1.7), sun);
    this.#camera.position.set(1.35, 2.3, 2.75);
    this.#controls = new OrbitControls(this.#camera, canvas);
    this.#controls.target.set(0, -0.17, 0);
    this.#controls.enablePan = false;
    // The page has to scroll past the picture; pinching and the buttons of the browser still enlarge it.
    this.#controls.enableZoom = false;
    canvas.style.touchAction = "pan-y";
    this.#controls.minPolarAngle = 0.2;
    this.#controls.maxPolarAngle = 1.5;
    this.#controls.addEventListener("change", () => this.#render());
    this.#controls.update();
    this.#listen(canvas, onPlace);
    this.#size.observe(this.element);
  }

  draw(scene: Scene, moved: boolean): void {
    if (!moved) this.#lay(scene);
    for (const [id, course] of this.#courses) {
      if (scene.runners.every(({ racer }) => racer.id !== id)) {
        course.destroy();
        this.#courses.delete(id);
      }
    }
    for (const runner of scene.runners) {
      const { id } = runner.racer;
      if (!this.#courses.has(id)) this.#courses.set(id, new Course(this.#world, runner.racer));
      this.#courses.get(id)!.draw(scene, runner, moved);
    }
    this.#render();
  }

  destroy(): void {
    this.#size.disconnect();
    this.#controls.dispose();
    for (const course of this.#courses.values()) course.destroy();
    this.#texture.dispose();
    this.#renderer.dispose();
    this.#renderer.forceContextLoss();
    this.element.remove();
  }

  /** Ground, floor and start. */
  #lay({ field, set, start }: Scene): void {
    shape(this.#ground.geometry, field);
    paintField(this.#floor.getContext("2d")!, field, set, FLOOR_PIXELS, FLOOR_PIXELS, 1.6);
    this.#texture.needsUpdate = true;
    const [u, v] = field.toWindow(...start);
    this.#start.position.set(...spot(u, v, field.heightOf(field.landscape.loss(...start))));
    this.#start.material.color.set(colour("ink"));
  }

  #listen(canvas: HTMLCanvasElement, onPlace: OnPlace): void {
    let down = { x: 0, y: 0 };
    canvas.addEventListener("pointerdown", ({ clientX: x, clientY: y }) => (down = { x, y }));
    canvas.addEventListener("click", (event) => {
      // A drag turns the picture.
      if (Math.hypot(event.clientX - down.x, event.clientY - down.y) > 5) return;
      const box = canvas.getBoundingClientRect();
      const pointer = new Vector2(
        (2 * (event.clientX - box.left)) / box.width - 1,
        1 - (2 * (event.clientY - box.top)) / box.height,
      );
      const caster = new Raycaster();
      caster.setFromCamera(pointer, this.#camera);
      const [hit] = caster.intersectObject(this.#ground);
      if (hit) onPlace((hit.point.x + 1) / 2, (1 - hit.point.z) / 2);
    });
    canvas.addEventListener("keydown", (event) => {
      const turns = { ArrowLeft: -0.15, ArrowRight: 0.15 }[event.key];
      if (turns === undefined) return;
      event.preventDefault();
      this.#camera.position.applyAxisAngle(new Vector3(0, 1, 0), turns);
      this.#controls.update();
    });
  }

  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0) return;
    this.#renderer.setPixelRatio(Math.min(2, devicePixelRatio || 1));
    this.#renderer.setSize(width, height);
    this.#camera.aspect = width / height;
    // Narrow pictures are seen from further away.
    this.#camera.zoom = Math.min(0.96, 0.86 * this.#camera.aspect);
    this.#camera.updateProjectionMatrix();
    this.#render();
  }

  #render(): void {
    this.#renderer.render(this.#world, this.#camera);
  }
}

function gridGeometry(): BufferGeometry {
  const geometry = new BufferGeometry();
  const size = COLUMNS * COLUMNS;
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(3 * size), 3));
  const places = Float32Array.from({ length: 2 * size }, (_, i) => {
    const k = i >> 1;
    return (i % 2 === 0 ? k % COLUMNS : Math.floor(k / COLUMNS)) / (COLUMNS - 1);
  });
  geometry.setAttribute("uv", new BufferAttribute(places, 2));
  const index: number[] = [];
  for (let row = 0; row < COLUMNS - 1; row++) {
    for (let column = 0; column < COLUMNS - 1; column++) {
      const corner = row * COLUMNS + column;
      index.push(corner, corner + 1, corner + COLUMNS + 1, corner, corner + COLUMNS + 1, corner + COLUMNS);
    }
  }
  geometry.setIndex(index);
  return geometry;
}

/** Heights over the window; the ground and the floor have the same picture. */
function shape(geometry: BufferGeometry, { heights }: Field): void {
  const position = geometry.getAttribute("position");
  for (let k = 0; k < heights.length; k++) {
    const [u, v] = [(k % COLUMNS) / (COLUMNS - 1), Math.floor(k / COLUMNS) / (COLUMNS - 1)];
    position.setXYZ(k, ...spot(u, v, heights[k]));
  }
  position.needsUpdate = true;
  geometry.computeVertexNormals();
  geometry.computeBoundingSphere();
}
