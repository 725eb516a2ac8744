/**
 * The answer to a key-value command, as it is kept in a session and sent to the node that asked.
 *
 * | offset | bytes | field   | type  | meaning                              |
 * | -----: | ----: | ------- | ----- | ------------------------------------ |
 * |      0 |     1 | version | u8    | 1                                    |
 * |      1 |     1 | kind    | u8    | 1 transaction, 2 session, 3 refused  |
 * |      2 |     n | body    | bytes | by kind, see below                   |
 *
 * | kind        | body                                                      |
 * | ----------- | --------------------------------------------------------- |
 * | transaction | held u8, revision varint, count varint, so many findings  |
 * | session     | its number varint                                         |
 * | refused     | 1 session unknown, 2 serial passed, 3 answer too large u8 |
 *
 * | finding | kind | fields                                     |
 * | ------- | ---- | ------------------------------------------ |
 * | put     | 1    | previous revision varint                   |
 * | deleted | 2    | count varint, more u8                      |
 * | got     | 3    | 0 or 1 u8, entry if 1                      |
 * | entries | 4    | count varint, so many entries, more u8     |
 *
 * An entry is its key, its value and its revision; bytes have their length (varint) in front.
 * Invariant: decoding gives what was encoded, or `BYTES_MALFORMED`.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { type ByteReader, type ByteWriter, createByteReader, createByteWriter } from "#bytes";
import type { KvAnswer, KvEntry, KvFound, KvRefusal } from "./types.ts";

const VERSION = 1;

/** Stored in sessions: never renumber. 0 is reserved so that zeroed bytes are never valid. */
const AnswerKind = { transaction: 1, session: 2, refused: 3 } as const;
const REFUSALS: readonly (KvRefusal | undefined)[] = [
  undefined,
  "session-unknown",
  "serial-passed",
  "answer-too-large",
];
const FoundKind = { put: 1, deleted: 2, got: 3, entries: 4 } as const;

/** Encodes an answer into a fresh array. */
export function encodeKvAnswer(answer: KvAnswer): Bytes {
  const writer = createByteWriter();
  writer.u8(VERSION);
  writer.u8(AnswerKind[answer.kind]);
  switch (answer.kind) {
    case "transaction":
      writer.u8(answer.held ? 1 : 0);
      writer.varint(answer.revision);
      writer.varint(answer.found.length);
      for (const found of answer.found) writeFound(writer, found);
      break;
    case "session":
      writer.varint(answer.session);
      break;
    case "refused":
      writer.u8(REFUSALS.indexOf(answer.refusal));
  }
  return writer.finish();
}

/** Keys and values are views into `bytes`. @throws `BYTES_MALFORMED` */
export function decodeKvAnswer(bytes: Bytes): KvAnswer {
  const reader = createByteReader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw malformed(`version ${version}`);
  const answer = decodeBody(reader, reader.u8());
  reader.end();
  return answer;
}

function decodeBody(reader: ByteReader, kind: number): KvAnswer {
  switch (kind) {
    case AnswerKind.transaction: {
      const held = readFlag(reader);
      const revision = reader.varint();
      const found: KvFound[] = [];
      for (let left = reader.varint(); left > 0; left -= 1) found.push(readFound(reader));
      return { kind: "transaction", held, revision, found };
    }
    case AnswerKind.session:
      return { kind: "session", session: reader.varint() };
    case AnswerKind.refused: {
      const code = reader.u8();
      const refusal = REFUSALS[code];
      if (refusal === undefined) throw malformed(`refusal ${code}`);
      return { kind: "refused", refusal };
    }
    default:
      throw malformed(`kind ${kind}`);
  }
}

/** What one read found, by itself. */
export function encodeKvFound(found: KvFound): Bytes {
  const writer = createByteWriter();
  writeFound(writer, found);
  return writer.finish();
}

/** @throws `BYTES_MALFORMED` */
export function decodeKvFound(bytes: Bytes): KvFound {
  const reader = createByteReader(bytes);
  const found = readFound(reader);
  reader.end();
  return found;
}

function writeFound(writer: ByteWriter, found: KvFound): void {
  writer.u8(FoundKind[found.kind]);
  switch (found.kind) {
    case "put":
      writer.varint(found.previousRevision);
      return;
    case "deleted":
      writer.varint(found.count);
      writer.u8(found.more ? 1 : 0);
      return;
    case "got":
      writer.u8(found.entry === null ? 0 : 1);
      if (found.entry !== null) writeEntry(writer, found.entry);
      return;
    case "entries":
      writer.varint(found.entries.length);
      for (const entry of found.entries) writeEntry(writer, entry);
      writer.u8(found.more ? 1 : 0);
  }
}

function readFound(reader: ByteReader): KvFound {
  const kind = reader.u8();
  switch (kind) {
    case FoundKind.put:
      return { kind: "put", previousRevision: reader.varint() };
    case FoundKind.deleted:
      return { kind: "deleted", count: reader.varint(), more: readFlag(reader) };
    case FoundKind.got:
      return { kind: "got", entry: readFlag(reader) ? readEntry(reader) : null };
    case FoundKind.entries: {
      const entries: KvEntry[] = [];
      for (let left = reader.varint(); left > 0; left -= 1) entries.push(readEntry(reader));
      return { kind: "entries", entries, more: readFlag(reader) };
    }
    default:
      throw malformed(`finding of kind ${kind}`);
  }
}

function writeEntry(writer: ByteWriter, { key, value, revision }: KvEntry): void {
  writer.bytes(key);
  writer.bytes(value);
  writer.varint(revision);
}

function readEntry(reader: ByteReader): KvEntry {
  return { key: reader.bytes(), value: reader.bytes(), revision: reader.varint() };
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw malformed(`flag ${flag}`);
  return flag === 1;
}

function malformed(problem: string): CairnError {
  return new CairnError("BYTES_MALFORMED", `replica: key-value answer: ${problem}`);
}
