type Attributes = Readonly<Record<string, string | number>>;
type Child = Node | string;

export function html<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A button that does something. */
export function button(text: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = html("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", onClick);
  return element;
}

/** A labelled choice; the value is that of the chosen option. */
export function choice(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  onChange: (value: string) => void,
): { element: HTMLLabelElement; select: HTMLSelectElement } {
  const select = html("select", {}, ...options.map(([value, text]) => html("option", { value }, text)));
  select.addEventListener("change", () => onChange(select.value));
  return { element: html("label", { class: "field" }, html("span", {}, label), select), select };
}

/** A colour of the style sheet, which knows light and dark. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const prefersStill = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Calls back when the page turns dark or light. */
export function onScheme(redraw: () => void): () => void {
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", redraw);
  return () => query.removeEventListener("change", redraw);
}

/** Powers of ten as superscripts: 3·10⁻⁵. */
export function short(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) {
    return String(Number(value.toPrecision(digits))).replace("-", "−");
  }
  const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 2)).split("e");
  const power = [...String(Number(exponent))].map((sign) => SUPERSCRIPTS[sign]).join("");
  const factor = String(Number(mantissa)).replace("-", "−");
  return factor === "1" ? `10${power}` : `${factor}·10${power}`;
}

const SUPERSCRIPTS: Record<string, string> = {
  ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((sign, k) => [String(k), sign])),
  "-": "⁻",
};
