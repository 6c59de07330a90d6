import { html, onScheme, prefersStill } from "../common/dom.js";
import { Controls } from "./controls.js";
import { Field, type LevelSet } from "./field.js";
import { landscapeOf } from "./landscapes.js";
import { MapView } from "./map.js";
import { racers } from "./racers.js";
import { formatState, parseState, type RaceState } from "./state.js";
import { RaceStrips } from "./strips.js";
import { SurfaceView } from "./surface.js";
import { Table } from "./table.js";
import { runTrace, type Trace } from "./trace.js";
import type { Runner, Scene, View } from "./view.js";

/** The page of races. */
export class RacePage {
  readonly element = html("div", { class: "race" });
  readonly #onAddress: (values: URLSearchParams) => void;
  readonly #controls: Controls;
  readonly #table: Table;
  readonly #strips: RaceStrips;
  readonly #picture = html("div", { class: "picture" });
  readonly #stopWatching: () => void;
  #state: RaceState;
  #field: Field;
  #set: LevelSet;
  #view: View | undefined;
  #traces = new Map<string, Trace>();
  #frame = 0;
  #last = 0;
  #drawnAt = 0;

  constructor(values: URLSearchParams, onAddress: (values: URLSearchParams) => void) {
    this.#onAddress = onAddress;
    this.#state = parseState(values);
    // The first visit shows a race that runs, or, where motion is unwelcome, one that has run.
    if (values.size === 0 && prefersStill()) this.#state = { ...this.#state, step: this.#state.steps };
    if (values.size === 0 && !prefersStill()) this.#state = { ...this.#state, playing: true };
    this.#field = new Field(landscapeOf(this.#state.landscape));
    this.#set = this.#levelSet();
    const change = (changed: Partial<RaceState>) => this.#change(changed);
    this.#controls = new Controls(change);
    this.#table = new Table(change);
    this.#strips = new RaceStrips();
    const { top, side, play } = this.#controls;
    this.element.append(
      top,
      html("div", { class: "stage" }, html("div", {}, this.#picture, play), side),
      this.#table.element,
      this.#strips.element,
    );
    this.#stopWatching = onScheme(() => this.#draw(false));
    // The strips measure their box, so that has to be in the page.
    requestAnimationFrame(() => this.#change({}));
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#stopWatching();
    this.#view?.destroy();
    this.#strips.destroy();
    this.element.remove();
  }

  /** Takes another state over, as when somebody goes back in the browser's history. */
  read(values: URLSearchParams): void {
    this.#change(parseState(values));
  }

  #change(changed: Partial<RaceState>): void {
    const before = this.#state;
    this.#state = { ...before, ...changed };
    const { landscape, side, level } = this.#state;
    if (landscape !== this.#field.landscape.id) this.#field = new Field(landscapeOf(landscape));
    if (landscape !== before.landscape || side !== before.side || level !== before.level) {
      this.#set = this.#levelSet();
    }
    const onlyMoved = Object.keys(changed).length > 0 && Object.keys(changed).every((key) => MOVES.has(key));
    if (!onlyMoved) this.#run();
    if (!this.#view || this.#state.view !== before.view) this.#openView();
    this.#draw(onlyMoved);
    this.#onAddress(formatState(this.#state));
    this.#play();
  }

  #levelSet(): LevelSet {
    return this.#field.levelSet(this.#state.side, this.#field.levelAt(this.#state.level));
  }

  /** Runs whoever has not run in this setting. */
  #run(): void {
    const { start, steps, rates, on, flood } = this.#state;
    const { landscape } = this.#field;
    const floor = flood ? this.#set.level : undefined;
    const traces = new Map<string, Trace>();
    for (const racer of racers) {
      if (!on.includes(racer.id)) continue;
      const rate = rates[racer.id] ?? 1;
      const key = [racer.id, rate, landscape.id, start, steps, floor].join(" ");
      traces.set(key, this.#traces.get(key) ?? runTrace({ landscape, start, steps, floor }, racer, rate));
    }
    this.#traces = traces;
  }

  #openView(): void {
    this.#view?.destroy();
    const onPlace = (u: number, v: number) => {
      const start = this.#field.toPlane(u, v).map((value) => Number(value.toPrecision(3)));
      this.#change({ start: [start[0], start[1]], step: 0, playing: !prefersStill() });
    };
    this.#picture.replaceChildren();
    if (this.#state.view === "surface") {
      try {
        this.#view = new SurfaceView(onPlace);
      } catch {
        const text =
          "The surface needs WebGL, which this browser does not offer here; this is the map of it.";
        this.#picture.append(html("p", { class: "note" }, text));
      }
    }
    if (this.#state.view === "map" || this.#picture.hasChildNodes()) this.#view = new MapView(onPlace);
    this.#picture.append(this.#view!.element);
  }

  #draw(moved: boolean): void {
    const on = racers.filter(({ id }) => this.#state.on.includes(id));
    const runners = [...this.#traces.values()].map((trace, k): Runner => ({ racer: on[k], trace }));
    const { start, step } = this.#state;
    const scene: Scene = { field: this.#field, set: this.#set, runners, start, step };
    this.#view?.draw(scene, moved);
    // While a race is played, curves need not be redrawn as often as the picture.
    const now = performance.now();
    if (!moved || !this.#state.playing || now - this.#drawnAt > 60) {
      this.#strips.draw(runners, step, this.#state.steps);
      this.#drawnAt = now;
    }
    this.#table.draw(this.#state, scene);
    this.#controls.draw(this.#state, scene);
  }

  #play(): void {
    cancelAnimationFrame(this.#frame);
    if (!this.#state.playing) return;
    this.#last = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now: number): void {
    const { step, speed, steps } = this.#state;
    // A page that was hidden goes on where it was.
    const next = Math.min(steps, step + (speed * Math.min(250, Math.max(0, now - this.#last))) / 1000);
    this.#last = now;
    if (next >= steps) return this.#change({ step: steps, playing: false });
    this.#state = { ...this.#state, step: next };
    if (Math.floor(next) !== Math.floor(step)) this.#draw(true);
    this.#frame = requestAnimationFrame((later) => this.#tick(later));
  }
}

/** Changes that leave the runs and the landscape as they are. */
const MOVES = new Set(["step", "playing", "speed"]);
