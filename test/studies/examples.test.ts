/** Every example runs: its exit code, the result it prints, and that the loss fell. */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { useWasm } from "../../studies/kit/backend.js";
import { launch, skipNote, skipped } from "../support/chromium.js";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const command = ["--import", "tsx", "scripts/run.ts", "example"];

function run(args: readonly string[]) {
  return spawnSync(process.execPath, [...command, ...args], { cwd: repository, encoding: "utf8" });
}

/** The losses of the line that begins with "result:". */
function losses(output: string): { first: number; last: number } {
  const found = /^result: loss (\d+\.\d+) → (\d+\.\d+)/m.exec(output);
  expect(found, output).not.toBeNull();
  return { first: Number(found![1]), last: Number(found![2]) };
}

/** The part of its first loss that an example ends at, at most. */
const bounds: Record<string, number> = {
  logistic: 0.2,
  "curve-fit": 0.01,
  resume: 0.6,
  accumulate: 0.8,
  residual: 0.4,
  cnn: 0.7,
  gru: 0.9,
};

describe("examples", () => {
  it.each(Object.entries(bounds))("%s ends at %d of its first loss or less", (name, part) => {
    const { status, stdout, stderr } = run([name, "--quick"]);
    expect(status, stderr).toBe(0);
    const { first, last } = losses(stdout);
    expect(last).toBeLessThan(part * first);
    if (name !== "resume") return;
    expect(stdout).toContain("(killed: SIGKILL)");
    expect(stdout).toContain("goes on from step 40");
    expect(new Set(stdout.match(/state [0-9a-f]{16}/g)).size).toBe(1);
  });

  it("are short, and need nothing but packages: they can be copied as they are", () => {
    for (const name of Object.keys(bounds)) {
      const text = readFileSync(new URL(`../../examples/${name}.ts`, import.meta.url), "utf8");
      expect(text.trimEnd().split("\n").length, name).toBeLessThanOrEqual(100);
      expect(text, name).not.toMatch(/from "\./);
    }
  });
});

describe.each(["bench", "study", "example"])("npm run %s", (kind) => {
  const ask = (args: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "scripts/run.ts", kind, ...args], {
      cwd: repository,
      encoding: "utf8",
    });

  it("lists what there is", () => {
    const { status, stdout } = ask([]);
    expect(status).toBe(0);
    const names = {
      bench: ["suite", "compare"],
      study: ["robustness", "reinforcement"],
      example: [...Object.keys(bounds), "page"],
    }[kind]!;
    for (const name of names) expect(stdout).toContain(`  ${name} `);
  });

  it("refuses a wrong name", () => {
    const { status, stdout, stderr } = ask(["toString"]);
    expect(status).toBe(2);
    expect(stderr).toContain(`there is no ${kind} "toString"`);
    expect(stdout).toContain(`usage: npm run ${kind} -- NAME`);
  });
});

describe("wasm backend's kernel for training convolutions", () => {
  const cases = [
    { side: 9, channels: 1, filters: 3, size: 5, strides: 2, pad: "same" },
    { side: 8, channels: 2, filters: 4, size: 3, strides: 1, pad: "valid" },
    { side: 7, channels: 3, filters: 2, size: 2, strides: 3, pad: "valid" },
    { side: 6, channels: 2, filters: 2, size: 3, strides: 1, pad: "same" },
  ] as const;

  it.each(cases)("gives the cpu backend's gradients: %o", async (setting) => {
    const { side, channels, filters, size, strides, pad } = setting;
    const gradients = async () => {
      const x = tf.randomNormal<tf.Rank.R4>([3, side, side, channels], 0, 1, "float32", 1);
      const filter = tf.randomNormal<tf.Rank.R4>([size, size, channels, filters], 0, 1, "float32", 2);
      const loss = (x: tf.Tensor, filter: tf.Tensor) =>
        tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad)));
      const both = tf.grads(loss)([x, filter]);
      return Promise.all(both.map((one) => one.data()));
    };
    await tf.setBackend("cpu");
    const expected = await gradients();
    await useWasm();
    const found = await gradients();
    expected.forEach((values, k) => {
      expect(found[k]).toHaveLength(values.length);
      const largest = Math.max(...values.map(Math.abs));
      values.forEach((value, i) => expect(Math.abs(found[k][i] - value)).toBeLessThan(1e-5 * largest));
    });
  });
});

describe.skipIf(skipped)(`the page${skipNote}`, () => {
  let server: ReturnType<typeof spawn>;
  let address: string;

  beforeAll(async () => {
    server = spawn(process.execPath, [...command, "page", "--port", "0"], { cwd: repository });
    address = await new Promise((ready, reject) => {
      server.stdout!.once("data", (line: Buffer) => ready(/^\S+/.exec(line.toString())![0]));
      server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
  });

  afterAll(() => void server?.kill());

  it("learns in a browser, and takes points", async () => {
    const browser = await launch();
    try {
      const page = await browser.newPage();
      const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
      const printed = page.waitForEvent("console", {
        timeout: 150_000,
        predicate: (message) => message.text().startsWith("result:"),
      });
      await page.goto(address);
      await page.locator("#plot").click({ position: { x: 100, y: 50 } });
      const { first, last } = losses((await Promise.race([printed, failed])).text());
      expect(last).toBeLessThan(0.5 * first);
      expect(await page.locator("#state").textContent()).toMatch(/^step \d+, loss \S+, rate found \S+$/);
    } finally {
      await browser.close();
    }
  });

  it("comes from a server that gives nothing else away", async () => {
    for (const path of [
      "package.json",
      "dist/../package.json",
      "node_modules/tsx/package.json",
      "dist/none.js",
    ]) {
      expect((await fetch(`${address}${path}`)).status, path).toBe(404);
    }
  });
});
