/** What the documentation shows is executed, and what it states as a result is compared. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";

import { OPTIONS } from "../../src/stepper/config.js";
import { examplesInDocument, examplesInSource, HEADER_LINES, moduleOf } from "../support/examples.js";
import type { Example } from "../support/examples.js";
import { anchorsOf, Names, spansOf } from "../support/names.js";
import { check, throws } from "../support/results.js";

const OUTPUT = resolve("build/documentation");

const listed = (folder: string, extension: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(extension))
        .map((file) => join(folder, file))
        .sort()
    : [];
const documents = ["README.md", "CONTRIBUTING.md", ...listed("docs", ".md")];
const sources = listed("src", ".ts").filter((file) => !/(binary|bundle)\.ts$/.test(file));

const examples = [
  ...documents.flatMap((file) => examplesInDocument(file, readFileSync(file, "utf8"))),
  ...sources.flatMap((file) => examplesInSource(file, readFileSync(file, "utf8"))),
];

const { options } = ts.getParsedCommandLineOfConfigFile(
  "tsconfig.json",
  { noUnusedLocals: false, noUnusedParameters: false, verbatimModuleSyntax: false, allowJs: true },
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
)!;
options.allowImportingTsExtensions = true;

/** The source of each entry point, by the name to import it by: "superlevel", "superlevel/minimize", … */
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, string | { default: string }>;
};
const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === "string"
    ? []
    : {
        from: join("superlevel", path),
        file: resolve(target.default.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts")),
      },
);
const program = ts.createProgram(
  entries.map(({ file }) => file),
  options,
);
const checker = program.getTypeChecker();
const exports = entries.flatMap(({ from, file }) =>
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!).map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const typeOnly = exported.declarations?.some(ts.isTypeOnlyExportDeclaration);
    const kind: "value" | "type" = symbol.flags & ts.SymbolFlags.Value && !typeOnly ? "value" : "type";
    return { name: exported.name, from, symbol, kind };
  }),
);

const fileOf = ({ file, line, language }: Example): string =>
  join(OUTPUT, `${file.replaceAll(/[/.]/g, "-")}-${line}.${language === "ts" ? "ts" : "mjs"}`);

describe("examples", () => {
  beforeAll(() => {
    rmSync(OUTPUT, { recursive: true, force: true });
    mkdirSync(OUTPUT, { recursive: true });
    for (const example of examples) writeFileSync(fileOf(example), moduleOf(example, exports));
  });

  it("fit the types of the package", () => {
    const origins = new Map(examples.map((example) => [fileOf(example), example]));
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([...origins.keys()], options));
    const messages = diagnostics.map(({ file, start = 0, messageText }) => {
      const message = ts.flattenDiagnosticMessageText(messageText, "\n");
      const example = file && origins.get(resolve(file.fileName));
      if (!example) return `${file?.fileName}: ${message}`;
      const line = file.getLineAndCharacterOfPosition(start).line - HEADER_LINES;
      return `${example.file}:${example.line + line}: ${message}`;
    });
    expect(messages).toEqual([]);
  });

  for (const example of examples) {
    it.runIf(example.run)(`${example.file}:${example.line} runs`, async () => {
      await import(/* @vite-ignore */ fileOf(example));
    });
  }
});

describe("exports", () => {
  it.each(exports)("$name has a docstring", ({ symbol }) => {
    expect(ts.displayPartsToString(symbol.getDocumentationComment(checker))).not.toBe("");
  });

  const callable = exports.filter(({ symbol, kind }) => {
    if (kind === "type" || !symbol.valueDeclaration) return false;
    const type = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
    return type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0;
  });
  it.each(callable)("$name has an @example", ({ symbol }) => {
    expect(symbol.getJsDocTags(checker).map(({ name }) => name)).toContain("example");
  });
});

describe("documents", () => {
  const names = new Names();

  it.each(documents)("%s links to files and headings that exist", (file) => {
    const links = readFileSync(file, "utf8").matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g);
    const dead = [...links].filter(([, path, anchor]) => {
      const target = path === "" ? file : join(dirname(file), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, "utf8")).has(anchor);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  });

  it.each(documents)("%s names files and code that exist", (file) => {
    const missing = spansOf(readFileSync(file, "utf8")).map((span) => names.missing(span));
    expect(missing.filter((span) => span !== undefined)).toEqual([]);
  });

  it("begin with a README of less than 900 words", () => {
    expect(readFileSync("README.md", "utf8").trim().split(/\s+/).length).toBeLessThan(900);
  });

  it("are all in the index", () => {
    const index = readFileSync("docs/README.md", "utf8");
    const pages = listed("docs", ".md").map((file) => file.slice("docs/".length));
    expect(pages.filter((page) => page !== "README.md" && !index.includes(`](${page})`))).toEqual([]);
  });

  it("name every option of createOptimizer in the first table of docs/options.md", () => {
    const [table] = /(^\|.*\n)+/m.exec(readFileSync("docs/options.md", "utf8"))!;
    expect(OPTIONS.filter((option) => !table.includes(`\`${option}: `))).toEqual([]);
  });

  it("of results are all on the page that shows every picture", () => {
    const overview = readFileSync("docs/results/overview.md", "utf8");
    const results = readdirSync("docs/results").filter((file) => /\.(md|svg)$/.test(file));
    expect(results.filter((file) => file !== "overview.md" && !overview.includes(`](${file})`))).toEqual([]);
  });

  it.each([
    "`optimizer.noSuchThing`",
    "`makeCoffee(strong)`",
    "`src/none.ts`",
    "`npm run none`",
    "`npm run bench -- none-such`",
    '`"none-such"`',
    "`noSuch: true`",
  ])("cannot name %s", (text) => {
    expect(spansOf(text).map((span) => names.missing(span))).toEqual(spansOf(text));
  });
});

describe("result comments", () => {
  it.each([
    [3, "3"],
    [-0.5, "-0.5"],
    [0.1234, "0.123"],
    [1.2e-7, "1.2e-7"],
    [5e-8, "< 1e-7"],
    ["adam", '"adam"'],
    [true, "true"],
    [NaN, "NaN"],
    [undefined, "undefined"],
    [new Float32Array([0.1, 2]), "Float32Array [0.1, 2]"],
    [new Float32Array([0.1, 2]), "Float32Array(2) [ 0.1, 2 ]"],
    [[1, [2]], "[1, [2]]"],
    [{ loss: 0.1249, reason: "steps" }, '{ loss: 0.125, reason: "steps" }'],
  ])("accept %o for %s", (value, result) => {
    expect(check(value, result)).toBe(value);
  });

  it.each([
    [3.001, "3"],
    [0.1236, "0.123"],
    [1.26e-7, "1.2e-7"],
    [2e-7, "< 1e-7"],
    ["adam", '"sgd"'],
    ["3", "3"],
    [false, "true"],
    [[0.1, 2], "Float32Array [0.1, 2]"],
    [[1, 2, 3], "[1, 2]"],
    [{ loss: 1, steps: 2 }, "{ loss: 1 }"],
    [{ loss: 1 }, "{ loss: 2 }"],
    [7, "roughly seven"],
  ])("reject %o for %s", (value, result) => {
    expect(() => check(value, result)).toThrow("documented");
  });

  it("tell errors apart", () => {
    const fail = (): never => {
      throw new RangeError("steps: must be positive");
    };
    expect(() => throws(fail, "RangeError: steps")).not.toThrow();
    expect(() => throws(fail, "TypeError: steps")).toThrow("documented");
    expect(() => throws(fail, "RangeError: loss")).toThrow("documented");
    expect(() => throws(() => 1, "RangeError: steps")).toThrow("nothing thrown");
  });
});
