/**
 * Chapter 00, bytes: what judges the reader's code, and the reference.
 *
 * Reading order: subject.ts, rules.ts; disk-story.ts, refusal.ts; first.ts, ints.ts, compare.ts,
 * crc32c.ts; unsynced.ts, predict.ts; settings.ts, replace-file.ts, replace-file-faults.ts,
 * crash-lab.ts; experiments.ts. Beside them: mistakes.ts, mistakes-replace.ts, figures.ts.
 */
import type { Chapter } from "#learn";
import { compareChecks } from "./compare.ts";
import { crashLab } from "./crash-lab.ts";
import { crcChecks } from "./crc32c.ts";
import { experiments } from "./experiments.ts";
import { firstChecks } from "./first.ts";
import { intChecks } from "./ints.ts";
import { predictChecks } from "./predict.ts";
import { replaceChecks } from "./replace-file.ts";
import { replaceFaultChecks } from "./replace-file-faults.ts";
import { rules } from "./rules.ts";
import { type BytesSubject, subjectOf } from "./subject.ts";

export const chapter: Chapter<BytesSubject> = {
  name: "00-bytes",
  module: "bytes",
  rules,
  steps: [
    { id: "00.1", checks: firstChecks },
    { id: "00.2", checks: intChecks },
    { id: "00.3", checks: compareChecks },
    { id: "00.4", checks: crcChecks },
    { id: "00.5", checks: predictChecks },
    { id: "00.6", checks: [...replaceChecks, ...replaceFaultChecks] },
  ],
  crashLab,
  experiments,
  subjectOf,
};
