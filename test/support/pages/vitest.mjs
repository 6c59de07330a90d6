// As much of vitest as the suites need that run in pages and workers, where vitest itself does not go. Its own `expect`
// and `vi.fn` are used; tests run one after the other, when `runAll` is called.
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as spies from "@vitest/spy";
import * as chai from "chai";

// Node has these, and the suites use them.
globalThis.Buffer ??= class extends Uint8Array {
  static compare(a, b) {
    const at = a.findIndex((byte, i) => byte !== b[i]);
    return at >= 0 ? a[at] - b[at] : a.length - b.length;
  }
};

globalThis.setImmediate ??= (run) => setTimeout(run, 0);

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect);
export const vi = { fn: spies.fn };

const tests = [];
let trail = [];

function collect(name, run) {
  tests.push({ name: [...trail, name].join(" > "), run });
}

function nest(name, body, values = []) {
  trail.push(name);
  body(...values);
  trail.pop();
}

/** One for each row of the table; a row that is an array is spread over the arguments. */
function each(table, register) {
  return (title, body) =>
    table.forEach((row, k) => {
      const values = Array.isArray(row) ? row : [row];
      let next = 0;
      const shown = title.replaceAll(/%[a-z]/g, (code) => (code === "%#" ? k : String(values[next++])));
      register(shown, body, values);
    });
}

export const describe = Object.assign((name, body) => nest(name, body), {
  each: (table) => each(table, nest),
});
export const test = Object.assign((name, body) => collect(name, body), {
  each: (table) => each(table, (name, body, values) => collect(name, () => body(...values))),
});
export const it = test;

/** Runs what was collected, but for what matches `except`; returns the number of tests and what failed. */
export async function runAll(except) {
  const chosen = tests.filter(({ name }) => !except?.test(name));
  const failures = [];
  for (const { name, run } of chosen) {
    try {
      await run();
    } catch (error) {
      failures.push(`${name}: ${error} ${error?.stack}`);
    }
  }
  return { count: chosen.length, skipped: tests.length - chosen.length, failures };
}
