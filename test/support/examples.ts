/** Finds the examples of documents and docstrings, and turns each into a module that checks its own results. */
import ts from "typescript";

export interface Example {
  /** Where its first line of code stands. */
  file: string;
  line: number;
  language: "ts" | "js";
  code: string;
  docstring: boolean;
  /** Fences marked `no-run` are only type-checked. */
  run: boolean;
}

const FENCE = /^(\s*)(`{3,})(\w*)(.*)$/;
const LANGUAGES: Record<string, Example["language"]> = {
  ts: "ts",
  typescript: "ts",
  js: "js",
  javascript: "js",
};

/** Fenced ts and js blocks of Markdown lines; `first` is the line number of the first of them. */
function fencesIn(lines: string[], file: string, first: number, docstring: boolean): Example[] {
  const examples: Example[] = [];
  for (let i = 0; i < lines.length; i++) {
    const open = FENCE.exec(lines[i]);
    if (!open) continue;
    const [, indent, ticks, language, info] = open;
    const begin = i + 1;
    do i++;
    while (i < lines.length && lines[i].trim() !== ticks);
    if (!(language in LANGUAGES)) continue;
    const code = lines.slice(begin, i).map((line) => line.slice(indent.length));
    examples.push({
      file,
      line: first + begin,
      language: LANGUAGES[language],
      code: code.join("\n"),
      docstring,
      run: !/\bno-run\b/.test(info),
    });
  }
  return examples;
}

export function examplesInDocument(file: string, text: string): Example[] {
  return fencesIn(text.split("\n"), file, 1, false);
}

/** The `@example` blocks of all docstrings, fenced or bare. */
export function examplesInSource(file: string, text: string): Example[] {
  const examples: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const commentLine = text.slice(0, comment.index).split("\n").length;
    const lines = comment[0].replace(/\*\/$/, "").split("\n");
    const bare = lines.map((line) => line.replace(/^\s*(?:\/\*)?\*+ ?/, ""));
    bare.forEach((line, at) => {
      if (!line.startsWith("@example")) return;
      const end = bare.findIndex((later, i) => i > at && /^@\w/.test(later));
      const block = bare.slice(at + 1, end === -1 ? undefined : end);
      const first = commentLine + at + 1;
      const fences = fencesIn(block, file, first, true);
      if (fences.length > 0) examples.push(...fences);
      else {
        const code = block.join("\n").trimEnd();
        examples.push({ file, line: first, language: "ts", code, docstring: true, run: true });
      }
    });
  }
  return examples;
}

/** The expression whose value a comment behind the statement states. */
function stated(node: ts.Node): ts.Expression | undefined {
  if (ts.isVariableStatement(node) && node.declarationList.declarations.length === 1) {
    return node.declarationList.declarations[0].initializer;
  }
  if (ts.isReturnStatement(node)) return node.expression;
  if (!ts.isExpressionStatement(node)) return undefined;
  const { expression } = node;
  const printed =
    ts.isCallExpression(expression) &&
    expression.expression.getText() === "console.log" &&
    expression.arguments.length === 1;
  return printed ? expression.arguments[0] : expression;
}

/** Wraps every expression with a result comment, `// → result` or `// => result`, into a check of that result. */
function withChecks(example: Example): string {
  const { code } = example;
  const results = new Map<number, string>();
  for (const comment of code.matchAll(/\/\/ *(?:→|=>) *(.*?) *$/gm)) results.set(comment.index, comment[1]);
  const edits: { at: number; text: string }[] = [];

  const visit = (node: ts.Node): void => {
    const expression = stated(node);
    const comment = ts.getTrailingCommentRanges(code, node.end)?.find(({ pos }) => results.has(pos));
    if (expression && comment) {
      const result = results.get(comment.pos) ?? "";
      const thrown = /^throws +(.*)/.exec(result);
      edits.push({ at: expression.getStart(), text: thrown ? "throws$(() => " : "check$(" });
      edits.push({ at: expression.end, text: `, ${JSON.stringify(thrown ? thrown[1] : result)})` });
      results.delete(comment.pos);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("", code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS));

  for (const [at, result] of results) {
    const line = example.line + code.slice(0, at).split("\n").length - 1;
    throw new Error(`${example.file}:${line}: "→ ${result}" does not stand behind an expression`);
  }
  edits.sort((a, b) => b.at - a.at);
  return edits.reduce((text, edit) => text.slice(0, edit.at) + edit.text + text.slice(edit.at), code);
}

/** Lines before the code in a generated module. */
export const HEADER_LINES = 1;

/**
 * The module of an example. One of a docstring that imports nothing gets what it names of the package: `exported`
 * says of each export where it is imported from and whether it exists at run time.
 */
export function moduleOf(
  example: Example,
  exported: readonly { name: string; from: string; kind: "value" | "type" }[],
): string {
  let header = `import { check as check$, throws as throws$ } from "../../test/support/results.ts";`;
  const { importedFiles } = ts.preProcessFile(example.code);
  if (example.docstring && importedFiles.length === 0) {
    const words = new Set(example.code.match(/[\w$]+/g));
    const declared = new Set(
      [...example.code.matchAll(/^(?:const|let|function|class)\s+([\w$]+)/gm)].map(([, name]) => name),
    );
    for (const { name, from, kind } of exported) {
      if (!words.has(name) || declared.has(name)) continue;
      header += ` import ${kind === "type" ? "type " : ""}{ ${name} } from "${from}";`;
    }
  }
  return `${header}\n${withChecks(example)}\n`;
}
