/**
 * Sends a SQLite file through the log in pieces, of whatever size it is.
 *
 * Each piece is an entry of its own, and the next one is not read before it is applied: so a client
 * is slowed down to what the cluster can take, and no more than a few pieces are ever in memory.
 * Invariant: after an error the old database is there, and what was sent of the new one is removed
 * or at the latest ended by the next load.
 */
import { type Bytes, CairnError } from "#base";
import { createReclaimer } from "#platform";
import type { Command } from "#sqlite/types";
import type { BodyPieces, CallOutcome } from "./types.ts";

/**
 * Each piece costs a sync of the log, in whose time a disk writes about as much. Smaller files are
 * one entry.
 */
const PIECE_BYTES = 1024 * 1024;

/** What the database answers to a piece, or to a file, that it took. */
const TAKEN = Buffer.from("[]");

type Send = (command: Command) => Promise<CallOutcome>;

/**
 * Sends a file.
 *
 * @param loadId - 64 random bits.
 * @param send - resolves when the command is applied.
 * @returns the last outcome.
 * @throws `SQLITE_FILE_INVALID` when the database did not take it; as `send`, and as `file`.
 */
export async function sendFile(file: BodyPieces, loadId: bigint, send: Send): Promise<CallOutcome> {
  let offset = 0;
  /** The piece before the one that is being read: the last one may be all there is. */
  let held: Bytes | undefined;
  const memory = createReclaimer();
  try {
    for await (const bytes of inPieces(file)) {
      if (held !== undefined) {
        await taken(send({ kind: "loadPiece", loadId, offset, bytes: held }));
        offset += held.length;
        memory.used(held.length);
      }
      held = bytes;
    }
    const last = held ?? new Uint8Array(0);
    if (offset === 0) return await taken(send({ kind: "loadFile", file: last }));
    await taken(send({ kind: "loadPiece", loadId, offset, bytes: last }));
    const fileBytes = offset + last.length;
    return await taken(send({ kind: "loadFinish", loadId, fileBytes }));
  } catch (error) {
    if (offset > 0) await abort(loadId, send);
    throw error;
  }
}

/**
 * The same bytes in pieces of one size, but for the last. A piece is good until the one after the
 * next is asked for.
 */
async function* inPieces(file: BodyPieces): AsyncGenerator<Bytes> {
  let piece = new Uint8Array(PIECE_BYTES);
  let other = new Uint8Array(PIECE_BYTES);
  let length = 0;
  for await (const bytes of file) {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + PIECE_BYTES - length);
      piece.set(part, length);
      length += part.length;
      from += part.length;
      if (length < PIECE_BYTES) continue;
      yield piece;
      [piece, other] = [other, piece];
      length = 0;
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}

async function taken(sent: Promise<CallOutcome>): Promise<CallOutcome> {
  const outcome = await sent;
  if (TAKEN.equals(outcome.results)) return outcome;
  const [refusal] = JSON.parse(Buffer.from(outcome.results).toString("utf8"));
  throw new CairnError("SQLITE_FILE_INVALID", String(refusal?.error));
}

async function abort(loadId: bigint, send: Send): Promise<void> {
  try {
    await send({ kind: "loadAbort", loadId });
  } catch {
    // Nobody can be reached now; the next load ends this one.
  }
}
