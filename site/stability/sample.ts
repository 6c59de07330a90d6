import { createOptimizer, sgd } from "superlevel";
import { lyapunovMonitor, report, slice, type StepRecord } from "superlevel/stability";

import { landscapeOf } from "../race/landscapes.js";
import { sourceOf } from "../race/trace.js";

/** A report of two runs on the double well: one that goes well, and one with steps that are too long. */
export async function sampleReport(): Promise<string> {
  const landscape = landscapeOf("well");
  const { x, y, start, loss, gradient } = landscape;
  const plane = { origin: [0, 0], directions: [[1, 0], [0, 1]] as const }; // prettier-ignore
  const lossGrad = ([a, b]: Float64Array) => ({ loss: loss(a, b), grads: gradient(a, b) });
  const grid = await slice(lossGrad, plane, { x, y, columns: 81 });
  const run = (name: string, note: string, options: Parameters<typeof createOptimizer>[1]) => {
    const steps: StepRecord[] = [];
    const points: number[][] = [];
    const monitor = lyapunovMonitor({ onStep: (record) => steps.push(record) });
    const path = {
      beforeStep: ({ params }: { params: Float32Array }) => void points.push([...params]),
    };
    const optimizer = createOptimizer(start, options);
    const monitors = [monitor, path];
    try {
      optimizer.minimize(sourceOf(landscape), { steps: 100, deterministic: true, guard: null, monitors });
    } catch {
      // The monitor says why.
    }
    const line = { name: "course", x: points.map(([a]) => a), y: points.map(([, b]) => b) };
    const { findings } = monitor.summary();
    return {
      name,
      note,
      findings,
      steps,
      landscape: { slice: grid, outer: "joined" as const, lines: [line] },
    };
  };
  const long = { base: sgd({ learningRate: 0.4 }), tuner: null };
  return report(
    [run("superlevel", "as it comes", {}), run("Steps too long", "plain descent at rate 0.4", long)],
    { title: "An example: the double well" },
  );
}
