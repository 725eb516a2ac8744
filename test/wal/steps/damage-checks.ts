/**
 * Step 01.5: damage and torn tails look alike. Who was promised what decides.
 */
import { isCairnError } from "#base";
import { equalBytes } from "#bytes";
import { type Check, expectThat, fail, type Lesson } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import type { WalOptions } from "#wal/types";
import { DIR, FIRST, judge, lastLines, open, Story, settleFirstSegment } from "./lab.ts";
import { FRAME_HEADER_BYTES, fileExcerpt, HEADER_BYTES } from "./raw.ts";
import type { WalSubject } from "./subject.ts";

/** Damage, and where a refusal must place it. */
export interface Damage {
  readonly disk: SimulatedDisk;
  readonly path: string;
  readonly segment: number;
  /** What was done, for the failure's text. Ends with a full stop. */
  readonly told: string;
  /** The first and the last offset that may be named. */
  readonly from: number;
  readonly to: number;
  readonly options?: Omit<WalOptions, "disk" | "dir">;
  /** True where more than one place can be named with good reason. */
  readonly isAnywhere?: boolean;
}

/** Opens a damaged log. Fails the check unless it is refused, by place, and left as it is. */
export function mustRefuse(subject: WalSubject, damage: Damage): void {
  const { disk, path, told } = damage;
  const before = disk.exists(path) ? disk.content(path) : new Uint8Array(0);
  const operations = disk.operations;
  let count = 0;
  const lesson = (observed: string, why: string): Lesson => ({
    happened: `${told} ${observed}`,
    why,
    rule: "W6",
    bytes: fileExcerpt(path, before, damage.from),
  });
  try {
    const options = { preallocateBytes: 0, ...damage.options, disk, dir: DIR };
    subject.openWal(options, () => {
      count += 1;
    });
  } catch (error) {
    if (!isCairnError(error, "WAL_CORRUPT")) throw error;
    const { file, segment, offset } = error.details;
    const isPlaced = typeof offset === "number" && offset >= damage.from && offset <= damage.to;
    const isNamed = file === path && segment === damage.segment && isPlaced;
    expectThat(isNamed || damage.isAnywhere === true, () =>
      lesson(
        `Your openWal refused it, which is right, and named file ${file}, segment ${segment}, byte ${offset}. The damage is in ${path}, segment ${damage.segment}, from byte ${damage.from} on.`,
        "Somebody has to find the place, on another replica or in a backup. The error is all they have.",
      ),
    );
    const isSame = !disk.exists(path) || equalBytes(disk.content(path), before);
    expectThat(isSame && disk.operations === operations, () => ({
      ...lesson(
        "Your openWal refused it, which is right. But it changed the disk before it did.",
        "What was left of the evidence, and of the data, is now less.",
      ),
      timeline: lastLines(disk, disk.operations - operations),
    }));
    return;
  }
  fail(
    lesson(
      `Your openWal took the damage for a torn tail, and opened the log with ${count} ${count === 1 ? "record" : "records"}.`,
      "Records that somebody holds a receipt for are gone, and nobody was told. An error would have sent them to a replica or a backup.",
    ),
  );
}

const SIZES = [100, 700, 30];

/** Three records, each synced. */
function syncedLog(subject: WalSubject): SimulatedDisk {
  const disk = createSimulatedDisk();
  const story = new Story();
  const { wal } = open(subject, disk);
  settleFirstSegment(disk);
  for (const bytes of SIZES) {
    story.append(wal, bytes);
    story.sync(wal);
  }
  return disk;
}

/** Where each record of a log begins, and where the last one ends. */
function startsOf(sizes: readonly number[]): number[] {
  const starts = [HEADER_BYTES];
  for (const bytes of sizes) starts.push(starts.at(-1)! + FRAME_HEADER_BYTES + bytes);
  return starts;
}

const belowWatermark: Check<WalSubject> = {
  name: "damage to a record that a later one vouches for is refused, with its place",
  kind: "fault",
  rule: "W6",
  run(subject) {
    const disk = syncedLog(subject);
    const starts = startsOf(SIZES);
    for (const lsn of [1, 2]) {
      const from = starts[lsn - 1]!;
      const before = starts[lsn]!;
      for (let at = from; at < before; at += at < from + FRAME_HEADER_BYTES ? 1 : 29) {
        const damaged = disk.kill();
        damaged.flipBit(FIRST, at, at % 8);
        const told = `Records 1, 2 and 3 were synced one by one. Then one bit rotted: bit ${at % 8} of byte ${at}, in record ${lsn}. Record 3 is whole, and its watermark says that 1 and 2 were durable when it was written.`;
        mustRefuse(subject, { disk: damaged, path: FIRST, segment: 1, told, from, to: at });
      }
    }
  },
};

const nobodyVouches: Check<WalSubject> = {
  name: "damage that no later record vouches for is a torn tail",
  kind: "fault",
  rule: "W6",
  run(subject) {
    const disk = syncedLog(subject);
    const [start = 0, end = 0] = startsOf(SIZES).slice(2);
    for (let at = start; at < end; at += 1) {
      const damaged = disk.kill();
      damaged.flipBit(FIRST, at, at % 8);
      const { records, report } = open(subject, damaged);
      expectThat(records.length === 2 && report.reason === "torn-tail", () => ({
        happened: `One bit was flipped in the last record, number 3 of 3. No record follows that could say that it was ever durable, so it looks like a torn tail and is one. Your openWal returned ${records.length} records, and reported "${report.reason}".`,
        why: "This is the damage that a log alone cannot tell from a torn tail. Taking it for a record would be worse.",
        bytes: fileExcerpt(FIRST, damaged.content(FIRST), start),
      }));
    }
  },
};

const CRASH_SIZES = [20, 480, 700, 33, 920, 512, 90, 600];
const SEEDS = 25;

function play(subject: WalSubject, disk: SimulatedDisk): Story {
  const story = new Story();
  try {
    const { wal } = open(subject, disk);
    settleFirstSegment(disk);
    for (const [index, bytes] of CRASH_SIZES.entries()) {
      story.append(wal, bytes);
      if (index === 1) story.sync(wal);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return story;
}

const outOfOrder: Check<WalSubject> = {
  name: "records that arrive without one before them, promised to nobody, are no damage",
  kind: "crash",
  rule: "W6",
  run(subject) {
    const whole = createSimulatedDisk();
    play(subject, whole);
    for (let point = 0; point <= whole.operations; point += 1) {
      const disk = createSimulatedDisk({ seed: point + 1 });
      disk.cutPowerAt(point);
      const story = play(subject, disk);
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const crashed = disk.crash(seed);
        judge(story, open(subject, crashed), { cause: "The power was cut.", disk: crashed });
      }
    }
  },
};

export const damageChecks: readonly Check<WalSubject>[] = [
  belowWatermark,
  nobodyVouches,
  outOfOrder,
];
