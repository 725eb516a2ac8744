/**
 * The key-value state machine: committed entries in, keys, sessions and answers out.
 *
 * One batch is one commit of the store below, with the applied index in it (K4). A commit survives
 * the process at once and the power with the next mark: a synced commit of a row of its own, made
 * now and then beside the batches. Invariants: K1, K4, K5; what is above the durable index may be
 * lost with the power, the newest first. Chapter: 08-replica.
 */
import { assert, type Bytes } from "#base";
import { openMvcc } from "#mvcc";
import type { Mvcc, Transaction } from "#mvcc/types";
import { createNodeDisk } from "#platform";
import type { Disk } from "#platform/types";
import type { Index } from "#raft/types";
import type { Results } from "../machine-host.ts";
import type { CommittedEntry } from "../types.ts";
import { applyCommand } from "./apply.ts";
import { decodeKvCommand, isKvCommand } from "./command-codec.ts";
import { copyInTurns, digestInTurns, digestNow } from "./copy.ts";
import {
  decodeMark,
  decodeState,
  encodeMark,
  encodeSession,
  encodeState,
  FIRST_STATE,
  MARK_KEY,
  STATE_KEY,
  type StateRow,
  sessionKey,
} from "./layout.ts";
import { READ_BYTES_MAX } from "./limits.ts";
import { installCopy, readSessions, removeOthers } from "./restore.ts";
import { createSessions, type Sessions, sessionLimits } from "./sessions.ts";
import type { KvFound, KvMachine, KvOptions, KvRead, KvStatus } from "./types.ts";
import { createView, readFrom } from "./view.ts";

/** A commit takes this much, and what is behind it waits; entries of one batch may be cut here. */
const COMMIT_BYTES_MAX = 8 * 1024 * 1024;
/** A mark costs a sync: one for so many entries, or so many bytes of them. */
const MARK_ENTRIES = 1024;
const MARK_BYTES = 1024 * 1024;

/**
 * Opens or creates the machine, and removes what an unfinished restore left.
 *
 * @throws what `openMvcc` throws; `REPLICA_SNAPSHOT_INVALID` for a state of a newer version.
 */
export async function openKvMachine(options: KvOptions): Promise<KvMachine> {
  const { dir, disk, clock, random, engine } = options;
  const mvcc = await openMvcc({
    dir,
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
    engine: { ...engine, ...(disk === undefined ? {} : { disk, background: "step" }) },
  });
  try {
    const state = readState(mvcc);
    await removeOthers(mvcc, state.generation);
    const machine = new Machine(mvcc, disk ?? createNodeDisk(), state, options);
    // What a killed process left was written and perhaps not synced.
    await machine.checkpoint();
    return machine;
  } catch (error) {
    await mvcc.close().catch(() => undefined);
    throw error;
  }
}

function readState(mvcc: Mvcc): StateRow {
  const transaction = mvcc.begin({ readOnly: true });
  try {
    const [row, mark] = [transaction.get(STATE_KEY), transaction.get(MARK_KEY)];
    const state = row === undefined ? FIRST_STATE : decodeState(row);
    const markIndex = mark === undefined ? 0 : decodeMark(mark);
    return { ...state, appliedIndex: Math.max(state.appliedIndex, markIndex) };
  } finally {
    transaction.abort();
  }
}

class Machine implements KvMachine {
  readonly #mvcc: Mvcc;
  readonly #disk: Disk;
  readonly #options: KvOptions;
  #sessions: Sessions;
  #state: StateRow;
  #durable: Index;
  #failure: unknown;
  /** Since the last mark was begun. */
  #unmarked = { entries: 0, bytes: 0 };
  #marking: Promise<void> | undefined;

  constructor(mvcc: Mvcc, disk: Disk, state: StateRow, options: KvOptions) {
    this.#mvcc = mvcc;
    this.#disk = disk;
    this.#options = options;
    this.#state = state;
    this.#durable = 0;
    this.#sessions = this.#loadSessions();
  }

  applyBatch(entries: readonly CommittedEntry[]): Results | Promise<Results> {
    if (this.#failure !== undefined) throw this.#failure;
    const first = entries[0]?.index ?? this.#state.appliedIndex + 1;
    assert(
      first > this.#state.appliedIndex,
      `replica: kv: entries are applied in order, got ${first} after ${this.#state.appliedIndex}`,
    );
    if (entries.some(isOurs)) return this.#applyOurs(entries);
    this.#passed(entries);
    return entries.map(({ proposalId }) => (proposalId === 0 ? null : NOTHING));
  }

  appliedIndex(): Index {
    return this.#state.appliedIndex;
  }

  durableIndex(): Index {
    return this.#durable;
  }

  digest(): Bytes {
    return this.#reading((transaction) => digestNow(transaction, this.#state.generation));
  }

  digestLater(): Promise<Bytes> {
    return digestInTurns(this.#mvcc.begin({ readOnly: true }), this.#state.generation);
  }

  snapshot(path: string): Promise<Index> {
    const transaction = this.#mvcc.begin({ readOnly: true });
    return copyInTurns({ transaction, state: this.#state, disk: this.#disk, path });
  }

  async restore(path: string, index: Index): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#marking;
    const target = { mvcc: this.#mvcc, disk: this.#disk, state: this.#state };
    this.#state = await installCopy(target, path, index);
    this.#durable = index;
    this.#unmarked = { entries: 0, bytes: 0 };
    this.#sessions = this.#loadSessions();
  }

  read(read: KvRead): KvFound {
    return this.#reading((transaction) =>
      readFrom(createView(transaction, this.#state.generation), read, READ_BYTES_MAX),
    );
  }

  status(): KvStatus {
    return {
      appliedIndex: this.#state.appliedIndex,
      durableIndex: this.#durable,
      sessions: this.#sessions.count,
      sessionBytes: this.#sessions.bytes,
    };
  }

  async checkpoint(): Promise<void> {
    await this.#marking;
    if (this.#durable < this.#state.appliedIndex) await this.#mark();
    if (this.#failure !== undefined) throw this.#failure;
  }

  step(): boolean {
    return this.#mvcc.step();
  }

  async close(): Promise<void> {
    // Who closes behind a failure wants the directory released; the failure was told.
    if (this.#failure === undefined) await this.checkpoint().catch(() => undefined);
    await this.#mvcc.close();
  }

  async #applyOurs(entries: readonly CommittedEntry[]): Promise<Results> {
    try {
      const results: (Bytes | null)[] = [];
      while (results.length < entries.length) {
        const transaction = this.#mvcc.begin();
        const state = this.#applySome(transaction, entries, results);
        transaction.put(STATE_KEY, encodeState(state));
        await transaction.commit();
        this.#state = state;
      }
      this.#passed(entries);
      return results;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  /** As many entries as one commit takes, from the first without a result on. */
  #applySome(
    transaction: Transaction,
    entries: readonly CommittedEntry[],
    results: (Bytes | null)[],
  ): StateRow {
    let state = this.#state;
    const view = createView(transaction, state.generation);
    const target = { transaction, view, sessions: this.#sessions };
    for (let at = results.length; at < entries.length; at += 1) {
      if (view.writtenBytes >= COMMIT_BYTES_MAX) break;
      const entry = entries[at]!;
      const { index, proposalId } = entry;
      let answer: Bytes = NOTHING;
      if (isOurs(entry)) {
        // The clock of a new leader may be behind that of the last one.
        const timeMs = Math.max(entry.timeMs, state.logTimeMs);
        state = { ...state, logTimeMs: timeMs };
        answer = applyCommand(target, decodeKvCommand(entry.payload), { index, timeMs });
      }
      state = { ...state, appliedIndex: index };
      results.push(proposalId === 0 ? null : answer);
    }
    for (const [session, row] of this.#sessions.takeChanges()) {
      const key = sessionKey(state.generation, session);
      if (row === undefined) transaction.delete(key);
      else transaction.put(key, encodeSession(row));
    }
    return state;
  }

  /** Counts entries that are applied, and makes a mark if it is time. */
  #passed(entries: readonly CommittedEntry[]): void {
    const appliedIndex = entries.at(-1)?.index ?? this.#state.appliedIndex;
    this.#state = { ...this.#state, appliedIndex };
    this.#unmarked.entries += entries.length;
    for (const entry of entries) if (isOurs(entry)) this.#unmarked.bytes += entry.payload.length;
    const { entries: count, bytes } = this.#unmarked;
    if (this.#marking === undefined && (count >= MARK_ENTRIES || bytes >= MARK_BYTES)) {
      void this.#mark();
    }
  }

  /** Never rejects: the next batch hears of a failure. */
  #mark(): Promise<void> {
    const { appliedIndex } = this.#state;
    this.#unmarked = { entries: 0, bytes: 0 };
    this.#marking = this.#keepMark(appliedIndex)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#marking = undefined;
      });
    return this.#marking;
  }

  /** The log of the engine is synced as a whole, so every commit before this one is durable too. */
  async #keepMark(index: Index): Promise<void> {
    const transaction = this.#mvcc.begin();
    transaction.put(MARK_KEY, encodeMark(index));
    await transaction.commit({ sync: true });
    this.#durable = Math.max(this.#durable, index);
    this.#options.onDurable?.();
  }

  #loadSessions(): Sessions {
    return this.#reading((transaction) =>
      createSessions(
        readSessions(transaction, this.#state.generation),
        sessionLimits(this.#options),
      ),
    );
  }

  #reading<T>(read: (transaction: Transaction) => T): T {
    const transaction = this.#mvcc.begin({ readOnly: true });
    try {
      return read(transaction);
    } finally {
      transaction.abort();
    }
  }
}

function isOurs({ kind, payload }: CommittedEntry): boolean {
  return kind === "command" && isKvCommand(payload);
}

const NOTHING: Bytes = new Uint8Array(0);
