/**
 * BEGIN, COMMIT, ROLLBACK and savepoints of clients, kept apart from our own transaction.
 *
 * A batch of entries is one SQLite transaction; nothing that a client writes may end it. So a
 * client's transaction is a savepoint inside ours, and SQLite's answers to misplaced commands are
 * given here. Invariant: after `close`, and only then, no savepoint of a client is open.
 * Chapter: 09-sqlite.
 */
import type { Piece } from "./split-statements.ts";
import { TokenKind, tokenAt, tokenEnd, tokenKind, unquote } from "./tokens.ts";

/** A statement that controls transactions. */
export type Control =
  | { readonly kind: "begin" | "commit" | "rollback" }
  | { readonly kind: "savepoint" | "release" | "rollback-to"; readonly name: string };

/** Verbs that {@link controlOf} knows. */
export const CONTROL_VERBS: ReadonlySet<string> = new Set([
  "BEGIN",
  "COMMIT",
  "END",
  "ROLLBACK",
  "SAVEPOINT",
  "RELEASE",
]);

/** Reads a control statement, whose syntax SQLite has already checked. */
export function controlOf(piece: Piece): Control | undefined {
  if (!CONTROL_VERBS.has(piece.verb)) return undefined;
  const words = wordsOf(piece.text);
  const last = words.at(-1) ?? "";
  switch (piece.verb) {
    case "BEGIN":
      return { kind: "begin" };
    case "COMMIT":
    case "END":
      return { kind: "commit" };
    case "SAVEPOINT":
      return { kind: "savepoint", name: last };
    case "RELEASE":
      return { kind: "release", name: last };
    default:
      return words.some((word) => /^to$/i.test(word))
        ? { kind: "rollback-to", name: last }
        : { kind: "rollback" };
  }
}

/** A control statement in the wrong place: SQLite's own words. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

/** How a client's outermost transaction begins and ends. */
export interface OuterTransaction {
  begin(): void;
  /** May throw, and then the transaction is still open. */
  commit(): void;
  rollback(): void;
}

/** The transaction of one client, if any, within one entry. */
export class ClientTransaction {
  readonly #outer: OuterTransaction;
  readonly #run: (sql: string) => void;
  #isOpen = false;
  /** It began with SAVEPOINT, and ends when that one is released. */
  #beganAsSavepoint = false;
  #savepoints: string[] = [];
  /** The request itself is the transaction: only savepoints are the client's. */
  #isEnclosed = false;

  /** @param run - runs one statement on the connection. */
  constructor(outer: OuterTransaction, run: (sql: string) => void) {
    this.#outer = outer;
    this.#run = run;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The transaction is the request's from its first statement to its last. */
  enclose(): void {
    this.#isOpen = true;
    this.#isEnclosed = true;
  }

  /** Carries out a control statement. @throws ControlError */
  control(control: Control): void {
    switch (control.kind) {
      case "begin":
        if (this.#isOpen) {
          throw new ControlError("cannot start a transaction within a transaction");
        }
        this.#open(false);
        break;
      case "commit":
        this.#expectOwn("commit");
        this.#outer.commit();
        this.forget();
        break;
      case "rollback":
        this.#expectOwn("rollback");
        this.rollback();
        break;
      case "savepoint":
        if (!this.#isOpen) this.#open(true);
        this.#run(`SAVEPOINT ${quoted(control.name)}`);
        this.#savepoints.push(control.name.toLowerCase());
        break;
      case "release":
        this.#release(control.name);
        break;
      case "rollback-to":
        this.#cutTo(control.name, 1);
        this.#run(`ROLLBACK TO ${quoted(control.name)}`);
    }
  }

  /** Undoes an open transaction; does nothing if none is. */
  rollback(): void {
    if (!this.#isOpen || this.#isEnclosed) return;
    this.#outer.rollback();
    this.forget();
  }

  /** SQLite has already ended the transaction. */
  forget(): void {
    this.#isOpen = false;
    this.#savepoints = [];
  }

  #expectOwn(verb: string): void {
    if (this.#isOpen && !this.#isEnclosed) return;
    throw new ControlError(`cannot ${verb} - no transaction is active`);
  }

  #open(asSavepoint: boolean): void {
    this.#outer.begin();
    this.#isOpen = true;
    this.#beganAsSavepoint = asSavepoint;
  }

  #release(name: string): void {
    const index = this.#indexOf(name);
    if (index === 0 && this.#beganAsSavepoint) {
      this.#outer.commit();
      this.forget();
      return;
    }
    this.#run(`RELEASE ${quoted(name)}`);
    this.#savepoints.length = index;
  }

  #cutTo(name: string, keep: number): void {
    this.#savepoints.length = this.#indexOf(name) + keep;
  }

  #indexOf(name: string): number {
    const index = this.#savepoints.lastIndexOf(name.toLowerCase());
    if (index < 0) throw new ControlError(`no such savepoint: ${name}`);
    return index;
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    const end = tokenEnd(token);
    const kind = tokenKind(token);
    if (kind !== TokenKind.space && kind !== TokenKind.comment) {
      words.push(unquote(text.slice(at, end)));
    }
    at = end;
  }
  return words;
}
