import { newAverage, type Watch } from "./clock.js";
import { startRatio } from "./gradients.js";
import { enterMode } from "./mode.js";
import { State } from "./state.js";
import { lowerScales, scalesOf, StateCopy, type Backoff, type Snapshot } from "../engine/snapshot.js";

/** A state that steps can be taken back from: for runs whose loss is watched. */
export class Rewindable extends State {
  /** Remembers all that a step changes, and the gradient; in the memory of an older snapshot, if that is given. */
  snapshot(old?: Snapshot): Snapshot {
    const copy = old ? old.copy.update() : new StateCopy(this.engine);
    return { copy, clock: { ...this.time }, fresh: this.fresh };
  }

  /** Goes back, bit for bit. */
  rollBack({ copy, clock, fresh }: Snapshot): void {
    copy.restore();
    this.takeUp(clock, fresh);
  }

  /**
   * Goes back, and anchors there: with half the smaller of the scales of now and then, or half the rate where there is
   * no tuner, and with the momentum of the gradient alone. Second moments stay. Returns what was halved, for the next
   * time at the same snapshot.
   */
  backOff(snapshot: Snapshot, earlier?: Backoff): Backoff {
    const { engine } = this;
    const now = scalesOf(engine);
    const { gradients } = this.time;
    this.rollBack(snapshot);
    // What gradients are stays known: to find it out again, the first of them would be wanted, which is forgotten here.
    if (gradients !== "undecided") this.decide(gradients, startRatio(this.resolved.modes, gradients));
    const { tuner } = this.config;
    if (tuner) {
      lowerScales(engine, now);
      if (earlier) lowerScales(engine, earlier.scales);
      engine.kernels.anchor(0.5);
    } else this.time.rateFactor = (earlier ?? snapshot.clock).rateFactor / 2;
    this.restartMomentum();
    Object.assign(this.time, newAverage());
    return { scales: scalesOf(engine), rateFactor: this.time.rateFactor };
  }

  /** Says whether a guard takes back the steps that lead upwards. */
  setRejects(rejects: boolean): void {
    this.rejects = rejects;
    if (this.alive) enterMode(this.engine, this.mode, this.time.anchors, !rejects);
  }

  /** Says whether a run knows its gradients to be exact. */
  setExact(told: boolean): void {
    this.exact = told || this.config.gradients === "exact";
  }

  /** For a run to go on from. */
  setWatch(watch: Watch | undefined): void {
    this.time.watch = watch;
  }

  setRateFactor(factor: number): void {
    this.time.rateFactor = factor;
  }
}
