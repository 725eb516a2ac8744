/**
 * A reader who has come as far as a step passes every step up to it: see stages.ts in support.
 */
import { registerStages, type Stages } from "../support/stages.ts";
import { chapter } from "./steps/index.ts";

/** The files that are new or rewritten in a step. */
const FILES: Stages["files"] = {
  "03.1": ["version.ts", "block-builder.ts", "block-reader.ts"],
  "03.2": ["block-seek.ts"],
  "03.3": ["sparse-index.ts", "writer.ts", "table.ts"],
  "03.4": ["bloom.ts"],
  "03.5": ["trailer.ts", "verify.ts", "table-file.ts"],
  "03.6": [],
  "03.7": ["output.ts"],
  "03.8": ["cursor.ts", "scan.ts"],
};

/** What a file is like until a later step changes it again. */
const UNTIL: Stages["until"] = [
  {
    step: "03.4",
    file: "writer.ts",
    from: "buildFilter(this.#keys, this.#filterBitsPerKey)",
    to: "new Uint8Array(this.#filterBitsPerKey * 0)",
  },
  { step: "03.4", file: "table.ts", from: "part(footer.filter, openFilter)", to: "null" },
  { step: "03.6", file: "table-file.ts", from: "    checkPlaces(footer, file.bytes);\n", to: "" },
];

registerStages(chapter, { files: FILES, until: UNTIL });
