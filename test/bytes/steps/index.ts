/**
 * Chapter 00, bytes: what judges the reader's code, and the reference.
 *
 * Reading order: subject.ts, rules.ts; first.ts, ints.ts, compare.ts, crc32c.ts;
 * disk-story.ts, refusal.ts.
 */
import type { Chapter } from "#learn";
import { compareChecks } from "./compare.ts";
import { crcChecks } from "./crc32c.ts";
import { firstChecks } from "./first.ts";
import { intChecks } from "./ints.ts";
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
  ],
  subjectOf,
};
