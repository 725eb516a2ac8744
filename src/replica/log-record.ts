/**
 * What one WAL record holds when the WAL carries a Raft log. All integers little-endian.
 *
 * | type        | bytes behind the type                                                           |
 * | ----------- | ------------------------------------------------------------------------------- |
 * | 1 entry     | term u64, index u64, entry bytes (`entry.ts`)                                   |
 * | 2 hardState | term u64, vote u32                                                              |
 * | 3 truncate  | from u64: entries from this index on are no longer part of the log              |
 * | 4 base      | compactedIndex u64, compactedTerm u64, term u64, vote u32, configuration (JSON) |
 * | 5 start     | compactedIndex u64, compactedTerm u64, term u64, vote u32, why u8, copy u64,    |
 * |             | configurationIndex u64, configuration (JSON)                                    |
 *
 * The type is one u8 in front. Start and base records repeat all that older records said and still
 * counts, so that every older segment may go; base is the older form, read and no longer written.
 * Why: 1 compaction, 2 reset (the snapshot `copy` took the log's place: every older entry is gone),
 * 3 forced recovery (configurations of older epochs behind it count no more). Invariant: term and
 * vote are in one record, and a hard state is written before the entries that depend on it; a torn
 * tail can therefore never keep an entry and lose the term in which it was accepted.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { putU64 } from "#bytes";
import type { HardState, Index, Term } from "#raft/types";
import { decodeConfiguration, encodeConfiguration } from "./configuration.ts";
import type { StoredConfiguration } from "./types.ts";

const TYPE_ENTRY = 1;
const TYPE_HARD_STATE = 2;
const TYPE_TRUNCATE = 3;
const TYPE_BASE = 4;
const TYPE_START = 5;
const ENTRY_HEADER_BYTES = 1 + 8 + 8;
const BASE_HEADER_BYTES = 1 + 8 + 8 + 8 + 4;
const START_HEADER_BYTES = BASE_HEADER_BYTES + 1 + 8 + 8;

/** Stored on disk: never renumber, only add. */
const REASONS = [undefined, "compaction", "reset", "recovery"] as const;
/** Why a log begins where it does. */
export type StartReason = Exclude<(typeof REASONS)[number], undefined>;

/** A decoded record. */
export type LogRecord =
  | { readonly type: "entry"; readonly term: Term; readonly index: Index; readonly bytes: Bytes }
  | { readonly type: "hardState"; readonly hardState: HardState }
  | { readonly type: "truncate"; readonly from: Index }
  | {
      readonly type: "start";
      readonly why: StartReason;
      readonly compactedIndex: Index;
      readonly compactedTerm: Term;
      readonly hardState: HardState;
      /** For a reset, the snapshot's copy; else 0. */
      readonly copy: number;
      /** In force at the compacted index. */
      readonly configuration: StoredConfiguration;
    };

/** The WAL vouches for the bytes: a value that no number holds is no reason to stop here. */
function getU64(bytes: Bytes, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(offset, true));
}

function start(type: number, bytes: number): { bytes: Bytes; view: DataView } {
  const record = new Uint8Array(bytes);
  record[0] = type;
  return { bytes: record, view: new DataView(record.buffer) };
}

function encodeStart(record: LogRecord & { type: "start" }): Bytes {
  const { compactedIndex, compactedTerm, hardState, copy, configuration } = record;
  const text = encodeConfiguration(configuration.configuration);
  const { bytes, view } = start(TYPE_START, START_HEADER_BYTES + text.length);
  putU64(bytes, 1, compactedIndex);
  putU64(bytes, 9, compactedTerm);
  putU64(bytes, 17, hardState.term);
  view.setUint32(25, hardState.vote, true);
  bytes[BASE_HEADER_BYTES] = REASONS.indexOf(record.why);
  putU64(bytes, BASE_HEADER_BYTES + 1, copy);
  putU64(bytes, BASE_HEADER_BYTES + 9, configuration.index);
  bytes.set(text, START_HEADER_BYTES);
  return bytes;
}

/** Encodes a record into a fresh array. */
export function encodeLogRecord(record: LogRecord): Bytes {
  switch (record.type) {
    case "entry": {
      const { bytes } = start(TYPE_ENTRY, ENTRY_HEADER_BYTES + record.bytes.length);
      putU64(bytes, 1, record.term);
      putU64(bytes, 9, record.index);
      bytes.set(record.bytes, ENTRY_HEADER_BYTES);
      return bytes;
    }
    case "hardState": {
      const { bytes, view } = start(TYPE_HARD_STATE, 1 + 8 + 4);
      putU64(bytes, 1, record.hardState.term);
      view.setUint32(9, record.hardState.vote, true);
      return bytes;
    }
    case "truncate": {
      const { bytes } = start(TYPE_TRUNCATE, 1 + 8);
      putU64(bytes, 1, record.from);
      return bytes;
    }
    case "start":
      return encodeStart(record);
  }
}

/** Both forms of the record with which a log can begin. */
function decodeStart(payload: Bytes, view: DataView): LogRecord | undefined {
  const head = {
    type: "start",
    compactedIndex: getU64(payload, 1),
    compactedTerm: getU64(payload, 9),
    hardState: { term: getU64(payload, 17), vote: view.getUint32(25, true) },
  } as const;
  if (payload[0] === TYPE_BASE) {
    const configuration = decodeConfiguration(payload.subarray(BASE_HEADER_BYTES));
    // In that format only the first entry could hold a configuration.
    return { ...head, why: "compaction", copy: 0, configuration: { index: 1, configuration } };
  }
  if (payload.length <= START_HEADER_BYTES) return undefined;
  const why = REASONS[payload[BASE_HEADER_BYTES] ?? 0];
  if (why === undefined) return undefined;
  return {
    ...head,
    why,
    copy: getU64(payload, BASE_HEADER_BYTES + 1),
    configuration: {
      index: getU64(payload, BASE_HEADER_BYTES + 9),
      configuration: decodeConfiguration(payload.subarray(START_HEADER_BYTES)),
    },
  };
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
    return { type: "entry", term: getU64(payload, 1), index: getU64(payload, 9), bytes };
  }
  if (type === TYPE_HARD_STATE && payload.length === 13) {
    const hardState = { term: getU64(payload, 1), vote: view.getUint32(9, true) };
    return { type: "hardState", hardState };
  }
  if (type === TYPE_TRUNCATE && payload.length === 9) {
    return { type: "truncate", from: getU64(payload, 1) };
  }
  if ((type === TYPE_BASE || type === TYPE_START) && payload.length > BASE_HEADER_BYTES) {
    const record = decodeStart(payload, view);
    if (record !== undefined) return record;
  }
  throw new CairnError(
    "BYTES_MALFORMED",
    `replica: log record of type ${type} with ${payload.length} bytes`,
  );
}
