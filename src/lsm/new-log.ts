/**
 * Making and removing the engine's logs: one directory each.
 *
 * Invariant: a log is on disk, durable and empty, before any edit names it, and no file of a log is
 * removed before a durable edit names another one (L3).
 * Chapter: 04-lsm
 */
import { isCairnError } from "#base";
import type { Disk } from "#platform/types";
import { describeSegment, openWal } from "#wal";
import type { RecoveryReport, Wal, WalRecord } from "#wal/types";
import { logPath, type Numbers } from "./file-names.ts";
import { type EngineWal, lazyLog } from "./lazy-log.ts";
import { BATCH_BYTES_MAX, GROUP_BYTES_MAX } from "./options.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/**
 * What is needed no more goes in whole segments, so small ones keep less for nothing. But the
 * writer waits for a sync at the end of each, so they are not as small as a memtable.
 */
const SEGMENT_MEMTABLES = 4;
const SEGMENT_BYTES_MIN = 64 * KIB;
const SEGMENT_BYTES_MAX = 64 * MIB;
/** Headers of operations, and of the group. */
const HEADERS_BYTES_MAX = 64 * MIB;
const HOLDS_RECORDS = new Error("lsm: the log holds records");

/** Where a log lives. */
export interface LogPlace {
  readonly disk: Disk;
  readonly dir: string;
  readonly memtableBytesMax: number;
}

/** A log that the manifest does not name yet. */
export interface NewLog {
  readonly wal: Wal;
  readonly number: number;
}

/** Opens a log of the engine. See `openWal`. */
export function openLog(
  place: LogPlace,
  number: number,
  onRecord: (record: WalRecord) => void,
): { wal: Wal; report: RecoveryReport } {
  const { disk, dir, memtableBytesMax } = place;
  const wanted = SEGMENT_MEMTABLES * memtableBytesMax;
  return openWal(
    {
      disk,
      dir: logPath(dir, number),
      segmentBytesMax: Math.min(Math.max(wanted, SEGMENT_BYTES_MIN), SEGMENT_BYTES_MAX),
      payloadBytesMax: BATCH_BYTES_MAX + GROUP_BYTES_MAX + HEADERS_BYTES_MAX,
    },
    onRecord,
  );
}

/**
 * A log of the engine that was closed properly and holds nothing: it is opened when something is
 * written.
 *
 * @returns null for any other log. @throws disk errors.
 */
export function findEmptyLog(place: LogPlace, number: number): EngineWal | null {
  const { disk, dir } = place;
  const path = logPath(dir, number);
  const [name, ...more] = disk.list(path);
  if (name === undefined || more.length > 0) return null;
  try {
    const found = describeSegment({ disk, path: `${path}/${name}` }, ({ kind }) => {
      // It may be large, and need not be read twice.
      if (kind === "record") throw HOLDS_RECORDS;
    });
    const { firstLsn, nextLsn, bytes, marks, verdict } = found;
    if (firstLsn === null || marks === 0 || verdict !== "sound") return null;
    return lazyLog(() => openLog(place, number, () => {}).wal, { firstLsn, nextLsn, bytes });
  } catch (error) {
    if (error === HOLDS_RECORDS) return null;
    throw error;
  }
}

/** Makes an empty, durable log. @throws disk errors; what is left behind belongs to nobody. */
export function beginLog(place: LogPlace, numbers: Numbers): NewLog {
  const number = numbers.take();
  const { wal } = openLog(place, number, () => {});
  return { wal, number };
}

/**
 * Removes a log that no edit names any more, as well as it can: what stays is removed by the next
 * opening.
 */
export function removeLog(disk: Disk, path: string): void {
  try {
    for (const name of disk.list(path)) disk.unlink(`${path}/${name}`);
    disk.removeDir(path);
  } catch (error) {
    if (!isCairnError(error)) throw error;
  }
}

/** Releases a log that no edit names any more, and removes it. Never rejects. */
export async function dropLog(old: EngineWal, disk: Disk, path: string): Promise<void> {
  try {
    await old.close();
    removeLog(disk, path);
  } catch {
    // It has failed before, and its content is elsewhere. A dead machine tells the next caller.
  }
}
