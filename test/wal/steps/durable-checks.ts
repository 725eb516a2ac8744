/**
 * Step 01.3: what `sync` promises, with the power cut at every point.
 */
import { type Check, expectThat } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { judge, lastLines, open, Story, settleFirstSegment } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

/** Sizes that straddle sectors of 512 bytes: records that fit into one hide most mistakes. */
const SIZES = [20, 480, 700, 33, 920, 512, 90, 600];
const SEEDS = 25;

/** Plays records and syncs until the power goes. @returns what was promised until then. */
function play(subject: WalSubject, disk: SimulatedDisk, syncEvery: number): Story {
  const story = new Story();
  try {
    const { wal } = open(subject, disk);
    settleFirstSegment(disk);
    for (const [index, bytes] of SIZES.entries()) {
      story.append(wal, bytes);
      if ((index + 1) % syncEvery === 0) story.sync(wal);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return story;
}

function everyPoint(subject: WalSubject, syncEvery: number): void {
  const whole = createSimulatedDisk();
  play(subject, whole, syncEvery);
  for (let point = 0; point <= whole.operations; point += 1) {
    const disk = createSimulatedDisk({ seed: point + 1 });
    disk.cutPowerAt(point);
    const story = play(subject, disk, syncEvery);
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const crashed = disk.crash(seed);
      judge(story, open(subject, crashed), {
        cause: "The power was cut.",
        disk: crashed,
        timeline: [...lastLines(disk, 6), "     the power is cut"],
      });
    }
  }
}

const onePerSync: Check<WalSubject> = {
  name: "whenever the power is cut, what sync covered is there",
  kind: "crash",
  rule: "W2",
  run: (subject) => everyPoint(subject, 1),
};

const batches: Check<WalSubject> = {
  name: "one sync covers all the appends before it",
  kind: "crash",
  rule: "W2",
  run: (subject) => everyPoint(subject, 3),
};

const honest: Check<WalSubject> = {
  name: "durableLsn says no more than a sync that has returned",
  kind: "crash",
  rule: "W2",
  run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    settleFirstSegment(disk);
    wal.append(new Uint8Array(100));
    const claim = (wanted: number, when: string) =>
      expectThat(wal.durableLsn === wanted, () => ({
        happened: `${when} durableLsn should be ${wanted}. Your log says ${wal.durableLsn}.`,
        why: "Replicas count what durableLsn says towards a majority. A record that is only said to be on disk is a vote that was never cast.",
        timeline: lastLines(disk, 5),
      }));
    claim(0, "One record was appended, and nothing was synced.");
    wal.sync();
    claim(1, "The record was synced.");
    wal.append(new Uint8Array(700));
    // Whatever the log does in `sync`, the sync itself is the last operation that must succeed.
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    try {
      wal.sync();
    } catch {
      claim(1, "A second record was appended, and its sync failed.");
    }
    claim(1, "A second record was appended, and the disk refused its sync.");
  },
};

export const durableChecks: readonly Check<WalSubject>[] = [onePerSync, batches, honest];
