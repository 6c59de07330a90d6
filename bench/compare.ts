/**
 * `npm run bench -- compare before.json after.json`: names what became slower or faster beyond noise from one run of
 * `npm run bench -- suite` to another. Exits with 1 if anything became slower.
 */
import { readFileSync } from "node:fs";
import { compare, inWords } from "./suite/comparison.js";
import { inWords as machineInWords } from "./suite/machine.js";
import type { Results } from "./suite/results.js";

const files = process.argv.slice(2);
if (files.length !== 2) throw new Error("expected two files that `npm run bench -- suite` wrote");
const [before, after] = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Results);

[before, after].forEach(({ machine }, k) =>
  console.log(`${files[k]}: ${machineInWords(machine)}, commit ${machine.commit}`),
);
if (before.machine.cpu !== after.machine.cpu || before.machine.node !== after.machine.node) {
  console.log("Not the same machine and Node: differences may be theirs.");
}
const changes = compare(before, after);
const notable = changes.filter(({ verdict }) => verdict !== "same");
notable.sort((a, b) => b.relative - a.relative).forEach((change) => console.log(inWords(change)));
const count = (verdict: string) => changes.filter((change) => change.verdict === verdict).length;
console.log(
  `${changes.length} compared: ${count("slower")} slower, ${count("faster")} faster, ${count("same")} the same`,
);
process.exitCode = count("slower") > 0 ? 1 : 0;
