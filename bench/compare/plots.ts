/**
 * The plots of the report, as SVG text: times on a logarithmic axis, and ratios around 1.
 *
 * Bars end at the median; the line across is the range from the fastest round to the slowest, and
 * each dot is a round. Colours come from the page's style, so that light and dark both work; a
 * pattern of position (always the same order) carries what colour says, for those who cannot see
 * it.
 */
import { shortNumber } from "./number-text.ts";
import type { CompareReport, EngineName } from "./types.ts";

const WIDTH = 960;
const LABEL_WIDTH = 150;
const RIGHT = 70;
const BAR = 13;
const GAP = 12;
const TOP = 28;
const TICK_TEXT_Y = 16;
const DOT_RADIUS = 2;
const TEXT_DOWN = 10;

interface Axis {
  /** The horizontal place of a value. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Microseconds per operation of each engine in each row. */
export function timesPlot(report: CompareReport): string {
  const every = report.rows.flatMap((row) =>
    row.engines.flatMap((engine) => engine.cells.map((cell) => cell.microsecondsPerOperation)),
  );
  const axis = logarithmicAxis(every);
  const parts: string[] = [];
  let y = TOP;
  for (const row of report.rows) {
    parts.push(rowLabel(row.row, y, row.engines.length));
    for (const { engine, cells, medianMicroseconds } of row.engines) {
      const values = cells.map((cell) => cell.microsecondsPerOperation);
      parts.push(bar({ axis, y, engine, row: row.row, values, middle: medianMicroseconds }));
      y += BAR;
    }
    y += GAP;
  }
  return svg("Microseconds per operation, logarithmic", y, [...gridOf(axis, y), ...parts]);
}

/** How many times faster Cairn is than each peer in each row. */
export function ratiosPlot(report: CompareReport): string {
  const every = report.rows.flatMap((row) => row.ratios.flatMap((ratio) => ratio.rounds));
  if (every.length === 0) return "";
  const axis = logarithmicAxis([...every, 1]);
  const parts: string[] = [];
  let y = TOP;
  for (const row of report.rows) {
    parts.push(rowLabel(row.row, y, row.ratios.length));
    for (const { peer, rounds, median } of row.ratios) {
      const values = { axis, y, engine: peer, row: row.row, values: rounds, middle: median };
      parts.push(bar({ ...values, from: 1 }));
      y += BAR;
    }
    y += GAP;
  }
  const one = axis.at(1);
  const line = `<line class="one" x1="${one}" x2="${one}" y1="${TOP - 6}" y2="${y - GAP}"/>`;
  const title = "Peer's time divided by Cairn's, logarithmic: right of 1, Cairn is faster";
  return svg(title, y, [...gridOf(axis, y), ...parts, line]);
}

/** The engines with their colours. */
export function legend(report: CompareReport): string {
  const items = report.contenders.map(
    ({ name }) => `<li><span class="swatch ${name}" aria-hidden="true"></span>${name}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}

function bar(of: {
  readonly axis: Axis;
  readonly y: number;
  readonly engine: EngineName;
  readonly row: string;
  readonly values: readonly number[];
  readonly middle: number;
  /** Where the bar begins; the left edge if not given. */
  readonly from?: number;
}): string {
  const { axis, y, values } = of;
  const start = of.from === undefined ? LABEL_WIDTH : axis.at(of.from);
  const end = axis.at(of.middle);
  const left = Math.min(start, end);
  const middleY = y + BAR / 2;
  const low = axis.at(Math.min(...values));
  const high = axis.at(Math.max(...values));
  const title = `${of.row}, ${of.engine}: ${shortNumber(of.middle)} (${values.map(shortNumber).join(", ")})`;
  const dots = values.map(
    (value) => `<circle class="dot" cx="${axis.at(value)}" cy="${middleY}" r="${DOT_RADIUS}"/>`,
  );
  return [
    `<g><title>${title}</title>`,
    `<rect class="${of.engine}" x="${left}" y="${y + 1}" width="${Math.max(1, Math.abs(end - start))}" height="${BAR - 2}"/>`,
    `<line class="range" x1="${low}" x2="${high}" y1="${middleY}" y2="${middleY}"/>`,
    ...dots,
    `<text x="${Math.max(end, high, start) + 6}" y="${y + TEXT_DOWN}">${shortNumber(of.middle)}</text></g>`,
  ].join("");
}

function rowLabel(row: string, y: number, bars: number): string {
  const middle = y + (bars * BAR) / 2 + TEXT_DOWN / 2 - 1;
  return `<text class="row" x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${row}</text>`;
}

function gridOf(axis: Axis, height: number): string[] {
  return axis.ticks.map((tick) => {
    const x = axis.at(tick);
    return (
      `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height - GAP}"/>` +
      `<text x="${x}" y="${TICK_TEXT_Y}" text-anchor="middle">${tick.toLocaleString("en-US")}</text>`
    );
  });
}

/** From the power of ten below the smallest value to the one above the largest. */
function logarithmicAxis(values: readonly number[]): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const width = WIDTH - LABEL_WIDTH - RIGHT;
  const ticks: number[] = [];
  for (let power = low; power <= high; power += 1) ticks.push(10 ** power);
  return {
    at(value) {
      const part = (Math.log10(value) - low) / (high - low);
      return Math.round((LABEL_WIDTH + part * width) * 10) / 10;
    },
    ticks,
  };
}

function svg(title: string, height: number, parts: readonly string[]): string {
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    ...parts,
    "</svg>",
  ].join("\n");
}
