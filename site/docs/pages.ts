/** The documentation's Markdown as a folder of pages, made of what lies in the repository. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** Documents outside of `docs/` that are pages too, and where. */
const OTHERS: Readonly<Record<string, string>> = {
  "README.md": "about.md",
  "CONTRIBUTING.md": "contributing.md",
  "CHANGELOG.md": "changelog.md",
};

export const documents = (): string[] => [
  ...Object.keys(OTHERS),
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

/** Where a document, a picture or a table of data is on the site. */
export const placeOf = (document: string): string =>
  OTHERS[document] ?? document.replace(/^docs\//, "").replace(/^README\.md$/, "index.md");

export const titleOf = (document: string): string => /^# (.*)$/m.exec(readFileSync(document, "utf8"))![1];

/** The end of a relative link in Markdown, with its anchor; all of it where its text is a document's name. */
const LINK = /(\[[\w/-]+\.md)?\]\((?!\w+:)([^)#\s]+)(#[^)\s]+)?\)/g;

/** A document with its links as they are on the site. Files of code that it links to are added to `sources`. */
function pageOf(document: string, sources: Set<string>): string {
  const from = posix.dirname(placeOf(document));
  return readFileSync(document, "utf8").replace(
    LINK,
    (link, name: string = "", path: string, anchor: string = "") => {
      const linked = posix.join(posix.dirname(document), path);
      if (!existsSync(linked)) return link;
      // A folder has no page, so its name is not a link.
      if (statSync(linked).isDirectory()) return `${name}]`;
      if (linked in OTHERS || linked.startsWith("docs/")) {
        const text = name === "" ? "" : `[${titleOf(linked)}`;
        return `${text}](${posix.relative(from, placeOf(linked))}${anchor})`;
      }
      sources.add(linked);
      return `${name}](${posix.relative(from, `source/${linked}.txt`)})`;
    },
  );
}

/** Writes all pages to a folder, and what they link to. */
export function writePages(folder: string): void {
  const sources = new Set<string>();
  for (const document of documents()) {
    const path = join(folder, placeOf(document));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, pageOf(document, sources));
  }
  for (const path of sources) cpSync(path, join(folder, "public/source", `${path}.txt`));
  // Pictures are found beside the pages, data where they are served.
  for (const file of readdirSync("docs/results").filter((name) => !name.endsWith(".md"))) {
    cpSync(`docs/results/${file}`, join(folder, file.endsWith(".json") ? "public" : "", "results", file));
  }
}
