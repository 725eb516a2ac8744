/**
 * Step 01.4: what a crash leaves behind the last record, and how it is cleared away.
 */
import { type Check, expectThat } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { FIRST, judge, lastLines, open, payloadOf, Story, settleFirstSegment } from "./lab.ts";
import { FRAME_HEADER_BYTES, fileExcerpt, HEADER_BYTES, putFile } from "./raw.ts";
import type { WalSubject } from "./subject.ts";

/** A log of synced records, each of these sizes, on a disk where its first segment is durable. */
function syncedLog(
  subject: WalSubject,
  sizes: readonly number[],
): { disk: SimulatedDisk; story: Story } {
  const disk = createSimulatedDisk();
  const story = new Story();
  const { wal } = open(subject, disk);
  settleFirstSegment(disk);
  for (const bytes of sizes) {
    story.append(wal, bytes);
    story.sync(wal);
  }
  return { disk, story };
}

const BEFORE = [100, 400, 80, 200, 30, 60];

const zeros: Check<WalSubject> = {
  name: "recovery keeps acknowledged records when the tail is torn",
  kind: "crash",
  rule: "W5",
  run(subject) {
    const { disk, story } = syncedLog(subject, BEFORE);
    const content = disk.content(FIRST);
    for (const grown of [25, 100, 512, 1600]) {
      const crashed = disk.kill();
      const file = crashed.open(FIRST, "read-write");
      file.truncate(content.length + grown);
      file.close();
      const { records, report } = open(subject, crashed);
      const extra = records[BEFORE.length];
      const size =
        extra === undefined
          ? ""
          : ` Record ${BEFORE.length + 1} of them has ${extra.payload.length} bytes, all its header is zeros, and nobody appended it.`;
      expectThat(records.length === BEFORE.length, () => ({
        happened: `6 records were acknowledged (LSN 1 to 6). The power was cut while record 7 was being written: the file had grown by ${grown} bytes, and their content never arrived. Your openWal then returned ${records.length} records.${size}`,
        why: "A file can grow before its data arrives: new space reads back as zeros (D3). Here the zeros became records, or took some with them.",
        bytes: fileExcerpt(FIRST, crashed.content(FIRST), content.length),
      }));
      judge(story, { ...open(subject, crashed) }, { cause: "Zeros followed.", disk: crashed });
      expectThat(report.reason === "clean" && report.droppedBytes === 0, () => ({
        happened: `Behind the last record lie ${grown} zero bytes: room, in which nothing was ever written. The report should say "clean", 0 bytes dropped. Yours says "${report.reason}", ${report.droppedBytes} bytes.`,
        why: "The reference makes room ahead of every write. Each of its logs would be reported as torn, and nobody would look any more when one is.",
        rule: "W6",
        bytes: fileExcerpt(FIRST, crashed.content(FIRST), content.length),
      }));
    }
  },
};

const anyByte: Check<WalSubject> = {
  name: "a record that ends at any byte is dropped, and the report says how much",
  kind: "crash",
  rule: "W6",
  run(subject) {
    const { disk, story } = syncedLog(subject, [30, 700]);
    const whole = disk.content(FIRST);
    const start = whole.length - 700 - FRAME_HEADER_BYTES;
    const torn = new Story();
    torn.appended.push(...story.appended);
    torn.acked = 1;
    for (let cut = start + 2; cut < whole.length; cut += cut < start + 40 ? 1 : 37) {
      const crashed = disk.kill();
      putFile(crashed, FIRST, whole.slice(0, cut));
      const opened = open(subject, crashed);
      const left = cut - start;
      const cause = `Of record 2, ${left} of ${whole.length - start} bytes had reached the disk when the power was cut.`;
      judge(torn, opened, { cause, disk: crashed }, { lost: "W6", invented: "W5" });
      const { reason, droppedBytes } = opened.report;
      // A header may end in zero bytes, which do not count.
      const isExact = whole[cut - 1] !== 0;
      const isRight =
        reason === "torn-tail" && (isExact ? droppedBytes === left : droppedBytes <= left);
      expectThat(isRight, () => ({
        happened: `${cause} The report should say "torn-tail", ${left} bytes. Yours says "${reason}", ${droppedBytes} bytes.`,
        why: "The report is all that an operator sees of a recovery. It tells a harmless tail from a loss.",
        bytes: fileExcerpt(FIRST, whole.slice(0, cut), start),
      }));
    }
  },
};

const lostPayload: Check<WalSubject> = {
  name: "a record whose header arrived without its payload is dropped",
  kind: "crash",
  rule: "W6",
  run(subject) {
    const { disk, story } = syncedLog(subject, [420, 1200]);
    const torn = new Story();
    torn.appended.push(...story.appended);
    torn.acked = 1;
    const whole = disk.content(FIRST);
    for (const sector of [1, 2, 3]) {
      const content = whole.slice();
      content.fill(0, sector * 512, Math.min((sector + 1) * 512, content.length));
      const crashed = disk.kill();
      putFile(crashed, FIRST, content);
      const cause = `Record 2 lies across four sectors. All arrived but number ${sector}, and the power was cut.`;
      judge(torn, open(subject, crashed), { cause, disk: crashed }, { lost: "W6", invented: "W5" });
    }
  },
};

const SIZES = [20, 480, 700, 33, 920, 512, 90, 600];
const SEEDS = 12;

/** Records, a sync after every third. @returns what was promised when the power went. */
function play(subject: WalSubject, disk: SimulatedDisk): Story {
  const story = new Story();
  try {
    const { wal } = open(subject, disk);
    settleFirstSegment(disk);
    for (const [index, bytes] of SIZES.entries()) {
      story.append(wal, bytes);
      if (index % 3 === 2) story.sync(wal);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return story;
}

/** Calls `then` with the log as the power cut before each operation of a history leaves it. */
function atEveryPoint(
  subject: WalSubject,
  then: (disk: SimulatedDisk, story: Story, point: number) => void,
): void {
  const whole = createSimulatedDisk();
  play(subject, whole);
  for (let point = 0; point <= whole.operations; point += 1) {
    const disk = createSimulatedDisk({ seed: point + 1 });
    disk.cutPowerAt(point);
    then(disk, play(subject, disk), point);
  }
}

const goesOn: Check<WalSubject> = {
  name: "what is appended after a torn tail survives the next power cut",
  kind: "crash",
  rule: "W6",
  run(subject) {
    lineUp(subject);
    atEveryPoint(subject, (disk, story) => {
      for (let seed = 1; seed <= SEEDS; seed += 1) appendAfterCrash(subject, disk, story, seed);
    });
  },
};

/** The shortest history in which it matters: record 3 is lost, record 4 behind it is not. */
function lineUp(subject: WalSubject): void {
  const { disk, story } = syncedLog(subject, [60, 90]);
  const { wal } = open(subject, disk);
  const lost = disk.content(FIRST).length;
  story.append(wal, 300);
  const kept = lost + FRAME_HEADER_BYTES + 300;
  story.append(wal, 200);
  wal.flush();
  const content = disk.content(FIRST);
  content.fill(0, lost, kept);
  const crashed = disk.kill();
  putFile(crashed, FIRST, content);
  const opened = open(subject, crashed);
  const after = new Story();
  after.adopt(opened.records);
  after.append(opened.wal, 300, 9);
  after.sync(opened.wal);
  const cause =
    "Before that, records 3 and 4 had been appended and not synced, and the power was cut: the bytes of 4 had arrived, those of 3 had not. Your openWal rightly gave back 1 and 2. A new record 3 was appended, as large as the old one, and synced. The log was opened again.";
  const timeline = lastLines(crashed, 6);
  const again = crashed.kill();
  const scene = { cause, disk: again, timeline };
  judge(after, open(subject, again), scene, {
    lost: "W6",
    invented: "W6",
    why: OLD_BYTES,
  });
}

const OLD_BYTES =
  "What lies behind the new end must go before anybody writes there. Otherwise old bytes line up behind new records, and become records again.";

/** Crash, recovery, one to three records more, crash, recovery. */
function appendAfterCrash(
  subject: WalSubject,
  disk: SimulatedDisk,
  story: Story,
  seed: number,
): void {
  const crashed = disk.crash(seed);
  const { wal, records } = open(subject, crashed);
  // A log that was begun anew here: its name is for step 01.6.
  settleFirstSegment(crashed);
  const after = new Story();
  after.adopt(records);
  const found = records.length;
  // Sometimes one, sometimes more: an old record may line up behind any of them.
  const count = 1 + (seed % 3);
  for (let i = 0; i < count; i += 1) {
    // As large as the record that was lost there: what lies behind that one still fits.
    after.append(wal, story.appended[after.appended.length]?.length ?? 40, 9);
    after.sync(wal);
  }
  const again = crashed.crash(seed);
  const cause = `The power had been cut before: recovery found ${found}, then ${count} more ${count === 1 ? "was" : "were"} appended and synced. The power was cut again.`;
  const scene = { cause, disk: again, timeline: lastLines(crashed, 9) };
  judge(after, open(subject, again), scene, {
    lost: "W6",
    invented: "W6",
    why: OLD_BYTES,
  });
}

const handedOut: Check<WalSubject> = {
  name: "what openWal has handed out survives the next power cut",
  kind: "crash",
  rule: "W8",
  run(subject) {
    atEveryPoint(subject, (disk) => {
      const killed = disk.kill();
      const { records } = open(subject, killed);
      const seen = new Story();
      seen.adopt(records);
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const crashed = killed.crash(seed);
        const cause = `First the process was killed, and the log opened again: all was there, for kill -9 loses nothing. Then the power was cut.`;
        const timeline = lastLines(killed, 6);
        judge(
          seen,
          open(subject, crashed),
          { cause, disk: crashed, timeline, verb: "handed out" },
          {
            lost: "W8",
            why: "To hand a record out is a promise: the service had built its state on it, and answered from it. Opened once more, the log must give the same again. These records were in the page cache only.",
          },
        );
      }
    });
  },
};

const cutTwice: Check<WalSubject> = {
  name: "a power cut in the middle of recovery loses nothing",
  kind: "crash",
  rule: "W8",
  run(subject) {
    atEveryPoint(subject, (disk, story, point) => {
      const seed = point + 1;
      const whole = disk.crash(seed);
      open(subject, whole);
      for (let at = 0; at < whole.operations; at += 1) {
        const second = disk.crash(seed);
        second.cutPowerAt(at);
        try {
          open(subject, second);
        } catch (error) {
          if (!isPowerCut(error)) throw error;
        }
        for (const keep of [1, 2, 3]) {
          const crashed = second.crash(keep);
          const cause =
            "The power was cut, came back, and was cut again in the middle of recovery.";
          judge(
            story,
            open(subject, crashed),
            { cause, disk: crashed, timeline: lastLines(second, 6) },
            {
              lost: "W8",
              why: "Power that fails once often fails twice. Recovery may add nothing to what a crash can destroy.",
            },
          );
        }
      }
    });
  },
};

/** A log with one torn record, for other checks. */
export function tornLog(subject: WalSubject): SimulatedDisk {
  const { disk } = syncedLog(subject, [60, 300]);
  const content = disk.content(FIRST);
  putFile(disk, FIRST, content.slice(0, HEADER_BYTES + 85 + 100));
  return disk;
}

const numbersGoOn: Check<WalSubject> = {
  name: "the number of a dropped record is given to the next one",
  kind: "unit",
  rule: "W1",
  run(subject) {
    const disk = tornLog(subject);
    const { wal, report } = open(subject, disk);
    const lsn = wal.append(payloadOf(2, 50, 3));
    expectThat(lsn === 2 && report.nextLsn === 2, () => ({
      happened: `Record 1 was whole, record 2 was torn and dropped. The next record is number 2. Your report said nextLsn ${report.nextLsn}, and append returned ${lsn}.`,
      why: "A number skipped is a hole, and nobody can tell a hole from a loss.",
    }));
  },
};

export const tailChecks: readonly Check<WalSubject>[] = [
  zeros,
  anyByte,
  lostPayload,
  numbersGoOn,
  goesOn,
  handedOut,
  cutTwice,
];
