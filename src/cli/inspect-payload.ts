/**
 * What the records of a log hold. A log does not know, so every codec of the house is tried.
 *
 * Invariant: a log is taken for one kind only if each of its records is of that kind. The codecs
 * refuse nearly everything that they have not written, the ones that refuse most come first.
 */
import { type Bytes, isCairnError, type Sequence } from "#base";
import { applyGroup, decodeEdit, EditKind, groupHeader, type ManifestRecord } from "#lsm";
import { decodeLogRecord, type LogRecord } from "#replica";
import { bytesText } from "./inspect-bytes.ts";

/** One change of an engine. */
export interface ShownEntry {
  readonly sequence: Sequence;
  readonly key: Bytes;
  /** Null: a deletion. */
  readonly value: Bytes | null;
}

/** A kind of payload. */
export interface PayloadKind {
  readonly name: string;
  /** One line. @throws `CairnError` for a payload that is not of this kind. */
  describe(payload: Bytes): string;
  /** Calls `onEntry` for each change that the payload holds. */
  entries(payload: Bytes, onEntry: (entry: ShownEntry) => void): void;
}

/** Operations of a group that its line names. */
const OPERATIONS_NAMED_MAX = 3;
/** Tables that a step names on its line. */
const TABLES_NAMED_MAX = 6;
const noEntries = (): void => {};

const writeGroups: PayloadKind = {
  name: "writes of an engine",
  describe(payload) {
    const { sequence, count } = groupHeader(payload);
    const named: string[] = [];
    writeGroups.entries(payload, ({ key, value }) => {
      const operation = value === null ? "delete" : "put";
      if (named.length < OPERATIONS_NAMED_MAX) named.push(`${operation} ${bytesText(key)}`);
    });
    const more = count > named.length ? `, … ${count} in all` : "";
    return `from sequence ${sequence}: ${named.join(", ")}${more}`;
  },
  entries(payload, onEntry) {
    const target = {
      put: (key: Bytes, value: Bytes, sequence: Sequence) => onEntry({ sequence, key, value }),
      delete: (key: Bytes, sequence: Sequence) => onEntry({ sequence, key, value: null }),
    };
    applyGroup(payload, target, 0);
  },
};

/** The records of a manifest. */
export const manifestEdits: PayloadKind = {
  name: "a manifest",
  describe: (payload) => editText(decodeEdit(payload)),
  entries: noEntries,
};

/** One step of a manifest, on one line. */
export function editText({ kind, edit }: ManifestRecord): string {
  const added = edit.add.map(({ level, table }) => `+${table.id} to level ${level}`);
  const removed = edit.remove.map(({ level, id }) => `-${id} from level ${level}`);
  const { logNumber, logFrom, nextNumber, sequence } = edit;
  const numbers = [
    logNumber === undefined ? [] : `log ${logNumber}`,
    logFrom === undefined ? [] : `from record ${logFrom}`,
    sequence === undefined ? [] : `tables up to sequence ${sequence}`,
    nextNumber === undefined ? [] : `next number ${nextNumber}`,
  ];
  const tables = [...removed, ...added];
  const shown = tables.slice(0, TABLES_NAMED_MAX);
  const more = tables.length > shown.length ? [`… ${tables.length} tables`] : [];
  const name = kind === EditKind.snapshot ? "state" : "edit";
  return `${name}: ${[...shown, ...more, ...numbers.flat()].join(", ") || "nothing"}`;
}

const raftRecords: PayloadKind = {
  name: "a Raft log",
  describe: (payload) => raftText(decodeLogRecord(payload)),
  entries: noEntries,
};

function raftText(record: LogRecord): string {
  switch (record.type) {
    case "entry":
      return `entry ${record.index} of term ${record.term}, ${record.bytes.length} bytes`;
    case "hardState":
      return `term ${record.hardState.term}, vote ${record.hardState.vote}`;
    case "truncate":
      return `entries from ${record.from} on are void`;
    case "start":
      return [
        `${record.why} up to ${record.compactedIndex} of term ${record.compactedTerm}`,
        `term ${record.hardState.term}, vote ${record.hardState.vote}`,
      ].join(", ");
  }
}

const unknownRecords: PayloadKind = {
  name: "records of a kind that cairn does not know",
  describe: bytesText,
  entries: noEntries,
};

/** Finds out what a log holds, record by record. */
export interface PayloadGuess {
  /** Takes a record into account. */
  see(payload: Bytes): void;
  /** What all records can be. */
  readonly kind: PayloadKind;
}

/** Starts with every kind possible. */
export function createPayloadGuess(): PayloadGuess {
  let possible: readonly PayloadKind[] = [writeGroups, manifestEdits, raftRecords];
  let seen = 0;
  return {
    see(payload) {
      seen += 1;
      possible = possible.filter((kind) => fits(kind, payload));
    },
    get kind() {
      return seen === 0 ? unknownRecords : (possible[0] ?? unknownRecords);
    },
  };
}

function fits(kind: PayloadKind, payload: Bytes): boolean {
  try {
    kind.describe(payload);
    return true;
  } catch (error) {
    // A number too large for its place is refused by the integers of `bytes`.
    if (isCairnError(error) || error instanceof RangeError) return false;
    throw error;
  }
}
