/**
 * Reads a request's body up to a limit, or in pieces.
 *
 * A client that sends more must be able to read the answer that says so. If the connection were
 * closed while it still sends, its operating system would throw the answer away with a reset.
 * Invariant: a body that nobody wants is read to its end and forgotten, for a bounded time.
 */
import type { IncomingMessage } from "node:http";
import { type Bytes, CairnError, type Ms } from "#base";
import type { BodyPieces } from "../types.ts";
import type { Answer } from "./answer.ts";
import { plainFailure } from "./failure.ts";

/** How long a client may go on sending what nobody wants. */
const DRAIN_MS: Ms = 10_000;

/**
 * Collects a body.
 *
 * @returns undefined as soon as it is known to be larger than `bytesMax`.
 * @throws when the client breaks off.
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Bytes | undefined> {
  if (declaredBytes(request) > bytesMax) {
    drain(request);
    return undefined;
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const collectChunk = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      request.off("data", collectChunk);
      chunks.length = 0;
      drain(request);
      resolve(undefined);
    };
    request.on("data", collectChunk);
    request.once("end", () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.once("error", reject);
  });
}

/** The length that the client has announced, or 0 if it did not. */
export function declaredBytes(request: IncomingMessage): number {
  return Number(request.headers["content-length"] ?? 0);
}

/** A body as it comes. Whoever stops early leaves the rest for {@link drain}. */
export function piecesOf(request: IncomingMessage): BodyPieces {
  return request.iterator({ destroyOnReturn: false });
}

/** Collects pieces. @returns undefined as soon as they are more than `bytesMax`. */
export async function collect(pieces: BodyPieces, bytesMax: number): Promise<Bytes | undefined> {
  const chunks: Bytes[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > bytesMax) return undefined;
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

/** The answer to a body beyond the limit. */
export function tooLarge(bytesMax: number): Answer {
  const limit = `${bytesMax} bytes (-http-max-body-bytes)`;
  const message = `request body is larger than the limit of ${limit}`;
  return plainFailure(new CairnError("SERVER_BODY_TOO_LARGE", message));
}

/** Reads on and forgets; breaks the connection if that takes too long. */
export function drain(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return;
  const impatience = setTimeout(() => request.destroy(), DRAIN_MS);
  impatience.unref();
  request.once("close", () => clearTimeout(impatience));
  request.once("end", () => clearTimeout(impatience));
  // A client that goes away now has given up on an answer that it was going to be refused with.
  request.once("error", () => clearTimeout(impatience));
  request.resume();
}
