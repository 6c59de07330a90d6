import { decode } from "../data.js";
import { drawFindings } from "./findings.js";
import { html } from "./dom.js";
import { drawLandscape } from "./landscape.js";
import { drawStrips } from "./strips.js";

const { title, note, subjects } = decode(document.getElementById("data")!.textContent ?? "");

const sections = subjects.map((subject, k) => {
  const section = html("section", { id: `subject-${k + 1}` }, html("h2", {}, subject.name));
  if (subject.note) section.append(html("p", {}, subject.note));
  if (subject.findings) section.append(drawFindings(subject.findings));
  if (subject.landscape) section.append(drawLandscape(subject.landscape, subject.name));
  if (subject.strips.length > 0) section.append(drawStrips(subject.strips, subject.name));
  return section;
});
const links = subjects.map(({ name }, k) => html("a", { href: `#subject-${k + 1}` }, name));
const contents = links.length > 1 ? [html("nav", { "aria-label": "Contents" }, ...links)] : [];
const introduction = note ? [html("p", {}, note)] : [];
document.body.append(html("main", {}, html("h1", {}, title), ...introduction, ...contents, ...sections));
