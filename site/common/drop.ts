import { html } from "./dom.js";

/**
 * A place to drop files on, or to choose them with. `take` resolves to what is to be said of them; what it throws is
 * shown.
 */
export function onFiles(
  label: string,
  take: (files: readonly File[]) => Promise<string>,
): { element: HTMLElement } {
  const input = html("input", { type: "file", multiple: "" });
  const said = html("p", { class: "note", role: "status" });
  const element = html("div", { class: "drop" }, html("label", {}, html("span", {}, label), input), said);
  const give = (files: FileList | null | undefined) => {
    if (!files?.length) return;
    take(Array.from(files)).then(
      (text) => (said.textContent = text),
      (error: unknown) => (said.textContent = error instanceof Error ? error.message : String(error)),
    );
  };
  input.addEventListener("change", () => give(input.files));
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    give(event.dataTransfer?.files);
  });
  return { element };
}
