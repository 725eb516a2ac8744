/**
 * Step 01.8: a disk that says no. Who goes on after that makes promises about bytes that are gone.
 */
import { isCairnError } from "#base";
import { type Check, expectThat } from "#learn";
import { createSimulatedDisk } from "#platform";
import type { DiskFaultPlan, SimulatedDisk } from "#platform/types";
import type { Wal } from "#wal/types";
import { judge, lastLines, open, payloadOf, Story } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

const SIZES = [20, 480, 700, 33, 920, 512, 90, 600];
const OPTIONS = { segmentBytesMax: 2000 };

/** What a call threw: a code, or null if it threw nothing. */
function refusal(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (isCairnError(error)) return error.code;
    throw error;
  }
}

/**
 * A caller that does not give up: what fails is tried again, twice. Only what the log says is done
 * counts as acknowledged.
 */
function stubborn(wal: Wal): Story {
  const story = new Story();
  for (const bytes of SIZES) {
    for (let times = 0; times < 3; times += 1) {
      const lsn = wal.nextLsn;
      const payload = payloadOf(lsn, bytes);
      story.appended[lsn - 1] = payload;
      if (refusal(() => wal.append(payload)) !== null) continue;
      if (refusal(() => wal.sync()) !== null) continue;
      story.acked = Math.max(story.acked, lsn);
      break;
    }
  }
  return story;
}

const WHY_RETRY =
  "When a sync fails, Linux counts the pages as clean although they are not on disk (D4). The next sync finds nothing to do, and says yes. That yes was passed on.";

/** Plays against one fault. @returns null if the history never met it. */
function withFault(
  subject: WalSubject,
  fault: DiskFaultPlan,
): { disk: SimulatedDisk; story: Story; told: string } | null {
  const disk = createSimulatedDisk({ seed: fault.after + 1 });
  const { wal } = open(subject, disk, OPTIONS);
  disk.plan(fault);
  const story = stubborn(wal);
  if (!disk.trace.some(({ failed }) => failed)) return null;
  const name = { sync: "sync", write: "write", syncDir: "sync of the directory" }[
    fault.operation as "sync" | "write" | "syncDir"
  ];
  const count = fault.after === 0 ? "The first" : `Number ${fault.after + 1} of the`;
  const told = `${count} ${name}${fault.after === 0 ? "" : "s"} failed with ${fault.fault}; the caller tried everything again.`;
  return { disk, story, told };
}

const noSecondYes: Check<WalSubject> = {
  name: "after a failed sync, nothing is acknowledged that a power cut can take",
  kind: "fault",
  rule: "W7",
  run(subject) {
    for (const operation of ["sync", "syncDir"] as const) {
      for (let after = 0; after < 12; after += 1) {
        const played = withFault(subject, { operation, fault: "EIO", after });
        if (played === null) break;
        const { disk, story, told } = played;
        for (let seed = 1; seed <= 12; seed += 1) {
          const crashed = disk.crash(seed);
          const scene = {
            cause: `${told} Then the power was cut.`,
            disk: crashed,
            timeline: lastLines(disk),
          };
          const opened = open(subject, crashed, OPTIONS, {
            told: `${told} Then the power was cut. A later record says that an earlier one was durable, and that one is not there.`,
            why: WHY_RETRY,
            rule: "W7",
            timeline: scene.timeline,
          });
          judge(story, opened, scene, { lost: "W7", why: WHY_RETRY });
        }
      }
    }
  },
};

const everythingRefused: Check<WalSubject> = {
  name: "after a failed sync, append, sync and commit are refused until the log is opened again",
  kind: "fault",
  rule: "W7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    wal.append(payloadOf(1, 100));
    wal.sync();
    wal.append(payloadOf(2, 100));
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const first = refusal(() => wal.sync());
    const told = "Record 1 was synced, record 2 appended, and its sync failed with EIO.";
    const expectCode = (call: string, code: string | null, wanted: string): void =>
      expectThat(code === wanted, () => ({
        happened: `${told} ${call} should be refused with ${wanted}. Yours ${code === null ? "succeeded" : `was refused with ${code}`}.`,
        why: "Nobody knows any more what is on disk. A log that goes on says yes to somebody, and cannot keep it.",
        timeline: lastLines(disk, 6),
      }));
    expectCode("That sync", first, "DISK_IO");
    expectCode(
      "The next append",
      refusal(() => void wal.append(payloadOf(3, 100))),
      "WAL_POISONED",
    );
    expectCode(
      "The next sync",
      refusal(() => wal.sync()),
      "WAL_POISONED",
    );
    const committed = await codeOf(wal.commit(payloadOf(3, 100)));
    expectCode("The next commit", committed, "WAL_POISONED");
    expectThat(wal.durableLsn === 1, () => ({
      happened: `${told} durableLsn should still be 1. Yours is ${wal.durableLsn}.`,
      why: "Replicas count what durableLsn says towards a majority.",
    }));
  },
};

async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (isCairnError(error)) return error.code;
    throw error;
  }
}

const alsoAsync: Check<WalSubject> = {
  name: "a commit that failed poisons the log like a sync that failed",
  kind: "fault",
  rule: "W7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    await wal.commit(payloadOf(1, 100));
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const failed = await codeOf(wal.commit(payloadOf(2, 100)));
    const next = await codeOf(wal.commit(payloadOf(3, 100)));
    expectThat(failed !== null && next !== null, () => ({
      happened: `Commit 1 resolved. The sync of commit 2 failed with EIO, and commit 2 ${failed === null ? "resolved all the same" : "was rejected"}. Then came commit 3: it ${next === null ? "resolved" : "was rejected"}.`,
      why: WHY_RETRY,
      timeline: lastLines(disk, 6),
    }));
  },
};

const partOfIt: Check<WalSubject> = {
  name: "after a failed append, no number is given twice",
  kind: "fault",
  rule: "W7",
  run(subject) {
    for (const fault of ["ENOSPC", "EIO"] as const) {
      const disk = createSimulatedDisk({ seed: 3 });
      const { wal } = open(subject, disk);
      const story = new Story();
      story.append(wal, 300);
      story.append(wal, 500);
      story.sync(wal);
      disk.plan({ operation: "write", fault, after: 0 });
      // A log that writes in `sync` meets the fault there.
      const failed = refusal(() => {
        wal.append(payloadOf(3, 700));
        wal.sync();
      });
      const second = refusal(() => void wal.append(payloadOf(3, 90, 7)));
      expectThat(failed !== null && second !== null, () => ({
        happened: `Records 1 and 2 were synced. The write of record 3 failed with ${fault}, in the middle of its 725 bytes${failed === null ? ", and nothing was thrown" : ""}. The caller appended another record: your log took it, as number ${wal.nextLsn - 1}.`,
        why: "Part of the first record 3 is in the file, nobody knows how much. Two records now claim one number, and recovery will choose.",
        timeline: lastLines(disk, 5),
      }));
      const again = open(subject, disk.kill());
      story.appended.push(payloadOf(3, 700));
      judge(
        story,
        again,
        { cause: `A write failed with ${fault}.`, disk },
        { lost: "W7", invented: "W7" },
      );
    }
  },
};

const fullDisk: Check<WalSubject> = {
  name: "a disk that fills up in the middle of a record leaves a tail that can be cut",
  kind: "fault",
  rule: "W6",
  run(subject) {
    for (let capacityBytes = 250; capacityBytes < 3000; capacityBytes += 61) {
      const disk = createSimulatedDisk({ capacityBytes });
      const { wal } = open(subject, disk);
      const story = stubborn(wal);
      const killed = disk.kill();
      const cause = `The disk had room for ${capacityBytes} bytes, and was full. The log was opened again.`;
      const scene = { cause, disk: killed, timeline: lastLines(disk, 6) };
      judge(story, open(subject, killed), scene, { lost: "W7", invented: "W6" });
    }
  },
};

const onlyInMemory: Check<WalSubject> = {
  name: "a process that is started again does not believe what is in memory only",
  kind: "fault",
  rule: "W7",
  run(subject) {
    for (let after = 0; after < 12; after += 1) {
      const played = withFault(subject, { operation: "sync", fault: "EIO", after });
      if (played === null) break;
      const killed = played.disk.kill();
      const { records } = open(subject, killed, OPTIONS);
      const seen = new Story();
      seen.adopt(records);
      for (let seed = 1; seed <= 12; seed += 1) {
        const crashed = killed.crash(seed);
        const cause =
          "A sync had failed, the process was started again, and the machine ran on: these records were read from the page cache. Then the power was cut.";
        const timeline = [
          ...lastLines(played.disk, 4),
          "     the process is started again",
          ...lastLines(killed, 4),
        ];
        judge(
          seen,
          open(subject, crashed, OPTIONS),
          { cause, disk: crashed, timeline, verb: "handed out" },
          {
            lost: "W7",
            why: "The failed sync left pages that look clean and are not on disk (D4). Reading finds them, and a sync passes over them: only writing them again makes them dirty.",
          },
        );
      }
    }
  },
};

export const failureChecks: readonly Check<WalSubject>[] = [
  everythingRefused,
  noSecondYes,
  alsoAsync,
  partOfIt,
  fullDisk,
  onlyInMemory,
];
