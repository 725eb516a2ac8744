/**
 * What the Raft log keeps in memory of each entry: LSN, term, size, and the newest ones' bytes.
 *
 * Invariant: indexes are contiguous from the compacted one on, and the cached bytes are those of
 * the newest entries. Chapter: 08-replica.
 */
import type { Index, Term, TermRun } from "#raft/types";
import type { Lsn } from "#wal/types";

/** Bytes of the newest entries kept in memory: what followers that keep up are served from. */
const CACHE_BYTES_MAX = 32 * 1024 * 1024;

/** What is known of one entry without reading it. */
export interface EntrySlot {
  readonly term: Term;
  readonly lsn: Lsn;
  readonly size: number;
  bytes: Uint8Array | undefined;
}

/** The entries behind the compacted point; index `base + 1` is at position 0. */
export class EntryTable {
  base: Index = 0;
  baseTerm: Term = 0;
  readonly #slots: EntrySlot[] = [];
  #cachedFrom: Index = 1;
  #cachedBytes = 0;

  get lastIndex(): Index {
    return this.base + this.#slots.length;
  }

  at(index: Index): EntrySlot | undefined {
    return this.#slots[index - this.base - 1];
  }

  push(slot: EntrySlot): void {
    this.#slots.push(slot);
    if (slot.bytes === undefined) {
      this.#cachedFrom = this.lastIndex + 1;
      return;
    }
    this.#cachedBytes += slot.size;
    // The newest entry stays even if it alone is above the limit: it is about to be sent.
    while (this.#cachedBytes > CACHE_BYTES_MAX && this.#cachedFrom < this.lastIndex) {
      this.#evict(this.at(this.#cachedFrom));
      this.#cachedFrom += 1;
    }
  }

  #evict(slot: EntrySlot | undefined): void {
    if (slot?.bytes === undefined) return;
    this.#cachedBytes -= slot.size;
    slot.bytes = undefined;
  }

  cutFrom(from: Index): void {
    for (let index = from; index <= this.lastIndex; index += 1) this.#evict(this.at(index));
    this.#slots.length = Math.max(0, from - this.base - 1);
    this.#cachedFrom = Math.min(this.#cachedFrom, this.lastIndex + 1);
  }

  forget(upTo: Index, term: Term): void {
    for (let index = this.base + 1; index <= Math.min(upTo, this.lastIndex); index += 1) {
      this.#evict(this.at(index));
    }
    this.#slots.splice(0, upTo - this.base);
    this.base = upTo;
    this.baseTerm = term;
    this.#cachedFrom = Math.max(this.#cachedFrom, upTo + 1);
  }

  /** Forgets everything: the entries begin behind `index` from here on. */
  restart(index: Index, term: Term): void {
    this.cutFrom(this.base + 1);
    this.base = index;
    this.baseTerm = term;
    this.#cachedFrom = index + 1;
  }

  runs(): TermRun[] {
    const runs: TermRun[] = [];
    this.#slots.forEach((slot, position) => {
      if (runs.at(-1)?.term !== slot.term) {
        runs.push({ first: this.base + 1 + position, term: slot.term });
      }
    });
    return runs;
  }

  sizes(): number[] {
    return this.#slots.map((slot) => slot.size);
  }
}
