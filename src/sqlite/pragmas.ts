/**
 * Which PRAGMAs clients may use.
 *
 * Three classes. *Disallowed* ones would take the engine out of our hands (journal, sync,
 * checkpoints): the whole request is refused before anything runs (compat reference, 4.8).
 * *Divergent* ones would make this replica run SQL differently from the others, or lose the setting
 * at a restart: refused one by one, in the log. The rest pass. Invariant (Q4): no client changes an
 * engine setting, in any spelling.
 *
 * SQLite carries out some PRAGMAs while it prepares them, even under EXPLAIN, so this is asked
 * first.
 * Chapter: 09-sqlite.
 */
import { type Piece, splitStatements } from "./split-statements.ts";
import { TokenKind, tokenAt, tokenEnd, tokenKind, unquote } from "./tokens.ts";
import type { Statement } from "./types.ts";

/** A PRAGMA, read from its text. */
export interface Pragma {
  /** In lower case, without schema. */
  readonly name: string;
  /** The argument of `= …` or `(…)`, unquoted; undefined for the reading form. */
  readonly value: string | undefined;
}

/** What a PRAGMA statement is to the writer. */
export type PragmaClass = "pass" | "disallowed" | "divergent" | "foreign-keys" | "ignored";

/** Refused with a value, or always (`true`). */
const DISALLOWED: Readonly<Record<string, "set" | "always">> = {
  journal_mode: "set",
  wal_autocheckpoint: "set",
  wal_checkpoint: "always",
  synchronous: "set",
  query_only: "set",
};

/** Settings of one connection that change what statements do or whether they fail. */
const DIVERGENT: ReadonlySet<string> = new Set([
  "busy_timeout",
  "case_sensitive_like",
  "count_changes",
  "empty_result_callbacks",
  "full_column_names",
  "hard_heap_limit",
  "ignore_check_constraints",
  "legacy_alter_table",
  "legacy_file_format",
  "locking_mode",
  "max_page_count",
  "recursive_triggers",
  "reverse_unordered_selects",
  "schema_version",
  "short_column_names",
  "soft_heap_limit",
  "trusted_schema",
  "writable_schema",
]);

/** Reads the PRAGMA in a statement, also behind EXPLAIN; undefined if it is none. */
export function pragmaOf(piece: Piece): Pragma | undefined {
  if (piece.verb !== "PRAGMA" && piece.verb !== "EXPLAIN") return undefined;
  const tokens = significantTokens(piece.text, PRAGMA_TOKENS_MAX);
  const at = tokens.findIndex((token, index) => index <= 3 && /^pragma$/i.test(token));
  if (at < 0) return undefined;
  const hasSchema = tokens[at + 2] === ".";
  const nameAt = hasSchema ? at + 3 : at + 1;
  const name = unquote(tokens[nameAt] ?? "").toLowerCase();
  const sign = tokens[nameAt + 1];
  if (sign !== "=" && sign !== "(") return { name, value: undefined };
  const first = tokens[nameAt + 2] ?? "";
  const isSigned = first === "-" || first === "+";
  const value = isSigned ? first + (tokens[nameAt + 3] ?? "") : unquote(first);
  return { name, value };
}

/**
 * Whether a statement reads the table `pragma_optimize`, which does what the PRAGMA does; other
 * tables of this kind only look, or do not exist.
 */
export function readsActingPragma({ text }: Piece): boolean {
  if (!ACTING_TABLE.test(text)) return false;
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    const end = tokenEnd(token);
    const kind = tokenKind(token);
    const isName = kind !== TokenKind.string && kind !== TokenKind.comment;
    if (isName && /^pragma_optimize$/i.test(unquote(text.slice(at, end)))) return true;
    at = end;
  }
  return false;
}

const ACTING_TABLE = /pragma_optimize/i;

/** What to do with a PRAGMA that comes through the log. */
export function classifyPragma(pragma: Pragma): PragmaClass {
  if (isDisallowed(pragma)) return "disallowed";
  // It analyses what this very connection has queried so far, which no other replica has.
  if (pragma.name === "optimize") return "ignored";
  if (pragma.value === undefined) return "pass";
  if (pragma.name === "foreign_keys") return "foreign-keys";
  return DIVERGENT.has(pragma.name) ? "divergent" : "pass";
}

/** SQLite's reading of a boolean argument; anything it does not know is false. */
export function pragmaBoolean(value: string): boolean {
  if (/^(on|yes|true)$/i.test(value)) return true;
  return /^[+-]?\d+$/.test(value) && Number(value) !== 0;
}

/** The first statement that holds a disallowed PRAGMA, or undefined. */
export function findDisallowedPragma(statements: readonly Statement[]): Statement | undefined {
  return statements.find(
    ({ sql }) =>
      MAY_BE_PRAGMA.test(sql) &&
      splitStatements(sql).pieces.some((piece) => {
        const pragma = pragmaOf(piece);
        return pragma !== undefined && isDisallowed(pragma);
      }),
  );
}

/** A cheap test that lets nearly every statement through without splitting it. */
const MAY_BE_PRAGMA = /pragma/i;

/** EXPLAIN QUERY PLAN PRAGMA schema . name = - value. */
const PRAGMA_TOKENS_MAX = 10;

function isDisallowed(pragma: Pragma): boolean {
  const rule = Object.hasOwn(DISALLOWED, pragma.name) ? DISALLOWED[pragma.name] : undefined;
  return rule === "always" || (rule === "set" && pragma.value !== undefined);
}

function significantTokens(text: string, countMax: number): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length && tokens.length < countMax; ) {
    const token = tokenAt(text, at);
    const end = tokenEnd(token);
    const kind = tokenKind(token);
    if (kind !== TokenKind.space && kind !== TokenKind.comment) tokens.push(text.slice(at, end));
    at = end;
  }
  return tokens;
}
