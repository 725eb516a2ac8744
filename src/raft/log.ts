/**
 * The log without its bytes: which term each index has, and how large it is.
 *
 * Terms are kept as runs (a log of a million entries has a handful of terms), sizes as running
 * sums in one typed array, so that a long log costs eight bytes an entry and no objects.
 * Invariant: indexes are contiguous from the compacted one on, terms never decrease.
 * Chapter: 07-raft.
 */
import { assert, assertSafeInteger } from "#base";
import type { Index, Term, TermRun } from "./types.ts";

/** Entries that the sums have room for at first; doubles when full. */
const ROOM_ENTRIES_MIN = 64;

export interface TermLog {
  /** Last entry that was compacted away; 0 if none was. */
  readonly compactedIndex: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The term of an entry in the log or of the compacted one; undefined elsewhere. */
  termAt(index: Index): Term | undefined;
  /** Bytes of the entries `from` to `to`, both included; 0 when there are none. */
  bytesOf(from: Index, to: Index): number;
  sizesOf(from: Index, to: Index): number[];
  runsOf(from: Index, to: Index): TermRun[];
  /** The last index, at most `to`, with which `from` and its successors stay within the bytes. */
  lastWithin(from: Index, to: Index, bytesMax: number): Index;
  /**
   * The largest index up to `index` whose term is at most `term`: skips whole terms. Below the
   * log nothing is known, and the answer is `index` itself.
   */
  lastAtMost(index: Index, term: Term): Index;
  /** The first index, `from` to `to`, where the log ends or has another term than the runs. */
  firstMismatch(from: Index, to: Index, runs: readonly TermRun[]): Index | undefined;
  append(sizes: readonly number[], runs: readonly TermRun[]): void;
  truncateFrom(index: Index): void;
  compact(upTo: Index): void;
  /** Begins anew behind an entry that it does not have. */
  reset(index: Index, term: Term): void;
}

/**
 * Builds the log that the disk has.
 *
 * @throws InvariantError when runs and sizes contradict each other.
 */
export function createTermLog(boot: {
  readonly compactedIndex: Index;
  readonly compactedTerm: Term;
  readonly runs: readonly TermRun[];
  readonly sizes: readonly number[];
}): TermLog {
  const log = new RunLog(boot.compactedIndex, boot.compactedTerm);
  if (boot.sizes.length > 0) log.append(boot.sizes, boot.runs);
  else assert(boot.runs.length === 0, "raft: log: no entries, no runs");
  return log;
}

/** Half-open end of each run is the next run's first; the last run ends with the log. */
class RunLog implements TermLog {
  #compactedIndex: Index;
  #compactedTerm: Term;
  #lastIndex: Index;
  /** First index and term of each run, side by side, ascending. */
  readonly #runFirsts: Index[] = [];
  readonly #runTerms: Term[] = [];
  /** `#sums[i]`: bytes of all entries up to index `#sumsBase + i`, counted from some zero. */
  #sums = new Float64Array(ROOM_ENTRIES_MIN);
  #sumsBase: Index;

  constructor(compactedIndex: Index, compactedTerm: Term) {
    assertSafeInteger(compactedIndex, "compacted index");
    assertSafeInteger(compactedTerm, "compacted term");
    assert(
      compactedIndex > 0 || compactedTerm === 0,
      "raft: log: nothing compacted, no compacted term",
    );
    this.#compactedIndex = compactedIndex;
    this.#compactedTerm = compactedTerm;
    this.#lastIndex = compactedIndex;
    this.#sumsBase = compactedIndex;
  }

  get compactedIndex(): Index {
    return this.#compactedIndex;
  }

  get firstIndex(): Index {
    return this.#compactedIndex + 1;
  }

  get lastIndex(): Index {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runTerms.at(-1) ?? this.#compactedTerm;
  }

  termAt(index: Index): Term | undefined {
    if (index === this.#compactedIndex) return this.#compactedTerm;
    if (index < this.#compactedIndex || index > this.#lastIndex) return undefined;
    return this.#runTerms[this.#runAt(index)];
  }

  bytesOf(from: Index, to: Index): number {
    return to < from ? 0 : this.#sumAt(to) - this.#sumAt(from - 1);
  }

  sizesOf(from: Index, to: Index): number[] {
    const sizes: number[] = [];
    for (let index = from; index <= to; index += 1) {
      sizes.push(this.#sumAt(index) - this.#sumAt(index - 1));
    }
    return sizes;
  }

  runsOf(from: Index, to: Index): TermRun[] {
    const runs: TermRun[] = [];
    if (to < from) return runs;
    for (let run = this.#runAt(from); run < this.#runFirsts.length; run += 1) {
      const first = Math.max(this.#runFirsts[run]!, from);
      if (first > to) break;
      runs.push({ first, term: this.#runTerms[run]! });
    }
    return runs;
  }

  lastWithin(from: Index, to: Index, bytesMax: number): Index {
    const limit = this.#sumAt(from - 1) + bytesMax;
    if (this.#sumAt(to) <= limit) return to;
    // Sums never fall, so the border is found by halving. `low` always fits, `high` never does.
    let low = from - 1;
    let high = to;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#sumAt(middle) <= limit) low = middle;
      else high = middle;
    }
    return low;
  }

  lastAtMost(index: Index, term: Term): Index {
    let at = index;
    while (at > this.#compactedIndex && at <= this.#lastIndex) {
      const run = this.#runAt(at);
      if (this.#runTerms[run]! <= term) return at;
      at = this.#runFirsts[run]! - 1;
    }
    return at;
  }

  firstMismatch(from: Index, to: Index, runs: readonly TermRun[]): Index | undefined {
    for (const [i, run] of runs.entries()) {
      const runLast = Math.min((runs[i + 1]?.first ?? to + 1) - 1, to);
      let at = Math.max(run.first, from);
      while (at <= runLast) {
        if (at > this.#lastIndex || this.termAt(at) !== run.term) return at;
        at = this.#runLast(this.#runAt(at)) + 1;
      }
    }
    return undefined;
  }

  append(sizes: readonly number[], runs: readonly TermRun[]): void {
    const from = this.#lastIndex + 1;
    assert(sizes.length > 0, "raft: log: an append has entries");
    assert(runs[0]?.first === from, `raft: log: the first run starts at ${from}`);
    this.#makeRoom(sizes.length);
    let sum = this.#sumAt(this.#lastIndex);
    for (const size of sizes) {
      assert(Number.isSafeInteger(size) && size >= 0, `raft: log: a size of ${size}`);
      sum += size;
      this.#lastIndex += 1;
      this.#sums[this.#lastIndex - this.#sumsBase] = sum;
    }
    let lastFirst = from - 1;
    for (const { first, term } of runs) {
      assert(first > lastFirst, `raft: log: runs ascend, ${first} behind ${lastFirst}`);
      assert(first <= this.#lastIndex, `raft: log: a run at ${first} behind the last entry`);
      assertSafeInteger(term, "term");
      assert(term >= this.lastTerm, `raft: log: term ${term} at ${first} behind ${this.lastTerm}`);
      if (term !== this.#runTerms.at(-1)) {
        this.#runFirsts.push(first);
        this.#runTerms.push(term);
      }
      lastFirst = first;
    }
  }

  truncateFrom(index: Index): void {
    assert(index > this.#compactedIndex, `raft: log: cut at ${index}, compacted beyond`);
    assert(index <= this.#lastIndex, `raft: log: cut at ${index}, behind the last entry`);
    while ((this.#runFirsts.at(-1) ?? 0) >= index) {
      this.#runFirsts.pop();
      this.#runTerms.pop();
    }
    this.#lastIndex = index - 1;
  }

  compact(upTo: Index): void {
    if (upTo <= this.#compactedIndex) return;
    const term = this.termAt(upTo);
    assert(term !== undefined, `raft: log: compaction to ${upTo}, last is ${this.#lastIndex}`);
    const gone = upTo === this.#lastIndex ? this.#runFirsts.length : this.#runAt(upTo + 1);
    this.#runFirsts.splice(0, gone);
    this.#runTerms.splice(0, gone);
    this.#compactedIndex = upTo;
    this.#compactedTerm = term;
    if (this.#runFirsts.length > 0) {
      this.#runFirsts[0] = Math.max(this.#runFirsts[0]!, upTo + 1);
    }
  }

  reset(index: Index, term: Term): void {
    assert(index > this.#compactedIndex, `raft: log: reset to ${index}, compacted beyond`);
    assertSafeInteger(term, "term");
    this.#runFirsts.length = 0;
    this.#runTerms.length = 0;
    this.#compactedIndex = index;
    this.#compactedTerm = term;
    this.#lastIndex = index;
    this.#sums = new Float64Array(ROOM_ENTRIES_MIN);
    this.#sumsBase = index;
  }

  /** Position of the run that holds the index, which is in the log. */
  #runAt(index: Index): number {
    let low = 0;
    let high = this.#runFirsts.length - 1;
    // Almost every question is about the newest run.
    if (this.#runFirsts[high]! <= index) return high;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#runFirsts[middle]! <= index) low = middle;
      else high = middle;
    }
    return low;
  }

  #runLast(run: number): Index {
    return (this.#runFirsts[run + 1] ?? this.#lastIndex + 1) - 1;
  }

  #sumAt(index: Index): number {
    return this.#sums[index - this.#sumsBase]!;
  }

  /** Makes room for more sums: drops those of compacted entries, then doubles if need be. */
  #makeRoom(entries: number): void {
    const used = this.#lastIndex - this.#sumsBase + 1;
    if (used + entries <= this.#sums.length) return;
    const skipped = this.#compactedIndex - this.#sumsBase;
    const kept = this.#sums.subarray(skipped, used);
    const room = Math.max(ROOM_ENTRIES_MIN, 2 * (kept.length + entries));
    const sums = new Float64Array(room);
    sums.set(kept);
    this.#sums = sums;
    this.#sumsBase = this.#compactedIndex;
  }
}
