/**
 * Reads a request's body up to a limit.
 *
 * A client that sends more must be able to read the answer that says so. If the connection were
 * closed while it still sends, its operating system would throw the answer away with a reset.
 * Invariant: a body that is too large is read to its end and forgotten, for a bounded time.
 */
import type { IncomingMessage } from "node:http";
import type { Bytes, Ms } from "#base";

/** How long a client may go on sending what nobody wants. */
const DRAIN_MS: Ms = 10_000;

/**
 * Collects a body.
 *
 * @returns undefined as soon as it is known to be larger than `bytesMax`.
 * @throws when the client breaks off.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Bytes | undefined> {
  if (declaredBytes(request) > bytesMax) {
    drain(request);
    return Promise.resolve(undefined);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const collect = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      request.off("data", collect);
      chunks.length = 0;
      drain(request);
      resolve(undefined);
    };
    request.on("data", collect);
    request.once("end", () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.once("error", reject);
  });
}

/** The length that the client has announced, or 0 if it did not. */
export function declaredBytes(request: IncomingMessage): number {
  return Number(request.headers["content-length"] ?? 0);
}

/** Reads on and forgets; breaks the connection if that takes too long. */
function drain(request: IncomingMessage): void {
  const impatience = setTimeout(() => request.destroy(), DRAIN_MS);
  impatience.unref();
  request.once("close", () => clearTimeout(impatience));
  request.once("end", () => clearTimeout(impatience));
  // A client that goes away now has given up on an answer that it was going to be refused with.
  request.once("error", () => clearTimeout(impatience));
  request.resume();
}
