import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contenders } from "./contenders.js";
import { curvesOf, frameOf, isOffScale } from "./curves.js";
import { drawDigits, type Digits } from "../kit/digits/draw.js";
import { DataError } from "../kit/data-file.js";
import { readMnist } from "../kit/digits/idx.js";
import { createNetwork } from "./network.js";
import { help, parseOptions, UsageError, type Options } from "./options.js";
import { terminalPlot } from "./plot.js";
import { createProgress } from "./progress.js";
import { report, runText, type Result } from "./report.js";
import { svgPlot } from "./svg.js";
import { trainContender, trainLinearModel, type Problem, type Run } from "./train.js";

const hiddenUnits = 64;
const batchSize = 100;
const title = "Training loss: superlevel, given no learning rate, against Adam and SGD";

function main(): void {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  const problem = createProblem(options);
  createFolder(options.out);
  print(
    "A network learns digits: by superlevel, which is given no learning rate, and by Adam and SGD at several.",
  );
  print(`${describe(problem, options)}\n`);
  const results = trainAll(problem, options.seeds);
  const linear = trainLinearModel(problem, problem.steps);
  const curves = curvesOf(results, problem.steps);
  const frame = frameOf(curves, problem.steps);
  const color = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  const columns = Math.min(110, process.stdout.columns ?? 110);
  const note = isOffScale(curves, frame) ? "; the top line is off the scale" : "";
  print(`\nTraining loss, log scale${note}\n${terminalPlot(curves, frame, { columns, rows: 20, color })}\n`);
  print(report(results));
  print(`A linear model reaches ${(100 * linear.accuracy).toFixed(2)} % on the same test images.`);
  const path = join(options.out, "loss.svg");
  writeFileSync(path, svgPlot(curves, frame, title, describe(problem, options)));
  print(`Plot: ${path}`);
  print(
    "Next: npm run site -- --open to watch it learn, npm run example for programs to copy, docs/start.md to begin.",
  );
}

/** Before the training, not after it, when its result would be lost. */
function createFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`--out ${path}: cannot be created (${(error as NodeJS.ErrnoException).code})`);
  }
}

function createProblem({ mnist, epochs, quick }: Options): Problem {
  const count = quick ? 2000 : 16_000;
  const data = mnist === undefined ? undefined : readMnist(mnist);
  const train = data ? firstOf(data.train, quick ? count : Infinity) : drawDigits(count, 1);
  const test = data ? firstOf(data.test, quick ? 1000 : Infinity) : drawDigits(quick ? 1000 : 5000, 2);
  const network = createNetwork([train.pixels, hiddenUnits, 10]);
  const steps = Math.max(1, Math.floor((epochs * train.count) / batchSize));
  return { network, train, test, batchSize, steps };
}

function firstOf(data: Digits, count: number): Digits {
  return { ...data, count: Math.min(count, data.count) };
}

function trainAll(problem: Problem, seeds: number): Result[] {
  const progress = createProgress(contenders.length * seeds, problem.steps);
  const results = contenders.map((contender): Result => {
    const runs: Run[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const name = seeds > 1 ? `${contender.name}, seed ${seed}` : contender.name;
      runs.push(trainContender(problem, contender, seed, (step, loss) => progress.update(name, step, loss)));
      progress.finish(name, runText(runs[runs.length - 1]));
    }
    return { contender, runs };
  });
  progress.end();
  return results;
}

function describe({ network, train, test, steps }: Problem, { mnist, seeds }: Options): string {
  const what = mnist === undefined ? "drawn digits" : "MNIST digits";
  const often = seeds > 1 ? `, ${seeds} seeds` : "";
  return `${train.count} ${what} (${test.count} for testing), network ${network.sizes.join("-")}, ${steps} steps of ${batchSize}${often}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  main();
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`digits: ${error.message}; --help lists the options`);
    process.exitCode = 2;
  } else if (error instanceof DataError) {
    console.error(`digits: ${error.message}`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
