/**
 * What readers get wrong in compaction, tombstones, pickers and back-pressure, steps 04.6 to 04.9.
 */
import type { StepMistake } from "../../../support/four-way.ts";

/** In the order of the steps. */
export const compactionMistakes: readonly StepMistake[] = [
  {
    name: "inputs are unlinked before the edit is durable",
    step: "04.6",
    caughtBy: "inputs are unlinked after the manifest has let go of them",
    rule: "L3",
    patches: [
      {
        file: "store.ts",
        from: "      const number = plan.outputRun ?? numbers.take();",
        to: "      for (const { tables } of plan.inputs) {\n        for (const { id } of tables) disk.unlink(io.pathOf(id));\n      }\n      const number = plan.outputRun ?? numbers.take();",
      },
      {
        file: "store.ts",
        from: "    this.#tables.retire(plan.inputs.flatMap(({ tables }) => tables));\n",
        to: "",
      },
    ],
  },
  {
    name: "a power cut finds inputs that are gone and named",
    step: "04.6",
    caughtBy: "a power cut in a compaction leaves the inputs or the outputs",
    rule: "L3",
    patches: [
      {
        file: "store.ts",
        from: "      const number = plan.outputRun ?? numbers.take();",
        to: "      for (const { tables } of plan.inputs) {\n        for (const { id } of tables) disk.unlink(io.pathOf(id));\n      }\n      disk.syncDir(dir);\n      const number = plan.outputRun ?? numbers.take();",
      },
      {
        file: "store.ts",
        from: "    this.#tables.retire(plan.inputs.flatMap(({ tables }) => tables));\n",
        to: "",
      },
    ],
  },
  {
    name: "a scan does not hold its version",
    step: "04.6",
    caughtBy: "a scan under way keeps its tables, and they go when it is over",
    rule: "L4",
    patches: [
      {
        file: "store.ts",
        from: "const release = this.#tables.hold(view.version);",
        to: "const release = (): void => {};",
      },
    ],
  },
  {
    name: "inputs are never unlinked",
    step: "04.6",
    caughtBy: "a scan under way keeps its tables, and they go when it is over",
    rule: "L4",
    patches: [
      {
        file: "store.ts",
        from: "    this.#tables.retire(plan.inputs.flatMap(({ tables }) => tables));\n",
        to: "",
      },
    ],
  },
  {
    name: "a table ends in the middle of a key",
    step: "04.6",
    caughtBy: "outputs are split at the target size, and do not overlap",
    rule: "L6",
    patches: [
      {
        file: "compaction.ts",
        from: "    if (stay.has(sequence)) outputs.add(key, isDeletion ? null : value, sequence);",
        to: "    if (outputs.bytes >= 1500) outputs.finish();\n    if (stay.has(sequence)) outputs.add(key, isDeletion ? null : value, sequence);",
      },
    ],
  },
  {
    name: "outputs are never split",
    step: "04.6",
    caughtBy: "outputs are split at the target size, and do not overlap",
    rule: "L6",
    patches: [
      {
        file: "compaction.ts",
        from: "      if (outputs.bytes >= shape.tableBytesMax) outputs.finish();\n",
        to: "",
      },
    ],
  },
  {
    name: "a job that fails removes only the table it was writing",
    step: "04.6",
    caughtBy: "a job that fails or is given up removes its outputs, and leaves its inputs",
    rule: "L2",
    patches: [
      {
        file: "flush.ts",
        from: "      for (const id of ids) {",
        to: "      for (const id of ids.slice(-1)) {",
      },
    ],
  },
  {
    name: "what fell out of the last key is forgotten",
    step: "04.6",
    caughtBy: "no reader, at any snapshot, sees a difference",
    rule: "L1",
    patches: [
      {
        file: "compaction.ts",
        from: "    while (merged.valid) {\n      const { key, versions } = takeKey(merged);",
        to: "    while (merged.valid) {\n      const { key, versions } = takeKey(merged);\n      if (!merged.valid) break;",
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
  {
    name: "runs of level 0 are taken one by one",
    step: "04.8",
    caughtBy: "the leveled picker takes what is due, and nothing else",
    rule: "L6",
    patches: [{ file: "leveled-picker.ts", from: "  grow(chosen, runs);\n", to: "" }],
  },
  {
    name: "level 0 goes down without what it overlaps in level 1",
    step: "04.8",
    caughtBy: "no plan lets a newer version sink below an older one",
    rule: "L6",
    patches: [{ file: "leveled-picker.ts", from: "  grow(chosen, runsOf(version, 1));\n", to: "" }],
  },
  {
    name: "overlap is looked for once, not until there is no more",
    step: "04.8",
    caughtBy: "no plan lets a newer version sink below an older one",
    rule: "L6",
    patches: [
      {
        file: "leveled-picker.ts",
        from: "  for (let before = 0; chosen.size !== before; ) {\n    before = chosen.size;\n    for (const run of runs) {\n      for (const table of tablesOverlapping(run, spanOf([...chosen]))) chosen.add(table);\n    }\n  }",
        to: "  const span = spanOf([...chosen]);\n  for (const run of runs) {\n    for (const table of tablesOverlapping(run, span)) chosen.add(table);\n  }",
      },
    ],
  },
  {
    name: "a level that just fills its limit is due",
    step: "04.8",
    caughtBy: "the leveled picker takes what is due, and nothing else",
    rule: "L8",
    patches: [
      {
        file: "leveled-picker.ts",
        from: "if (levelBytes(version, level) > target)",
        to: "if (levelBytes(version, level) >= target)",
      },
    ],
  },
  {
    name: "only level 0 and level 1 are ever looked at",
    step: "04.8",
    caughtBy: "sizes come to the ratio, and runs stay few",
    rule: "L8",
    patches: [
      {
        file: "leveled-picker.ts",
        from: "for (let level = 1; level < LEVEL_MAX; level += 1) {",
        to: "for (let level = 1; level < 2; level += 1) {",
      },
    ],
  },
  {
    name: "the deepest level is merged into itself for ever",
    step: "04.8",
    caughtBy: "plans come to an end",
    rule: "L8",
    patches: [
      {
        file: "tiered-picker.ts",
        from: "        if (runs.length < limit) continue;",
        to: "        if (runs.length < (level === LEVEL_MAX ? 1 : limit)) continue;",
      },
    ],
  },
  {
    name: "a tiered level gives only its two newest runs",
    step: "04.8",
    caughtBy: "the tiered picker takes all runs of a level that is due",
    rule: "L6",
    patches: [
      {
        file: "tiered-picker.ts",
        from: "new Set(runs.flatMap(",
        to: "new Set(runs.slice(0, 2).flatMap(",
      },
    ],
  },
  {
    name: "nothing holds writes back",
    step: "04.9",
    caughtBy: "writes stop when level 0 is full, and go on after a compaction",
    rule: "L8",
    patches: [
      {
        file: "store.ts",
        from: "    this.#holdBack();\n",
        to: "    if (this.#sequence < 0) this.#holdBack();\n",
      },
    ],
  },
  {
    name: "only level 0 is looked at, not the memtables that wait",
    step: "04.9",
    caughtBy: "writes stop when memtables wait for their flush, and go on after it",
    rule: "L8",
    patches: [
      {
        file: "pressure.ts",
        from: "if (state.isActiveFull && state.frozenMemtables >= limits.frozenMemtablesMax) {",
        to: "if (state.frozenMemtables > 99) {",
      },
    ],
  },
  {
    name: "a stop is counted for each write that was turned away",
    step: "04.9",
    caughtBy: "the time of a stop is recorded, and ends when there is room",
    rule: "L8",
    patches: [
      {
        file: "pressure.ts",
        from: "      if (since !== null) return;\n      since = now;",
        to: "      since ??= now;",
      },
    ],
  },
  {
    name: "the clock of a stop runs on when there is room",
    step: "04.9",
    caughtBy: "the time of a stop is recorded, and ends when there is room",
    rule: "L8",
    patches: [
      {
        file: "store.ts",
        from: "    if (this.#pressure() === null) this.#stalls.released(this.#now);\n",
        to: "",
      },
    ],
  },
  {
    name: "the write is logged before it is turned away",
    step: "04.9",
    caughtBy: "writes stop when level 0 is full, and go on after a compaction",
    rule: "L8",
    patches: [
      {
        file: "store.ts",
        from: "    if (changes.length === 0) return;\n    this.#holdBack();",
        to: "    if (changes.length === 0) return;",
      },
      {
        file: "store.ts",
        from: "    this.#sequence += changes.length;",
        to: "    this.#sequence += changes.length;\n    this.#holdBack();",
      },
    ],
  },
  {
    name: "writes stop as soon as a memtable waits",
    step: "04.9",
    caughtBy: "writes stop when memtables wait for their flush, and go on after it",
    rule: "L8",
    patches: [
      {
        file: "pressure.ts",
        from: "if (state.isActiveFull && state.frozenMemtables >= limits.frozenMemtablesMax) {",
        to: "if (state.frozenMemtables >= 1) {",
      },
    ],
  },
];
