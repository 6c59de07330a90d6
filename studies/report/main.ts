import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { report } from "superlevel/stability";

import { analyticSubjects } from "./analytic.js";
import { networkSubjects } from "./network.js";
import { spoiltSubjects } from "./wrong.js";

const help = `Writes a report on the stability of a small network's training, of runs that go wrong, and of landscapes with known answers.

Usage: npm run study -- report [options]

  --quick      coarser slices and a shorter training: a few seconds
  --out FILE   where to write the page (default build/stability/report.html)
  --help       this text
`;

const FULL = { examples: 200, steps: 300, columns: 45, iterations: 60 };
const QUICK = { examples: 40, steps: 30, columns: 9, iterations: 5 };

async function main(quick: boolean, out: string): Promise<void> {
  // Before the work, not after it, when its result would be lost.
  mkdirSync(dirname(out), { recursive: true });
  const onProgress = (text: string) => console.log(`${text} …`);
  const network = await networkSubjects(quick ? QUICK : FULL, onProgress);
  onProgress("runs that go wrong");
  const spoilt = spoiltSubjects(quick ? 60 : 400, quick ? 60 : 200);
  onProgress("landscapes");
  const analytic = await analyticSubjects(quick ? 33 : 97);
  const note =
    "Drag the level λ: each colour is one component of the sublevel set {L ≤ λ} or of the superlevel set {L ≥ λ}.";
  writeFileSync(out, report([...network, ...spoilt, ...analytic], { title: "Stability report", note }));
  console.log(`Page: ${out}`);
}

const options = {
  quick: { type: "boolean", default: false },
  out: { type: "string", default: "build/stability/report.html" },
  help: { type: "boolean", short: "h", default: false },
} as const;
try {
  const { values } = parseArgs({ options });
  if (values.help) process.stdout.write(help);
  else await main(values.quick, values.out);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  // Wrong options, or a folder that cannot be written.
  console.error(`stability: ${message}`);
  process.exitCode = 2;
}
