/**
 * The report for people and programs: a JSON file with everything, a page that needs nothing but
 * itself, and a table for the terminal.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { shortNumber } from "./number-text.ts";
import { pageOf } from "./page.ts";
import type { CompareReport } from "./types.ts";

const JSON_INDENT = 1;
const ROW_WIDTH = 18;
const CELL_WIDTH = 22;

/** Writes `compare.json` and `compare.html`. @returns their paths. */
export function writeReport(report: CompareReport, dir: string): string[] {
  const json = join(dir, "compare.json");
  const html = join(dir, "compare.html");
  writeFileSync(json, `${JSON.stringify(report, null, JSON_INDENT)}\n`);
  writeFileSync(html, pageOf(report));
  return [json, html];
}

/** Medians and ratios as lines of text. */
export function reportInText(report: CompareReport): string {
  const names = report.contenders.map((contender) => contender.name);
  const lines = [
    "µs per operation, median; in brackets how many times faster Cairn is",
    ["row".padEnd(ROW_WIDTH), ...names.map((name) => name.padStart(CELL_WIDTH))].join(""),
  ];
  for (const row of report.rows) {
    const cells = row.engines.map((engine) => {
      const ratio = row.ratios.find(({ peer }) => peer === engine.engine);
      const times = ratio === undefined ? "" : ` (${shortNumber(ratio.median)})`;
      return `${shortNumber(engine.medianMicroseconds)}${times}`.padStart(CELL_WIDTH);
    });
    lines.push([row.row.padEnd(ROW_WIDTH), ...cells].join(""));
  }
  return [...lines, ...report.words].join("\n");
}
