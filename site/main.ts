import { readAddress, writeAddress } from "./common/address.js";
import { RacePage } from "./race/race.js";
import { StabilityPage } from "./stability/stability.js";
import { TrainPage } from "./train/train.js";

interface Page {
  readonly element: HTMLElement;
  /** Takes the state of an address over. */
  read(values: URLSearchParams): void;
  destroy(): void;
}

type Open = (values: URLSearchParams, onAddress: (values: URLSearchParams) => void) => Page;

const pages: Record<string, Open> = {
  race: (values, onAddress) => new RacePage(values, onAddress),
  train: (values, onAddress) => new TrainPage(values, onAddress),
  stability: () => new StabilityPage(),
};

const main = document.querySelector("main")!;
let open: { name: string; page: Page } | undefined;

let writing: ReturnType<typeof setTimeout> | undefined;

/** Browsers allow only so many changes of the address in a while, and sliders make many. */
function write(name: string, state: URLSearchParams): void {
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", writeAddress(name, state)), 150);
}

function follow(hash: string): void {
  const { page, values } = readAddress(hash);
  const name = page in pages ? page : "race";
  clearTimeout(writing);
  if (open?.name === name) return open.page.read(values);
  open?.page.destroy();
  open = { name, page: pages[name](values, (state) => write(name, state)) };
  main.replaceChildren(open.page.element);
  for (const link of Array.from(document.querySelectorAll<HTMLAnchorElement>("nav a"))) {
    if (link.dataset.page === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Not an anchor's jump: the hash belongs to the pages.
document.querySelector(".skip")!.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
// The event's address: by now an older state may have been written over it.
addEventListener("hashchange", ({ newURL }) => follow(new URL(newURL).hash));
follow(location.hash);
