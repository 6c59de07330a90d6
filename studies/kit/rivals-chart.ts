import { halfWidth, mean } from "./statistics.js";
import { colors, escapeXml, picture, place, roundTicks } from "./svg.js";
import type { Row } from "./rivals.js";

const [left, right, top, rowHeight] = [170, 700, 46, 18];

/** For each problem the contenders' training losses with their intervals, on a logarithmic axis of its own. */
export function rivalsChart(
  title: string,
  panels: readonly { name: string; rows: readonly Row[] }[],
): string {
  const content: string[] = [];
  let y = top;
  for (const { name, rows } of panels) {
    const finite = rows.filter(({ runs }) => runs.every(({ trainLoss }) => trainLoss !== null));
    const bars = finite.map(({ contender, runs }) => {
      const losses = runs.map(({ trainLoss }) => trainLoss!);
      return { contender, centre: mean(losses), half: halfWidth(losses) };
    });
    const low = Math.min(...bars.map(({ centre, half }) => Math.max(centre / 4, centre - half)));
    const high = Math.max(...bars.map(({ centre, half }) => centre + half));
    const [from, to] = [Math.log10(low) - 0.05, Math.log10(high) + 0.05];
    const at = (loss: number) => place(Math.log10(Math.max(loss, low)), from, to, left, right);
    content.push(`<text x="14" y="${y}" font-weight="600">${escapeXml(name)}: training loss</text>`);
    for (const { contender, centre, half } of bars) {
      y += rowHeight;
      const color = contender === "superlevel" ? colors[0] : colors[5];
      content.push(
        `<text x="${left - 8}" y="${y + 3}" text-anchor="end">${contender}</text>`,
        `<path d="M${at(centre - half)} ${y}H${at(centre + half)}" stroke="${color}" stroke-width="2"/>`,
        `<circle cx="${at(centre)}" cy="${y}" r="3.5" fill="${color}"><title>${centre.toPrecision(3)}</title></circle>`,
      );
    }
    y += rowHeight;
    for (const tick of ticks(from, to).filter((value) => value >= low)) {
      content.push(
        `<path d="M${at(tick)} ${y - 8}v4" stroke="#999"/>`,
        `<text x="${at(tick)}" y="${y + 6}" text-anchor="middle" fill="#666">${tick}</text>`,
      );
    }
    y += 2 * rowHeight;
  }
  return picture(720, y, `${title}: means over seeds with 95 % intervals`, content);
}

/** Powers of ten, or round numbers where there are fewer than two. */
function ticks(from: number, to: number): number[] {
  const first = Math.ceil(from);
  const powers = Array.from({ length: Math.max(0, Math.floor(to) - first + 1) }, (_, k) => 10 ** (first + k));
  return powers.length > 1 ? powers : roundTicks(10 ** from, 10 ** to);
}
