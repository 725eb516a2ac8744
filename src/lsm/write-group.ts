/**
 * Changes as bytes: the record of the log, and what a batch holds.
 *
 * | offset | bytes | field     | type   | meaning                                        |
 * | -----: | ----: | --------- | ------ | ---------------------------------------------- |
 * |      0 |     8 | sequence  | u64 LE | of the first operation; each next has one more |
 * |      8 |     4 | count     | u32 LE | operations, 1 or more                          |
 * |     12 |     n | operation | bytes  | so many times the fields below                 |
 *
 * | field        | type   | meaning                           |
 * | ------------ | ------ | --------------------------------- |
 * | kind         | u8     | 1 put, 2 delete                   |
 * | key length   | varint | 0 or more                         |
 * | key          | bytes  | as given                          |
 * | value length | varint | 0 or more; not there for a delete |
 * | value        | bytes  | not there for a delete            |
 *
 * There is no checksum: the log's frame has one. One record is one group: all of it comes back
 * after a crash, or nothing. Invariant: bytes beyond the last operation are never part of a group.
 * Chapter: 04-lsm
 */
import { type Bytes, CairnError, type Sequence } from "#base";
import { getU32, getU64, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import type { Memtable } from "#memtable/types";

const SEQUENCE_OFFSET = 0;
const COUNT_OFFSET = SEQUENCE_OFFSET + U64_BYTES;
/** Bytes before the first operation. */
export const GROUP_HEADER_BYTES: number = COUNT_OFFSET + U32_BYTES;

/** Stored on disk: never renumber, only add. 0 is reserved so that zeroed bytes are never valid. */
const OperationKind = { put: 1, delete: 2 } as const;

/** Kind and two lengths of up to five bytes: an array of the runtime is no longer. */
const OPERATION_OVERHEAD_MAX = 11;
const CAPACITY_BYTES = 512;
/** A larger array, left over from one large group, is given back. */
const CAPACITY_KEPT_BYTES = 1024 * 1024;
const GROUP_VALUES = 128;
const VARINT_SHIFT_MAX = 28;

/** Operations in their encoded form, with room for the header in front of them. */
export type Operations = OperationBuffer;

/** Makes an empty one. */
export function createOperations(): Operations {
  return new OperationBuffer();
}

class OperationBuffer {
  #target: Bytes = new Uint8Array(CAPACITY_BYTES);
  #end = GROUP_HEADER_BYTES;
  count = 0;
  /** Bytes of keys and values as given. */
  userBytes = 0;

  /** Bytes of the operations, without the header. */
  get bytes(): number {
    return this.#end - GROUP_HEADER_BYTES;
  }

  put(key: Bytes, value: Bytes): void {
    const keyBytes = key.length;
    const valueBytes = value.length;
    let at = this.#reserve(keyBytes + valueBytes + OPERATION_OVERHEAD_MAX);
    const target = this.#target;
    target[at++] = OperationKind.put;
    if (keyBytes < GROUP_VALUES) target[at++] = keyBytes;
    else at = putLength(target, at, keyBytes);
    target.set(key, at);
    at += keyBytes;
    if (valueBytes < GROUP_VALUES) target[at++] = valueBytes;
    else at = putLength(target, at, valueBytes);
    target.set(value, at);
    this.#end = at + valueBytes;
    this.count += 1;
    this.userBytes += keyBytes + valueBytes;
  }

  delete(key: Bytes): void {
    const keyBytes = key.length;
    let at = this.#reserve(keyBytes + OPERATION_OVERHEAD_MAX);
    const target = this.#target;
    target[at++] = OperationKind.delete;
    at = putLength(target, at, keyBytes);
    target.set(key, at);
    this.#end = at + keyBytes;
    this.count += 1;
    this.userBytes += keyBytes;
  }

  /** Adds all operations of another one, behind those that are here. */
  append(other: Operations): void {
    const at = this.#reserve(other.bytes);
    this.#target.set(other.#target.subarray(GROUP_HEADER_BYTES, other.#end), at);
    this.#end = at + other.bytes;
    this.count += other.count;
    this.userBytes += other.userBytes;
  }

  /** Writes the header. @returns the group, valid until something is added. */
  seal(sequence: Sequence): Bytes {
    putU64(this.#target, SEQUENCE_OFFSET, sequence);
    putU32(this.#target, COUNT_OFFSET, this.count);
    return this.#target.subarray(0, this.#end);
  }

  clear(): void {
    this.#end = GROUP_HEADER_BYTES;
    this.count = 0;
    this.userBytes = 0;
    if (this.#target.length > CAPACITY_KEPT_BYTES) this.#target = new Uint8Array(CAPACITY_BYTES);
  }

  /** Makes room. @returns where the next byte goes. */
  #reserve(bytes: number): number {
    const needed = this.#end + bytes;
    if (needed > this.#target.length) {
      const grown = new Uint8Array(Math.max(needed, this.#target.length * 2));
      grown.set(this.#target.subarray(0, this.#end));
      this.#target = grown;
    }
    return this.#end;
  }
}

/** What stands at the head of a group. */
export interface GroupHeader {
  readonly sequence: Sequence;
  readonly count: number;
}

/** Reads the header. @throws `LSM_CORRUPT` */
export function groupHeader(group: Bytes): GroupHeader {
  if (group.length < GROUP_HEADER_BYTES) throw malformed(0, "shorter than its header");
  const header = { sequence: getU64(group, SEQUENCE_OFFSET), count: getU32(group, COUNT_OFFSET) };
  if (header.sequence === 0) throw malformed(SEQUENCE_OFFSET, "sequence 0");
  if (header.count === 0) throw malformed(COUNT_OFFSET, "no operations");
  return header;
}

/**
 * Carries a group out.
 *
 * @param newestReader - see `Memtable.put`.
 * @throws `LSM_CORRUPT` when the bytes are not a whole number of operations; some of them may have
 * been carried out by then.
 */
export function applyGroup(
  group: Bytes,
  target: Pick<Memtable, "put" | "delete">,
  newestReader: Sequence,
): void {
  const { sequence, count } = groupHeader(group);
  reader.start(group);
  for (let index = 0; index < count; index += 1) {
    const kind = reader.byte();
    const key = reader.bytes();
    if (kind === OperationKind.put) {
      target.put(key, reader.bytes(), sequence + index, newestReader);
    } else if (kind === OperationKind.delete) {
      target.delete(key, sequence + index, newestReader);
    } else {
      throw malformed(reader.at, `kind ${kind}`);
    }
  }
  if (reader.at !== group.length) throw malformed(reader.at, "bytes beyond the last operation");
}

/** Reads fields one by one, without making objects for anything but the views. */
class FieldReader {
  #source: Bytes = new Uint8Array(0);
  at = 0;

  start(source: Bytes): void {
    this.#source = source;
    this.at = GROUP_HEADER_BYTES;
  }

  byte(): number {
    const byte = this.#source[this.at];
    if (byte === undefined) throw malformed(this.at, "cut off");
    this.at += 1;
    return byte;
  }

  bytes(): Bytes {
    const length = this.#length();
    const from = this.at;
    const before = from + length;
    if (before > this.#source.length) throw malformed(from, `${length} bytes are not there`);
    this.at = before;
    return this.#source.subarray(from, before);
  }

  #length(): number {
    let value = this.byte();
    if (value < GROUP_VALUES) return value;
    value -= GROUP_VALUES;
    for (let shift = 7; shift <= VARINT_SHIFT_MAX; shift += 7) {
      const byte = this.byte();
      value += (byte % GROUP_VALUES) * 2 ** shift;
      if (byte < GROUP_VALUES) return value;
    }
    throw malformed(this.at, "a length of more than five bytes");
  }
}

/** One for all: a group is carried out from end to end before the next one begins. */
const reader = new FieldReader();

function putLength(target: Bytes, offset: number, length: number): number {
  let at = offset;
  let rest = length;
  for (; rest >= GROUP_VALUES; rest = Math.floor(rest / GROUP_VALUES)) {
    target[at++] = (rest % GROUP_VALUES) + GROUP_VALUES;
  }
  target[at++] = rest;
  return at;
}

function malformed(offset: number, problem: string): CairnError {
  return new CairnError("LSM_CORRUPT", `lsm: write group: byte ${offset}: ${problem}`, {
    details: { offset },
  });
}
