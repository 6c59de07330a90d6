/**
 * Components of level sets: light, so that lines stand out from them, and told apart with all kinds of colour vision
 * (Paul Tol's light scheme). The last is for all components beyond.
 */
export const COMPONENTS = ["#ee8866", "#77aadd", "#44bb99", "#eedd88", "#ffaabb", "#bbcc33", "#99ddff"];
const OTHERS = "#a0a0a0";

export function componentColour(branch: number): string {
  return COMPONENTS[branch] ?? OTHERS;
}

export type Rgb = readonly [number, number, number];

/** Of "#rrggbb", 0 to 1. */
export function rgb(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + share * (b[0] - a[0]),
  a[1] + share * (b[1] - a[1]),
  a[2] + share * (b[2] - a[2]),
];

export const css = ([r, g, b]: Rgb): string =>
  `rgb(${Math.round(255 * r)} ${Math.round(255 * g)} ${Math.round(255 * b)})`;
