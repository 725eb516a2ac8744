/**
 * The process model: one node on the model tier, over a model disk and a model machine.
 *
 * Reading order: types.ts; entry.ts, log.ts, disk.ts, machine.ts; copies.ts, held.ts, reads.ts,
 * records.ts, node.ts.
 */
export type { CopyRequest } from "./copies.ts";
export type { ModelDisk, PendingChunk, PendingRecord, PendingWrite } from "./disk.ts";
export {
  type EntryContent,
  entriesOfTerms,
  makeEntry,
  mixHash,
  moveEntry,
  runsOf,
} from "./entry.ts";
export { type ModelLog, NO_SETS } from "./log.ts";
export type { ModelMachine } from "./machine.ts";
export { createModelNode, ModelNode } from "./node.ts";
export type * from "./types.ts";
