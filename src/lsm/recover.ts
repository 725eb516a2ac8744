/**
 * Opening an engine: lock, manifest, log, and only then the rubbish.
 *
 * Invariants: nothing that the manifest names is changed before all of it was found (L2), so that a
 * damaged directory stays as it is. What belongs to nobody is removed last. Every step can be
 * repeated, and a crash anywhere inside leaves an engine that opens to the same content (L9).
 * Chapter: 04-lsm, "Recovery"
 */
import { CairnError, type Cancel, isCairnError, type Sequence } from "#base";
import type { WalRecord } from "#wal/types";
import { lsmCorrupt } from "./corruption.ts";
import { lockPath, logPath, type NamedFile, tablePath } from "./file-names.ts";
import type { EngineWal } from "./lazy-log.ts";
import { type OpenedManifest, openManifest } from "./manifest.ts";
import { createMemory, type Memory } from "./memory.ts";
import { beginLog, findEmptyLog, openLog, removeLog } from "./new-log.ts";
import { createSharedNumbers, type SharedNumbers } from "./numbers.ts";
import type { EngineSettings } from "./options.ts";
import type { Manifest, ManifestState } from "./parts.ts";
import { walkLog } from "./repair-log.ts";
import type { OpenReport } from "./types.ts";
import { allTables } from "./version-query.ts";
import { applyGroup, groupHeader } from "./write-group.ts";

/** What a memtable takes at first; it grows by doubling. */
const MEMTABLE_BYTES_INITIAL = 64 * 1024;

/** An engine as it was found. */
export interface Recovered {
  readonly report: OpenReport;
  readonly unlock: Cancel;
  readonly manifest: Manifest;
  readonly numbers: SharedNumbers;
  readonly memory: Memory;
  readonly wal: EngineWal;
  readonly logNumber: number;
  /** Of the newest change. */
  readonly sequence: Sequence;
}

/** Opens what is in the directory, or makes an empty engine. @throws see `openEngine`. */
export function recover(settings: EngineSettings): Recovered {
  const { disk, dir } = settings;
  if (!disk.exists(dir)) {
    if (!settings.createIfMissing) {
      throw new CairnError("LSM_NOT_FOUND", `lsm: ${dir}: there is no engine here`);
    }
    disk.makeDir(dir);
  }
  const unlock = disk.lock(lockPath(dir));
  const opened: { manifest?: Manifest; wal?: EngineWal } = {};
  try {
    return recoverLocked(settings, unlock, opened);
  } catch (error) {
    // Both only release files here, or fail with what is on its way to the caller already.
    opened.wal?.close().catch(ignore);
    opened.manifest?.close().catch(ignore);
    unlock();
    throw error;
  }
}

function recoverLocked(
  settings: EngineSettings,
  unlock: Cancel,
  opened: { manifest?: Manifest; wal?: EngineWal },
): Recovered {
  const { disk, dir, createIfMissing, errorIfExists } = settings;
  // Made by the manifest, which knows the first number; shared with the worker.
  let numbers = createSharedNumbers(1);
  const found = openManifest({
    ...{ disk, dir, createIfMissing, errorIfExists },
    inspect: (state, files) => checkFiles(settings, state, files),
    createNumbers: (first) => {
      numbers = createSharedNumbers(first);
      return numbers;
    },
  });
  const { manifest } = found;
  opened.manifest = manifest;
  const memory = createMemory({
    bytesInitial: Math.min(MEMTABLE_BYTES_INITIAL, settings.memtableBytesMax),
    ...(settings.memtableStructure && { structure: settings.memtableStructure }),
  });
  const replay = new Replay(settings, memory, manifest.state);
  const { logNumber } = manifest.state;
  let droppedLogBytes = 0;
  if (logNumber === 0) {
    // The very first opening, or it was cut off before it came this far.
    const begun = beginLog(settings, numbers);
    opened.wal = begun.wal;
    const logFrom = begun.wal.firstLsn;
    const edit = { logNumber: begun.number, logFrom, nextNumber: numbers.next };
    manifest.apply({ remove: [], add: [], ...edit });
  } else {
    let log = findEmptyLog(settings, logNumber);
    if (log === null) {
      const { wal, report } = openLog(settings, logNumber, (record) => replay.take(record));
      log = wal;
      droppedLogBytes = report.droppedBytes;
    }
    opened.wal = log;
    replay.finish(log);
    removeRetired(settings, log, manifest.state);
  }
  return {
    report: {
      created: found.created,
      tables: allTables(manifest.state.version).length,
      replayedGroups: replay.groups,
      droppedLogBytes,
      removedFiles: removeOrphans(settings, found),
    },
    ...{ unlock, manifest, numbers, memory },
    wal: opened.wal,
    logNumber: manifest.state.logNumber,
    sequence: replay.sequence,
  };
}

/** Carries groups of the log out again, all that tables do not hold. */
class Replay {
  readonly #settings: EngineSettings;
  readonly #memory: Memory;
  readonly #logFrom: number;
  readonly #file: string;
  sequence: Sequence;
  groups = 0;

  constructor(settings: EngineSettings, memory: Memory, state: ManifestState) {
    this.#settings = settings;
    this.#memory = memory;
    this.#logFrom = state.logFrom;
    this.#file = state.logNumber === 0 ? settings.dir : logPath(settings.dir, state.logNumber);
    this.sequence = state.sequence;
  }

  take({ lsn, payload }: WalRecord): void {
    if (lsn < this.#logFrom) return;
    const { sequence, count } = groupHeader(payload);
    // In tables already: they were flushed when the log had failed, and could not be retired. They
    // must not come back, since a newer layer wins (L1).
    if (sequence + count - 1 <= this.sequence) return;
    if (sequence !== this.sequence + 1) {
      const problem = `record ${lsn} begins at sequence ${sequence}, not ${this.sequence + 1}`;
      throw lsmCorrupt({ file: this.#file, offset: 0 }, problem);
    }
    const { memtable } = this.#memory.active;
    applyGroup(payload, memtable, 0);
    this.sequence += count;
    this.groups += 1;
    if (memtable.approximateBytes() < this.#settings.memtableBytesMax) return;
    this.#memory.freeze({ sequence: this.sequence, logBefore: lsn + 1 });
  }

  /** The log was durable up to there when the manifest said so. */
  finish(wal: EngineWal): void {
    if (wal.firstLsn <= this.#logFrom && wal.nextLsn >= this.#logFrom) return;
    const holds = `holds records ${wal.firstLsn} to ${wal.nextLsn - 1}`;
    const problem = `${holds}, and is to be replayed from ${this.#logFrom}`;
    throw lsmCorrupt({ file: this.#file, offset: 0 }, problem);
  }
}

/** Whether everything is there that the manifest names. Content is checked when it is read. */
function checkFiles(
  { disk, dir }: EngineSettings,
  state: ManifestState,
  files: readonly NamedFile[],
): void {
  const names = new Set(files.map(({ name }) => `${dir}/${name}`));
  for (const { id } of allTables(state.version)) {
    const file = tablePath(dir, id);
    if (!names.has(file))
      throw lsmCorrupt({ file, offset: 0 }, "named by the manifest, but missing");
  }
  checkEnd({ disk, dir }, state, files);
  if (state.logNumber === 0) return;
  const file = logPath(dir, state.logNumber);
  if (!names.has(file) || disk.list(file).length === 0) {
    throw lsmCorrupt({ file, offset: 0 }, "named by the manifest, but missing");
  }
}

/**
 * Whether the manifest's end may be missing. A file that was cut where a record ends looks like one
 * that was never longer; but a log is named before anything is written to it, and before the first
 * table there is a log (a repaired engine may have tables and none). Without this, what the lost
 * edits named would be removed as rubbish.
 */
function checkEnd(
  { disk, dir }: Pick<EngineSettings, "disk" | "dir">,
  state: ManifestState,
  files: readonly NamedFile[],
): void {
  const isNew = state.logNumber === 0 && allTables(state.version).length === 0;
  for (const { name, file: found } of files) {
    const file = `${dir}/${name}`;
    const isNews =
      found.kind === "log"
        ? found.number > state.logNumber && walkLog(disk, file, () => {}).nextLsn > 1
        : found.kind === "table" && isNew;
    if (isNews) throw lsmCorrupt({ file, offset: 0 }, "in use, but the manifest does not know it");
  }
}

/** Removes what the log keeps and nobody replays: the last life may have ended before it could. */
function removeRetired({ disk, dir }: EngineSettings, wal: EngineWal, state: ManifestState): void {
  try {
    for (const path of wal.detachBefore(state.logFrom)) {
      disk.unlink(path);
      // One at a time: a crash must not keep an older one and lose a newer one.
      disk.syncDir(logPath(dir, state.logNumber));
    }
  } catch (error) {
    if (!isCairnError(error)) throw error;
  }
}

/** Removes what belongs to nobody. @returns the names. */
function removeOrphans({ disk, dir }: EngineSettings, found: OpenedManifest): string[] {
  const { state } = found.manifest;
  const live = new Set(allTables(state.version).map(({ id }) => id));
  const removed: string[] = [];
  for (const { name, file } of found.files) {
    const path = `${dir}/${name}`;
    if (file.kind === "log" && file.number !== state.logNumber) removeLog(disk, path);
    else if (file.kind === "temporary table") tryUnlink(disk, path);
    else if (file.kind === "table" && !live.has(file.number)) tryUnlink(disk, path);
    else continue;
    removed.push(name);
  }
  return [...removed, ...found.removeLeftovers()];
}

/** What stays is harmless, and the next opening tries again. */
function tryUnlink(disk: EngineSettings["disk"], path: string): void {
  try {
    disk.unlink(path);
  } catch (error) {
    if (!isCairnError(error)) throw error;
  }
}

/** For a failure that somebody else reports. */
function ignore(): void {}
