/**
 * The one connection that writes.
 *
 * It owns the row of `state-table.ts` and the counters in it, and keeps SQLite's own counters in
 * step, so that `changes()` and `last_insert_rowid()` answer the same on a replica that has just
 * started. Invariant: between batches no transaction is open, and `state` is what the file holds.
 * Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";
import { assert, CairnError, errorText } from "#base";
import { type Determinism, installDeterminism } from "./deterministic-functions.ts";
import { loadExtensions } from "./extensions.ts";
import { ASKS_FOR_COUNTERS, createScriptCache, type ScriptCache } from "./script.ts";
import { isEngineFailure, sqliteCode } from "./sqlite-errors.ts";
import {
  createStateTable,
  createStateWriter,
  initialState,
  type PersistedState,
  readState,
} from "./state-table.ts";
import { refuseUnsafeFunctions } from "./unsafe-functions.ts";

/** The writer connection. */
export interface Writer {
  readonly database: Database.Database;
  /** Paths of the libraries that it has loaded. */
  readonly extensions: readonly string[];
  readonly scripts: ScriptCache;
  readonly determinism: Determinism;
  /** As of the transaction under way. */
  state: PersistedState;
  /** Foreign keys are enforced now. */
  readonly enforcesForeignKeys: boolean;
  /** The schema may hold deferred foreign keys, which only a COMMIT checks. */
  hasDeferredKeys: boolean;
  /** The entry under way has inserted the largest rowid there is. */
  sawLargestRowid: boolean;
  /** Bytes that were written and that no entry's size tells of; taken by the checkpointing. */
  unseenBytes: number;
  /** Some AUTOINCREMENT table has used up its numbers, which SQLite reports as a full disk. */
  hasExhaustedSequence(): boolean;
  /** Runs a statement without parameters or rows, prepared once. */
  run(sql: string): void;
  /** Writes `state` into the transaction under way. */
  saveState(): void;
  /** Switches enforcement on this connection; SQLite ignores it within a transaction. */
  setForeignKeys(on: boolean): void;
  /** Makes SQLite's own counters say what `state` says. */
  syncCounters(): void;
  /** SQLite's own counters, right after a statement has set them. */
  readCounters(): { readonly changes: bigint; readonly lastInsertId: bigint };
  /** A statement has set SQLite's count of changes. */
  noteChanges(changes: bigint): void;
  /**
   * Called before each statement: if it may ask for the counters, they are made to answer right.
   */
  beforeStatement(asksForCounters: boolean): void;
  /** The schema has changed by a statement with this text. */
  schemaChanged(text: string): void;
  /** Another connection has replaced the content of the file. */
  contentReplaced(): void;
  /** Drops what `CREATE TEMP` made. */
  dropTemporary(): void;
  close(): void;
}

export const LARGEST_ROWID: bigint = 2n ** 63n - 1n;
const BUSY_TIMEOUT_MS = 5000;
/** SQLite's default; loaded files are brought to it, because a backup into WAL cannot change it. */
export const PAGE_BYTES = 4096;

/**
 * Opens the writer connection; makes the database if there is none.
 *
 * @param image - opens a database in memory with this content instead; `path` is for messages.
 * @throws `SQLITE_FILE_INVALID` if the file is no database, or none of ours;
 * `SQLITE_ENGINE_FAILED`.
 */
export function openWriter(
  path: string,
  foreignKeysByDefault: boolean,
  image?: Buffer | "empty",
  extensions: readonly string[] = [],
): Writer {
  let database: Database.Database;
  try {
    const source = image === "empty" ? ":memory:" : (image ?? path);
    database = new Database(source, { timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw openFailure(path, error);
  }
  try {
    loadExtensions(database, extensions);
    return new WriterConnection(database, path, foreignKeysByDefault, extensions);
  } catch (error) {
    database.close();
    throw openFailure(path, error);
  }
}

class WriterConnection implements Writer {
  readonly database: Database.Database;
  readonly extensions: readonly string[];
  readonly scripts: ScriptCache;
  readonly determinism: Determinism;
  state: PersistedState;
  hasDeferredKeys = false;
  sawLargestRowid = false;
  unseenBytes = 0;
  #enforces = false;
  /** A trigger, a view or a default may ask for SQLite's counters. */
  #schemaAsks = false;
  /** Virtual tables write rows of their own, at moments of their own, and SQLite counts those. */
  #countersWander = false;
  readonly #commands = new Map<string, Database.Statement>();
  #counters: Database.Statement | undefined;
  readonly #writeState: (state: PersistedState) => void;

  constructor(
    database: Database.Database,
    path: string,
    foreignKeysByDefault: boolean,
    extensions: readonly string[],
  ) {
    this.database = database;
    this.extensions = extensions;
    database.defaultSafeIntegers(true);
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.pragma("wal_autocheckpoint = 0");
    refuseUnsafeFunctions(database);
    this.determinism = installDeterminism(database);
    this.scripts = createScriptCache(database);
    this.state = openState(database, path);
    this.#writeState = createStateWriter(database);
    this.setForeignKeys(this.state.foreignKeys ?? foreignKeysByDefault);
    this.#readSchema();
    this.syncCounters();
  }

  get enforcesForeignKeys(): boolean {
    return this.#enforces;
  }

  hasExhaustedSequence(): boolean {
    const table = this.database
      .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'")
      .get();
    if (table === undefined) return false;
    return (
      this.sawLargestRowid ||
      this.database
        .prepare("SELECT 1 FROM sqlite_sequence WHERE seq = ? LIMIT 1")
        .get(LARGEST_ROWID) !== undefined
    );
  }

  run(sql: string): void {
    let statement = this.#commands.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.#commands.set(sql, statement);
    }
    statement.run();
  }

  saveState(): void {
    this.#writeState(this.state);
  }

  setForeignKeys(on: boolean): void {
    this.database.pragma(`foreign_keys = ${on ? "ON" : "OFF"}`);
    this.#enforces = on;
    this.scripts.forgetStatements();
  }

  syncCounters(): void {
    this.determinism.totalChanges = this.state.totalChanges;
    if (this.readCounters().lastInsertId !== this.state.lastInsertId) this.#makeLastIdReal();
  }

  readCounters(): { changes: bigint; lastInsertId: bigint } {
    this.#counters ??= this.database.prepare("SELECT changes(), last_insert_rowid()").raw();
    const row = this.#counters.get();
    assert(Array.isArray(row), "sqlite: the counters are a row");
    return { changes: BigInt(row[0]), lastInsertId: BigInt(row[1]) };
  }

  noteChanges(changes: bigint): void {
    this.state.changes = changes;
    this.state.totalChanges += changes;
    this.determinism.totalChanges = this.state.totalChanges;
  }

  beforeStatement(asksForCounters: boolean): void {
    const asks = this.#schemaAsks || asksForCounters;
    if (!asks && !this.#countersWander) return;
    if (this.readCounters().lastInsertId !== this.state.lastInsertId) this.#makeLastIdReal();
    if (asks && this.readCounters().changes !== this.state.changes) this.#makeChangesReal();
  }

  schemaChanged(text: string): void {
    this.scripts.forgetStatements();
    if (ASKS_FOR_COUNTERS.test(text)) this.#schemaAsks = true;
    if (/virtual/i.test(text)) this.#countersWander = true;
    if (/defer/i.test(text)) this.hasDeferredKeys = true;
  }

  contentReplaced(): void {
    const state = readState(this.database);
    assert(state !== undefined, "sqlite: a loaded database has our row");
    this.state = state;
    this.scripts.forgetStatements();
    this.#readSchema();
    this.syncCounters();
  }

  dropTemporary(): void {
    const find = this.database.prepare(
      `SELECT type, name FROM temp.sqlite_schema WHERE type IN ('table', 'view', 'trigger')
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type = 'table', name LIMIT 1`,
    );
    for (;;) {
      const found = find.raw().get();
      if (!Array.isArray(found)) break;
      const [type, name] = found;
      this.database.exec(`DROP ${type} temp."${String(name).replaceAll('"', '""')}"`);
    }
    this.scripts.forgetStatements();
  }

  close(): void {
    this.database.close();
    this.determinism.close();
  }

  #readSchema(): void {
    const mentions = this.database
      .prepare("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE sql LIKE ?)")
      .pluck();
    this.hasDeferredKeys = mentions.get("%defer%") === 1n;
    this.#schemaAsks =
      mentions.get("%changes%(%") === 1n || mentions.get("%last_insert_rowid%") === 1n;
    this.#countersWander = mentions.get("%virtual%") === 1n;
  }

  /** An insert is the only way to set it; the table is gone before anyone can see it. */
  #makeLastIdReal(): void {
    this.database.exec("CREATE TEMP TABLE _cairn_rowid (id INTEGER PRIMARY KEY)");
    this.database.prepare("INSERT INTO temp._cairn_rowid VALUES (?)").run(this.state.lastInsertId);
    this.database.exec("DROP TABLE temp._cairn_rowid");
  }

  /** Inserts into a table without rowids: sets the count and leaves the last rowid alone. */
  #makeChangesReal(): void {
    this.database.exec("CREATE TEMP TABLE _cairn_changes (id INTEGER PRIMARY KEY) WITHOUT ROWID");
    this.database
      .prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
          INSERT INTO temp._cairn_changes SELECT i FROM n WHERE i <= ?1`,
      )
      .run({ 1: this.state.changes });
    this.database.exec("DROP TABLE temp._cairn_changes");
  }
}

function openState(database: Database.Database, path: string): PersistedState {
  const state = readState(database);
  if (state !== undefined) return state;
  const objects = database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  if (objects !== 0n) {
    throw new CairnError("SQLITE_FILE_INVALID", `sqlite: ${path}: not made by this program`);
  }
  const fresh = initialState();
  database.exec("BEGIN IMMEDIATE");
  createStateTable(database, fresh);
  database.exec("COMMIT");
  return fresh;
}

function openFailure(path: string, error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const isFile = code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
  const kind = isFile || !isEngineFailure(code) ? "SQLITE_FILE_INVALID" : "SQLITE_ENGINE_FAILED";
  return new CairnError(kind, `sqlite: ${path}: ${errorText(error)}`, { cause: error });
}
