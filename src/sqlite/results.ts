/**
 * The answers of one entry, as the JSON array of the response.
 *
 * Invariant: nothing here can change what has been applied; a value that cannot be written becomes
 * an error of its own statement.
 * Chapter: 09-sqlite.
 */
import { type Bytes, errorText } from "#base";
import { createNodeClock } from "#platform";
import type { Column } from "./prepare.ts";
import { renderError, renderRows, renderWrite, statementErrorText } from "./render.ts";
import type { StatementError } from "./sqlite-errors.ts";
import type { Rendering, SqlValue } from "./types.ts";

/** The counters that an answer to a write shows. */
export interface Effect {
  readonly lastInsertId: bigint;
  readonly changes: bigint;
}

const encoder = new TextEncoder();
const clock = createNodeClock();
const MS_PER_SECOND = 1000;

/** Gathers answers; does nothing if nobody waits for them. */
export class ResultWriter {
  readonly #rendering: Rendering;
  readonly #isWanted: boolean;
  readonly #parts: string[] = [];
  #startedAt = 0;

  constructor(rendering: Rendering, isWanted: boolean) {
    this.#rendering = rendering;
    this.#isWanted = isWanted;
  }

  /** The time in an answer counts from here. It is shown, and never stored. */
  startTimer(): void {
    if (this.#isWanted && this.#rendering.timings) this.#startedAt = clock.now();
  }

  write(effect: Effect): void {
    if (!this.#isWanted) return;
    const { lastInsertId, changes } = effect;
    this.#parts.push(
      renderWrite({ lastInsertId, rowsAffected: changes }, this.#rendering, this.#seconds()),
    );
  }

  rows(columns: readonly Column[], rows: readonly (readonly SqlValue[])[]): void {
    if (!this.#isWanted) return;
    try {
      this.#parts.push(renderRows(columns, rows, this.#rendering, this.#seconds()));
    } catch (error) {
      const text = statementErrorText(error) ?? errorText(error);
      this.#parts.push(renderError(text, this.#rendering, "read"));
    }
  }

  /** A text without statements. */
  empty(asRead: boolean): void {
    if (asRead) this.rows([], []);
    else this.write({ lastInsertId: 0n, changes: 0n });
  }

  error(error: StatementError, readsAreShown: boolean): void {
    const shape = readsAreShown && error.isRead && !error.atPrepare ? "read" : "write";
    this.text(error.message, shape);
  }

  text(message: string, shape: "read" | "write" = "write"): void {
    if (this.#isWanted) this.#parts.push(renderError(message, this.#rendering, shape));
  }

  /** UTF-8, or null if nobody waits. */
  finish(): Bytes | null {
    return this.#isWanted ? encoder.encode(`[${this.#parts.join(",")}]`) : null;
  }

  #seconds(): number {
    return this.#rendering.timings ? (clock.now() - this.#startedAt) / MS_PER_SECOND : 0;
  }
}
