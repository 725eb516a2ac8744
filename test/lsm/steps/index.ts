/**
 * Chapter 04 as the runner and the tests see it: rules, steps, crash lab.
 */
import type { Chapter, CrashLab } from "#learn";
import { compacting } from "./compaction.ts";
import { flushing } from "./flush.ts";
import { keeping } from "./keep-rule.ts";
import { naming } from "./manifest.ts";
import { merging } from "./merge.ts";
import { picking } from "./pickers.ts";
import { holdingBack } from "./pressure.ts";
import { reading } from "./read.ts";
import { recovering } from "./recover.ts";
import { crashRun, pointsOf, randomHistory, type StoreHistory } from "./store-lab.ts";
import { type LsmSubject, subjectOf } from "./subject.ts";

const LEVELED = { levelRatio: 4, levelZeroCompactRuns: 3, levelBytesBase: 12_000 };

/** The same for every run: what a crash keeps is up to the seed of the crash. */
function labHistory(subject: LsmSubject): StoreHistory {
  const options = { picker: subject.createLeveledPicker(LEVELED), memtableBytesMax: 4096 };
  return randomHistory(4, { calls: 200, options });
}

const crashLab: CrashLab<LsmSubject> = {
  about:
    "200 random calls: puts, deletions, batches, flushes and steps, on your store with your leveled picker. The power goes before one operation of the disk, then inside of recovery, then once more after further writes. The oracle is the list of acknowledged writes.",
  seedsPerPoint: 1,
  points: (subject) => pointsOf(subject, labHistory(subject)),
  run(subject, { point, seed }) {
    const again = `npx cairn crash 04 --point ${point} --seed ${seed}`;
    crashRun(subject, labHistory(subject), { point, seed, again });
  },
};

/** The chapter. */
export const chapter: Chapter<LsmSubject> = {
  name: "04-lsm",
  module: "lsm",
  rules: {
    L1: "A newer layer wins; a deletion is knowledge, and ends the search.",
    L2: "The manifest is the truth; what it does not name is rubbish. An edit is durable whole or not at all.",
    L3: "Table durable, then manifest durable, then log retired, then inputs unlinked.",
    L4: "A version in use keeps its files.",
    L5: "A deletion may go only if no older table can hold its key and no snapshot needs it.",
    L6: "Within a run, tables do not overlap, and no version sinks below an older one.",
    L7: "A number is never used twice.",
    L8: "Level 0 is bounded: writes stop before reads suffer, and go on when there is room.",
    L9: "Recovery can be repeated, and can itself crash.",
  },
  steps: [
    merging,
    reading,
    flushing,
    naming,
    recovering,
    compacting,
    keeping,
    picking,
    holdingBack,
  ],
  crashLab,
  subjectOf,
};
