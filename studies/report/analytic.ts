import { sgd } from "superlevel";
import {
  connect,
  pathPoint,
  project,
  slice,
  type Path,
  type PlaneLine,
  type ReportSubject,
} from "superlevel/stability";

import { landscapes, lossGradOf, mullerBrown, parabola, ring, type Landscape } from "./landscapes.js";
import { descend } from "./runs.js";

/** Ends of the paths that are shown: minima. */
const ENDS = new Map<Landscape, [[number, number], [number, number]]>([
  [ring, [[1, 0], [-1, 0]]],
  [mullerBrown, [[-0.5582, 1.4417], [0.6235, 0.028]]],
]); // prettier-ignore

const DIRECTIONS = [[1, 0], [0, 1]] as const; // prettier-ignore
const plane = { origin: [0, 0], directions: DIRECTIONS };

/** Each landscape with the course of a descent on it, and paths where they teach something. */
export async function analyticSubjects(points: number): Promise<ReportSubject[]> {
  const subjects: ReportSubject[] = [];
  for (const landscape of landscapes) subjects.push(await subjectOf(landscape, points));
  return subjects;
}

async function subjectOf(landscape: Landscape, columns: number): Promise<ReportSubject> {
  const { name, note, x, y, start, coercive, loss, gradient } = landscape;
  const run = descend(
    start,
    ([a, b], grads) => (grads.set(gradient(a, b)), loss(a, b)),
    150,
    ruleOf(landscape),
  );
  const course = project(run.points, plane);
  return {
    name,
    note,
    findings: run.report.findings,
    steps: run.steps,
    landscape: {
      slice: await slice(lossGradOf(landscape), plane, { x, y, columns }),
      outer: coercive ? "joined" : "separate",
      hessianBound: landscape.hessianBound,
      lines: [
        { name: "descent, from the small circle", x: course.x, y: course.y },
        ...(await pathsOn(landscape)),
      ],
    },
  };
}

/** superlevel's defaults, or the paper's rate (14) alone. */
function ruleOf(landscape: Landscape): Parameters<typeof descend>[3] {
  if (landscape !== parabola) return {};
  return { base: sgd({ learningRate: 1 }), tuner: null, normAdaptive: true, guarded: false };
}

async function pathsOn(landscape: Landscape): Promise<PlaneLine[]> {
  const ends = ENDS.get(landscape);
  if (!ends) return [];
  const lines: PlaneLine[] = [];
  for (const [method, name] of [
    ["segment", "straight line"],
    ["bezier", "Bézier curve"],
    ["neb", "elastic band"],
  ] as const) {
    const path = await connect(lossGradOf(landscape), ...ends, { method });
    lines.push(lineOf(name, path, plane));
  }
  return lines;
}

/** A path as a plane shows it. */
export function lineOf(name: string, path: Path, on: Parameters<typeof project>[1]): PlaneLine {
  const { x, y, residual } = project(
    Array.from(path.positions, (position) => pathPoint(path, position)),
    on,
  );
  return { name, x, y, residual, barrier: path.barrier };
}
