/**
 * Opening a store: what a crash has left becomes a state again (04.5).
 *
 * The manifest says which tables count and from where the log is to be replayed. Everything that it
 * names is looked for before anything is removed (L2). Invariant: opening can be repeated, and can
 * itself be cut off anywhere (L9).
 * Chapter: 04-lsm, step 04.5
 */
import { CairnError, type Cancel, type Sequence } from "#base";
import {
  applyGroup,
  groupHeader,
  lockPath,
  logPath,
  type Numbers,
  parseName,
  tablePath,
} from "#lsm/reference";
import { createMemtable } from "#memtable";
import type { Memtable } from "#memtable/types";
import type { Disk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal, WalRecord } from "#wal/types";
import { openManifest } from "./manifest.ts";
import type { StoreManifest, StoreOptions } from "./types.ts";

/** A store as it was found. */
export interface Recovered {
  readonly unlock: Cancel;
  readonly manifest: StoreManifest;
  readonly numbers: Numbers;
  readonly wal: Wal;
  /** Holds what the log has and no table does. */
  readonly memtable: Memtable;
  /** Of the newest change. */
  readonly sequence: Sequence;
}

/** Opens what is in the directory, or begins a store. @throws `LSM_CORRUPT`, `WAL_CORRUPT`. */
export function recoverStore(options: StoreOptions): Recovered {
  const { disk, dir } = options;
  disk.makeDir(dir);
  const unlock = disk.lock(lockPath(dir));
  const { manifest, numbers, removeLeftovers } = openManifest({ disk, dir });
  checkTables(disk, dir, manifest);
  const memtable = createMemtable();
  let { sequence } = manifest.state;
  const replay = ({ lsn, payload }: WalRecord): void => {
    if (lsn < manifest.state.logFrom) return;
    applyGroup(payload, memtable, 0);
    const group = groupHeader(payload);
    sequence = group.sequence + group.count - 1;
  };
  const wal = openLog(options, manifest, numbers, replay);
  removeOrphans(disk, dir, manifest);
  removeLeftovers();
  return { unlock, manifest, numbers, wal, memtable, sequence };
}

function openLog(
  { disk, dir, logSegmentBytesMax }: StoreOptions,
  manifest: StoreManifest,
  numbers: Numbers,
  replay: (record: WalRecord) => void,
): Wal {
  const segment = logSegmentBytesMax === undefined ? {} : { segmentBytesMax: logSegmentBytesMax };
  const { logNumber } = manifest.state;
  const number = logNumber === 0 ? numbers.take() : logNumber;
  const { wal } = openWal({ disk, dir: logPath(dir, number), ...segment }, replay);
  if (logNumber === 0) {
    manifest.apply({ remove: [], add: [], logNumber: number, nextNumber: numbers.next });
  }
  return wal;
}

function checkTables(disk: Disk, dir: string, manifest: StoreManifest): void {
  for (const { id } of manifest.state.version.runs.flatMap(({ tables }) => tables)) {
    const file = tablePath(dir, id);
    if (disk.exists(file)) continue;
    throw new CairnError("LSM_CORRUPT", `lsm: ${file}: named by the manifest, but missing`, {
      details: { file, offset: 0 },
    });
  }
}

/** Removes what belongs to nobody. No job is running yet, so nothing is being written. */
function removeOrphans(disk: Disk, dir: string, manifest: StoreManifest): void {
  const { version, logNumber } = manifest.state;
  const live = new Set(version.runs.flatMap(({ tables }) => tables.map(({ id }) => id)));
  for (const name of disk.list(dir)) {
    const file = parseName(name);
    const path = `${dir}/${name}`;
    if (file.kind === "temporary table") disk.unlink(path);
    else if (file.kind === "table" && !live.has(file.number)) disk.unlink(path);
    else if (file.kind === "log" && file.number !== logNumber) {
      for (const segment of disk.list(path)) disk.unlink(`${path}/${segment}`);
      disk.syncDir(path);
      disk.removeDir(path);
    }
  }
  disk.syncDir(dir);
}
