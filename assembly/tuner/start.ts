import { startCoordinates } from "./coordinate-tuners";
import { activeCount, deltaOf, groupCount, groupOf, perCoordinate, scalars } from "../memory/layout";
import { Span } from "../memory/records";
import { squaresOf } from "../sweeps/scan";
import { sweepAlone } from "../sweeps/segments";
import { seed } from "./tuner";

/*
 * Where no s_init was given, the first step that moves finds one: s_init = start · ‖x‖ / ‖u_1‖, so x moves by a share of
 * its length whatever the base's rate and the units of x are. Where x = 0, √n stands for ‖x‖.
 */

/** Where a unit of float32 ends: S may be no number that Δ cannot be multiplied with. */
const LARGEST: f64 = 1e30;

/** Sums ‖Δ_{t+1}‖². */
@unmanaged
class MeasureDelta {
  visit(span: Span): void {
    span.sums.dd += squaresOf(deltaOf(span), span.bytes);
  }
}

/** Is s_init still to be found? */
@inline
export function isUnstarted(): bool {
  return scalars.start > 0 && groupOf(0).sInit == 0;
}

/** Finds s_init behind the sweep that made the first Δ. Rare, and not for threads. */
export function findStart(betas: usize): void {
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).dd = 0;
  sweepAlone<MeasureDelta>();
  let xx: f64 = 0;
  let dd: f64 = 0;
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    xx += group.xx;
    dd += group.dd;
    // Of Δ_t, which h goes by: it was 0.
    group.dd = 0;
  }
  if (dd == 0) return;
  const length = sqrt(xx > 0 ? xx : activeCount());
  const sInit = min((scalars.start * length) / sqrt(dd), LARGEST);
  const share = 1 / f64(betas);
  if (perCoordinate) startCoordinates(sInit, share);
  for (let k: usize = 0; k < groupCount; k++) seed(groupOf(k), sInit, share);
}
