/**
 * The report as one HTML page that needs no network: style and plots are inside, and everything
 * that the plots show stands in tables as well.
 */
import { escaped, mebibytes, shortNumber } from "./number-text.ts";
import { legend, ratiosPlot, timesPlot } from "./plots.ts";
import { STYLE } from "./style.ts";
import type { CompareReport, RowReport } from "./types.ts";

/** The whole page. */
export function pageOf(report: CompareReport): string {
  const keys = report.keys.toLocaleString("en-US");
  const title = `Cairn and others: ${keys} keys, ${report.rounds} rounds`;
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${title}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${title}</h1>`,
    introduction(report),
    `<h2>In words</h2><ul>${report.words.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`,
    "<h2>Time of an operation</h2>",
    "<p>µs, shorter is better. Bars end at the median; dots are rounds, lines their range.</p>",
    legend(report),
    timesPlot(report),
    "<h2>Against Cairn</h2>",
    "<p>Peer's time divided by Cairn's, taken in each round. Right of 1, Cairn is faster.</p>",
    ratiosPlot(report),
    "<h2>Table</h2>",
    medianTable(report),
    "<h2>Rows</h2>",
    ...report.rows.map(rowDetails),
    "<h2>Engines</h2>",
    contenderTable(report),
    "<h2>Machine</h2>",
    machineList(report),
    "</main></body></html>",
    "",
  ].join("\n");
}

function introduction(report: CompareReport): string {
  return (
    `<p>Keys of ${report.keyBytes} bytes, values of ${report.valueBytes} bytes, half of which ` +
    "can be compressed away. In each row and round every engine did the same work once, in an " +
    "order that rotates; a process of its own for each. Ratios are medians of the ratios of the " +
    "rounds. All data is in the page cache of the system.</p>"
  );
}

function medianTable(report: CompareReport): string {
  const names = report.contenders.map((contender) => contender.name);
  const head = ["row", ...names, ...names.slice(1).map((name) => `${name} / cairn`)];
  const lines = report.rows.map((row) => {
    const times = row.engines.map(
      (engine) =>
        `${shortNumber(engine.medianMicroseconds)} ± ${shortNumber(engine.deviationMicroseconds)}`,
    );
    const ratios = row.ratios.map(({ median }) =>
      median > 1 ? shortNumber(median) : `<strong>${shortNumber(median)}</strong>`,
    );
    return tableLine(row.row, [...times, ...ratios]);
  });
  return table(
    "Median µs per operation ± median deviation, and ratios; where Cairn loses, in bold",
    head,
    lines,
  );
}

function rowDetails(row: RowReport): string {
  const head = [
    "engine",
    "through",
    "after an answered write",
    "µs in each round",
    "CPU µs",
    "loop delay p99 ms",
    "RSS max",
    "note",
  ];
  const lines = row.engines.map(({ engine, api, durability, cells }) => {
    const delays = cells.flatMap((cell) => cell.loopDelayP99Ms ?? []);
    return tableLine(engine, [
      escaped(api),
      durability,
      cells.map((cell) => shortNumber(cell.microsecondsPerOperation)).join(", "),
      shortNumber(Math.min(...cells.map((cell) => cell.cpuMicrosecondsPerOperation))),
      delays.length === 0 ? "too short" : shortNumber(Math.max(...delays)),
      mebibytes(Math.max(...cells.map((cell) => cell.rssBytesMax))),
      escaped(cells.flatMap((cell) => cell.note ?? [])[0] ?? ""),
    ]);
  });
  const caption = `${row.operations.toLocaleString("en-US")} operations, work ${row.workHash}`;
  return (
    `<details open><summary>${row.row}</summary><p>${escaped(row.definition)}.</p>` +
    `${table(caption, head, lines)}</details>`
  );
}

function contenderTable(report: CompareReport): string {
  const lines = report.contenders.map((contender) =>
    tableLine(contender.name, [contender.version, escaped(contender.settings)]),
  );
  return table("Engines as opened here", ["engine", "version", "settings"], lines);
}

function machineList(report: CompareReport): string {
  const { environment: machine } = report;
  const facts: [string, string][] = [
    ["Processor", `${machine.processors} × ${machine.processor}`],
    ["Memory", mebibytes(machine.memoryBytes)],
    ["System", `${machine.kernel}, ${machine.filesystem}`],
    ["Node", machine.node],
    ["One page written and synced", `${shortNumber(machine.fdatasyncMicroseconds)} µs (median)`],
    ["Load at start and end", machine.loadAverage.map((load) => load.toFixed(2)).join(", ")],
    ["Started", machine.started],
    ["Took", `${Math.round(machine.seconds)} s`],
    ["Code", report.code === "built" ? "as built" : "sources, transpiled on the fly"],
  ];
  const items = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`);
  return `<dl>${items.join("")}</dl>`;
}

function table(caption: string, head: readonly string[], lines: readonly string[]): string {
  const columns = head.map((name) => `<th scope="col">${name}</th>`).join("");
  return (
    `<div class="scroll"><table><caption>${caption}</caption>` +
    `<thead><tr>${columns}</tr></thead><tbody>${lines.join("")}</tbody></table></div>`
  );
}

function tableLine(name: string, cells: readonly string[]): string {
  const columns = cells.map((cell) => `<td>${cell}</td>`).join("");
  return `<tr><th scope="row">${name}</th>${columns}</tr>`;
}
