/**
 * The worker threads of this process's engines: one for each engine that needs one.
 *
 * A thread takes 50 ms to start, and runs slowly until its code is compiled: longer than a memtable
 * takes to fill. So the thread of an engine that was closed waits for the next engine. At most one
 * waits, and it does not keep the process alive.
 *
 * Invariant: a thread that waits has done all that it was told to do, and holds no file open.
 * Chapter: 04-lsm, "Background work"
 */
import { spawnThread, type Thread } from "#platform";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

export type WorkerThread = Thread<ToWorker, FromWorker>;

let waiting: WorkerThread | null = null;

/** A worker for an engine: the one that waits, or a new one. Its listeners are the caller's. */
export function takeWorker(start: WorkerStart): WorkerThread {
  const thread = waiting ?? spawn();
  waiting = null;
  thread.post({ kind: "begin", start });
  return thread;
}

/** Takes back a worker that is idle, or ends it. */
export async function giveBackWorker(thread: WorkerThread): Promise<void> {
  if (waiting !== null) {
    await thread.terminate();
    return;
  }
  waiting = thread;
  thread.keepAlive(false);
  thread.onMessage(() => {});
  thread.onError(() => {
    if (waiting === thread) waiting = null;
    thread.close();
  });
}

function spawn(): WorkerThread {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = new URL(`./background-worker.${extension}`, import.meta.url);
  return spawnThread(file, { name: "lsm-background", data: null });
}
