/**
 * Step 01.9: removing records at both ends, with the power cut in between.
 */
import { equalBytes } from "#bytes";
import { type Check, expectThat, fail } from "#learn";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import type { Wal } from "#wal/types";
import { DIR, lastLines, type Opened, open, payloadOf } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

const SMALL = { segmentBytesMax: 600 };

/** Each record is told by its fill. */
const filled = (fill: number, bytes = 150): Uint8Array => new Uint8Array(bytes).fill(fill);

function fillsOf({ records }: Pick<Opened, "records">): number[] {
  return records.map(({ payload }) => payload[0] ?? -1);
}

function readFills(wal: Wal): number[] {
  const fills: number[] = [];
  wal.read({ from: wal.firstLsn, before: wal.nextLsn }, ({ payload }) => {
    fills.push(payload[0] ?? -1);
  });
  return fills;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

function logOf(subject: WalSubject, count: number): { disk: SimulatedDisk; wal: Wal } {
  const disk = createSimulatedDisk();
  const { wal } = open(subject, disk, SMALL);
  for (const fill of upTo(count)) wal.append(filled(fill));
  wal.sync();
  return { disk, wal };
}

const whole: Check<WalSubject> = {
  name: "everything from the given number on is kept, and whole segments below it go",
  kind: "unit",
  rule: "W9",
  run(subject) {
    const { disk, wal } = logOf(subject, 30);
    const files = disk.list(DIR).length;
    wal.truncateBefore(17);
    const { firstLsn } = wal;
    const left = disk.list(DIR).length;
    const told = `30 records lie in ${files} segments, three in each. truncateBefore(17) was called.`;
    expectThat(firstLsn <= 17 && firstLsn > 17 - 4 && left < files, () => ({
      happened: `${told} Records from 17 on must be kept, and what lies in whole segments below goes. Your log begins with ${firstLsn} now, in ${left} files.`,
      why:
        firstLsn > 17
          ? "A record that somebody still needs is gone."
          : "A log that never gives space back fills the disk.",
    }));
    for (const [place, fills] of [
      ["reading the open log", readFills(wal)],
      ["opening it again", fillsOf(open(subject, disk, SMALL))],
    ] as const) {
      const wanted = upTo(30).slice(firstLsn - 1);
      expectThat(fills.join() === wanted.join(), () => ({
        happened: `${told} By ${place}, records ${firstLsn} to 30 should be found. Found: ${fills.join(", ")}.`,
        why: "What was not to be forgotten must be there, under its number.",
      }));
    }
  },
};

const notYet: Check<WalSubject> = {
  name: "asked to forget what is not durable, it refuses",
  kind: "fault",
  rule: "W9",
  run(subject) {
    const { wal } = open(subject, createSimulatedDisk(), SMALL);
    for (const fill of upTo(6)) wal.append(filled(fill));
    const durable = wal.durableLsn;
    let thrown: unknown = null;
    try {
      wal.truncateBefore(wal.nextLsn);
    } catch (error) {
      thrown = error;
    }
    if (thrown instanceof Error && thrown.name === "NotWrittenError") throw thrown;
    expectThat(thrown instanceof RangeError, () => ({
      happened: `Six records were appended, and the log is durable up to ${durable}. truncateBefore(${wal.nextLsn}) should throw a RangeError. Yours ${thrown === null ? "did as it was told" : `threw ${String(thrown)}`}.`,
      why: "The caller has mixed something up: it wants to forget what it was never promised. After a power cut, nobody knows where this log begins.",
    }));
  },
};

/** Power cut at every point of a history; `judgeAfter` gets what recovery finds. */
function everyPoint(
  subject: WalSubject,
  history: (wal: Wal) => void,
  judgeAfter: (opened: Opened, told: { disk: SimulatedDisk; isOver: boolean }) => void,
): void {
  const play = (disk: SimulatedDisk): boolean => {
    try {
      history(open(subject, disk, SMALL).wal);
      return true;
    } catch (error) {
      if (!isPowerCut(error)) throw error;
      return false;
    }
  };
  const whole = createSimulatedDisk();
  play(whole);
  for (let point = 0; point <= whole.operations; point += 1) {
    const disk = createSimulatedDisk({ seed: point + 1 });
    disk.cutPowerAt(point);
    const isOver = play(disk);
    for (let seed = 1; seed <= 10; seed += 1) {
      judgeAfter(openOrGap(subject, disk.crash(seed), disk), { disk, isOver });
    }
  }
}

/** Opens what a crash has left; a refusal here is a hole. */
function openOrGap(subject: WalSubject, crashed: SimulatedDisk, disk: SimulatedDisk): Opened {
  try {
    return open(subject, crashed, SMALL);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "LessonFailure") throw error;
    const names = crashed.list(DIR).map((name) => name.replace(/^0+/, ""));
    return fail(
      {
        happened: `Records were being removed when the power was cut. These files are left: ${names.join(", ")}. Your openWal refuses them as damaged.`,
        why: "Your own log has left a hole, or an end that does not fit. The service does not start until somebody decides by hand what may be lost.",
        timeline: [...lastLines(disk), "     the power is cut"],
        rule: "W9",
      },
      error,
    );
  }
}

const oldestFirst: Check<WalSubject> = {
  name: "whenever the power is cut while the past is forgotten, no hole is left",
  kind: "crash",
  rule: "W9",
  run(subject) {
    everyPoint(
      subject,
      (wal) => {
        for (const fill of upTo(15)) wal.append(filled(fill));
        wal.sync();
        wal.truncateBefore(13);
      },
      (opened, { disk }) => {
        const { firstLsn, nextLsn } = opened.report;
        const fills = fillsOf(opened);
        const isWhole =
          fills.join() ===
          upTo(nextLsn - 1)
            .slice(firstLsn - 1)
            .join();
        expectThat(isWhole && firstLsn <= 13, () => ({
          happened: `15 records were synced, and those below 13 were being removed when the power was cut. Your openWal reports records ${firstLsn} to ${nextLsn - 1}, and handed out ${fills.join(", ")}.`,
          why: "What remains must be the end of the log, without a hole.",
          timeline: lastLines(disk),
        }));
      },
    );
  },
};

const oneDecision: Check<WalSubject> = {
  name: "whenever the power is cut, the end is there as it was or is gone as asked",
  kind: "crash",
  rule: "W9",
  run(subject) {
    // Ten records, cut after the fourth, then three others of which two are synced.
    everyPoint(
      subject,
      (wal) => {
        for (const fill of upTo(10)) wal.append(filled(fill));
        wal.sync();
        wal.truncateAfter(4);
        for (const fill of [50, 51]) wal.append(filled(fill, 200));
        wal.sync();
        wal.append(filled(52));
      },
      (opened, { disk, isOver }) => {
        const fills = fillsOf(opened).join();
        const isBefore = upTo(10).join().startsWith(fills);
        const after = [1, 2, 3, 4, 50, 51, 52];
        const isAfter = fills.startsWith("1,2,3,4") && after.join().startsWith(fills);
        expectThat(isBefore || isAfter, () => ({
          happened: `Records 1 to 10 were synced, all above 4 were cut off, and new records 5, 6 and 7 appended. The power was cut. Your openWal handed out ${fills === "" ? "nothing" : describe(opened)}: neither the log before the cut nor the log after it.`,
          why: "A follower cuts off what its leader does not have. If part of it comes back, two replicas hold different records under one number.",
          timeline: [...lastLines(disk), "     the power is cut"],
        }));
        expectThat(!isOver || fills.startsWith("1,2,3,4,50,51"), () => ({
          happened: `Records 1 to 10 were synced, all above 4 were cut off, and new records 5 and 6 were synced. The power was cut after that. Your openWal handed out ${describe(opened)}.`,
          why: "truncateAfter had returned, and so had sync. What was cut off must stay away, and what was promised must be there.",
          timeline: [...lastLines(disk), "     the power is cut"],
        }));
      },
    );
  },
};

const beforeACut: Check<WalSubject> = {
  name: "whenever the power is cut around a cut, no record below it leaves a hole",
  kind: "crash",
  rule: "W9",
  run(subject) {
    everyPoint(
      subject,
      (wal) => {
        for (const fill of upTo(7)) wal.append(filled(fill));
        wal.sync();
        for (const fill of [8, 9]) wal.append(filled(fill));
        wal.truncateAfter(8);
        wal.append(filled(50));
        wal.sync();
      },
      (opened, { disk, isOver }) => {
        const fills = fillsOf(opened).join();
        const after = [...upTo(8), 50].join();
        const isPrefix = upTo(9).join().startsWith(fills) || after.startsWith(fills);
        expectThat(isPrefix && (!isOver || fills === after), () => ({
          happened: `Records 1 to 7 were synced, 8 and 9 only appended. All above 8 were cut off, a new record 9 was appended, and sync called. The power was cut. Your openWal handed out ${fills === "" ? "nothing" : describe(opened)}.`,
          why: "Record 8 stays, and the sync that returned has promised it together with the new record 9.",
          timeline: [...lastLines(disk), "     the power is cut"],
        }));
      },
    );
  },
};

function describe({ records }: Opened): string {
  return records
    .map(({ lsn, payload }) => `${lsn}${(payload[0] ?? 0) >= 50 ? " (new)" : ""}`)
    .join(", ");
}

const durableCut: Check<WalSubject> = {
  name: "a cut is durable when truncateAfter returns",
  kind: "crash",
  rule: "W9",
  run(subject) {
    for (let lsn = 0; lsn <= 9; lsn += 1) {
      const { disk, wal } = logOf(subject, 10);
      wal.truncateAfter(lsn);
      const open2 = [readFills(wal).join(), wal.nextLsn].join(" next ");
      expectThat(open2 === [upTo(lsn).join(), lsn + 1].join(" next "), () => ({
        happened: `Ten records, then truncateAfter(${lsn}). The open log should hold ${lsn} records, and the next is ${lsn + 1}. Yours: ${open2}.`,
        why: "The next append must get the number that has become free.",
      }));
      for (let seed = 1; seed <= 12; seed += 1) {
        const fills = fillsOf(openOrGap(subject, disk.crash(seed), disk));
        expectThat(fills.join() === upTo(lsn).join(), () => ({
          happened: `Ten records, then truncateAfter(${lsn}), which returned. The power was cut. Your openWal handed out ${fills.length} records.`,
          why: "The caller has told others that these records are gone. They are back.",
          timeline: [...lastLines(disk), "     the power is cut"],
        }));
      }
    }
  },
};

const anySequence: Check<WalSubject> = {
  name: "any sequence of appends, cuts and removals agrees with an array",
  kind: "model",
  rule: "W1",
  run(subject, { seed }) {
    for (let run = 0; run < 12; run += 1) {
      const random = seededRandom(seed * 1000 + run);
      const disk = createSimulatedDisk();
      let { wal } = open(subject, disk, SMALL);
      let [first, model]: [number, number[]] = [1, []];
      const calls: string[] = [];
      for (let i = 0; i < 50; i += 1) {
        const dice = random.below(10);
        if (dice < 6) {
          const fill = 1 + random.below(250);
          wal.append(filled(fill));
          model.push(fill);
          calls.push("append");
        } else if (dice < 8) {
          const keep = random.below(model.length + 1);
          wal.truncateAfter(first - 1 + keep);
          model = model.slice(0, keep);
          calls.push(`truncateAfter ${first - 1 + keep}`);
        } else {
          wal.sync();
          const lsn = first + random.below(model.length + 1);
          wal.truncateBefore(lsn);
          model = model.slice(wal.firstLsn - first);
          first = wal.firstLsn;
          calls.push(`truncateBefore ${lsn}`);
        }
        if (dice === 9) {
          ({ wal } = open(subject, disk, SMALL));
          calls.push("open again");
        }
        const fills = readFills(wal);
        expectThat(fills.join() === model.join() && wal.nextLsn === first + model.length, () => ({
          happened: `After ${calls.length} calls the log should hold records ${first} to ${first + model.length - 1}. Yours holds ${fills.length} records, and the next is ${wal.nextLsn}.`,
          why: "What the log holds is no longer what its callers believe.",
          timeline: calls.slice(-8),
        }));
      }
    }
  },
};

const waiting: Check<WalSubject> = {
  name: "a commit whose record is cut off while it waits is rejected",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const { wal } = open(subject, createSimulatedDisk());
    const kept = wal.commit(payloadOf(1, 90));
    const gone = wal.commit(payloadOf(2, 90));
    const settled = Promise.allSettled([kept, gone]);
    wal.truncateAfter(1);
    wal.append(payloadOf(2, 30, 8));
    const [first, second] = await settled;
    expectThat(first.status === "fulfilled" && second.status === "rejected", () => ({
      happened: `Records 1 and 2 were being committed when truncateAfter(1) removed record 2. Commit 1 should resolve: yours is ${first.status}. Commit 2 should be rejected: yours is ${second.status}.`,
      why: "Its caller was told that record 2 is safe. It is gone, and another record has its number.",
    }));
  },
};

const detached: Check<WalSubject> = {
  name: "what is detached is removed by the caller, in the order given",
  kind: "unit",
  rule: "W9",
  run(subject) {
    const { disk, wal } = logOf(subject, 12);
    const paths = wal.detachBefore(10);
    const { firstLsn } = wal;
    expectThat(firstLsn > 1 && firstLsn <= 10, () => ({
      happened: `Twelve records, then detachBefore(10). The log should begin above 1, and at 10 at most. Yours begins with ${firstLsn}.`,
      why: "The engine of chapter 04 asks this of its log, and counts on the answer.",
    }));
    const killed = disk.kill();
    for (const path of paths) {
      killed.unlink(path);
      killed.syncDir(DIR);
      const { records, report } = open(subject, killed, SMALL);
      const isWhole = records.every(({ payload }, i) =>
        equalBytes(payload, filled(report.firstLsn + i)),
      );
      expectThat(isWhole && report.nextLsn === 13, () => ({
        happened: `detachBefore(10) named ${paths.length} files. After ${path} was removed, the log was opened again: records ${report.firstLsn} to ${report.nextLsn - 1}. All up to 12 should be there.`,
        why: "A file that is still needed was given away.",
      }));
    }
  },
};

export const forgetChecks: readonly Check<WalSubject>[] = [
  whole,
  notYet,
  oldestFirst,
  durableCut,
  oneDecision,
  beforeACut,
  anySequence,
  waiting,
  detached,
];
