import type { Run } from "./measure.js";

const lossOf = ({ trainLoss }: Run): number => trainLoss ?? Infinity;

/** The rate with the lowest training loss of the first seed. */
export function bestRate(runs: readonly Run[], problem: string, contender: string): number | null {
  const own = runs.filter((run) => run.problem === problem && run.contender === contender && run.seed === 1);
  return own.reduce((best, run) => (lossOf(run) < lossOf(best) ? run : best)).rate;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

const rateText = (rate: number | null): string => (rate === null ? "none" : String(rate));

/** Mean, and the standard deviation of a single run. */
function meanText(values: readonly (number | null)[], unit: "" | " %"): string {
  if (values.some((value) => value === null)) return "diverged";
  const numbers = values.map((value) => (unit ? 100 : 1) * value!);
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const text = digits(mean);
  if (numbers.length === 1) return `${text}${unit}`;
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${text} ± ${Math.sqrt(squares / (numbers.length - 1)).toPrecision(2)}${unit}`;
}

const digits = (value: number) => value.toPrecision(3);

/** For each problem superlevel and the best rates, over their seeds; then every rate with the first seed. */
export function tables(runs: readonly Run[]): string {
  const parts = unique(runs.map(({ problem }) => problem)).map((problem) => {
    const here = runs.filter((run) => run.problem === problem);
    return `### ${problem}\n\n${summary(here, problem)}\n\n${rateTable(here)}`;
  });
  return parts.join("\n\n");
}

function summary(runs: readonly Run[], problem: string): string {
  const rows = unique(runs.map(({ contender }) => contender)).map((contender) => {
    const best = bestRate(runs, problem, contender);
    const own = runs.filter((run) => run.contender === contender && run.rate === best);
    const cells = [
      meanText(
        own.map((run) => run.trainLoss),
        "",
      ),
      meanText(
        own.map((run) => run.validationLoss),
        "",
      ),
      meanText(
        own.map((run) => run.accuracy),
        " %",
      ),
    ];
    return `| ${contender} | ${rateText(best)} | ${own.length} | ${cells.join(" | ")} |`;
  });
  return [
    "| | rate | seeds | training loss | validation loss | validation accuracy |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

function rateTable(runs: readonly Run[]): string {
  const first = runs.filter(({ seed, rate }) => seed === 1 && rate !== null);
  const without = runs.find(({ seed, rate }) => seed === 1 && rate === null);
  const better = first.filter((run) => without && lossOf(run) < lossOf(without)).length;
  const rates = unique(first.map(({ rate }) => rate!)).sort((a, b) => a - b);
  const rows = unique(first.map(({ contender }) => contender)).map((contender) => {
    const cells = rates.map((rate) => {
      const run = first.find((run) => run.contender === contender && run.rate === rate);
      return run ? (run.trainLoss === null ? "diverged" : digits(run.trainLoss)) : "–";
    });
    return `| ${contender} | ${cells.join(" | ")} |`;
  });
  return [
    `| training loss at rate | ${rates.join(" | ")} |`,
    `| --- |${" ---: |".repeat(rates.length)}`,
    ...rows,
    `\n${better} of these ${first.length} runs end below that of superlevel with the same seed.`,
  ].join("\n");
}
