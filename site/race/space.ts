export const FLOOR = -0.55;
const HEIGHT = 0.68;

/** The surface's space: x to the right, height up, z towards the viewer; the window is 2 wide. */
export function spot(u: number, v: number, height: number): [number, number, number] {
  return [2 * u - 1, HEIGHT * height, 1 - 2 * v];
}
