/**
 * The disk of this machine.
 *
 * Only `fdatasync` makes content durable, only `fsync` of a directory makes names durable. On Linux
 * `fdatasync` also writes the size, which is all the metadata that reading back needs; on macOS
 * Node asks for a flush of the drive's own cache (F_FULLFSYNC). Chapter: 00-bytes.
 *
 * Invariant: a file descriptor is closed only when no sync is under way on it, since its number may
 * be another file's a moment later.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { assert, CairnError, type Cancel } from "#base";
import { lockFile } from "./node-lock.ts";
import { assertOffset } from "./simulated-handle.ts";
import { diskError, systemCode } from "./system-error.ts";
import type { Disk, FileHandle, OpenMode } from "./types.ts";

/** Owner may write, everybody may read what their umask allows: as SQLite creates its files. */
const FILE_MODE = 0o644;

const OPEN_FLAGS: Readonly<Record<OpenMode, number>> = {
  "create-new": constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  "read-write": constants.O_RDWR | constants.O_CREAT,
  read: constants.O_RDONLY,
};

class NodeDisk implements Disk {
  open(path: string, mode: OpenMode): FileHandle {
    const fd = attempt("open", path, () => openSync(path, OPEN_FLAGS[mode], FILE_MODE));
    // A directory can be opened for reading only, and fails later with a worse message.
    if (mode === "read" && fstatSync(fd).isDirectory()) {
      closeSync(fd);
      throw new CairnError("DISK_IO", `platform: ${path}: is a directory`, { details: { path } });
    }
    return new NodeFile({ path, fd, readOnly: mode === "read" });
  }

  rename(from: string, to: string): void {
    attempt("rename", `${from} to ${to}`, () => renameSync(from, to));
  }

  unlink(path: string): void {
    attempt("unlink", path, () => unlinkSync(path));
  }

  list(dir: string): string[] {
    return attempt("list", dir, () => readdirSync(dir)).sort();
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  makeDir(path: string): void {
    // One name at a time: Node's own recursive mode never returns where a file system answers that
    // the parent, which is there, does not exist (as /proc does).
    const missing: string[] = [];
    for (let dir = resolve(path); !existsSync(dir); dir = dirname(dir)) missing.unshift(dir);
    for (const dir of missing) {
      attempt("makeDir", dir, () => makeOne(dir));
      this.syncDir(dirname(dir));
    }
    if (missing.length > 0 || statSync(path).isDirectory()) return;
    throw new CairnError("DISK_EXISTS", `platform: ${path}: makeDir: a file is in the way`, {
      details: { path, operation: "makeDir" },
    });
  }

  removeDir(path: string): void {
    attempt("removeDir", path, () => rmdirSync(path));
  }

  syncDir(dir: string): void {
    // Windows opens no directories; NTFS keeps names in a journal of its own.
    if (process.platform === "win32") return;
    attempt("syncDir", dir, () => {
      const fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  lock(path: string): Cancel {
    return lockFile(path);
  }
}

class NodeFile implements FileHandle {
  readonly #path: string;
  readonly #fd: number;
  readonly #readOnly: boolean;
  #closed = false;
  #syncing = 0;

  constructor(options: { readonly path: string; readonly fd: number; readonly readOnly: boolean }) {
    this.#path = options.path;
    this.#fd = options.fd;
    this.#readOnly = options.readOnly;
  }

  size(): number {
    this.#assertOpen();
    return this.#attempt("size", () => fstatSync(this.#fd).size);
  }

  read(offset: number, target: Uint8Array): number {
    this.#assertOpen();
    assertOffset(offset);
    return this.#attempt("read", () => {
      let done = 0;
      while (done < target.length) {
        const count = readSync(this.#fd, target, done, target.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#assertWritable();
    assertOffset(offset);
    this.#attempt("write", () => {
      // The system may take less than it was given: near a full disk, or above 2 GiB.
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      }
    });
  }

  truncate(bytes: number): void {
    this.#assertWritable();
    assertOffset(bytes);
    this.#attempt("truncate", () => ftruncateSync(this.#fd, bytes));
  }

  sync(): void {
    this.#assertOpen();
    this.#attempt("sync", () => fdatasyncSync(this.#fd));
  }

  async syncAsync(): Promise<void> {
    this.#assertOpen();
    this.#syncing += 1;
    try {
      await new Promise<void>((done, fail) => {
        fdatasync(this.#fd, (error) => {
          if (error === null) done();
          else fail(diskError("sync", this.#path, error));
        });
      });
    } finally {
      this.#syncing -= 1;
      this.#closeIfIdle();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#closed && this.#syncing === 0) this.#attempt("close", () => closeSync(this.#fd));
  }

  #attempt<T>(operation: string, f: () => T): T {
    return attempt(operation, this.#path, f);
  }

  #assertOpen(): void {
    assert(!this.#closed, `platform: ${this.#path} is used only while open`);
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#readOnly) {
      throw new CairnError("DISK_READ_ONLY", `platform: ${this.#path}: opened for reading`, {
        details: { path: this.#path },
      });
    }
  }
}

/** Makes the disk of this machine. Paths are the system's. */
export function createNodeDisk(): Disk {
  return new NodeDisk();
}

function attempt<T>(operation: string, path: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    throw diskError(operation, path, error);
  }
}

/** Makes one directory; somebody else may have been quicker. */
function makeOne(dir: string): void {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (systemCode(error) !== "EEXIST" || !statSync(dir).isDirectory()) throw error;
  }
}
