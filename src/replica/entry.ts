/**
 * The Raft log entry: what is replicated, stored and applied, byte for byte the same everywhere.
 *
 * | offset | bytes | field   | type   | meaning                                                  |
 * | -----: | ----: | ------- | ------ | -------------------------------------------------------- |
 * |      0 |     1 | kind    | u8     | 1 no-op, 2 configuration, 3 command, 4 digest; never 0   |
 * |      1 |     8 | time    | u64 LE | milliseconds since 1970 at the leader; 0 unless command  |
 * |      9 |     8 | seed    | u64 LE | random bits of the leader; 0 unless command              |
 * |     17 |     n | payload | bytes  | command of the state machine, or a configuration         |
 *
 * Invariant: time and chance enter the log here, sealed once by the leader, and nowhere else (K5).
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import type { EntryKind } from "./types.ts";

const KIND_OFFSET = 0;
const TIME_OFFSET = KIND_OFFSET + 1;
const SEED_OFFSET = TIME_OFFSET + 8;
/** Bytes in front of the payload. */
export const ENTRY_HEADER_BYTES: number = SEED_OFFSET + 8;

/** 128 MiB, what the log takes as one record, less room for the record's own header. */
export const ENTRY_BYTES_MAX: number = 128 * 1024 * 1024 - 64;

/** Stored on disk: never renumber, only add. */
const KINDS = [undefined, "noop", "configuration", "command", "digest"] as const;

/** Tells whether encoded bytes are an entry of this kind, without decoding them. */
export function isKind(entry: Bytes, kind: EntryKind): boolean {
  return KINDS[entry[KIND_OFFSET] ?? 0] === kind;
}

/** What an entry says. */
export interface DecodedEntry {
  readonly kind: EntryKind;
  readonly timeMs: number;
  readonly seed: bigint;
  /** A view into the entry's bytes. */
  readonly payload: Bytes;
}

/**
 * Encodes an entry into a fresh array.
 *
 * @param payload - copied.
 */
export function encodeEntry(
  kind: EntryKind,
  payload: Bytes,
  sealed: { timeMs: number; seed: bigint } = { timeMs: 0, seed: 0n },
): Bytes {
  const bytes = new Uint8Array(ENTRY_HEADER_BYTES + payload.length);
  bytes[KIND_OFFSET] = KINDS.indexOf(kind);
  bytes.set(payload, ENTRY_HEADER_BYTES);
  sealEntry(bytes, sealed);
  return bytes;
}

/**
 * Writes the leader's time and random bits into an encoded entry, in place: done once, by the node
 * that proposes it.
 */
export function sealEntry(entry: Bytes, sealed: { timeMs: number; seed: bigint }): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  view.setBigUint64(TIME_OFFSET, BigInt(Math.trunc(sealed.timeMs)), true);
  view.setBigUint64(SEED_OFFSET, BigInt.asUintN(64, sealed.seed), true);
}

/**
 * Decodes an entry. The payload stays a view.
 *
 * @throws `BYTES_MALFORMED` for an unknown kind or too few bytes: a newer version wrote it, or it
 * is no entry.
 */
export function decodeEntry(entry: Bytes): DecodedEntry {
  const kind = KINDS[entry[KIND_OFFSET] ?? 0];
  if (kind === undefined || entry.length < ENTRY_HEADER_BYTES) {
    throw new CairnError(
      "BYTES_MALFORMED",
      `replica: log entry of ${entry.length} bytes has unknown kind ${entry[KIND_OFFSET]}`,
    );
  }
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  return {
    kind,
    timeMs: Number(view.getBigUint64(TIME_OFFSET, true)),
    seed: view.getBigUint64(SEED_OFFSET, true),
    payload: entry.subarray(ENTRY_HEADER_BYTES),
  };
}
