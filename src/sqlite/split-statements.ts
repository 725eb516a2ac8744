/**
 * Cuts SQL text into statements, and finds out what each one needs before SQLite sees it.
 *
 * Invariant: the pieces are cut where SQLite's own parser ends a statement, also inside a trigger's
 * BEGIN and END, so nothing that a client sends can smuggle a second statement past the checks on
 * the first. Parameters are numbered by SQLite's rules, since the binding refuses a wrong count
 * instead of telling it.
 * Chapter: 09-sqlite.
 */
import { TokenKind, tokenAt, tokenEnd, tokenKind, unquote } from "./tokens.ts";

/** One statement of a text. */
export interface Piece {
  /** From its first to its last token: no leading or trailing comments, no semicolon. */
  readonly text: string;
  /**
   * Its first word in capitals: `SELECT`, `WITH`, `BEGIN`; empty if it begins with something else.
   */
  readonly verb: string;
  /**
   * One for each parameter number from 1 on: its name with prefix, `?NNN`, or null for a bare `?`.
   */
  readonly parameters: readonly (string | null)[];
  /** It names something that belongs to Cairn: such a piece may only read. */
  readonly namesReserved: boolean;
}

/** The statements of one text. */
export interface SplitSql {
  readonly pieces: readonly Piece[];
  /** A comment or a lone semicolon follows the last statement (compat reference, 4.4). */
  readonly endsEmpty: boolean;
}

/** Names that begin so belong to us. */
export const RESERVED_PREFIX = "_cairn";
const RESERVED = /_cairn/i;

/**
 * SQLite refuses higher numbers; checked here so that a number in a text cannot fill the memory.
 */
const PARAMETERS_MAX = 32_766;

/** Cuts `sql` into its statements. Text after a NUL is not seen, as SQLite does not see it. */
export function splitStatements(sql: string): SplitSql {
  const nul = sql.indexOf("\0");
  const text = nul < 0 ? sql : sql.slice(0, nul);
  const pieces: Piece[] = [];
  const scanner = new PieceScanner(text);
  let at = 0;
  let endsEmpty = false;
  while (at < text.length) {
    const token = tokenAt(text, at);
    const kind = tokenKind(token);
    const end = tokenEnd(token);
    if (kind === TokenKind.space) {
      // Space never begins or ends a statement.
    } else if (kind === TokenKind.comment) {
      if (!scanner.inPiece) endsEmpty = true;
    } else if (kind === TokenKind.semicolon) {
      if (!scanner.semicolonContinues(end)) {
        const piece = scanner.finish();
        if (piece !== undefined) pieces.push(piece);
        endsEmpty = piece === undefined;
      }
    } else {
      scanner.add(kind, at, end);
    }
    at = end;
  }
  const last = scanner.finish();
  if (last === undefined) return { pieces, endsEmpty };
  pieces.push(last);
  return { pieces, endsEmpty: false };
}

/** What a trigger body looks like to the splitter: only `; END` closes it. */
type TriggerState = "none" | "created" | "inside" | "after-semicolon" | "after-end";

/** Gathers the tokens of the statement under way. */
class PieceScanner {
  readonly #text: string;
  #from = -1;
  #end = -1;
  #wordCount = 0;
  #verb = "";
  #trigger: TriggerState = "none";
  #parameters: (string | null)[] = [];
  #numbers: Map<string, number> | undefined;
  #namesReserved = false;
  readonly #mayNameReserved: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#mayNameReserved = RESERVED.test(text);
  }

  get inPiece(): boolean {
    return this.#from >= 0;
  }

  /** Whether a semicolon that ends at `end` stands inside a trigger's body; takes it if so. */
  semicolonContinues(end: number): boolean {
    if (this.#trigger !== "inside" && this.#trigger !== "after-semicolon") return false;
    this.#trigger = "after-semicolon";
    this.#end = end;
    return true;
  }

  add(kind: number, from: number, end: number): void {
    if (this.#from < 0) this.#from = from;
    this.#end = end;
    if (kind === TokenKind.word) this.#addWord(from, end);
    else {
      if (this.#wordCount === 0) this.#wordCount = WORDS_THAT_DECIDE;
      this.#leaveEnd();
      if (kind === TokenKind.parameter) this.#addParameter(this.#text.slice(from, end));
    }
    if (this.#mayNameReserved && kind !== TokenKind.string) {
      const name = unquote(this.#text.slice(from, end)).toLowerCase();
      if (name.startsWith(RESERVED_PREFIX)) this.#namesReserved = true;
    }
  }

  finish(): Piece | undefined {
    if (this.#from < 0) return undefined;
    const piece: Piece = {
      text: this.#text.slice(this.#from, this.#end),
      verb: this.#verb,
      parameters: this.#parameters,
      namesReserved: this.#namesReserved,
    };
    this.#from = -1;
    this.#wordCount = 0;
    this.#verb = "";
    this.#trigger = "none";
    this.#parameters = [];
    this.#numbers = undefined;
    this.#namesReserved = false;
    return piece;
  }

  #addWord(from: number, end: number): void {
    if (this.#wordCount < WORDS_THAT_DECIDE) {
      const word = this.#text.slice(from, end).toUpperCase();
      if (this.#wordCount === 0) this.#verb = word;
      this.#wordCount += 1;
      if (word === "CREATE") this.#trigger = "created";
      else if (this.#trigger === "created") {
        if (word === "TRIGGER") this.#trigger = "inside";
        else if (word !== "TEMP" && word !== "TEMPORARY") this.#trigger = "none";
      }
      return;
    }
    if (this.#trigger === "after-semicolon" && /^end$/i.test(this.#text.slice(from, end))) {
      this.#trigger = "after-end";
    } else this.#leaveEnd();
  }

  /** A token after `; END` or after `;` means that the body goes on. */
  #leaveEnd(): void {
    if (this.#trigger === "after-end" || this.#trigger === "after-semicolon") {
      this.#trigger = "inside";
    }
  }

  #addParameter(token: string): void {
    if (token === "?") {
      this.#parameters.push(null);
      return;
    }
    this.#numbers ??= new Map();
    if (token.startsWith("?")) {
      const number = Number(token.slice(1));
      if (number < 1 || number > PARAMETERS_MAX) return;
      while (this.#parameters.length < number) this.#parameters.push(null);
      this.#parameters[number - 1] ??= token;
    } else if (!this.#numbers.has(token)) {
      this.#parameters.push(token);
      this.#numbers.set(token, this.#parameters.length);
    }
  }
}

/**
 * `EXPLAIN QUERY PLAN CREATE TEMP TRIGGER`: after six words a statement is a trigger or it is not.
 */
const WORDS_THAT_DECIDE = 6;
