/**
 * Edits on their way into the manifest: one at a time, in the order in which they were handed in.
 *
 * Invariants: an edit is made when its turn comes, with what is durable by then, and is kept as it
 * is from that moment on: one that failed may come back after a crash, so it is tried again, and
 * never another in its place. What follows from it happens only once it is durable (L3).
 * Chapter: 04-lsm
 */
import { isCairnError } from "#base";
import type { EngineLog } from "./engine-log.ts";
import type { Manifest, VersionEdit } from "./parts.ts";

/** An edit, and what follows from it. */
export interface EditRequest {
  /** @param isLogDurable - up to its present end; false if the log has failed. */
  readonly make: (isLogDurable: boolean) => VersionEdit;
  readonly applied: (edit: VersionEdit) => void;
}

/** Where edits go, and who hears of it. */
export interface EditQueueOptions {
  readonly manifest: Manifest;
  readonly log: EngineLog;
  /** Called when an edit is durable, before what follows from it. */
  readonly onApplied: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** The edits of one engine. */
export type EditQueue = PendingEdits;

/** Nothing waits yet. */
export function createEditQueue(options: EditQueueOptions): EditQueue {
  return new PendingEdits(options);
}

interface PendingEdit extends EditRequest {
  edit: VersionEdit | null;
}

class PendingEdits {
  readonly #options: EditQueueOptions;
  readonly #edits: PendingEdit[] = [];
  #applying: Promise<boolean> | null = null;

  constructor(options: EditQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  add(request: EditRequest): void {
    this.#edits.push({ ...request, edit: null });
  }

  /** Applies the next one on this thread. @returns false if there is none. */
  apply(): boolean {
    const pending = this.#edits[0];
    if (pending === undefined) return false;
    try {
      pending.edit ??= pending.make(this.#syncLog());
      this.#options.manifest.apply(pending.edit);
    } catch (error) {
      if (!isCairnError(error)) throw error;
      this.#options.onFailed(error);
      return true;
    }
    this.#applied(pending, pending.edit);
    return true;
  }

  /** As `apply`, without blocking; one at a time. @returns false also if it failed. */
  async applyAsync(): Promise<boolean> {
    const pending = this.#edits[0];
    if (pending === undefined) return false;
    this.#applying = this.#applyAsync(pending);
    try {
      return await this.#applying;
    } finally {
      this.#applying = null;
    }
  }

  /** Resolves when nothing is being applied. */
  async settled(): Promise<void> {
    await this.#applying;
  }

  async #applyAsync(pending: PendingEdit): Promise<boolean> {
    try {
      pending.edit ??= pending.make(await this.#syncLogAsync());
      await this.#options.manifest.applyAsync(pending.edit);
    } catch (error) {
      if (!isCairnError(error)) throw error;
      this.#options.onFailed(error);
      return false;
    }
    this.#applied(pending, pending.edit);
    return true;
  }

  #applied(pending: PendingEdit, edit: VersionEdit): void {
    this.#edits.shift();
    this.#options.onApplied();
    pending.applied(edit);
  }

  /** @returns whether it is durable. What a failure means is noted by the log itself. */
  #syncLog(): boolean {
    const { log } = this.#options;
    try {
      if (log.failure === null) log.sync();
    } catch (error) {
      if (!isCairnError(error)) throw error;
    }
    return log.failure === null;
  }

  async #syncLogAsync(): Promise<boolean> {
    const { log } = this.#options;
    try {
      if (log.failure === null) await log.syncAsync();
    } catch (error) {
      if (!isCairnError(error)) throw error;
    }
    return log.failure === null;
  }
}
