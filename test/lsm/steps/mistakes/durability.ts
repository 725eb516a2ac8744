/**
 * What readers get wrong in flush, manifest and recovery, steps 04.3 to 04.5.
 */
import type { StepMistake } from "../../../support/four-way.ts";

/** In the order of the steps. */
export const durabilityMistakes: readonly StepMistake[] = [
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
    name: "an edit is appended and not synced",
    step: "04.4",
    caughtBy: "after a power cut, the state is the one before an edit or after it",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "    this.#file.wal.append(payload);\n    this.#file.wal.sync();",
        to: "    this.#file.wal.append(payload);\n    this.#file.wal.flush();",
      },
    ],
  },
  {
    name: "CURRENT is turned before the new manifest is durable",
    step: "04.4",
    caughtBy: "after a power cut, the state is the one before an edit or after it",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "    const next = { ...state, nextNumber: this.#numbers.next };\n",
        to: "    const next = { ...state, nextNumber: this.#numbers.next };\n    writeCurrent(this.#disk, this.#dir, number);\n",
      },
    ],
  },
  {
    name: "the old manifest is removed before CURRENT is turned",
    step: "04.4",
    caughtBy: "after a power cut, the state is the one before an edit or after it",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "    const file = write(this.#disk, this.#dir, { number, state: next });\n    writeCurrent(this.#disk, this.#dir, number);",
        to: "    removeFolder(this.#disk, manifestPath(this.#dir, this.#file.number));\n    const file = write(this.#disk, this.#dir, { number, state: next });\n    writeCurrent(this.#disk, this.#dir, number);",
      },
    ],
  },
  {
    name: "an opened manifest is trusted before its name is durable",
    step: "04.4",
    caughtBy: "what a killed process has left is durable before an edit is added to it",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "  disk.syncDir(dir);\n  return { number, wal, state };",
        to: "  return { number, wal, state };",
      },
    ],
  },
  {
    name: "the manifest is never begun anew",
    step: "04.4",
    caughtBy: "a manifest that has grown is begun anew, and the old one goes",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "if (this.#isDoubtful || this.#editBytes >= this.#rollBytes)",
        to: "if (this.#isDoubtful)",
      },
    ],
  },
  {
    name: "the state is adopted before it is durable",
    step: "04.4",
    caughtBy: "after an edit that failed, the state is the old one, and the next edit works",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "    const next = applyEdit(this.#state, edit);\n    try {",
        to: "    const next = applyEdit(this.#state, edit);\n    this.#state = next;\n    try {",
      },
    ],
  },
  {
    name: "after a failure, edits go on into the same file",
    step: "04.4",
    caughtBy: "after an edit that failed, the state is the old one, and the next edit works",
    rule: "L2",
    patches: [
      {
        file: "manifest.ts",
        from: "if (this.#isDoubtful || this.#editBytes >= this.#rollBytes)",
        to: "if (this.#editBytes >= this.#rollBytes)",
      },
    ],
  },
  {
    name: "the counter looks at the manifest only, not at the directory",
    step: "04.4",
    caughtBy: "the next number is above every number in use",
    rule: "L7",
    patches: [
      {
        file: "manifest.ts",
        from: "createNumbers(Math.max(0, ...names.map(numberOf)) + 1)",
        to: "createNumbers(names.length + 1)",
      },
    ],
  },
  {
    name: "the memtable takes the write before the log does",
    step: "04.5",
    caughtBy: "a write that the log refuses is not in memory either",
    rule: "L3",
    patches: [
      {
        file: "store.ts",
        from: "    const { wal } = this.#found;\n    wal.append(group);",
        to: "    const { wal } = this.#found;\n    applyGroup(group, this.#active, Number.MAX_SAFE_INTEGER);\n    this.#sequence += changes.length;\n    wal.append(group);",
      },
      {
        file: "store.ts",
        from: "    // Only now: what the log has lost must not be in memory.\n    applyGroup(group, this.#active, Number.MAX_SAFE_INTEGER);\n    this.#sequence += changes.length;\n",
        to: "",
      },
    ],
  },
  {
    name: "a write is acknowledged before the log is synced",
    step: "04.5",
    caughtBy: "a power cut at any point loses no acknowledged write",
    rule: "L3",
    patches: [{ file: "store.ts", from: "    wal.sync();\n", to: "    wal.flush();\n" }],
  },
  {
    name: "what belongs to nobody stays",
    step: "04.5",
    caughtBy: "what the manifest does not name is removed, and what it names stays",
    rule: "L2",
    patches: [
      { file: "recover.ts", from: "  removeOrphans(disk, dir, manifest);\n", to: "" },
      { file: "recover.ts", from: "function removeOrphans(", to: "export function removeOrphans(" },
    ],
  },
  {
    name: "only the newest run is looked at for what counts",
    step: "04.5",
    caughtBy: "what the manifest does not name is removed, and what it names stays",
    rule: "L2",
    patches: [
      {
        file: "recover.ts",
        from: "const live = new Set(version.runs.flatMap(",
        to: "const live = new Set(version.runs.slice(0, 1).flatMap(",
      },
    ],
  },
  {
    name: "rubbish is removed before what counts was found",
    step: "04.5",
    caughtBy: "a table that is missing is an error, and nothing is removed then",
    rule: "L2",
    patches: [
      {
        file: "recover.ts",
        from: "  checkTables(disk, dir, manifest);\n",
        to: "  removeOrphans(disk, dir, manifest);\n  checkTables(disk, dir, manifest);\n",
      },
    ],
  },
  {
    name: "nobody looks whether the named tables are there",
    step: "04.5",
    caughtBy: "a table that is missing is an error, and nothing is removed then",
    rule: "L2",
    patches: [
      {
        file: "recover.ts",
        from: "    if (disk.exists(file)) continue;",
        to: '    if (file !== "") continue;',
      },
    ],
  },
  {
    name: "the write that fills a memtable flushes it",
    step: "04.5",
    caughtBy: "a write never waits for a flush",
    rule: "L8",
    trap: "T19",
    patches: [
      {
        file: "store.ts",
        from: "if (this.#isActiveFull) this.#freeze();",
        to: "if (this.#isActiveFull) this.flush();",
      },
    ],
  },
];
