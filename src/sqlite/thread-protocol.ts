/**
 * What the main thread and the SQL threads say to each other. Plain data; result bytes are moved.
 *
 * Entries do not come this way: they come from the consensus thread, through the applier's port.
 * Chapter: 09-sqlite.
 */
import type { MessagePort } from "node:worker_threads";
import type { Bytes } from "#base";
import type { KvRead, Outcome, WireError } from "#replica";
import type { BackupRequest, ReadRequest } from "./types.ts";
import type { WriterMachineOptions } from "./writer-machine.ts";

/** How the writer thread is started. */
export interface WriterData {
  readonly options: WriterMachineOptions;
  readonly applierPort: MessagePort;
}

export type ToWriter =
  | { readonly kind: "status" | "checkpoint"; readonly id: number }
  | { readonly kind: "readKv"; readonly id: number; readonly read: KvRead }
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "opened"; readonly appliedIndex: number; readonly newestIndex: number }
  /**
   * The wanted results of one batch; the result of `ids[n]` ends at `ends[n]` and begins where the
   * one before ends.
   */
  | {
      readonly kind: "results";
      readonly ids: readonly number[];
      /** Places in the log. */
      readonly indexes: readonly number[];
      readonly ends: readonly number[];
      readonly bytes: Bytes;
    }
  | { readonly kind: "answer"; readonly id: number; readonly outcome: Outcome<unknown> }
  /** The machine cannot be opened, or cannot go on. */
  | { readonly kind: "fatal"; readonly error: WireError }
  | { readonly kind: "closed" };

/** How a reader thread is started. */
export interface ReaderData {
  readonly path: string;
  readonly extensions: readonly string[];
}

/** What a reader can be asked to do. */
export type ReaderJob =
  | { readonly kind: "read"; readonly request: ReadRequest }
  | { readonly kind: "backup"; readonly request: BackupRequest }
  | { readonly kind: "digest" };

export type ToReader =
  /** The database file is there. */
  | { readonly kind: "open" }
  | { readonly kind: "job"; readonly id: number; readonly job: ReaderJob }
  /** These jobs have been given to another reader; those not begun are dropped. */
  | { readonly kind: "forget"; readonly ids: readonly number[] }
  | { readonly kind: "close" };

export type FromReader =
  | { readonly kind: "opened" }
  /** One more statement of a read with a time limit is done; `text` is its part of the results. */
  | { readonly kind: "progress"; readonly id: number; readonly text: string }
  | { readonly kind: "answer"; readonly id: number; readonly outcome: Outcome<unknown> }
  | { readonly kind: "fatal"; readonly error: WireError }
  | { readonly kind: "closed" };
