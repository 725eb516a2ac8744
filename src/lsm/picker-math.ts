/**
 * What pickers share: spans of keys, tables that overlap, levels of a version, and the check that
 * every plan must pass.
 *
 * Runs have positions: 0 is the newest. A plan moves its inputs to the position of its output. A
 * table that stays where it is, and holds a key of an input that passes it, would afterwards be on
 * the wrong side of that key's other versions (L1).
 * Chapter: 04-lsm
 */
import { assert } from "#base";
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";
import type { CompactionInput, CompactionPlan, KeySpan, Run, Version } from "./parts.ts";

/** The deepest level. With a ratio of 10 and 64 MiB in level 1, levels 1 to 6 hold 7 TB. */
export const LEVEL_MAX = 6;

/** The span of some tables. At least one. */
export function spanOf(tables: readonly TableMeta[]): KeySpan {
  let { smallest, largest } = tables[0]!;
  for (const table of tables) {
    if (compareBytes(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareBytes(table.largest, largest) > 0) largest = table.largest;
  }
  return { smallest, largest };
}

/** The tables of a run that may hold keys of a span, in order. */
export function tablesOverlapping({ tables }: Run, span: KeySpan): readonly TableMeta[] {
  let from = 0;
  let before = tables.length;
  while (from < before) {
    const middle = (from + before) >>> 1;
    if (compareBytes(tables[middle]!.largest, span.smallest) < 0) from = middle + 1;
    else before = middle;
  }
  while (before < tables.length && compareBytes(tables[before]!.smallest, span.largest) <= 0) {
    before += 1;
  }
  return tables.slice(from, before);
}

/** Bytes of several tables. */
export function bytesOf(tables: readonly TableMeta[]): number {
  let bytes = 0;
  for (const table of tables) bytes += table.bytes;
  return bytes;
}

/** The runs of one level, newest first. */
export function runsOf(version: Version, level: number): readonly Run[] {
  return version.runs.filter((run) => run.level === level);
}

/** Bytes of one level. */
export function levelBytes(version: Version, level: number): number {
  return runsOf(version, level).reduce((sum, run) => sum + bytesOf(run.tables), 0);
}

/** The lowest level in use, where the oldest versions are; 1 if only level 0 is, or none. */
export function lowestLevel(version: Version): number {
  return Math.max(1, version.runs.at(-1)?.level ?? 0);
}

/** The number of the run that outputs join in a level of at most one run; null: a new one. */
export function onlyRun(version: Version, level: number): number | null {
  const runs = runsOf(version, level);
  return runs.length === 1 ? runs[0]!.number : null;
}

/**
 * Adds every table of these runs that overlaps the span of all that is chosen, until none is left
 * that does.
 *
 * @param chosen - at least one.
 */
export function growChoice(chosen: Set<TableMeta>, runs: readonly Run[]): void {
  for (let size = 0; chosen.size !== size; ) {
    size = chosen.size;
    for (const run of runs) {
      for (const table of tablesOverlapping(run, spanOf([...chosen]))) chosen.add(table);
    }
  }
}

/** The chosen tables as a plan wants them: by run, newest first. */
export function inputsOf(version: Version, chosen: ReadonlySet<TableMeta>): CompactionInput[] {
  const inputs: CompactionInput[] = [];
  for (const { level, number, tables } of version.runs) {
    const taken = tables.filter((table) => chosen.has(table));
    if (taken.length > 0) inputs.push({ level, run: number, tables: taken });
  }
  return inputs;
}

/**
 * Whether a plan only takes tables down a level: an edit can do that, without rewriting them. They
 * keep the deletions that they have.
 */
export function isMove(plan: CompactionPlan): boolean {
  return plan.inputs.length === 1 && plan.inputs[0]!.level < plan.outputLevel;
}

/**
 * Tables that may hold older versions of what a plan's inputs hold (L5): those of runs older than
 * the output that overlap the inputs. The inputs themselves are not among them, though some may
 * lie there.
 */
export function olderSpans(version: Version, plan: CompactionPlan): KeySpan[] {
  const tables = plan.inputs.flatMap((input) => input.tables);
  const span = spanOf(tables);
  const inputs = new Set(tables.map((table) => table.id));
  const output = outputPosition(version, plan);
  return version.runs
    .filter((_, position) => position > output)
    .flatMap((run) => tablesOverlapping(run, span))
    .filter((table) => !inputs.has(table.id))
    .map(({ smallest, largest }) => ({ smallest, largest }));
}

/** Every table that is no input of a plan. */
export function outsideSpans(version: Version, plan: CompactionPlan): KeySpan[] {
  const inputs = new Set(plan.inputs.flatMap(({ tables }) => tables.map(({ id }) => id)));
  return version.runs
    .flatMap((run) => run.tables)
    .filter(({ id }) => !inputs.has(id))
    .map(({ smallest, largest }) => ({ smallest, largest }));
}

/**
 * Asserts that a plan fits a version and may be carried out: it names tables that are there, in
 * order, and every version of a key stays on the right side of the others (L1, L6).
 *
 * @throws InvariantError naming what is wrong.
 */
export function checkPlan(version: Version, plan: CompactionPlan): void {
  checkNames(version, plan);
  const inputs = new Set(plan.inputs.flatMap((input) => input.tables.map((table) => table.id)));
  const output = outputPosition(version, plan);
  const refuse = (stays: TableMeta | undefined, why: string): void =>
    assert(stays === undefined, `lsm: plan: table ${stays?.id} is an input too: ${why}`);
  const staying = (run: Run, span: KeySpan): TableMeta | undefined =>
    tablesOverlapping(run, span).find((table) => !inputs.has(table.id));
  for (const input of plan.inputs) {
    const position = positionOf(version, input.level, input.run);
    const from = Math.min(position, output);
    const before = Math.max(position, output);
    for (const [between, run] of version.runs.entries()) {
      if (between <= from || between >= before) continue;
      for (const table of input.tables) {
        refuse(staying(run, table), `table ${table.id} passes it, and they overlap`);
      }
    }
  }
  const run = version.runs[output];
  if (run === undefined) return;
  const span = spanOf(plan.inputs.flatMap((input) => input.tables));
  refuse(staying(run, span), "outputs may overlap it");
}

function checkNames(version: Version, plan: CompactionPlan): void {
  const { inputs, outputLevel, outputRun } = plan;
  assert(inputs.length > 0, "lsm: plan: there are inputs");
  assert(outputLevel >= 1, `lsm: plan: outputs go to level 1 or deeper, not ${outputLevel}`);
  assert(outputLevel <= LEVEL_MAX, `lsm: plan: there is no level ${outputLevel}`);
  if (outputRun !== null) positionOf(version, outputLevel, outputRun);
  let last = -1;
  for (const { level, run, tables } of inputs) {
    const position = positionOf(version, level, run);
    assert(position > last, `lsm: plan: inputs come newest first, run ${run} does not`);
    assert(level <= outputLevel, `lsm: plan: nothing goes up, from ${level} to ${outputLevel}`);
    assert(tables.length > 0, `lsm: plan: run ${run} gives tables`);
    last = position;
    let place = -1;
    for (const { id } of tables) {
      const next = version.runs[position]!.tables.findIndex((table) => table.id === id);
      assert(next > place, `lsm: plan: run ${run} has table ${id}, behind those before it`);
      place = next;
    }
  }
}

function positionOf(version: Version, level: number, number: number): number {
  const position = version.runs.findIndex((run) => run.level === level && run.number === number);
  assert(position >= 0, `lsm: plan: level ${level} has a run ${number}`);
  return position;
}

/** Where the output comes to lie among the runs; a new run lies between two of them. */
function outputPosition(version: Version, { outputLevel, outputRun }: CompactionPlan): number {
  if (outputRun !== null) return positionOf(version, outputLevel, outputRun);
  const next = version.runs.findIndex((run) => run.level >= outputLevel);
  return (next < 0 ? version.runs.length : next) - 1 / 2;
}
