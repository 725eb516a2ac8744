/**
 * The naive model of a store: every commit there ever was, in a list. Support for the tests.
 */
import type { IsolationLevel } from "#mvcc/types";

/** One commit. A value that is null is a deletion. */
export interface ModelCommit {
  readonly timestamp: number;
  readonly changes: ReadonlyMap<string, string | null>;
}

/** A range of texts, as a scan has it. */
export interface ModelRange {
  readonly from: string;
  readonly before: string;
}

/** All commits, oldest first. */
export class Model {
  readonly commits: ModelCommit[] = [];

  /** Everything that a reader at a timestamp sees. */
  at(timestamp: number): Map<string, string> {
    const state = new Map<string, string>();
    for (const commit of this.commits) {
      if (commit.timestamp > timestamp) continue;
      for (const [key, value] of commit.changes) {
        if (value === null) state.delete(key);
        else state.set(key, value);
      }
    }
    return state;
  }
}

/** A transaction in the model. */
export class ModelTransaction {
  readonly own = new Map<string, string | null>();
  readonly keysRead = new Set<string>();
  readonly rangesRead: ModelRange[] = [];
  readonly #model: Model;
  readonly #timestamp: number;
  readonly #level: IsolationLevel;

  constructor(model: Model, timestamp: number, level: IsolationLevel) {
    this.#model = model;
    this.#timestamp = timestamp;
    this.#level = level;
  }

  get(key: string): string | undefined {
    const own = this.own.get(key);
    if (own !== undefined) return own ?? undefined;
    this.keysRead.add(key);
    return this.#model.at(this.#timestamp).get(key);
  }

  scan(range: ModelRange): [string, string][] {
    this.rangesRead.push(range);
    const state = this.#model.at(this.#timestamp);
    for (const [key, value] of this.own) {
      if (value === null) state.delete(key);
      else state.set(key, value);
    }
    return [...state]
      .filter(([key]) => key >= range.from && key < range.before)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Which rule refuses its commit; null: none. */
  refusal(): "T4" | "T5" | null {
    if (this.own.size === 0) return null;
    const since = this.#model.commits.filter(({ timestamp }) => timestamp > this.#timestamp);
    const keys = since.flatMap(({ changes }) => [...changes.keys()]);
    if (keys.some((key) => this.own.has(key))) return "T4";
    if (this.#level === "snapshot") return null;
    const wasRead = (key: string): boolean =>
      this.keysRead.has(key) ||
      this.rangesRead.some(({ from, before }) => key >= from && key < before);
    return keys.some(wasRead) ? "T5" : null;
  }
}
