/** How VitePress makes the site of the documentation. */
import { readFileSync } from "node:fs";

import { defineConfig, type DefaultTheme } from "vitepress";

import { entries } from "./api.js";
import { documents, placeOf } from "./pages.js";
import { BASE } from "./portable.js";

const item = (document: string): DefaultTheme.SidebarItem => ({
  text: /^# (.*)$/m.exec(readFileSync(document, "utf8"))![1].replaceAll("`", ""),
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
  { text: "Project", collapsed: true, items: documents().filter((file) => !file.startsWith("docs/")).map(item) },
];

/** GitHub's anchors, which links in the documents are made for. */
const slugify = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");

export default defineConfig({
  title: "superlevel",
  description: "A gradient optimizer for JavaScript that needs no learning rate.",
  base: BASE,
  head: [["link", { rel: "icon", href: "data:," }]],
  // Braces are mathematics here.
  markdown: { anchor: { slugify }, attrs: { disable: true } },
  vite: { build: { chunkSizeWarningLimit: 2000, modulePreload: false } },
  themeConfig: {
    search: { provider: "local" },
    sidebar,
    outline: [2, 3],
    nav: [{ text: "Playground", link: "/../index.html", target: "_self" }],
    docFooter: { prev: false, next: false },
  },
});
