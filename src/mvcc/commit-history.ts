/**
 * Which keys were committed lately: what conflicts are found with.
 *
 * Only commits above the read timestamp of a transaction that may yet write, or may yet begin,
 * matter. So the history is short. It need not survive a restart: no transaction does.
 *
 * While such a transaction is open for long, the history grows with the keys that are written
 * meanwhile, not with the commits: of each key only the newest commit counts, and values do not.
 *
 * Invariant: of every key that was committed, and that such a transaction does not see, the newest
 * commit is here.
 * Chapter: 06-mvcc, steps 06.4 and 06.6
 */

import type { KeyText } from "./key-text.ts";
import type { ReadSet } from "./read-set.ts";
import type { Timestamp } from "./types.ts";
import type { WriteSet } from "./write-set.ts";

interface Commit {
  readonly timestamp: Timestamp;
  /** In the short list, the writes themselves. They do not change any more. */
  readonly keys: Pick<ReadonlySet<KeyText>, "has" | "keys">;
}

/** Up to so many commits are looked at one by one; beyond, a map of their keys is kept. */
const LISTED_MAX = 8;
/** Keys that were committed again are sought out when there may be so many, and half of all are. */
const REPEATED_MAX = 1024;

/** The commits that an open transaction may conflict with. */
export interface CommitHistory {
  /** @param timestamp - above all earlier ones. */
  add(timestamp: Timestamp, writes: WriteSet): void;
  /** Forgets commits at or below a timestamp: everybody sees them. */
  forget(through: Timestamp): void;
  /** A key that was committed after `since` and is written again; undefined if there is none. */
  writtenSince(since: Timestamp, writes: WriteSet): KeyText | undefined;
  /** A key that was committed after `since` and was read; undefined if there is none. */
  readSince(since: Timestamp, reads: ReadSet): KeyText | undefined;
}

/** Makes an empty history. */
export function createCommitHistory(): CommitHistory {
  return new Recent();
}

class Recent implements CommitHistory {
  /** Oldest first. */
  #commits: Commit[] = [];
  /** The newest commit of each key in there; null while the list is short. */
  #newest: Map<KeyText, Timestamp> | null = null;
  /** In all commits together, when there is a map. */
  #keys = 0;

  add(timestamp: Timestamp, writes: WriteSet): void {
    if (this.#newest === null && this.#commits.length < LISTED_MAX) {
      this.#commits.push({ timestamp, keys: writes });
      return;
    }
    this.#newest ??= this.#build();
    this.#commits.push(this.#noted(timestamp, writes, this.#newest));
    if (this.#keys > 2 * this.#newest.size + REPEATED_MAX) this.#tidy(this.#newest);
  }

  forget(through: Timestamp): void {
    const kept = this.#firstAfter(through);
    if (kept === 0) return;
    const gone = this.#commits.splice(0, kept);
    if (this.#newest === null) return;
    if (this.#commits.length === 0) {
      this.#newest = null;
      this.#keys = 0;
      return;
    }
    for (const { timestamp, keys } of gone) {
      for (const key of keys.keys()) {
        this.#keys -= 1;
        if (this.#newest.get(key) === timestamp) this.#newest.delete(key);
      }
    }
  }

  writtenSince(since: Timestamp, writes: WriteSet): KeyText | undefined {
    const from = this.#firstAfter(since);
    if (from === this.#commits.length) return undefined;
    for (const key of writes.keys()) if (this.#wasWritten(key, since, from)) return key;
    return undefined;
  }

  readSince(since: Timestamp, reads: ReadSet): KeyText | undefined {
    for (let i = this.#firstAfter(since); i < this.#commits.length; i += 1) {
      for (const key of this.#commits[i]!.keys.keys()) if (reads.includes(key)) return key;
    }
    return undefined;
  }

  #wasWritten(key: KeyText, since: Timestamp, from: number): boolean {
    if (this.#newest !== null) return (this.#newest.get(key) ?? 0) > since;
    for (let i = from; i < this.#commits.length; i += 1) {
      if (this.#commits[i]!.keys.has(key)) return true;
    }
    return false;
  }

  #build(): Map<KeyText, Timestamp> {
    const newest = new Map<KeyText, Timestamp>();
    this.#keys = 0;
    this.#commits = this.#commits.map(({ timestamp, keys }) =>
      this.#noted(timestamp, keys, newest),
    );
    return newest;
  }

  /** The commit without its values. */
  #noted(timestamp: Timestamp, from: Commit["keys"], newest: Map<KeyText, Timestamp>): Commit {
    const keys = new Set(from.keys());
    for (const key of keys) newest.set(key, timestamp);
    this.#keys += keys.size;
    return { timestamp, keys };
  }

  /** Leaves each key in its newest commit only. */
  #tidy(newest: ReadonlyMap<KeyText, Timestamp>): void {
    const tidied: Commit[] = [];
    for (const { timestamp, keys } of this.#commits) {
      const kept = new Set([...keys.keys()].filter((key) => newest.get(key) === timestamp));
      if (kept.size > 0) tidied.push({ timestamp, keys: kept });
    }
    this.#commits = tidied;
    this.#keys = newest.size;
  }

  /** Position of the first commit above a timestamp. */
  #firstAfter(timestamp: Timestamp): number {
    let from = 0;
    let before = this.#commits.length;
    while (from < before) {
      const middle = (from + before) >>> 1;
      if (this.#commits[middle]!.timestamp <= timestamp) from = middle + 1;
      else before = middle;
    }
    return from;
  }
}
