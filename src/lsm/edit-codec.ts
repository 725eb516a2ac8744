/**
 * A step of the manifest as bytes: the payload of a record in its log.
 *
 * | field       | type    | meaning                                                          |
 * | ----------- | ------- | ---------------------------------------------------------------- |
 * | kind        | u8      | 1 edit; 2 snapshot, an edit of the empty state; 0 is never valid |
 * | flags       | u8      | 1 logNumber, 2 logFrom, 4 nextNumber, 8 sequence: what follows   |
 * | logNumber   | varint  | the log to replay                                                |
 * | logFrom     | varint  | from this record on                                              |
 * | nextNumber  | varint  | numbers below it may have been used                              |
 * | sequence    | varint  | of the newest change that tables hold                            |
 * | removeCount | varint  | tables that are taken out; for each of them:                     |
 * | level, id   | u8, varint | where it is, and which                                        |
 * | addCount    | varint  | tables that are put in; for each of them:                        |
 * | level, run  | u8, varint | where it goes                                                 |
 * | id, bytes, entries, deletions, sequenceMin, sequenceMax | varints | what the table is   |
 * | smallest, largest | bytes | its keys, each behind its length as a varint                 |
 *
 * There is no checksum: the log's frame has one. A later layout gets kinds of its own.
 *
 * Invariant: what `decodeEdit` returns is what was encoded, and is possible by itself: whether it
 * fits a state is for `version.ts`. Memory follows the bytes that are there, not what they claim.
 * Chapter: 04-lsm
 */
import { type Bytes, CairnError } from "#base";
import { type ByteReader, type ByteWriter, createByteReader, createByteWriter } from "#bytes";
import type { TableMeta } from "#sstable/types";
import type { ManifestState, VersionEdit } from "./parts.ts";
import { tableProblem } from "./version.ts";

/** Stored on disk: never renumber, only add. 0 is reserved so that zeroed bytes are never valid. */
export const EditKind = { edit: 1, snapshot: 2 } as const;
export type EditKind = (typeof EditKind)[keyof typeof EditKind];

/** Stored on disk: never renumber, only add. */
const EditFlag = { logNumber: 1, logFrom: 2, nextNumber: 4, sequence: 8 } as const;
const FLAGS_ALL = 15;

/** The numbers of an edit, in the order of the table. */
const NUMBERS = ["logNumber", "logFrom", "nextNumber", "sequence"] as const;

/** A record of the manifest. */
export interface ManifestRecord {
  readonly kind: EditKind;
  readonly edit: VersionEdit;
}

/** Encodes one step. */
export function encodeEdit(edit: VersionEdit): Bytes {
  return encode(EditKind.edit, edit);
}

/** Encodes a whole state: what a manifest begins with. */
export function encodeSnapshot(state: ManifestState): Bytes {
  return encode(EditKind.snapshot, snapshotEdit(state));
}

/** The edit that makes a state out of the empty one. */
export function snapshotEdit(state: ManifestState): VersionEdit {
  const add = state.version.runs.flatMap(({ level, number, tables }) =>
    tables.map((table) => ({ level, run: number, table })),
  );
  const { logNumber, logFrom, nextNumber, sequence } = state;
  return { remove: [], add, logNumber, logFrom, nextNumber, sequence };
}

/** @throws `BYTES_MALFORMED` with `details` `offset`. */
export function decodeEdit(payload: Bytes): ManifestRecord {
  const reader = createByteReader(payload);
  const kind = reader.u8();
  if (kind !== EditKind.edit && kind !== EditKind.snapshot) {
    throw malformed(0, `kind ${kind} is unknown`);
  }
  const flags = reader.u8();
  if (flags > FLAGS_ALL) throw malformed(1, `flags ${flags} are unknown`);
  const numbers: { -readonly [Name in (typeof NUMBERS)[number]]?: number } = {};
  for (const name of NUMBERS) if (flags & EditFlag[name]) numbers[name] = reader.varint();
  // Grown item by item: each item needs bytes, so a count that lies runs into the end.
  const remove: { level: number; id: number }[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    remove.push({ level: reader.u8(), id: reader.varint() });
  }
  const add: { level: number; run: number; table: TableMeta }[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    add.push({ level: reader.u8(), run: reader.varint(), table: readTable(reader) });
  }
  reader.end();
  if (kind === EditKind.snapshot && (remove.length > 0 || flags !== FLAGS_ALL)) {
    throw malformed(1, "a snapshot says everything and removes nothing");
  }
  return { kind, edit: { remove, add, ...numbers } };
}

function encode(kind: EditKind, edit: VersionEdit): Bytes {
  const writer = createByteWriter();
  writer.u8(kind);
  let flags = 0;
  for (const name of NUMBERS) if (edit[name] !== undefined) flags |= EditFlag[name];
  writer.u8(flags);
  for (const name of NUMBERS) {
    const value = edit[name];
    if (value !== undefined) writer.varint(value);
  }
  writer.varint(edit.remove.length);
  for (const { level, id } of edit.remove) {
    writer.u8(level);
    writer.varint(id);
  }
  writer.varint(edit.add.length);
  for (const { level, run, table } of edit.add) {
    writer.u8(level);
    writer.varint(run);
    writeTable(writer, table);
  }
  return writer.finish();
}

function writeTable(writer: ByteWriter, table: TableMeta): void {
  writer.varint(table.id);
  writer.varint(table.bytes);
  writer.varint(table.entries);
  writer.varint(table.deletions);
  writer.varint(table.sequenceMin);
  writer.varint(table.sequenceMax);
  writer.bytes(table.smallest);
  writer.bytes(table.largest);
}

function readTable(reader: ByteReader): TableMeta {
  const { offset } = reader;
  const table: TableMeta = {
    id: reader.varint(),
    bytes: reader.varint(),
    entries: reader.varint(),
    deletions: reader.varint(),
    sequenceMin: reader.varint(),
    sequenceMax: reader.varint(),
    // Copies: a view would keep the chunk of the file that it was read with.
    smallest: reader.bytes().slice(),
    largest: reader.bytes().slice(),
  };
  const problem = tableProblem(table);
  if (problem !== null) throw malformed(offset, problem);
  return table;
}

function malformed(offset: number, problem: string): CairnError {
  return new CairnError("BYTES_MALFORMED", `lsm: edit at byte ${offset}: ${problem}`, {
    details: { offset },
  });
}
