/**
 * The SQL state machine: committed entries in, rows in a SQLite file and answers out.
 *
 * Invariants: Q1 to Q5 of `types.ts`; K4: the applied index is in the same transaction as the
 * effects. After a failure of the engine the machine refuses everything: the process stops, opens
 * the file again and replays the log from the applied index.
 * Chapter: 09-sqlite.
 */
import type Database from "better-sqlite3";
import type { Bytes } from "#base";
import { CairnError } from "#base";
import { createNodeClock } from "#platform";
import type { CommittedEntry } from "#replica/types";
import { applyEntries } from "./apply.ts";
import { digestConnection } from "./digest.ts";
import { engineFailure, sqliteCode } from "./sqlite-errors.ts";
import type { SqliteMachine, SqliteMachineOptions, SqliteStatus } from "./types.ts";
import { openWriter, type Writer } from "./writer.ts";

const CHECKPOINT_BYTES_DEFAULT = 4 * 1024 * 1024;
/** A frame of SQLite's WAL is a page behind a header of 24 bytes; the file begins with 32. */
const WAL_FRAME_HEADER_BYTES = 24;
const WAL_HEADER_BYTES = 32;

/**
 * Opens the state machine; makes the database if there is none. Does not read the database.
 *
 * @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`.
 */
export function openSqliteMachine(options: SqliteMachineOptions): SqliteMachine {
  const writer = openWriter(options.path, options.foreignKeys ?? false);
  return new Machine(writer, options);
}

class Machine implements SqliteMachine {
  readonly #writer: Writer;
  readonly #path: string;
  readonly #checkpointBytes: number;
  readonly #checkpoints = new Map<string, Database.Statement>();
  readonly #clock = createNodeClock();
  #durableIndex = 0;
  #lastEntryTimeMs = 0;
  #lastAppliedAtMs = 0;
  #failure: unknown;
  /** About what was written since the WAL's size was last asked for. */
  #uncheckedBytes = 0;
  /**
   * No checkpoint is tried before the WAL has grown to this, so that a long read is not asked again
   * and again.
   */
  #checkpointAtBytes: number;

  constructor(writer: Writer, options: SqliteMachineOptions) {
    this.#writer = writer;
    this.#path = options.path;
    this.#checkpointBytes = options.checkpointBytes ?? CHECKPOINT_BYTES_DEFAULT;
    this.#checkpointAtBytes = this.#checkpointBytes;
    // An empty WAL proves that all is in the database file: SQLite empties it only after a sync.
    if (this.#walState().frames === 0) this.#durableIndex = writer.state.appliedIndex;
  }

  applyBatch(entries: readonly CommittedEntry[]): readonly (Bytes | null)[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const answers = applyEntries(this.#writer, entries);
      this.#lastEntryTimeMs = entries.at(-1)?.timeMs ?? this.#lastEntryTimeMs;
      this.#lastAppliedAtMs = this.#clock.wallTime();
      this.#considerCheckpoint(entries);
      return answers;
    } catch (error) {
      const code = sqliteCode(error);
      this.#failure = code === undefined ? error : engineFailure(error);
      throw this.#failure;
    }
  }

  appliedIndex(): number {
    return this.#writer.state.appliedIndex;
  }

  durableIndex(): number {
    return this.#durableIndex;
  }

  digest(): Bytes {
    return digestConnection(this.#writer.database);
  }

  status(): SqliteStatus {
    const { database } = this.#writer;
    const text = (name: string): string => String(database.pragma(name, { simple: true }));
    const version = database.prepare("SELECT sqlite_version()").pluck().get();
    const options = database.prepare("SELECT compile_options FROM pragma_compile_options").pluck();
    return {
      version: String(version),
      path: this.#path,
      databaseBytes: Number(text("page_count")) * Number(text("page_size")),
      walBytes: this.#walState().bytes,
      appliedIndex: this.appliedIndex(),
      durableIndex: this.#durableIndex,
      lastEntryTimeMs: this.#lastEntryTimeMs,
      lastAppliedAtMs: this.#lastAppliedAtMs,
      compileOptions: options.all().map(String),
      pragmas: Object.fromEntries(SHOWN_PRAGMAS.map((name) => [name, text(name)])),
    };
  }

  checkpoint(): boolean {
    const before = this.#durableIndex;
    const { frames, moved } = this.#walState("PASSIVE");
    if (frames === moved) this.#durableIndex = this.appliedIndex();
    return this.#durableIndex > before;
  }

  close(): void {
    this.#writer.close();
  }

  /**
   * Asks for the WAL's size only when enough has been written for it to matter: asking has a price.
   */
  #considerCheckpoint(entries: readonly CommittedEntry[]): void {
    this.#uncheckedBytes += COMMIT_BYTES_ASSUMED;
    for (const { payload } of entries) this.#uncheckedBytes += payload.length;
    this.#uncheckedBytes += this.#writer.unseenBytes;
    this.#writer.unseenBytes = 0;
    if (this.#uncheckedBytes < this.#checkpointBytes / CHECKS_PER_CHECKPOINT) return;
    this.#uncheckedBytes = 0;
    this.#checkpoint();
  }

  /** Moves the WAL's content into the database file, as far as readers let it. */
  #checkpoint(): void {
    if (this.#walState().bytes < this.#checkpointAtBytes) return;
    const { frames, moved, bytes } = this.#walState("PASSIVE");
    if (frames === moved) {
      this.#durableIndex = this.appliedIndex();
      this.#checkpointAtBytes = this.#checkpointBytes;
    } else this.#checkpointAtBytes = bytes + this.#checkpointBytes / 4;
  }

  #walState(mode: "NOOP" | "PASSIVE" = "NOOP"): { frames: number; moved: number; bytes: number } {
    let statement = this.#checkpoints.get(mode);
    if (statement === undefined) {
      statement = this.#writer.database.prepare(`PRAGMA wal_checkpoint(${mode})`);
      this.#checkpoints.set(mode, statement);
    }
    const row = statement.get();
    if (!isWalRow(row)) throw new CairnError("SQLITE_ENGINE_FAILED", "sqlite: no WAL");
    const frames = Number(row.log);
    const frameBytes = WAL_FRAME_HEADER_BYTES + PAGE_BYTES_ASSUMED;
    const bytes = frames === 0 ? 0 : WAL_HEADER_BYTES + frames * frameBytes;
    return { frames, moved: Number(row.checkpointed), bytes };
  }
}

/** A transaction of one row writes about three pages: the row's, an index's and our own. */
const COMMIT_BYTES_ASSUMED = 3 * 4096;
/** The WAL may pass its limit by this part before it is noticed. */
const CHECKS_PER_CHECKPOINT = 16;

/** Databases that we make have this page size, and loads are brought to it. */
const PAGE_BYTES_ASSUMED = 4096;

const SHOWN_PRAGMAS = [
  "busy_timeout",
  "foreign_keys",
  "journal_mode",
  "synchronous",
  "wal_autocheckpoint",
] as const;

function isWalRow(row: unknown): row is { readonly log: bigint; readonly checkpointed: bigint } {
  return typeof row === "object" && row !== null && "log" in row && "checkpointed" in row;
}
