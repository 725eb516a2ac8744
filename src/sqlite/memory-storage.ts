/**
 * Keeps the machine's database in memory, and an image of it on any disk: for simulations.
 *
 * The image is what SQLite's `serialize` gives, written whole at each checkpoint. What is behind it
 * is lost with the process, as a power cut takes it from a file. Invariant: the image on the disk
 * is complete, and its applied index is the durable index.
 * Chapter: 09-sqlite.
 */
import { type Bytes, CairnError } from "#base";
import { directoryOf, replaceFile } from "#bytes";
import type { Disk } from "#platform/types";
import { digestConnection } from "./digest.ts";
import type { Storage } from "./file-storage.ts";
import { checkHeader, openCopy, pageCountOf } from "./snapshot-file.ts";
import type { SqliteMachineOptions } from "./types.ts";
import { openWriter, PAGE_BYTES, type Writer } from "./writer.ts";

/** An image costs as much as the database is large, so a checkpoint has more to wait for. */
const CHECKPOINT_BYTES_DEFAULT = 4 * 1024 * 1024;

/** @throws `SQLITE_FILE_INVALID`, disk errors. */
export function openMemoryStorage(options: SqliteMachineOptions, disk: Disk): Storage {
  return new MemoryStorage(options, disk);
}

class MemoryStorage implements Storage {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #foreignKeys: boolean;
  readonly #checkpointBytes: number;
  writer: Writer;
  durableIndex: number;
  walBytes = 0;

  constructor(options: SqliteMachineOptions, disk: Disk) {
    this.#disk = disk;
    this.#path = options.path;
    this.#foreignKeys = options.foreignKeys ?? false;
    this.#checkpointBytes = options.checkpointBytes ?? CHECKPOINT_BYTES_DEFAULT;
    const image = disk.exists(options.path) ? readWhole(disk, options.path) : undefined;
    this.writer = openWriter(options.path, this.#foreignKeys, image ?? "empty");
    this.durableIndex = image === undefined ? 0 : this.writer.state.appliedIndex;
  }

  wrote(bytes: number): void {
    this.walBytes += bytes;
    if (this.walBytes >= this.#checkpointBytes) this.checkpoint();
  }

  checkpoint(): boolean {
    if (this.writer.state.appliedIndex === this.durableIndex) return false;
    replaceFile(this.#disk, this.#path, this.writer.database.serialize());
    this.#imageWritten();
    return true;
  }

  async snapshot(path: string): Promise<number> {
    const { appliedIndex } = this.writer.state;
    const image = this.writer.database.serialize();
    const file = this.#disk.open(path, "create-new");
    try {
      file.write(0, image);
      file.sync();
    } catch (error) {
      this.#disk.unlink(path);
      throw error;
    } finally {
      file.close();
    }
    this.#disk.syncDir(directoryOf(path));
    return appliedIndex;
  }

  checkCopy(path: string, index: number): void {
    checkHeader(path, this.#disk);
    openCopy(this.#imageOf(path), path, index).close();
  }

  restore(path: string, index: number): void {
    if (!this.#disk.exists(path)) {
      if (this.writer.state.appliedIndex === index) return;
      throw new CairnError("DISK_NOT_FOUND", `sqlite: no copy ${path} at ${index}`);
    }
    this.checkCopy(path, index);
    const image = this.#imageOf(path);
    replaceFile(this.#disk, this.#path, image);
    this.writer.close();
    this.writer = openWriter(this.#path, this.#foreignKeys, image);
    this.#imageWritten();
    this.#disk.unlink(path);
    this.#disk.syncDir(directoryOf(path));
  }

  /** Nothing can read beside the one connection, so it is computed at once. */
  async digestLater(): Promise<Bytes> {
    return digestConnection(this.writer.database);
  }

  close(): void {
    this.checkpoint();
    this.writer.close();
  }

  /** The pages of a copy; what is behind them is not ours. */
  #imageOf(path: string): Buffer {
    const content = readWhole(this.#disk, path);
    return content.subarray(0, pageCountOf(content) * PAGE_BYTES);
  }

  #imageWritten(): void {
    this.durableIndex = this.writer.state.appliedIndex;
    this.walBytes = 0;
  }
}

function readWhole(disk: Disk, path: string): Buffer {
  const file = disk.open(path, "read");
  try {
    const content = Buffer.alloc(file.size());
    file.read(0, content);
    return content;
  } finally {
    file.close();
  }
}
