import { button, choice, html, onScheme } from "../common/dom.js";
import { onFiles } from "../common/drop.js";
import { Strip } from "../common/strips.js";
import { drawPictures } from "./pictures.js";
import { NAMES, STEPS, type Command, type Data, type Report, type Spoil, type Standing } from "./protocol.js";
import { readMnist } from "./idx.js";
import { dashOf, Standings } from "./standings.js";
import TrainWorker from "./worker.ts?worker&inline";

const UNITS = [16, 32, 64];

const SPOILS: readonly (readonly [Spoil, string, string])[] = [
  ["labels", "Wrong labels", "three training labels in ten now say another digit"],
  ["rate", "Rates × 100", "Adam's rates are a hundred times what they were; superlevel has none to spoil"],
  ["units", "Dead units", "half of the hidden units are off for every image, so no gradient reaches them"],
];

/** The page where networks learn to read digits. */
export class TrainPage {
  readonly element = html("div", { class: "train" });
  readonly #worker = new TrainWorker();
  readonly #onAddress: (values: URLSearchParams) => void;
  readonly #standings = new Standings();
  readonly #status = html("p", { class: "note", role: "status" });
  readonly #events = html("ul", { class: "events", "aria-live": "polite" });
  readonly #examples = html("div", { class: "digits" });
  readonly #misread = html("div", { class: "digits" });
  readonly #misreadTitle = html("h2", {}, "What superlevel's network misreads");
  readonly #run = button("Pause", () => this.#toggle(), { class: "primary" });
  readonly #units;
  readonly #strips: Strip[] = [];
  readonly #stopWatching: () => void;
  readonly #fit = () => this.#strips.forEach((strip) => strip.fit());
  #seed = 1;
  #data: Data | undefined;
  #paused = false;
  #done = false;
  #course: { step: number; standings: readonly Standing[] }[] = [];

  constructor(values: URLSearchParams, onAddress: (values: URLSearchParams) => void) {
    this.#onAddress = onAddress;
    this.#units = choice(
      "Hidden units",
      UNITS.map((units) => [String(units), String(units)]),
      () => this.#start(),
    );
    this.#worker.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data);
    this.#worker.onerror = ({ message }) => (this.#status.textContent = `The worker failed: ${message}`);
    this.element.append(...this.#parts());
    this.#stopWatching = onScheme(() => this.#drawStrips());
    addEventListener("resize", this.#fit);
    requestAnimationFrame(() => {
      this.#openStrips();
      this.read(values);
    });
  }

  read(values: URLSearchParams): void {
    const units = Number(values.get("units"));
    this.#units.select.value = String(UNITS.includes(units) ? units : 32);
    const seed = Number(values.get("seed"));
    this.#seed = Number.isInteger(seed) && seed > 0 ? seed : 1;
    this.#start();
  }

  destroy(): void {
    this.#worker.terminate();
    this.#stopWatching();
    removeEventListener("resize", this.#fit);
    this.#strips.forEach((strip) => strip.destroy());
  }

  #parts(): HTMLElement[] {
    const what =
      "A small network learns to read digits, six times at once from the same first weights and with the same batches of " +
      "32 images: with superlevel, which has no learning rate, and with Adam, the usual choice, at five rates.";
    const restart = button("Other digits", () => {
      this.#seed++;
      this.#start();
    });
    const spoils = SPOILS.map(([kind, name, title]) =>
      button(name, () => this.#send({ type: "spoil", kind }), { "data-spoil": kind, title }),
    );
    const label = html("span", { class: "label", id: "spoil" }, "Spoil it:");
    const explain =
      "The monitor watches each run from beside it, and says in a word whether it goes well, or what seems wrong.";
    const { element: drop } = onFiles(
      "Or drop MNIST's files here (train-images-idx3-ubyte, train-labels-idx1-ubyte, .gz too):",
      (files) => this.#take(files),
    );
    return [
      html("p", {}, what),
      this.#examples,
      html("div", { class: "row" }, this.#run, restart, this.#units.element, this.#status),
      html("div", { class: "row", role: "group", "aria-labelledby": "spoil" }, label, ...spoils),
      this.#events,
      html("section", { class: "strips", "aria-label": "Curves" }),
      html("p", { class: "note" }, explain),
      this.#standings.element,
      this.#misreadTitle,
      this.#misread,
      drop,
    ];
  }

  #openStrips(): void {
    const box = this.element.querySelector<HTMLElement>(".strips")!;
    const lines = NAMES.map((label, k) => ({
      label,
      colour: `train-${k}`,
      dash: dashOf(k),
      width: k === 0 ? 3 : 1.5,
    }));
    this.#strips.push(
      new Strip(box, {
        title: "Loss: the error on the training images (log scale)",
        lines,
        log: true,
        height: 220,
      }),
      new Strip(box, {
        title: "Accuracy: part of the test images read right",
        lines,
        log: false,
        height: 220,
      }),
    );
  }

  #start(): void {
    const units = Number(this.#units.select.value);
    const values = new URLSearchParams();
    if (units !== 32) values.set("units", String(units));
    if (this.#seed !== 1) values.set("seed", String(this.#seed));
    this.#onAddress(values);
    this.#course = [];
    this.#paused = this.#done = false;
    this.#run.textContent = "Pause";
    this.#events.replaceChildren();
    this.#misread.replaceChildren();
    this.#status.textContent = this.#data ? "starting" : "drawing digits";
    this.#drawStrips();
    this.#send({ type: "start", units, seed: this.#seed, data: this.#data });
  }

  #toggle(): void {
    if (this.#done) return this.#start();
    this.#paused = !this.#paused;
    this.#run.textContent = this.#paused ? "Go on" : "Pause";
    this.#send({ type: "pause", paused: this.#paused });
  }

  #send(command: Command): void {
    this.#worker.postMessage(command);
  }

  #hear(report: Report): void {
    switch (report.type) {
      case "ready":
        drawPictures(this.#examples, report.examples);
        break;
      case "progress":
        this.#course.push(report);
        this.#status.textContent = `step ${report.step} of ${STEPS}`;
        this.element.dataset.step = String(report.step);
        this.#standings.draw(report.standings);
        this.#drawStrips();
        break;
      case "misread":
        this.#misreadTitle.textContent = `What superlevel's network misreads: ${report.total} of the test images`;
        drawPictures(this.#misread, report.pictures);
        break;
      case "spoilt":
        this.#events.append(html("li", {}, `From step ${report.step}: ${textOf(report.kind)}.`));
        break;
      case "done":
        this.#done = true;
        this.#run.textContent = "Again";
        break;
      case "failed":
        this.#status.textContent = `It failed: ${report.message}`;
    }
  }

  #drawStrips(): void {
    const steps = this.#course.map(({ step }) => step);
    const [losses, accuracies] = this.#strips;
    const lines = (pick: (standing: Standing) => number) =>
      NAMES.map((_, k) => this.#course.map(({ standings }) => pick(standings[k])));
    losses?.draw(steps, lines(({ loss }) => loss), STEPS); // prettier-ignore
    // It is known at a few steps only, and the line goes from one to the next.
    const tested = lines(({ accuracy }) => accuracy);
    const fresh = tested.map((line) => line.map((value, k) => (value === line[k - 1] ? NaN : value)));
    accuracies?.draw(steps, fresh, STEPS);
  }

  async #take(files: readonly File[]): Promise<string> {
    this.#data = await readMnist(files);
    this.#start();
    return `${this.#data.train.count} images to learn from, ${this.#data.test.count} to test with`;
  }
}

const textOf = (kind: Spoil): string => SPOILS.find(([one]) => one === kind)![2];
