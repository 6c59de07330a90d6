// Drives the site from inside the page: what it finds is compared with Node's in test/site/site-browsers.test.ts.

const find = (selector) => document.querySelector(selector);

/** Waits until `ask` gives something that is true, and returns it. */
async function until(what, ask) {
  for (let tries = 0; tries < 600; tries++) {
    const answer = ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain: ${what}`);
}

const losses = () =>
  Object.fromEntries(
    [...document.querySelectorAll("[data-racer][data-loss]")].map(({ dataset }) => [
      dataset.racer,
      Number(dataset.loss),
    ]),
  );

async function race(hash) {
  location.hash = hash;
  const map = await until("the map", () => find(".map"));
  await until("a start", () => find("[data-start=x]")?.value);
  const box = map.getBoundingClientRect();
  const at = { clientX: box.left + 0.6 * box.width, clientY: box.top + 0.4 * box.height };
  map.dispatchEvent(new MouseEvent("click", { bubbles: true, ...at }));
  const last = () => find(".play output")?.textContent === "step 100 of 100";
  await until("the race's end", last);
  await until("the start in the address", () => location.hash.includes("start="));
  const played = { hash: location.hash, losses: losses() };
  location.hash = "#stability";
  await until("the other page", () => find(".stability"));
  location.hash = played.hash;
  await until("the race again", () => find(".race") && last());
  return { ...played, again: losses(), components: Number(find(".count").dataset.components) };
}

async function train() {
  location.hash = "#train?units=16";
  await until("training", () => Number(find(".train")?.dataset.step) >= 10);
  find("[data-spoil=labels]").click();
  find("[data-spoil=units]").click();
  await until("what was spoilt", () => document.querySelectorAll(".events li").length === 2);
  const spoilt = Number(find(".train").dataset.step);
  await until("training after it", () => Number(find(".train").dataset.step) > spoilt);
  const rows = [...document.querySelectorAll("[data-contender]")];
  return rows.map((row) => [...row.cells].map((cell) => cell.textContent));
}

async function stability() {
  location.hash = "#stability";
  (await until("the button", () => find(".stability button"))).click();
  return until("the report", () => find("iframe").srcdoc).then((text) => text.length);
}

/** Everything, with the errors on the way. */
export async function drive(hash) {
  const errors = [];
  addEventListener("error", ({ message }) => errors.push(String(message)));
  addEventListener("unhandledrejection", ({ reason }) => errors.push(String(reason)));
  const raced = await race(hash);
  const trained = await train();
  const reported = await stability();
  return { raced, trained, reported, errors };
}
