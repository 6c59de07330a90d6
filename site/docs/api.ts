/** The API reference, made of the docstrings: a page of Markdown for each entry of the package. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Application, OptionDefaults, type TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";

/** The entries of the package: what they are imported as, their source, and what is built of it. */
export function entries(): { name: string; source: string; built: string }[] {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  return Object.entries(exports).flatMap(([path, target]) => {
    // A worker's script is an entry of the package, but nothing is imported from it.
    if (typeof target === "string" || path.endsWith(".js")) return [];
    const built = target.default;
    return {
      name: join("superlevel", path),
      source: built.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts"),
      built,
    };
  });
}

const OPTIONS: Partial<TypeDocOptions & PluginOptions> = {
  plugin: ["typedoc-plugin-markdown"],
  tsconfig: "tsconfig.build.json",
  logLevel: "Warn",
  // The compiler has seen the code before.
  skipErrorChecking: true,
  readme: "none",
  router: "module",
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  modifierTags: [...OptionDefaults.modifierTags, "@nocollapse"],
  sort: ["alphabetical"],
  groupOrder: ["Functions", "Classes", "Interfaces", "*"],
  // Of the plugin.
  entryFileName: "index.md",
  hidePageHeader: true,
  hideBreadcrumbs: true,
  // Headings of the same name are numbered otherwise than typedoc does.
  useHTMLAnchors: true,
  useCodeBlocks: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  typeDeclarationFormat: "table",
};

/** Writes the pages to a folder: `superlevel.md`, `superlevel/jax.md` and so on. */
export async function writeApi(out: string): Promise<void> {
  const all = entries();
  const app = await Application.bootstrapWithPlugins({
    ...OPTIONS,
    entryPoints: all.map(({ source }) => source),
  });
  app.options.setValue("out", out);
  const project = await app.convert();
  if (!project || app.logger.hasErrors()) throw new Error("the API reference: typedoc failed, see above");
  project.name = "API";
  // Typedoc calls a module what its file is called.
  for (const module of project.children ?? []) {
    module.name = all.find(
      ({ source }) => source.replace(/^src\/|(\/index)?\.ts$/g, "") === module.name,
    )!.name;
  }
  await app.generateOutputs(project);
}
