/** Examples that run in a page. */

/** The entries of the package that an example in a page may import. */
export const ENTRIES = ["superlevel", "superlevel/minimize", "superlevel/objective", "superlevel/stability"];

const IMPORT = /^import (?:\{([^}]*)\} from )?"([^"]+)";?$/gm;
/** A statement on one line whose result stands behind it. */
const SHOWN = /^(\s*)(?!const |let |return |import |\/\/)(\S.*?);\s*\/\/ → .*$/gm;

/**
 * The body of an async function of `$load`, which resolves to a module, and `$show`, which is given the text and the
 * function of each expression with a result behind it.
 */
export function instrument(code: string): string {
  return code
    .replace(IMPORT, (_, names: string | undefined, module: string) => {
      const bound = (names ?? "").replaceAll(/(\w+) as /g, "$1: ");
      return `const {${bound}} = await $load("${module}");`;
    })
    .replace(SHOWN, (_, indent: string, text: string) => {
      const [wait, later] = /\bawait\b/.test(text) ? ["await ", "async "] : ["", ""];
      return `${indent}${wait}$show(${JSON.stringify(text)}, ${later}() => (${text}));`;
    });
}

const AsyncFunction = (async () => {}).constructor as new (
  ...texts: string[]
) => (...values: unknown[]) => Promise<void>;

/** Whether a page can run it: it is JavaScript, imports what a page has, and shows something. */
export function runsInPage(code: string): boolean {
  if (!/\/\/ → |console\.log/.test(code)) return false;
  if ([...code.matchAll(IMPORT)].some(([, , module]) => !ENTRIES.includes(module))) return false;
  try {
    return Boolean(new AsyncFunction(instrument(code)));
  } catch {
    return false;
  }
}

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Runs an example, and calls `print` with each line of what it shows. One that imports nothing has all exports. */
export async function run(code: string, modules: Modules, print: (line: string) => void): Promise<void> {
  const show = (text: string, evaluate: () => unknown) => {
    const say = (result: string) => print(`${text} → ${result}`);
    const fail = (error: unknown) => say(`throws ${String(error)}`);
    try {
      const value = evaluate();
      if (value instanceof Promise) return value.then((one) => say(written(one)), fail);
      say(written(value));
    } catch (error) {
      fail(error);
    }
  };
  const load = (name: string) => {
    if (!(name in modules)) throw new Error(`a page has ${Object.keys(modules).join(", ")}, but not ${name}`);
    return modules[name];
  };
  const given: Record<string, unknown> = {
    $load: load,
    $show: show,
    console: { log: (...values: unknown[]) => print(values.map((value) => written(value)).join(" ")) },
  };
  if (!/^import /m.test(code)) {
    const own = new Set(
      [...code.matchAll(/\b(?:const|let|function|class) ([\w$]+)/g)].map(([, name]) => name),
    );
    for (const module of Object.values(modules)) {
      for (const [name, value] of Object.entries(module)) if (!own.has(name)) given[name] = value;
    }
  }
  await new AsyncFunction(...Object.keys(given), instrument(code))(...Object.values(given));
}

/** A value as the documentation writes it. */
export function written(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const [items, kind] = [Array.from(value as ArrayLike<unknown>), value.constructor.name];
    const shown = items.slice(0, 20).map(written).join(", ") + (items.length > 20 ? ", …" : "");
    return `${kind === "Array" ? "" : `${kind} `}[${shown}]`;
  }
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return `{ ${Object.entries(value).map(([key, one]) => `${key}: ${written(one)}`).join(", ")} }`; // prettier-ignore
  }
  return String(value);
}
