/**
 * Starts a worker thread from TypeScript sources: Node 20 gives a thread no loader of its own, so this
 * file registers tsx in the thread and then imports the real entry. Never needed from `dist`.
 */
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData.entry);
