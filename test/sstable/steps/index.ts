/**
 * Chapter 03, its judging half: the rules, the steps and the crash lab.
 */
import type { Chapter } from "#learn";
import { blockSteps } from "./blocks.ts";
import { rules } from "./rules.ts";
import { type Subject, subjectOf } from "./subject.ts";

export const chapter: Chapter<Subject> = {
  name: "03-sstable",
  module: "sstable",
  rules,
  steps: [...blockSteps],
  subjectOf,
};
