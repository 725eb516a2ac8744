/**
 * Chapter 03, its judging half: the rules, the steps and the crash lab.
 */
import type { Chapter } from "#learn";
import { blockSteps } from "./blocks.ts";
import { damageSteps } from "./damage.ts";
import { filterSteps } from "./filters.ts";
import { lengthSteps } from "./lengths.ts";
import { crashLab, publishSteps } from "./publish.ts";
import { rules } from "./rules.ts";
import { scanSteps } from "./scans.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { tableSteps } from "./tables.ts";

export const chapter: Chapter<Subject> = {
  name: "03-sstable",
  module: "sstable",
  rules,
  steps: [
    ...blockSteps,
    ...tableSteps,
    ...filterSteps,
    ...damageSteps,
    ...lengthSteps,
    ...publishSteps,
    ...scanSteps,
  ],
  crashLab,
  subjectOf,
};
