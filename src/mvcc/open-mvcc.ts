/**
 * The store of transactions: who begins where, who may commit, and what may be forgotten.
 *
 * Checking for conflicts, giving a timestamp and handing the writes to the engine happen in one
 * turn of the event loop. So commits happen one behind the other, though their writes to disk
 * overlap.
 *
 * Invariants: a transaction commits only if nobody else has committed a key that it writes since it
 * began (T4); a serializable one only if nobody has committed a key that it has read, either (T5).
 * Chapter: 06-mvcc. Source of T5: backward validation, Kung and Robinson, "On Optimistic Methods
 * for Concurrency Control" (1981), on snapshots.
 */
import { CairnError, type Ms } from "#base";
import { openEngine } from "#lsm";
import type { Engine } from "#lsm/types";
import { createNodeClock, nodeRandom } from "#platform";
import type { Clock, Random } from "#platform/types";
import { openAppendedStore } from "./appended-store.ts";
import { createCommitHistory } from "./commit-history.ts";
import { bytesOf, type KeyText } from "./key-text.ts";
import { type Meta, openMeta } from "./meta.ts";
import { checkReaderLimits } from "./options.ts";
import { createReaders, type ReaderLimits, type Readers } from "./readers.ts";
import { runInTransaction } from "./retry.ts";
import { openTimestampedStore, TIMESTAMPED_KEYS } from "./timestamped-store.ts";
import { OpenTransaction, type TransactionHost } from "./transaction.ts";
import type * as Contract from "./types.ts";
import { openUndoStore } from "./undo-store.ts";
import type { VersionStore } from "./version-store.ts";
import { createVisible, type Visible } from "./visible.ts";

/** The horizon moves on after so long, or so many versions: each time costs a sync. */
const HORIZON_MS: Ms = 1000;
const HORIZON_VERSIONS = 65_536;

const LAYOUTS: Readonly<Record<Contract.VersionLayout, (engine: Engine) => VersionStore>> = {
  timestamped: openTimestampedStore,
  appended: openAppendedStore,
  undo: openUndoStore,
};

/** Opens or creates a store. @throws see `MvccModule.openMvcc`. */
export async function openMvcc(options: Contract.MvccOptions): Promise<Contract.Mvcc> {
  const limits = checkReaderLimits(options);
  const { dir, layout = "timestamped", clock = createNodeClock(), random = nodeRandom() } = options;
  const open = LAYOUTS[layout];
  if (open === undefined) throw new RangeError(`mvcc: layout: ${layout} is none`);
  const timestampedKeys = layout === "timestamped" ? { timestampedKeys: TIMESTAMPED_KEYS } : {};
  const engine = openEngine({ ...options.engine, ...timestampedKeys, dir, clock });
  try {
    const meta = await openMeta(engine, layout);
    return new OpenMvcc({ engine, meta, store: open(engine), clock, random, limits });
  } catch (error) {
    // It may fail in closing with what is on its way to the caller already.
    await engine.close().catch(() => undefined);
    throw error;
  }
}

/** What an open store is made of. */
interface Parts {
  readonly engine: Engine;
  readonly meta: Meta;
  readonly store: VersionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ReaderLimits;
}

class OpenMvcc implements Contract.Mvcc, TransactionHost {
  readonly store: VersionStore;
  readonly #parts: Parts;
  readonly #readers: Readers;
  readonly #visible: Visible;
  readonly #history = createCommitHistory();
  readonly #open = new Set<OpenTransaction>();
  /** Those of them that may come to write, in the order of their beginning. */
  readonly #writers = new Set<OpenTransaction>();
  readonly #counters = { begun: 0, commits: 0, aborts: 0, writes: 0, reads: 0, versions: 0 };
  /** The horizon that is durable, or on its way. */
  #givenUp: Contract.Timestamp;
  #horizonMs: Ms;
  #horizonVersions = 0;
  #moving: Promise<void> = Promise.resolve();
  /** Whether it is to be tried again. */
  #hasMoveFailed = false;
  #closing: Promise<void> | null = null;

  constructor(parts: Parts) {
    const { meta, store, clock, limits } = parts;
    this.#parts = parts;
    this.store = store;
    this.#visible = createVisible(meta.last);
    this.#givenUp = meta.horizon;
    store.setHorizon(meta.horizon);
    this.#horizonMs = clock.now();
    this.#readers = createReaders(clock, limits, meta.horizon);
    this.#readers.sample(meta.last);
  }

  get horizon(): Contract.Timestamp {
    return Math.max(this.#givenUp, this.#readers.horizon(this.#visible.timestamp));
  }

  begin(options: Contract.BeginOptions = {}): Contract.Transaction {
    this.#checkOpen();
    const { at } = options;
    if (at !== undefined) this.#checkPast(at);
    this.#counters.begun += 1;
    const transaction = new OpenTransaction(this, {
      number: this.#counters.begun,
      options,
      readTimestamp: at ?? this.#visible.timestamp,
      beganMs: this.#parts.clock.now(),
      versionsBefore: this.#counters.versions,
    });
    this.#open.add(transaction);
    if (!transaction.isReadOnly) this.#writers.add(transaction);
    this.#readers.add(transaction, at !== undefined);
    return transaction;
  }

  run<T>(
    body: (
      transaction: Contract.Transaction,
      reason: Contract.RetryReason | null,
    ) => T | Promise<T>,
    options: Contract.RunOptions = {},
  ): Promise<T> {
    const { clock, random } = this.#parts;
    const checkOpen = (): void => this.#checkOpen();
    return runInTransaction({ mvcc: this, clock, random, checkOpen }, body, options);
  }

  async commit(
    transaction: OpenTransaction,
    options: Contract.CommitOptions,
  ): Promise<Contract.Timestamp> {
    const { writes, readTimestamp } = transaction;
    if (writes.size === 0) {
      transaction.end("committed");
      return readTimestamp;
    }
    let timestamp = this.#parts.meta.take();
    while (typeof timestamp !== "number") {
      try {
        await timestamp;
      } catch (error) {
        transaction.end("aborted");
        throw error;
      }
      timestamp = this.#parts.meta.take();
    }
    this.#checkConflicts(transaction);
    transaction.end("committed");
    // Also when nobody is open: who begins before this is visible may conflict with it.
    this.#history.add(timestamp, writes);
    const { settle, visible } = this.#visible.start(timestamp);
    this.#counters.versions += writes.size;
    try {
      await this.store.apply(writes.values(), timestamp, options);
    } finally {
      settle();
      this.#forget();
    }
    await visible;
    this.#counters.commits += 1;
    this.#maintain();
    return timestamp;
  }

  ended(transaction: OpenTransaction, state: "committed" | "aborted"): void {
    if (state === "aborted") this.#counters.aborts += 1;
    this.#open.delete(transaction);
    this.#writers.delete(transaction);
    this.#readers.remove(transaction);
    this.#forget();
  }

  async collect(): Promise<Contract.CollectReport> {
    this.#checkOpen();
    const versionsBefore = this.store.countVersions();
    await this.#moveHorizon();
    await this.store.collect();
    return { horizon: this.#givenUp, versionsBefore, versionsAfter: this.store.countVersions() };
  }

  stats(): Contract.MvccStats {
    const { commits, aborts, writes, reads, versions } = this.#counters;
    const oldest = this.#readers.oldest();
    return {
      layout: this.store.layout,
      timestamp: this.#visible.timestamp,
      horizon: this.horizon,
      open: this.#readers.open,
      oldestReader: oldest === undefined ? null : this.#readers.describe(oldest, versions),
      ...{ commits, aborts, writeConflicts: writes, readConflicts: reads, versions },
    };
  }

  step(): boolean {
    this.#checkOpen();
    return this.#parts.engine.step();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const transaction of [...this.#open]) transaction.abort();
    // Whoever asked for it was told of its failure. Without it, garbage stays for longer.
    await this.#moving.catch(() => undefined);
    await this.#parts.engine.close();
  }

  /** @throws `MVCC_CONFLICT`, after aborting. */
  #checkConflicts(transaction: OpenTransaction): void {
    const { readTimestamp, writes, reads } = transaction;
    const written = this.#history.writtenSince(readTimestamp, writes);
    if (written !== undefined) {
      this.#counters.writes += 1;
      throw conflict(transaction, written, "T4");
    }
    const read = reads === null ? undefined : this.#history.readSince(readTimestamp, reads);
    if (read === undefined) return;
    this.#counters.reads += 1;
    throw conflict(transaction, read, "T5");
  }

  /** Whoever may come to write, or begins now, sees what is dropped here. */
  #forget(): void {
    const visible = this.#visible.timestamp;
    const [oldest] = this.#writers;
    this.#history.forget(oldest?.readTimestamp ?? visible);
  }

  #checkPast(at: Contract.Timestamp): void {
    const visible = this.#visible.timestamp;
    if (!Number.isSafeInteger(at) || at < 0 || at > visible) {
      throw new RangeError(`mvcc: begin: at ${at} is no timestamp from 0 to ${visible}`);
    }
    const oldest = Math.max(this.#givenUp, this.#readers.floor(visible));
    if (at >= oldest) return;
    const message = `mvcc: begin: at ${at}: what is below ${oldest} may be gone`;
    throw new CairnError("MVCC_SNAPSHOT_TOO_OLD", message, { details: { at, oldest } });
  }

  /** Now and then: remember the moment, look for old readers, move the horizon. */
  #maintain(): void {
    const now = this.#parts.clock.now();
    const { versions } = this.#counters;
    this.#readers.sample(this.#visible.timestamp);
    const isDue =
      now - this.#horizonMs >= HORIZON_MS || versions - this.#horizonVersions >= HORIZON_VERSIONS;
    if (!isDue) return;
    this.#horizonMs = now;
    this.#horizonVersions = versions;
    this.#readers.report(versions);
    // What fails here fails for the next commit too, and is told there.
    this.#moveHorizon().catch(() => undefined);
  }

  /** Makes the horizon durable, then tells the layout. */
  #moveHorizon(): Promise<void> {
    const horizon = this.#readers.horizon(this.#visible.timestamp);
    if (horizon > this.#givenUp || this.#hasMoveFailed) {
      this.#givenUp = Math.max(horizon, this.#givenUp);
      this.#hasMoveFailed = false;
      this.#moving = this.#keepHorizon(this.#givenUp);
    }
    return this.#moving;
  }

  async #keepHorizon(horizon: Contract.Timestamp): Promise<void> {
    try {
      await this.#parts.meta.keepHorizon(horizon);
    } catch (error) {
      this.#hasMoveFailed = true;
      throw error;
    }
    if (this.#closing === null) this.store.setHorizon(horizon);
  }

  #checkOpen(): void {
    if (this.#closing === null) return;
    throw new CairnError("LSM_CLOSED", `mvcc: ${this.#parts.engine.dir}: closed`);
  }
}

function conflict(transaction: OpenTransaction, text: KeyText, rule: "T4" | "T5"): CairnError {
  const { label, readTimestamp } = transaction;
  transaction.end("aborted");
  const key = Array.from(bytesOf(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const what = rule === "T4" ? "written" : "read";
  const message = `mvcc: ${label}: key ${key}, ${what} here, was committed after ${readTimestamp}`;
  return new CairnError("MVCC_CONFLICT", message, { details: { key, rule } });
}
