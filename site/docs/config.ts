/** How VitePress makes the site of the documentation. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { defineConfig, type DefaultTheme, type MarkdownRenderer } from "vitepress";

import { entries } from "./api.js";
import { eraseTypes } from "./live/erase.js";
import { runsInPage } from "./live/instrument.js";
import { documents, placeOf, titleOf } from "./pages.js";
import { BASE } from "./portable.js";

const item = (document: string): DefaultTheme.SidebarItem => ({
  text: titleOf(document).replaceAll("`", ""),
  link: `/${placeOf(document)}`,
});

/** The tables of docs/README.md, which lists every page, as groups of links. */
function groups(): DefaultTheme.SidebarItem[] {
  const [, ...sections] = readFileSync("docs/README.md", "utf8").split(/^## /m);
  return sections.map((section) => ({
    text: section.split("\n")[0],
    collapsed: false,
    items: [...section.matchAll(/^\| \[.*?\]\((.*?)\)/gm)].map(([, file]) => item(`docs/${file}`)),
  }));
}

const sidebar: DefaultTheme.SidebarItem[] = [
  ...groups(),
  {
    text: "API",
    link: "/api/",
    collapsed: false,
    items: entries().map(({ name }) => ({ text: name, link: `/api/${name}` })),
  },
  {
    text: "Project",
    collapsed: true,
    items: documents()
      .filter((file) => !file.startsWith("docs/"))
      .map(item),
  },
];

/** GitHub's anchors, which links in the documents are made for. */
const slugify = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");

/** Puts code that a page can run into an element that does, with the code without types. */
function makeLive({ renderer: { rules }, utils }: MarkdownRenderer): void {
  const fence = rules.fence!;
  rules.fence = (...given) => {
    const { info, content } = given[0][given[1]];
    const shown = fence(...given);
    const code = info.trim() === "ts" ? eraseTypes(content) : "";
    if (!runsInPage(code)) return shown;
    const text = utils.escapeHtml(code.trimEnd()).replaceAll("\n", "&#10;");
    return `<live-example code="${text}">${shown}</live-example>`;
  };
}

export default defineConfig({
  title: "superlevel",
  description: "A gradient optimizer for JavaScript that needs no learning rate.",
  base: BASE,
  head: [["link", { rel: "icon", href: "data:," }]],
  // Braces are mathematics here.
  markdown: { anchor: { slugify }, attrs: { disable: true }, config: makeLive },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === "live-example" } } },
  vite: {
    build: { chunkSizeWarningLimit: 2000, modulePreload: false },
    resolve: {
      alias: entries().map(({ name, built }) => ({
        find: new RegExp(`^${name}$`),
        replacement: resolve(built),
      })),
    },
  },
  themeConfig: {
    search: { provider: "local" },
    sidebar,
    outline: [2, 3],
    nav: [{ text: "Playground", link: "/../index.html", target: "_self" }],
    docFooter: { prev: false, next: false },
  },
});
