import { dot, gradientOf } from "../sweeps/accumulate";
import { deltaOf, groupCount, groupOf } from "../memory/layout";
import { Span } from "../memory/records";
import { sweep, Task } from "../sweeps/sweep";

/* What a step promises: S ⟨−u, g⟩, by how much the loss would fall if its gradient stayed the same. */

/** Sums ⟨Δ_{t+1}, g_t⟩. */
@unmanaged
export class Slope {
  visit(span: Span): void {
    span.sums.nextDg += dot(deltaOf(span), gradientOf(span), span.bytes);
  }
}

/** Σ S ⟨−u, g⟩ over all groups, with S and Δ as they are now. An extra read of Δ and g, for those who ask. */
export function promised(): f64 {
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).nextDg = 0;
  sweep<Slope>(Task.SLOPE);
  let sum: f64 = 0;
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    sum += group.scale * (group.dg - group.nextDg);
  }
  return sum;
}
