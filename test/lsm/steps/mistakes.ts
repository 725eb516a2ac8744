/**
 * What readers get wrong in chapter 04, as patches on the solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

/** In the order of the steps. */
export const mistakes: readonly StepMistake[] = [
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
  {
    name: "the log is retired before the manifest knows the table",
    step: "04.3",
    caughtBy: "the table is durable, then the manifest, then the log is retired",
    rule: "L3",
    patches: [
      {
        file: "flush.ts",
        from: "  const run = numbers.take();",
        to: "  wal.truncateBefore(frozen.logBefore);\n  const run = numbers.take();",
      },
    ],
  },
  {
    name: "the log is retired before the table is written",
    step: "04.3",
    caughtBy: "a power cut at any point of a flush loses no acknowledged write",
    rule: "L3",
    patches: [
      {
        file: "flush.ts",
        from: "  const { tables } = yield* runFlush(",
        to: "  wal.truncateBefore(frozen.logBefore);\n  const { tables } = yield* runFlush(",
      },
    ],
  },
  {
    name: "the edit does not say where replay begins",
    step: "04.3",
    caughtBy: "the edit says what was flushed, and where replay begins",
    rule: "L2",
    patches: [{ file: "flush.ts", from: "    logFrom: frozen.logBefore,\n", to: "" }],
  },
  {
    name: "deletions are left out of the table",
    step: "04.3",
    caughtBy: "a memtable of deletions only is flushed like any other",
    rule: "L5",
    patches: [
      {
        file: "flush.ts",
        from: "      outputs.add(cursor.key, value, cursor.sequence);",
        to: "      if (value !== null) outputs.add(cursor.key, value, cursor.sequence);",
      },
    ],
  },
  {
    name: "a flush that fails leaves its file",
    step: "04.3",
    caughtBy: "a flush that fails leaves nothing behind, and can be tried again",
    rule: "L2",
    patches: [
      {
        file: "flush.ts",
        from: "    if (!isDone) outputs.remove();",
        to: "    if (!isDone) left = 0;",
      },
    ],
  },
  {
    name: "the whole memtable is written in one go",
    step: "04.3",
    caughtBy: "a long flush gives the turn back between slices",
    rule: "L8",
    trap: "T19",
    patches: [
      {
        file: "flush.ts",
        from: "      yield;\n      left = SLICE_BYTES;",
        to: "      left = SLICE_BYTES;",
      },
    ],
  },
  {
    name: "a deletion goes in every compaction",
    step: "04.7",
    caughtBy: "a deletion stays while an older table may hold its key",
    rule: "L5",
    patches: [{ file: "keep-rule.ts", from: "if (!olderMayHold(key)) while", to: "while" }],
  },
  {
    name: "the last key of an older table is not counted as its own",
    step: "04.7",
    caughtBy: "a deletion stays while an older table may hold its key",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "compareBytes(key, largest) <= 0",
        to: "compareBytes(key, largest) < 0",
      },
    ],
  },
  {
    name: "a deletion never goes",
    step: "04.7",
    caughtBy: "a deletion goes when nothing older can hold its key",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "if (!olderMayHold(key)) while",
        to: "if (stay.length === 0) while",
      },
    ],
  },
  {
    name: "only the newest version stays, whatever snapshots say",
    step: "04.7",
    caughtBy: "what a snapshot sees stays, and what nobody sees goes",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "const readers = [...snapshots, Number.POSITIVE_INFINITY];",
        to: "const readers = [Number.POSITIVE_INFINITY];",
      },
    ],
  },
  {
    name: "a deletion goes though an older value of its key stays for a snapshot",
    step: "04.7",
    caughtBy: "every reader sees the same before and after",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "if (!olderMayHold(key)) while (stay.at(-1)?.isDeletion === true) stay.pop();\n      return stay;",
        to: "return olderMayHold(key) ? stay : stay.filter(({ isDeletion }) => !isDeletion);",
      },
    ],
  },
];
