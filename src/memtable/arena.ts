/**
 * The arena: one growing piece of memory that holds every version of every key.
 *
 * One entry is a header of six words, the key, and the value. An entry is referred to by the word
 * that it starts at: its reference. 0 refers to nothing. Nothing of this is ever on disk.
 *
 * | word | field      | meaning                                                             |
 * | ---: | ---------- | ------------------------------------------------------------------- |
 * |    0 | older      | reference to the next older version of the same key, or 0           |
 * |    1 | sequence   | its low 32 bits                                                     |
 * |    2 | sequence   | its high 21 bits; bit 31 is set for a deletion                      |
 * |    3 | keyBytes   | the key starts right behind the header                              |
 * |    4 | valueBytes | the value starts right behind the key                               |
 * |    5 | roomBytes  | for a value, before the next entry: it may be written over in place |
 *
 * Invariant: an entry never moves against the start, and its key never changes, so that a
 * reference leads to the same key for good. When the memory grows, the old piece stays as it was.
 * Chapter: 02-memtable
 */
import { assert, type Bytes, type Sequence } from "#base";

const SEQUENCE_LOW = 1;
const SEQUENCE_HIGH = 2;
const KEY_BYTES = 3;
const VALUE_BYTES = 4;
const ROOM_BYTES = 5;
/** Words in front of a key. */
export const HEADER_WORDS: number = ROOM_BYTES + 1;
export const WORD_BYTES = 4;
/**
 * Entries start at every second word: bytes that are aligned as the processor likes it are copied
 * twice as fast. The first two words stay empty, so that no entry has reference 0.
 */
const ALIGNMENT_WORDS = 2;
const ALIGNMENT_BYTES = ALIGNMENT_WORDS * WORD_BYTES;
const FIRST_REFERENCE: number = ALIGNMENT_WORDS;
assert(HEADER_WORDS % ALIGNMENT_WORDS === 0, "memtable: a key starts aligned");

const DELETION_BIT = 0x8000_0000;
const HIGH_MASK = 0x7fff_ffff;
const TWO_32 = 2 ** 32;
/** Above this, `set` copies faster than a loop; measured. */
const LOOP_BYTES_MAX = 8;

/** What it takes to read entries, on any thread. */
export interface Entries {
  readonly bytes: Bytes;
  /** The same memory, as words. */
  readonly words: Uint32Array;
  /** Words from the start that are in use. */
  readonly wordsUsed: number;
}

/** Entries that may still be made. */
export interface Arena extends Entries {
  /**
   * Makes an entry with a key and no version yet.
   *
   * @param roomBytes - for values, now and later.
   * @returns its reference.
   */
  allocate(key: Bytes, roomBytes: number): number;
  /**
   * Gives an entry its version. There must be room for the value. The arguments are not one object
   * because this is done for each put.
   *
   * @param value - null: a deletion.
   * @param older - reference to the next older version that is kept, or 0.
   */
  write(reference: number, value: Bytes | null, sequence: Sequence, older: number): void;
}

/**
 * Makes an empty arena.
 *
 * @param bytesInitial - memory to take at once.
 * @param used - memory of another arena, whatever it holds, to be taken if it is large enough.
 */
export function createArena(bytesInitial: number, used: ArrayBufferLike | null = null): Arena {
  return new GrowingArena(bytesInitial, used);
}

/** The entries of an arena that another thread has made, and that nobody writes any more. */
export function openEntries(memory: ArrayBufferLike, wordsUsed: number): Entries {
  return { bytes: new Uint8Array(memory), words: new Uint32Array(memory), wordsUsed };
}

/** Memory that other threads may be given, where there is such a thing. */
function takeMemory(words: number): ArrayBufferLike {
  const Memory = typeof SharedArrayBuffer === "undefined" ? ArrayBuffer : SharedArrayBuffer;
  return new Memory(words * WORD_BYTES);
}

class GrowingArena implements Arena {
  bytes: Uint8Array;
  words: Uint32Array;
  wordsUsed: number = FIRST_REFERENCE;

  constructor(bytesInitial: number, used: ArrayBufferLike | null) {
    const words = Math.max(FIRST_REFERENCE, Math.ceil(bytesInitial / WORD_BYTES));
    // Nothing is read that was not written first, so old content does no harm.
    const isLargeEnough = used !== null && used.byteLength >= words * WORD_BYTES;
    const memory = isLargeEnough ? used : takeMemory(words);
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
  }

  allocate(key: Bytes, roomBytes: number): number {
    const reference = this.wordsUsed;
    const keyBytes = key.length;
    // Not `>> 2`: a key and a value together may be larger than a signed number of 32 bits.
    const words =
      HEADER_WORDS + Math.ceil((keyBytes + roomBytes) / ALIGNMENT_BYTES) * ALIGNMENT_WORDS;
    if (reference + words > this.words.length) this.#grow(reference + words);
    this.wordsUsed = reference + words;
    this.words[reference + KEY_BYTES] = keyBytes;
    this.words[reference + ROOM_BYTES] = roomBytes;
    copyInto(this.bytes, keyStart(reference), key);
    return reference;
  }

  write(reference: number, value: Bytes | null, sequence: Sequence, older: number): void {
    const { words } = this;
    const high = Math.floor(sequence / TWO_32);
    words[reference] = older;
    words[reference + SEQUENCE_LOW] = sequence >>> 0;
    words[reference + SEQUENCE_HIGH] = value === null ? high | DELETION_BIT : high;
    words[reference + VALUE_BYTES] = value === null ? 0 : value.length;
    if (value === null) return;
    copyInto(this.bytes, keyStart(reference) + words[reference + KEY_BYTES]!, value);
  }

  #grow(wordsNeeded: number): void {
    assert(wordsNeeded <= TWO_32, "memtable: references are words of 32 bits");
    const memory = takeMemory(Math.max(wordsNeeded, this.words.length * 2));
    const bytes = new Uint8Array(memory);
    bytes.set(this.bytes.subarray(0, this.wordsUsed * WORD_BYTES));
    this.bytes = bytes;
    this.words = new Uint32Array(memory);
  }
}

function copyInto(target: Bytes, start: number, source: Bytes): void {
  const count = source.length;
  if (count > LOOP_BYTES_MAX) {
    target.set(source, start);
    return;
  }
  for (let i = 0; i < count; i += 1) target[start + i] = source[i]!;
}

/** Where the key of an entry starts, in bytes. */
export function keyStart(reference: number): number {
  return (reference + HEADER_WORDS) * WORD_BYTES;
}

/** The key of an entry: a view. */
export function keyOf(entries: Entries, reference: number): Bytes {
  const start = keyStart(reference);
  return entries.bytes.subarray(start, start + keyBytesOf(entries.words, reference));
}

export function keyBytesOf(words: Uint32Array, reference: number): number {
  return words[reference + KEY_BYTES]!;
}

export function valueBytesOf(words: Uint32Array, reference: number): number {
  return words[reference + VALUE_BYTES]!;
}

/** Where the value of an entry starts, in bytes. */
export function valueStart(words: Uint32Array, reference: number): number {
  return keyStart(reference) + words[reference + KEY_BYTES]!;
}

/** The largest value that the entry can take in place. */
export function roomBytesOf(words: Uint32Array, reference: number): number {
  return words[reference + ROOM_BYTES]!;
}

export function sequenceOf(words: Uint32Array, reference: number): Sequence {
  const high = words[reference + SEQUENCE_HIGH]! & HIGH_MASK;
  return high * TWO_32 + words[reference + SEQUENCE_LOW]!;
}

export function isDeletionAt(words: Uint32Array, reference: number): boolean {
  return words[reference + SEQUENCE_HIGH]! >= DELETION_BIT;
}

/** The next older version of the same key, or 0. */
export function olderOf(words: Uint32Array, reference: number): number {
  return words[reference]!;
}

/**
 * Orders a key against the key of an entry, as bytes: below 0 when `key` comes first.
 *
 * @param from - bytes at the start that are known to be the same; no more than either key has.
 */
export function compareKey(entries: Entries, key: Bytes, reference: number, from: number): number {
  const { bytes } = entries;
  const start = (reference + HEADER_WORDS) * WORD_BYTES;
  const length = entries.words[reference + KEY_BYTES]!;
  const count = Math.min(key.length, length);
  for (let i = from; i < count; i += 1) {
    const difference = key[i]! - bytes[start + i]!;
    if (difference !== 0) return difference;
  }
  return key.length - length;
}

/** As {@link compareKey}, for the keys of two entries. */
export function compareEntries(entries: Entries, a: number, b: number): number {
  const shared = sharedBytes(entries, a, b);
  const aBytes = keyBytesOf(entries.words, a);
  const bBytes = keyBytesOf(entries.words, b);
  if (shared === aBytes || shared === bBytes) return aBytes - bBytes;
  return entries.bytes[keyStart(a) + shared]! - entries.bytes[keyStart(b) + shared]!;
}

/** Bytes at the start that the keys of two entries have in common. */
export function sharedBytes(entries: Entries, a: number, b: number): number {
  const { bytes, words } = entries;
  const [aStart, bStart] = [keyStart(a), keyStart(b)];
  const count = Math.min(keyBytesOf(words, a), keyBytesOf(words, b));
  let i = 0;
  while (i < count && bytes[aStart + i] === bytes[bStart + i]) i += 1;
  return i;
}
