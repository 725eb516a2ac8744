/**
 * Where the rows of the key-value store lie in the transactional store below.
 *
 * | key                                    | value                                              |
 * | -------------------------------------- | -------------------------------------------------- |
 * | five zero bytes                        | the state, see below                               |
 * | four zero bytes, then 1                | an index u64 LE: all up to it is durable           |
 * | generation u32 BE, 1, the client's key | revision u64 LE, the client's value                |
 * | generation u32 BE, 2, session u64 BE   | three u64 LE: serial, index and time of use; answer |
 *
 * | offset | bytes | field        | type   | meaning                              |
 * | -----: | ----: | ------------ | ------ | ------------------------------------ |
 * |      0 |     1 | version      | u8     | 1                                    |
 * |      1 |     4 | generation   | u32 LE | which rows are the present state     |
 * |      5 |     8 | appliedIndex | u64 LE | the last entry that has taken effect |
 * |     13 |     8 | logTimeMs    | u64 LE | the latest time that an entry had    |
 *
 * A generation is a whole state. One row says which is the present one, so another state is written
 * beside it in as many commits as it takes, and takes its place in one. Invariant: rows of other
 * generations are never read as state, only removed.
 * Chapter: 08-replica.
 */
import { assert, type Bytes, CairnError } from "#base";
import { createByteReader, createByteWriter, getU64, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import type { Index } from "#raft/types";

const VERSION = 1;
const SPACE_OFFSET = U32_BYTES;
/** Bytes in front of a client's key. */
const PREFIX_BYTES = SPACE_OFFSET + 1;
/** Stored on disk: never renumber. */
const Space = { data: 1, session: 2 } as const;

/** Where the row is that says what the present state is. */
export const STATE_KEY: Bytes = Uint8Array.of(0, 0, 0, 0, 0);
/** Where the row is that says what is durable. */
export const MARK_KEY: Bytes = Uint8Array.of(0, 0, 0, 0, 1);
/** Before it there are only the two rows above. */
export const GENERATIONS_FROM: Bytes = Uint8Array.of(0, 0, 0, 1);

/** What the row at {@link STATE_KEY} says. */
export interface StateRow {
  readonly generation: number;
  readonly appliedIndex: Index;
  /** The latest time that an entry has brought: it never goes back. */
  readonly logTimeMs: number;
}

/** What a new store has. */
export const FIRST_STATE: StateRow = { generation: 1, appliedIndex: 0, logTimeMs: 0 };

/** A session as it is kept. */
export interface SessionRow {
  readonly session: Index;
  /** The last command that took effect; 0: none yet. */
  readonly serial: number;
  /** When it was last used, as the log counts and as the log tells the time. */
  readonly usedIndex: Index;
  readonly usedTimeMs: number;
  /** The answer to the last command; empty: none yet. */
  readonly answer: Bytes;
}

export function encodeState({ generation, appliedIndex, logTimeMs }: StateRow): Bytes {
  const writer = createByteWriter();
  writer.u8(VERSION);
  writer.u32(generation);
  writer.u64(appliedIndex);
  writer.u64(logTimeMs);
  return writer.finish();
}

/** @throws `REPLICA_SNAPSHOT_INVALID` for a version that this program does not know. */
export function decodeState(bytes: Bytes): StateRow {
  const reader = createByteReader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new CairnError("REPLICA_SNAPSHOT_INVALID", `replica: kv: state of version ${version}`);
  }
  return { generation: reader.u32(), appliedIndex: reader.u64(), logTimeMs: reader.u64() };
}

/** The row at {@link MARK_KEY}. */
export function encodeMark(index: Index): Bytes {
  const bytes = new Uint8Array(U64_BYTES);
  putU64(bytes, 0, index);
  return bytes;
}

export function decodeMark(bytes: Bytes): Index {
  return getU64(bytes, 0);
}

/** The row of a client's key. */
export function dataKey(generation: number, key: Bytes): Bytes {
  const bytes = prefixOf(generation, Space.data, key.length);
  bytes.set(key, PREFIX_BYTES);
  return bytes;
}

/** Behind every client's key. */
export function dataEnd(generation: number): Bytes {
  return prefixOf(generation, Space.session, 0);
}

/** The client's key of a row. */
export function keyOf(row: Bytes): Bytes {
  assert(row[SPACE_OFFSET] === Space.data, "replica: kv: a row of data");
  return row.subarray(PREFIX_BYTES);
}

export function isSessionKey(row: Bytes): boolean {
  return row[SPACE_OFFSET] === Space.session;
}

export function sessionKey(generation: number, session: Index): Bytes {
  const bytes = prefixOf(generation, Space.session, U64_BYTES);
  new DataView(bytes.buffer).setBigUint64(PREFIX_BYTES, BigInt(session));
  return bytes;
}

/** Before every row of a generation; that of the next one is behind them all. */
export function generationFrom(generation: number): Bytes {
  const bytes = new Uint8Array(U32_BYTES);
  new DataView(bytes.buffer).setUint32(0, generation);
  return bytes;
}

/** A row without its generation, which is another one on every replica. */
export function withoutGeneration(row: Bytes): Bytes {
  return row.subarray(SPACE_OFFSET);
}

/** The same row in another generation. */
export function inGeneration(generation: number, rest: Bytes): Bytes {
  const bytes = new Uint8Array(SPACE_OFFSET + rest.length);
  bytes.set(generationFrom(generation));
  bytes.set(rest, SPACE_OFFSET);
  return bytes;
}

export function encodeValue(revision: Index, value: Bytes): Bytes {
  const bytes = new Uint8Array(U64_BYTES + value.length);
  putU64(bytes, 0, revision);
  bytes.set(value, U64_BYTES);
  return bytes;
}

/** The value is a view. */
export function decodeValue(bytes: Bytes): { readonly revision: Index; readonly value: Bytes } {
  return { revision: getU64(bytes, 0), value: bytes.subarray(U64_BYTES) };
}

export function encodeSession(row: SessionRow): Bytes {
  const writer = createByteWriter();
  writer.u64(row.serial);
  writer.u64(row.usedIndex);
  writer.u64(row.usedTimeMs);
  writer.raw(row.answer);
  return writer.finish();
}

/** The answer is a view into `bytes`. */
export function decodeSession(key: Bytes, bytes: Bytes): SessionRow {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const reader = createByteReader(bytes);
  return {
    session: Number(view.getBigUint64(PREFIX_BYTES)),
    serial: reader.u64(),
    usedIndex: reader.u64(),
    usedTimeMs: reader.u64(),
    answer: reader.raw(reader.remaining),
  };
}

function prefixOf(generation: number, space: number, more: number): Bytes {
  const bytes = new Uint8Array(PREFIX_BYTES + more);
  new DataView(bytes.buffer).setUint32(0, generation);
  bytes[SPACE_OFFSET] = space;
  return bytes;
}
