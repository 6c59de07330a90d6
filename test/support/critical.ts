/** Points where a gradient vanishes, to the last digits. */
type Gradient = (x: number, y: number) => [number, number];

/** Newton's method; the Hessian by central differences of the gradient, which costs no accuracy of the result. */
export function criticalPoint(gradient: Gradient, start: readonly [number, number]): [number, number] {
  const step = 1e-5;
  let [x, y] = start;
  for (let k = 0; k < 50; k++) {
    const [g, h] = gradient(x, y);
    const [right, left] = [gradient(x + step, y), gradient(x - step, y)];
    const [above, below] = [gradient(x, y + step), gradient(x, y - step)];
    const [xx, xy] = [(right[0] - left[0]) / (2 * step), (above[0] - below[0]) / (2 * step)];
    const [yx, yy] = [(right[1] - left[1]) / (2 * step), (above[1] - below[1]) / (2 * step)];
    const determinant = xx * yy - xy * yx;
    x -= (yy * g - xy * h) / determinant;
    y -= (xx * h - yx * g) / determinant;
  }
  return [x, y];
}

/** The largest ‖Hess‖₂ on a fine grid of the window, and a hundredth more. */
export function largestHessian(
  gradient: Gradient,
  [left, right]: readonly [number, number],
  [bottom, top]: readonly [number, number],
): number {
  const [count, step] = [400, 1e-5];
  let largest = 0;
  for (let i = 0; i <= count; i++) {
    for (let j = 0; j <= count; j++) {
      const x = left + ((right - left) * i) / count;
      const y = bottom + ((top - bottom) * j) / count;
      const xx = (gradient(x + step, y)[0] - gradient(x - step, y)[0]) / (2 * step);
      const xy = (gradient(x, y + step)[0] - gradient(x, y - step)[0]) / (2 * step);
      const yy = (gradient(x, y + step)[1] - gradient(x, y - step)[1]) / (2 * step);
      const radius = Math.hypot((xx - yy) / 2, xy);
      largest = Math.max(largest, Math.abs((xx + yy) / 2) + radius);
    }
  }
  return 1.01 * largest;
}
