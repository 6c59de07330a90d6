import type { GradientSource } from "superlevel";
import {
  fromSource,
  connect,
  project,
  slice,
  trajectoryPlane,
  windowAround,
  type ReportSubject,
} from "superlevel/stability";

import { drawDigits } from "../kit/digits/draw.js";
import { createNetwork } from "../digits/network.js";
import { lineOf } from "./analytic.js";
import { descend } from "./runs.js";

/** How much is computed. */
export interface Effort {
  readonly examples: number;
  readonly steps: number;
  /** Points of a slice in each direction. */
  readonly columns: number;
  readonly iterations: number;
}

const HIDDEN_UNITS = 16;

/**
 * A small network on drawn digits, full batch: its training on the plane of the two main directions of its course, and
 * the way from it to a second network that was trained from other initial values.
 */
export async function networkSubjects(
  effort: Effort,
  onProgress: (text: string) => void,
): Promise<ReportSubject[]> {
  const { examples, steps, columns, iterations } = effort;
  const data = drawDigits(examples, 1);
  const network = createNetwork([data.pixels, HIDDEN_UNITS, 10]);
  const all = Uint32Array.from({ length: examples }, (_, i) => i);
  const source: GradientSource = (params, grads) => network.gradient(params, grads, data, all);
  const loss = (params: Float64Array) => network.evaluate(params, data).loss;

  onProgress("training two networks");
  const [run, other] = [1, 2].map((seed) => descend(network.initialTensors(seed), source, steps));
  const points = thinned(run.points, 100);
  const plane = trajectoryPlane(points);
  const course = project(points, plane);
  onProgress("slice of the training");
  const training = await slice(loss, plane, { ...windowAround(course, 0.3), columns });

  onProgress("paths between the two");
  const ends = [run.points[run.points.length - 1], other.points[other.points.length - 1]] as const;
  const segment = await connect(loss, ...ends, { samples: 51 });
  const bezier = await connect(fromSource(source), ...ends, {
    method: "bezier",
    points: 9,
    iterations,
    samples: 51,
  });
  const between = trajectoryPlane([ends[0], ends[1], bezier.nodes[1]]);
  const lines = [lineOf("straight line", segment, between), lineOf("Bézier curve", bezier, between)];
  onProgress("slice through the two");
  const view = windowAround(
    { x: lines.flatMap(({ x }) => [...numbers(x)]), y: lines.flatMap(({ y }) => [...numbers(y)]) },
    0.3,
  );
  const passage = await slice(loss, between, { ...view, columns });

  const shape = `${network.sizes.join("-")} network, ${network.size} parameters, ${examples} drawn digits, full batch`;
  const [first, second] = plane.explained.map((share) => `${(100 * share).toFixed(0)} %`);
  return [
    {
      name: "Training a network",
      note: `${shape}. The plane holds the first two principal components of the course: ${first} and ${second} of its variance.`,
      findings: run.report.findings,
      steps: run.steps,
      strips: [
        {
          title: "Rate times the tuner's scale",
          x: run.steps.map(({ step }) => step),
          series: [{ label: "η S", values: run.rates }],
        },
      ],
      landscape: {
        slice: training,
        axes: ["first component", "second component"],
        lines: [{ name: "training, from the small circle", ...course }],
      },
    },
    {
      name: "Between two networks",
      note: `The same network trained from two initial values; the plane goes through both and the middle node of the Bézier curve.`,
      landscape: { slice: passage, axes: ["first direction", "second direction"], lines },
    },
  ];
}

const numbers = (values: ArrayLike<number>): number[] => Array.from(values);

/** At most about so many of the points, the last among them. */
function thinned(points: readonly Float64Array[], most: number): Float64Array[] {
  const every = Math.ceil(points.length / most);
  return points.filter((_, i) => (points.length - 1 - i) % every === 0);
}
