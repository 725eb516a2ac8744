/**
 * What replicas tell each other besides Raft's messages, as frame bodies. Little-endian.
 *
 * | type       | bytes behind the type (one u8)                                                  |
 * | ---------- | ------------------------------------------------------------------------------- |
 * | 64 digest  | index u64, bytes of the digest: the sender's state at that index                |
 * | 65 verdict | index u64, bytes of the digest: what the majority of the voters has there       |
 *
 * Invariant: losing one costs a comparison of states and nothing else. Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import type { Index } from "#raft/types";
import { FieldReader, FieldWriter, malformed } from "./message-fields.ts";

const TYPE_DIGEST = 64;
const TYPE_VERDICT = 65;
const HEADER_BYTES = 1 + 8;

/** See the file's header. */
export interface PeerNote {
  readonly kind: "digest" | "verdict";
  readonly index: Index;
  readonly digest: Bytes;
}

/** Encodes a note as the parts of one frame body. */
export function encodeNote({ kind, index, digest }: PeerNote): Bytes[] {
  const type = kind === "digest" ? TYPE_DIGEST : TYPE_VERDICT;
  return [new FieldWriter(HEADER_BYTES).u8(type).u64(index).bytes, digest];
}

/**
 * Decodes a note; undefined if the body is something else.
 *
 * @throws `REPLICA_FRAME_CORRUPT` when it ends early.
 */
export function decodeNote(body: Bytes): PeerNote | undefined {
  const type = body[0];
  if (type !== TYPE_DIGEST && type !== TYPE_VERDICT) return undefined;
  const reader = new FieldReader(body.subarray(1));
  const index = reader.u64();
  const digest = reader.take(reader.remaining);
  if (digest.length === 0) throw malformed("note without a digest");
  return { kind: type === TYPE_DIGEST ? "digest" : "verdict", index, digest };
}
