/* Products of small matrices, row by row, in float64: four rows at a time, as one load and store then serve four products. */

/** out = a · w + bias for `rows` rows; a has `inner` columns, out as many as the bias has numbers. */
export function multiply(
  a: Float64Array,
  w: Float64Array,
  bias: Float64Array,
  out: Float64Array,
  rows: number,
  inner: number,
): void {
  const columns = bias.length;
  for (let r = 0; r < rows; r++) {
    const [to, from] = [r * columns, r * inner];
    for (let j = 0; j < columns; j++) out[to + j] = bias[j];
    let i = 0;
    for (; i + 3 < inner; i += 4) {
      const a0 = a[from + i];
      const a1 = a[from + i + 1];
      const a2 = a[from + i + 2];
      const a3 = a[from + i + 3];
      // Blank pixels and silent units come in groups.
      if (a0 === 0 && a1 === 0 && a2 === 0 && a3 === 0) continue;
      const w0 = i * columns;
      const w1 = w0 + columns;
      const w2 = w1 + columns;
      const w3 = w2 + columns;
      for (let j = 0; j < columns; j++) {
        out[to + j] += a0 * w[w0 + j] + a1 * w[w1 + j] + a2 * w[w2 + j] + a3 * w[w3 + j];
      }
    }
    for (; i < inner; i++) {
      const [value, row] = [a[from + i], i * columns];
      for (let j = 0; j < columns; j++) out[to + j] += value * w[row + j];
    }
  }
}

/** w += aᵀ · d for `rows` rows, and bias += the sum of d's rows. */
export function addProduct(
  a: Float64Array,
  d: Float64Array,
  w: Float64Array,
  bias: Float64Array,
  rows: number,
  inner: number,
): void {
  const columns = bias.length;
  let r = 0;
  for (; r + 3 < rows; r += 4) {
    const d0 = r * columns;
    const d1 = d0 + columns;
    const d2 = d1 + columns;
    const d3 = d2 + columns;
    for (let j = 0; j < columns; j++) bias[j] += d[d0 + j] + d[d1 + j] + d[d2 + j] + d[d3 + j];
    const from = r * inner;
    for (let i = 0; i < inner; i++) {
      const a0 = a[from + i];
      const a1 = a[from + inner + i];
      const a2 = a[from + 2 * inner + i];
      const a3 = a[from + 3 * inner + i];
      if (a0 === 0 && a1 === 0 && a2 === 0 && a3 === 0) continue;
      const to = i * columns;
      for (let j = 0; j < columns; j++) {
        w[to + j] += a0 * d[d0 + j] + a1 * d[d1 + j] + a2 * d[d2 + j] + a3 * d[d3 + j];
      }
    }
  }
  for (; r < rows; r++) addRow(a, d, w, bias, r, inner);
}

function addRow(
  a: Float64Array,
  d: Float64Array,
  w: Float64Array,
  bias: Float64Array,
  r: number,
  inner: number,
): void {
  const columns = bias.length;
  const from = r * columns;
  for (let j = 0; j < columns; j++) bias[j] += d[from + j];
  for (let i = 0; i < inner; i++) {
    const value = a[r * inner + i];
    if (value === 0) continue;
    for (let j = 0; j < columns; j++) w[i * columns + j] += value * d[from + j];
  }
}

/** out = d · wᵀ for `rows` rows; d has `columns` columns, out has `inner`. */
export function multiplyBack(
  d: Float64Array,
  w: Float64Array,
  out: Float64Array,
  rows: number,
  inner: number,
  columns: number,
): void {
  for (let r = 0; r < rows; r++) {
    const [to, from] = [r * inner, r * columns];
    let i = 0;
    for (; i + 3 < inner; i += 4) {
      const w0 = i * columns;
      const w1 = w0 + columns;
      const w2 = w1 + columns;
      const w3 = w2 + columns;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let j = 0; j < columns; j++) {
        const value = d[from + j];
        s0 += value * w[w0 + j];
        s1 += value * w[w1 + j];
        s2 += value * w[w2 + j];
        s3 += value * w[w3 + j];
      }
      out[to + i] = s0;
      out[to + i + 1] = s1;
      out[to + i + 2] = s2;
      out[to + i + 3] = s3;
    }
    for (; i < inner; i++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += d[from + j] * w[i * columns + j];
      out[to + i] = sum;
    }
  }
}
