/**
 * Which keys were committed lately: what conflicts are found with.
 *
 * Only commits above the read timestamp of a transaction that is open, or may yet begin, matter. So
 * the history is short. It need not survive a restart: no transaction does.
 *
 * Invariant: every commit that an open transaction does not see is here.
 * Chapter: 06-mvcc, steps 06.4 and 06.6
 */

import type { KeyText } from "./key-text.ts";
import type { ReadSet } from "./read-set.ts";
import type { Timestamp } from "./types.ts";
import type { WriteSet } from "./write-set.ts";

interface Commit {
  readonly timestamp: Timestamp;
  /** Of a transaction that has ended: it does not change any more. */
  readonly writes: WriteSet;
}

/** Up to so many commits are looked at one by one; beyond, a map of their keys is kept. */
const LISTED_MAX = 8;

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

  add(timestamp: Timestamp, writes: WriteSet): void {
    this.#commits.push({ timestamp, writes });
    if (this.#newest !== null) this.#note(timestamp, writes);
    else if (this.#commits.length > LISTED_MAX) this.#build();
  }

  forget(through: Timestamp): void {
    const kept = this.#firstAfter(through);
    if (kept === 0) return;
    const gone = this.#commits.splice(0, kept);
    if (this.#newest === null) return;
    if (this.#commits.length === 0) {
      this.#newest = null;
      return;
    }
    for (const { timestamp, writes } of gone) {
      for (const { key } of writes.values()) {
        if (this.#newest.get(key) === timestamp) this.#newest.delete(key);
      }
    }
  }

  writtenSince(since: Timestamp, writes: WriteSet): KeyText | undefined {
    const from = this.#firstAfter(since);
    if (from === this.#commits.length) return undefined;
    for (const { key } of writes.values()) if (this.#wasWritten(key, since, from)) return key;
    return undefined;
  }

  readSince(since: Timestamp, reads: ReadSet): KeyText | undefined {
    for (let i = this.#firstAfter(since); i < this.#commits.length; i += 1) {
      for (const { key } of this.#commits[i]!.writes.values()) if (reads.includes(key)) return key;
    }
    return undefined;
  }

  #wasWritten(key: KeyText, since: Timestamp, from: number): boolean {
    if (this.#newest !== null) return (this.#newest.get(key) ?? 0) > since;
    for (let i = from; i < this.#commits.length; i += 1) {
      if (this.#commits[i]!.writes.get(key) !== undefined) return true;
    }
    return false;
  }

  #build(): void {
    this.#newest = new Map();
    for (const { timestamp, writes } of this.#commits) this.#note(timestamp, writes);
  }

  #note(timestamp: Timestamp, writes: WriteSet): void {
    for (const { key } of writes.values()) this.#newest?.set(key, timestamp);
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
