/**
 * An open file of the simulated disk.
 *
 * Invariant: a handle that is closed, or whose machine is gone, changes nothing any more.
 */
import { assert, CairnError } from "#base";
import type { SimulatedFile } from "./simulated-file.ts";
import type { DiskOperation, FileHandle } from "./types.ts";

/** Where an operation happens. */
export interface At {
  readonly operation: DiskOperation;
  readonly path: string;
  readonly offset?: number;
  readonly bytes?: number;
}

/** The disk as its handles see it: it counts operations and decides which of them fail. */
export interface HandleHost {
  /** @throws the power cut, if there was one. */
  assertAlive(): void;
  /** Meets what was planned, without being a crash point. */
  meetFault(at: At): void;
  write(path: string, file: SimulatedFile, offset: number, bytes: Uint8Array): void;
  truncate(path: string, file: SimulatedFile, bytes: number): void;
  /** The sync of `epoch` takes effect now. */
  sync(path: string, file: SimulatedFile, epoch: number): void;
  /** Resolves when a `syncAsync` called now takes effect. */
  delaySync(path: string): Promise<void>;
}

/** What a handle is opened on. */
export interface OpenedFile {
  readonly path: string;
  readonly file: SimulatedFile;
  readonly readOnly: boolean;
}

class MemoryHandle implements FileHandle {
  readonly #disk: HandleHost;
  readonly #path: string;
  readonly #file: SimulatedFile;
  readonly #readOnly: boolean;
  #closed = false;

  constructor(disk: HandleHost, options: OpenedFile) {
    this.#disk = disk;
    this.#path = options.path;
    this.#file = options.file;
    this.#readOnly = options.readOnly;
  }

  size(): number {
    this.#assertUsable();
    return this.#file.size;
  }

  read(offset: number, target: Uint8Array): number {
    this.#assertUsable();
    assertOffset(offset);
    this.#disk.meetFault({ operation: "read", path: this.#path });
    return this.#file.read(offset, target);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#assertWritable();
    assertOffset(offset);
    this.#disk.write(this.#path, this.#file, offset, bytes);
  }

  truncate(bytes: number): void {
    this.#assertWritable();
    assertOffset(bytes);
    this.#disk.truncate(this.#path, this.#file, bytes);
  }

  sync(): void {
    this.#assertUsable();
    this.#disk.sync(this.#path, this.#file, this.#file.beginSync());
  }

  async syncAsync(): Promise<void> {
    this.#assertUsable();
    const epoch = this.#file.beginSync();
    await this.#disk.delaySync(this.#path);
    this.#disk.sync(this.#path, this.#file, epoch);
  }

  close(): void {
    this.#closed = true;
  }

  #assertWritable(): void {
    this.#assertUsable();
    if (this.#readOnly) {
      throw new CairnError("DISK_READ_ONLY", `platform: ${this.#path}: opened for reading`, {
        details: { path: this.#path },
      });
    }
  }

  #assertUsable(): void {
    this.#disk.assertAlive();
    assert(!this.#closed, `platform: ${this.#path} is used only while open`);
  }
}

/** Opens a file. */
export function createSimulatedHandle(disk: HandleHost, options: OpenedFile): FileHandle {
  return new MemoryHandle(disk, options);
}

/**
 * Checks a place in a file, or a size.
 *
 * @throws RangeError for anything but a whole number from 0 to 2^53 - 1.
 */
export function assertOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`platform: ${offset} is no place in a file`);
  }
}
