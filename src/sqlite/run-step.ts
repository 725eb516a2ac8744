/**
 * Runs one statement on the writer and keeps the counters.
 *
 * Invariant (Q3): whatever goes wrong is either a `StatementError`, the same on every replica, or
 * the engine's failure, which is thrown on and recorded nowhere.
 * Chapter: 09-sqlite.
 */
import { CairnError, InvariantError } from "#base";
import {
  type Bindings,
  bindParameters,
  type Column,
  type ParameterCursor,
  ParameterError,
  type Prepared,
  preparedColumns,
} from "./prepare.ts";
import type { Step } from "./script.ts";
import {
  engineFailure,
  isEngineFailure,
  isSettledBySqlite,
  StatementError,
  sqliteCode,
} from "./sqlite-errors.ts";
import { createStored, storesUncheckedStrings } from "./stored-strings.ts";
import type { SqlValue } from "./types.ts";
import { LARGEST_ROWID, type Writer } from "./writer.ts";

/** What a statement gave. */
export type StepResult =
  | { readonly kind: "write" }
  | {
      readonly kind: "rows";
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly SqlValue[])[];
    };

/** Which rows the caller of a statement wants to have. */
export interface StepWants {
  /** Rows of reads; otherwise only those of RETURNING. */
  readonly reads: boolean;
  /** Somebody waits for the answer. */
  readonly answer: boolean;
}

export const WRITE: StepResult = { kind: "write" };

/** Runs a statement whose action is `run`, within the transaction under way. */
export function runStep(
  writer: Writer,
  step: Step,
  cursor: ParameterCursor,
  wants: StepWants,
): StepResult {
  const prepared = prepareStep(writer, step);
  const bindings = attempt(() => bindParameters(step.piece, cursor), {
    atPrepare: false,
    isRead: false,
  });
  writer.beforeStatement(step.asksForCounters);
  try {
    return runPrepared(writer, step, prepared, bindings, wants);
  } catch (error) {
    if (isExhaustion(writer, step, bindings, error)) {
      throw new StatementError("database or disk is full", EXHAUSTED);
    }
    const failure = statementFailure(error, { atPrepare: false, isRead: prepared.readonly });
    if (step.changesRows && !prepared.readonly) readCounters(writer);
    throw failure;
  }
}

/** Prepares a statement, and refuses what clients may not do. */
export function prepareStep(writer: Writer, step: Step): Prepared {
  const prepared = attempt(() => writer.scripts.prepare(step), { atPrepare: true, isRead: false });
  if (step.piece.namesReserved && !prepared.readonly) {
    throw refusal("object name reserved for internal use: _cairn");
  }
  return prepared;
}

/** A refusal of our own, in the shape of an error that SQLite gives when it prepares. */
export function refusal(message: string): StatementError {
  return new StatementError(message, { atPrepare: true, isRead: false, isSettled: true });
}

/** A run-time error of our own that has changed nothing. */
export function misplaced(message: string): StatementError {
  return new StatementError(message, { atPrepare: false, isRead: false, isSettled: true });
}

/** Sorts an error into results and failures of the engine; the latter it throws. */
export function statementFailure(
  error: unknown,
  facts: { readonly atPrepare: boolean; readonly isRead: boolean },
): StatementError {
  if (error instanceof StatementError) return error;
  if (error instanceof InvariantError || error instanceof CairnError) throw error;
  const code = sqliteCode(error);
  if (code !== undefined && isEngineFailure(code)) throw engineFailure(error);
  if (!(error instanceof Error)) throw error;
  const isSettled =
    facts.atPrepare || facts.isRead || error instanceof ParameterError || isSettledBySqlite(error);
  return new StatementError(error.message, { ...facts, isSettled });
}

function runPrepared(
  writer: Writer,
  step: Step,
  prepared: Prepared,
  bindings: Bindings,
  wants: StepWants,
): StepResult {
  const { statement } = prepared;
  if (storesUncheckedStrings(step.piece.text)) {
    createStored(writer.database, step.piece.text);
    writer.schemaChanged(step.piece.text);
    return WRITE;
  }
  if (!prepared.reader) {
    const { changes, lastInsertRowid } = statement.run(...bindings);
    if (step.changesRows) {
      writer.state.lastInsertId = BigInt(lastInsertRowid);
      if (lastInsertRowid === LARGEST_ROWID) writer.sawLargestRowid = true;
      writer.noteChanges(BigInt(changes));
    }
    if (step.changesSchema) writer.schemaChanged(step.piece.text);
    return WRITE;
  }
  const isReturning = step.changesRows && !prepared.readonly;
  if (wants.reads || isReturning) {
    const rows =
      isReturning || wants.answer ? statement.all(...bindings) : drain(prepared, bindings);
    // After running: a change of the schema may have made SQLite prepare it anew.
    const columns = wants.answer ? preparedColumns(prepared) : [];
    if (isReturning) readCounters(writer);
    // Raw mode makes every row an array of values.
    return { kind: "rows", columns, rows: rows as SqlValue[][] };
  }
  // As rqlite: a read for effect is stepped once. A PRAGMA may do its work row by row.
  if (step.piece.verb === "PRAGMA") statement.all(...bindings);
  else statement.get(...bindings);
  return WRITE;
}

const EXHAUSTED = { atPrepare: false, isRead: false, isSettled: false };
const LARGEST_IN_TEXT = /9223372036854775807|0x7f{15}/i;

/**
 * Whether "full" means an AUTOINCREMENT without numbers left, which is the same everywhere. SQLite
 * has rolled back by now, so the statement itself may be all that is left to tell.
 */
function isExhaustion(writer: Writer, step: Step, bindings: Bindings, error: unknown): boolean {
  if (sqliteCode(error) !== "SQLITE_FULL") return false;
  const mentionsLargest =
    LARGEST_IN_TEXT.test(step.piece.text) || bindings.flat().includes(LARGEST_ROWID);
  if (mentionsLargest) writer.sawLargestRowid = true;
  return writer.hasExhaustedSequence();
}

/** Runs to the end, since a late error counts, and keeps nothing. */
function drain(prepared: Prepared, bindings: Bindings): unknown[] {
  for (const _row of prepared.statement.iterate(...bindings)) {
    // Every replica meets the same errors; only the one that is asked keeps the rows.
  }
  return [];
}

function readCounters(writer: Writer): void {
  const row = writer.readCounters();
  writer.state.lastInsertId = row.lastInsertId;
  writer.noteChanges(row.changes);
}

function attempt<T>(run: () => T, facts: { atPrepare: boolean; isRead: boolean }): T {
  try {
    return run();
  } catch (error) {
    throw statementFailure(error, facts);
  }
}
