/**
 * Committed entries on their way to the state machine's thread, packed into one array of bytes.
 *
 * One array moves between threads at once, where 512 objects would be cloned one by one. Never on
 * disk and never on the wire: both ends are the same process, so a wrong byte is our own bug.
 *
 * | offset | bytes | field      | type   | meaning                                      |
 * | -----: | ----: | ---------- | ------ | -------------------------------------------- |
 * |      0 |     8 | index      | u64 LE | place in the log                             |
 * |      8 |     8 | term       | u64 LE | term of the leader that proposed it          |
 * |     16 |     8 | timeMs     | u64 LE | that leader's clock, ms since 1970           |
 * |     24 |     8 | seed       | u64 LE | that leader's random bits                    |
 * |     32 |     8 | proposalId | u64 LE | 0, or who waits for the result               |
 * |     40 |     4 | length     | u32 LE | bytes of the payload                         |
 * |     44 |     1 | kind       | u8     | 1 no-op, 2 configuration, 3 command, 4 digest |
 * |     45 |     n | payload    | bytes  | the entry's; the next entry follows directly |
 *
 * Invariant: `unpackEntries(packEntries(entries))` equals `entries`, with payloads as views.
 * Chapter: 08-replica.
 */
import { assert, type Bytes } from "#base";
import { getU32, getU64, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import type { CommittedEntry } from "./types.ts";

const INDEX_OFFSET = 0;
const TERM_OFFSET = INDEX_OFFSET + U64_BYTES;
const TIME_OFFSET = TERM_OFFSET + U64_BYTES;
const SEED_OFFSET = TIME_OFFSET + U64_BYTES;
const PROPOSAL_OFFSET = SEED_OFFSET + U64_BYTES;
const LENGTH_OFFSET = PROPOSAL_OFFSET + U64_BYTES;
const KIND_OFFSET = LENGTH_OFFSET + U32_BYTES;
const HEADER_BYTES = KIND_OFFSET + 1;
assert(HEADER_BYTES === 45, "replica: the header of a packed entry has 45 bytes, as in the table");

const KINDS = [undefined, "noop", "configuration", "command", "digest"] as const;

/**
 * Packs entries into a fresh array that fills its buffer, so that the buffer can be transferred.
 */
export function packEntries(entries: readonly CommittedEntry[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { payload } of entries) size += HEADER_BYTES + payload.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const entry of entries) {
    putU64(bytes, at + INDEX_OFFSET, entry.index);
    putU64(bytes, at + TERM_OFFSET, entry.term);
    putU64(bytes, at + TIME_OFFSET, entry.timeMs);
    view.setBigUint64(at + SEED_OFFSET, entry.seed, true);
    putU64(bytes, at + PROPOSAL_OFFSET, entry.proposalId);
    putU32(bytes, at + LENGTH_OFFSET, entry.payload.length);
    bytes[at + KIND_OFFSET] = KINDS.indexOf(entry.kind);
    bytes.set(entry.payload, at + HEADER_BYTES);
    at += HEADER_BYTES + entry.payload.length;
  }
  return bytes;
}

/**
 * Unpacks what `packEntries` made. Payloads are views into `bytes`.
 *
 * @throws InvariantError if `bytes` is anything else.
 */
export function unpackEntries(bytes: Bytes): CommittedEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: CommittedEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    assert(bytes.length - at >= HEADER_BYTES, "replica: a packed entry has its whole header");
    const kind = KINDS[bytes[at + KIND_OFFSET] ?? 0];
    assert(kind !== undefined, "replica: a packed entry has a known kind");
    const start = at + HEADER_BYTES;
    const end = start + getU32(bytes, at + LENGTH_OFFSET);
    assert(end <= bytes.length, "replica: a packed entry has its whole payload");
    entries.push({
      index: getU64(bytes, at + INDEX_OFFSET),
      term: getU64(bytes, at + TERM_OFFSET),
      kind,
      timeMs: getU64(bytes, at + TIME_OFFSET),
      seed: view.getBigUint64(at + SEED_OFFSET, true),
      payload: bytes.subarray(start, end),
      proposalId: getU64(bytes, at + PROPOSAL_OFFSET),
    });
    at = end;
  }
  return entries;
}
