/**
 * A reader who has come as far as a step passes every step up to it: see stages.ts in support.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/plant.ts";
import { LATER, registerStages, type Stages } from "../support/stages.ts";
import { chapter } from "./steps/index.ts";

/** The files that are new or rewritten in a step. */
const FILES: Stages["files"] = {
  "01.1": ["frame.ts"],
  "01.2": ["segment.ts", "scan.ts", "log.ts"],
  "01.3": [],
  "01.4": ["recovery.ts", "open.ts"],
  "01.5": ["witness.ts"],
  "01.6": [],
  "01.7": ["group-commit.ts"],
  "01.8": ["guard.ts"],
  "01.9": [],
};

/** What the starter gives in place of the list of all segments. */
const ONE_SEGMENT = readFileSync(join(ROOT, "chapters/01-wal/starter/segment.ts"), "utf8").match(
  /export function listSegments[\s\S]*?\n}\n/,
)![0];

/** What a file is like until a later step changes it again. */
const UNTIL: Stages["until"] = [
  {
    step: "01.3",
    file: "log.ts",
    from: "    if (this.durableLsn === this.nextLsn - 1) return;\n    this.#handle.sync();\n",
    to: `    ${LATER}\n`,
  },
  {
    step: "01.4",
    file: "scan.ts",
    from: "before === null ? tail.findLastIndex((byte) => byte !== 0) + 1 : 0;",
    to: "0;",
  },
  {
    step: "01.5",
    file: "scan.ts",
    from: "findWitness(tail, { seed: at.segment.seed, lsn: at.nextLsn })",
    to: "false",
  },
  { step: "01.6", file: "scan.ts", from: "at.limits.isSealed || ", to: "" },
  {
    step: "01.6",
    file: "scan.ts",
    from: "while (before === null || nextLsn < before)",
    to: "for (;;)",
  },
  { step: "01.6", file: "scan.ts", from: "before !== null && nextLsn < before;", to: "false;" },
  { step: "01.6", file: "segment.ts", from: "  handle.sync();\n  disk.syncDir(dir);\n", to: "" },
  {
    step: "01.6",
    file: "segment.ts",
    from: "export function listSegments(settings",
    to: `${ONE_SEGMENT}\nfunction listAll(settings`,
  },
  {
    step: "01.6",
    file: "log.ts",
    from: "this.#rollIfFull(FRAME_HEADER_BYTES + payload.length);",
    to: "",
  },
  { step: "01.6", file: "open.ts", from: "settings.disk.syncDir(settings.dir);", to: "" },
  { step: "01.7", file: "log.ts", from: "const lsn = this.append(payload);", to: LATER },
  {
    step: "01.7",
    file: "log.ts",
    from: "if (this.durableLsn < this.nextLsn - 1) await this.#group.join(0);",
    to: LATER,
  },
  { step: "01.7", file: "log.ts", from: "this.#flightUpTo = this.nextLsn - 1;", to: LATER },
  {
    step: "01.8",
    file: "log.ts",
    from: "    if (this.#guard.isPoisoned) this.#guard.check();\n    if (this.durableLsn",
    to: "    if (this.durableLsn",
  },
  {
    step: "01.8",
    file: "log.ts",
    from: "    if (this.#guard.isPoisoned) this.#guard.check();\n    this.durableLsn",
    to: "    this.durableLsn",
  },
  {
    step: "01.8",
    file: "recovery.ts",
    from: "rewrite(handle, segment, scan.watermark);",
    to: "",
  },
  {
    step: "01.9",
    file: "segment.ts",
    from: "const [segments, obsolete] = dropObsolete(found);",
    to: "const [segments, obsolete] = [found, [] as Segment[]];",
  },
  {
    step: "01.9",
    file: "log.ts",
    from: "    if (!(lsn >= 0 && lsn <= this.durableLsn + 1)) {",
    to: `    if (lsn >= 0) {\n      ${LATER}`,
  },
  { step: "01.9", file: "log.ts", from: "const obsolete: Segment[] = [];", to: LATER },
  {
    step: "01.9",
    file: "group-commit.ts",
    from: "for (const waiter of [...gathering, ...syncing]) {",
    to: `for (const waiter of [] as Waiter[]) {\n        ${LATER}`,
  },
  {
    step: "01.9",
    file: "open.ts",
    from: "for (const path of directory.obsolete) disk.unlink(path);",
    to: "",
  },
];

registerStages(chapter, { files: FILES, until: UNTIL });
