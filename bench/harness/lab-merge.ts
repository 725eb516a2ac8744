/**
 * Several measurements of one subject, made into one: medians, and the range they lay in.
 *
 * Invariant: nothing is thrown away silently: `low` and `high` hold the extremes of all rounds.
 */
import type { LabRun } from "./lab-child.ts";
import type { LabResult } from "./lab-types.ts";

/** A point of a line: the median of the rounds, and their range. */
export interface MergedPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  readonly label?: string;
}

/** A figure besides the plot: the median of the rounds, and their range. */
export interface MergedFigure {
  readonly name: string;
  readonly kind: string;
  readonly unit: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What one subject has measured, all rounds together. */
export interface MergedLab {
  readonly rounds: number;
  readonly series: readonly { readonly name: string; readonly points: readonly MergedPoint[] }[];
  readonly answer: { readonly median: number; readonly low: number; readonly high: number };
  /** Missing where the lab has none. */
  readonly figures?: readonly MergedFigure[];
  /** `held`: in how many rounds the claim was true. */
  readonly shape: readonly { readonly claim: string; readonly held: number }[];
  readonly parameters: Readonly<Record<string, number>>;
  readonly workHash: string;
}

/** The middle value; between the two middle ones of an even number. */
export function medianOf(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("median: of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half]!;
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1]! + upper) / 2;
}

/** Whether a claim was true in most of the rounds. */
export function verdictOf(held: number, rounds: number): "yes" | "no" | "unclear" {
  if (held * 2 === rounds) return "unclear";
  return held * 2 > rounds ? "yes" : "no";
}

/** All rounds of one subject as one. @throws RangeError if there is none. */
export function mergeRuns(runs: readonly LabRun[]): MergedLab {
  const [first] = runs;
  if (first === undefined) throw new RangeError("lab: no round to merge");
  const results = runs.map(({ result }) => result);
  const answers = results.map(({ answer }) => answer);
  return {
    rounds: runs.length,
    series: first.result.series.map(({ name, points }) => ({
      name,
      points: points.map(({ x }, place) => mergePoint(results, name, { x, place })),
    })),
    answer: {
      median: medianOf(answers),
      low: Math.min(...answers),
      high: Math.max(...answers),
    },
    ...(first.result.figures === undefined ? {} : { figures: mergeFigures(results) }),
    shape: first.result.shape.map(({ claim }, index) => ({
      claim,
      held: results.filter(({ shape }) => shape[index]?.holds === true).length,
    })),
    parameters: first.parameters,
    workHash: first.workHash,
  };
}

/** By place, as the points. */
function mergeFigures(results: readonly LabResult[]): MergedFigure[] {
  return (results[0]?.figures ?? []).map(({ name, kind, unit }, place) => {
    const values = results.flatMap(({ figures }) => figures?.[place]?.value ?? []);
    const range = { low: Math.min(...values), high: Math.max(...values) };
    return { name, kind, unit, median: medianOf(values), ...range };
  });
}

/** By place rather than by x: where x is measured too, it differs a little between rounds. */
function mergePoint(
  results: readonly LabResult[],
  name: string,
  at: { readonly x: number; readonly place: number },
): MergedPoint {
  const points = results.flatMap(
    ({ series }) => series.find((one) => one.name === name)?.points[at.place] ?? [],
  );
  const label = points[0]?.label;
  return {
    ...(label === undefined ? {} : { label }),
    x: medianOf(points.map(({ x }) => x)),
    y: medianOf(points.map(({ y }) => y)),
    low: Math.min(...points.map(({ y, low }) => low ?? y)),
    high: Math.max(...points.map(({ y, high }) => high ?? y)),
  };
}
