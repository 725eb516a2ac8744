/**
 * What an engine and its worker say to each other. Everything is plain data; the memtable of a
 * flush and the counter of numbers are shared memory.
 * Chapter: 04-lsm, "Background work"
 */
import { CairnError, ERROR_CODES, type ErrorCode, type ErrorDetails, errorText } from "#base";
import type { SharedMemtable } from "#memtable/types";
import type { FlushOrder, JobKind } from "./jobs.ts";
import type { CompactionJob, JobResult } from "./parts.ts";

/** The engine that a worker works for. */
export interface WorkerStart {
  /** The engine's directory, on the disk of this machine. */
  readonly dir: string;
  /** See numbers.ts. */
  readonly numbers: SharedArrayBuffer;
}

/** Orders. `begin` comes first, and again when another engine takes the worker over. */
export type ToWorker =
  | { readonly kind: "begin"; readonly start: WorkerStart }
  | { readonly kind: "flush"; readonly memtable: SharedMemtable; readonly order: FlushOrder }
  | { readonly kind: "compact"; readonly job: CompactionJob }
  | {
      readonly kind: "unlink";
      readonly paths: readonly string[];
      readonly syncDir: string | undefined;
    };

/** Outcomes. `idle` comes when everything that was ordered is done. */
export type FromWorker =
  | { readonly kind: "done"; readonly job: JobKind; readonly result: JobResult }
  | { readonly kind: "failed"; readonly job: JobKind; readonly error: WorkerError }
  | { readonly kind: "idle"; readonly orders: number };

/** An error on its way between threads. `code` null: not one of ours, and so a bug. */
export interface WorkerError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** Packs an error. */
export function packError(error: unknown): WorkerError {
  if (error instanceof CairnError) {
    const { code, message, details } = error;
    return { code, message, details };
  }
  return { code: null, message: errorText(error), details: {} };
}

/** Unpacks an error. */
export function unpackError({ code, message, details }: WorkerError): Error {
  if (code === null || !(code in ERROR_CODES)) return new Error(message);
  return new CairnError(code, message, { details });
}
