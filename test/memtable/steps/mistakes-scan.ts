/**
 * What readers get wrong in steps 02.3 to 02.5: heights, scans, cursors, size, freezing.
 */
import type { StepMistake } from "../../support/four-way.ts";

/** Steps 02.3 to 02.5. */
export const scanMistakes: readonly StepMistake[] = [
  {
    name: "one draw decides over every level",
    step: "02.3",
    caughtBy: "each level has its share of the towers",
    rule: "M8",
    trap: "T11",
    patches: [
      {
        file: "heights.ts",
        from: "  let height = 1;\n  while (height < SKIP_LEVELS_MAX && random() < SKIP_CHANCE)",
        to: "  let height = 1;\n  const drawn = random();\n  while (height < SKIP_LEVELS_MAX && drawn < SKIP_CHANCE)",
      },
    ],
  },
  {
    name: "heights begin at 0",
    step: "02.3",
    caughtBy: "a height is at least 1 and at most the highest level",
    rule: "M8",
    patches: [{ file: "heights.ts", from: "let height = 1;", to: "let height = 0;" }],
  },
  {
    name: "nothing limits a height",
    step: "02.3",
    caughtBy: "a height is at least 1 and at most the highest level",
    rule: "M8",
    patches: [{ file: "heights.ts", from: "height < SKIP_LEVELS_MAX && ", to: "" }],
  },
  {
    name: "the chance is turned round",
    step: "02.3",
    caughtBy: "each level has its share of the towers",
    rule: "M8",
    patches: [
      { file: "heights.ts", from: "random() < SKIP_CHANCE)", to: "random() >= SKIP_CHANCE)" },
    ],
  },
  {
    name: "heights are drawn from another source than the given one",
    step: "02.3",
    caughtBy: "the same draws give the same heights",
    rule: "M8",
    patches: [
      {
        file: "heights.ts",
        from: "&& random() < SKIP_CHANCE)",
        to: "&& xorshift() < SKIP_CHANCE)",
      },
    ],
  },
  {
    name: "the upper bound of a scan is included",
    step: "02.4",
    caughtBy: "a scan begins at its lower bound and ends before its upper one",
    rule: "M3",
    patches: [
      {
        file: "table.ts",
        from: "compareBytes(cursor.key, before) >= 0)",
        to: "compareBytes(cursor.key, before) > 0)",
      },
    ],
  },
  {
    name: "a scan leaves deletions out",
    step: "02.4",
    caughtBy: "deletions are entries of a scan",
    rule: "M3",
    patches: [
      {
        file: "table.ts",
        from: "      const value = cursor.isDeletion ? null",
        to: "      if (cursor.isDeletion) continue;\n      const value = cursor.isDeletion ? null",
      },
    ],
  },
  {
    name: "a cursor knows the newest version only",
    step: "02.4",
    caughtBy: "the versions of a key come newest first",
    rule: "M3",
    patches: [
      {
        file: "cursor.ts",
        from: "    if (older !== null) this.#version = older;\n    else this",
        to: "    if (older === this.#version) this.#version = older;\n    else this",
      },
    ],
  },
  {
    name: "a cursor comes from behind to the newest version",
    step: "02.4",
    caughtBy: "a cursor goes where it is sent, forwards and back",
    rule: "M3",
    patches: [
      {
        file: "cursor.ts",
        from: "    for (; older !== null; older = older.older) this.#version = older;\n",
        to: "    void older;\n",
      },
    ],
  },
  {
    name: "a cursor remembers its place in the array",
    step: "02.4",
    caughtBy: "what comes in during a scan is met or not, and nothing is met twice",
    rule: "M3",
    patches: [
      {
        file: "sorted-array.ts",
        from: "    return this.#entries[this.#placeOf(key)];\n",
        to: "    this.#at = this.#placeOf(key);\n    return this.#entries[this.#at];\n",
      },
      {
        file: "sorted-array.ts",
        from: "return this.#entries[this.#placeOf(entry.key) + 1];",
        to: "this.#at += 1;\n    return this.#entries[this.#at];",
      },
      {
        file: "sorted-array.ts",
        from: "readonly #entries: KeyEntry[] = [];",
        to: "readonly #entries: KeyEntry[] = [];\n  #at = 0;",
      },
    ],
  },
  {
    name: "a cursor looks its version up anew",
    step: "02.4",
    caughtBy: "what a cursor shows does not change under it",
    rule: "M3",
    patches: [
      {
        file: "cursor.ts",
        from: "return this.#version?.value ?? NOTHING;",
        to: "return this.#entry?.newest?.value ?? NOTHING;",
      },
    ],
  },
  {
    name: "a scan copies its bounds at the first step",
    step: "02.4",
    caughtBy: "the bounds of a scan are copied when it is called",
    rule: "M4",
    patches: [
      {
        file: "table.ts",
        from: "return this.#scan(copyBytes(from ?? new Uint8Array(0)), before && copyBytes(before));",
        to: "return this.#scan(from ?? new Uint8Array(0), before);",
      },
    ],
  },
  {
    name: "a scan hands out the table's keys",
    step: "02.4",
    caughtBy: "what a scan gives is the caller's own",
    rule: "M4",
    patches: [
      {
        file: "table.ts",
        from: "yield { key: copyBytes(cursor.key),",
        to: "yield { key: cursor.key,",
      },
    ],
  },
  {
    name: "deletions make the table smaller",
    step: "02.5",
    caughtBy: "deletions alone make the table grow",
    rule: "M5",
    trap: "T10",
    patches: [
      {
        file: "table.ts",
        from: "    if (before === null) this.#bytes += key.length + KEY_OVERHEAD_BYTES;\n",
        to: "    if (before === null && value !== null) this.#bytes += key.length + KEY_OVERHEAD_BYTES;\n",
      },
      {
        file: "table.ts",
        from: "this.#bytes += sign * (VERSION_OVERHEAD_BYTES + (value?.length ?? 0));",
        to: "if (value !== null) this.#bytes += sign * (VERSION_OVERHEAD_BYTES + value.length);",
      },
    ],
  },
  {
    name: "only values are counted",
    step: "02.5",
    caughtBy: "each new key adds at least its own bytes",
    rule: "M5",
    patches: [
      {
        file: "table.ts",
        from: "this.#bytes += key.length + KEY_OVERHEAD_BYTES;",
        to: "this.#bytes += 0;",
      },
      {
        file: "table.ts",
        from: "sign * (VERSION_OVERHEAD_BYTES + (value?.length ?? 0));",
        to: "sign * (value?.length ?? key.length);",
      },
    ],
  },
  {
    name: "every version is kept for ever",
    step: "02.5",
    caughtBy: "overwriting what nobody reads does not make the table grow",
    rule: "M2",
    patches: [
      {
        file: "table.ts",
        from: "const older = versionAt(before, newestReader);",
        to: "const older = versionAt(before, Math.max(newestReader, NEWEST));",
      },
    ],
  },
  {
    name: "a version is dropped although a reader stands right on it",
    step: "02.5",
    caughtBy: "a version that somebody may read is kept",
    rule: "M2",
    patches: [
      {
        file: "table.ts",
        from: "const older = versionAt(before, newestReader);",
        to: "const older = versionAt(before, newestReader - 1);",
      },
    ],
  },
  {
    name: "what was replaced is still counted",
    step: "02.5",
    caughtBy: "the counts say what a scan gives",
    rule: "M5",
    patches: [
      {
        file: "table.ts",
        from: "if (value === null) this.deletions += sign;",
        to: "if (value === null && sign > 0) this.deletions += sign;",
      },
    ],
  },
  {
    name: "freezing is only noted down",
    step: "02.5",
    caughtBy: "a frozen table refuses every write, and answers as before",
    rule: "M6",
    patches: [
      {
        file: "table.ts",
        from: '    assert(!this.#isFrozen, "memtable: a frozen table never changes");\n',
        to: "",
      },
    ],
  },
  {
    name: "the refusal comes after the key is in",
    step: "02.5",
    caughtBy: "a frozen table refuses every write, and answers as before",
    rule: "M6",
    patches: [
      {
        file: "table.ts",
        from: '    assert(!this.#isFrozen, "memtable: a frozen table never changes");\n',
        to: "",
      },
      {
        file: "table.ts",
        from: "    this.sequenceMax = Math.max(this.sequenceMax, sequence);\n",
        to: '    this.sequenceMax = Math.max(this.sequenceMax, sequence);\n    assert(!this.#isFrozen, "memtable: a frozen table never changes");\n',
      },
    ],
  },
];
