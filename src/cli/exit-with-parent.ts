/**
 * Lets a node end with the process that started it, also when that one was killed with SIGKILL.
 *
 * The parent holds the other end of the node's standard input. The kernel closes it when the parent
 * is gone, whatever the reason. Invariant: without the environment variable nothing changes, so
 * that a node whose standard input is closed or empty runs on.
 */

/** Set to `1` by a parent that keeps a pipe to the child's standard input. */
export const EXIT_WITH_PARENT: string = "CAIRN_EXIT_WITH_PARENT";

/** Longer than a graceful stop takes; after this the orphan ends without grace. */
const STOP_MS_MAX = 10_000;

/**
 * Watches standard input if the parent asks for it, and sends this process SIGTERM when it ends.
 *
 * Does not keep the process alive. SIGTERM rather than `exit`, so that there is one way to stop.
 */
export function exitWithParent(): void {
  if (process.env[EXIT_WITH_PARENT] !== "1") return;
  const input = process.stdin;
  let ended = false;
  const stop = (): void => {
    if (ended) return;
    ended = true;
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
    process.kill(process.pid, "SIGTERM");
  };
  input.on("end", stop).on("close", stop).on("error", stop);
  input.resume();
  // A pipe is a socket and can be let go of; a file or a terminal is not what a parent hands over.
  if (typeof input.unref === "function") input.unref();
}
