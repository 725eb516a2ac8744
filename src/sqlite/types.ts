/**
 * Contract of chapter 09: SQLite as a replicated state machine.
 *
 * Q1 same log, same rows everywhere. Q2 nothing non-deterministic enters: time and chance come
 * sealed in the entry. Q3 failures are deterministic and advance the index. Q4 clients cannot
 * change engine settings. Q5 a doubtful database file is refused, never served.
 */
import type { Bytes, Ms } from "#base";
import type { Disk } from "#platform/types";
import type { FirstMachine, KvRead, KvStatus } from "#replica";

/** A value as SQLite stores it: `bigint` is INTEGER (64 bits), `number` is REAL. */
export type SqlValue = null | bigint | number | string | Bytes;

/** SQL text, perhaps several statements, with parameters. */
export interface Statement {
  readonly sql: string;
  readonly positional: readonly SqlValue[];
  /** Names without `:`, `@` or `$`; bind to all three. */
  readonly named: readonly (readonly [string, SqlValue])[];
}

/** How results are written as JSON (compat reference, 1.4 and 2.2). */
export interface Rendering {
  readonly associative: boolean;
  readonly blobArray: boolean;
  readonly qualifyColumns: boolean;
  readonly timings: boolean;
}

/** What a log entry asks the state machine to do. */
export type Command =
  /** Statements for effect: rows are discarded, except those of RETURNING. */
  | {
      readonly kind: "execute" | "request";
      readonly statements: readonly Statement[];
      readonly transaction: boolean;
      readonly rendering: Rendering;
    }
  /** SQL text as `.dump` writes it; rolled back as a whole on an error. */
  | { readonly kind: "loadText"; readonly sql: string; readonly rendering: Rendering }
  /** A SQLite file that replaces the database. */
  | { readonly kind: "loadFile"; readonly file: Bytes }
  /**
   * A piece of such a file. The piece at offset 0 begins a load and ends any other; pieces come in
   * order, without gaps.
   */
  | {
      readonly kind: "loadPiece";
      /** 64 random bits: whose load it is. */
      readonly loadId: bigint;
      readonly offset: number;
      readonly bytes: Bytes;
    }
  /** All `fileBytes` are there: they replace the database. */
  | { readonly kind: "loadFinish"; readonly loadId: bigint; readonly fileBytes: number }
  /** They are not coming: what is there of them goes. */
  | { readonly kind: "loadAbort"; readonly loadId: bigint }
  /** Changes nothing; its result says that everything before it is applied (strong reads). */
  | { readonly kind: "barrier" };

/** A read for the reader threads. */
export interface ReadRequest {
  readonly statements: readonly Statement[];
  /** One read transaction around all statements. */
  readonly transaction: boolean;
  readonly rendering: Rendering;
  /**
   * `query`: writes are refused one by one with the reference's text. `request`: if any statement
   * would write, nothing is run and the answer is `needsWrite`.
   */
  readonly mode: "query" | "request";
  /**
   * How long all statements together may run; what is not done by then is answered with `query
   * timeout`. Default and 0: as long as they take. On a reader by itself the time is looked at
   * between rows; `SqliteThreads` ends a statement in the middle as well.
   */
  readonly timeoutMs?: Ms;
}

/** `results` is UTF-8 JSON: the array that goes into the response envelope. */
export type ReadResponse =
  | { readonly needsWrite: false; readonly results: Bytes }
  | { readonly needsWrite: true };

/** `binary`: the pages as they are; `delete`: the same with a rollback journal; `sql`: text. */
export type BackupFormat = "binary" | "delete" | "sql";

/** What copy is wanted, and where. */
export interface BackupRequest {
  readonly format: BackupFormat;
  readonly vacuum: boolean;
  /** For `sql`: only these tables; empty for all. */
  readonly tables: readonly string[];
  /** The file to write; made new. */
  readonly path: string;
}

/** How the state machine is opened. */
export interface SqliteMachineOptions {
  /** The database file; its `-wal` and `-shm` stand beside it. */
  readonly path: string;
  /** Enforce foreign keys (flag `-fk`). Default false, as in SQLite. */
  readonly foreignKeys?: boolean;
  /** Paths of libraries that every connection loads. Default none. All nodes need the same. */
  readonly extensions?: readonly string[];
  /**
   * Checkpoint when SQLite's WAL has this many bytes. Default 4 MiB. Larger: fewer stalls, more log
   * to keep.
   */
  readonly checkpointBytes?: number;
  /**
   * The database is in memory, and `path` an image of it on this disk, written at checkpoints and
   * at closing: for simulations. What is behind the image is lost with the process. Loads of files
   * are refused as failures of the engine.
   */
  readonly memory?: { readonly disk: Disk };
}

/** Facts for `/status`. */
export interface SqliteStatus {
  readonly version: string;
  readonly path: string;
  readonly databaseBytes: number;
  readonly walBytes: number;
  readonly appliedIndex: number;
  readonly durableIndex: number;
  /** Of the last entry that this process applied: its own time, and when it was applied. */
  readonly lastEntryTimeMs: number;
  readonly lastAppliedAtMs: number;
  /** Of the key-value machine, if there is one. */
  readonly kv?: KvStatus;
  readonly compileOptions: readonly string[];
  readonly pragmas: Readonly<Record<string, string>>;
}

/** The SQL state machine on the thread that opened it. */
export interface SqliteMachine extends FirstMachine {
  /** Facts for `/status`. */
  status(): SqliteStatus;
  /**
   * Makes everything that is applied durable in the database file, as far as readers let it.
   *
   * @returns false if nothing was new.
   */
  checkpoint(): boolean;
  /**
   * Runs one statement that only reads on the machine's own connection, between two batches: all
   * rows. For simulations, whose readers share its thread. @throws RangeError if it would write.
   */
  query(sql: string): readonly (readonly SqlValue[])[];
  /** Closes the connection; SQLite moves its WAL into the database file as it does. */
  close(): void;
}

/** One read-only connection on the thread that opened it. */
export interface SqliteReader {
  /** Runs statements that only read. Errors of statements are in the results. */
  read(request: ReadRequest): ReadResponse;
  /** Writes a copy of the database. Resolves when the file is complete and synced. */
  backup(request: BackupRequest): Promise<void>;
  /** Closes the connection. */
  close(): void;
}

/** The SQL threads of one node, as the main thread sees them. */
export interface SqliteThreads {
  /**
   * Hand this to the replica's thread: batches go in, applied indexes come out (see
   * `replica/applier.ts`).
   */
  readonly applierPort: import("node:worker_threads").MessagePort;
  /** What was applied when the machines were opened; the log is replayed from here. */
  readonly appliedIndexAtOpen: number;
  /** What the machine that was ahead had applied: the log must reach so far. */
  readonly newestIndexAtOpen: number;
  /**
   * Sets who gets the result of a wanted entry; `proposalId` is the replica's, `index` the entry's.
   */
  onResult(f: (proposalId: number, index: number, result: Bytes) => void): void;
  /** Called once if a thread dies of our bug or of a failing engine: the process must stop. */
  onFatal(f: (error: Error) => void): void;
  /** As `SqliteReader.read`, on the least busy reader. @throws `SQLITE_READER_FAILED` */
  read(request: ReadRequest): Promise<ReadResponse>;
  /**
   * What the key-value machine has now, on the writer's thread: encoded, see `decodeKvFound`.
   *
   * @throws `SERVER_REQUEST_INVALID` without one.
   */
  readKv(read: KvRead): Promise<Bytes>;
  /** As `SqliteReader.backup`. */
  backup(request: BackupRequest): Promise<void>;
  /** Facts for `/status`. */
  status(): Promise<SqliteStatus>;
  /** As `SqliteMachine.checkpoint`, on the writer's thread. */
  checkpoint(): Promise<boolean>;
  /** SHA-256 over schema and all rows, in hex, at the applied index that comes with it. */
  digest(): Promise<{ appliedIndex: number; digest: string }>;
  /** Lets running batches and reads finish, closes the connections, ends the threads. */
  close(): Promise<void>;
}

export interface SqliteThreadsOptions extends SqliteMachineOptions {
  /** The directory of the key-value machine beside the SQL machine. Default: there is none. */
  readonly kvDir?: string;
  /** Reader threads, each with its own connection. Default 2. */
  readonly readerCount?: number;
  /**
   * Heap of one reader thread in MiB; a read that needs more ends with `SQLITE_READER_FAILED` and
   * hurts no other. Default: Node's own limit.
   */
  readonly readerHeapMegabytesMax?: number;
}

/** What chapter 09 exports. */
export interface SqliteModule {
  /** @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`. */
  openSqliteMachine(options: SqliteMachineOptions): SqliteMachine;
  /** Opens a read-only connection to a database that a machine has opened before. */
  openSqliteReader(path: string): SqliteReader;
  /** Starts the writer and reader threads. */
  openSqliteThreads(options: SqliteThreadsOptions): Promise<SqliteThreads>;
  /** Encodes a command: the payload of a log entry. */
  encodeCommand(command: Command): Bytes;
  /** @throws `BYTES_MALFORMED` */
  decodeCommand(bytes: Bytes): Command;
  /**
   * Digest of any database file, opened read-only: for comparing replicas and backups. SHA-256,
   * hex.
   */
  digestDatabase(path: string): string;
  /** The first statement that the reference refuses as a pragma, or undefined (4.8). */
  findDisallowedPragma(statements: readonly Statement[]): Statement | undefined;
  /** SQLite's complaint about text that is not SQL, found without a database; or undefined. */
  findSyntaxError(sql: string): string | undefined;
}
