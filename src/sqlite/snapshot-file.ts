/**
 * Copies of the whole database, with the applied index inside, for other replicas.
 *
 * A copy is a SQLite file of its own, without a WAL: the pages that one read transaction saw. It
 * takes the place of another database as a load does: SQLite's backup API brings in every page in
 * one transaction of the write-ahead log. So a crash leaves the old database or the new one, and
 * readers go on with the old one until their next transaction, without being told. Invariant: the
 * copy is removed only when what it brought survives power loss. Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";
import { CairnError, errorText } from "#base";
import { directoryOf } from "#bytes";
import type { Disk, FileHandle } from "#platform/types";
import { copyPages, looksLikeSqlite } from "./load.ts";
import { isEngineFailure, sqliteCode } from "./sqlite-errors.ts";
import { readState } from "./state-table.ts";
import { PAGE_BYTES, type Writer } from "./writer.ts";

/** 256 KiB between two turns of the event loop: less than a batch takes. */
const PAGES_PER_TURN = 64;

/** Of SQLite's file header; see its "Database File Format", 1.3. */
const HEADER_BYTES = 100;
const PAGE_SIZE_OFFSET = 16;
const VERSIONS_OFFSET = 18;
const CHANGE_COUNTER_OFFSET = 24;
const PAGE_COUNT_OFFSET = 28;
const VALID_FOR_OFFSET = 92;
/** Both versions say: a rollback journal, and so no WAL beside the file. */
const JOURNAL_VERSIONS: Uint8Array = Uint8Array.of(1, 1);

/**
 * Copies what a connection's read transaction sees into a new file; many turns of the event loop.
 *
 * @param source - in a read transaction, and used by nobody else meanwhile.
 * @throws `DISK_EXISTS`; `DISK_FULL`; `SQLITE_ENGINE_FAILED`. No file is left then.
 */
export async function writeSnapshot(
  source: Database.Database,
  path: string,
  disk: Disk,
): Promise<void> {
  if (disk.exists(path)) {
    throw new CairnError("DISK_EXISTS", `sqlite: snapshot: ${path} is there already`);
  }
  try {
    await source.backup(path, { progress: () => PAGES_PER_TURN });
    withFile(disk, path, (file) => {
      file.write(VERSIONS_OFFSET, JOURNAL_VERSIONS);
      file.sync();
    });
    disk.syncDir(directoryOf(path));
  } catch (error) {
    for (const name of [path, `${path}-journal`]) if (disk.exists(name)) disk.unlink(name);
    throw copyFailure(error);
  }
}

/**
 * Puts a copy in the place of the writer's database, durably, and removes it.
 *
 * Blocks this thread: nothing may be applied meanwhile. Readers are not disturbed.
 *
 * @throws `SQLITE_FILE_INVALID`, with nothing changed, if the file is no copy at `index`;
 * `SQLITE_ENGINE_FAILED`, disk errors.
 */
export function installSnapshot(writer: Writer, path: string, index: number, disk: Disk): void {
  if (isInstalled(writer, path, index, disk)) return;
  checkCopyFile(path, index, disk);
  const copy = openCopy(path, path, index);
  try {
    copyPages(copy, writer.database.name);
  } finally {
    copy.close();
  }
  writer.contentReplaced();
  syncWal(writer.database.name, disk);
  disk.unlink(path);
  disk.syncDir(directoryOf(path));
}

/** Whether a file is a copy of ours at `index`. @throws `SQLITE_FILE_INVALID` */
export function checkCopyFile(path: string, index: number, disk: Disk): void {
  checkHeader(path, disk);
  openCopy(path, path, index).close();
}

/** A crash came behind everything but the answer. */
function isInstalled(writer: Writer, path: string, index: number, disk: Disk): boolean {
  if (disk.exists(path)) return false;
  if (writer.state.appliedIndex === index) return true;
  const at = `database is at ${writer.state.appliedIndex}`;
  throw new CairnError("DISK_NOT_FOUND", `sqlite: no copy ${path} at ${index}, and the ${at}`);
}

/** What can be seen without SQLite. Behind the last page there may be more: it is not ours. */
export function checkHeader(path: string, disk: Disk): void {
  withFile(disk, path, (file) => {
    const header = Buffer.alloc(HEADER_BYTES);
    const isWhole = file.read(0, header) === HEADER_BYTES;
    const problem = isWhole ? headerProblem(header, file.size()) : "shorter than a header";
    if (problem !== undefined) throw invalid(path, problem);
  });
}

/** What the header says of the pages. */
export function pageCountOf(header: Buffer): number {
  return header.readUInt32BE(PAGE_COUNT_OFFSET);
}

function headerProblem(header: Buffer, size: number): string | undefined {
  if (!looksLikeSqlite(header)) return "does not begin as a database";
  const pageBytes = header.readUInt16BE(PAGE_SIZE_OFFSET);
  if (pageBytes !== PAGE_BYTES) return `has pages of ${pageBytes} bytes`;
  if (!header.subarray(VERSIONS_OFFSET, VERSIONS_OFFSET + 2).equals(JOURNAL_VERSIONS)) {
    return "belongs to a write-ahead log";
  }
  // Only then does SQLite believe the count of pages that stands beside it.
  if (header.readUInt32BE(CHANGE_COUNTER_OFFSET) !== header.readUInt32BE(VALID_FOR_OFFSET)) {
    return "does not know how many pages it has";
  }
  const pages = pageCountOf(header);
  return pages * PAGE_BYTES > size ? `has ${size} bytes for ${pages} pages` : undefined;
}

/**
 * Opens a copy and checks that it is one of ours, at `index`.
 *
 * @param source - the file, or what is in it. @throws `SQLITE_FILE_INVALID`
 */
export function openCopy(source: string | Buffer, path: string, index: number): Database.Database {
  let copy: Database.Database | undefined;
  try {
    copy = new Database(source, { readonly: typeof source === "string" });
    checkState(copy, path, index);
    return copy;
  } catch (error) {
    copy?.close();
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    const isFile = code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
    if (isFile || !isEngineFailure(code)) throw invalid(path, errorText(error));
    throw copyFailure(error);
  }
}

/** Our own row must be there, complete, and at the index that the log says. */
function checkState(copy: Database.Database, path: string, index: number): void {
  const state = readState(copy);
  if (state === undefined) throw invalid(path, "is not made by this program");
  if (state.appliedIndex !== index) {
    throw invalid(path, `has applied index ${state.appliedIndex}, want ${index}`);
  }
  if (state.statementsDone !== 0) throw invalid(path, "ends inside an entry");
}

/** A commit in a WAL that is synced survives; SQLite itself syncs it at the next checkpoint. */
function syncWal(database: string, disk: Disk): void {
  withFile(disk, `${database}-wal`, (file) => file.sync());
  disk.syncDir(directoryOf(database));
}

function withFile(disk: Disk, path: string, work: (file: FileHandle) => void): void {
  const file = disk.open(path, "read-write");
  try {
    work(file);
  } finally {
    file.close();
  }
}

function invalid(path: string, problem: string): CairnError {
  return new CairnError("SQLITE_FILE_INVALID", `sqlite: snapshot: ${path}: ${problem}`);
}

function copyFailure(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === undefined && !(error instanceof TypeError)) return error;
  return new CairnError(
    code === "SQLITE_FULL" ? "DISK_FULL" : "SQLITE_ENGINE_FAILED",
    `sqlite: snapshot: ${errorText(error)}`,
    { cause: error },
  );
}
