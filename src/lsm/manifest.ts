/**
 * The manifest: the durable list of edits, and the state that they add up to (L2).
 *
 * A manifest is a directory with a log in it. The first record is a snapshot of the whole state,
 * each later one an edit. When the edits have grown, or after a failure, a new directory is begun
 * with a snapshot, and `CURRENT` is turned to it; then the old one goes.
 *
 * Invariant: `CURRENT` names a manifest that is durable, whose state is the one in memory, or the
 * one after the edit that is under way, never anything between. When that cannot be known any more,
 * nothing is added before a new manifest has taken over.
 * Chapter: 04-lsm
 */
import { assert, type Bytes, CairnError, isCairnError } from "#base";
import type { Disk } from "#platform/types";
import { openWal } from "#wal";
import { lsmCorrupt } from "./corruption.ts";
import { readCurrent, writeCurrent } from "./current-file.ts";
import { encodeEdit, encodeSnapshot } from "./edit-codec.ts";
import {
  createNumbers,
  currentPath,
  type EngineFile,
  listFiles,
  lostPath,
  manifestPath,
  type NamedFile,
  type Numbers,
  numberIn,
} from "./file-names.ts";
import { type EngineWal, lazyLog } from "./lazy-log.ts";
import { scanManifest } from "./manifest-scan.ts";
import type { Manifest, ManifestState, VersionEdit } from "./parts.ts";
import { applyEdit, EMPTY_STATE } from "./version.ts";

const MIB = 1024 * 1024;
/** Some thousand flushes and compactions. Reading it takes milliseconds. */
const ROLL_BYTES_DEFAULT = MIB;
/** Larger than what is rolled, so that a manifest is one file, as a rule. */
const SEGMENT_BYTES_MAX = 4 * MIB;

/** How a manifest is opened. */
export interface ManifestOptions {
  readonly disk: Disk;
  /** The engine's directory, which the caller has locked. */
  readonly dir: string;
  /** Default true. */
  readonly createIfMissing?: boolean;
  /** Default false. */
  readonly errorIfExists?: boolean;
  /**
   * Begin a new manifest when the edits behind the snapshot have this many bytes. Default 1 MiB.
   * Larger: seldom rewritten, slower to open.
   */
  readonly rollBytes?: number;
  /** Makes the counter. Default: one that only this thread can use. */
  readonly createNumbers?: (first: number) => Numbers;
  /**
   * Sees the state, and what is in the directory, before anything is changed. What it throws ends
   * the opening.
   */
  readonly inspect?: (state: ManifestState, files: readonly NamedFile[]) => void;
}

/** A manifest that was just opened. */
export interface OpenedManifest {
  readonly manifest: EngineManifest;
  readonly created: boolean;
  /** What was in the directory before anything was changed. */
  readonly files: readonly NamedFile[];
  /** The engine's counter. It is above every number of the manifest and of any name (L7). */
  readonly numbers: Numbers;
  /** Bytes of a torn end that were cut off: an edit that nobody was told of. */
  readonly droppedBytes: number;
  /**
   * Removes manifests that count no more. To be called once everything that counts was found.
   *
   * @returns their names.
   */
  removeLeftovers(): string[];
}

/** A manifest with what only its engine asks for. */
export interface EngineManifest extends Manifest {
  /** The number of its directory. */
  readonly number: number;
  /** Bytes on disk. */
  sizeBytes(): number;
}

/**
 * Opens the manifest of an engine, or begins one in a directory that never held an engine.
 *
 * @throws `LSM_NOT_FOUND`, `LSM_EXISTS`; `LSM_CORRUPT`, `WAL_CORRUPT` with `details` `file` and
 * `offset`, and nothing is changed then; disk errors.
 */
export function openManifest(options: ManifestOptions): OpenedManifest {
  const { disk, dir } = options;
  const files = disk.exists(dir) ? listFiles(disk, dir) : [];
  const isThere = (kind: EngineFile["kind"]) => files.some(({ file }) => file.kind === kind);
  const lost = isThere("lost") ? listFiles(disk, lostPath(dir)) : [];
  let used = 0;
  for (const { file } of [...files, ...lost]) used = Math.max(used, numberIn(file));
  const startNumbers = options.createNumbers ?? createNumbers;
  const numbers = startNumbers(used + 1);
  const created = !isThere("current");
  const opened = created ? create(options, files, numbers) : open(options, files, numbers);
  const { file, state, droppedBytes } = opened;
  const manifest = new DurableManifest(options, { file, state, numbers });
  return {
    ...{ manifest, created, files, numbers, droppedBytes },
    removeLeftovers: () => removeLeftovers(disk, dir, { files, current: manifest.number }),
  };
}

/** The log that is written. */
interface ManifestFile {
  readonly number: number;
  readonly wal: EngineWal;
  readonly snapshotBytes: number;
}

interface Start {
  readonly file: ManifestFile;
  readonly state: ManifestState;
  readonly droppedBytes: number;
}

function create(options: ManifestOptions, files: readonly NamedFile[], numbers: Numbers): Start {
  const { disk, dir } = options;
  // The first manifest comes before all else, so these say that there was a `CURRENT`.
  const evidence = files.find(({ file: { kind } }) => {
    return kind === "table" || kind === "temporary table" || kind === "log" || kind === "lost";
  });
  if (evidence !== undefined) {
    const problem = `missing, but there is ${evidence.name}`;
    throw lsmCorrupt({ file: currentPath(dir), offset: 0 }, problem);
  }
  if (options.createIfMissing === false) {
    throw new CairnError("LSM_NOT_FOUND", `lsm: ${dir}: there is no engine here`);
  }
  disk.makeDir(dir);
  const number = numbers.take();
  const state = { ...EMPTY_STATE, nextNumber: numbers.next };
  const file = beginManifest(disk, dir, { number, state });
  writeCurrent(disk, dir, number);
  return { file, state, droppedBytes: 0 };
}

function open(options: ManifestOptions, files: readonly NamedFile[], numbers: Numbers): Start {
  const { disk, dir } = options;
  if (options.errorIfExists === true) {
    throw new CairnError("LSM_EXISTS", `lsm: ${dir}: there is an engine here`);
  }
  const number = readCurrent(disk, dir);
  // Before anything is opened for writing: what is opened is repaired at its end.
  const scan = scanManifest(disk, manifestPath(dir, number));
  if (scan.problem !== null) throw lsmCorrupt(scan.problem, scan.problem.text);
  const { state, snapshotBytes, droppedBytes } = scan;
  assert(state !== null, "lsm: a manifest without a problem has a state");
  options.inspect?.(state, files);
  const openFile = () => {
    const { wal, report } = openLog(disk, manifestPath(dir, number));
    assert(report.records === scan.records, "lsm: the manifest's log holds what was read before");
    return wal;
  };
  const { nextLsn, records, bytes } = scan;
  const known = { firstLsn: nextLsn - records, nextLsn, bytes };
  const wal = scan.isClosed ? lazyLog(openFile, known) : openFile();
  // The process may have been killed between turning `CURRENT` and syncing its name. An edit behind
  // the snapshot says that it was not: none is taken before that sync.
  if (scan.records === 1) disk.syncDir(dir);
  numbers.raise(Math.max(state.nextNumber, number + 1));
  return { file: { number, wal, snapshotBytes }, state, droppedBytes };
}

/** Makes a manifest with a snapshot in it, durably. Nothing names it yet. */
export function beginManifest(
  disk: Disk,
  dir: string,
  start: { readonly number: number; readonly state: ManifestState },
): ManifestFile {
  const path = manifestPath(dir, start.number);
  assert(!disk.exists(path), `lsm: ${path} is new`);
  const snapshot = encodeSnapshot(start.state);
  const { wal } = openLog(disk, path);
  try {
    wal.append(snapshot);
    wal.sync();
  } catch (error) {
    // It is poisoned, so this only releases the file.
    void wal.close();
    throw error;
  }
  return { number: start.number, wal, snapshotBytes: snapshot.length };
}

function openLog(disk: Disk, dir: string): ReturnType<typeof openWal> {
  // No room ahead: edits are rare, and a small manifest is a small file.
  const options = { disk, dir, segmentBytesMax: SEGMENT_BYTES_MAX, preallocateBytes: 0 };
  return openWal(options, () => {});
}

function removeLeftovers(
  disk: Disk,
  dir: string,
  { files, current }: { readonly files: readonly NamedFile[]; readonly current: number },
): string[] {
  const removed: string[] = [];
  for (const { name, file } of files) {
    const path = `${dir}/${name}`;
    if (file.kind === "replacing") {
      // A manifest that was begun meanwhile has used it up.
      if (!disk.exists(path)) continue;
      disk.unlink(path);
    } else if (file.kind === "manifest" && file.number !== current) removeManifest(disk, path);
    else continue;
    removed.push(name);
  }
  if (removed.length > 0) disk.syncDir(dir);
  return removed;
}

function removeManifest(disk: Disk, path: string): void {
  for (const name of disk.list(path)) disk.unlink(`${path}/${name}`);
  // Or a crash could bring a file back into a directory that is gone.
  disk.syncDir(path);
  disk.removeDir(path);
}

/** A manifest with more edits than that is written anew when it is closed. */
const EDITS_AT_CLOSE_MAX = 4;

class DurableManifest implements EngineManifest {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #rollBytes: number;
  readonly #numbers: Numbers;
  /** Manifests that count no more, or never did: to be removed when that is certain. */
  readonly #stale: { readonly number: number; readonly wal: EngineWal | null }[] = [];
  #file: ManifestFile;
  #state: ManifestState;
  /** What a crash would find is not known: nothing may be added to this file. */
  #isDoubtful = false;
  #isBusy = false;
  #cleaning: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(
    options: ManifestOptions,
    start: {
      readonly file: ManifestFile;
      readonly state: ManifestState;
      readonly numbers: Numbers;
    },
  ) {
    this.#disk = options.disk;
    this.#dir = options.dir;
    this.#rollBytes = options.rollBytes ?? ROLL_BYTES_DEFAULT;
    this.#numbers = start.numbers;
    this.#file = start.file;
    this.#state = start.state;
  }

  get state(): ManifestState {
    return this.#state;
  }

  get number(): number {
    return this.#file.number;
  }

  sizeBytes(): number {
    return this.#file.wal.sizeBytes();
  }

  apply(edit: VersionEdit): void {
    const { next, payload } = this.#prepare(edit);
    const { wal } = this.#file;
    try {
      wal.append(payload);
      wal.sync();
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
    this.#state = next;
  }

  async applyAsync(edit: VersionEdit): Promise<void> {
    const { next, payload } = this.#prepare(edit);
    this.#isBusy = true;
    try {
      await this.#file.wal.commit(payload);
      this.#state = next;
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { wal } = this.#file;
    const edits = wal.nextLsn - wal.firstLsn;
    // A clean end is the moment to add the edits up: the next opening reads one record.
    if (edits > EDITS_AT_CLOSE_MAX && !this.#isDoubtful && !this.#isBusy) {
      try {
        this.#roll();
        // Says to the next opening that `CURRENT` is durable.
        const { nextNumber } = this.#state;
        this.#file.wal.append(encodeEdit({ remove: [], add: [], nextNumber }));
      } catch (error) {
        // Either manifest will do, and the next opening removes the other one.
        if (!isCairnError(error)) throw error;
      }
    }
    await this.#file.wal.close();
    for (const { wal } of this.#stale) await wal?.close();
    await this.#cleaning;
  }

  /** Rolls if that is due or needed, and works out what the edit leads to. */
  #prepare(edit: VersionEdit): { next: ManifestState; payload: Bytes } {
    assert(!this.#isBusy, "lsm: one edit at a time");
    if (this.#closing !== null) throw new CairnError("LSM_CLOSED", "lsm: manifest: closed");
    if (this.#isDoubtful) this.#roll();
    else if (this.sizeBytes() - this.#file.snapshotBytes >= this.#rollBytes) this.#tryRoll();
    // Rolling has taken a number since the caller looked, so what the counter says is what counts.
    this.#numbers.raise(edit.nextNumber ?? 0);
    const complete = { ...edit, nextNumber: this.#numbers.next };
    return { next: applyEdit(this.#state, complete), payload: encodeEdit(complete) };
  }

  #tryRoll(): void {
    try {
      this.#roll();
    } catch (error) {
      // The old manifest is as good as before, unless `CURRENT` may have been turned. The next edit
      // tries again.
      if (this.#isDoubtful || !isCairnError(error)) throw error;
    }
  }

  /** Lets a new manifest take over, with the state as it is. */
  #roll(): void {
    const number = this.#numbers.take();
    const state = { ...this.#state, nextNumber: this.#numbers.next };
    let begun: ManifestFile | null = null;
    const isDoubtful = this.#isDoubtful;
    try {
      begun = beginManifest(this.#disk, this.#dir, { number, state });
      // From here on a crash may find either, and so both must stay as they are.
      this.#isDoubtful = true;
      writeCurrent(this.#disk, this.#dir, number);
    } catch (error) {
      this.#stale.push({ number, wal: begun?.wal ?? null });
      if (begun === null) this.#isDoubtful = isDoubtful;
      throw error;
    }
    this.#isDoubtful = false;
    this.#stale.push(this.#file);
    this.#file = begun;
    this.#state = state;
    this.#cleaning = this.#cleaning.then(() => this.#clean());
  }

  /** Never rejects: what is left here is removed when the engine is opened the next time. */
  async #clean(): Promise<void> {
    for (const { number, wal } of this.#stale.splice(0)) {
      try {
        await wal?.close();
        const path = manifestPath(this.#dir, number);
        if (this.#disk.exists(path)) removeManifest(this.#disk, path);
      } catch {
        // Deliberate: nobody waits for this, and what counts is elsewhere.
      }
    }
  }
}
