import { defaultState, type RaceState } from "./state.js";

/** A race that shows one thing. */
export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly state: RaceState;
}

const rates = (own: Record<string, number>) => ({ ...defaultState().rates, ...own });

export const presets: readonly Preset[] = [
  {
    id: "figure-1",
    name: "The paper's Figure 1",
    note: "The paper's function and rate, α e^(−0.01 t) / (1 + ‖g‖). As printed, Algorithm 1 stays where it is; the others leave the origin, which is the top.",
    state: {
      ...defaultState("bump"),
      on: ["superlevel", "sgd", "algorithm1", "stored", "equations"],
      rates: rates({ sgd: 1 }),
      side: "super",
      level: 0.8,
      steps: 300,
      speed: 60,
      playing: true,
    },
  },
  {
    id: "figure-1-d",
    name: "Figure 1 d",
    note: "All of it at once: the rates decay, and whoever walks stays in the super-level set of λ, so the energy V stays between λ and where it began. It is step 10 of Algorithm 1 that holds them there, not the decay: allow the loss below λ, and they leave.",
    state: {
      ...defaultState("bump"),
      on: ["superlevel", "algorithm1", "stored", "equations"],
      flood: true,
      side: "super",
      level: 0.8,
      steps: 300,
      speed: 60,
      playing: true,
    },
  },
  {
    id: "flooding",
    name: "Flooding",
    note: "Step 10 of Algorithm 1: whenever the loss would fall below the level λ, the step goes back to it. So no one arrives: all end on the water line, where the slope is not 0. This is known as flooding.",
    state: {
      ...defaultState("himmelblau"),
      flood: true,
      level: 0.1,
      side: "super",
      steps: 300,
      speed: 60,
      playing: true,
    },
  },
  {
    id: "past-the-edge",
    name: "Past the edge",
    note: "A stable step is at most 2 divided by the curvature; here that is 2/400 = 0.005. SGD at 0.0056 is just past this edge of stability: it bounces from wall to wall, higher each time.",
    state: {
      ...defaultState("canyon"),
      on: ["superlevel", "sgd", "momentum"],
      rates: rates({ sgd: 0.00562, momentum: 0.001 }),
      view: "map",
      steps: 100,
      speed: 10,
      playing: true,
    },
  },
  {
    id: "frozen",
    name: "Frozen",
    note: "A rate that decays as e^(−0.01 t) has a finite sum, so the whole walk has a finite length: with a small first rate it ends long before the minimum. superlevel lets its rate fall, and starts again.",
    state: {
      ...defaultState("rosenbrock"),
      on: ["superlevel", "algorithm1", "stored", "equations"],
      rates: rates({ algorithm1: 0.1, stored: 0.1, equations: 0.1 }),
      playing: true,
    },
  },
];
