/** `<live-example>`: a block of code with buttons to run and to edit it. */
import * as superlevel from "superlevel";
import * as minimize from "superlevel/minimize";
import * as objective from "superlevel/objective";
import * as stability from "superlevel/stability";

import { html, button } from "../../common/dom.js";
import { ENTRIES, run } from "./instrument.js";

const packages = [superlevel, minimize, objective, stability];
const modules = Object.fromEntries(ENTRIES.map((name, k) => [name, packages[k]]));

const STYLE = `
  .row { display: flex; gap: 8px; margin: -8px 0 8px; }
  button, textarea, pre { font: 14px var(--vp-font-family-base); border-radius: 6px; color: var(--vp-c-text-1); }
  button { background: var(--vp-c-bg-soft); border: 1px solid var(--vp-c-border); padding: 4px 14px; cursor: pointer; }
  button:focus-visible, textarea:focus-visible { outline: 2px solid var(--vp-c-brand-1); }
  textarea, pre { font-family: var(--vp-font-family-mono); line-height: 1.6; box-sizing: border-box; width: 100%; }
  textarea { background: var(--vp-c-bg); border: 1px solid var(--vp-c-border); padding: 12px 24px; margin: 16px 0; }
  pre { background: var(--vp-c-bg-soft); margin: 8px 0 16px; padding: 8px 24px; overflow-x: auto; }
  pre:empty, [hidden] { display: none; }
`;

class LiveExample extends HTMLElement {
  readonly #editor = html("textarea", { spellcheck: "false", wrap: "off", "aria-label": "Code", hidden: "" });
  readonly #printed = html("pre", { role: "status", "aria-label": "Result" });
  readonly #edit = button("Edit", () => this.#toggle());
  readonly #shown = html("slot");

  constructor() {
    super();
    const row = html(
      "div",
      { class: "row" },
      button("Run", () => void this.#run()),
      this.#edit,
    );
    this.attachShadow({ mode: "open" }).append(
      html("style", {}, STYLE),
      this.#shown,
      this.#editor,
      row,
      this.#printed,
    );
    // The page has keys of its own, such as / for the search.
    this.#editor.addEventListener("keydown", (event) => event.stopPropagation());
  }

  get #code(): string {
    return this.#editor.hidden ? this.getAttribute("code")! : this.#editor.value;
  }

  /** Between the code as it was and a field to change it in. */
  #toggle(): void {
    const [editor, edit] = [this.#editor, this.#edit];
    if (editor.hidden) editor.value = this.#code;
    editor.rows = editor.value.split("\n").length + 1;
    editor.hidden = !editor.hidden;
    this.#shown.hidden = !editor.hidden;
    edit.textContent = editor.hidden ? "Edit" : "As it was";
    if (!editor.hidden) editor.focus();
  }

  async #run(): Promise<void> {
    const lines: string[] = [];
    try {
      await run(this.#code, modules, (line) => lines.push(line));
      if (lines.length === 0) lines.push("It has run, and shows nothing.");
    } catch (error) {
      lines.push(String(error));
    }
    this.#printed.textContent = lines.join("\n");
  }
}

customElements.define("live-example", LiveExample);
