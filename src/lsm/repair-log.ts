/**
 * Which log a repaired engine replays, and from where.
 *
 * An engine names a new log only when every memtable is in a table, so the newest log that holds a
 * record holds all that tables do not. What lies behind a damaged record cannot be replayed: it
 * would be a later write without an earlier one.
 *
 * Invariant: looking changes nothing. What is planned opens: the first group that is not in tables
 * follows the state's sequence, and each further one the one before it.
 * Chapter: 04-lsm, "Repair"
 */
import { type Bytes, errorText, isCairnError, type Sequence } from "#base";
import type { Disk } from "#platform/types";
import { describeSegment } from "#wal";
import { logPath } from "./file-names.ts";
import { groupHeader } from "./write-group.ts";

/** What the log of a repaired engine will be. */
export interface LogPlan {
  /** The log; 0: there is none. */
  readonly number: number;
  readonly logFrom: number;
  /** The state's, raised so that the first group follows. */
  readonly sequence: Sequence;
  /** The log must be written anew with the records from `logFrom` up to here; null: it is sound. */
  readonly copyBefore: number | null;
  readonly lost: readonly string[];
}

/** What is known before. */
export interface LogStart {
  readonly number: number;
  /** From where the manifest replays it; null if that is unknown. */
  readonly logFrom: number | null;
  readonly sequence: Sequence;
}

/** Reads a log and decides. */
export function planLog(disk: Disk, dir: string, start: LogStart): LogPlan {
  const { number } = start;
  const path = number === 0 ? dir : logPath(dir, number);
  if (number === 0 || !disk.exists(path) || disk.list(path).length === 0) {
    const lost = number === 0 ? [] : [`${path}: the log is missing`];
    return { number: 0, logFrom: 1, sequence: start.sequence, copyBefore: null, lost };
  }
  const groups = new Groups(path, start);
  const walk = walkLog(disk, path, (lsn, payload) => groups.take(lsn, payload));
  const lost = [...groups.lost];
  if (walk.problem !== null) lost.push(`${walk.problem}: it, and what comes behind it`);
  const logFrom = clamp(start.logFrom ?? walk.firstLsn, walk.firstLsn, walk.nextLsn);
  if (start.logFrom !== null && logFrom !== start.logFrom) {
    const holds = `holds records ${walk.firstLsn} to ${walk.nextLsn - 1}`;
    lost.push(`${path}: ${holds}, and was to be replayed from ${start.logFrom}`);
  }
  const end = groups.holeLsn ?? walk.nextLsn;
  const isBroken = walk.problem !== null || groups.holeLsn !== null;
  return { number, logFrom, sequence: groups.sequence, copyBefore: isBroken ? end : null, lost };
}

/** The newest log that holds a record, or the newest one; 0: there is none. */
export function newestLog(disk: Disk, dir: string, numbers: readonly number[]): number {
  const newestFirst = [...numbers].sort((a, b) => b - a);
  const used = newestFirst.find((number) => {
    const walk = walkLog(disk, logPath(dir, number), () => {});
    return walk.nextLsn > walk.firstLsn;
  });
  return used ?? newestFirst[0] ?? 0;
}

/** Hands out the records of a log up to the first that cannot be read. Changes nothing. */
export function walkLog(
  disk: Disk,
  path: string,
  onRecord: (lsn: number, payload: Bytes) => void,
): { readonly firstLsn: number; readonly nextLsn: number; readonly problem: string | null } {
  const names = disk.list(path).filter((name) => name.endsWith(".wal"));
  let firstLsn = 1;
  let nextLsn = 0;
  for (const [i, name] of names.entries()) {
    const file = `${path}/${name}`;
    const expected = nextLsn;
    let isGap = false;
    const found = describeSegment({ disk, path: file }, ({ kind, lsn, payload }) => {
      if (expected > 0 && nextLsn === expected && lsn !== expected) isGap = true;
      if (isGap || kind !== "record") return;
      if (nextLsn === 0) firstLsn = lsn;
      nextLsn = lsn + 1;
      onRecord(lsn, payload);
    });
    // The newest segment may have been cut off while its header was written.
    const isUnfinished = found.firstLsn === null && found.verdict === "torn";
    if (isUnfinished && i === names.length - 1) break;
    if (nextLsn === 0) {
      firstLsn = found.nextLsn;
      nextLsn = found.nextLsn;
    }
    if (isGap)
      return { firstLsn, nextLsn, problem: `${file}: does not follow record ${nextLsn - 1}` };
    const isTorn = found.verdict === "torn" && i < names.length - 1;
    if (found.verdict !== "damaged" && !isTorn) continue;
    const { offset, text } = found.problem ?? { offset: 0, text: "damaged" };
    return { firstLsn, nextLsn, problem: `${file} at byte ${offset}: ${text}` };
  }
  return { firstLsn, nextLsn: Math.max(nextLsn, firstLsn), problem: null };
}

/** Follows the sequences of groups as recovery does. */
class Groups {
  readonly #path: string;
  readonly #logFrom: number;
  readonly lost: string[] = [];
  /** Of the state: raised over a gap in front of the first group. */
  sequence: Sequence;
  /** The first record that does not follow the one before it. */
  holeLsn: number | null = null;
  #next: Sequence | null = null;

  constructor(path: string, start: LogStart) {
    this.#path = path;
    this.#logFrom = start.logFrom ?? 0;
    this.sequence = start.sequence;
  }

  take(lsn: number, payload: Bytes): void {
    if (lsn < this.#logFrom || this.holeLsn !== null) return;
    const header = readHeader(payload);
    if (typeof header === "string") {
      this.#hole(lsn, header);
      return;
    }
    const before = header.sequence + header.count;
    if (this.#next === null) {
      if (before - 1 <= this.sequence) return;
      this.#begin(header.sequence, before);
      return;
    }
    if (header.sequence === this.#next) this.#next = before;
    else this.#hole(lsn, `begins at sequence ${header.sequence}, not ${this.#next}`);
  }

  /** The first group of which tables do not hold everything. */
  #begin(sequence: Sequence, before: Sequence): void {
    const next = this.sequence + 1;
    if (sequence < next) {
      // Some of it is in a table: the table was damaged, or it would hold all of it.
      this.lost.push(
        `${this.#path}: changes ${next} to ${before - 1}, of a group partly in tables`,
      );
      this.sequence = before - 1;
      return;
    }
    if (sequence > next) {
      this.lost.push(
        `${this.#path}: changes ${next} to ${sequence - 1} are in no table and no log`,
      );
      this.sequence = sequence - 1;
    }
    this.#next = before;
  }

  #hole(lsn: number, problem: string): void {
    this.holeLsn = lsn;
    this.lost.push(`${this.#path}: record ${lsn} ${problem}: it, and what comes behind it`);
  }
}

function readHeader(payload: Bytes): { sequence: Sequence; count: number } | string {
  try {
    return groupHeader(payload);
  } catch (error) {
    if (isCairnError(error) || error instanceof RangeError) return errorText(error);
    throw error;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
