/**
 * What a reader does with each statement of a text: run it, answer it without running, or refuse
 * it.
 *
 * A reader serves one client after the other on one connection, so nothing that a client sends may
 * leave a trace there: no setting, no attached file, no open transaction (Q4). SQLite carries out
 * some PRAGMAs while it prepares them, so texts are sorted out before SQLite sees them.
 * Chapter: 09-sqlite. Source: compat reference 4.2, 4.4 and 4.8.
 */
import type Database from "better-sqlite3";
import { classifyPragma, pragmaOf, readsActingPragma } from "./pragmas.ts";
import { type Column, type Prepared, preparedColumns, prepareLenient } from "./prepare.ts";
import type { Piece } from "./split-statements.ts";
import { splitStatements } from "./split-statements.ts";
import { LOAD_TABLE, STATE_TABLE } from "./state-table.ts";
import { type Control, controlOf } from "./transaction-control.ts";

/** What a reader does with one statement. */
export type ReadAction =
  | { readonly kind: "run" }
  /** BEGIN and its kin: checked and answered, as there is nothing to commit. */
  | { readonly kind: "control"; readonly control: Control }
  /** A setting that no reader's answer depends on: accepted, and without effect. */
  | { readonly kind: "ignored" }
  | { readonly kind: "refused"; readonly message: string };

/** One statement, sorted out. */
export interface ReadStep {
  readonly piece: Piece;
  readonly action: ReadAction;
}

/** One statement, prepared if it can be run. */
export interface PreparedStep extends ReadStep {
  readonly prepared: Prepared | undefined;
  readonly columns: readonly Column[];
  /** Places of result columns that tell about our own table in the schema; mostly none. */
  readonly schemaColumns: readonly number[];
}

/** One text, prepared against the schema as it is. */
export interface ReadScript {
  readonly steps: readonly PreparedStep[];
  /** A comment follows the last statement: the answer is empty (4.4). */
  readonly endsEmpty: boolean;
}

export const WRITE_REFUSED_TEXT = "attempt to change database via query operation";
/** A read whose time is up: the reference's words. */
export const QUERY_TIMEOUT_TEXT = "query timeout";
const PRAGMA_REFUSED_TEXT = "disallowed pragma";
const ATTACH_REFUSED_TEXT = "ATTACH and DETACH are not supported";
/** Recursion in SQL is SQLite's business; what a PRAGMA only looks at is listed here. */
const LOOKING_PRAGMAS: ReadonlySet<string> = new Set([
  "foreign_key_check",
  "foreign_key_list",
  "index_info",
  "index_list",
  "index_xinfo",
  "integrity_check",
  "quick_check",
  "table_info",
  "table_list",
  "table_xinfo",
]);
/** Settings that clients like to send first of all, and that change no answer of a reader. */
const HARMLESS_PRAGMAS: ReadonlySet<string> = new Set([
  "analysis_limit",
  "automatic_index",
  "busy_timeout",
  "cache_size",
  "cache_spill",
  "defer_foreign_keys",
  "foreign_keys",
  "mmap_size",
  "optimize",
  "secure_delete",
  "shrink_memory",
  "temp_store",
  "threads",
]);
/** PRAGMAs that act even without an argument. */
const ACTING_PRAGMAS: ReadonlySet<string> = new Set(["incremental_vacuum", "wal_checkpoint"]);

/** Sorts out a statement without SQLite's help. */
export function planRead(piece: Piece): ReadAction {
  const control = controlOf(piece);
  if (control !== undefined) return { kind: "control", control };
  if (piece.verb === "ATTACH" || piece.verb === "DETACH") {
    return { kind: "refused", message: ATTACH_REFUSED_TEXT };
  }
  if (readsActingPragma(piece)) return { kind: "refused", message: PRAGMA_REFUSED_TEXT };
  const pragma = pragmaOf(piece);
  if (pragma === undefined || LOOKING_PRAGMAS.has(pragma.name)) return { kind: "run" };
  if (classifyPragma(pragma) === "disallowed") {
    return { kind: "refused", message: PRAGMA_REFUSED_TEXT };
  }
  if (pragma.name === "optimize" || pragma.name === "shrink_memory") return { kind: "ignored" };
  if (ACTING_PRAGMAS.has(pragma.name)) return { kind: "refused", message: WRITE_REFUSED_TEXT };
  if (pragma.value === undefined) return { kind: "run" };
  if (HARMLESS_PRAGMAS.has(pragma.name)) return { kind: "ignored" };
  const isStored = pragma.name === "user_version" || pragma.name === "application_id";
  return { kind: "refused", message: isStored ? WRITE_REFUSED_TEXT : PRAGMA_REFUSED_TEXT };
}

/**
 * Splits and prepares a text.
 *
 * @throws SQLite's error for the first statement that it does not take.
 */
export function prepareScript(database: Database.Database, sql: string): ReadScript {
  const { pieces, endsEmpty } = splitStatements(sql);
  return { steps: pieces.map((piece) => prepareStep(database, piece)), endsEmpty };
}

function prepareStep(database: Database.Database, piece: Piece): PreparedStep {
  const action = planRead(piece);
  const prepared = isPrepared(action) ? prepareLenient(database, piece) : undefined;
  const columns = prepared === undefined ? [] : preparedColumns(prepared);
  const schemaColumns = prepared?.reader ? schemaColumnsOf(prepared) : [];
  return { piece, action, prepared, columns, schemaColumns };
}

/** Control statements are prepared for their syntax, and for SQLite's verdict on them. */
function isPrepared(action: ReadAction): boolean {
  return action.kind === "run" || action.kind === "control";
}

/**
 * Whether a step writes, or might: then a request goes through the log (3.3). EXPLAIN only looks,
 * and what a reader refuses is for the writer to judge.
 */
export function mayWrite({ piece, action, prepared }: PreparedStep): boolean {
  if (action.kind === "refused") return true;
  if (prepared === undefined || piece.verb === "EXPLAIN") return false;
  return !prepared.readonly;
}

/** Whether a reader must not run a step: it writes, and does not only say so. */
export function isWrite({ piece, prepared }: PreparedStep): boolean {
  if (prepared === undefined || prepared.readonly) return false;
  // The reading form of `PRAGMA journal_mode` counts as a write for SQLite.
  return piece.verb !== "EXPLAIN" && piece.verb !== "PRAGMA";
}

const SCHEMA_TABLES: ReadonlySet<string> = new Set(["sqlite_master", "sqlite_schema"]);
const SCHEMA_COLUMNS: ReadonlySet<string> = new Set(["name", "tbl_name", "sql"]);

function schemaColumnsOf(prepared: Prepared): number[] {
  const places: number[] = [];
  for (const [place, column] of prepared.statement.columns().entries()) {
    const isOfSchema = SCHEMA_TABLES.has(column.table ?? "");
    const isOfList = /^\s*pragma\s+(\w+\s*\.\s*)?table_list\b/i.test(prepared.piece.text);
    if (isOfSchema && SCHEMA_COLUMNS.has(column.column ?? "")) places.push(place);
    else if (isOfList && column.name === "name") places.push(place);
  }
  return places;
}

/** Whether a value from one of `schemaColumns` speaks of a table of our own. */
export function isOurs(value: unknown): boolean {
  if (typeof value !== "string") return false;
  return [STATE_TABLE, LOAD_TABLE].some(
    (table) => value === table || value.startsWith(`CREATE TABLE ${table} `),
  );
}
