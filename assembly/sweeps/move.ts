import { held, hold } from "../memory/held";
import { deltaOf, groupCount, groupOf, REFERENCE, within } from "../memory/layout";
import { Span } from "../memory/records";
import { foundHash, leftHash } from "./point";
import { addHashes, clearHashes } from "./sums";
import { sweep, Task } from "./sweep";
import { watchMove, watchPoint } from "./tensors";
import { addProduct, at, put, Q0, Q1, Q2, Q3, squares, total, zero } from "../vec";

/*
 * Sweep B: x_{t+1} = xRef + S_{t+1} Δ_{t+1} (33), and the sums of x and Δ that the next step's h
 * needs, so that sweep A does not have to read x, nor to sum more than it must.
 */
@unmanaged
export class Move {
  visit(span: Span): void {
    const found = foundHash(span);
    watchPoint(span);
    hold(0, groupOf(span.segment.group).scale);
    const scale = held(0);
    let x = span.params;
    let xRef = within(span, REFERENCE);
    let delta = deltaOf(span);
    let xx = zero();
    let dd = zero();
    for (const end = x + span.bytes; x < end; x += 64, xRef += 64, delta += 64) {
      const d0 = at<Q0>(delta);
      const d1 = at<Q1>(delta);
      const d2 = at<Q2>(delta);
      const d3 = at<Q3>(delta);
      const x0 = addProduct(at<Q0>(xRef), scale, d0);
      const x1 = addProduct(at<Q1>(xRef), scale, d1);
      const x2 = addProduct(at<Q2>(xRef), scale, d2);
      const x3 = addProduct(at<Q3>(xRef), scale, d3);
      put<Q0>(x, x0);
      put<Q1>(x, x1);
      put<Q2>(x, x2);
      put<Q3>(x, x3);
      xx = f32x4.add(xx, squares(x0, x1, x2, x3));
      dd = f32x4.add(dd, squares(d0, d1, d2, d3));
    }
    span.sums.xx += total(xx);
    span.sums.dd += total(dd);
    addHashes(span, found, leftHash(span));
    watchMove(span);
  }
}

export function move(): void {
  clearHashes();
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    group.xx = 0;
    group.dd = 0;
  }
  sweep<Move>(Task.MOVE);
}
