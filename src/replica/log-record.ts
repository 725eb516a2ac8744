/**
 * What one WAL record holds when the WAL carries a Raft log. All integers little-endian.
 *
 * | type        | bytes behind the type                                                           |
 * | ----------- | ------------------------------------------------------------------------------- |
 * | 1 entry     | term u64, index u64, entry bytes (`entry.ts`)                                   |
 * | 2 hardState | term u64, vote u32                                                              |
 * | 3 truncate  | from u64: entries from this index on are no longer part of the log              |
 * | 4 base      | compactedIndex u64, compactedTerm u64, term u64, vote u32, configuration (JSON) |
 *
 * The type is one u8 in front. A base record repeats all that older records said and still counts,
 * so that every older segment may go. Invariant: term and vote are in one record, and a hard state
 * is written before the entries that depend on it; a torn tail can therefore never keep an entry
 * and lose the term in which it was accepted. Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import type { HardState, Index, Term } from "#raft/types";
import { decodeConfiguration, encodeConfiguration } from "./configuration.ts";
import type { Configuration } from "./types.ts";

const TYPE_ENTRY = 1;
const TYPE_HARD_STATE = 2;
const TYPE_TRUNCATE = 3;
const TYPE_BASE = 4;
const ENTRY_HEADER_BYTES = 1 + 8 + 8;
const BASE_HEADER_BYTES = 1 + 8 + 8 + 8 + 4;

/** A decoded record. */
export type LogRecord =
  | { readonly type: "entry"; readonly term: Term; readonly index: Index; readonly bytes: Bytes }
  | { readonly type: "hardState"; readonly hardState: HardState }
  | { readonly type: "truncate"; readonly from: Index }
  | {
      readonly type: "base";
      readonly compactedIndex: Index;
      readonly compactedTerm: Term;
      readonly hardState: HardState;
      readonly configuration: Configuration;
    };

const putU64 = (view: DataView, offset: number, value: number): void =>
  view.setBigUint64(offset, BigInt(value), true);
const getU64 = (view: DataView, offset: number): number => Number(view.getBigUint64(offset, true));

function start(type: number, bytes: number): { bytes: Bytes; view: DataView } {
  const record = new Uint8Array(bytes);
  record[0] = type;
  return { bytes: record, view: new DataView(record.buffer) };
}

/** Encodes a record into a fresh array. */
export function encodeLogRecord(record: LogRecord): Bytes {
  switch (record.type) {
    case "entry": {
      const { bytes, view } = start(TYPE_ENTRY, ENTRY_HEADER_BYTES + record.bytes.length);
      putU64(view, 1, record.term);
      putU64(view, 9, record.index);
      bytes.set(record.bytes, ENTRY_HEADER_BYTES);
      return bytes;
    }
    case "hardState": {
      const { bytes, view } = start(TYPE_HARD_STATE, 1 + 8 + 4);
      putU64(view, 1, record.hardState.term);
      view.setUint32(9, record.hardState.vote, true);
      return bytes;
    }
    case "truncate": {
      const { bytes, view } = start(TYPE_TRUNCATE, 1 + 8);
      putU64(view, 1, record.from);
      return bytes;
    }
    case "base": {
      const configuration = encodeConfiguration(record.configuration);
      const { bytes, view } = start(TYPE_BASE, BASE_HEADER_BYTES + configuration.length);
      putU64(view, 1, record.compactedIndex);
      putU64(view, 9, record.compactedTerm);
      putU64(view, 17, record.hardState.term);
      view.setUint32(25, record.hardState.vote, true);
      bytes.set(configuration, BASE_HEADER_BYTES);
      return bytes;
    }
  }
}

/**
 * Decodes a record. The bytes of an entry stay a view.
 *
 * @throws `BYTES_MALFORMED` for an unknown type or a length that does not fit: the WAL vouches for
 * the bytes, so a newer version wrote them.
 */
export function decodeLogRecord(payload: Bytes): LogRecord {
  const type = payload[0];
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (type === TYPE_ENTRY && payload.length >= ENTRY_HEADER_BYTES) {
    const bytes = payload.subarray(ENTRY_HEADER_BYTES);
    return { type: "entry", term: getU64(view, 1), index: getU64(view, 9), bytes };
  }
  if (type === TYPE_HARD_STATE && payload.length === 13) {
    const hardState = { term: getU64(view, 1), vote: view.getUint32(9, true) };
    return { type: "hardState", hardState };
  }
  if (type === TYPE_TRUNCATE && payload.length === 9) {
    return { type: "truncate", from: getU64(view, 1) };
  }
  if (type === TYPE_BASE && payload.length > BASE_HEADER_BYTES) {
    return {
      type: "base",
      compactedIndex: getU64(view, 1),
      compactedTerm: getU64(view, 9),
      hardState: { term: getU64(view, 17), vote: view.getUint32(25, true) },
      configuration: decodeConfiguration(payload.subarray(BASE_HEADER_BYTES)),
    };
  }
  throw new CairnError(
    "BYTES_MALFORMED",
    `replica: log record of type ${type} with ${payload.length} bytes`,
  );
}
