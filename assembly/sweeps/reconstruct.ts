import { Delta } from "../memory/form";
import { config, deltaBlock, deltaKind, groupOf, REFERENCE, size, states, within } from "../memory/layout";
import { Span } from "../memory/records";
import { addProduct, splat, total, zero } from "../vec";

/** Where Δ has no vector of its own: writes Δ_t of one span to `deltaBlock`, and sums what h needs. */
export function reconstruct(span: Span): void {
  const scale = groupOf(span.segment.group).scale;
  const additive = deltaKind == Delta.ADDITIVE;
  const factor = splat(additive ? 1 : 1 / (scale + config.eps));
  const shift = splat(additive ? scale + config.eps : 0);
  const x = span.params;
  const xRef = within(span, REFERENCE);
  let xx = zero();
  let dx = zero();
  let dd = zero();
  for (let k: usize = 0; k < span.bytes; k += 16) {
    const xt = v128.load(x + k);
    const delta = f32x4.add(f32x4.mul(f32x4.sub(xt, v128.load(xRef + k)), factor), shift);
    v128.store(deltaBlock + k, delta);
    xx = addProduct(xx, xt, xt);
    dx = addProduct(dx, delta, xt);
    dd = addProduct(dd, delta, delta);
  }
  const sums = span.sums;
  sums.xx += total(xx);
  sums.dx += total(dx);
  sums.dd += total(dd);
  keepPadding(span);
}

/** The additive shift (25) must not reach the zeros behind the last coordinate. */
export function keepPadding(span: Span): void {
  const end = states + size * sizeof<f32>();
  const from = span.state;
  if (from + span.bytes > end) memory.fill(deltaBlock + (end - from), 0, from + span.bytes - end);
}
