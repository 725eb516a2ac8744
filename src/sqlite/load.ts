/**
 * A SQLite file that replaces the whole database.
 *
 * The file is written beside the database, checked, given our row with the new applied index, and
 * then brought in by SQLite's backup API: one transaction of the write-ahead log that holds every
 * page. So a crash before its commit leaves the old database with the old index, a crash after it
 * the new one with the new index, and readers go on reading the old one until then. The copy is
 * removed, and if a crash leaves it behind the next load overwrites it.
 *
 * better-sqlite3 offers backup only as a promise, and applying is synchronous; {@link copyPages}
 * makes the same native call in one step.
 * Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";
import { assert, type Bytes, CairnError, errorText } from "#base";
import { createNodeDisk } from "#platform";
import { loadExtensions } from "./extensions.ts";
import { isEngineFailure, sqliteCode } from "./sqlite-errors.ts";
import { createStateTable, initialState } from "./state-table.ts";
import { PAGE_BYTES, type Writer } from "./writer.ts";

/** Content of a file in order, in pieces. */
export type FilePieces = Iterable<Bytes>;

/** The answer to a file that is none. */
export const INVALID_FILE_TEXT = "invalid SQLite data";

const MAGIC = "SQLite format 3\0";
const HEADER_BYTES = 100;
/** Offsets 18 and 19: 1 for a rollback journal, 2 for WAL. */
const WRITE_VERSION_OFFSET = 18;
const READ_VERSION_OFFSET = 19;
const JOURNAL_VERSION = 1;

/** Whether bytes begin as a SQLite file does. */
export function looksLikeSqlite(file: Bytes): boolean {
  if (file.length < HEADER_BYTES) return false;
  return Buffer.from(file.subarray(0, MAGIC.length)).toString("latin1") === MAGIC;
}

/**
 * Replaces the database; the applied index becomes `index` with it.
 *
 * @returns false, with nothing changed, if the file is no sound database: the same everywhere.
 * @throws `SQLITE_ENGINE_FAILED`
 */
export function loadFile(writer: Writer, file: FilePieces, index: number): boolean {
  assert(!writer.database.inTransaction, "sqlite: a load is a transaction of its own");
  if (writer.database.memory) {
    throw new CairnError(
      "SQLITE_ENGINE_FAILED",
      "sqlite: load: a database in memory takes no file",
    );
  }
  const path = `${writer.database.name}.load`;
  const disk = createNodeDisk();
  try {
    const bytes = writeCopy(path, file);
    if (bytes === undefined) return false;
    writer.unseenBytes += bytes;
    const copy = new Database(path);
    try {
      if (!prepareCopy(copy, index, writer)) return false;
      copyPages(copy, writer.database.name);
    } finally {
      copy.close();
    }
  } finally {
    for (const name of [path, `${path}-journal`]) if (disk.exists(name)) disk.unlink(name);
  }
  writer.contentReplaced();
  return true;
}

/**
 * The header is made that of a database without a WAL, which is what one file alone is.
 *
 * @returns its size; undefined if it does not begin as a database does.
 */
function writeCopy(path: string, file: FilePieces): number | undefined {
  const disk = createNodeDisk();
  for (const name of [path, `${path}-journal`]) if (disk.exists(name)) disk.unlink(name);
  const handle = disk.open(path, "create-new");
  let bytes = 0;
  try {
    for (const piece of file) {
      if (bytes === 0 && !looksLikeSqlite(piece)) return undefined;
      handle.write(bytes, piece);
      bytes += piece.length;
    }
    if (bytes === 0) return undefined;
    handle.write(WRITE_VERSION_OFFSET, Uint8Array.of(JOURNAL_VERSION));
    handle.write(READ_VERSION_OFFSET, Uint8Array.of(JOURNAL_VERSION));
    return bytes;
  } finally {
    handle.close();
  }
}

/** Checks the copy and makes it ours. @returns false if it is unsound. */
function prepareCopy(copy: Database.Database, index: number, writer: Writer): boolean {
  const { foreignKeys } = writer.state;
  try {
    copy.defaultSafeIntegers(true);
    // An index or a check may call what they bring.
    loadExtensions(copy, writer.extensions);
    copy.pragma("foreign_keys = OFF");
    // Each page is looked at once or twice: a large cache would only take memory.
    copy.pragma("cache_size = -2000");
    if (copy.pragma("encoding", { simple: true }) !== "UTF-8") return false;
    if (copy.pragma("quick_check(1)", { simple: true }) !== "ok") return false;
    dropReserved(copy);
    copy.pragma(`page_size = ${PAGE_BYTES}`);
    if (copy.pragma("page_size", { simple: true }) !== BigInt(PAGE_BYTES)) copy.exec("VACUUM");
    createStateTable(copy, { ...initialState(), appliedIndex: index, foreignKeys });
    return true;
  } catch (error) {
    const code = sqliteCode(error);
    const isOurs = code === "SQLITE_NOTADB" || code?.startsWith("SQLITE_CORRUPT");
    if (code === undefined || (isEngineFailure(code) && !isOurs)) throw error;
    return false;
  }
}

/** A backup of another of our databases brings its own row along; no trigger may speak of ours. */
function dropReserved(copy: Database.Database): void {
  const reserved = copy
    .prepare(
      `SELECT type, name FROM sqlite_schema
        WHERE type IN ('table', 'view', 'trigger')
          AND (name LIKE '\\_cairn%' ESCAPE '\\'
            OR (type = 'trigger' AND sql LIKE '%\\_cairn%' ESCAPE '\\'))
        ORDER BY type DESC`,
    )
    .raw()
    .all();
  for (const row of reserved) {
    assert(Array.isArray(row), "sqlite: raw rows are arrays");
    copy.exec(`DROP ${row[0]} IF EXISTS "${String(row[1]).replaceAll('"', '""')}"`);
  }
}

/** All pages in one step: more than any database has. */
const ALL_PAGES = 0x7fff_ffff;

interface NativeBackup {
  transfer(pages: number): { readonly remainingPages: number };
  close(): void;
}
interface NativeDatabase {
  backup(from: Database.Database, name: string, path: string, isNew: boolean): NativeBackup;
}

/** SQLite's backup API from an open database into the file of another. */
export function copyPages(from: Database.Database, path: string): void {
  const backup = nativeOf(from).backup(from, "main", path, false);
  try {
    const { remainingPages } = backup.transfer(ALL_PAGES);
    if (remainingPages !== 0) throw new Error(`${remainingPages} pages are left: database is busy`);
  } catch (error) {
    throw new CairnError("SQLITE_ENGINE_FAILED", `sqlite: load: ${errorText(error)}`, {
      cause: error,
    });
  } finally {
    backup.close();
  }
}

/** better-sqlite3 keeps its native object under a symbol; a test notices if it no longer does. */
function nativeOf(database: Database.Database): NativeDatabase {
  for (const symbol of Object.getOwnPropertySymbols(database)) {
    const native: unknown = Reflect.get(database, symbol);
    if (isNative(native)) return native;
  }
  throw new CairnError("SQLITE_ENGINE_FAILED", "sqlite: load: better-sqlite3 has no backup call");
}

function isNative(value: unknown): value is NativeDatabase {
  return typeof value === "object" && value !== null && "backup" in value;
}
