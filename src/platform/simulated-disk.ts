/**
 * A disk in memory that can lose power, lie about syncs, fill up and fail, all from one seed.
 *
 * Reading order of its parts: simulated-file.ts (content), simulated-names.ts (directories),
 * simulated-handle.ts (open files), disk-faults.ts (plans). This file counts operations, meets
 * faults and makes the disk of the next life.
 *
 * Invariant: everything is a function of the calls made and the seeds given; two runs are equal.
 * Simplifications: `makeDir` and `removeDir` are durable at once; a failed `syncDir` leaves its
 * names unsynced, so that a later one makes them durable, because a journal commits in order or
 * stops for good; the capacity counts file sizes only. Chapter: 00-bytes.
 */
import { assert, CairnError, type Cancel } from "#base";
import { createDiskFaults, faultError } from "./disk-faults.ts";
import { powerCut } from "./power-cut.ts";
import { mixSeeds, seededRandom } from "./seeded-random.ts";
import { createSimulatedFile, type KeepChance, type SimulatedFile } from "./simulated-file.ts";
import { type At, createSimulatedHandle, type HandleHost } from "./simulated-handle.ts";
import { createSimulatedNames, notFound, type SimulatedNames } from "./simulated-names.ts";
import type {
  DiskFaultPlan,
  DiskTraceLine,
  FileHandle,
  OpenMode,
  Random,
  SimulatedDisk,
  SimulatedDiskOptions,
} from "./types.ts";

/** Names the streams of chance, so that one does not shift another. */
const Stream = { crash: 1, prefix: 2 } as const;

/** One crash in so many keeps everything, one nothing: mixtures alone rarely reach either. */
const CRASH_MODES = 8;

/** The process id that a simulated lock names. */
const SIMULATED_PID = 1;

interface MutableTraceLine extends DiskTraceLine {
  failed: boolean;
}

class MemoryDisk implements SimulatedDisk, HandleHost {
  readonly #options: SimulatedDiskOptions;
  readonly #seed: number;
  readonly #names: SimulatedNames;
  readonly #faults = createDiskFaults();
  readonly #trace: MutableTraceLine[] = [];
  readonly #locks = new Set<SimulatedFile>();
  #hung: (() => void)[] = [];
  #cutAt = Number.POSITIVE_INFINITY;
  #gone: string | null = null;

  constructor(options: SimulatedDiskOptions, names: SimulatedNames) {
    this.#options = options;
    this.#seed = options.seed ?? 1;
    this.#names = names;
  }

  get operations(): number {
    return this.#trace.length;
  }

  get trace(): readonly DiskTraceLine[] {
    return this.#trace;
  }

  open(path: string, mode: OpenMode): FileHandle {
    this.assertAlive();
    let file = this.#names.file(path);
    if (this.#names.isDirectory(path)) {
      throw mode === "create-new" ? exists(path) : isDirectory(path);
    }
    if (file === undefined) {
      this.#names.assertParent(path);
      if (mode === "read") throw notFound(path);
      this.count({ operation: "open", path });
      file = createSimulatedFile();
      this.#names.create(path, file);
    } else {
      if (mode === "create-new") throw exists(path);
      this.meetFault({ operation: "open", path });
    }
    return createSimulatedHandle(this, { path, file, readOnly: mode === "read" });
  }

  rename(from: string, to: string): void {
    this.assertAlive();
    const path = `${from} to ${to}`;
    if (this.#names.isDirectory(from) || this.#names.isDirectory(to)) throw isDirectory(path);
    const file = this.#existing(from, path);
    this.#names.assertParent(to, path);
    this.count({ operation: "rename", path });
    if (this.#names.file(to) !== file) this.#names.rename(from, to, file);
  }

  unlink(path: string): void {
    this.assertAlive();
    if (this.#names.isDirectory(path)) throw isDirectory(path);
    this.#existing(path);
    this.count({ operation: "unlink", path });
    this.#names.unlink(path);
  }

  list(dir: string): string[] {
    this.assertAlive();
    return this.#names.list(dir);
  }

  exists(path: string): boolean {
    this.assertAlive();
    return this.#names.isDirectory(path) || this.#names.file(path) !== undefined;
  }

  makeDir(path: string): void {
    this.assertAlive();
    this.#names.makeDir(path);
  }

  removeDir(path: string): void {
    this.assertAlive();
    this.#names.removeDir(path);
  }

  syncDir(dir: string): void {
    this.assertAlive();
    if (!this.#names.isDirectory(dir)) throw notFound(dir, "no such directory");
    this.count({ operation: "syncDir", path: dir });
    this.#names.syncDir(dir);
  }

  lock(path: string): Cancel {
    this.assertAlive();
    if (this.#names.isDirectory(path)) throw isDirectory(path);
    this.#names.assertParent(path);
    let file = this.#names.file(path);
    if (file !== undefined && this.#locks.has(file)) {
      throw new CairnError(
        "DISK_LOCKED",
        `platform: ${path}: locked by process ${SIMULATED_PID} (simulated)`,
        { details: { path, pid: SIMULATED_PID } },
      );
    }
    // A lock is a file, as on a real disk, so that listings show it and a crash may leave it.
    if (file === undefined) {
      file = createSimulatedFile();
      this.#names.create(path, file);
    }
    const locked = file;
    this.#locks.add(locked);
    return () => {
      if (!this.#locks.delete(locked) || this.#gone !== null) return;
      if (this.#names.file(path) === locked) this.#names.unlink(path);
    };
  }

  cutPowerAt(operation: number): void {
    this.#cutAt = operation;
  }

  plan(fault: DiskFaultPlan): void {
    if (fault.fault === "slow" && this.#options.clock === undefined) {
      throw new TypeError("platform: the fault slow needs a clock");
    }
    this.#faults.plan(fault);
  }

  crash(seed: number): SimulatedDisk {
    this.#gone = "the power was cut";
    const random = seededRandom(mixSeeds(this.#seed, Stream.crash, seed));
    const keepNames = drawKeepChance(random);
    const keepContent = drawKeepChance(random);
    const copies = new Map<SimulatedFile, SimulatedFile>();
    const copyOf = (file: SimulatedFile): SimulatedFile => {
      const copy = copies.get(file) ?? file.crashed(random, keepContent);
      copies.set(file, copy);
      return copy;
    };
    const names = this.#names.crashed({ random, keep: keepNames, copyOf });
    return new MemoryDisk(this.#options, names);
  }

  kill(): SimulatedDisk {
    this.#gone = "the process was killed";
    const copies = new Map<SimulatedFile, SimulatedFile>();
    const names = this.#names.clone((file) => {
      const copy = copies.get(file) ?? file.clone();
      copies.set(file, copy);
      return copy;
    });
    return new MemoryDisk(this.#options, names);
  }

  flipBit(path: string, offset: number, bit: number): void {
    this.#existing(path).flipBit(offset, bit);
  }

  durable(path: string): Uint8Array | undefined {
    return this.#names.durableFile(path)?.durable();
  }

  content(path: string): Uint8Array {
    return this.#existing(path).content();
  }

  releaseHung(): void {
    const hung = this.#hung;
    this.#hung = [];
    for (const release of hung) release();
  }

  /* ---- for its handles ---- */

  assertAlive(): void {
    if (this.#gone !== null) throw powerCut(`platform: simulated disk: ${this.#gone}`);
  }

  /** Counts a crash point and meets what was planned for it. */
  count(at: At): void {
    const line = this.#enter(at);
    const fault = this.#faults.error(at.operation, at.path);
    if (fault === null) return;
    line.failed = true;
    throw faultError(fault, at);
  }

  meetFault(at: At): void {
    const fault = this.#faults.error(at.operation, at.path);
    if (fault !== null) throw faultError(fault, at);
  }

  write(path: string, file: SimulatedFile, offset: number, bytes: Uint8Array): void {
    const at: At = { operation: "write", path, offset, bytes: bytes.length };
    const line = this.#enter(at);
    let fault = this.#faults.error("write", path);
    let fitting = bytes.length;
    if (fault !== null) {
      const random = seededRandom(mixSeeds(this.#seed, Stream.prefix, line.sequence));
      fitting = random.below(bytes.length + 1);
    }
    const room = this.#room(file, offset + fitting);
    if (room < offset + fitting) {
      fitting = Math.max(0, room - offset);
      fault = "ENOSPC";
    }
    file.write(offset, bytes.subarray(0, fitting));
    if (fault === null) return;
    line.failed = true;
    throw faultError(fault, at);
  }

  truncate(path: string, file: SimulatedFile, bytes: number): void {
    const at: At = { operation: "truncate", path, offset: bytes };
    this.count(at);
    if (this.#room(file, bytes) < bytes) {
      const line = this.#trace[this.#trace.length - 1];
      if (line !== undefined) line.failed = true;
      throw faultError("ENOSPC", at);
    }
    file.truncate(bytes);
  }

  sync(path: string, file: SimulatedFile, epoch: number): void {
    try {
      this.count({ operation: "sync", path, bytes: file.size });
    } catch (error) {
      if (error instanceof CairnError) file.failSync(epoch);
      throw error;
    }
    file.endSync(epoch);
  }

  async delaySync(path: string): Promise<void> {
    const delay = this.#faults.delay(path);
    if (delay?.fault === "hang") {
      await new Promise<void>((resolve) => void this.#hung.push(resolve));
    } else if (delay?.fault === "slow") {
      const { clock } = this.#options;
      assert(clock !== undefined, "platform: a slow fault has a clock");
      await new Promise<void>((resolve) => void clock.after(delay.delayMs ?? 0, resolve));
    }
  }

  /** Bytes that the file may have: `size`, unless the disk is too full for that. */
  #room(file: SimulatedFile, size: number): number {
    const { capacityBytes } = this.#options;
    if (capacityBytes === undefined || size <= file.size) return size;
    let used = 0;
    for (const other of this.#names.files()) used += other.size;
    return Math.min(size, file.size + Math.max(0, capacityBytes - used));
  }

  #enter({ operation, path, offset = 0, bytes = 0 }: At): MutableTraceLine {
    this.assertAlive();
    const sequence = this.#trace.length;
    if (sequence >= this.#cutAt) {
      this.#gone = `the power was cut at operation ${sequence}, ${operation} of ${path}`;
      this.assertAlive();
    }
    const line = { sequence, operation, path, offset, bytes, failed: false };
    this.#trace.push(line);
    return line;
  }

  #existing(path: string, shownPath: string = path): SimulatedFile {
    const file = this.#names.file(path);
    if (file === undefined) throw notFound(shownPath);
    return file;
  }
}

/**
 * Makes an empty disk with one directory, the root.
 *
 * The trace and the count of operations hold what could change or sync something; reads, and opens
 * of what exists, are not crash points. `crash` may be asked again, with other seeds.
 */
export function createSimulatedDisk(options: SimulatedDiskOptions = {}): SimulatedDisk {
  return new MemoryDisk(options, createSimulatedNames());
}

/** How much of the unsynced changes this crash keeps. */
function drawKeepChance(random: Random): KeepChance {
  const mode = random.below(CRASH_MODES);
  if (mode === 0) return 0;
  if (mode === 1) return 1;
  return 0.1 + 0.8 * random.fraction();
}

function exists(path: string): CairnError {
  return new CairnError("DISK_EXISTS", `platform: ${path}: exists`, { details: { path } });
}

function isDirectory(path: string): CairnError {
  return new CairnError("DISK_IO", `platform: ${path}: is a directory`, { details: { path } });
}
