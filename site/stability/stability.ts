import { button, html } from "../common/dom.js";
import { onFiles } from "../common/drop.js";
import { rebuilt } from "./rebuild.js";
import { sampleReport } from "./sample.js";

/** The page that shows saved reports. */
export class StabilityPage {
  readonly element = html("div", { class: "stability" });
  readonly #frame = html("iframe", {
    // Scripts of a report run, but apart from this page.
    sandbox: "allow-scripts",
    title: "Stability report",
  });

  constructor() {
    const what =
      "A stability report says whether a training went well and why not: whether steps were too long, how the landscape " +
      "of the loss looks around the result, which findings the monitor had. The package's report() writes one as an HTML file.";
    const { element: drop } = onFiles("Drop a saved report here, or choose it:", (files) =>
      this.#take(files),
    );
    const sample = button("Show an example", () => {
      this.#say("making the example");
      sampleReport().then(
        (text) => this.#show(text),
        (error: unknown) => this.#say(String(error)),
      );
    });
    this.#frame.hidden = true;
    this.element.append(html("p", {}, what), drop, sample, this.#said, this.#frame);
  }

  readonly #said = html("p", { class: "note", role: "status" });

  read(): void {}

  destroy(): void {
    this.element.remove();
  }

  async #take(files: readonly File[]): Promise<string> {
    this.#show(rebuilt(await files[0].text()));
    return files[0].name;
  }

  #say(text: string): void {
    this.#said.textContent = text;
  }

  #show(text: string): void {
    this.#say("");
    this.#frame.srcdoc = text;
    this.#frame.hidden = false;
  }
}
