/**
 * From one version to the next.
 *
 * Invariants: a version is never changed, an edit makes a new one that shares the runs it does not
 * touch. Runs stand newest first and are never empty; the tables of a run are sorted and disjoint,
 * so that no key has versions in two of them (L6); a table stands in one place only; numbers only
 * grow (L7). An edit that would break one of these is refused as a whole.
 * Chapter: 04-lsm
 */
import { assert } from "#base";
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";
import type { ManifestState, Run, Version, VersionEdit } from "./parts.ts";
import { LEVEL_MAX } from "./picker-math.ts";

/** The state before the first edit. */
export const EMPTY_STATE: ManifestState = {
  version: { runs: [] },
  logNumber: 0,
  logFrom: 1,
  nextNumber: 1,
  sequence: 0,
};

/** Orders runs: the newer one comes first. */
export function compareRuns(
  a: { readonly level: number; readonly number: number },
  b: { readonly level: number; readonly number: number },
): number {
  return a.level - b.level || b.number - a.number;
}

/**
 * The state that an edit leads to. The old one stays as it is.
 *
 * @throws InvariantError if the edit does not fit.
 */
export function applyEdit(state: ManifestState, edit: VersionEdit): ManifestState {
  const next = tryEdit(state, edit);
  assert(typeof next !== "string", `lsm: an edit fits its version: ${next}`);
  return next;
}

/** As {@link applyEdit}; what does not fit comes back in words. For edits read from a file. */
export function tryEdit(state: ManifestState, edit: VersionEdit): ManifestState | string {
  const next = numbersAfter(state, edit);
  const problem = editProblem(state, next, edit);
  if (problem !== null) return problem;
  const runs = editRuns(state.version.runs, edit);
  return typeof runs === "string" ? runs : { ...next, version: { runs } };
}

/** The state with the numbers that an edit leads to, and the version as it was. */
export function numbersAfter(state: ManifestState, edit: VersionEdit): ManifestState {
  return {
    version: state.version,
    logNumber: edit.logNumber ?? state.logNumber,
    // Another log is replayed from its beginning unless the edit says otherwise.
    logFrom: edit.logFrom ?? (isNewLog(state, edit) ? 1 : state.logFrom),
    nextNumber: edit.nextNumber ?? state.nextNumber,
    sequence: edit.sequence ?? state.sequence,
  };
}

/** What is wrong with an edit's numbers and tables by themselves; null if nothing is. */
export function editProblem(
  before: ManifestState,
  after: ManifestState,
  edit: VersionEdit,
): string | null {
  return numbersProblem(before, after) ?? addedProblem(edit, after);
}

/** What is impossible about a table by itself; null if nothing is. */
export function tableProblem(table: TableMeta): string | null {
  const { id, entries, deletions, bytes, sequenceMin, sequenceMax } = table;
  for (const value of [id, entries, deletions, bytes, sequenceMin, sequenceMax]) {
    if (!Number.isSafeInteger(value) || value < 0) return `table ${id} has a number ${value}`;
  }
  if (id === 0) return "a table has the number 0";
  if (entries === 0) return `table ${id} has no entries`;
  if (deletions > entries) return `table ${id} has ${deletions} deletions of ${entries} entries`;
  if (sequenceMin > sequenceMax) {
    return `table ${id} has sequences from ${sequenceMin} to ${sequenceMax}`;
  }
  if (compareBytes(table.smallest, table.largest) > 0) return `table ${id} ends before it begins`;
  return null;
}

/** What breaks the rules of a version, everything looked at; null if nothing does. */
export function versionProblem(version: Version): string | null {
  const ids = new Set<number>();
  for (const [i, run] of version.runs.entries()) {
    const before = version.runs[i - 1];
    if (before !== undefined && compareRuns(before, run) >= 0) {
      return `${runName(run)} stands behind ${runName(before)}`;
    }
    const problem = runProblem(run);
    if (problem !== null) return problem;
    for (const { id } of run.tables) {
      if (ids.has(id)) return `table ${id} stands in two places`;
      ids.add(id);
    }
  }
  return null;
}

/** What is wrong with one run; null if nothing is (L6). */
export function runProblem(run: Run): string | null {
  const { level, number, tables } = run;
  if (!(Number.isInteger(level) && level >= 0 && level <= LEVEL_MAX)) {
    return `level ${level} is not from 0 to ${LEVEL_MAX}`;
  }
  if (!Number.isSafeInteger(number) || number < 0) return `run ${number} is not a whole number`;
  if (tables.length === 0) return `${runName(run)} is empty`;
  for (const [i, table] of tables.entries()) {
    const problem = tableProblem(table);
    if (problem !== null) return problem;
    const before = tables[i - 1];
    if (before !== undefined && compareBytes(before.largest, table.smallest) >= 0) {
      return `tables ${before.id} and ${table.id} overlap in ${runName(run)}`;
    }
  }
  return null;
}

function isNewLog(state: ManifestState, edit: VersionEdit): boolean {
  return edit.logNumber !== undefined && edit.logNumber !== state.logNumber;
}

function numbersProblem(before: ManifestState, after: ManifestState): string | null {
  for (const name of ["logNumber", "nextNumber", "sequence"] as const) {
    if (!Number.isSafeInteger(after[name])) return `${name} is ${after[name]}`;
    if (after[name] < before[name]) return `${name} goes from ${before[name]} to ${after[name]}`;
  }
  if (!(Number.isSafeInteger(after.logFrom) && after.logFrom > 0)) {
    return `logFrom is ${after.logFrom}`;
  }
  if (after.logNumber === before.logNumber && after.logFrom < before.logFrom) {
    return `logFrom goes from ${before.logFrom} to ${after.logFrom} in log ${after.logNumber}`;
  }
  if (after.logNumber >= after.nextNumber) {
    return `log ${after.logNumber} is not below the next number, ${after.nextNumber}`;
  }
  return null;
}

function addedProblem(edit: VersionEdit, next: ManifestState): string | null {
  for (const { table } of edit.add) {
    if (table.id >= next.nextNumber) {
      return `table ${table.id} is not below the next number, ${next.nextNumber}`;
    }
    if (table.sequenceMax > next.sequence) {
      return `table ${table.id} holds ${table.sequenceMax}, above the sequence, ${next.sequence}`;
    }
  }
  return null;
}

function editRuns(runs: readonly Run[], edit: VersionEdit): readonly Run[] | string {
  const levels = new Map(edit.remove.map(({ level, id }) => [id, level]));
  if (levels.size < edit.remove.length) return "a table is removed twice";
  const removed = takeOut(runs, levels);
  for (const [id, level] of levels) return `table ${id} is not in level ${level}`;
  return putIn(removed, edit.add);
}

/** The runs without some tables. What was found is taken out of `levels` too. */
function takeOut(runs: readonly Run[], levels: Map<number, number>): Run[] {
  if (levels.size === 0) return [...runs];
  return runs.map((run) => {
    const tables = run.tables.filter(
      ({ id }) => !(levels.get(id) === run.level && levels.delete(id)),
    );
    return tables.length === run.tables.length ? run : { ...plain(run), tables };
  });
}

function putIn(runs: readonly Run[], add: VersionEdit["add"]): readonly Run[] | string {
  const ids = new Set(runs.flatMap(({ tables }) => tables.map(({ id }) => id)));
  const added = new Map<string, { level: number; number: number; tables: TableMeta[] }>();
  for (const { level, run: number, table } of add) {
    if (ids.has(table.id)) return `table ${table.id} is there already`;
    ids.add(table.id);
    const group = added.get(`${level}/${number}`);
    if (group === undefined) added.set(`${level}/${number}`, { level, number, tables: [table] });
    else group.tables.push(table);
  }
  const result: Run[] = [];
  for (const run of runs) {
    const name = `${run.level}/${run.number}`;
    const group = added.get(name);
    if (group === undefined) {
      if (run.tables.length > 0) result.push(run);
      continue;
    }
    added.delete(name);
    result.push({ ...plain(run), tables: sorted([...run.tables, ...group.tables]) });
  }
  for (const group of added.values()) result.push({ ...group, tables: sorted(group.tables) });
  const touched = new Set(runs);
  for (const run of result) {
    const problem = touched.has(run) ? null : runProblem(run);
    if (problem !== null) return problem;
  }
  return result.sort(compareRuns);
}

function plain({ level, number }: Run): { level: number; number: number } {
  return { level, number };
}

function sorted(tables: readonly TableMeta[]): readonly TableMeta[] {
  return [...tables].sort((a, b) => compareBytes(a.smallest, b.smallest));
}

function runName({ level, number }: Run): string {
  return `run ${number} of level ${level}`;
}
