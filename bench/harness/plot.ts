/**
 * A lab's plot as one SVG: the lines, the reader's prediction in them, and below on a scale of its
 * own the prediction beside the answer.
 *
 * Thick lines with filled markers are the reader's; the reference lies behind them, thin and
 * hollow. Invariant: what is told by a colour is told by a dash, a marker or a name as well.
 */

import type { MergedLab } from "./lab-merge.ts";
import type { LabReport } from "./lab-report.ts";
import { withUnit } from "./lab-text.ts";
import { createAxis, createMeasuredAxis, type PlotAxis } from "./plot-axis.ts";
import { predictionStrip, STRIP_HEIGHT } from "./plot-strip.ts";
import { dashOf, escaped, marker, PLOT_STYLE, STYLES } from "./plot-style.ts";

const TOP = 34;
const LEFT = 76;
const PLOT_WIDTH = 654;
const RIGHT = LEFT + PLOT_WIDTH;
/** Room for the names at the ends of the lines, and of one of their letters. */
const NAMES_WIDTH_MIN = 230;
const LETTER_WIDTH = 7.6;
const PLOT_HEIGHT = 400;
const BOTTOM = TOP + PLOT_HEIGHT;
const AXIS_TEXT = 62;
/** Names at the ends of lines keep this distance from each other. */
const NAME_GAP = 17;

/** Where a label may stand, from its point: above, below, right, left, and between these. */
const LABEL_PLACES = [
  ...[
    [0, -14],
    [0, 14],
    [15, 0],
    [-15, 0],
  ],
  ...[
    [12, -11],
    [12, 11],
    [-12, -11],
    [-12, 11],
  ],
] as const;
/** More room than this is not worth an odd place. */
const LABEL_ROOM = 13;

interface Frame {
  readonly x: PlotAxis;
  readonly y: PlotAxis;
}

/** The plot alone, with its style. */
export function plotSvg(report: LabReport): string {
  const frame = frameOf(report);
  const subject = report.mine ?? report.reference;
  const behind = report.mine === undefined ? [] : [subjectLines(report.reference, frame, true)];
  const width = RIGHT + namesWidth(subject);
  const height = BOTTOM + AXIS_TEXT + STRIP_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(altText(report))}">`,
    `<style>${PLOT_STYLE}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...grid(report, frame),
    ...behind,
    predictionInPlot(report, frame),
    subjectLines(subject, frame, false),
    pointLabels(subject, frame),
    endNames(subject, frame),
    predictionStrip(report, { top: BOTTOM + AXIS_TEXT, left: LEFT, right: RIGHT }),
    "</svg>",
    "",
  ].join("\n");
}

function namesWidth({ series }: MergedLab): number {
  const longest = Math.max(...series.map(({ name }) => name.length));
  return Math.max(NAMES_WIDTH_MIN, Math.ceil(40 + longest * LETTER_WIDTH));
}

/** What the picture shows, for those who do not see it. */
function altText({ title, x, y, reference }: LabReport): string {
  const names = reference.series.map(({ name }) => name).join("; ");
  return `${title}. ${y.label} against ${x.label}, one line each: ${names}. The table has all numbers.`;
}

function frameOf(report: LabReport): Frame {
  const subjects = [report.reference, ...(report.mine === undefined ? [] : [report.mine])];
  const points = subjects.flatMap(({ series }) => series.flatMap((one) => one.points));
  const predicted = predictedPath(report);
  const xs = [...points.map(({ x }) => x), ...predicted.map(({ x }) => x)];
  const ys = [
    ...points.flatMap(({ y, low, high }) => [y, low, high]),
    ...predicted.map(({ y }) => y),
  ];
  const finite = (values: readonly (number | undefined)[]): number[] =>
    values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  return {
    x: createMeasuredAxis(report.x, finite(xs), { from: LEFT, to: RIGHT }),
    y: createAxis(report.y, finite(ys), { from: BOTTOM, to: TOP }),
  };
}

/** Where the prediction lies in the plot: a path, or one axis only. Empty: nowhere. */
function predictedPath({ prediction, x, y }: LabReport): { x?: number; y?: number }[] {
  const { value, points, unit } = prediction;
  if (value === undefined) return [];
  if (points !== undefined) return [...points];
  if (unit !== "" && unit === y.unit) return [{ y: value }];
  return unit !== "" && unit === x.unit ? [{ x: value }] : [];
}

function grid({ x, y }: LabReport, frame: Frame): string[] {
  const axisText = (label: string, unit: string): string =>
    escaped(unit === "" ? label : `${label} (${unit})`);
  return [
    ...frame.y.ticks.map(
      ({ at, text }) =>
        `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}"/>` +
        `<text x="${LEFT - 9}" y="${at + 4}" text-anchor="end">${text}</text>`,
    ),
    ...frame.x.ticks.map(
      ({ at, text }) =>
        `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${BOTTOM}"/>` +
        `<text x="${at}" y="${BOTTOM + 20}" text-anchor="middle">${text}</text>`,
    ),
    `<path class="frame" d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}"/>`,
    `<text class="strong" x="${LEFT - 60}" y="${TOP - 16}">${axisText(y.label, y.unit)}</text>`,
    `<text class="strong" x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 42}" text-anchor="middle">${axisText(x.label, x.unit)}</text>`,
  ];
}

/** All lines of one subject. `isBehind`: thin and hollow. */
function subjectLines(subject: MergedLab, frame: Frame, isBehind: boolean): string {
  return subject.series
    .map(({ name, points }, index) => {
      const places = points.map((point) => ({
        ...point,
        px: frame.x.at(point.x),
        py: frame.y.at(point.y),
      }));
      const line = places.map(({ px, py }) => `${px},${py}`).join(" ");
      const width = isBehind ? 1.2 : 2.4;
      const whiskers = places.filter(
        ({ low, high, y }) => !isBehind && high - low > Math.abs(y) * 0.03,
      );
      // Many points are a curve, and markers would hide it.
      const marked = places.length > 24 ? places.slice(-1) : places;
      return [
        `<g class="s${index % STYLES}"><title>${escaped(name)}${isBehind ? ", reference" : ""}</title>`,
        `<polyline points="${line}" fill="none" stroke="currentColor" stroke-width="${width}" stroke-linejoin="round"${dashOf(index)}/>`,
        ...whiskers.map(
          ({ px, low, high }) =>
            `<line x1="${px}" x2="${px}" y1="${frame.y.at(low)}" y2="${frame.y.at(high)}" stroke="currentColor" opacity="0.55"/>`,
        ),
        ...marked.map(({ px, py }) =>
          marker(index, { x: px, y: py, size: isBehind ? 3 : 4.5, isHollow: isBehind }),
        ),
        "</g>",
      ].join("");
    })
    .join("\n");
}

/** What points were measured with: beside each, where neither a marker nor another label is. */
function pointLabels({ series }: MergedLab, frame: Frame): string {
  const points = series.flatMap((one, index) =>
    one.points.map(({ x, y, label }) => ({ index, label, x: frame.x.at(x), y: frame.y.at(y) })),
  );
  const taken: { readonly x: number; readonly y: number }[] = [...points];
  return points
    .map(({ index, label, x, y }) => {
      if (label === undefined) return "";
      const places = LABEL_PLACES.map(([right, down]) => ({ x: x + right, y: y + down }));
      const room = (place: { readonly x: number; readonly y: number }): number =>
        Math.min(LABEL_ROOM, ...taken.map((one) => Math.hypot(one.x - place.x, one.y - place.y)));
      const best = places.reduce((most, place) => (room(place) > room(most) ? place : most));
      taken.push(best);
      const at = `x="${best.x}" y="${best.y + 5}" text-anchor="middle"`;
      return `<g class="s${index % STYLES}"><text class="name halo" ${at}>${escaped(label)}</text></g>`;
    })
    .join("\n");
}

/** The names right of the last points, moved apart where they would meet. */
function endNames(subject: MergedLab, frame: Frame): string {
  const names = subject.series
    .flatMap(({ name, points }, index) => {
      const last = points.at(-1);
      return last === undefined
        ? []
        : [{ name, index, px: frame.x.at(last.x), py: frame.y.at(last.y), at: frame.y.at(last.y) }];
    })
    .sort((a, b) => a.py - b.py);
  for (const [index, name] of names.entries()) {
    const above = names[index - 1];
    if (above !== undefined) name.at = Math.max(name.at, above.at + NAME_GAP);
  }
  const over = Math.max(0, (names.at(-1)?.at ?? 0) - BOTTOM);
  for (const name of [...names].reverse()) name.at -= over;
  return names
    .map(
      ({ name, index, px, py, at }) =>
        `<g class="s${index % STYLES}">` +
        `<path d="M${px + 8} ${py}L${RIGHT + 16} ${at}" stroke="currentColor" opacity="0.45" fill="none"/>` +
        `${marker(index, { x: RIGHT + 24, y: at, size: 4, isHollow: false })}` +
        `<text class="name" x="${RIGHT + 34}" y="${at + 4}">${escaped(name)}</text></g>`,
    )
    .join("\n");
}

/** The reader's prediction where the measured points would lie if it were right. */
function predictionInPlot(report: LabReport, frame: Frame): string {
  const path = predictedPath(report);
  const [first] = path;
  const { value, unit } = report.prediction;
  if (first === undefined || value === undefined) return "";
  const words = `your prediction: ${escaped(withUnit(value, unit))}`;
  const label = (x: number, y: number, anchor: string): string =>
    `<text class="strong halo" x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
  if (first.x === undefined && first.y !== undefined) {
    const y = frame.y.at(first.y);
    return `<path class="prediction" d="M${LEFT} ${y}H${RIGHT}"/>${label(LEFT + 10, y - 9, "start")}`;
  }
  if (first.y === undefined && first.x !== undefined) {
    const x = frame.x.at(first.x);
    // Into the plot, and not into the names beside it.
    const isRight = x > (LEFT + RIGHT) / 2;
    const text = isRight ? label(x - 8, TOP + 14, "end") : label(x + 8, TOP + 14, "start");
    return `<path class="prediction" d="M${x} ${TOP}V${BOTTOM}"/>${text}`;
  }
  const places = path.map(({ x = 0, y = 0 }) => ({ x: frame.x.at(x), y: frame.y.at(y) }));
  const end = places.at(-1) ?? { x: LEFT, y: TOP };
  const d = places.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
  const cross = `M${end.x - 7} ${end.y}H${end.x + 7}M${end.x} ${end.y - 7}V${end.y + 7}`;
  // Away from the lines: below them where too little was predicted, above them where too much.
  const isLow = value < (report.mine ?? report.reference).answer.median;
  const text = isLow
    ? label(end.x + 12, end.y + 20, "start")
    : label(end.x - 12, end.y - 12, "end");
  return `<path class="prediction" d="${d}"/><path class="cross" d="${cross}"/>${text}`;
}
