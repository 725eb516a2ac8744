/**
 * Which errors of SQLite are results, and which mean that the engine itself has failed.
 *
 * Invariant (Q3): an error that another replica might not get is never recorded as a result.
 * Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";
import { CairnError, errorText } from "#base";

/**
 * The disk, the memory or the file failed: codes that depend on this machine, without extensions.
 */
const ENGINE_CODES = [
  "SQLITE_BUSY",
  "SQLITE_CANTOPEN",
  "SQLITE_CORRUPT",
  "SQLITE_FULL",
  "SQLITE_INTERNAL",
  "SQLITE_IOERR",
  "SQLITE_MISUSE",
  "SQLITE_NOMEM",
  "SQLITE_NOTADB",
  "SQLITE_PERM",
  "SQLITE_PROTOCOL",
  "SQLITE_READONLY",
] as const;

/**
 * Content that does not fit together, the same on every replica: a full-text index and its table,
 * an index on an expression that changes with time, a loaded `sqlite_sequence` that is none.
 */
const CONTENT_CODES: ReadonlySet<string> = new Set([
  "SQLITE_CORRUPT_INDEX",
  "SQLITE_CORRUPT_SEQUENCE",
  "SQLITE_CORRUPT_VTAB",
]);

/** SQLite's extended code, if the error comes from SQLite. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}

/** Whether a code speaks of this machine rather than of the statement. */
export function isEngineFailure(code: string): boolean {
  if (CONTENT_CODES.has(code)) return false;
  return ENGINE_CODES.some((engine) => code === engine || code.startsWith(`${engine}_`));
}

/** A statement failed, the same on every replica. */
export class StatementError extends Error {
  override readonly name = "StatementError";
  /** It failed before it ran. */
  readonly atPrepare: boolean;
  /** As an answer it has the shape of a read. */
  readonly isRead: boolean;
  /**
   * SQLite itself has undone what a failing statement must not leave, or kept what `OR FAIL` keeps.
   * Otherwise only the end of the whole transaction would undo it.
   */
  readonly isSettled: boolean;

  constructor(
    message: string,
    facts: { readonly atPrepare: boolean; readonly isRead: boolean; readonly isSettled: boolean },
  ) {
    super(message);
    this.atPrepare = facts.atPrepare;
    this.isRead = facts.isRead;
    this.isSettled = facts.isSettled;
  }
}

/**
 * Constraints are checked by SQLite with an undo at hand; a failing function or a STRICT type check
 * may leave the rows before it, unless the transaction ends.
 */
export function isSettledBySqlite(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code === undefined || code === "SQLITE_CONSTRAINT_DATATYPE") return false;
  return code.startsWith("SQLITE_CONSTRAINT");
}

/** What to throw for a failing engine. */
export function engineFailure(error: unknown): CairnError {
  return new CairnError("SQLITE_ENGINE_FAILED", `sqlite: writer: ${errorText(error)}`, {
    cause: error,
  });
}
