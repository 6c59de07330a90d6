/** A stroke is a polyline x0, y0, x1, y1, … in a unit square, x to the right and y down. */
export type Stroke = readonly number[];
export type Glyph = readonly Stroke[];

const line = (...points: number[]): Stroke => points;

/** Part of an ellipse; angles in degrees, 0 to the right and 90 down. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Stroke {
  const pieces = Math.max(4, Math.ceil(Math.abs(to - from) / 24));
  const points: number[] = [];
  for (let i = 0; i <= pieces; i++) {
    const angle = ((from + ((to - from) * i) / pieces) * Math.PI) / 180;
    points.push(cx + rx * Math.cos(angle), cy + ry * Math.sin(angle));
  }
  return points;
}

/** For each digit the ways in which people write it. */
export const glyphs: readonly (readonly Glyph[])[] = [
  [
    [arc(0.5, 0.5, 0.28, 0.42, 0, 360)],
    [arc(0.5, 0.5, 0.2, 0.42, 0, 360)],
    [arc(0.5, 0.5, 0.3, 0.42, -60, 250)],
  ],
  [
    [line(0.5, 0.08, 0.5, 0.92)],
    [line(0.32, 0.27, 0.53, 0.08, 0.53, 0.92)],
    [line(0.34, 0.27, 0.52, 0.08, 0.52, 0.92), line(0.32, 0.92, 0.72, 0.92)],
  ],
  [
    [arc(0.5, 0.32, 0.26, 0.24, 200, 390), line(0.725, 0.44, 0.24, 0.92, 0.78, 0.92)],
    [
      arc(0.5, 0.32, 0.26, 0.24, 190, 400),
      line(0.7, 0.47, 0.3, 0.8),
      arc(0.32, 0.86, 0.08, 0.07, -60, -330),
      line(0.36, 0.88, 0.78, 0.9),
    ],
  ],
  [
    [arc(0.48, 0.29, 0.25, 0.21, 205, 450), arc(0.48, 0.71, 0.28, 0.21, 270, 515)],
    [line(0.24, 0.08, 0.74, 0.08, 0.46, 0.44), arc(0.46, 0.68, 0.28, 0.24, 270, 515)],
  ],
  [
    [line(0.62, 0.92, 0.62, 0.08, 0.22, 0.65, 0.82, 0.65)],
    [line(0.28, 0.1, 0.25, 0.55, 0.78, 0.55), line(0.68, 0.1, 0.66, 0.92)],
  ],
  [
    [line(0.74, 0.08, 0.3, 0.08, 0.28, 0.46), arc(0.47, 0.66, 0.28, 0.26, 228, 510)],
    [line(0.72, 0.08, 0.36, 0.1, 0.3, 0.42), arc(0.44, 0.64, 0.28, 0.27, 240, 490)],
  ],
  [
    [arc(0.5, 0.68, 0.26, 0.24, 0, 360), arc(0.7, 0.66, 0.46, 0.6, 180, 262)],
    [arc(0.48, 0.7, 0.22, 0.21, 0, 360), line(0.56, 0.08, 0.34, 0.42, 0.26, 0.7)],
  ],
  [
    [line(0.22, 0.1, 0.78, 0.1, 0.42, 0.92)],
    [line(0.22, 0.1, 0.76, 0.1, 0.46, 0.92), line(0.36, 0.5, 0.72, 0.5)],
    [line(0.24, 0.22, 0.25, 0.1, 0.76, 0.1, 0.58, 0.5, 0.5, 0.92)],
  ],
  [
    [arc(0.5, 0.29, 0.22, 0.21, 0, 360), arc(0.5, 0.71, 0.27, 0.21, 0, 360)],
    [
      arc(0.5, 0.27, 0.2, 0.19, 40, 320),
      line(0.65, 0.4, 0.35, 0.58),
      arc(0.5, 0.71, 0.24, 0.21, 220, -80),
      line(0.54, 0.5, 0.36, 0.38),
    ],
  ],
  [
    [arc(0.5, 0.32, 0.26, 0.24, 0, 360), line(0.76, 0.32, 0.7, 0.92)],
    [arc(0.5, 0.31, 0.24, 0.22, 0, 360), arc(0.34, 0.34, 0.42, 0.58, 0, 80)],
  ],
];
