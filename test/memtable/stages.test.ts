/**
 * A reader who has come as far as a step passes every step up to it: see stages.ts in support.
 */
import { LATER, registerStages, type Stages } from "../support/stages.ts";
import { chapter } from "./steps/index.ts";

/** The files that are new or rewritten in a step. */
const FILES: Stages["files"] = {
  "02.1": ["versions.ts", "sorted-array.ts", "table.ts"],
  "02.2": ["skip-list.ts"],
  "02.3": ["heights.ts"],
  "02.4": ["cursor.ts"],
  "02.5": [],
  "02.6": ["durable-map.ts"],
};

/** What a file is like until a later step changes it again. */
const UNTIL: Stages["until"] = [
  { step: "02.4", file: "table.ts", from: "return createCursor(this.#order);", to: LATER },
  {
    step: "02.4",
    file: "sorted-array.ts",
    from: "return this.#entries[this.#placeOf(entry.key) + 1];",
    to: LATER,
  },
  { step: "02.4", file: "skip-list.ts", from: "return (entry as Tower).next[0];", to: LATER },
  { step: "02.5", file: "table.ts", from: "return this.#bytes;", to: LATER },
  { step: "02.5", file: "table.ts", from: "this.#isFrozen = true;", to: LATER },
  {
    step: "02.5",
    file: "table.ts",
    from: "const older = versionAt(before, newestReader);",
    to: "const older = newestReader < 0 ? null : before;",
  },
  { step: "02.5", file: "table.ts", from: "this.entries += sign;", to: "void sign;" },
];

registerStages(chapter, { files: FILES, until: UNTIL });
