/**
 * The planted mistakes: each is a change to a copy of the memtable's source.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import type { MemtableStructure } from "#memtable/types";
import type { Patch } from "../../support/plant.ts";

/** The checks that can catch a mistake: see `checks` in mistakes.test.ts. */
export type CheckName =
  | "three outcomes"
  | "buffers used again"
  | "versions at sequences"
  | "half-open bounds"
  | "deletions grow the table"
  | "overwrites do not leak"
  | "frozen never changes"
  | "shared is the same"
  | "levels are parts"
  | "random operations"
  | "readers come and go"
  | "writes between moves"
  | "awkward keys";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  readonly caughtBy: CheckName;
  /** The structure that has it; all have what is in the table itself. */
  readonly structure?: MemtableStructure;
  readonly patches: readonly Patch[];
}

const inTable = (from: string, to: string): readonly Patch[] => [{ file: "table.ts", from, to }];
const inTree = (from: string, to: string): readonly Patch[] => [{ file: "btree.ts", from, to }];

export const mistakes: readonly Mistake[] = [
  {
    name: "deleting an unknown key does nothing",
    rule: "M1",
    caughtBy: "three outcomes",
    patches: inTable(
      "    if (newest === 0) {\n",
      "    if (newest === 0 && value === null) return;\n    if (newest === 0) {\n",
    ),
  },
  {
    name: "a deletion is reported as absent",
    rule: "M1",
    caughtBy: "three outcomes",
    patches: inTable("return DELETED;", "return ABSENT;"),
  },
  {
    name: "a value of no bytes counts as deleted",
    rule: "M1",
    caughtBy: "three outcomes",
    patches: inTable(
      "this.#record(key, value, sequence, newestReader);",
      "this.#record(key, value.length > 0 ? value : null, sequence, newestReader);",
    ),
  },
  {
    name: "a reader does not see the version at its own sequence",
    rule: "M2",
    caughtBy: "versions at sequences",
    patches: inTable("sequenceOf(words, reference) > at", "sequenceOf(words, reference) >= at"),
  },
  {
    name: "a version is replaced although a reader stands right on it",
    rule: "M2",
    caughtBy: "readers come and go",
    patches: inTable("> known.newestReader", ">= known.newestReader"),
  },
  {
    name: "replacing drops the older versions too",
    rule: "M2",
    caughtBy: "readers come and go",
    patches: inTable(
      "arena.write(reference, value, sequence, kept);",
      "arena.write(reference, value, sequence, 0);",
    ),
  },
  {
    name: "the upper bound of a scan is included",
    rule: "M3",
    caughtBy: "half-open bounds",
    patches: inTable(
      "compareBytes(cursor.key, before) < 0",
      "compareBytes(cursor.key, before) <= 0",
    ),
  },
  {
    name: "a scan leaves deletions out",
    rule: "M3",
    caughtBy: "half-open bounds",
    patches: inTable("        yield {", "        if (value !== null) yield {"),
  },
  {
    name: "a cursor trusts its place after a write",
    rule: "M3",
    caughtBy: "writes between moves",
    structure: "btree",
    patches: [
      {
        file: "cursor.ts",
        from: "if (this.#changes === this.#order.changes) return;",
        to: "if (this.#position >= 0) return;",
      },
    ],
  },
  {
    name: "bytes that a cursor stands at are written over",
    rule: "M3",
    caughtBy: "writes between moves",
    patches: inTable("|| this.#isStoodAt(newest)", ""),
  },
  {
    name: "the prefix of all keys is the caller's buffer",
    rule: "M4",
    caughtBy: "buffers used again",
    structure: "btree",
    patches: inTree("this.#prefix = copyBytes(key);", "this.#prefix = key;"),
  },
  {
    name: "the bounds of a scan are the caller's buffers",
    rule: "M4",
    caughtBy: "buffers used again",
    patches: inTable("from && copyBytes(from)", "from"),
  },
  {
    name: "a lookup hands out the table's own bytes",
    rule: "M4",
    caughtBy: "buffers used again",
    patches: inTable(
      "const value = copyBytes(bytes, start, start + valueBytesOf(words, reference));",
      "const value = bytes.subarray(start, start + valueBytesOf(words, reference));",
    ),
  },
  {
    name: "deletions make the size smaller",
    rule: "M5",
    caughtBy: "deletions grow the table",
    patches: inTable(
      "return this.#arena.wordsUsed * WORD_BYTES + this.#order.bytes;",
      "return this.#arena.wordsUsed * (this.entries - this.deletions);",
    ),
  },
  {
    name: "deletions are not counted",
    rule: "M5",
    caughtBy: "three outcomes",
    patches: inTable("    if (value === null) this.deletions += 1;\n", ""),
  },
  {
    name: "the lowest sequence stays when its version is replaced",
    rule: "M5",
    caughtBy: "overwrites do not leak",
    patches: inTable(
      "=== this.#lowest) this.#isLowestKnown = false;",
      "=== 0) this.#isLowestKnown = false;",
    ),
  },
  {
    name: "each overwrite takes new room",
    rule: "M5",
    caughtBy: "overwrites do not leak",
    patches: inTable("if (!replaces || !fits ||", "if (replaces || !fits ||"),
  },
  {
    name: "a growing value gets no room to grow",
    rule: "M5",
    caughtBy: "overwrites do not leak",
    patches: inTable("replaces ? Math.floor(valueBytes / SPARE_ROOM_DIVISOR) : 0", "0"),
  },
  {
    name: "a frozen table takes writes",
    rule: "M6",
    caughtBy: "frozen never changes",
    patches: inTable("this.#isFrozen = true;", "this.#isFrozen = this.entries < 0;"),
  },
  {
    name: "what is shared unsorted is not sorted",
    rule: "M6",
    caughtBy: "shared is the same",
    structure: "map",
    patches: [
      {
        file: "shared.ts",
        from: "isSorted ? references : sortReferences(entries, references)",
        to: "references",
      },
    ],
  },
  {
    name: "heads stay when all keys share less",
    rule: "M3",
    caughtBy: "awkward keys",
    structure: "btree",
    patches: inTree(
      "takeHeads(pool, node, this.#prefixBytes, this.#entries);",
      "pool.skips[node] = this.#prefixBytes;",
    ),
  },
  {
    name: "only the left edge takes its heads anew",
    rule: "M3",
    caughtBy: "awkward keys",
    structure: "btree",
    patches: inTree("    this.#shrinkSkip(this.#leaves, right);\n", ""),
  },
  {
    name: "heads leave out what the keys of a node share today",
    rule: "M3",
    caughtBy: "awkward keys",
    structure: "btree",
    patches: inTree(
      "sharedBytes(this.#entries, lower, upper)",
      `sharedBytes(
      this.#entries,
      pool.references[node * SLOTS]!,
      pool.references[node * SLOTS + pool.counts[node]! - 1]!,
    )`,
    ),
  },
  {
    name: "equal heads are taken for equal keys",
    rule: "M3",
    caughtBy: "awkward keys",
    structure: "btree",
    patches: inTree("      if (order === 0) {", "      if (order >= 0) {"),
  },
  {
    name: "a skip list never becomes higher",
    rule: "M3",
    caughtBy: "levels are parts",
    structure: "skiplist",
    patches: [
      { file: "skip-list.ts", from: "this.#height = Math.max(this.#height, height);", to: "" },
    ],
  },
  {
    name: "heights start at 0",
    rule: "M3",
    caughtBy: "levels are parts",
    structure: "skiplist",
    patches: [{ file: "skip-list.ts", from: "let height = 1;", to: "let height = 0;" }],
  },
  {
    name: "a skip list passes over the key that it looks for",
    rule: "M2",
    caughtBy: "levels are parts",
    structure: "skiplist",
    patches: [{ file: "skip-list.ts", from: "if (order <= 0) {", to: "if (order < 0) {" }],
  },
  {
    name: "a new node is linked on its lowest level only",
    rule: "M3",
    caughtBy: "random operations",
    structure: "skiplist",
    patches: [
      {
        file: "skip-list.ts",
        from: "words[node + 1 + level] = words[link]!;",
        to: "words[node + 1] = words[link]!;",
      },
    ],
  },
  {
    name: "a hash table that grows puts keys on top of each other",
    rule: "M2",
    caughtBy: "random operations",
    structure: "map",
    patches: [
      {
        file: "hash-map.ts",
        from: "      while (slots[slot] !== 0) slot = (slot + 1) & mask;\n      slots[slot]",
        to: "      slots[slot]",
      },
    ],
  },
  {
    name: "a hash table forgets what comes behind the last new key",
    rule: "M3",
    caughtBy: "random operations",
    structure: "map",
    patches: [
      {
        file: "hash-map.ts",
        from: "    sorted.set(known.subarray(taken), taken + added.length);\n",
        to: "",
      },
    ],
  },
  {
    name: "a sorted array adds its last key once more",
    rule: "M2",
    caughtBy: "random operations",
    structure: "array",
    patches: [
      {
        file: "sorted-array.ts",
        from: "this.#references[last]!, 0) > 0) {",
        to: "this.#references[last]!, 0) >= 0) {",
      },
    ],
  },
];
