/**
 * Walks a whole data block and finds everything that a right writer would not have written.
 *
 * Lookups trust the order of a block whose checksum is right; this does not.
 *
 * Invariant: every entry handed out is in strict order behind the one before it.
 * Chapter: 03-sstable
 */
import type { Bytes, Sequence } from "#base";
import {
  createEntryHeader,
  DAMAGED,
  type EntryHeader,
  readEntry,
  restartCount,
  restartOffset,
  restartsAt,
} from "./data-block.ts";

/**
 * Hands out every entry in order.
 *
 * @param onEntry - called with the header, filled in anew each time, and a view of the whole key.
 * @returns what is wrong, in words; entries in front of it were handed out.
 */
export function walkBlock(
  bytes: Bytes,
  from: number,
  size: number,
  onEntry: (entry: EntryHeader, key: Bytes) => void,
): string | null {
  const end = restartsAt(bytes, from, size);
  if (end === DAMAGED) return "its restarts do not fit";
  const restarts = restartCount(from, size, end);
  const last = createLast(end - from);
  const entry = createEntryHeader();
  let restart = 0;
  let place = from;
  for (; place < end; place = entry.end) {
    const at = place - from;
    if (!readEntry(bytes, place, end, entry)) return `entry at ${at} does not fit`;
    const isRestart = restart < restarts && restartOffset(bytes, end, restart) === at;
    if (isRestart) restart += 1;
    const problem = problemOf(bytes, entry, last, isRestart);
    if (problem !== null) return `entry at ${at}: ${problem}`;
    last.key.set(bytes.subarray(entry.suffixAt, entry.suffixAt + entry.unshared), entry.shared);
    last.bytes = entry.shared + entry.unshared;
    last.sequence = entry.sequence;
    onEntry(entry, last.key.subarray(0, last.bytes));
  }
  if (place === from) return "it has no entries";
  return restart === restarts ? null : "a restart is at no entry";
}

/** The entry before: its key is the first `bytes` bytes of `key`. */
interface Last {
  readonly key: Bytes;
  bytes: number;
  /** 0 in front of the first entry. */
  sequence: Sequence;
}

function createLast(blockBytes: number): Last {
  // A key is put together from bytes of the block, so it is no longer than that.
  return { key: new Uint8Array(blockBytes), bytes: 0, sequence: 0 };
}

/** What is wrong with an entry behind the last one. */
function problemOf(
  bytes: Bytes,
  entry: EntryHeader,
  last: Last,
  isRestart: boolean,
): string | null {
  const { shared, unshared, suffixAt, sequence } = entry;
  const isFirst = last.sequence === 0;
  if (sequence < 1 || !Number.isSafeInteger(sequence)) return `sequence ${sequence}`;
  if (isRestart && shared !== 0) return "a restart whose key is not whole";
  if (isFirst && !isRestart) return "the first entry is no restart";
  if (shared > last.bytes) return `shares ${shared} bytes of ${last.bytes}`;
  const keyBytes = shared + unshared;
  let common = shared;
  const stop = Math.min(keyBytes, last.bytes);
  while (common < stop && bytes[suffixAt + common - shared] === last.key[common]) common += 1;
  if (!isRestart && common !== shared) return `shares ${shared} bytes and could ${common}`;
  if (isFirst) return null;
  if (common === last.bytes) {
    const isVersion = common === keyBytes;
    return isVersion && sequence >= last.sequence ? "sequence out of order" : null;
  }
  const isAbove = common < keyBytes && bytes[suffixAt + common - shared]! > last.key[common]!;
  return isAbove ? null : "key out of order";
}
