import type { WriteStream } from "node:tty";

/** Tells on stderr how far the runs are: one bar on a terminal, a line for each run elsewhere. */
export interface Progress {
  update(name: string, step: number, loss: number): void;
  finish(name: string, summary: string): void;
  end(): void;
}

const barWidth = 30;

export function createProgress(
  runs: number,
  stepsPerRun: number,
  stream: WriteStream = process.stderr,
): Progress {
  const started = performance.now();
  let finished = 0;
  let shown = 0;
  const bar = (name: string, step: number, loss: number) => {
    const now = performance.now();
    // Ten times a second: drawing more often would cost as much as training.
    if (now - shown < 100) return;
    shown = now;
    const part = (finished + step / stepsPerRun) / runs;
    const filled = Math.round(barWidth * part);
    const left = Math.ceil(((now - started) / 1000) * (1 / part - 1));
    const track = "█".repeat(filled) + "░".repeat(barWidth - filled);
    const percent = `${Math.floor(100 * part)} %`.padStart(5);
    stream.write(`\r\x1b[K${track} ${percent}  ${name}, loss ${loss.toPrecision(3)}, ${left} s left`);
  };
  return {
    update(name, step, loss) {
      if (stream.isTTY) bar(name, step, loss);
    },
    finish(name, summary) {
      finished++;
      if (!stream.isTTY) stream.write(`${name}: ${summary}\n`);
    },
    end() {
      if (stream.isTTY) stream.write("\r\x1b[K");
    },
  };
}
