/**
 * Steps 01.7 to 01.9: what happens while an asynchronous sync is under way. It is held open until
 * the other thing has happened.
 */
import { errorText, isCairnError } from "#base";
import { type Check, expectThat, type Lesson } from "#learn";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import type { Wal } from "#wal/types";
import { Callers, HANG, settle } from "./callers.ts";
import { countOps, lastLines, open, payloadOf } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

const EIO = { operation: "sync", fault: "EIO", after: 0 } as const;

/** The fewest records that power cuts leave. A refusal counts as none. */
function fewestAfterCuts(subject: WalSubject, disk: SimulatedDisk): number {
  let fewest = Number.POSITIVE_INFINITY;
  for (let seed = 1; seed <= 12; seed += 1) {
    let found = 0;
    try {
      found = open(subject, disk.crash(seed)).records.length;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "LessonFailure") throw error;
    }
    fewest = Math.min(fewest, found);
  }
  return fewest;
}

const left = (count: number): string =>
  `of twelve power cuts after that, the worst left ${count === 0 ? "no record" : count === 1 ? "1 record" : `${count} records`}`;

/** A commit whose sync does not come back yet. */
async function underWay(
  subject: WalSubject,
  bytes = 200,
): Promise<{
  disk: SimulatedDisk;
  wal: Wal;
  callers: Callers;
}> {
  const disk = createSimulatedDisk();
  const { wal } = open(subject, disk);
  disk.plan(HANG);
  const callers = new Callers();
  void callers.commit(wal, bytes);
  await settle();
  return { disk, wal, callers };
}

const neverBack: Check<WalSubject> = {
  name: "durableLsn never goes back when an older sync ends",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const { disk, wal } = await underWay(subject);
    wal.append(payloadOf(2, 60));
    wal.sync();
    const before = wal.durableLsn;
    disk.releaseHung();
    await settle();
    const after = wal.durableLsn;
    expectThat(before === 2 && after === 2, () => ({
      happened: `Commit 1 was made, and its asynchronous sync began. Meanwhile record 2 was appended, and a blocking sync returned: durableLsn was ${before}, and 2 is right. Then the older sync ended. durableLsn should still be 2. Yours is ${after}.`,
      why: "A replica has reported 2 to its leader. A promise that was made is not taken back, and whoever compares the two numbers believes that records were lost.",
      timeline: [
        "commit 1: sync A begins",
        "append 2",
        `sync B, blocking, returns: durableLsn ${before}`,
        `sync A ends: durableLsn ${after}`,
      ],
    }));
  },
};

const closeWaits: Check<WalSubject> = {
  name: "close resolves only when everybody who waited has an answer",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const { disk, wal, callers } = await underWay(subject);
    void callers.commit(wal);
    let isClosed = false;
    const note = (): void => {
      isClosed = true;
    };
    void wal.close().then(note, note);
    await settle();
    const [early, waiting] = [isClosed, callers.waiting];
    disk.releaseHung();
    await settle();
    expectThat(!early || waiting === 0, () => ({
      happened: `Commit 1 was made and its sync began; commit 2 waited for the next. Then close was called. It was done while the sync was still under way, and ${waiting} of the two commits had no answer.`,
      why: "After close a process ends. Whoever waits then never hears whether the record is safe, and asks again.",
      timeline: [
        "commit 1: its sync begins",
        "commit 2 waits",
        "close is called",
        "close is done",
        "the sync ends",
      ],
    }));
    expectThat(isClosed && callers.waiting === 0, () => ({
      happened: `Two commits were waiting for a sync when close was called, and the sync came back. After that ${callers.waiting} of them had no answer, and close ${isClosed ? "was done" : "was still waiting"}.`,
      why: "A service that waits for its log to close never ends.",
    }));
  },
};

const WHY_NEXT_YES =
  "When a sync fails, Linux counts the pages as clean although they are not on disk (D4). The next sync finds nothing to do, and says yes. Whoever hears that yes holds a receipt for a record that is gone.";

const whoGathered: Check<WalSubject> = {
  name: "commits that gathered while a sync was failing are refused as well",
  kind: "fault",
  rule: "W7",
  async run(subject) {
    const { disk, wal, callers } = await underWay(subject, 1500);
    void callers.commit(wal);
    await settle();
    disk.plan(EIO);
    disk.releaseHung();
    await settle();
    const { resolved } = callers;
    const claimed = wal.durableLsn;
    const lost = (): Lesson => ({
      happened: `The sync of commit 1 was under way when commit 2 came, and waited for the next one. The first sync failed with EIO. Your log then synced for commit 2 all the same: ${resolved.length === 0 ? "nobody" : `commit ${resolved.join(" and commit ")}`} resolved, and durableLsn is ${claimed}. But ${left(fewestAfterCuts(subject, disk))}.`,
      why: WHY_NEXT_YES,
      timeline: [
        "commit 1 writes its record",
        "sync A begins",
        "commit 2 writes its record, and waits for the next sync",
        "sync A fails with EIO",
        "sync B says yes",
      ],
    });
    expectThat(resolved.length === 0 && claimed === 0, lost);
    expectThat(callers.waiting === 0, () => ({
      happened: `The sync of commit 1 was under way when commit 2 came. The sync failed with EIO, and ${callers.waiting} of the two were neither resolved nor rejected.`,
      why: "Each of them is a request that hangs until its client gives up.",
    }));
  },
};

const blockingFailed: Check<WalSubject> = {
  name: "a sync that ends after another has failed acknowledges nothing",
  kind: "fault",
  rule: "W7",
  async run(subject) {
    const { disk, wal, callers } = await underWay(subject);
    wal.append(payloadOf(2, 60));
    disk.plan(EIO);
    let failed = "returned";
    try {
      wal.sync();
    } catch (error) {
      if (!isCairnError(error)) throw error;
      failed = `failed with ${error.code}`;
    }
    disk.releaseHung();
    await settle();
    const claimed = wal.durableLsn;
    expectThat(callers.resolved.length === 0 && claimed === 0, () => ({
      happened: `Commit 1 was made, and its asynchronous sync began. Meanwhile record 2 was appended, and a blocking sync ${failed}. Then the asynchronous one came back and said yes. Commit 1 should be rejected: yours ${callers.resolved.length === 0 ? "was not resolved" : "resolved"}, and durableLsn is ${claimed}. But ${left(fewestAfterCuts(subject, disk))}.`,
      why: "Both syncs were about the same pages. The one that failed has marked them as clean (D4), so the yes of the other one is worth nothing.",
      timeline: [
        "commit 1: sync A begins",
        "append 2",
        `sync B, blocking, ${failed}`,
        "sync A ends, without an error",
      ],
    }));
  },
};

const closedAfterwards: Check<WalSubject> = {
  name: "a log that has failed can be closed, and does not sync again",
  kind: "fault",
  rule: "W7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    await wal.commit(payloadOf(1, 90));
    disk.plan(EIO);
    await wal.commit(payloadOf(2, 90)).catch(() => {});
    const syncs = countOps(disk, "sync");
    const trouble = await wal.close().then(
      () => null,
      (error: unknown) => errorText(error),
    );
    const more = countOps(disk, "sync") - syncs;
    expectThat(trouble === null && more === 0 && wal.durableLsn === 1, () => ({
      happened: `Commit 1 resolved, and the sync of commit 2 failed with EIO. Then the log was closed. That should work, without another sync, and durableLsn should still be 1. Yours ${trouble === null ? "closed" : `failed with: ${trouble}`}, called sync ${more === 1 ? "once" : `${more} times`} more, and durableLsn is ${wal.durableLsn}.`,
      why: "Closing is how a service gets rid of a log that has failed, before it opens it again. And the sync of a closing log is a second sync like any other: its yes is worth nothing (D4).",
      timeline: lastLines(disk, 5),
    }));
  },
};

const CUT_TIMELINE = ["commit 2: its sync begins", "truncateAfter(1)", "the sync ends"];

/** Record 1 is durable; record 2 is cut off while its sync is under way. */
async function cutUnderWay(
  subject: WalSubject,
): Promise<{ wal: Wal; second: string; claimed: number }> {
  const disk = createSimulatedDisk();
  const { wal } = open(subject, disk);
  await wal.commit(payloadOf(1, 90));
  disk.plan(HANG);
  let second = "waits for ever";
  void wal.commit(payloadOf(2, 90)).then(
    (lsn) => {
      second = `resolved with ${lsn}`;
    },
    () => {
      second = "was rejected";
    },
  );
  await settle();
  wal.truncateAfter(1);
  disk.releaseHung();
  await settle();
  return { wal, second, claimed: wal.durableLsn };
}

const cutWhileSyncing: Check<WalSubject> = {
  name: "a commit whose record is cut off while its sync is under way is rejected",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const { second } = await cutUnderWay(subject);
    expectThat(second === "was rejected", () => ({
      happened: `Record 1 was durable. Commit 2 was made, and its sync was under way when truncateAfter(1) removed record 2. Then the sync ended. Commit 2 should be rejected. Yours ${second}.`,
      why: "A leader that lost its place is told that record 2 is safe, and tells its client. Record 2 is gone for good.",
      timeline: CUT_TIMELINE,
    }));
  },
};

const noMoreThanThere: Check<WalSubject> = {
  name: "a sync that ends after a cut says nothing about what was cut off",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const { wal, claimed } = await cutUnderWay(subject);
    expectThat(claimed === 1 && wal.nextLsn === 2, () => ({
      happened: `Record 1 was durable. The sync of record 2 was under way when truncateAfter(1) removed it. Then the sync ended. durableLsn should be 1, and the next record 2. Your durableLsn is ${claimed}, and the next is ${wal.nextLsn}.`,
      why: "That is a promise about a record that does not exist. The next record 2 is counted as durable before any sync, and every frame behind it says so in its watermark.",
      timeline: CUT_TIMELINE,
    }));
  },
};

export const meantimeGroupChecks: readonly Check<WalSubject>[] = [neverBack, closeWaits];
export const meantimeFailureChecks: readonly Check<WalSubject>[] = [
  whoGathered,
  blockingFailed,
  closedAfterwards,
];
export const meantimeCutChecks: readonly Check<WalSubject>[] = [cutWhileSyncing, noMoreThanThere];
