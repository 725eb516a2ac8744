/**
 * What readers get wrong in merging and reading, steps 04.1 and 04.2.
 */
import type { StepMistake } from "../../../support/four-way.ts";

/** In the order of the steps. */
export const readingMistakes: readonly StepMistake[] = [
  {
    name: "of equal keys, the last source wins",
    step: "04.1",
    caughtBy: "of equal keys, the newest source comes first",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "if (lowest === null || compareBytes(key, lowest) < 0) {",
        to: "if (lowest === null || compareBytes(key, lowest) <= 0) {",
      },
    ],
  },
  {
    name: "the higher sequence wins, wherever it comes from",
    step: "04.1",
    caughtBy: "the place of a source decides what is newer, not a sequence",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "if (lowest === null || compareBytes(key, lowest) < 0) {",
        to: `const order = lowest === null ? -1 : compareBytes(key, lowest);
      const best = this.#sources[nearest]?.sequence ?? 0;
      if (order < 0 || (order === 0 && source.sequence > best)) {`,
      },
    ],
  },
  {
    name: "deletions are skipped by the merge",
    step: "04.1",
    caughtBy: "deletions pass through",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "      if (!source.valid) continue;",
        to: "      while (source.valid && source.isDeletion) source.next();\n      if (!source.valid) continue;",
      },
    ],
  },
  {
    name: "a source that fails is left out",
    step: "04.1",
    caughtBy: "an error of a source surfaces once, and the merge is at its end from then on",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: `      this.#hasFailed = true;
      this.#top = -1;
      throw error;`,
        to: "      this.#top = this.#nearest();\n      if (this.#top < -1) throw error;",
      },
    ],
  },
  {
    name: "after an error, the merge goes on with the other sources",
    step: "04.1",
    caughtBy: "an error of a source surfaces once, and the merge is at its end from then on",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "      this.#hasFailed = true;\n      this.#top = -1;",
        to: "      this.#top = this.#nearest();",
      },
    ],
  },
  {
    name: "a deletion is taken for not here, and the search goes on",
    step: "04.2",
    caughtBy: "a deletion in a newer layer ends the search",
    rule: "L1",
    trap: "T9",
    patches: [
      {
        file: "read.ts",
        from: `    const found = memtable.get(key, view.at);
    if (found.kind === "value") return found.value;
    if (found.kind === "deleted") return undefined;`,
        to: `    const found = memtable.get(key, view.at);
    if (found.kind === "value") return found.value;`,
      },
    ],
  },
  {
    name: "runs are asked before memtables",
    step: "04.2",
    caughtBy: "the newest layer that knows the key decides",
    rule: "L1",
    patches: [
      {
        file: "read.ts",
        from: `export function readKey(view: ReadView, key: Bytes): Bytes | undefined {
  for`,
        to: `export function readKey(view: ReadView, key: Bytes): Bytes | undefined {
  for (const run of view.version.runs) {
    for (const table of run.tables) {
      const found = view.open(table).get(key, view.at);
      if (found.kind === "value") return found.value;
      if (found.kind === "deleted") return undefined;
    }
  }
  for`,
      },
    ],
  },
  {
    name: "a value of no bytes is taken for none",
    step: "04.2",
    caughtBy: "a value of no bytes is a value",
    rule: "L1",
    patches: [
      {
        file: "read.ts",
        from: `    const found = memtable.get(key, view.at);
    if (found.kind === "value") return`,
        to: `    const found = memtable.get(key, view.at);
    if (found.kind === "value" && found.value.length > 0) return`,
      },
    ],
  },
  {
    name: "every table of every run is asked",
    step: "04.2",
    caughtBy: "a lookup opens only tables whose range covers the key",
    rule: "L6",
    patches: [
      {
        file: "read.ts",
        from: "    if (table === undefined) continue;",
        to: "    for (const other of run.tables) view.open(other).get(key, view.at);\n    if (table === undefined) continue;",
      },
    ],
  },
  {
    name: "the upper bound is looked at only behind a value that was given",
    step: "04.2",
    caughtBy: "a scan stops before its upper bound",
    rule: "L1",
    patches: [
      {
        file: "read.ts",
        from: "if (range.before !== undefined && compareBytes(key, range.before) >= 0) return;",
        to: "if (range.before !== undefined && decided !== null && compareBytes(decided, range.before) >= 0) return;",
      },
    ],
  },
  {
    name: "the upper bound is included",
    step: "04.2",
    caughtBy: "a scan stops before its upper bound",
    rule: "L1",
    patches: [
      {
        file: "read.ts",
        from: "compareBytes(key, range.before) >= 0) return;",
        to: "compareBytes(key, range.before) > 0) return;",
      },
    ],
  },
];
