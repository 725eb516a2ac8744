/**
 * Raft messages as frame bodies. All integers little-endian; indexes, terms and rounds are u64.
 *
 * | type          | bytes behind the type (one u8)                                                |
 * | ------------- | ----------------------------------------------------------------------------- |
 * | 1 vote        | term, lastIndex, lastTerm, attempt u32, flags u8 (1: pre)                     |
 * | 2 voteReply   | term, attempt u32, flags u8 (1: pre, 2: granted)                              |
 * | 3 append      | term, prevIndex, prevTerm, commit, round, compactTo, count u32, runCount u32, |
 * |               | then runCount x (first, term), count x size u32, then the entries' bytes      |
 * | 4 appendReply | term, match, rejected, hintIndex, hintTerm, round, flags u8 (1: ok)           |
 *
 * `compactTo` is the leader's advice up to which entry every member has a copy, so that all may
 * forget it; it is the driver's, not the core's. Invariant: decoding checks every length against
 * the frame before it is used. Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import type { AppendMessage, Index, Message, TermRun } from "#raft/types";

const TYPE_VOTE = 1;
const TYPE_VOTE_REPLY = 2;
const TYPE_APPEND = 3;
const TYPE_APPEND_REPLY = 4;
const FLAG_PRE = 1;
const FLAG_GRANTED = 2;
const FLAG_OK = 1;
const U32_BYTES = 4;
const U64_BYTES = 8;
const APPEND_HEADER_BYTES = 1 + 6 * U64_BYTES + 2 * U32_BYTES;

/** A decoded frame body. The entries are views into it. */
export interface DecodedMessage {
  readonly message: Message;
  /** Bytes of the entries of an append, in order. */
  readonly entries: readonly Bytes[];
  readonly compactTo: Index;
}

/** Writes fields one behind the other. */
class FieldWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.bytes.buffer);
  }
  u8(value: number): this {
    this.#view.setUint8(this.#offset, value);
    this.#offset += 1;
    return this;
  }
  u32(value: number): this {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += U32_BYTES;
    return this;
  }
  /** As two halves: about ten times faster than through a bigint. */
  u64(value: number): this {
    this.#view.setUint32(this.#offset, value >>> 0, true);
    this.#view.setUint32(this.#offset + U32_BYTES, Math.floor(value / 2 ** 32), true);
    this.#offset += U64_BYTES;
    return this;
  }
}

/** Reads fields one behind the other; beyond the end is `REPLICA_FRAME_CORRUPT`. */
class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }
  need(bytes: number): void {
    if (bytes > this.remaining) {
      throw new CairnError(
        "REPLICA_FRAME_CORRUPT",
        `replica: message of ${this.#bytes.length} bytes ends ` +
          `${bytes - this.remaining} bytes early`,
      );
    }
  }
  u8(): number {
    this.need(1);
    this.#offset += 1;
    return this.#view.getUint8(this.#offset - 1);
  }
  u32(): number {
    this.need(U32_BYTES);
    this.#offset += U32_BYTES;
    return this.#view.getUint32(this.#offset - U32_BYTES, true);
  }
  u64(): number {
    this.need(U64_BYTES);
    const low = this.#view.getUint32(this.#offset, true);
    const high = this.#view.getUint32(this.#offset + U32_BYTES, true);
    this.#offset += U64_BYTES;
    return high * 2 ** 32 + low;
  }
  take(count: number): Bytes {
    this.need(count);
    this.#offset += count;
    return this.#bytes.subarray(this.#offset - count, this.#offset);
  }
}

function encodeAppend(message: AppendMessage, entries: readonly Bytes[], compactTo: Index): Bytes {
  const { runs } = message;
  // The core counts payloads for its windows (a no-op is 0 to it); on the wire the real lengths
  // count.
  const sizes = entries.map((entry) => entry.length);
  const writer = new FieldWriter(
    APPEND_HEADER_BYTES + runs.length * 2 * U64_BYTES + sizes.length * U32_BYTES,
  );
  writer.u8(TYPE_APPEND).u64(message.term).u64(message.prevIndex).u64(message.prevTerm);
  writer.u64(message.commit).u64(message.round).u64(compactTo);
  writer.u32(sizes.length).u32(runs.length);
  for (const run of runs) writer.u64(run.first).u64(run.term);
  for (const size of sizes) writer.u32(size);
  return writer.bytes;
}

/**
 * Encodes a message as the parts of one frame body.
 *
 * @param entries - bytes of an append's entries, as many as it has sizes; not copied.
 */
export function encodeMessage(
  message: Message,
  entries: readonly Bytes[],
  compactTo: Index,
): Bytes[] {
  switch (message.kind) {
    case "vote":
      return [
        new FieldWriter(1 + 3 * U64_BYTES + U32_BYTES + 1)
          .u8(TYPE_VOTE)
          .u64(message.term)
          .u64(message.lastIndex)
          .u64(message.lastTerm)
          .u32(message.attempt)
          .u8(message.pre ? FLAG_PRE : 0).bytes,
      ];
    case "voteReply":
      return [
        new FieldWriter(1 + U64_BYTES + U32_BYTES + 1)
          .u8(TYPE_VOTE_REPLY)
          .u64(message.term)
          .u32(message.attempt)
          .u8((message.pre ? FLAG_PRE : 0) | (message.granted ? FLAG_GRANTED : 0)).bytes,
      ];
    case "append":
      return [encodeAppend(message, entries, compactTo), ...entries];
    case "appendReply":
      return [
        new FieldWriter(1 + 6 * U64_BYTES + 1)
          .u8(TYPE_APPEND_REPLY)
          .u64(message.term)
          .u64(message.match)
          .u64(message.rejected)
          .u64(message.hintIndex)
          .u64(message.hintTerm)
          .u64(message.round)
          .u8(message.ok ? FLAG_OK : 0).bytes,
      ];
    default:
      throw new Error(`replica: a message of kind ${message.kind} has no encoding`);
  }
}

function decodeAppend(reader: FieldReader): DecodedMessage {
  const term = reader.u64();
  const prevIndex = reader.u64();
  const prevTerm = reader.u64();
  const commit = reader.u64();
  const round = reader.u64();
  const compactTo = reader.u64();
  const count = reader.u32();
  const runCount = reader.u32();
  reader.need(runCount * 2 * U64_BYTES + count * U32_BYTES);
  const runs: TermRun[] = [];
  for (let n = 0; n < runCount; n += 1) runs.push({ first: reader.u64(), term: reader.u64() });
  const sizes: number[] = [];
  for (let n = 0; n < count; n += 1) sizes.push(reader.u32());
  const entries = sizes.map((size) => reader.take(size));
  return {
    message: {
      kind: "append",
      term,
      prevIndex,
      prevTerm,
      sizes,
      runs,
      configurations: [],
      commit,
      session: 0,
      round,
    },
    entries,
    compactTo,
  };
}

function decodeSimple(type: number, reader: FieldReader): Message | undefined {
  switch (type) {
    case TYPE_VOTE: {
      const [term, lastIndex, lastTerm] = [reader.u64(), reader.u64(), reader.u64()];
      const attempt = reader.u32();
      const pre = (reader.u8() & FLAG_PRE) !== 0;
      return { kind: "vote", term, lastIndex, lastTerm, attempt, pre, transfer: false };
    }
    case TYPE_VOTE_REPLY: {
      const term = reader.u64();
      const attempt = reader.u32();
      const flags = reader.u8();
      const granted = (flags & FLAG_GRANTED) !== 0;
      const pre = (flags & FLAG_PRE) !== 0;
      return { kind: "voteReply", term, attempt, granted, pre, removedAt: 0 };
    }
    case TYPE_APPEND_REPLY: {
      const [term, match, rejected] = [reader.u64(), reader.u64(), reader.u64()];
      const [hintIndex, hintTerm, round] = [reader.u64(), reader.u64(), reader.u64()];
      const ok = (reader.u8() & FLAG_OK) !== 0;
      const hint = { hintIndex, hintTerm };
      const rest = { session: 0, round, freeBytes: Number.MAX_SAFE_INTEGER };
      return { kind: "appendReply", term, ok, match, rejected, ...hint, ...rest };
    }
    default:
      return undefined;
  }
}

/**
 * Decodes a frame body.
 *
 * @throws `REPLICA_FRAME_CORRUPT` for an unknown type, a body cut short, or bytes left over.
 */
export function decodeMessage(body: Bytes): DecodedMessage {
  const reader = new FieldReader(body);
  const type = reader.u8();
  let decoded: DecodedMessage | undefined;
  if (type === TYPE_APPEND) {
    decoded = decodeAppend(reader);
  } else {
    const message = decodeSimple(type, reader);
    if (message !== undefined) decoded = { message, entries: [], compactTo: 0 };
  }
  if (decoded === undefined || reader.remaining > 0) {
    throw new CairnError(
      "REPLICA_FRAME_CORRUPT",
      `replica: message of type ${type} with ${reader.remaining} bytes left over`,
    );
  }
  return decoded;
}
