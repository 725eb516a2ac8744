/**
 * `/db/backup`: a copy of the database as a stream (compat reference, 1.7).
 *
 * Invariant: the copy is complete in a file before the first byte is sent, so an error can still be
 * told with a status; the file goes when the stream ends, however it ends.
 */
import { pipeline, Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { createNodeDisk, createReclaimer } from "#platform";
import { type Answer, type Call, textError } from "./answer.ts";
import { forwardedFailure } from "./failure.ts";
import { backupWishOf, callOptionsOf } from "./parameters.ts";
import { redirection } from "./redirect.ts";

/** Large enough that reading is cheap, small enough that the thread is soon free again. */
const CHUNK_BYTES = 256 * 1024;

/** Makes a copy and streams it. */
export async function handleBackup(call: Call): Promise<Answer> {
  const { service, parameters } = call;
  const { compress, ...wish } = backupWishOf(parameters);
  if (wish.vacuum && wish.format !== "binary") return textError(500, "invalid backup format");
  try {
    const redirect = wish.local ? undefined : await redirection(call);
    if (redirect !== undefined) return redirect;
    const copy = await service.backup(wish, callOptionsOf(call));
    service.counters.add("http", "backups");
    const { stream, bytes } = openCopy(copy);
    const type = wish.format === "sql" ? "application/sql" : "application/octet-stream";
    const headers = { "content-type": type };
    if (compress) return { status: 200, headers, body: compressed(stream) };
    return { status: 200, headers: { ...headers, "content-length": String(bytes) }, body: stream };
  } catch (error) {
    return forwardedFailure(error, "backup");
  }
}

/** The copy as a stream that removes the file behind itself. */
function openCopy(copy: { readonly path: string; remove(): void }): {
  stream: Readable;
  bytes: number;
} {
  try {
    const file = createNodeDisk().open(copy.path, "read");
    const memory = createReclaimer();
    let offset = 0;
    const stream = new Readable({
      highWaterMark: CHUNK_BYTES,
      read() {
        const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
        try {
          const bytes = file.read(offset, chunk);
          offset += bytes;
          memory.used(bytes);
          this.push(bytes === 0 ? null : chunk.subarray(0, bytes));
        } catch (error) {
          this.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      },
      destroy(error, done) {
        file.close();
        copy.remove();
        done(error);
      },
    });
    return { stream, bytes: file.size() };
  } catch (error) {
    copy.remove();
    throw error;
  }
}

/** The same bytes through gzip at its fastest. A broken line breaks the stream behind it too. */
function compressed(stream: Readable): Readable {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // An error of either end destroys the other, and then shows at the one that is being sent.
  return pipeline(stream, gzip, () => undefined);
}
