import { report, type ReportSubject } from "superlevel/stability";

const DATA = /(<script type="application\/json" id="data">)([\s\S]*?)(<\/script>)/;

/**
 * The report of a file: of a report's HTML only the data are taken, and shown by this package's own report, so that no
 * script of an unknown file runs. Other files hold the results as JSON, as `report` takes them.
 */
export function rebuilt(text: string): string {
  const found = DATA.exec(text);
  if (!found) return report(resultsIn(text));
  const data = JSON.stringify(parsed(found[2])).replaceAll("<", "\\u003c");
  return report([]).replace(DATA, (_, open: string, __: string, close: string) => open + data + close);
}

function resultsIn(text: string): ReportSubject[] {
  const results = parsed(text);
  return Array.isArray(results) ? (results as ReportSubject[]) : [results as ReportSubject];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error("expected a report that was saved as HTML, or its results as JSON; this is neither");
  }
}
