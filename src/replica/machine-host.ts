/**
 * Runs a state machine behind an applier: entries in batches, and between two batches whatever else
 * is asked for, a copy, a digest, another state in place of this one.
 *
 * Used by the state machine's own thread, and by tests and simulations on theirs. Invariants:
 * entries are applied in the order in which they were submitted; a result is given only after its
 * batch is applied; after a failure nothing is applied any more.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import type { Index } from "#raft/types";
import type { CommittedEntry, StateMachine } from "./types.ts";

/** Results of a batch, one an entry; null where nobody waits. */
export type Results = readonly (Bytes | null)[];

/** What a host needs of a machine beyond the contract, or in place of it. */
export interface HostedMachine
  extends Pick<StateMachine, "appliedIndex" | "durableIndex" | "snapshot" | "digestLater"> {
  /** As `StateMachine.applyBatch`, now or later. */
  applyBatch(entries: readonly CommittedEntry[]): Results | Promise<Results>;
  /** As `StateMachine.restore`, now or later. */
  restore(path: string, index: Index): void | Promise<void>;
}

/** What a host is made of. */
export interface MachineHostParts {
  readonly machine: HostedMachine;
  /** A batch is applied, and visible to readers. */
  readonly onResults: (entries: readonly CommittedEntry[], results: Results) => void;
  /** Another state has taken the place of the one that was; told before `install` resolves. */
  readonly onInstalled: () => void;
  /** The machine cannot go on. Told once. */
  readonly onFatal: (error: unknown) => void;
  /** Entries in one batch: more gain nothing, and make everyone in it wait. */
  readonly batchEntriesMax?: number;
  /** Payload bytes in one batch, for the same reason; one larger entry still goes alone. */
  readonly batchBytesMax?: number;
}

/** See the file's header. */
export interface MachineHost {
  /** Entries that were queued and are not begun. */
  readonly queued: number;
  /** Queues entries; nothing is begun before `pump`. */
  queue(entries: readonly CommittedEntry[]): void;
  /** Does what is queued, as far as it can be done now. */
  pump(): void;
  /** As `Applier.makeSnapshot`. */
  makeSnapshot(path: string, atLeast: Index): Promise<{ readonly index: Index }>;
  /** As `Applier.install`. */
  install(path: string, index: Index): Promise<void>;
  /** As `Applier.digestAt`. */
  digestAt(index: Index): Promise<Bytes | undefined>;
  /** Does nothing more; what is asked for and not begun is rejected. */
  stop(): void;
}

const BATCH_ENTRIES_MAX = 256;
const BATCH_BYTES_MAX = 1024 * 1024;

/** Makes the host of one machine. */
export function createMachineHost(parts: MachineHostParts): MachineHost {
  return new Host(parts);
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

interface Installation extends Waiting<void> {
  readonly path: string;
  readonly index: Index;
}

interface CopyWanted extends Waiting<{ readonly index: Index }> {
  readonly path: string;
  readonly atLeast: Index;
}

class Host implements MachineHost {
  readonly #parts: MachineHostParts;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #queue: (CommittedEntry | Installation)[] = [];
  /** The first in the queue that is not begun. */
  #next = 0;
  #copies: CopyWanted[] = [];
  readonly #digests = new Map<Index, Waiting<Bytes | undefined>[]>();
  /** A batch or an installation is under way that takes longer than this turn. */
  #isBusy = false;
  #isStopped = false;

  constructor(parts: MachineHostParts) {
    this.#parts = parts;
    this.#entriesMax = parts.batchEntriesMax ?? BATCH_ENTRIES_MAX;
    this.#bytesMax = parts.batchBytesMax ?? BATCH_BYTES_MAX;
  }

  get queued(): number {
    return this.#queue.length - this.#next;
  }

  queue(entries: readonly CommittedEntry[]): void {
    for (const entry of entries) this.#queue.push(entry);
  }

  pump(): void {
    while (!this.#isBusy && !this.#isStopped) {
      this.#betweenBatches();
      const first = this.#queue[this.#next];
      if (first === undefined) break;
      if ("resolve" in first) this.#install(first);
      else this.#apply(this.#takeBatch());
    }
    if (this.queued === 0 || this.#next > this.#entriesMax) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
  }

  makeSnapshot(path: string, atLeast: Index): Promise<{ readonly index: Index }> {
    return this.#ask((waiting) => this.#copies.push({ path, atLeast, ...waiting }));
  }

  install(path: string, index: Index): Promise<void> {
    return this.#ask((waiting) => this.#queue.push({ path, index, ...waiting }));
  }

  digestAt(index: Index): Promise<Bytes | undefined> {
    return this.#ask((waiting) => {
      this.#digests.set(index, [...(this.#digests.get(index) ?? []), waiting]);
    });
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const left = this.#queue.slice(this.#next).filter((one) => "resolve" in one);
    this.#queue = [];
    this.#next = 0;
    for (const waiting of [...left, ...this.#copies, ...[...this.#digests.values()].flat()]) {
      waiting.reject(stopped());
    }
    this.#copies = [];
    this.#digests.clear();
  }

  #ask<T>(keep: (waiting: Waiting<T>) => void): Promise<T> {
    if (this.#isStopped) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      keep({ resolve, reject });
      this.pump();
    });
  }

  /** Entries up to a limit, or up to one at which a digest is wanted. */
  #takeBatch(): CommittedEntry[] {
    const batch: CommittedEntry[] = [];
    let bytes = 0;
    for (let at = this.#next; at < this.#queue.length; at += 1) {
      const entry = this.#queue[at]!;
      if ("resolve" in entry || batch.length === this.#entriesMax) break;
      bytes += entry.payload.length;
      if (batch.length > 0 && bytes > this.#bytesMax) break;
      batch.push(entry);
      if (this.#digests.has(entry.index)) break;
    }
    this.#next += batch.length;
    return batch;
  }

  #apply(batch: readonly CommittedEntry[]): void {
    try {
      const outcome = this.#parts.machine.applyBatch(batch);
      if (outcome instanceof Promise) {
        this.#goOn(outcome.then((results) => this.#parts.onResults(batch, results)));
      } else this.#parts.onResults(batch, outcome);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A failed installation has changed nothing: whoever asked for it decides. */
  #install(installation: Installation): void {
    this.#next += 1;
    const { path, index, resolve, reject } = installation;
    const done = (): void => {
      this.#parts.onInstalled();
      resolve();
    };
    try {
      const outcome = this.#parts.machine.restore(path, index);
      if (outcome instanceof Promise) this.#goOn(outcome.then(done, reject));
      else done();
    } catch (error) {
      reject(error);
    }
  }

  /** Waits for what takes longer than this turn. */
  #goOn(work: Promise<void>): void {
    this.#isBusy = true;
    work
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isBusy = false;
        this.pump();
      });
  }

  #betweenBatches(): void {
    const applied = this.#parts.machine.appliedIndex();
    if (this.#digests.size > 0) this.#startDigests(applied);
    if (this.#copies.length > 0) this.#startCopies(applied);
  }

  /** The machine takes hold of its state now, and computes while applying goes on. */
  #startDigests(applied: Index): void {
    for (const [index, waiting] of [...this.#digests]) {
      if (index > applied) continue;
      this.#digests.delete(index);
      if (index < applied) for (const { resolve } of waiting) resolve(undefined);
      else {
        void this.#parts.machine.digestLater().then(
          (digest) => {
            for (const { resolve } of waiting) resolve(digest);
          },
          (error: unknown) => {
            for (const { reject } of waiting) reject(error);
          },
        );
      }
    }
  }

  #startCopies(applied: Index): void {
    const ready = this.#copies.filter(({ atLeast }) => atLeast <= applied);
    if (ready.length === 0) return;
    this.#copies = this.#copies.filter(({ atLeast }) => atLeast > applied);
    for (const { path, resolve, reject } of ready) {
      this.#parts.machine.snapshot(path).then((index) => resolve({ index }), reject);
    }
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.stop();
    this.#parts.onFatal(error);
  }
}

function stopped(): CairnError {
  return new CairnError("REPLICA_STOPPED", "replica: the state machine has stopped");
}
