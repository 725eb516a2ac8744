/**
 * Chapter 01, the judging half: rules, steps, crash lab.
 */
import type { Chapter } from "#learn";
import { appendChecks } from "./append-checks.ts";
import { crashLab } from "./crash-lab.ts";
import { damageChecks } from "./damage-checks.ts";
import { durableChecks } from "./durable-checks.ts";
import { failureChecks } from "./failure-checks.ts";
import { forgetChecks } from "./forget-checks.ts";
import { frameChecks } from "./frame-checks.ts";
import { groupChecks } from "./group-checks.ts";
import { closingChecks, handleChecks } from "./handle-checks.ts";
import { kill9 } from "./kill9.ts";
import { killedCutChecks, killedSegmentChecks } from "./killed-checks.ts";
import {
  meantimeCutChecks,
  meantimeFailureChecks,
  meantimeGroupChecks,
} from "./meantime-checks.ts";
import { rules } from "./rules.ts";
import { segmentChecks } from "./segment-checks.ts";
import type { WalSubject } from "./subject.ts";
import { tailChecks } from "./tail-checks.ts";

export const chapter: Chapter<WalSubject> = {
  name: "01-wal",
  module: "wal",
  rules,
  steps: [
    { id: "01.1", checks: frameChecks },
    { id: "01.2", checks: appendChecks },
    { id: "01.3", checks: durableChecks },
    { id: "01.4", checks: tailChecks },
    { id: "01.5", checks: damageChecks },
    { id: "01.6", checks: [...segmentChecks, ...killedSegmentChecks, ...closingChecks] },
    { id: "01.7", checks: [...groupChecks, ...meantimeGroupChecks, ...handleChecks] },
    { id: "01.8", checks: [...failureChecks, ...meantimeFailureChecks] },
    { id: "01.9", checks: [...forgetChecks, ...meantimeCutChecks, ...killedCutChecks] },
  ],
  crashLab,
  experiments: { kill9 },
  // Both the reference and a reader's module export all of it.
  subjectOf: (module) => module as WalSubject,
};
