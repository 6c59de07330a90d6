/* What a report's page is given: plain JSON, but for infinities, which are words there. */
import type { Finding } from "../stability/monitor/findings.js";
import type { MergeTree, Sense } from "../stability/landscape/merge-tree.js";

/** What a report shows of a finding. */
export interface ReportFinding extends Pick<Finding, "severity" | "message"> {
  /** A {@link Finding}'s code, or a word of yours. */
  readonly code: string;
}

/** Curves over a common x, as a plain object. */
export interface Strip {
  readonly title: string;
  /** What x counts; default "step". */
  readonly xLabel?: string;
  readonly x: ArrayLike<number>;
  /** Values that are not finite are gaps. `points` draws dots instead of a line. */
  readonly series: readonly {
    readonly label: string;
    readonly values: ArrayLike<number>;
    readonly points?: boolean;
  }[];
  /** A level to compare with. */
  readonly reference?: { readonly label: string; readonly value: number };
  /** Default "log" where all values are above 0. */
  readonly scale?: "linear" | "log";
  /** Range of y that is shown; default all of it. */
  readonly range?: readonly [number, number];
}

/** A line in the plane of a slice. */
export interface PlaneLine {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** {@link Projection.residual}; its largest is shown. */
  readonly residual?: ArrayLike<number>;
  /** Shown with the name. */
  readonly barrier?: number;
}

export interface PageLandscape {
  readonly columns: number;
  readonly rows: number;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly axes: readonly [string, string];
  readonly values: readonly number[];
  readonly trees: Readonly<Record<Sense, Omit<MergeTree, "branch"> & { readonly branch: readonly number[] }>>;
  readonly lines: readonly PlaneLine[];
}

export interface PageSubject {
  readonly name: string;
  readonly note: string;
  readonly findings: readonly ReportFinding[] | null;
  readonly strips: readonly Strip[];
  readonly landscape: PageLandscape | null;
}

export interface PageData {
  readonly title: string;
  readonly note: string;
  readonly subjects: readonly PageSubject[];
}

/** JSON that may stand in a script element. */
export function encode(data: PageData): string {
  const text = JSON.stringify(data, (_, value: unknown) => {
    if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
  return text.replaceAll("<", "\\u003c");
}

const INFINITE = /^(-?Infinity|NaN)$/;

/** Names and labels must not become numbers. */
const TEXTS = ["name", "note", "title", "label", "xLabel", "axes", "code", "message"];

export function decode(text: string): PageData {
  return JSON.parse(text, (key, value: unknown) =>
    typeof value === "string" && !TEXTS.includes(key) && INFINITE.test(value) ? Number(value) : value,
  ) as PageData;
}
