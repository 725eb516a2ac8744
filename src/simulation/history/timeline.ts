/**
 * A few operations drawn for a person: one line each, a bar from call to answer.
 *
 * The bars keep the order of events and not their distances: the order is what a verdict rests on.
 * Chapter: 11-simulation.
 */
import type { Model, Operation } from "./types.ts";

/** More lines than that explain nothing. */
const LINES_MAX = 24;
/** Columns for all bars together, at most. */
const COLUMNS_MAX = 60;

/** The operation in words: client, input, output, how it ended. */
export function wordsOf<State, Input, Output>(
  { process, input, output, outcome }: Operation<Input, Output>,
  model: Model<State, Input, Output>,
): string {
  const end = outcome === "ok" ? "" : ` (${outcome})`;
  return `client ${process}  ${model.describe(input, output)}${end}`;
}

/** Lines for the operations, in order of their calls; the one that fits nowhere is marked. */
export function timelineOf<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  misfit: Operation<Input, Output> | undefined,
  model: Model<State, Input, Output>,
): string[] {
  const shown = operations.slice(-LINES_MAX);
  const times = [...new Set(shown.flatMap((one) => [one.calledAt, one.returnedAt]))].sort(
    (left, right) => left - right,
  );
  const width = Math.min(COLUMNS_MAX, 3 * times.length);
  const columnOf = (time: number): number =>
    Math.round((times.indexOf(time) * (width - 1)) / Math.max(1, times.length - 1));
  const labels = shown.map((one) => wordsOf(one, model));
  const labelWidth = Math.max(0, ...labels.map((label) => label.length));
  const lines = shown.map((one, index) => {
    const from = columnOf(one.calledAt);
    const to = Math.max(from + 1, columnOf(one.returnedAt));
    const end = one.returnedAt === Infinity ? ">" : "|";
    const bar = `${" ".repeat(from)}|${"-".repeat(to - from - 1)}${end}`;
    const marks = [one === misfit ? "<- fits nowhere" : "", one.note ?? ""];
    const mark = marks.filter((text) => text !== "").join(", ");
    return `  ${labels[index]!.padEnd(labelWidth)}  ${bar.padEnd(width)}  ${mark}`.trimEnd();
  });
  const hidden = operations.length - shown.length;
  return hidden === 0 ? lines : [`  (${hidden} before that)`, ...lines];
}
