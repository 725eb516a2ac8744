/**
 * The prediction and the answer on one scale, below the plot: whatever the prediction is about, how
 * far it was off can be seen here.
 */
import type { LabReport } from "./lab-report.ts";
import { withUnit, wrapText } from "./lab-text.ts";
import { createAxis } from "./plot-axis.ts";
import { escaped } from "./plot-style.ts";

/** Height of the strip, in the units of the plot. */
export const STRIP_HEIGHT = 164;

const SCALE_DOWN = 118;
/** Letters of the question in one line. */
const ASK_LETTERS = 104;
/** Texts above the scale keep this distance from each other, or one goes below. */
const TEXT_WIDTH = 190;

interface Mark {
  readonly name: string;
  readonly value: number;
  readonly look: "prediction" | "filled" | "hollow";
}

/** The strip. */
export function predictionStrip(
  report: LabReport,
  at: { readonly top: number; readonly left: number; readonly right: number },
): string {
  const { prediction, mine, reference } = report;
  const { unit } = prediction;
  const marks: Mark[] = [
    ...(prediction.value === undefined
      ? []
      : [{ name: "you predicted", value: prediction.value, look: "prediction" } as const]),
    ...(mine === undefined
      ? []
      : [{ name: "your code", value: mine.answer.median, look: "filled" } as const]),
    {
      name: "reference",
      value: reference.answer.median,
      look: mine === undefined ? "filled" : "hollow",
    },
  ];
  const values = marks.map(({ value }) => value);
  const isLog = values.every((value) => value > 0) && Math.max(...values) > 3 * Math.min(...values);
  const axis = createAxis(
    { label: "", unit, scale: isLog ? "log" : "linear" },
    isLog ? [...values, Math.min(...values) / 2, Math.max(...values) * 2] : values,
    { from: at.left, to: at.right },
  );
  const y = at.top + SCALE_DOWN;
  return [
    ...wrapText(prediction.ask, "", ASK_LETTERS).map(
      (line, index) =>
        `<text class="strong" x="${at.left - 60}" y="${at.top + 14 + index * 18}">${escaped(line)}</text>`,
    ),
    `<line class="frame" x1="${at.left}" x2="${at.right}" y1="${y}" y2="${y}"/>`,
    ...axis.ticks.map(
      (tick) =>
        `<line class="frame" x1="${tick.at}" x2="${tick.at}" y1="${y}" y2="${y + 5}"/>` +
        `<text x="${tick.at}" y="${y + 21}" text-anchor="middle">${tick.text}</text>`,
    ),
    ...placed(marks, axis.at).map(({ mark, x, row }) => drawn(mark, { x, y, row, unit, ...at })),
  ].join("\n");
}

/** Gives each mark a row above the scale in which its text meets no other. */
function placed(
  marks: readonly Mark[],
  place: (value: number) => number,
): { readonly mark: Mark; readonly x: number; readonly row: number }[] {
  const ends: number[] = [];
  return [...marks]
    .sort((a, b) => a.value - b.value)
    .map((mark) => {
      const x = place(mark.value);
      const free = ends.findIndex((end) => end + TEXT_WIDTH < x);
      const row = free === -1 ? ends.length : free;
      ends[row] = x;
      return { mark, x, row };
    });
}

function drawn(
  { name, value, look }: Mark,
  at: {
    readonly x: number;
    readonly y: number;
    readonly row: number;
    readonly unit: string;
    readonly right: number;
  },
): string {
  const { x, y } = at;
  const textY = y - 16 - at.row * 18;
  const text = `${name} ${escaped(withUnit(value, at.unit))}`;
  const symbol =
    look === "prediction"
      ? `<path class="prediction" d="M${x} ${y + 7}V${textY + 5}"/>`
      : `<line x1="${x}" x2="${x}" y1="${y}" y2="${textY + 5}" stroke="currentColor" opacity="0.5"/>` +
        `<circle cx="${x}" cy="${y}" r="5.5" fill="${look === "filled" ? "currentColor" : "var(--page)"}" stroke="currentColor" stroke-width="2"/>`;
  const colour = look === "prediction" ? "" : ' class="s0"';
  return `<g${colour}>${symbol}<text class="strong halo" x="${x + 7}" y="${textY + 6}">${text}</text></g>`;
}
