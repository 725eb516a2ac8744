/**
 * What `cairn inspect` has found, and how it is shown: as text for people, as JSON for programs.
 *
 * Invariant: both show the same, and a report holds no more rows than it was asked for.
 */

/** One cell of a table. */
export type Cell = string | number | null;

/** `torn` is what a crash leaves at the end of a log, and opening cuts off. */
export type Verdict = "sound" | "torn" | "damaged";

/** Something that is wrong, and where. */
export interface Problem {
  /** Only where a report is about more than one file. */
  readonly file?: string;
  /** Null: in no particular place. */
  readonly offset: number | null;
  readonly text: string;
}

/** A table of the report. */
export interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Rows that are not shown. */
  readonly more: number;
}

/** Everything about one file or directory. */
export interface Report {
  readonly kind: string;
  readonly path: string;
  readonly verdict: Verdict;
  /** What there is to say besides, in order. */
  readonly facts: readonly (readonly [name: string, value: Cell])[];
  readonly problems: readonly Problem[];
  readonly sections: readonly Section[];
}

/** How much is shown. */
export interface RowLimits {
  /** Rows of each section. */
  readonly limit: number;
  /** Only rows of places from this byte on. */
  readonly from: number;
}

/** Gathers the rows of one section. */
export interface Rows {
  /** Keeps a row if there is room. @param make - called only then. */
  add(offset: number, make: () => readonly Cell[]): void;
  /** @returns the section, unless nothing was added. */
  section(title: string, columns: readonly string[]): Section[];
}

/** Makes an empty section. */
export function createRows(limits: RowLimits): Rows {
  const rows: (readonly Cell[])[] = [];
  let more = 0;
  return {
    add(offset, make) {
      if (offset < limits.from || rows.length >= limits.limit) more += 1;
      else rows.push(make());
    },
    section: (title, columns) => (rows.length + more === 0 ? [] : [{ title, columns, rows, more }]),
  };
}

/** The worse of two verdicts. */
export function worse(a: Verdict, b: Verdict): Verdict {
  if (a === "damaged" || b === "damaged") return "damaged";
  return a === "torn" || b === "torn" ? "torn" : "sound";
}

const INDENT = "  ";

/** A report as text, without a line break at its end. */
export function reportText(report: Report): string {
  const facts = [["verdict", report.verdict] as const, ...report.facts];
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = [`${report.path}: ${report.kind}`];
  for (const [name, value] of facts) lines.push(`${INDENT}${name.padEnd(width)}  ${value ?? "-"}`);
  if (report.problems.length > 0) lines.push("", "problems");
  for (const problem of report.problems) lines.push(`${INDENT}${problemText(problem)}`);
  for (const section of report.sections) lines.push("", ...sectionLines(section));
  return lines.join("\n");
}

function problemText({ file, offset, text }: Problem): string {
  const place = offset === null ? "" : `byte ${offset}: `;
  return `${file === undefined ? "" : `${file}: `}${place}${text}`;
}

function sectionLines(section: Section): string[] {
  const cells = [
    section.columns,
    ...section.rows.map((row) => row.map((cell) => `${cell ?? "-"}`)),
  ];
  const numeric = section.columns.map((_, column) =>
    section.rows.every((row) => typeof row[column] !== "string"),
  );
  const widths = section.columns.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        numeric[column] === true ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join(INDENT)
      .trimEnd(),
  );
  const more = section.more === 0 ? [] : [`${INDENT}${section.more} more: --limit, --from`];
  return [section.title, ...lines.map((line) => INDENT + line), ...more];
}

/** A report as one JSON text. */
export function reportJson(report: Report): string {
  const { kind, path, verdict, problems } = report;
  const facts = Object.fromEntries(report.facts);
  const sections = report.sections.map(({ title, columns, rows, more }) => ({
    title,
    rows: rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))),
    more,
  }));
  return JSON.stringify({ kind, path, verdict, facts, problems, sections }, null, 2);
}
