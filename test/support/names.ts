/**
 * What Markdown names in backticks, and whether it exists: files, scripts and entries of the package, and names that its
 * code declares. A name counts as declared where it stands at the top of a file, in a type or a class, or as a property, so
 * that a local variable which happens to have that name does not save a sentence about a function that is gone.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import ts from "typescript";

/** Folders of code, and the folders that a path in the documents may start from. */
const CODE = ["src", "assembly", "bench", "studies", "examples", "test", "scripts"];
const ROOTS = [".", "src", "assembly", "test"];

/** Names that belong to others; of chains such as `torch.optim.SGD` the first counts. */
const FOREIGN = new Set([
  ...[
    "optax",
    "torch",
    "optim",
    "opt",
    "lr_scheduler",
    "swa_utils",
    "clip_grad_norm_",
    "clip_grad_value_",
    "LBFGS",
  ],
  ...[
    "tf",
    "model",
    "fit",
    "trainOnBatch",
    "trainableWeights",
    "assign",
    "scipy",
    "fmin",
    "nodeIntegration",
    "blob",
  ],
  ...[
    "tree",
    "jit",
    "vmap",
    "dataSync",
    "reshape",
    "trainable",
    "nodeResolve",
    "external",
    "globals",
    "NODE_DIR",
  ],
  ...[
    "case",
    "null",
    "true",
    "node_modules",
    "overrides",
    "NAME",
    "nameRecord",
    "nameLinear",
    "adabelief_pytorch",
  ],
]);
/** Paths of what is made, installed or brought along, and of examples such as `src/bases/name.ts`. */
const ELSEWHERE =
  /\bname\.ts$|^(build|dist|include|mnist|tabular|text|node_modules|\.\.\/shared)\b|^src\/.*(binary|bundle|page)\.ts$/;

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<
  "scripts" | "exports" | "devDependencies" | "dependencies",
  Record<string, unknown>
>;
const packages = new Set([
  ...Object.keys({ ...manifest.devDependencies, ...manifest.dependencies, "@tensorflow/tfjs": "" }),
  ...Object.keys(manifest.exports).map((entry) => join("superlevel", entry)),
]);

const filesOf = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file))
    : [];

/** What the code declares, and its string literals. */
function readCode(): { declared: Set<string>; literals: Set<string> } {
  const [declared, literals] = [new Set<string>(), new Set<string>()];
  const visit = (node: ts.Node, local: boolean): void => {
    if (ts.isStringLiteralLike(node)) literals.add(node.text);
    if (ts.isPropertyAccessExpression(node) && node.expression.getText() === "process.env")
      declared.add(node.name.text);
    const name = (node as ts.NamedDeclaration).name;
    const isLocal = local && (ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node));
    if (name && !isLocal && DECLARES.some((is) => is(node)))
      declared.add(name.getText().replaceAll(/["']/g, ""));
    const inside = local || (ts.isFunctionLike(node) && "body" in node);
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  for (const file of CODE.flatMap(filesOf).filter((name) => /\.(ts|mjs)$/.test(name))) {
    visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true), false);
  }
  return { declared, literals };
}

const DECLARES: ((node: ts.Node) => boolean)[] = [
  ...[ts.isVariableDeclaration, ts.isFunctionDeclaration, ts.isClassDeclaration, ts.isInterfaceDeclaration],
  ...[ts.isTypeAliasDeclaration, ts.isEnumDeclaration, ts.isEnumMember, ts.isMethodDeclaration],
  ...[ts.isMethodSignature, ts.isPropertyDeclaration, ts.isPropertySignature, ts.isPropertyAssignment],
  ...[ts.isShorthandPropertyAssignment, ts.isGetAccessor, ts.isSetAccessor],
];

/** Code spans of Markdown, without its blocks. */
export const spansOf = (markdown: string): string[] =>
  [...markdown.replaceAll(/^ *```[^]*?^ *```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);

/** GitHub's anchors of a document's headings. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^ *```[^]*?^ *```/gm, "").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

export class Names {
  readonly #code = readCode();
  readonly #files = ROOTS.map((root) =>
    root === "." ? [...readdirSync("."), ...[...CODE, "docs", "etc", ".ci"].flatMap(filesOf)] : filesOf(root),
  );

  /** What in a code span does not exist, or nothing. */
  missing(span: string): string | undefined {
    const script = /^npm run ([\w:]+)(?: -- ([a-z][\w-]*))?/.exec(span);
    if (script) {
      const [, command, program] = script;
      const known = command in manifest.scripts && (!program || this.#code.declared.has(program));
      return known ? undefined : span;
    }
    if (/^(@[\w-]+|superlevel)\/[\w/.-]*$/.test(span)) return packages.has(span) ? undefined : span;
    if (/^[\w.*{},/-]+(\/|\.(ts|md|mjs|json))$/.test(span)) return this.#hasFile(span) ? undefined : span;
    const text = /^"([\w-]+)"$/.exec(span);
    if (text) return this.#code.literals.has(text[1]) || FOREIGN.has(text[1]) ? undefined : span;
    const option = /^(\w+): ?(?:"([\w-]+)")?/.exec(span);
    if (option && !/^(state|result)/.test(span)) return this.#hasOption(option) ? undefined : span;
    const chain = /^#?[A-Za-z_]\w*(\.#?\w+)*(?=\(.*\)$|<\w+>$|$)/.exec(span);
    return !chain || this.#hasName(chain[0]) ? undefined : span;
  }

  #hasFile(path: string): boolean {
    if (ELSEWHERE.test(path)) return true;
    const pattern = path
      .replace(/\/$/, "")
      .replaceAll(".", "\\.")
      .replaceAll("*", "[^/]*")
      .replaceAll(/\{([^}]*)\}/g, (_, names: string) => `(${names.replaceAll(",", "|")})`);
    return ROOTS.some((root, k) => {
      const whole = new RegExp(`^${root === "." ? "" : `${root}/`}${pattern}$`);
      return this.#files[k].some((file) => whole.test(file));
    });
  }

  #hasOption([, name, value]: RegExpExecArray): boolean {
    if (FOREIGN.has(name)) return true;
    return this.#code.declared.has(name) && (value === undefined || this.#code.literals.has(value));
  }

  #hasName(chain: string): boolean {
    const [first, ...members] = chain.split(".");
    if (FOREIGN.has(first) || first in globalThis) return true;
    // A value may be called anything; what is asked of it must exist.
    return (members.length > 0 ? members : [first]).every((word) => this.#code.declared.has(word));
  }
}
