/**
 * A thread that ends its process when the parent process is gone.
 *
 * The main thread may be inside a statement that never ends, and hears nothing then. A process that
 * has lost its parent gets another one, so its parent's number changes.
 */
import { kill, pid, ppid } from "node:process";
import { workerData } from "node:worker_threads";

const WATCH_MS = 500;

setInterval(() => {
  if (ppid !== workerData) kill(pid, "SIGKILL");
}, WATCH_MS);
