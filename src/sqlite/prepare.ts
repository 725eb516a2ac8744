/**
 * Prepared statements as our clients expect them: double-quoted strings accepted, parameters bound
 * by rqlite's rules (compat reference, 1.3 and 2.3).
 *
 * Used by the writer and by the readers, so that both take the same SQL.
 * Chapter: 09-sqlite.
 */
import type Database from "better-sqlite3";
import { type Requoted, requote, restoreHeadings } from "./requote.ts";
import type { Piece } from "./split-statements.ts";
import type { SqlValue, Statement } from "./types.ts";

/** A prepared statement with what is needed to bind it and to name its columns. */
export interface Prepared {
  /** Raw rows and 64-bit integers are already switched on. */
  readonly statement: Database.Statement;
  readonly piece: Piece;
  /** It gives rows. */
  readonly reader: boolean;
  /** SQLite's verdict: it writes nothing. */
  readonly readonly: boolean;
  readonly requoted: Requoted | undefined;
}

/** A column of a result. */
export interface Column {
  readonly name: string;
  /** Declared type, as written; null for an expression. */
  readonly type: string | null;
  readonly table: string | null;
}

/**
 * Prepares one statement.
 *
 * @throws SQLite's own error, for the text as it was written.
 */
export function prepareLenient(database: Database.Database, piece: Piece): Prepared {
  let statement: Database.Statement;
  let requoted: Requoted | undefined;
  try {
    statement = database.prepare(piece.text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    requoted = requote(piece.text, error.message, (text) => trial(database, text));
    if (requoted === undefined) throw error;
    statement = database.prepare(requoted.text);
  }
  statement.safeIntegers(true);
  if (statement.reader) statement.raw(true);
  return {
    statement,
    piece,
    reader: statement.reader,
    readonly: statement.readonly,
    requoted,
  };
}

/** The columns of a statement that gives rows; empty for others. */
export function preparedColumns(prepared: Prepared): readonly Column[] {
  if (!prepared.reader) return [];
  const columns = prepared.statement.columns();
  const { requoted } = prepared;
  if (requoted === undefined) return columns;
  const headings = restoreHeadings(
    columns.map((column) => column.name),
    requoted,
  );
  return columns.map((column, index) => ({
    name: headings[index] ?? column.name,
    type: column.type,
    table: column.table,
  }));
}

/** Where the next statement of a text takes its positional parameters from. */
export interface ParameterCursor {
  readonly positional: readonly SqlValue[];
  readonly named: ReadonlyMap<string, SqlValue> | undefined;
  next: number;
}

/** A cursor before the first parameter of `statement`. */
export function parametersOf(statement: Statement): ParameterCursor {
  return {
    positional: statement.positional,
    named: statement.named.length === 0 ? undefined : new Map(statement.named),
    next: 0,
  };
}

/** What `run`, `all` and `iterate` of a prepared statement take. */
export type Bindings = readonly unknown[];
const NO_BINDINGS: Bindings = [];

/**
 * The arguments for one statement; moves the cursor past the positional ones that it takes.
 *
 * A parameter whose name was given takes that value; the others take positional values in order. A
 * misspelt name leaves NULL, as long as enough values were given in all.
 *
 * @throws Error with rqlite's text if there are fewer values than parameters.
 */
export function bindParameters(piece: Piece, cursor: ParameterCursor): Bindings {
  const { parameters } = piece;
  if (parameters.length === 0) return NO_BINDINGS;
  const namedCount = cursor.named?.size ?? 0;
  if (cursor.positional.length - cursor.next + namedCount < parameters.length) {
    const got = cursor.positional.length + namedCount;
    throw new ParameterError(
      `not enough args to execute query: want ${parameters.length} got ${got}`,
    );
  }
  checkNames(cursor);
  const anonymous: SqlValue[] = [];
  let byName: Record<string, SqlValue> | undefined;
  for (const parameter of parameters) {
    const key = parameter?.slice(1);
    const given = key === undefined ? undefined : cursor.named?.get(key);
    const isGiven = given !== undefined && !parameter?.startsWith("?");
    const value = isGiven ? given : (cursor.positional[cursor.next] ?? null);
    if (!isGiven) cursor.next += 1;
    if (key === undefined) anonymous.push(value);
    else {
      byName ??= Object.create(null) as Record<string, SqlValue>;
      byName[key] = value;
    }
  }
  cursor.next = Math.min(cursor.next, cursor.positional.length);
  return byName === undefined ? [anonymous] : [anonymous, byName];
}

/** Parameters that do not fit their statement: a result, the same on every replica. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
}

function checkNames(cursor: ParameterCursor): void {
  if (cursor.named === undefined) return;
  for (const name of cursor.named.keys()) {
    if (!/^\p{L}/u.test(name)) {
      throw new ParameterError(`name "${name}" does not begin with a letter`);
    }
  }
}

function trial(database: Database.Database, text: string): string | undefined {
  try {
    database.prepare(text);
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}
