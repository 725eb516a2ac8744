/**
 * A reader who has come as far as a step passes every step up to it: see stages.ts in support.
 */
import { LATER, registerStages, type Stages } from "../support/stages.ts";
import { chapter } from "./steps/index.ts";

/** The files that are new or rewritten in a step. */
const FILES: Stages["files"] = {
  "04.1": ["merge.ts"],
  "04.2": ["read.ts"],
  "04.3": ["flush.ts"],
  "04.4": ["manifest.ts"],
  "04.5": ["recover.ts", "store.ts"],
  "04.6": ["compaction.ts", "tables.ts"],
  "04.7": ["keep-rule.ts"],
  "04.8": ["leveled-picker.ts", "tiered-picker.ts"],
  "04.9": ["pressure.ts"],
};

/** What a file is like until a later step changes it again. */
const UNTIL: Stages["until"] = [
  {
    step: "04.6",
    file: "store.ts",
    from: "    this.#release = this.#tables.hold(this.#version);\n  }\n\n  put(",
    to: "    this.#release = () => {};\n  }\n\n  put(",
  },
  {
    step: "04.6",
    file: "store.ts",
    from: "const release = this.#tables.hold(view.version);",
    to: "const release = (): void => {};",
  },
  { step: "04.6", file: "store.ts", from: "checkPlan(this.#version, plan);", to: LATER },
  {
    step: "04.6",
    file: "store.ts",
    from: "    this.#release = this.#tables.hold(this.#version);\n    release();",
    to: "    this.#release = release;",
  },
  {
    step: "04.7",
    file: "compaction.ts",
    from: "createKeepRule(job.snapshots, job.older);",
    to: "{ survivors: (_key: Bytes, all: readonly KeyVersion[]) => all };",
  },
  {
    step: "04.9",
    file: "store.ts",
    from: "readonly #stalls = createStallMeter();",
    to: "readonly #stalls = { stops: 0, stopMs: (_now: Ms) => 0 };",
  },
  { step: "04.9", file: "store.ts", from: "    this.#holdBack();\n", to: "" },
  { step: "04.9", file: "store.ts", from: "this.#stalls.stopped(this.#now);", to: "" },
  { step: "04.9", file: "store.ts", from: "reason: this.#pressure(),", to: "reason: null," },
  {
    step: "04.9",
    file: "store.ts",
    from: "    if (this.#pressure() === null) this.#stalls.released(this.#now);\n",
    to: "",
  },
];

registerStages(chapter, { files: FILES, until: UNTIL });
