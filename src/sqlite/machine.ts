/**
 * The SQL state machine: committed entries in, rows in a SQLite database and answers out.
 *
 * Invariants: Q1 to Q5 of `types.ts`; K4: the applied index is in the same transaction as the
 * effects. After a failure of the engine the machine refuses everything: the process stops, opens
 * the database again and replays the log from the applied index.
 * Chapter: 09-sqlite.
 */
import { type Bytes, isCairnError } from "#base";
import { createNodeClock } from "#platform";
import type { CommittedEntry } from "#replica/types";
import { applyEntries } from "./apply.ts";
import { digestConnection } from "./digest.ts";
import { openFileStorage, type Storage } from "./file-storage.ts";
import { openMemoryStorage } from "./memory-storage.ts";
import { engineFailure, sqliteCode } from "./sqlite-errors.ts";
import type { SqliteMachine, SqliteMachineOptions, SqliteStatus, SqlValue } from "./types.ts";

/** A transaction of one row writes about three pages: the row's, an index's and our own. */
const COMMIT_BYTES_ASSUMED = 3 * 4096;

/**
 * Opens the state machine; makes the database if there is none. Does not read the database, unless
 * it is to be in memory.
 *
 * @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`.
 */
export function openSqliteMachine(options: SqliteMachineOptions): SqliteMachine {
  const storage =
    options.memory === undefined
      ? openFileStorage(options)
      : openMemoryStorage(options, options.memory.disk);
  return new Machine(storage, options);
}

class Machine implements SqliteMachine {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #clock = createNodeClock();
  #lastEntryTimeMs = 0;
  #lastAppliedAtMs = 0;
  #failure: unknown;

  constructor(storage: Storage, options: SqliteMachineOptions) {
    this.#storage = storage;
    this.#path = options.path;
  }

  applyBatch(entries: readonly CommittedEntry[]): readonly (Bytes | null)[] {
    return this.#guard(() => {
      const { writer } = this.#storage;
      const answers = applyEntries(writer, entries);
      this.#lastEntryTimeMs = entries.at(-1)?.timeMs ?? this.#lastEntryTimeMs;
      this.#lastAppliedAtMs = this.#clock.wallTime();
      let bytes = COMMIT_BYTES_ASSUMED + writer.unseenBytes;
      writer.unseenBytes = 0;
      for (const { payload } of entries) bytes += payload.length;
      this.#storage.wrote(bytes);
      return answers;
    });
  }

  appliedIndex(): number {
    return this.#storage.writer.state.appliedIndex;
  }

  durableIndex(): number {
    return this.#storage.durableIndex;
  }

  digest(): Bytes {
    return digestConnection(this.#storage.writer.database);
  }

  digestLater(): Promise<Bytes> {
    return this.#storage.digestLater();
  }

  snapshot(path: string): Promise<number> {
    return this.#storage.snapshot(path);
  }

  checkCopy(path: string, index: number): void {
    this.#storage.checkCopy(path, index);
  }

  restore(path: string, index: number): void {
    this.#guard(() => this.#storage.restore(path, index));
  }

  checkpoint(): boolean {
    return this.#storage.checkpoint();
  }

  query(sql: string): readonly (readonly SqlValue[])[] {
    const statement = this.#storage.writer.database.prepare(sql);
    if (!statement.readonly) throw new RangeError("sqlite: query: the statement writes");
    return statement.safeIntegers().raw().all() as SqlValue[][];
  }

  status(): SqliteStatus {
    const { database } = this.#storage.writer;
    const text = (name: string): string => String(database.pragma(name, { simple: true }));
    const version = database.prepare("SELECT sqlite_version()").pluck().get();
    const options = database.prepare("SELECT compile_options FROM pragma_compile_options").pluck();
    return {
      version: String(version),
      path: this.#path,
      databaseBytes: Number(text("page_count")) * Number(text("page_size")),
      walBytes: this.#storage.walBytes,
      appliedIndex: this.appliedIndex(),
      durableIndex: this.durableIndex(),
      lastEntryTimeMs: this.#lastEntryTimeMs,
      lastAppliedAtMs: this.#lastAppliedAtMs,
      compileOptions: options.all().map(String),
      pragmas: Object.fromEntries(SHOWN_PRAGMAS.map((name) => [name, text(name)])),
    };
  }

  close(): void {
    this.#storage.close();
  }

  /** Nothing is done behind a failure. A file that is no copy of ours is none: nothing changed. */
  #guard<T>(work: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return work();
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#failure = sqliteCode(error) === undefined ? error : engineFailure(error);
      throw this.#failure;
    }
  }
}

function isRefusal(error: unknown): boolean {
  return isCairnError(error, "SQLITE_FILE_INVALID") || isCairnError(error, "DISK_NOT_FOUND");
}

const SHOWN_PRAGMAS = [
  "busy_timeout",
  "foreign_keys",
  "journal_mode",
  "synchronous",
  "wal_autocheckpoint",
] as const;
