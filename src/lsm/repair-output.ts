/**
 * What a repair writes, and where it puts what it replaces. In a dry run nothing is written, and
 * the same answers are given.
 *
 * Invariant: a file is moved to `lost/` only after what takes its place is durable and named by the
 * manifest. Nothing is deleted.
 * Chapter: 04-lsm, "Repair"
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { Disk, FileHandle } from "#platform/types";
import { createTableWriter } from "#sstable";
import type { TableMeta, TableWriter } from "#sstable/types";
import { openWal } from "#wal";
import type { WalOptions } from "#wal/types";
import { lostPath, type Numbers, tablePath } from "./file-names.ts";
import type { EntrySource } from "./repair-merge.ts";

/** A table is ended here, as those of an engine are by default. */
const TABLE_BYTES_MAX = 8 * 1024 * 1024;
/** What an entry takes beside key and value, about. */
const ENTRY_OVERHEAD_BYTES = 8;

/** Where tables go. */
export interface RepairPlace {
  readonly disk: Disk;
  readonly dir: string;
  readonly numbers: Numbers;
  readonly dryRun: boolean;
}

/** Writes entries, which come in the order of a table, into as many tables as they need. */
export function writeTables(place: RepairPlace, entries: Iterable<EntrySource>): TableMeta[] {
  const tables: TableMeta[] = [];
  let open: OpenTable | null = null;
  try {
    for (const entry of entries) {
      // All versions of a key go into one table (L6).
      if (open !== null && open.bytes >= TABLE_BYTES_MAX && !open.endsWith(entry.key)) {
        tables.push(open.finish());
        open = null;
      }
      open ??= new OpenTable(place);
      open.add(entry);
    }
    if (open !== null) tables.push(open.finish());
  } catch (error) {
    open?.abandon();
    throw error;
  }
  return tables;
}

class OpenTable {
  readonly #writer: TableWriter | null;
  readonly #id: number;
  #first: Bytes | null = null;
  #last: Bytes = new Uint8Array(0);
  #deletions = 0;
  #entries = 0;
  #sequenceMin = Number.MAX_SAFE_INTEGER;
  #sequenceMax = 0;
  /** About. The same in a dry run, so that it splits in the same places. */
  bytes = 0;

  constructor({ disk, dir, numbers, dryRun }: RepairPlace) {
    this.#id = numbers.take();
    const path = tablePath(dir, this.#id);
    this.#writer = dryRun ? null : createTableWriter({ disk, path, id: this.#id });
  }

  endsWith(key: Bytes): boolean {
    return compareBytes(this.#last, key) === 0;
  }

  add({ key, value, sequence, isDeletion }: EntrySource): void {
    this.#writer?.add(key, isDeletion ? null : value, sequence);
    this.#first ??= key.slice();
    this.#last = key.slice();
    this.#entries += 1;
    if (isDeletion) this.#deletions += 1;
    this.#sequenceMin = Math.min(this.#sequenceMin, sequence);
    this.#sequenceMax = Math.max(this.#sequenceMax, sequence);
    this.bytes += key.length + value.length + ENTRY_OVERHEAD_BYTES;
  }

  finish(): TableMeta {
    return (
      this.#writer?.finish() ?? {
        ...{ id: this.#id, bytes: this.bytes, entries: this.#entries },
        ...{ deletions: this.#deletions, smallest: this.#first ?? this.#last },
        ...{ largest: this.#last, sequenceMin: this.#sequenceMin, sequenceMax: this.#sequenceMax },
      }
    );
  }

  abandon(): void {
    this.#writer?.abandon();
  }
}

/** Moves a file, or a directory with the files in it, to `lost/`. */
export function moveToLost(disk: Disk, dir: string, name: string): void {
  const lost = lostPath(dir);
  disk.makeDir(lost);
  const from = `${dir}/${name}`;
  const to = freeName(disk, `${lost}/${name}`);
  const files = filesIn(disk, from);
  if (files === null) {
    disk.rename(from, to);
    disk.syncDir(lost);
    return;
  }
  disk.makeDir(to);
  for (const file of files) disk.rename(`${from}/${file}`, `${to}/${file}`);
  disk.syncDir(to);
  disk.syncDir(from);
  disk.removeDir(from);
}

/** Copies a small file to `lost/`: its place is taken by replacing it. */
export function copyToLost(disk: Disk, dir: string, name: string, content: Bytes): void {
  const lost = lostPath(dir);
  disk.makeDir(lost);
  const file = disk.open(freeName(disk, `${lost}/${name}`), "create-new");
  try {
    file.write(0, content);
    file.sync();
  } finally {
    file.close();
  }
  disk.syncDir(lost);
}

/** Does something with a log, and releases its files before it returns: `close` could not. */
export function withLog(
  options: WalOptions,
  work: (wal: ReturnType<typeof openWal>["wal"]) => void,
): void {
  withHandlesClosed(options.disk, (disk) => {
    const { wal } = openWal({ ...options, disk }, () => {});
    work(wal);
    wal.sync();
  });
}

/** Gives a disk whose files are all closed at the end, whoever opened them. */
export function withHandlesClosed<T>(disk: Disk, work: (disk: Disk) => T): T {
  const handles: FileHandle[] = [];
  const noting: Disk = {
    open: (path, mode) => {
      const handle = disk.open(path, mode);
      handles.push(handle);
      return handle;
    },
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    list: (dir) => disk.list(dir),
    exists: (path) => disk.exists(path),
    makeDir: (path) => disk.makeDir(path),
    removeDir: (path) => disk.removeDir(path),
    syncDir: (dir) => disk.syncDir(dir),
    lock: (path) => disk.lock(path),
  };
  try {
    return work(noting);
  } finally {
    // Closing twice is harmless.
    for (const handle of handles) handle.close();
  }
}

function freeName(disk: Disk, path: string): string {
  if (!disk.exists(path)) return path;
  for (let i = 1; ; i += 1) if (!disk.exists(`${path}.${i}`)) return `${path}.${i}`;
}

/** The names in a directory; null if it is a file. */
function filesIn(disk: Disk, path: string): string[] | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return /^(?:manifest|log)-\d+$/.test(name) ? disk.list(path) : null;
}
