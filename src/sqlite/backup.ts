/**
 * Copies of the database, whole and at one moment, in a file of their own.
 *
 * SQLite's backup API copies the pages that a read transaction sees, so writers go on meanwhile.
 * Our own table is then dropped in the copy: a backup is the client's database and nothing else.
 * Invariant: when the promise resolves, the file is complete and durable under its name; when it
 * rejects, no file is left.
 * Chapter: 09-sqlite. Source: compat reference 1.7.
 */
import Database from "better-sqlite3";
import { CairnError, errorText, isCairnError } from "#base";
import { directoryOf } from "#bytes";
import { createNodeDisk } from "#platform";
import type { Disk } from "#platform/types";
import { writeDump } from "./dump.ts";
import { sqliteCode } from "./sqlite-errors.ts";
import { LOAD_TABLE, STATE_TABLE } from "./state-table.ts";
import type { BackupRequest } from "./types.ts";

/** 4 MiB of pages between two turns of the event loop: a few milliseconds. */
const PAGES_PER_TURN = 1024;
/** What SQLite may leave beside a file that it was stopped on. */
const COMPANIONS = ["", "-journal", "-wal", "-shm"] as const;

/**
 * Writes a backup.
 *
 * @param source - a read-only connection without a transaction; used by nobody else meanwhile.
 * @throws `DISK_EXISTS` if the file is there already; `DISK_FULL` and other codes of the disk;
 * `SQLITE_ENGINE_FAILED`.
 */
export async function writeBackup(
  source: Database.Database,
  request: BackupRequest,
  disk: Disk = createNodeDisk(),
): Promise<void> {
  const { path } = request;
  if (disk.exists(path)) {
    throw new CairnError("DISK_EXISTS", `sqlite: backup: ${path} is there already`);
  }
  const copyPath = request.vacuum ? `${path}.copy` : path;
  try {
    source.exec("BEGIN");
    try {
      if (request.format === "sql") writeDump(source, { disk, path, tables: request.tables });
      else {
        await copyPages(source, copyPath);
        finishCopy(copyPath, request);
      }
    } finally {
      source.exec("COMMIT");
    }
    if (copyPath !== path) remove(disk, copyPath);
    syncFile(disk, path);
  } catch (error) {
    remove(disk, path);
    if (copyPath !== path) remove(disk, copyPath);
    throw backupFailure(error);
  }
}

async function copyPages(source: Database.Database, path: string): Promise<void> {
  // The snapshot is taken by the first read, and the backup keeps to it.
  source.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
  await source.backup(path, { progress: () => PAGES_PER_TURN });
}

/** Makes the copy what was asked for. */
function finishCopy(copyPath: string, { format, vacuum, path }: BackupRequest): void {
  const copy = new Database(copyPath);
  try {
    // The file is synced as a whole at the end, so SQLite need not.
    copy.pragma("synchronous = OFF");
    copy.pragma("journal_mode = DELETE");
    for (const table of [STATE_TABLE, LOAD_TABLE]) copy.exec(`DROP TABLE IF EXISTS ${table}`);
    if (vacuum) copy.prepare("VACUUM INTO ?").run(path);
    else if (format === "binary") copy.pragma("journal_mode = WAL");
  } finally {
    copy.close();
  }
}

function syncFile(disk: Disk, path: string): void {
  const handle = disk.open(path, "read-write");
  try {
    handle.sync();
  } finally {
    handle.close();
  }
  disk.syncDir(directoryOf(path));
}

function remove(disk: Disk, path: string): void {
  for (const companion of COMPANIONS) {
    if (disk.exists(path + companion)) disk.unlink(path + companion);
  }
}

function backupFailure(error: unknown): unknown {
  if (isCairnError(error)) return error;
  const code = sqliteCode(error);
  if (code === undefined && !(error instanceof TypeError)) return error;
  return new CairnError(
    code === "SQLITE_FULL" ? "DISK_FULL" : "SQLITE_ENGINE_FAILED",
    `sqlite: backup: ${errorText(error)}`,
    { cause: error },
  );
}
