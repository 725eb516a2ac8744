/**
 * Chapter 02 as its judge sees it: the rules, the steps with their checks, the crash lab.
 */
import type { Chapter } from "#learn";
import { durableChecks } from "./durable.ts";
import { heightChecks } from "./heights.ts";
import { lookupChecks } from "./lookup.ts";
import { crashLab } from "./power.ts";
import { scanChecks } from "./scan.ts";
import { sizeChecks } from "./size.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { towerChecks } from "./towers.ts";

export const chapter: Chapter<Subject> = {
  name: "02-memtable",
  module: "memtable",
  rules: {
    M1: "A lookup says value, deleted or absent. Deleted ends the search; absent sends it on to older tables.",
    M2: "The newest version of a key wins. A reader at a sequence sees the newest version at or below it.",
    M3: "A scan is ordered by key, newest version first, half-open, and includes deletions. What is written meanwhile is met or not; nothing is met twice or out of order.",
    M4: "The caller's bytes are copied, and what is handed out is the caller's own.",
    M5: "The size grows with each distinct key, deletions too.",
    M6: "What is frozen never changes.",
    M7: "A change is in the log before it is in the memtable; what the log refuses is in neither.",
    M8: "A search among n keys compares about log n of them: each level of a skip list is a part of the one below, and much thinner.",
  },
  steps: [
    { id: "02.1", checks: lookupChecks },
    { id: "02.2", checks: towerChecks },
    { id: "02.3", checks: heightChecks },
    { id: "02.4", checks: scanChecks },
    { id: "02.5", checks: sizeChecks },
    { id: "02.6", checks: durableChecks },
  ],
  crashLab,
  subjectOf,
};
