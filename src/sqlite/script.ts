/**
 * SQL texts, split and sorted out once, with their prepared statements.
 *
 * Most entries of a log carry the same few texts with other parameters; splitting and preparing one
 * costs more than running it. Invariant: a kept statement was prepared against the schema as it is,
 * and would be planned the same way if it were prepared now, so a replica that has just started
 * runs it no differently.
 * Chapter: 09-sqlite.
 */
import type Database from "better-sqlite3";
import { classifyPragma, pragmaBoolean, pragmaOf, readsActingPragma } from "./pragmas.ts";
import { type Prepared, prepareLenient } from "./prepare.ts";
import { type Piece, splitStatements } from "./split-statements.ts";
import { type Control, controlOf } from "./transaction-control.ts";

/**
 * SQLite's own date functions refuse to look at the clock for an index; ours cannot see what they
 * are called for, so the usual spellings are caught here.
 */
const INDEX_ON_THE_PRESENT: RegExp = new RegExp(
  [
    String.raw`^create\s+(?:unique\s+)?index\b[\s\S]*(?:'now'`,
    String.raw`\bcurrent_(?:date|time|timestamp)\b`,
    String.raw`\b(?:date|time|datetime|julianday|unixepoch)\s*\(\s*\))`,
  ].join("|"),
  "i",
);

/** What the writer does with a statement. */
export type Action =
  | { readonly kind: "run" }
  | { readonly kind: "control"; readonly control: Control }
  | { readonly kind: "vacuum" }
  | { readonly kind: "foreign-keys"; readonly on: boolean }
  /** Has a meaning within a transaction only. */
  | { readonly kind: "defer-foreign-keys" }
  | { readonly kind: "ignored" }
  | { readonly kind: "refused"; readonly message: string };

/** One statement with all that is known about it. */
export interface Step {
  readonly piece: Piece;
  readonly action: Action;
  /** INSERT, UPDATE, DELETE and the like: it sets the counters. */
  readonly changesRows: boolean;
  /** It may change the schema, so that prepared statements must be thought of anew. */
  readonly changesSchema: boolean;
  /** It may ask for `changes()` or `last_insert_rowid()`. */
  readonly asksForCounters: boolean;
}

/** One SQL text. */
export interface Script {
  readonly steps: readonly Step[];
  readonly endsEmpty: boolean;
  /** It cannot share a transaction with other entries. */
  readonly needsOwnTransactions: boolean;
  /** It speaks of deferred foreign keys. */
  readonly mentionsDeferral: boolean;
  /** It may make temporary objects, which live as long as the entry. */
  readonly makesTemporary: boolean;
}

const ROW_VERBS: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"]);
const READ_VERBS: ReadonlySet<string> = new Set(["SELECT", "VALUES", "EXPLAIN", "PRAGMA"]);

/** SQLite's counters, in a statement or in the schema. */
export const ASKS_FOR_COUNTERS: RegExp = /changes\W*\(|last_insert_rowid/i;

/**
 * Plans of such texts may depend on the moment when SQLite makes them: a constant time in a WHERE.
 */
const PLAN_DEPENDS_ON_TIME = /\b(?:date|time|datetime|julianday|unixepoch|strftime|current_\w+)\b/i;

/** Sorts out a text. */
export function planScript(sql: string): Script {
  const { pieces, endsEmpty } = splitStatements(sql);
  const steps = pieces.map(planStep);
  return {
    steps,
    endsEmpty,
    needsOwnTransactions: steps.some(
      ({ action }) => action.kind === "vacuum" || action.kind === "foreign-keys",
    ),
    mentionsDeferral: /defer/i.test(sql),
    makesTemporary: pieces.some(
      (piece) => piece.verb === "CREATE" && /\btemp(?:orary)?\b/i.test(piece.text),
    ),
  };
}

function planStep(piece: Piece): Step {
  const changesRows = ROW_VERBS.has(piece.verb);
  const action = actionOf(piece);
  const changesSchema = action.kind === "run" && !changesRows && !READ_VERBS.has(piece.verb);
  const asksForCounters = ASKS_FOR_COUNTERS.test(piece.text);
  return { piece, action, changesRows, changesSchema, asksForCounters };
}

function actionOf(piece: Piece): Action {
  const control = controlOf(piece);
  if (control !== undefined) return { kind: "control", control };
  if (piece.verb === "ATTACH" || piece.verb === "DETACH") {
    return { kind: "refused", message: "not authorized" };
  }
  if (piece.verb === "VACUUM") {
    // VACUUM INTO writes a file wherever a client says, on every node.
    return /\binto\b/i.test(piece.text)
      ? { kind: "refused", message: "not authorized" }
      : { kind: "vacuum" };
  }
  if (piece.verb === "CREATE" && INDEX_ON_THE_PRESENT.test(piece.text)) {
    return { kind: "refused", message: "non-deterministic use of a date function in an index" };
  }
  if (readsActingPragma(piece)) return { kind: "refused", message: "disallowed pragma" };
  const pragma = pragmaOf(piece);
  if (pragma === undefined) return { kind: "run" };
  switch (classifyPragma(pragma)) {
    case "disallowed":
    case "divergent":
      return { kind: "refused", message: "disallowed pragma" };
    case "ignored":
      return { kind: "ignored" };
    case "foreign-keys":
      return { kind: "foreign-keys", on: pragmaBoolean(pragma.value ?? "") };
    case "pass":
      return pragma.name === "defer_foreign_keys"
        ? { kind: "defer-foreign-keys" }
        : { kind: "run" };
  }
}

/**
 * Texts kept. A text with its statements takes a few kilobytes; 1024 cover what applications send.
 */
const SCRIPTS_MAX = 1024;
/** Longer texts are dumps and bulk inserts, which do not come again. */
const TEXT_LENGTH_MAX = 4096;

/** Scripts and prepared statements of one connection. */
export interface ScriptCache {
  script(sql: string): Script;
  /** The statement, from the cache or new. @throws SQLite's error. */
  prepare(step: Step): Prepared;
  /** The schema has changed. */
  forgetStatements(): void;
}

/** An empty cache over `database`. */
export function createScriptCache(database: Database.Database): ScriptCache {
  const scripts = new Map<string, Script>();
  let statements = new WeakMap<Step, Prepared>();
  return {
    script(sql) {
      const known = scripts.get(sql);
      if (known !== undefined) {
        // Moved to the end: a Map keeps the order of insertion, and the oldest goes first.
        scripts.delete(sql);
        scripts.set(sql, known);
        return known;
      }
      const script = planScript(sql);
      if (sql.length <= TEXT_LENGTH_MAX) {
        scripts.set(sql, script);
        if (scripts.size > SCRIPTS_MAX) {
          for (const oldest of scripts.keys()) {
            scripts.delete(oldest);
            break;
          }
        }
      }
      return script;
    },
    prepare(step) {
      const known = statements.get(step);
      if (known !== undefined) return known;
      const prepared = prepareLenient(database, step.piece);
      const { text } = step.piece;
      if (!(/\bwhere\b/i.test(text) && PLAN_DEPENDS_ON_TIME.test(text))) {
        statements.set(step, prepared);
      }
      return prepared;
    },
    forgetStatements() {
      statements = new WeakMap();
    },
  };
}
