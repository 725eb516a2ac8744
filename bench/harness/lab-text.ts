/**
 * A lab's report as lines of text: the numbers side by side, the shape, the prediction.
 *
 * Nothing here is said by colour or by place alone.
 */
import { type MergedPoint, verdictOf } from "./lab-merge.ts";
import { gapInWords } from "./lab-predict.ts";
import type { LabReport } from "./lab-report.ts";

const NAME_WIDTH_MIN = 34;
/** More rows than this are read by nobody in a terminal: each line of the plot shows three. */
const ROWS_MAX = 40;
const NUMBER_WIDTH = 14;
const TEXT_WIDTH = 92;

const UNCLEAR =
  "unclear: it held in half of the rounds, not in the others. Measure again on a quiet machine.";

/** The whole report. */
export function reportLines(report: LabReport): string[] {
  return [
    `${report.id}  ${report.title}${report.size === "small" ? "  (small: the numbers mean little)" : ""}`,
    "",
    ...tableLines(report),
    ...figureLines(report),
    "",
    ...shapeLines(report),
    "",
    ...predictionLines(report),
  ];
}

/** Three digits; whole numbers from a hundred on, with commas from a thousand on. */
export function shortNumber(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** A number with its unit, if that is worth saying. */
export function withUnit(value: number, unit: string): string {
  if (unit === "") return shortNumber(value);
  return unit === "×" || unit === "%" || unit === "x"
    ? `${shortNumber(value)}${unit}`
    : `${shortNumber(value)} ${unit}`;
}

function tableLines(report: LabReport): string[] {
  const { mine, reference, y } = report;
  const hasMine = mine !== undefined;
  const head = hasMine ? ["yours", "reference", "yours / ref."] : ["reference"];
  const unit = y.unit === "" ? y.label : `${y.label}, ${y.unit}`;
  const rows = reference.series.reduce((sum, { points }) => sum + points.length, 0);
  const isLong = rows > ROWS_MAX;
  const nameOf = (point: MergedPoint, own?: MergedPoint): string =>
    `    ${pointName(report, { point, own }, `${report.x.label} `)}`;
  const names = reference.series.flatMap(({ name, points }) => {
    const own = mine?.series.find((one) => one.name === name)?.points;
    return points.map((point, index) => nameOf(point, own?.[index]));
  });
  const width = Math.max(NAME_WIDTH_MIN, ...[unit, ...names].map(({ length }) => length + 1));
  const row = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(NUMBER_WIDTH)).join("")}`;
  const lines = [row(unit, head)];
  for (const { name, points } of reference.series) {
    lines.push(`  ${name}`);
    const own = mine?.series.find((one) => one.name === name)?.points;
    for (const [index, point] of points.entries()) {
      const middle = Math.floor(points.length / 2);
      if (isLong && ![0, middle, points.length - 1].includes(index)) continue;
      const other = own?.[index];
      const cells = hasMine
        ? [
            other === undefined ? "not there" : shortNumber(other.y),
            shortNumber(point.y),
            other === undefined || point.y === 0 ? "" : shortNumber(other.y / point.y),
          ]
        : [shortNumber(point.y)];
      lines.push(row(nameOf(point, other), cells));
    }
  }
  const rounds = `${reference.rounds} ${reference.rounds === 1 ? "round" : "rounds"}`;
  const parameters = Object.entries(reference.parameters).map(
    ([name, value]) => `${name}=${value}`,
  );
  if (isLong)
    lines.push("", `${rows} numbers were measured: all of them are in the page and the JSON.`);
  lines.push("", ...wrapText(`Medians of ${rounds}. ${parameters.join(", ")}`));
  if (report.mineProblem !== undefined) lines.push("", report.mineProblem);
  return lines;
}

/**
 * Where a point lies: its label, its x, and the reader's x where that is another.
 *
 * @param axis - what stands before the value; nothing where a heading says it.
 */
export function pointName(
  { x, pointLabel }: Pick<LabReport, "x" | "pointLabel">,
  { point, own }: { readonly point: MergedPoint; readonly own?: MergedPoint | undefined },
  axis: string,
): string {
  const lead = point.label === undefined ? "" : `${pointLabel ?? "at"} ${point.label}: `;
  const isOther = own !== undefined && point.label !== undefined && own.x !== point.x;
  const yours = isOther ? `, yours ${withUnit(own.x, x.unit)}` : "";
  return `${lead}${axis}${withUnit(point.x, x.unit)}${yours}`;
}

/** The figures that have no place in the plot, by kind. Empty where there are none. */
function figureLines({ mine, reference }: LabReport): string[] {
  const lines: string[] = [];
  let kind: string | undefined;
  for (const [index, figure] of (reference.figures ?? []).entries()) {
    if (figure.kind !== kind) {
      const heads = mine === undefined ? ["reference"] : ["yours", "reference"];
      const head = heads.map((text) => text.padStart(NUMBER_WIDTH)).join("");
      lines.push("", figure.kind.padEnd(NAME_WIDTH_MIN) + head);
      kind = figure.kind;
    }
    const own = mine?.figures?.[index];
    const cells = [...(mine === undefined ? [] : [own]), figure].map((one) =>
      (one === undefined ? "not there" : withUnit(one.median, one.unit)).padStart(NUMBER_WIDTH),
    );
    lines.push(`  ${figure.name}`.padEnd(NAME_WIDTH_MIN) + cells.join(""));
  }
  return lines;
}

function shapeLines(report: LabReport): string[] {
  const { mine, reference } = report;
  const verdict = (held: number, rounds: number): string => verdictOf(held, rounds).padEnd(7);
  const lines = [mine === undefined ? "Expected shape" : "Expected shape (yours, reference)"];
  for (const [index, claim] of reference.shape.entries()) {
    const own = mine?.shape[index];
    const answers = [
      ...(own === undefined || mine === undefined ? [] : [verdict(own.held, mine.rounds)]),
      verdict(claim.held, reference.rounds),
    ];
    lines.push(...wrapText(claim.claim, `  ${answers.join("  ")} `));
  }
  return [...lines, ...unclearLines(report).flatMap((line) => wrapText(line, "  "))];
}

/** What the word "unclear" means, where the shape has it. */
export function unclearLines({ mine, reference }: LabReport): string[] {
  const isUnclear = [mine, reference].some((subject) =>
    subject?.shape.some(({ held }) => verdictOf(held, subject.rounds) === "unclear"),
  );
  return isUnclear ? [UNCLEAR] : [];
}

/** The prediction against the answer, in one or two sentences. */
export function predictionLines(report: LabReport): string[] {
  const { prediction, mine, reference } = report;
  const subject = mine ?? reference;
  const measured = withUnit(subject.answer.median, prediction.unit);
  const range =
    subject.rounds === 1
      ? ""
      : ` (${shortNumber(subject.answer.low)} to ${shortNumber(subject.answer.high)})`;
  const whose = mine === undefined ? "measured" : "your code measured";
  const other =
    mine === undefined
      ? ""
      : `; the reference ${withUnit(reference.answer.median, prediction.unit)}`;
  const answer = `${whose} ${measured}${range}${other}.`;
  if (prediction.value === undefined) {
    return wrapText(`${prediction.ask} No prediction; ${answer}`);
  }
  const said = withUnit(prediction.value, prediction.unit);
  const gap = gapInWords(prediction.value, subject.answer.median);
  return wrapText(`${prediction.ask} You predicted ${said}; ${answer} Your prediction: ${gap}.`);
}

/** Lines that fit, the first with `lead`, the others below its end. */
export function wrapText(text: string, lead = "", width = TEXT_WIDTH): string[] {
  const lines: string[] = [];
  let line = lead;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = " ".repeat(lead.length) + word;
    } else {
      line = isEmpty ? line + word : `${line} ${word}`;
    }
    isEmpty = false;
  }
  lines.push(line);
  return lines;
}
