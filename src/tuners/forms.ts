import type { FormName, Tuner } from "./tuners.js";

/** What distinguishes the forms, in the kernels' terms; assembly/memory/form.ts says what each means. */
export interface Form {
  readonly pull: "PROXIMAL" | "DECAY_AHEAD" | "DECAY" | "PRINTED";
  readonly mStart: number;
  readonly mFloor: number;
  readonly signed: boolean;
  readonly clipsReward: boolean;
  readonly clampsReward: boolean;
  readonly usesScaleBefore: boolean;
  readonly epsInRoot: boolean;
  /** The decay factors of m, v and r, one triple for each beta of the tuner. */
  readonly decays: readonly (readonly [m: number, v: number, r: number])[];
  /** Each s starts as this share of sInit. */
  readonly startShare: number;
  /** h divides by ‖x‖. */
  readonly singularAtZero: boolean;
}

const printed = {
  pull: "PRINTED",
  mStart: 0,
  mFloor: 0,
  signed: true,
  clipsReward: false,
  clampsReward: true,
  usesScaleBefore: true,
  startShare: 0,
  singularAtZero: true,
} as const;

const mechanicLike = {
  signed: false,
  usesScaleBefore: false,
  epsInRoot: false,
  singularAtZero: false,
} as const;

const squaredDecays = (betas: readonly number[]) => betas.map((beta) => [beta, beta * beta, beta] as const);

const forms: { [Name in FormName]: (tuner: Tuner) => Form } = {
  superlevel: ({ betas, eps, granularity }) => ({
    ...mechanicLike,
    pull: "PROXIMAL",
    mStart: 0,
    mFloor: granularity === "parameter" ? eps : 1e-30,
    clipsReward: true,
    clampsReward: true,
    decays: squaredDecays(betas),
    startShare: 1 / betas.length,
  }),
  mechanic: ({ betas }) => ({
    ...mechanicLike,
    pull: "DECAY_AHEAD",
    mStart: 1e-6,
    mFloor: 0,
    clipsReward: false,
    clampsReward: true,
    decays: squaredDecays(betas),
    startShare: 0,
  }),
  mechanize: ({ betas, eps }) => ({
    ...mechanicLike,
    pull: "DECAY",
    mStart: 0,
    mFloor: eps,
    clipsReward: true,
    clampsReward: false,
    decays: squaredDecays(betas),
    startShare: 1,
  }),
  equations: ({ betas }) => ({ ...printed, epsInRoot: false, decays: squaredDecays(betas) }),
  algorithm1: ({ betas: [beta1, beta2, beta3] }) => ({
    ...printed,
    epsInRoot: true,
    decays: [[beta1, beta2, beta3]],
  }),
};

export function formOf(tuner: Tuner): Form {
  return forms[tuner.form](tuner);
}
