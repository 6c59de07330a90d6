import { KERNELS } from "../../bases/kernels.js";
import { scalarRules } from "../../bases/list.js";
import { Scalar, Summary, type Kernels } from "../kernels.js";
import type { Engine, Program } from "../program.js";
import { reseedCoordinates, rescaleCoordinates, startCoordinates, stepCoordinates } from "./coordinates.js";
import {
  DD,
  EIGHT,
  GG,
  H,
  HH,
  LEAD_DG,
  Memory,
  PARAMS,
  REFERENCE,
  SCALE,
  SCALE_MAX,
  SCALE_MEAN,
  S_INIT,
  XX,
} from "./memory.js";
import { pointHash } from "./point.js";
import { accumulate, gradientChange, keepGradient, measure, move, scan } from "./sweeps.js";
import { findStart, isUnstarted, rescale, reseed, seed, tune } from "./tuner.js";

/** What assembly/index.ts exports, in plain JavaScript. */
class JsKernels extends Memory implements Kernels {
  scan(): number {
    return scan(this, false);
  }

  scanExactly(): number {
    return scan(this, true);
  }

  #begin(): void {
    const { scalars } = this;
    this.rate = scalars[Scalar.rate];
    this.c.set(scalars.subarray(Scalar.k0, Scalar.learningRate));
    this.eta = scalars[Scalar.learningRate];
    this.clipScale = scalars[Scalar.clipScale];
    this.rule = scalarRules[KERNELS[scalars[Scalar.base]]];
    this.firstSlot = scalars[Scalar.firstSlot];
    this.leadSlot = scalars[Scalar.leadSlot];
  }

  keepGradient(slot: number): void {
    this.#begin();
    keepGradient(this, slot);
  }

  gradientChange(slot: number, times: number): number {
    this.#begin();
    return gradientChange(this, slot, times);
  }

  step(): void {
    this.#begin();
    this.summary[Summary.hashFound] = this.summary[Summary.hashLeft] = 0;
    if (this.perCoordinate) stepCoordinates(this);
    else {
      accumulate(this);
      if (this.tuner) {
        if (isUnstarted(this)) findStart(this);
        tune(this);
        move(this);
      }
    }
    this.summarize();
  }

  scanAndStep(limit: number): number {
    const squares = this.scan();
    if (!(squares <= limit)) return -1;
    this.step();
    return squares;
  }

  rebase(): void {
    const [x, xRef, delta] = [PARAMS, REFERENCE, this.deltaAt].map((index) => this.vectorOf(index));
    for (const { first, last } of this.tuner ? this.segments : []) {
      this.f.copyWithin(xRef + first, x + first, x + last);
    }
    if (delta !== x) this.f.fill(0, delta, delta + this.stride);
    this.clearSums(DD, XX);
    this.sweep(measure);
    this.summarize();
  }

  start(sInit: number, share: number): void {
    if (this.perCoordinate) startCoordinates(this, sInit, share);
    for (const group of this.groups) seed(this, group, sInit, share);
    this.summarize();
  }

  anchor(carry: number): void {
    if (this.perCoordinate) reseedCoordinates(this, carry);
    reseed(this, carry);
    this.rebase();
  }

  rescale(factor: number): void {
    if (this.perCoordinate) rescaleCoordinates(this, factor);
    rescale(this, factor);
    this.summarize();
  }

  lowerScale(group: number, other: number): void {
    const scale = this.scaleOf(group);
    if (other > 0 && !(scale > 0 && scale < other)) this.groups[group][SCALE] = other;
  }

  flushMoments(): void {
    const end = this.vectorOf(this.scaleAt);
    for (let k = this.vectorOf(this.slotsAt); k < end; k++)
      if (Math.abs(this.f[k]) < 2 ** -120) this.f[k] = 0;
  }

  scaleSlot(index: number, factor: number): void {
    const by = Math.fround(factor);
    const first = this.vectorOf(this.slotsAt + index);
    for (let k = first; k < first + this.stride; k++) this.f[k] *= by;
  }

  scaleOf(group: number): number {
    return this.groups[group][SCALE];
  }

  #total(field: number): number {
    let sum = 0;
    for (const group of this.groups) sum += group[field];
    return sum;
  }

  pointHash(): number {
    return pointHash(this);
  }

  clippedSquares(): number {
    return this.#total(GG);
  }

  summarize(): void {
    const { summary, groups, perCoordinate } = this;
    const [h, hh, scale, xx, dd, eg] = [H, HH, SCALE, XX, DD, LEAD_DG].map((field) => this.#total(field));
    const mean = perCoordinate ? groups[0][SCALE_MEAN] : scale / groups.length;
    let [largest, least, sInit] = [0, Infinity, 0];
    for (const group of groups) {
      largest = Math.max(largest, group[perCoordinate ? SCALE_MAX : SCALE]);
      least = Math.min(least, group[XX]);
      sInit = Math.max(sInit, group[S_INIT]);
    }
    summary[Summary.h] = h;
    summary[Summary.scaleMean] = mean;
    summary[Summary.scaleMax] = largest;
    summary[Summary.paramsSquares] = xx;
    summary[Summary.paramsSquaresMin] = least;
    summary[Summary.deltaSquares] = dd;
    summary[Summary.finiteCheck] = h + hh + scale + mean + xx + dd + eg;
    summary[Summary.leadSlope] = eg;
    summary[Summary.sInitMax] = sInit;
  }
}

export function createJsEngine(program: Program): Engine {
  const kernels = new JsKernels(program);
  const { f, groups } = kernels;
  const vector = (index: number) => new Float32Array(f.buffer, 4 * kernels.vectorOf(index), program.size);
  const params = vector(PARAMS);
  return {
    name: "js",
    kernels,
    groups: groups.length,
    bytesPerCoordinate: 4 * (kernels.vectorCount + kernels.tunerLength / EIGHT),
    params,
    grads: vector(0),
    reference: program.tuner ? vector(REFERENCE) : undefined,
    moments: Array.from({ length: program.slots }, (_, k) => vector(kernels.slotsAt + k)),
    scales: program.perCoordinate ? vector(kernels.scaleAt) : undefined,
    state: [
      new Uint8Array(f.buffer, groups[0].byteOffset, groups.length * groups[0].byteLength),
      new Uint8Array(f.buffer, params.byteOffset),
    ],
    scalars: kernels.scalars,
    summary: kernels.summary,
  };
}
