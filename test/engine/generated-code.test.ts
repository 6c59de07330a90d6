/** Reads the kernels' generated code: nothing is called inside a sweep's loop. */
import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

interface Loop {
  lines: string[];
  /** No loop inside. */
  inner: boolean;
}

interface Code {
  name: string;
  lines: string[];
  loops: Loop[];
}

const isSimd = (line: string) => /^(v128|[if]\d+x\d+)\./.test(line);
const isCall = (line: string) => /^(call|call_indirect|call_ref|return_call)\b/.test(line);

/** Functions of a module in wat's unfolded form: one instruction a line. */
function functionsOf(wat: string): Code[] {
  const list: Code[] = [];
  let open: (Loop | null)[] = [];
  for (const line of wat.split("\n").map((text) => text.trim())) {
    const name = /^\(func \$(\S+)/.exec(line)?.[1];
    if (name) {
      list.push({ name, lines: [], loops: [] });
      open = [];
    }
    const code = list.at(-1);
    if (!code) continue;
    code.lines.push(line);
    if (/^(block|if)\b/.test(line)) open.push(null);
    else if (/^loop\b/.test(line)) {
      for (const outer of open) if (outer) outer.inner = false;
      const loop = { lines: [], inner: true };
      code.loops.push(loop);
      open.push(loop);
    } else if (line === "end") open.pop();
    for (const loop of open) loop?.lines.push(line);
  }
  return list;
}

/** The innermost loops over vectors. */
function sweepsOf(functions: Code[]): { name: string; lines: string[] }[] {
  return functions.flatMap(({ name, loops }) =>
    loops.filter(({ inner, lines }) => inner && lines.some(isSimd)).map(({ lines }) => ({ name, lines })),
  );
}

const callsOf = (functions: Code[]) =>
  sweepsOf(functions).flatMap(({ name, lines }) => lines.filter(isCall).map((call) => `${name}: ${call}`));

/** Functions with vector instructions but no loop over vectors: not inlined where they are used. */
function helpersOf(functions: Code[]): string[] {
  const looped = new Set(sweepsOf(functions).map(({ name }) => name));
  return functions
    .filter(({ name, lines }) => lines.some(isSimd) && !looped.has(name))
    .map(({ name }) => name);
}

describe("build/superlevel.wat", () => {
  const functions = functionsOf(readFileSync("build/superlevel.wat", "utf8"));

  it("has a loop for each base, and some more", () => {
    const rules = readdirSync("assembly/rules").length;
    expect(sweepsOf(functions).length).toBeGreaterThan(rules + 10);
  });

  it("calls nothing in a loop over vectors", () => expect(callsOf(functions)).toEqual([]));

  it("has no vector instruction in a function without such a loop", () =>
    expect(helpersOf(functions)).toEqual([]));
});

describe("the reading", () => {
  const broken = `(module
    (func $sweep (param $0 i32)
     loop $outer
      call $prepare
      loop $inner
       local.get $0
       v128.load
       call $update
       local.get $0
       br_if $inner
      end
     end
    )
    (func $update (param $0 v128) (result v128)
     local.get $0
     f32x4.sqrt
    )
    (func $prepare
     nop
    )
  )`;

  it("sees a call in the inner loop, and not the one outside", () =>
    expect(callsOf(functionsOf(broken))).toEqual(["sweep: call $update"]));

  it("sees a helper that was not inlined", () => expect(helpersOf(functionsOf(broken))).toEqual(["update"]));
});
