import { deltaOf, groupCount, groupOf, held, hold, REFERENCE, within } from "./layout";
import { Run } from "./records";
import { sweep, Task } from "./sweep";
import { addProduct, at, put, Q0, Q1, Q2, Q3, total, zero } from "./vec";

/*
 * Sweep B: x_{t+1} = xRef + S_{t+1} Δ_{t+1} (33), and the sums of x and Δ that the next step's h
 * needs, so that sweep A does not have to read x.
 */
@unmanaged
export class Move {
  run(run: Run): void {
    hold(0, groupOf(run.segment.group).scale);
    const scale = held(0);
    let x = run.params;
    let xRef = within(run, REFERENCE);
    let delta = deltaOf(run);
    let xx = zero();
    let dx = zero();
    for (const end = x + run.bytes; x < end; x += 64, xRef += 64, delta += 64) {
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
      xx = f32x4.add(xx, products(x0, x0, x1, x1, x2, x2, x3, x3));
      dx = f32x4.add(dx, products(d0, x0, d1, x1, d2, x2, d3, x3));
    }
    run.sums.xx += total(xx);
    run.sums.dx += total(dx);
  }
}

@inline
function products(a0: v128, b0: v128, a1: v128, b1: v128, a2: v128, b2: v128, a3: v128, b3: v128): v128 {
  return f32x4.add(addProduct(f32x4.mul(a0, b0), a1, b1), addProduct(f32x4.mul(a2, b2), a3, b3));
}

export function move(): void {
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    group.xx = 0;
    group.dx = 0;
    group.dd = group.ddNext;
  }
  sweep<Move>(Task.MOVE);
}
