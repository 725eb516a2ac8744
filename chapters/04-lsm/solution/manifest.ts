/**
 * The manifest: which tables count (04.4).
 *
 * A directory with a log in it. The first record is a snapshot of the state, each later one an
 * edit. Invariant: `CURRENT` names a durable manifest whose state is the one in memory, or the one
 * after the edit under way. When that cannot be known any more, a new manifest takes over.
 * Chapter: 04-lsm, step 04.4
 */
import { CairnError } from "#base";
import {
  applyEdit,
  createNumbers,
  decodeEdit,
  EditKind,
  EMPTY_STATE,
  encodeEdit,
  encodeSnapshot,
  type ManifestState,
  manifestPath,
  type Numbers,
  numberOf,
  parseName,
  readCurrent,
  type VersionEdit,
  writeCurrent,
} from "#lsm/reference";
import type { Disk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal, WalRecord } from "#wal/types";
import type { OpenedStoreManifest, StoreManifest, StoreManifestOptions } from "./types.ts";

const ROLL_BYTES_DEFAULT = 1024 * 1024;

/** Opens the manifest of a directory, or begins one. @throws `LSM_CORRUPT`, `WAL_CORRUPT`. */
export function openManifest(options: StoreManifestOptions): OpenedStoreManifest {
  const { disk, dir } = options;
  disk.makeDir(dir);
  const names = disk.list(dir);
  const numbers = createNumbers(Math.max(0, ...names.map(numberOf)) + 1);
  const file = names.includes("CURRENT") ? load(disk, dir) : begin(disk, dir, numbers);
  numbers.raise(file.state.nextNumber);
  const manifest = new StoredManifest(options, numbers, file);
  return { manifest, numbers, removeLeftovers: () => manifest.removeOthers() };
}

interface ManifestFile {
  readonly number: number;
  readonly wal: Wal;
  readonly state: ManifestState;
}

function load(disk: Disk, dir: string): ManifestFile {
  const number = readCurrent(disk, dir);
  let state: ManifestState | null = null;
  const onRecord = ({ lsn, payload }: WalRecord): void => {
    const { kind, edit } = decodeEdit(payload);
    if ((kind === EditKind.snapshot) !== (state === null)) {
      throw corrupt(dir, number, `record ${lsn} has kind ${kind}`);
    }
    state = applyEdit(state ?? EMPTY_STATE, edit);
  };
  const { wal } = openWal({ disk, dir: manifestPath(dir, number), preallocateBytes: 0 }, onRecord);
  if (state === null) throw corrupt(dir, number, "it holds no snapshot");
  // Whoever turned CURRENT may have died before its name was durable.
  disk.syncDir(dir);
  return { number, wal, state };
}

function begin(disk: Disk, dir: string, numbers: Numbers): ManifestFile {
  const number = numbers.take();
  const file = write(disk, dir, { number, state: { ...EMPTY_STATE, nextNumber: numbers.next } });
  writeCurrent(disk, dir, number);
  return file;
}

/** Makes a manifest durable that begins with this state. Nothing names it yet. */
function write(
  disk: Disk,
  dir: string,
  of: { number: number; state: ManifestState },
): ManifestFile {
  const { wal } = openWal(
    { disk, dir: manifestPath(dir, of.number), preallocateBytes: 0 },
    () => {},
  );
  wal.append(encodeSnapshot(of.state));
  wal.sync();
  return { ...of, wal };
}

class StoredManifest implements StoreManifest {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #rollBytes: number;
  readonly #numbers: Numbers;
  #file: ManifestFile;
  #state: ManifestState;
  /** Of the edits behind the snapshot. */
  #editBytes = 0;
  /** An edit failed: whether it is in the file, nobody knows. */
  #isDoubtful = false;

  constructor(options: StoreManifestOptions, numbers: Numbers, file: ManifestFile) {
    this.#disk = options.disk;
    this.#dir = options.dir;
    this.#rollBytes = options.rollBytes ?? ROLL_BYTES_DEFAULT;
    this.#numbers = numbers;
    this.#file = file;
    this.#state = file.state;
  }

  get state(): ManifestState {
    return this.#state;
  }

  apply(edit: VersionEdit): void {
    const next = applyEdit(this.#state, edit);
    try {
      if (this.#isDoubtful || this.#editBytes >= this.#rollBytes) this.#roll(next);
      else this.#append(edit);
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
    this.#isDoubtful = false;
    this.#state = next;
  }

  async close(): Promise<void> {
    await this.#file.wal.close();
  }

  removeOthers(): string[] {
    const removed: string[] = [];
    for (const name of this.#disk.list(this.#dir)) {
      const file = parseName(name);
      const path = `${this.#dir}/${name}`;
      if (file.kind === "replacing") this.#disk.unlink(path);
      else if (file.kind === "manifest" && file.number !== this.#file.number) {
        removeFolder(this.#disk, path);
      } else continue;
      removed.push(name);
    }
    if (removed.length > 0) this.#disk.syncDir(this.#dir);
    return removed;
  }

  #append(edit: VersionEdit): void {
    const payload = encodeEdit(edit);
    this.#file.wal.append(payload);
    this.#file.wal.sync();
    this.#editBytes += payload.length;
  }

  /** Begins a new manifest with a snapshot, and only then turns CURRENT to it. */
  #roll(state: ManifestState): void {
    const number = this.#numbers.take();
    const next = { ...state, nextNumber: this.#numbers.next };
    const file = write(this.#disk, this.#dir, { number, state: next });
    writeCurrent(this.#disk, this.#dir, number);
    const old = this.#file.wal;
    this.#file = file;
    this.#editBytes = 0;
    // It may be poisoned: that was said when it happened.
    old.close().catch(() => {});
    this.removeOthers();
  }
}

function removeFolder(disk: Disk, path: string): void {
  for (const name of disk.list(path)) disk.unlink(`${path}/${name}`);
  disk.syncDir(path);
  disk.removeDir(path);
}

function corrupt(dir: string, number: number, problem: string): CairnError {
  const file = manifestPath(dir, number);
  return new CairnError("LSM_CORRUPT", `lsm: ${file}: ${problem}`, {
    details: { file, offset: 0 },
  });
}
