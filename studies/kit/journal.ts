import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Lines of JSON in a file, to which every new one is added at once: what was killed goes on where it was. A line that was
 * not finished counts as not written.
 */
export class Journal<Entry> {
  readonly entries: Entry[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) return;
    const text = readFileSync(path, "utf8");
    for (const line of text.split("\n")) {
      const entry = parse<Entry>(line);
      if (entry !== undefined) this.entries.push(entry);
    }
    // So that the next line does not join one that a killed process left unfinished.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }
}

function parse<Entry>(line: string): Entry | undefined {
  try {
    return line === "" ? undefined : (JSON.parse(line) as Entry);
  } catch {
    return undefined;
  }
}
