import type { ReportFinding } from "../data.js";
import { html } from "./dom.js";

/** What a monitor found, problems first. */
export function drawFindings(findings: readonly ReportFinding[]): HTMLElement {
  if (findings.length === 0) return html("p", { class: "findings" }, "The monitor found nothing wrong.");
  const items = findings.map(({ code, severity, message }) =>
    html("li", { class: severity }, html("strong", {}, `${severity}: ${code}`), ` — ${message}`),
  );
  return html("ul", { class: "findings" }, ...items);
}
