/**
 * Raft messages as frame bodies. All integers little-endian; those without a type are u64.
 *
 * | type            | bytes behind the type (one u8)                                              |
 * | --------------- | --------------------------------------------------------------------------- |
 * | 1 vote          | term, lastIndex, lastTerm, attempt u32, flags u8 (1: pre, 2: transfer)      |
 * | 2 voteReply     | term, removedAt, attempt u32, flags u8 (1: pre, 2: granted)                 |
 * | 3 append        | term, prevIndex, prevTerm, commit, session, round, compactTo, count u32,    |
 * |                 | runCount u32, runCount x (first, term), count x size u32, the entries       |
 * | 4 appendReply   | term, match, rejected, hintIndex, hintTerm, session, round, freeBytes,      |
 * |                 | flags u8 (1: ok)                                                            |
 * | 5 timeoutNow    | term                                                                        |
 * | 6 snapshot      | term, session, index, indexTerm, configurationIndex, copy, offset,          |
 * |                 | totalBytes, fileChecksum u32, chunkChecksum u32, configurationBytes u32,    |
 * |                 | chunkBytes u32, the configuration (JSON), the chunk                         |
 * | 7 snapshotReply | term, session, index, copy, nextOffset                                      |
 * | 8 read          | term, request                                                               |
 * | 9 readReply     | term, request, index                                                        |
 *
 * `compactTo` is the leader's advice up to which entry nobody needs the log; it is the driver's,
 * not the core's. Which entries are configurations stands in their bytes. Checksums are CRC-32C.
 * Types from 64 on are not for the core (`peer-note.ts`). Invariant: decoding checks every length
 * against the frame before it is used. Chapter: 08-replica.
 */
import { type Bytes, isCairnError, unreachable } from "#base";
import type {
  AppendMessage,
  ConfigurationRecord,
  Index,
  Message,
  SnapshotMessage,
  TermRun,
} from "#raft/types";
import { decodeConfiguration, encodeConfiguration } from "./configuration.ts";
import { countingConfiguration } from "./configuration-history.ts";
import { FieldReader, FieldWriter, malformed } from "./message-fields.ts";
import type { Configuration } from "./types.ts";

const TYPE_VOTE = 1;
const TYPE_VOTE_REPLY = 2;
const TYPE_APPEND = 3;
const TYPE_APPEND_REPLY = 4;
const TYPE_TIMEOUT_NOW = 5;
const TYPE_SNAPSHOT = 6;
const TYPE_SNAPSHOT_REPLY = 7;
const TYPE_READ = 8;
const TYPE_READ_REPLY = 9;
const FLAG_PRE = 1;
const FLAG_GRANTED = 2;
const FLAG_TRANSFER = 2;
const FLAG_OK = 1;
const U32_BYTES = 4;
const U64_BYTES = 8;
const APPEND_HEADER_BYTES = 1 + 7 * U64_BYTES + 2 * U32_BYTES;
const SNAPSHOT_HEADER_BYTES = 1 + 8 * U64_BYTES + 4 * U32_BYTES;

/** What travels with a chunk of a snapshot besides what the core knows of it. */
export interface Chunk {
  readonly bytes: Bytes;
  readonly checksum: number;
  /** Of the whole copy. */
  readonly fileChecksum: number;
  /** Whose sets the core's message has. */
  readonly configuration: Configuration;
}

/** What the driver adds to the core's message. */
export interface MessageBytes {
  /** Bytes of an append's entries, as many as it has sizes. */
  readonly entries: readonly Bytes[];
  readonly compactTo: Index;
  /** For a snapshot message, and only there. */
  readonly chunk?: Chunk;
}

/** A decoded frame body. Entries and chunk are views into it. */
export interface DecodedMessage extends MessageBytes {
  readonly message: Message;
}

function encodeAppend(message: AppendMessage, { entries, compactTo }: MessageBytes): Bytes {
  const { runs } = message;
  // The core counts payloads for its windows (a no-op is 0 to it); on the wire the real lengths
  // count.
  const sizes = entries.map((entry) => entry.length);
  const writer = new FieldWriter(
    APPEND_HEADER_BYTES + runs.length * 2 * U64_BYTES + sizes.length * U32_BYTES,
  );
  writer.u8(TYPE_APPEND).u64(message.term).u64(message.prevIndex).u64(message.prevTerm);
  writer.u64(message.commit).u64(message.session).u64(message.round).u64(compactTo);
  writer.u32(sizes.length).u32(runs.length);
  for (const run of runs) writer.u64(run.first).u64(run.term);
  for (const size of sizes) writer.u32(size);
  return writer.bytes;
}

function encodeSnapshot(message: SnapshotMessage, chunk: Chunk | undefined): Bytes[] {
  if (chunk === undefined) throw new TypeError("replica: snapshot message without its chunk");
  const text = encodeConfiguration(chunk.configuration);
  const writer = new FieldWriter(SNAPSHOT_HEADER_BYTES + text.length);
  writer.u8(TYPE_SNAPSHOT).u64(message.term).u64(message.session);
  writer.u64(message.index).u64(message.indexTerm).u64(message.configuration.index);
  writer.u64(message.copy).u64(message.offset).u64(message.totalBytes);
  writer.u32(chunk.fileChecksum).u32(chunk.checksum);
  writer.u32(text.length).u32(chunk.bytes.length).raw(text);
  return [writer.bytes, chunk.bytes];
}

/** A message that is a type and u64 fields, and perhaps more behind them. */
function plain(type: number, fields: readonly number[], moreBytes = 0): FieldWriter {
  const writer = new FieldWriter(1 + fields.length * U64_BYTES + moreBytes).u8(type);
  for (const field of fields) writer.u64(field);
  return writer;
}

/** Encodes a message as the parts of one frame body. Entries and chunk are not copied. */
export function encodeMessage(message: Message, extra: MessageBytes): Bytes[] {
  switch (message.kind) {
    case "vote": {
      const { term, lastIndex, lastTerm, attempt, pre, transfer } = message;
      const flags = (pre ? FLAG_PRE : 0) | (transfer ? FLAG_TRANSFER : 0);
      const fields = [term, lastIndex, lastTerm];
      return [
        plain(TYPE_VOTE, fields, U32_BYTES + 1)
          .u32(attempt)
          .u8(flags).bytes,
      ];
    }
    case "voteReply": {
      const { term, removedAt, attempt, pre, granted } = message;
      const flags = (pre ? FLAG_PRE : 0) | (granted ? FLAG_GRANTED : 0);
      const fields = [term, removedAt];
      return [
        plain(TYPE_VOTE_REPLY, fields, U32_BYTES + 1)
          .u32(attempt)
          .u8(flags).bytes,
      ];
    }
    case "append":
      return [encodeAppend(message, extra), ...extra.entries];
    case "appendReply": {
      const { term, match, rejected, hintIndex, hintTerm, session, round, freeBytes } = message;
      const fields = [term, match, rejected, hintIndex, hintTerm, session, round, freeBytes];
      return [plain(TYPE_APPEND_REPLY, fields, 1).u8(message.ok ? FLAG_OK : 0).bytes];
    }
    case "timeoutNow":
      return [plain(TYPE_TIMEOUT_NOW, [message.term]).bytes];
    case "snapshot":
      return encodeSnapshot(message, extra.chunk);
    case "snapshotReply": {
      const { term, session, index, copy, nextOffset } = message;
      return [plain(TYPE_SNAPSHOT_REPLY, [term, session, index, copy, nextOffset]).bytes];
    }
    case "read":
      return [plain(TYPE_READ, [message.term, message.request]).bytes];
    case "readReply":
      return [plain(TYPE_READ_REPLY, [message.term, message.request, message.index]).bytes];
    default:
      return unreachable(message);
  }
}

function configurationsIn(
  entries: readonly Bytes[],
  prevIndex: Index,
  epoch: number,
): ConfigurationRecord[] {
  const records: ConfigurationRecord[] = [];
  let epochMin = epoch;
  entries.forEach((entry, position) => {
    const configuration = countingConfiguration(entry, epochMin);
    if (configuration === undefined) return;
    epochMin = configuration.epoch;
    records.push({ index: prevIndex + 1 + position, sets: configuration.sets });
  });
  return records;
}

function decodeAppend(reader: FieldReader, epoch: number): DecodedMessage {
  const [term, prevIndex, prevTerm] = [reader.u64(), reader.u64(), reader.u64()];
  const [commit, session, round, compactTo] = [
    reader.u64(),
    reader.u64(),
    reader.u64(),
    reader.u64(),
  ];
  const count = reader.u32();
  const runCount = reader.u32();
  reader.need(runCount * 2 * U64_BYTES + count * U32_BYTES);
  const runs: TermRun[] = [];
  for (let n = 0; n < runCount; n += 1) runs.push({ first: reader.u64(), term: reader.u64() });
  const sizes: number[] = [];
  for (let n = 0; n < count; n += 1) sizes.push(reader.u32());
  const entries = sizes.map((size) => reader.take(size));
  const configurations = configurationsIn(entries, prevIndex, epoch);
  const head = { kind: "append", term, prevIndex, prevTerm, sizes, runs } as const;
  return { message: { ...head, configurations, commit, session, round }, entries, compactTo };
}

function decodeSnapshot(reader: FieldReader): DecodedMessage {
  const [term, session, index, indexTerm] = [
    reader.u64(),
    reader.u64(),
    reader.u64(),
    reader.u64(),
  ];
  const configurationIndex = reader.u64();
  const [copy, offset, totalBytes] = [reader.u64(), reader.u64(), reader.u64()];
  const fileChecksum = reader.u32();
  const checksum = reader.u32();
  const configurationBytes = reader.u32();
  const chunkBytes = reader.u32();
  const configuration = decodeConfiguration(reader.take(configurationBytes));
  const bytes = reader.take(chunkBytes);
  if (offset + bytes.length > totalBytes) {
    throw malformed(`chunk of ${bytes.length} bytes at ${offset} of ${totalBytes}`);
  }
  return {
    message: {
      ...({ kind: "snapshot", term, session, index, indexTerm } as const),
      configuration: { index: configurationIndex, sets: configuration.sets },
      ...{ copy, offset, bytes: bytes.length, totalBytes },
    },
    entries: [],
    compactTo: 0,
    chunk: { bytes, checksum, fileChecksum, configuration },
  };
}

function decodeVote(type: number, reader: FieldReader): Message {
  const term = reader.u64();
  if (type === TYPE_VOTE) {
    const [lastIndex, lastTerm, attempt] = [reader.u64(), reader.u64(), reader.u32()];
    const flags = reader.u8();
    const [pre, transfer] = [(flags & FLAG_PRE) !== 0, (flags & FLAG_TRANSFER) !== 0];
    return { kind: "vote", term, lastIndex, lastTerm, attempt, pre, transfer };
  }
  const [removedAt, attempt] = [reader.u64(), reader.u32()];
  const flags = reader.u8();
  const [pre, granted] = [(flags & FLAG_PRE) !== 0, (flags & FLAG_GRANTED) !== 0];
  return { kind: "voteReply", term, attempt, granted, pre, removedAt };
}

function decodeSimple(type: number, reader: FieldReader): Message | undefined {
  switch (type) {
    case TYPE_VOTE:
    case TYPE_VOTE_REPLY:
      return decodeVote(type, reader);
    case TYPE_APPEND_REPLY: {
      const [term, match, rejected] = [reader.u64(), reader.u64(), reader.u64()];
      const [hintIndex, hintTerm, session] = [reader.u64(), reader.u64(), reader.u64()];
      const [round, freeBytes] = [reader.u64(), reader.u64()];
      const ok = (reader.u8() & FLAG_OK) !== 0;
      const head = { kind: "appendReply", term, ok, match, rejected } as const;
      return { ...head, hintIndex, hintTerm, session, round, freeBytes };
    }
    case TYPE_TIMEOUT_NOW:
      return { kind: "timeoutNow", term: reader.u64() };
    case TYPE_SNAPSHOT_REPLY: {
      const [term, session, index] = [reader.u64(), reader.u64(), reader.u64()];
      const [copy, nextOffset] = [reader.u64(), reader.u64()];
      return { kind: "snapshotReply", term, session, index, copy, nextOffset };
    }
    case TYPE_READ:
      return { kind: "read", term: reader.u64(), request: reader.u64() };
    case TYPE_READ_REPLY: {
      const [term, request, index] = [reader.u64(), reader.u64(), reader.u64()];
      return { kind: "readReply", term, request, index };
    }
    default:
      return undefined;
  }
}

/**
 * Decodes a frame body.
 *
 * @param epoch - configurations of older epochs do not count. Default 0.
 * @throws `REPLICA_FRAME_CORRUPT` for an unknown type, a body cut short, bytes left over, or a
 * configuration that is none.
 */
export function decodeMessage(body: Bytes, epoch = 0): DecodedMessage {
  const reader = new FieldReader(body);
  const type = reader.u8();
  const decoded = decodeBody(type, reader, epoch);
  if (decoded === undefined || reader.remaining > 0) {
    throw malformed(`message of type ${type} with ${reader.remaining} bytes left over`);
  }
  return decoded;
}

function decodeBody(type: number, reader: FieldReader, epoch: number): DecodedMessage | undefined {
  try {
    if (type === TYPE_APPEND) return decodeAppend(reader, epoch);
    if (type === TYPE_SNAPSHOT) return decodeSnapshot(reader);
  } catch (error) {
    if (!isCairnError(error, "BYTES_MALFORMED")) throw error;
    throw malformed(error.message, error);
  }
  const message = decodeSimple(type, reader);
  return message === undefined ? undefined : { message, entries: [], compactTo: 0 };
}
