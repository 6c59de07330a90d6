import { drawDigits, type Digits } from "../../studies/kit/digits/draw.js";
import { createNetwork, type Network } from "../../studies/digits/network.js";
import { createRandom } from "../../studies/kit/random.js";
import { Contender, one } from "./contender.js";
import { ADAM_RATES, type Command, type Data, type Picture, type Report, type Spoil } from "./protocol.js";

const TRAIN = 2000;
const TEST = 300;
const REPORT_EVERY = 10;
const TEST_EVERY = 50;
const SHOWN = 15;
/** Milliseconds after which messages are read. */
const SLICE = 40;

const post = (report: Report) => postMessage(report);
const ignore = () => {};

/** A training of all contenders at once. */
class Training {
  readonly #data: Data;
  readonly #network: Network;
  readonly #contenders: readonly Contender[];
  readonly #seed: number;
  #rateFactor = 1;
  #pause: Promise<void> | undefined;
  #resume: () => void = ignore;
  #slice = performance.now();
  #edits: (() => void)[] = [];
  #halt = new AbortController();
  #ended = false;

  constructor({ units, seed, data }: Extract<Command, { type: "start" }>) {
    this.#seed = seed;
    this.#data = data ?? { train: drawDigits(TRAIN, seed), test: drawDigits(TEST, seed + 1) };
    this.#network = createNetwork([this.#data.train.pixels, units, 10]);
    const setting = {
      network: this.#network,
      train: this.#data.train,
      seed,
      rateFactor: () => this.#rateFactor,
      turn: () => this.#turn(),
    };
    this.#contenders = [undefined, ...ADAM_RATES].map((rate) => new Contender(setting, rate));
    const examples = Array.from({ length: SHOWN }, (_, i) => pictureOf(this.#data.train, i));
    post({ type: "ready", examples, size: this.#network.size });
  }

  async run(): Promise<void> {
    const reporting = this.#reports();
    for (;;) {
      const { signal } = this.#halt;
      await Promise.all(this.#contenders.map((contender) => contender.run(signal)));
      if (this.#ended) return;
      if (!signal.aborted) break;
      // Parameters change between runs, never in the middle of one.
      this.#halt = new AbortController();
      for (const edit of this.#edits.splice(0)) edit();
    }
    this.#test();
    this.#report();
    reporting.done = true;
    post({ type: "done", step: this.#step });
  }

  end(): void {
    this.#ended = true;
    this.pause(false);
    this.#halt.abort();
  }

  pause(paused: boolean): void {
    if (paused) this.#pause ??= new Promise((resolve) => (this.#resume = resolve));
    else {
      this.#resume();
      this.#pause = undefined;
    }
  }

  spoil(kind: Spoil): void {
    if (kind === "labels") this.#spoilLabels();
    else if (kind === "rate") this.#rateFactor *= 100;
    else {
      this.#edits.push(() => this.#contenders.forEach((contender) => this.#killUnits(contender)));
      this.#halt.abort();
    }
    post({ type: "spoilt", kind, step: this.#step });
  }

  get #step(): number {
    return Math.max(...this.#contenders.map(({ optimizer }) => optimizer.iterations));
  }

  /** All runs wait here together, so that messages are read and progress is told. */
  #turn(): Promise<void> | undefined {
    if (!this.#pause && performance.now() - this.#slice > SLICE) {
      const wait = new Promise<void>((resolve) => setTimeout(resolve)).then(() => {
        if (this.#pause === wait) this.#pause = undefined;
        this.#slice = performance.now();
      });
      this.#pause = wait;
    }
    return this.#pause;
  }

  #reports(): { done: boolean } {
    const state = { done: false };
    let [told, tested] = [0, -TEST_EVERY];
    const look = () => {
      if (state.done || this.#ended) return;
      const step = this.#step;
      if (step - tested >= TEST_EVERY) {
        this.#test();
        tested = step;
      }
      if (step - told >= REPORT_EVERY) {
        this.#report();
        told = step;
      }
      setTimeout(look, SLICE);
    };
    setTimeout(look, SLICE);
    return state;
  }

  #report(): void {
    const standings = this.#contenders.map(({ standing }) => standing);
    post({ type: "progress", step: this.#step, standings });
  }

  #test(): void {
    const { test } = this.#data;
    for (const contender of this.#contenders) {
      contender.accuracy = this.#network.evaluate(contender.optimizer.params, test).accuracy;
    }
    const { params } = this.#contenders[0].optimizer;
    const total = Math.round((1 - this.#contenders[0].accuracy) * test.count);
    const pictures: Picture[] = [];
    for (let i = 0; i < test.count && pictures.length < SHOWN; i++) {
      const read = this.#read(params, one(test, i));
      if (read !== test.labels[i]) pictures.push({ ...pictureOf(test, i), read });
    }
    post({ type: "misread", pictures, total });
  }

  /** The class that the network takes an example for. */
  #read(params: Float32Array, example: Digits): number {
    if (this.#network.evaluate(params, example).accuracy === 1) return example.labels[0];
    const claimed = (label: number) => ({ ...example, labels: Uint8Array.of(label) });
    const classes = Array.from({ length: 10 }, (_, label) => label);
    return classes.find((label) => this.#network.evaluate(params, claimed(label)).accuracy === 1) ?? -1;
  }

  /** Three labels in ten become another one. */
  #spoilLabels(): void {
    const random = createRandom(this.#seed + 77);
    const { labels } = this.#data.train;
    for (let i = 0; i < labels.length; i++) {
      if (random.uniform() < 0.3) labels[i] = (labels[i] + 1 + random.below(9)) % 10;
    }
  }

  /** Half of the hidden units are off for every image, so no gradient reaches them. */
  #killUnits({ optimizer }: Contender): void {
    const params = optimizer.params.slice();
    const [pixels, units] = this.#network.sizes;
    for (let unit = 0; unit < units; unit += 2) {
      for (let pixel = 0; pixel < pixels; pixel++) params[pixel * units + unit] = 0;
      params[pixels * units + unit] = -1;
    }
    optimizer.setParams(params);
  }
}

function pictureOf(data: Digits, i: number): Picture {
  const { images, labels } = one(data, i);
  return { image: images.slice(), label: labels[0] };
}

let training: Training | undefined;

addEventListener("message", ({ data }: MessageEvent<Command>) => {
  try {
    if (data.type === "start") {
      training?.end();
      training = new Training(data);
      training.run().catch(fail);
    } else if (data.type === "pause") training?.pause(data.paused);
    else training?.spoil(data.kind);
  } catch (error) {
    fail(error);
  }
});

function fail(error: unknown): void {
  post({ type: "failed", message: error instanceof Error ? error.message : String(error) });
}
