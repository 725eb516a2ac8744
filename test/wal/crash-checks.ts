/**
 * The crash tests as functions of the log under test, so that the planted mistakes face the same
 * ones.
 *
 * Each returns how many crash runs it made and throws an `OracleViolation` at the first violation.
 */
import { isCairnError } from "#base";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { scaled } from "../support/seeds.ts";
import {
  crashAt,
  crashPoints,
  crashSeeds,
  DIR,
  faultRun,
  type History,
  naming,
  play,
  recover,
  type Subject,
} from "./crash-lab.ts";
import { longHistory } from "./histories.ts";
import { adopt, judge, OracleViolation } from "./model.ts";

/** Cuts the power at every crash point of a history. */
export async function powerCuts(
  subject: Subject,
  history: History,
  seedCount: number,
): Promise<number> {
  const points = await crashPoints(subject, history);
  let runs = 0;
  for (let point = 0; point <= points; point += 1) {
    runs += await crashAt(subject, history, { point, seeds: crashSeeds(seedCount) });
  }
  return runs;
}

/** Cuts the power at a random crash point of each of many long histories. */
export async function powerCutsInLongHistories(
  subject: Subject,
  counts: { readonly histories: number; readonly seeds: number },
): Promise<number> {
  let runs = 0;
  for (const seed of crashSeeds(counts.histories)) {
    const history = longHistory(seed, 40);
    const point = seededRandom(seed).below(await crashPoints(subject, history));
    const seeds = Array.from({ length: scaled(counts.seeds) }, (_, i) => seed * 1000 + i);
    runs += await crashAt(subject, history, { point, seeds });
  }
  return runs;
}

/** Makes each sync, write, truncate and directory sync of a history fail, one per run. */
export async function failingDisk(subject: Subject, history: History): Promise<number> {
  let runs = 0;
  for (const operation of ["sync", "write", "syncDir", "truncate", "unlink"] as const) {
    for (let after = 0, met = 1; met > 0; after += 1) {
      const fault = operation === "write" && after % 2 === 1 ? "ENOSPC" : "EIO";
      met = 0;
      for (const seed of crashSeeds(4)) {
        met += await faultRun(subject, history, { operation, fault, after }, seed);
      }
      runs += met;
    }
  }
  return runs;
}

/**
 * Kills the process and not the machine, opens the log, and only then cuts the power: what
 * recovery handed out must not have been in the page cache only.
 */
export async function killThenPowerCut(
  subject: Subject,
  history: History,
  seedCount: number,
): Promise<number> {
  const points = await crashPoints(subject, history);
  let runs = 0;
  for (let point = 0; point <= points; point += 1) {
    const disk = createSimulatedDisk();
    disk.cutPowerAt(point);
    const { model } = await play(subject, disk, history);
    const killed = disk.kill();
    const first = recover(subject, killed, history);
    judge(model, first);
    for (const seed of crashSeeds(seedCount)) {
      naming(`${history.name}, killed at ${point}, seed ${seed}`, () => {
        judge(adopt(first), recover(subject, killed.crash(seed), history));
      });
      runs += 1;
    }
  }
  return runs;
}

const OPTIONS = { segmentBytesMax: 4096, preallocateBytes: 1024 };
const FIRST = `${DIR}/0000000000000001.wal`;

/**
 * Flips single bits in records that a later record vouches for. Every one must be reported, with
 * its place, and the file left alone.
 */
export function rotBelowTheWatermark(subject: Subject): void {
  const disk = createSimulatedDisk();
  const { wal } = subject.openWal({ ...OPTIONS, disk, dir: DIR }, () => {});
  for (const bytes of [100, 700, 30]) {
    wal.append(new Uint8Array(bytes).fill(bytes));
    wal.sync();
  }
  const vouchedBytes = SEGMENT_HEADER + FRAME_HEADER + 100 + FRAME_HEADER + 700;
  for (let offset = 0; offset < vouchedBytes; offset += 1) {
    const copy = disk.kill();
    copy.flipBit(FIRST, offset, offset % 8);
    expectRefused(subject, copy, offset);
  }
}

const SEGMENT_HEADER = 32;
const FRAME_HEADER = 25;

/** Opens a damaged log, which must be refused with the right place and left as it is. */
export function expectRefused(subject: Subject, disk: SimulatedDisk, damagedAt: number): void {
  const before = disk.content(FIRST);
  const operations = disk.operations;
  try {
    subject.openWal({ ...OPTIONS, disk, dir: DIR }, () => {});
  } catch (error) {
    if (!isCairnError(error, "WAL_CORRUPT")) throw error;
    const { file, segment, offset } = error.details;
    if (file !== FIRST || segment !== 1) throw new OracleViolation(`W6: names ${file}, ${segment}`);
    if (typeof offset !== "number" || offset > damagedAt || damagedAt - offset > 725) {
      throw new OracleViolation(`W6: names byte ${offset}, damaged is ${damagedAt}`);
    }
    const isSame = Buffer.compare(disk.content(FIRST), before) === 0;
    if (isSame && disk.operations === operations) return;
    throw new OracleViolation("W6: a damaged log was changed");
  }
  throw new OracleViolation(`W6: damage at byte ${damagedAt} was taken for a torn tail`);
}

/**
 * Puts a segment's bytes under the name of a later one, as a recycled file has them. They must not
 * be replayed: not as records of that segment, and not behind records of it.
 */
export function recycledSegment(subject: Subject): void {
  const disk = createSimulatedDisk();
  const { wal } = subject.openWal({ ...OPTIONS, disk, dir: DIR }, () => {});
  for (const fill of [1, 2, 3, 4]) wal.append(new Uint8Array(900).fill(fill));
  wal.sync();
  const stale = disk.content(FIRST);
  // Records 2, 3 and 4 of the log as it was stand where records 2, 3 and 4 of the new one would.
  wal.truncateAfter(1);
  const path = `${DIR}/0000000000000002.wal`;
  const handle = disk.open(path, "read-write");
  handle.write(SEGMENT_HEADER, stale.slice(SEGMENT_HEADER + FRAME_HEADER + 900));
  handle.sync();
  handle.close();
  const records: number[] = [];
  const { report } = subject.openWal({ ...OPTIONS, disk: disk.kill(), dir: DIR }, ({ lsn }) => {
    records.push(lsn);
  });
  if (report.nextLsn !== 2) throw new OracleViolation(`W4: replayed stale records ${records}`);
}
