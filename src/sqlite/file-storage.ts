/**
 * Keeps the machine's database in a file: checkpoints, copies, and readings beside the writer.
 *
 * Invariants: the durable index is one whose effects SQLite has synced; a copy and a digest show
 * the state of the moment in which they were asked for, whatever is applied meanwhile.
 * Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";
import { type Bytes, CairnError } from "#base";
import { atTurnEnd, createNodeDisk } from "#platform";
import { digestSteps } from "./digest.ts";
import { checkCopyFile, installSnapshot, writeSnapshot } from "./snapshot-file.ts";
import { readState } from "./state-table.ts";
import type { SqliteMachineOptions } from "./types.ts";
import { openWriter, PAGE_BYTES, type Writer } from "./writer.ts";

/** What keeps a machine's database, in a file or in memory. */
export interface Storage {
  /** Another one after `restore`, perhaps. */
  readonly writer: Writer;
  readonly durableIndex: number;
  /** Bytes that are not in the database itself yet. */
  readonly walBytes: number;
  /** About so many bytes were written by a batch; perhaps it is time for a checkpoint. */
  wrote(bytes: number): void;
  /** As `SqliteMachine.checkpoint`. */
  checkpoint(): boolean;
  /** As `StateMachine.snapshot`. */
  snapshot(path: string): Promise<number>;
  /** Whether a file is a copy at this index. @throws as `restore`. */
  checkCopy(path: string, index: number): void;
  /** As `StateMachine.restore`. */
  restore(path: string, index: number): void;
  /** As `StateMachine.digestLater`. */
  digestLater(): Promise<Bytes>;
  /** Ends what goes on beside the writer, and closes the database. */
  close(): void;
}

const CHECKPOINT_BYTES_DEFAULT = 4 * 1024 * 1024;
/** A frame of SQLite's WAL is a page behind a header of 24 bytes; the file begins with 32. */
const WAL_FRAME_HEADER_BYTES = 24;
const WAL_HEADER_BYTES = 32;
/** The WAL may pass its limit by this part before it is noticed. */
const CHECKS_PER_CHECKPOINT = 16;
const BUSY_TIMEOUT_MS = 5000;

/** @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`. */
export function openFileStorage(options: SqliteMachineOptions): Storage {
  return new FileStorage(options);
}

class FileStorage implements Storage {
  readonly writer: Writer;
  readonly #path: string;
  readonly #disk = createNodeDisk();
  readonly #checkpointBytes: number;
  readonly #checkpoints = new Map<string, Database.Statement>();
  /** Connections that read beside the writer, each with what ends its work. */
  readonly #beside = new Map<Database.Database, () => void>();
  durableIndex: number = 0;
  /** About what was written since the WAL's size was last asked for. */
  #uncheckedBytes = 0;
  /**
   * No checkpoint is tried before the WAL has grown to this, so that a long read is not asked again
   * and again.
   */
  #checkpointAtBytes: number;

  constructor(options: SqliteMachineOptions) {
    this.writer = openWriter(
      options.path,
      options.foreignKeys ?? false,
      undefined,
      options.extensions,
    );
    this.#path = options.path;
    this.#checkpointBytes = options.checkpointBytes ?? CHECKPOINT_BYTES_DEFAULT;
    this.#checkpointAtBytes = this.#checkpointBytes;
    // An empty WAL proves that all is in the database file: SQLite empties it only after a sync.
    if (this.#walState().frames === 0) this.durableIndex = this.writer.state.appliedIndex;
  }

  get walBytes(): number {
    return this.#walState().bytes;
  }

  /** Asks for the WAL's size only when enough has been written to matter: asking has a price. */
  wrote(bytes: number): void {
    this.#uncheckedBytes += bytes;
    if (this.#uncheckedBytes < this.#checkpointBytes / CHECKS_PER_CHECKPOINT) return;
    this.#uncheckedBytes = 0;
    if (this.#walState().bytes >= this.#checkpointAtBytes) this.checkpoint();
  }

  /** Moves the WAL's content into the database file, as far as readers let it. */
  checkpoint(): boolean {
    const before = this.durableIndex;
    const { frames, moved, bytes } = this.#walState("PASSIVE");
    if (frames === moved) {
      this.durableIndex = this.writer.state.appliedIndex;
      this.#checkpointAtBytes = this.#checkpointBytes;
    } else this.#checkpointAtBytes = bytes + this.#checkpointBytes / 4;
    return this.durableIndex > before;
  }

  async snapshot(path: string): Promise<number> {
    const connection = this.#openBeside();
    try {
      const index = readState(connection)?.appliedIndex ?? 0;
      await writeSnapshot(connection, path, this.#disk);
      return index;
    } finally {
      this.#closeBeside(connection);
    }
  }

  checkCopy(path: string, index: number): void {
    checkCopyFile(path, index, this.#disk);
  }

  restore(path: string, index: number): void {
    installSnapshot(this.writer, path, index, this.#disk);
    this.durableIndex = index;
    this.checkpoint();
  }

  async digestLater(): Promise<Bytes> {
    const connection = this.#openBeside();
    const steps = digestSteps(connection);
    this.#beside.set(connection, () => void steps.return(new Uint8Array(0)));
    try {
      for (;;) {
        const step = steps.next();
        if (step.done) return step.value;
        await new Promise<void>(atTurnEnd);
        if (!this.#beside.has(connection)) throw closedError();
      }
    } finally {
      this.#closeBeside(connection);
    }
  }

  close(): void {
    for (const connection of [...this.#beside.keys()]) this.#closeBeside(connection);
    this.writer.close();
  }

  /** A connection whose read transaction has begun: it sees what is committed now. */
  #openBeside(): Database.Database {
    const connection = new Database(this.#path, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    this.#beside.set(connection, () => undefined);
    connection.exec("BEGIN");
    // It begins with the first read.
    connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
    return connection;
  }

  #closeBeside(connection: Database.Database): void {
    this.#beside.get(connection)?.();
    this.#beside.delete(connection);
    connection.close();
  }

  #walState(mode: "NOOP" | "PASSIVE" = "NOOP"): { frames: number; moved: number; bytes: number } {
    let statement = this.#checkpoints.get(mode);
    if (statement === undefined) {
      statement = this.writer.database.prepare(`PRAGMA wal_checkpoint(${mode})`);
      this.#checkpoints.set(mode, statement);
    }
    const row = statement.get();
    if (!isWalRow(row)) throw new CairnError("SQLITE_ENGINE_FAILED", "sqlite: no WAL");
    const frames = Number(row.log);
    const frameBytes = WAL_FRAME_HEADER_BYTES + PAGE_BYTES;
    const bytes = frames === 0 ? 0 : WAL_HEADER_BYTES + frames * frameBytes;
    return { frames, moved: Number(row.checkpointed), bytes };
  }
}

function isWalRow(row: unknown): row is { readonly log: bigint; readonly checkpointed: bigint } {
  return typeof row === "object" && row !== null && "log" in row && "checkpointed" in row;
}

function closedError(): CairnError {
  return new CairnError("SQLITE_ENGINE_FAILED", "sqlite: the machine was closed meanwhile");
}
