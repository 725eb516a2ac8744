/**
 * The data block: sorted versions, each key written as what differs from the one before it.
 *
 * An entry:
 *
 * | field    | type   | meaning                                                      |
 * | -------- | ------ | ------------------------------------------------------------ |
 * | shared   | varint | bytes that the key has in common with the one before it      |
 * | unshared | varint | bytes of the key behind those                                |
 * | tag      | varint | bytes of the value, times 2; plus 1 for a deletion           |
 * | sequence | varint | at least 1                                                   |
 * | suffix   | bytes  | the unshared bytes of the key                                |
 * | value    | bytes  |                                                              |
 *
 * Behind the last entry:
 *
 * | field    | type         | meaning                                                |
 * | -------- | ------------ | ------------------------------------------------------ |
 * | restarts | count x u32 LE | offsets of entries whose key is whole (shared is 0)  |
 * | count    | u32 LE       | at least 1; the first restart is at offset 0           |
 *
 * The restarts make a binary search possible where keys depend on the key before them.
 *
 * Invariant: whatever the bytes are, reading stays inside the block and comes to an end. A block
 * whose checksum is right may still come from a writer that is wrong.
 * Chapter: 03-sstable. Source: the block format of LevelDB, with the tag and the sequence beside
 * the key instead of inside it.
 */
import type { Bytes, Sequence } from "#base";
import { putU32, putVarint, U32_BYTES, VARINT_BYTES_MAX } from "#bytes";

/** Behind the last entry there is at least one restart and their number. */
const COUNT_BYTES = U32_BYTES;
/** The four numbers in front of a key at their longest. */
export const ENTRY_HEADER_BYTES_MAX: number = 4 * VARINT_BYTES_MAX;

const CONTINUES = 0x80;
const GROUP_MASK = 0x7f;
const GROUP_VALUES = 0x80;
const GROUP_BITS = 7;
/** The largest number that bit operations take as it is. */
const WORD_MAX = 2 ** 31 - 1;
/** The scale of the eighth group; a ninth would be above 2^53. */
const SCALE_MAX = GROUP_VALUES ** (VARINT_BYTES_MAX - 1);
/** Of the tag: an entry is at most 1 GiB, so that bit operations on the tag are exact. */
const TAG_MAX = 2 ** 31 - 1;
/** Suffixes shorter than this are copied byte by byte: making a view costs as much. */
export const SHORT_BYTES = 48;

/** What {@link findInBlock} answers when the block contradicts itself. */
export const DAMAGED = -1;

/** What stands in front of an entry's key. Filled in by {@link readEntry}. */
export interface EntryHeader {
  shared: number;
  unshared: number;
  valueBytes: number;
  isDeletion: boolean;
  sequence: Sequence;
  /** Where the suffix of the key begins; the value begins behind it. */
  suffixAt: number;
  /** Where the next entry begins. */
  end: number;
  /** Set by {@link findInBlock}: the entry has the key that was sought. */
  matches: boolean;
}

/** Makes a header to be filled in, over and over. */
export function createEntryHeader(): EntryHeader {
  return {
    shared: 0,
    unshared: 0,
    valueBytes: 0,
    isDeletion: false,
    // A double from the start, so that the field never changes its representation.
    sequence: Number.MAX_SAFE_INTEGER,
    suffixAt: 0,
    end: 0,
    matches: false,
  };
}

/** An entry to be written. */
export interface EntryToWrite {
  readonly shared: number;
  readonly key: Bytes;
  readonly value: Bytes | null;
  readonly sequence: Sequence;
}

/** Writes an entry where there is room for it. @returns the offset behind it. */
export function putEntry(
  target: Bytes,
  offset: number,
  shared: number,
  key: Bytes,
  value: Bytes | null,
  sequence: Sequence,
): number {
  const unshared = key.length - shared;
  let at = putNumber(target, offset, shared);
  at = putNumber(target, at, unshared);
  at = putNumber(target, at, value === null ? 1 : value.length * 2);
  at = putNumber(target, at, sequence);
  if (unshared < SHORT_BYTES) for (let i = shared; i < key.length; i += 1) target[at++] = key[i]!;
  else {
    target.set(shared === 0 ? key : key.subarray(shared), at);
    at += unshared;
  }
  if (value === null) return at;
  target.set(value, at);
  return at + value.length;
}

/** There is room. Most numbers fit bit operations, which are quicker than divisions. */
function putNumber(target: Bytes, offset: number, value: number): number {
  if (value > WORD_MAX) return putVarint(target, offset, value);
  let at = offset;
  let rest = value;
  for (; rest >= GROUP_VALUES; rest >>>= GROUP_BITS) target[at++] = (rest & GROUP_MASK) | CONTINUES;
  target[at] = rest;
  return at + 1;
}

/** Bytes that the restarts take. */
export function restartBytes(count: number): number {
  return (count + 1) * U32_BYTES;
}

/** Writes the restarts behind the entries. @returns the offset behind them. */
export function putRestarts(target: Bytes, offset: number, restarts: readonly number[]): number {
  let at = offset;
  for (const restart of restarts) {
    putU32(target, at, restart);
    at += U32_BYTES;
  }
  putU32(target, at, restarts.length);
  return at + COUNT_BYTES;
}

/** Where the restarts begin, and the entries end; {@link DAMAGED} if that cannot be. */
export function restartsAt(bytes: Bytes, from: number, size: number): number {
  if (size < COUNT_BYTES + U32_BYTES) return DAMAGED;
  const countAt = from + size - COUNT_BYTES;
  const count = load(bytes, countAt);
  // A difference and not a sum: `count` may be anything.
  if (count < 1 || count > (size - COUNT_BYTES) / U32_BYTES) return DAMAGED;
  return countAt - count * U32_BYTES;
}

/** The number of restarts of a block that {@link restartsAt} found sound. */
export function restartCount(from: number, size: number, restarts: number): number {
  return (from + size - COUNT_BYTES - restarts) / U32_BYTES;
}

/** The offset in the block that restart `index` gives. Not checked. */
export function restartOffset(bytes: Bytes, restarts: number, index: number): number {
  return load(bytes, restarts + index * U32_BYTES);
}

/**
 * Reads the header of the entry at `at`. Nothing is allocated.
 *
 * @param end - where the entries end. @returns false if the entry does not fit before it.
 */
export function readEntry(bytes: Bytes, at: number, end: number, entry: EntryHeader): boolean {
  let next = at;
  let shared = bytes[next++]!;
  if (shared >= CONTINUES) {
    shared &= GROUP_MASK;
    for (let scale = GROUP_VALUES, byte = CONTINUES; byte >= CONTINUES; scale *= GROUP_VALUES) {
      byte = scale > SCALE_MAX ? 0 : bytes[next++]!;
      shared += (byte & GROUP_MASK) * scale;
    }
  }
  let unshared = bytes[next++]!;
  if (unshared >= CONTINUES) {
    unshared &= GROUP_MASK;
    for (let scale = GROUP_VALUES, byte = CONTINUES; byte >= CONTINUES; scale *= GROUP_VALUES) {
      byte = scale > SCALE_MAX ? 0 : bytes[next++]!;
      unshared += (byte & GROUP_MASK) * scale;
    }
  }
  let tag = bytes[next++]!;
  if (tag >= CONTINUES) {
    tag &= GROUP_MASK;
    for (let scale = GROUP_VALUES, byte = CONTINUES; byte >= CONTINUES; scale *= GROUP_VALUES) {
      byte = scale > SCALE_MAX ? 0 : bytes[next++]!;
      tag += (byte & GROUP_MASK) * scale;
    }
  }
  let sequence = bytes[next++]!;
  if (sequence >= CONTINUES) {
    sequence &= GROUP_MASK;
    for (let scale = GROUP_VALUES, byte = CONTINUES; byte >= CONTINUES; scale *= GROUP_VALUES) {
      byte = scale > SCALE_MAX ? 0 : bytes[next++]!;
      sequence += (byte & GROUP_MASK) * scale;
    }
  }
  // Written so that NaN and undefined fail. Beyond its end a block may have neighbours, whose
  // bytes were then read as numbers; the sum below is what keeps them out.
  if (!(tag <= TAG_MAX && next + unshared + (tag >>> 1) <= end)) return false;
  entry.shared = shared;
  entry.unshared = unshared;
  entry.valueBytes = tag >>> 1;
  entry.isDeletion = (tag & 1) === 1;
  entry.sequence = sequence;
  entry.suffixAt = next;
  entry.end = next + unshared + (tag >>> 1);
  return entry.isDeletion ? tag === 1 : true;
}

/**
 * Finds the first version at or behind (`key`, `at`) in the order of versions, without rebuilding a
 * key: it is enough to know how many bytes of the sought key the last entry had in common with it.
 *
 * @param entry - becomes the header of what was found. The first `shared` bytes of its key are
 * those of `key`.
 * @returns the entry's place in `bytes`; the end of the entries if all are in front; DAMAGED.
 */
export function findInBlock(
  bytes: Bytes,
  from: number,
  size: number,
  key: Bytes,
  at: Sequence,
  entry: EntryHeader,
): number {
  const end = restartsAt(bytes, from, size);
  if (end === DAMAGED) return DAMAGED;
  entry.matches = false;
  const restart = lastRestartBefore(bytes, from, size, end, key, at, entry);
  if (restart === DAMAGED) return DAMAGED;
  const { length } = key;
  let matched = 0;
  let lengthBefore = 0;
  for (let place = restart; place < end; place = entry.end) {
    if (!readEntry(bytes, place, end, entry)) return DAMAGED;
    const { shared } = entry;
    if (shared > lengthBefore) return DAMAGED;
    lengthBefore = shared + entry.unshared;
    // More in common with the entry before it than the sought key has: it differs from that key
    // where the one before it did, so it comes in front of it as well.
    if (shared > matched) continue;
    const stop = Math.min(length, lengthBefore);
    let i = shared;
    let suffix = entry.suffixAt;
    while (i < stop && bytes[suffix] === key[i]) {
      i += 1;
      suffix += 1;
    }
    matched = i;
    if (i < stop) {
      if (bytes[suffix]! > key[i]!) return place;
    } else if (lengthBefore === length) {
      if (entry.sequence <= at) {
        entry.matches = true;
        return place;
      }
    } else if (lengthBefore > length) return place;
  }
  return end;
}

/** The last restart in front of (`key`, `at`); the first restart if there is none. */
function lastRestartBefore(
  bytes: Bytes,
  from: number,
  size: number,
  end: number,
  key: Bytes,
  at: Sequence,
  entry: EntryHeader,
): number {
  let low = 0;
  let high = restartCount(from, size, end) - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const place = from + restartOffset(bytes, end, middle);
    if (!readEntry(bytes, place, end, entry) || entry.shared !== 0) return DAMAGED;
    if (isBefore(bytes, entry, key, at)) low = middle;
    else high = middle - 1;
  }
  const place = from + restartOffset(bytes, end, low);
  return place < end ? place : DAMAGED;
}

/** Whether an entry with a whole key comes before (`key`, `at`). */
function isBefore(bytes: Bytes, entry: EntryHeader, key: Bytes, at: Sequence): boolean {
  const { unshared, suffixAt } = entry;
  const stop = Math.min(unshared, key.length);
  for (let i = 0; i < stop; i += 1) {
    const byte = bytes[suffixAt + i]!;
    if (byte !== key[i]) return byte < key[i]!;
  }
  if (unshared !== key.length) return unshared < key.length;
  return entry.sequence > at;
}

function load(bytes: Bytes, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
