/**
 * Step 01.7: many callers, one sync. The trace counts syncs; a hanging sync is held open as long as
 * a check needs it.
 */
import { isCairnError } from "#base";
import { type Check, expectThat, fail } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { Callers, HANG, nobodyWaits, settle } from "./callers.ts";
import { countOps, judge, lastLines, open, payloadOf, Story } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

const sharing: Check<WalSubject> = {
  name: "64 commits in one turn share at most two syncs",
  kind: "unit",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    const before = countOps(disk, "sync");
    const callers = new Callers();
    const all = Array.from({ length: 64 }, () => callers.commit(wal));
    await settle();
    const syncs = countOps(disk, "sync") - before;
    nobodyWaits(callers, "64 commits were made in one turn.");
    await Promise.all(all);
    expectThat(syncs >= 1 && syncs <= 2 && callers.resolved.length === 64, () => ({
      happened: `64 commits were made in one turn of the event loop. ${callers.resolved.length} resolved, after ${syncs} syncs. One sync can cover them all; two are allowed.`,
      why: "A sync costs the same for one record and for a thousand. One each, and the log is as slow as the disk is.",
    }));
    expectThat(callers.strange.length === 0, () => ({
      happened: `64 commits were made: ${callers.strange.slice(0, 3).join(", ")}.`,
      why: "A caller keeps the number as its receipt.",
      rule: "W1",
    }));
  },
};

const roundAfterRound: Check<WalSubject> = {
  name: "64 callers that go on committing share their syncs round after round",
  kind: "unit",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    const before = countOps(disk, "sync");
    const caller = async (): Promise<void> => {
      for (let i = 0; i < 10; i += 1) await wal.commit(payloadOf(1, 100));
    };
    await Promise.all(Array.from({ length: 64 }, caller));
    const syncs = countOps(disk, "sync") - before;
    expectThat(syncs <= 40, () => ({
      happened: `64 callers committed ten records each, one after the other: 640 records. Your log used ${syncs} syncs. 10 are possible, 40 are allowed.`,
      why: "Under load, records per sync are the whole speed of a log.",
    }));
  },
};

const afterTheSync: Check<WalSubject> = {
  name: "no commit resolves before a sync has covered its bytes",
  kind: "unit",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    disk.plan(HANG);
    const callers = new Callers();
    const all = [callers.commit(wal), callers.commit(wal)];
    await settle();
    const early = callers.resolved.length;
    const claimed = wal.durableLsn;
    disk.releaseHung();
    await settle();
    expectThat(early === 0 && claimed === 0, () => ({
      happened: `Two commits were made, and the sync did not come back. At that moment ${early} of the commits had resolved, and durableLsn was ${claimed}.`,
      why: "Somebody was told that the record is safe. Had the power gone then, it would not have been there.",
    }));
    nobodyWaits(callers, "Two commits were made, and the sync came back.");
    await Promise.all(all);
  },
};

const theNextOne: Check<WalSubject> = {
  name: "a commit that comes while a sync is under way waits for the next one",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    disk.plan(HANG);
    const callers = new Callers();
    const all = [callers.commit(wal), callers.commit(wal)];
    await settle();
    all.push(callers.commit(wal), callers.commit(wal));
    await settle();
    disk.plan(HANG);
    disk.releaseHung();
    await settle();
    const early = callers.resolved.filter((lsn) => lsn > 2);
    const claimed = wal.durableLsn;
    disk.releaseHung();
    await settle();
    expectThat(early.length === 0 && claimed <= 2, () => ({
      happened: `Commits 1 and 2 were made, and their sync began. While it was under way came commits 3 and 4. The first sync ended; the second had not. Resolved by then: ${callers.resolved.slice(0, 2 + early.length).join(", ")}. durableLsn said ${claimed}.`,
      why: "A sync that is running may be past the place where their bytes lie. They were told that they are safe, and no sync had covered them.",
      timeline: [
        "commits 1 and 2",
        "sync A begins",
        "commits 3 and 4 write their bytes",
        "sync A ends: it covers what was written before it began",
        "sync B begins",
      ],
    }));
    nobodyWaits(callers, "Four commits were made, and all syncs came back.");
    await Promise.all(all);
  },
};

const inOrder: Check<WalSubject> = {
  name: "commits resolve in the order of their numbers",
  kind: "property",
  rule: "W1",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk, { segmentBytesMax: 2000 });
    const callers = new Callers();
    const all: Promise<void>[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (let i = 0; i <= round; i += 1) all.push(callers.commit(wal, 50 + i));
      await settle();
    }
    await Promise.all(all);
    const { resolved } = callers;
    const wrong = resolved.findIndex((lsn, index) => lsn !== index + 1);
    expectThat(wrong < 0, () => ({
      happened: `21 commits were made, some at a time. They resolved in this order: ${resolved.slice(0, wrong + 3).join(", ")}.`,
      why: "Whoever applies a record when its commit resolves would apply the withdrawal before the deposit.",
    }));
  },
};

const everybodyHears: Check<WalSubject> = {
  name: "a sync that fails rejects everybody who waited for it",
  kind: "fault",
  rule: "W7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const callers = new Callers();
    for (let i = 0; i < 5; i += 1) void callers.commit(wal);
    await settle();
    expectThat(callers.resolved.length === 0, () => ({
      happened: `Five commits shared a sync, and the disk answered EIO. ${callers.resolved.length} of the commits resolved all the same.`,
      why: "They were told that their record is on a disk which had just said that it is not.",
    }));
    nobodyWaits(callers, "Five commits shared a sync, and the disk answered EIO.");
  },
};

const blocking: Check<WalSubject> = {
  name: "a segment that fills up while a sync is under way loses nobody",
  kind: "crash",
  rule: "W2",
  async run(subject) {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = createSimulatedDisk({ seed });
      const options = { segmentBytesMax: 600 };
      const { wal } = open(subject, disk, options);
      disk.plan(HANG);
      const callers = new Callers();
      const all = [callers.commit(wal)];
      await settle();
      for (let i = 0; i < 5; i += 1) all.push(callers.commit(wal));
      disk.releaseHung();
      await settle();
      nobodyWaits(callers, "Six commits filled three segments while a sync was under way.");
      await Promise.all(all);
      const story = new Story();
      for (let lsn = 1; lsn <= 6; lsn += 1) story.appended.push(payloadOf(lsn, 200));
      story.acked = callers.resolved.length;
      const crashed = disk.crash(seed);
      const cause = "They were commits, over three segments, and the power was cut.";
      const timeline = lastLines(disk, 10);
      judge(story, open(subject, crashed, options), { cause, disk: crashed, timeline });
    }
  },
};

/** Commits in groups until the power goes. */
async function play(subject: WalSubject, disk: SimulatedDisk): Promise<Story> {
  const story = new Story();
  const settled: Promise<void>[] = [];
  try {
    const { wal } = open(subject, disk, { segmentBytesMax: 2500 });
    for (const group of [[300, 700], [20], [900, 60, 512, 600], [90, 400]]) {
      for (const bytes of group) {
        const lsn = story.appended.length + 1;
        story.appended.push(payloadOf(lsn, bytes));
        const done = wal.commit(payloadOf(lsn, bytes)).then(
          () => {
            story.acked = Math.max(story.acked, lsn);
          },
          (error: unknown) => {
            if (!isPowerCut(error) && !isCairnError(error)) throw error;
          },
        );
        settled.push(done);
      }
      await Promise.all(settled);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return story;
}

const cuts: Check<WalSubject> = {
  name: "whenever the power is cut, every commit that had resolved is there",
  kind: "crash",
  rule: "W2",
  async run(subject) {
    const whole = createSimulatedDisk();
    await play(subject, whole);
    for (let point = 0; point <= whole.operations; point += 1) {
      const disk = createSimulatedDisk({ seed: point + 1 });
      disk.cutPowerAt(point);
      const story = await play(subject, disk);
      for (let seed = 1; seed <= 20; seed += 1) {
        const crashed = disk.crash(seed);
        const timeline = [...lastLines(disk), "     the power is cut"];
        const scene = { cause: "They were commits. The power was cut.", disk: crashed, timeline };
        judge(story, open(subject, crashed), scene);
      }
    }
  },
};

const nothingToDo: Check<WalSubject> = {
  name: "syncAsync answers up to where the log is durable",
  kind: "unit",
  rule: "W2",
  async run(subject) {
    const { wal } = open(subject, createSimulatedDisk());
    for (const count of [3, 0, 2]) {
      for (let i = 0; i < count; i += 1) wal.append(payloadOf(i, 40));
      const wanted = wal.nextLsn - 1;
      const got = await wal.syncAsync();
      if (got === wanted && wal.durableLsn === wanted) continue;
      fail({
        happened: `${wanted} records had been appended, and syncAsync was called. It should resolve with ${wanted}. Yours resolved with ${got}, and durableLsn is ${wal.durableLsn}.`,
        why: "A replica reports that number to its leader, which counts it.",
      });
    }
  },
};

const closing: Check<WalSubject> = {
  name: "a log that is being closed serves those who still wait",
  kind: "mistake",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    const callers = new Callers();
    const all = [callers.commit(wal), callers.commit(wal), callers.commit(wal)];
    const closed = wal.close().catch((error: unknown) => String(error));
    await settle();
    const trouble = await closed;
    nobodyWaits(callers, "Three commits were waiting when close was called.");
    await Promise.all(all);
    expectThat(callers.resolved.length === 3 && trouble === undefined, () => ({
      happened: `Three commits were waiting when close was called. ${callers.resolved.length} resolved and ${callers.rejected.length} were rejected${trouble === undefined ? "" : `; close failed with ${trouble}`}. They came before close, so all three are served.`,
      why: "Every orderly stop of the service would tell some callers that their write has failed, although it is on the disk.",
      timeline: lastLines(disk, 5),
    }));
  },
};

export const groupChecks: readonly Check<WalSubject>[] = [
  sharing,
  afterTheSync,
  theNextOne,
  inOrder,
  roundAfterRound,
  nothingToDo,
  everybodyHears,
  blocking,
  cuts,
  closing,
];
