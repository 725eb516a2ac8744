/**
 * Starts a worker thread that meets TypeScript, in its entry or in a reader's module: Node 20 gives
 * a thread no loader of its own, so this file registers tsx in the thread and then imports the real
 * entry. What is built runs without it, unless a module of the reader's is switched on.
 */
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData.entry);
