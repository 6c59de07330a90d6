import { decayGradient, gradientOf } from "./accumulate";
import { config, gradBlock, groupCount, groupOf, slotsAt, within, zeroBlock } from "../memory/layout";
import { Span } from "../memory/records";
import { sweepAlone } from "./segments";

/*
 * Are gradients exact or noisy? δ = ‖g_2 − g_1‖² / (‖g_1‖² + ‖g_2‖²) tells, as the first step is short. g_1 is a
 * multiple of one of the base's slots, or is kept in one. Both are the gradients that the base saw.
 */

/** The slot that holds g_1, and what it is to be multiplied with. */
let slot: usize = 0;
let factor: f64 = 1;

/** Where a span's gradient is, clipped, and with weight decay where that joins it. */
function gradientSeen(span: Span): usize {
  const from = gradientOf(span);
  if (config.readsParams == 0 || config.decoupled != 0) return from;
  decayGradient(span, from, zeroBlock);
  return gradBlock;
}

@unmanaged
class Keep {
  visit(span: Span): void {
    memory.copy(within(span, slotsAt + slot), gradientSeen(span), span.bytes);
  }
}

/** Keeps the gradient in a slot of the base. */
export function keepGradient(to: u32): void {
  slot = to;
  sweepAlone<Keep>();
}

/** In f64, so that it works in every unit of the loss. A rare thing, and not for threads. */
@unmanaged
class Compare {
  visit(span: Span): void {
    let now = gradientSeen(span);
    let before = within(span, slotsAt + slot);
    let apart: f64 = 0;
    let both: f64 = 0;
    for (const end = now + span.bytes; now < end; now += sizeof<f32>(), before += sizeof<f32>()) {
      const second = f64(load<f32>(now));
      const first = factor * f64(load<f32>(before));
      apart += (second - first) * (second - first);
      both += first * first + second * second;
    }
    span.sums.yy += apart;
    span.sums.dy += both;
  }
}

/** δ of the gradient and of the first one, which is `times` what the slot holds; in 0 … 2. */
export function gradientChange(from: u32, times: f64): f64 {
  slot = from;
  factor = times;
  for (let k: usize = 0; k < groupCount; k++) {
    groupOf(k).yy = 0;
    groupOf(k).dy = 0;
  }
  sweepAlone<Compare>();
  let apart: f64 = 0;
  let both: f64 = 0;
  for (let k: usize = 0; k < groupCount; k++) {
    apart += groupOf(k).yy;
    both += groupOf(k).dy;
  }
  return apart / both;
}
