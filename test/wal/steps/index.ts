/**
 * Chapter 01, the judging half: rules, steps, crash lab.
 */
import type { Chapter } from "#learn";
import { appendChecks } from "./append-checks.ts";
import { durableChecks } from "./durable-checks.ts";
import { frameChecks } from "./frame-checks.ts";
import { rules } from "./rules.ts";
import type { WalSubject } from "./subject.ts";

export const chapter: Chapter<WalSubject> = {
  name: "01-wal",
  module: "wal",
  rules,
  steps: [
    { id: "01.1", checks: frameChecks },
    { id: "01.2", checks: appendChecks },
    { id: "01.3", checks: durableChecks },
  ],
  // Both the reference and a reader's module export all of it.
  subjectOf: (module) => module as WalSubject,
};
