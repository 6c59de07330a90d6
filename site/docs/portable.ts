/**
 * VitePress builds for one place on a server, and in modules, which browsers do not load from a folder on disk. This
 * makes of its output what works in any folder, served or not: the place is found out when a page is opened, and modules
 * become classic scripts, which loader.js runs.
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";

import { rollup } from "rollup";
import ts from "typescript";

/** Stands for the place in the output of VitePress. */
export const BASE = "/__docs__/";
/** Has the place when a page is open. */
const PLACE = "globalThis.docsPlace";

/** The same code with the place for `BASE` in each of its strings. */
export function placed(code: string): string {
  const file = ts.createSourceFile("", code, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const edits: { from: number; to: number; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    const quoted = ts.isStringLiteral(node);
    if (!quoted && !ts.isNoSubstitutionTemplateLiteral(node) && !ts.isTemplateLiteralToken(node)) return;
    const [from, to] = [node.getStart(file), node.end];
    const text = code.slice(from, to);
    if (!text.includes(BASE)) return;
    const set = quoted ? `(${text}.replaceAll("${BASE}",${PLACE}))` : text.replaceAll(BASE, `\${${PLACE}}`);
    edits.push({ from, to, text: set });
  };
  visit(file);
  edits.sort((a, b) => b.from - a.from);
  return edits.reduce((all, { from, to, text }) => all.slice(0, from) + text + all.slice(to), code);
}

/** A page whose links lead from where it is, and whose scripts learn where that is. */
function page(html: string, depth: number): string {
  const up = "../".repeat(depth) || "./";
  const place = `<script>${PLACE}=decodeURI(new URL("${up}",location.href).pathname)</script>`;
  // The menus stay when another page is shown, so their links must not depend on the folder of the first.
  const whole = `<script>for(const a of document.links)if(a.getAttribute("href")[0]!=="#")a.href=a.href</script>`;
  return (
    html
      .replace(/<head>/, () => `<head>${place}`)
      .replace(/<script type="module" src="([^"]*)">/, (_, app: string) => {
        const loader = `<script defer src="${BASE}loader.js">`;
        return `${loader}</script><script>addEventListener("DOMContentLoaded",()=>System.load("${up}${app.slice(BASE.length)}"))`;
      })
      .replaceAll('rel="modulepreload"', 'rel="preload" as="script"')
      .replaceAll(/(\s(?:href|src)=")\/__docs__\//g, `$1${up}`)
      // On disk a folder shows no page.
      .replaceAll(/(\shref="(?!\w+:)[^"#]*\/)(?=["#])/g, "$1index.html")
      .replace(
        /(__VP_SITE_DATA__=JSON\.parse\(".*?[^\\]")\)/,
        (_, json: string) => `${json}.replaceAll("${BASE}",${PLACE}))`,
      )
      .replace("</body>", () => `${whole}</body>`)
  );
}

const filesIn = (folder: string, extension: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(extension));

/** Modules as scripts that say what they need, in the format of SystemJS. */
async function scripts(folder: string): Promise<void> {
  const input = Object.fromEntries(
    filesIn(folder, ".js").map((file) => [file.slice(0, -3), join(folder, file)]),
  );
  const bundle = await rollup({
    input,
    preserveEntrySignatures: "strict",
    plugins: [{ name: "placed", transform: (code) => ({ code: placed(code), map: null }) }],
  });
  await bundle.write({ dir: folder, format: "system", entryFileNames: "[name].js", compact: true });
  await bundle.close();
}

export async function makePortable(folder: string): Promise<void> {
  const change = (file: string, make: (text: string) => string) => {
    const path = join(folder, file);
    writeFileSync(path, make(readFileSync(path, "utf8")));
  };
  // A server shows it anywhere, where its links would lead nowhere.
  rmSync(join(folder, "404.html"));
  for (const file of filesIn(folder, ".html")) change(file, (html) => page(html, file.split("/").length - 1));
  for (const file of filesIn(folder, ".css")) {
    change(file, (css) => css.replaceAll(BASE, `${posix.relative(dirname(file), "") || "."}/`));
  }
  await scripts(folder);
  cpSync(resolve(import.meta.dirname, "loader.js"), join(folder, "loader.js"));
}
