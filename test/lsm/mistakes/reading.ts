/**
 * Planted mistakes that show while the machine is well: in what readers see, in what a compaction
 * keeps, and in which tables it takes.
 */
import { lines, type Mistake } from "./mistake.ts";

export const readingMistakes: readonly Mistake[] = [
  {
    name: "a deletion in a memtable does not end the search",
    rule: "L1",
    caughtBy: "model",
    patches: [
      {
        file: "memory.ts",
        from: 'index >= 0 && found.kind === "absent"; index -= 1',
        to: 'index >= 0 && found.kind !== "value"; index -= 1',
      },
    ],
  },
  {
    name: "an iterator passes a deletion and gives the older version",
    rule: "L1",
    caughtBy: "model",
    patches: [{ file: "visible-cursor.ts", from: "        decided.set(key);\n", to: "" }],
  },
  {
    name: "of two layers with one key, an iterator prefers the older",
    rule: "L1",
    caughtBy: "model",
    patches: [
      {
        file: "merge-cursor.ts",
        from: "(order === 0 ? rank - other : order)",
        to: "(order === 0 ? other - rank : order)",
      },
    ],
  },
  {
    name: "runs of level 0 stand oldest first",
    rule: "L1",
    caughtBy: "model",
    patches: [
      {
        file: "version.ts",
        from: "return a.level - b.level || b.number - a.number;",
        to: "return a.level - b.level || a.number - b.number;",
      },
    ],
  },
  {
    name: "the upper bound leaks",
    rule: "S8",
    caughtBy: "model",
    patches: [
      {
        file: "visible-cursor.ts",
        from: "if (before !== null && compareBytes(key, before) >= 0) break;",
        to: "if (before !== null && compareBytes(key, before) > 0) break;",
      },
    ],
  },
  {
    name: "a reverse seek stops one key too early",
    rule: "L1",
    caughtBy: "model",
    patches: [
      {
        file: "visible-cursor.ts",
        from: "const after = keyAfter(key);",
        to: "const after = copyBytes(key);",
      },
    ],
  },
  {
    name: "a reverse iterator takes the oldest version that it may see",
    rule: "L1",
    caughtBy: "model",
    patches: [
      {
        file: "visible-cursor.ts",
        from: "        if (source.sequence <= at) {\n          found",
        to: "        if (source.sequence <= at && !found) {\n          found",
      },
    ],
  },
  {
    name: "an iterator sees writes made after it",
    rule: "L4",
    caughtBy: "model",
    patches: [
      {
        file: "visible-cursor.ts",
        from: "if (source.sequence > at) continue;",
        to: "if (source.sequence > at + 1) continue;",
      },
    ],
  },
  {
    name: "a compaction drops every deletion",
    rule: "L5",
    caughtBy: "model",
    patches: [
      {
        file: "keep-rule.ts",
        from: "    if (older === null) return true;\n",
        to: "    if (older !== null) return false;\n    if (older === null) return true;\n",
      },
    ],
  },
  {
    name: "a flush drops deletions",
    rule: "L5",
    caughtBy: "model",
    patches: [
      {
        file: "flush.ts",
        from: "createKeepRule(snapshots, null)",
        to: "createKeepRule(snapshots, [])",
      },
    ],
  },
  {
    name: "a compaction forgets the snapshots",
    rule: "L5",
    caughtBy: "model",
    patches: [
      {
        file: "keep-rule.ts",
        from: "return new Rule(snapshots, older",
        to: "return new Rule(snapshots.slice(0, 0), older",
      },
    ],
  },
  {
    name: "a snapshot's own version counts as newer than it",
    rule: "L5",
    caughtBy: "model",
    patches: [
      {
        file: "keep-rule.ts",
        from: "if (snapshots[middle]! < sequence) from",
        to: "if (snapshots[middle]! <= sequence) from",
      },
    ],
  },
  {
    name: "versions of a key are split over two tables of a run",
    rule: "L6",
    caughtBy: "model",
    patches: [
      {
        file: "compaction.ts",
        from: lines(
          "        if (outputs.bytes >= tableBytesMax) {\n",
          "          yield;\n",
          "          outputs.finish();\n",
          "          left = 0;\n",
          "        }\n",
          "        held.set(key);\n",
          "      }\n",
        ),
        to: lines(
          "        held.set(key);\n",
          "      }\n",
          "      if (outputs.bytes >= tableBytesMax) outputs.finish();\n",
        ),
      },
    ],
  },
  {
    name: "a compaction of level 0 leaves out older runs that overlap",
    rule: "L6",
    caughtBy: "model",
    patches: [
      {
        file: "leveled-picker.ts",
        from: "  const chosen = new Set(runs.at(-1)!.tables);\n  growChoice(chosen, runs);\n",
        to: "  const chosen = new Set(runs[0]!.tables);\n",
      },
      {
        file: "background.ts",
        from: "    checkPlan(manifest.state.version, plan);\n",
        to: "",
      },
    ],
  },
  {
    name: "a snapshot stands one change too late",
    rule: "L5",
    caughtBy: "model",
    patches: [
      {
        file: "engine.ts",
        from: "return this.#parts.snapshots.take(this.#sequence);",
        to: "return this.#parts.snapshots.take(this.#sequence + 1);",
      },
    ],
  },
  {
    name: "inputs are unlinked while an iterator reads them",
    rule: "L4",
    caughtBy: "model",
    patches: [
      { file: "read-view.ts", from: "  tables.retain(version);\n", to: "" },
      { file: "read-view.ts", from: "      tables.release(version);\n", to: "" },
    ],
  },
  {
    name: "a table is moved down past one that overlaps it",
    rule: "L6",
    caughtBy: "model",
    patches: [
      {
        file: "picker-math.ts",
        from: "return plan.inputs.length === 1 && plan.inputs[0]!.level < plan.outputLevel;",
        to: "return plan.inputs[0]!.level < plan.outputLevel && plan.inputs.length < 3;",
      },
    ],
  },
  {
    name: "a batch takes effect from its last operation to its first",
    rule: "L1",
    caughtBy: "model",
    patches: [
      {
        file: "write-group.ts",
        from: "target.put(key, reader.bytes(), sequence + index, newestReader);",
        to: "target.put(key, reader.bytes(), sequence + count - 1 - index, newestReader);",
      },
    ],
  },
  {
    name: "a memtable drops versions that a snapshot needs",
    rule: "M2",
    caughtBy: "model",
    patches: [
      {
        module: "memtable",
        file: "table.ts",
        from: "sequenceOf(arena.words, kept) > known.newestReader",
        to: "sequenceOf(arena.words, kept) >= known.newestReader",
      },
    ],
  },
  {
    name: "the filter forgets keys",
    rule: "S6",
    caughtBy: "model",
    patches: [
      {
        module: "sstable",
        file: "bloom.ts",
        from: "    for (let at = 0; at < this.#count * PAIR; at += PAIR) {\n      let hash",
        to: "    for (let at = PAIR; at < this.#count * PAIR; at += PAIR) {\n      let hash",
      },
    ],
  },
  {
    name: "checksums of blocks are not looked at",
    rule: "S3",
    caughtBy: "damage",
    patches: [
      {
        module: "sstable",
        file: "trailer.ts",
        from: "block.seed);\n  putU32(target, typeAt + 1, checksum);",
        to: "block.seed) & 0;\n  putU32(target, typeAt + 1, checksum);",
      },
      {
        module: "sstable",
        file: "trailer.ts",
        from: lines(
          "if (crc32(source.subarray(from, typeAt + 1), seed)",
          ' !== stored) return "checksum mismatch";',
        ),
        to: 'if (stored !== 0 && seed < 0) return "checksum mismatch";',
      },
    ],
  },
];
