/**
 * Gives memory back while bulk data streams through a thread.
 *
 * V8 lets some 64 MiB of dead buffers gather before it looks for them, and each thread has a V8 of
 * its own. A file that passes through three threads in pieces so takes 200 MiB, though no more than
 * a few pieces of it are in use. Whoever moves such data says so here, and now and then the dead
 * are collected: some ten milliseconds for every 8 MiB.
 *
 * Invariant: nothing depends on it. Where the engine does not offer it, it does nothing.
 * Chapter: 09-sqlite, "Threads".
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Counts bulk data. */
export interface Reclaimer {
  /** So many bytes in buffers have been used and let go. */
  used(bytes: number): void;
}

/** Below this the pauses cost more than the memory is worth. */
const BYTES_BETWEEN = 8 * 1024 * 1024;

let collect: (() => void) | undefined;

/** The engine's own collection, which a flag makes visible to new contexts. */
function findCollect(): () => void {
  setFlagsFromString("--expose-gc");
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  return typeof found === "function" ? () => void found() : () => undefined;
}

/** Makes the counter of one thread, or of one stream of data in it. */
export function createReclaimer(bytesBetween: number = BYTES_BETWEEN): Reclaimer {
  let since = 0;
  return {
    used(bytes) {
      since += bytes;
      if (since < bytesBetween) return;
      since = 0;
      collect ??= findCollect();
      collect();
    },
  };
}
