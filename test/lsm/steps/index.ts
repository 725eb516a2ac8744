/**
 * Chapter 04 as the runner and the tests see it: rules, steps, crash lab.
 */
import type { Chapter } from "#learn";
import { flushing } from "./flush.ts";
import { keeping } from "./keep-rule.ts";
import { merging } from "./merge.ts";
import { reading } from "./read.ts";
import { type LsmSubject, subjectOf } from "./subject.ts";

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
  steps: [merging, reading, flushing, keeping],
  subjectOf,
};
