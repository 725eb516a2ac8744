/**
 * Steps 01.6 and 01.9: the process is killed, started again, and only then the power is cut. What
 * the killed one had not synced is read as if nothing were missing.
 */
import { isCairnError } from "#base";
import { type Check, expectThat, fail } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { mustRefuse } from "./damage-checks.ts";
import { DIR, FIRST, judge, lastLines, open, payloadOf, Story, segmentFile } from "./lab.ts";
import { FRAME_HEADER_BYTES, HEADER_BYTES } from "./raw.ts";
import type { WalSubject } from "./subject.ts";

const OPTIONS = { segmentBytesMax: 600 };
const SEEDS = 6;

/** Runs until the disk stops it. */
function until(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
}

/** The end of one life, and the whole of the next. */
function twoLives(first: SimulatedDisk, second: SimulatedDisk): string[] {
  return [
    ...lastLines(first, 5),
    "     the process is killed, and started again",
    ...lastLines(second, 5),
    "     the power is cut",
  ];
}

const nameOfTheLast: Check<WalSubject> = {
  name: "a segment that a killed process has made is durable before it takes a record",
  kind: "crash",
  rule: "W9",
  run(subject) {
    const play = (disk: SimulatedDisk): void => {
      const { wal } = open(subject, disk, OPTIONS);
      for (let lsn = 1; lsn <= 5; lsn += 1) {
        wal.append(payloadOf(lsn, 200));
        wal.sync();
      }
    };
    const whole = createSimulatedDisk();
    play(whole);
    for (let point = 0; point <= whole.operations; point += 1) {
      const first = createSimulatedDisk({ seed: point + 1 });
      first.cutPowerAt(point);
      until(() => play(first));
      const second = first.kill();
      const opened = open(subject, second, OPTIONS);
      const story = new Story();
      story.adopt(opened.records);
      story.append(opened.wal, 40, 3);
      story.sync(opened.wal);
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const crashed = second.crash(seed);
        const timeline = twoLives(first, second);
        const cause =
          "The process had been killed, was started again, and synced one record more. Then the power was cut.";
        const why =
          "The killed process had made the file, and its name was not durable yet. Yours went on in it, and promised what the next power cut took with the name.";
        const refusal = { told: cause, why, rule: "W9", timeline };
        const found = open(subject, crashed, OPTIONS, refusal);
        judge(story, found, { cause, disk: crashed, timeline }, { lost: "W9", why });
      }
    }
  },
};

const halfMade: Check<WalSubject> = {
  name: "damage before a segment that was only begun is refused as well",
  kind: "fault",
  rule: "W6",
  run(subject) {
    const sound = createSimulatedDisk();
    const { wal } = open(subject, sound, OPTIONS);
    for (const lsn of [1, 2]) wal.append(payloadOf(lsn, 200));
    wal.sync();
    const from = HEADER_BYTES + FRAME_HEADER_BYTES + 200;
    for (const bytes of [0, HEADER_BYTES]) {
      for (let at = from; at < from + FRAME_HEADER_BYTES + 200; at += 45) {
        const disk = sound.kill();
        const next = disk.open(segmentFile(2), "read-write");
        next.truncate(bytes);
        next.sync();
        next.close();
        disk.syncDir(DIR);
        disk.flipBit(FIRST, at, at % 8);
        mustRefuse(subject, {
          ...{ disk, path: FIRST, segment: 1, from, to: at, options: OPTIONS },
          told: `Records 1 and 2 were synced, and fill segment 1. A crash came while segment 2 was being made: it ${bytes === 0 ? "is empty" : `has ${bytes} bytes, all zeros`}. Then one bit rotted in record 2: bit ${at % 8} of byte ${at}. Segment 2 was begun, so all of segment 1 was durable.`,
        });
      }
    }
  },
};

const onlyHalfMade: Check<WalSubject> = {
  name: "a log of which only a segment is left that holds nothing is refused",
  kind: "fault",
  rule: "W6",
  run(subject) {
    for (const bytes of [0, HEADER_BYTES]) {
      const disk = createSimulatedDisk();
      disk.makeDir(DIR);
      const handle = disk.open(segmentFile(2), "read-write");
      handle.truncate(bytes);
      handle.sync();
      disk.syncDir(DIR);
      expectRefused(subject, disk, bytes === 0 ? "empty" : `${bytes} bytes, all zeros`);
    }
  },
};

function expectRefused(subject: WalSubject, disk: SimulatedDisk, content: string): void {
  let next = 0;
  try {
    next = subject.openWal({ ...OPTIONS, disk, dir: DIR }, () => {}).wal.nextLsn;
  } catch (error) {
    if (!isCairnError(error, "WAL_CORRUPT")) throw error;
    return;
  }
  fail({
    happened: `A log's directory holds one file, 0000000000000002.wal: ${content}. It was begun behind segment 1, and segment 1 is missing with everything in it. WAL_CORRUPT was expected. Your openWal opened an empty log; its next record is ${next}.`,
    why: "Somebody lost a whole segment, perhaps by copying only the newest file, and is told that all is well. The numbers begin again, and old readers take new records for old ones.",
  });
}

const RECORDS = 8;
const KEPT = 3;

const killedInACut: Check<WalSubject> = {
  name: "a cut that a killed process has begun leaves no hole after a power cut",
  kind: "crash",
  rule: "W9",
  run(subject) {
    const start = (): { disk: SimulatedDisk; cut: () => void } => {
      const disk = createSimulatedDisk();
      const { wal } = open(subject, disk, OPTIONS);
      for (let lsn = 1; lsn <= RECORDS; lsn += 1) wal.append(payloadOf(lsn, 200));
      wal.sync();
      return { disk, cut: () => wal.truncateAfter(KEPT) };
    };
    const whole = start();
    const from = whole.disk.operations;
    whole.cut();
    for (let point = from; point <= whole.disk.operations; point += 1) {
      const { disk, cut } = start();
      disk.cutPowerAt(point);
      until(cut);
      const calm = disk.kill();
      open(subject, calm, OPTIONS);
      for (let stop = 0; stop <= calm.operations; stop += 1) {
        const second = disk.kill();
        second.cutPowerAt(stop);
        until(() => void open(subject, second, OPTIONS));
        afterBoth(subject, disk, second);
      }
    }
  },
};

/** Power cuts in the second life: the log is the old one or the new one. */
function afterBoth(subject: WalSubject, disk: SimulatedDisk, second: SimulatedDisk): void {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const crashed = second.crash(seed);
    const timeline = twoLives(disk, second);
    const files = crashed.list(DIR).map((name) => name.replace(/^0+/, ""));
    const told = `Records 1 to ${RECORDS} were synced. The process was killed in truncateAfter(${KEPT}) and started again, and the power was cut in its openWal. These files are left: ${files.join(", ")}.`;
    const why =
      "The header that decides about the cut was in the page cache only. openWal removed what it makes obsolete, and then the power took the header: the old log has a hole, and the new one was never decided.";
    const refusal = { told, why, rule: "W9", timeline };
    const { records } = open(subject, crashed, OPTIONS, refusal);
    const isBetween = records.length >= KEPT && records.length <= RECORDS;
    expectThat(isBetween, () => ({
      happened: `${told} Your openWal then handed out ${records.length} records. ${RECORDS} are right if the cut was not made yet, and ${KEPT} if it was.`,
      why,
      timeline,
    }));
  }
}

export const killedSegmentChecks: readonly Check<WalSubject>[] = [
  nameOfTheLast,
  halfMade,
  onlyHalfMade,
];
export const killedCutChecks: readonly Check<WalSubject>[] = [killedInACut];
